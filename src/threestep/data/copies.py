"""Samples that are there more than once: what is learned from them holds for one of each only."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from threestep.data.goals import Columns, codes_of, random_rows
from threestep.data.sameness import keys_of_samples
from threestep.data.table import Table

_LIKELY = 0.1  # copies of a sample by chance: then equal ones need not be the same one again
_TELLING = 3  # columns of the most different values: where these tell all samples apart there are no copies


def without_copies(columns: Columns, y: NDArray) -> tuple[Columns, NDArray]:
    """One of each of equal samples, unless the columns have so few values that others are equal by chance."""
    rows = random_rows(len(y), len(columns))
    alike = {name: _chance_alike(column[rows]) for name, column in columns.items()}
    if len(y) * prod(alike.values()) > _LIKELY:
        return columns, y
    for names in (sorted(columns, key=alike.__getitem__)[:_TELLING], list(columns)):
        first = _first_of_each({name: columns[name] for name in names}, y)
        if len(first) == len(y):
            return columns, y
    return {name: column[first] for name, column in columns.items()}, y[first]


def _chance_alike(column: NDArray) -> float:
    """How likely two samples have the same value.

    Examples
    --------
    >>> _chance_alike(np.array([1.0, 1.0, 2.0])).__round__(3)
    0.333
    """
    counts = np.bincount(codes_of(column))
    n = len(column)
    return float((counts * (counts - 1)).sum() / max(1, n * (n - 1)))


def _first_of_each(columns: Columns, y: NDArray) -> NDArray:
    """Rows of samples that are not like one before, in order."""
    keys = keys_of_samples(Table("samples", {**columns, "\0target": y}))
    return np.sort(np.unique(keys, return_index=True)[1])
