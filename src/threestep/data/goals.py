"""The target, as columns are compared with it to see whether they give it away (`leaks.py`)."""

from collections.abc import Iterator, Mapping
from math import lgamma, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import coded

FEWEST_PAIRS = 20
"""Samples of which a column and the target are both known; fewer show nothing but equality."""

FEWEST_OF_EACH = 5
"""Samples of one value: fewer may lie apart from others by chance."""

ROUNDING = 1e-6
"""How far what is computed from other numbers may be from a number, in standard deviations."""

CHANCE = 1e-6
"""What happens less often by chance, in any column of a table, is no chance."""

_MOST_ROWS = 2000  # looked at first; most columns show soon that they tell little
_MOST_RANDOM = 20_000  # of a column of half as many values as samples, hundreds of these come twice
_MOST_CELLS = 1_000_000  # of all columns

Columns = Mapping[str, NDArray]
Found = Iterator[tuple[str, str]]
"""Columns that give the target away, and how."""


class Goal(NamedTuple):
    """The target, and which samples are looked at first."""

    values: NDArray
    codes: NDArray  # of each sample which of the different values it has
    counts: NDArray  # of each value
    rows: NDArray  # evenly spread; beside a frequent value, such as zero, as many of the others as of it
    of_each: NDArray  # about as many of each value; none where the values are too many to be classes

    @property
    def is_numeric(self) -> bool:
        return self.values.dtype.kind in "iuf"

    @property
    def is_other(self) -> NDArray:
        """Which samples are not of the most frequent value: to know which are zero says nothing of others."""
        return self.codes != self.counts.argmax()


def goal_of(y: NDArray) -> Goal:
    codes = codes_of(y)
    counts = np.bincount(codes)
    rows = _spread(np.arange(len(y)))
    if counts.max() > len(y) / 2:
        rows = np.union1d(rows, _spread(np.flatnonzero(codes != counts.argmax())))
    return Goal(y, codes, counts, rows, _some_of_each(codes, counts))


def _spread(rows: NDArray, most: int = _MOST_ROWS) -> NDArray:
    """So many of some rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)]


def random_rows(n_samples: int, n_columns: int) -> NDArray:
    """Rows at random, in order: fewer of each column where there are many.

    At random, for what was written down together may be alike.
    """
    most = max(_MOST_ROWS, min(_MOST_RANDOM, _MOST_CELLS // max(1, n_columns)))
    if n_samples <= most:
        return np.arange(n_samples)
    return np.unique(np.random.default_rng(0).integers(0, n_samples, most))


def _some_of_each(codes: NDArray, counts: NDArray) -> NDArray:
    """Samples of each class, evenly spread among its own."""
    n_each, n_others = _MOST_ROWS // len(counts), len(counts) - 1
    is_often = len(codes) - counts.max() >= FEWEST_OF_EACH * n_others  # beside a frequent one, such as zero
    if n_others == 0 or n_each < FEWEST_OF_EACH or not is_often:
        return np.zeros(0, int)
    by_class = np.split(np.argsort(codes.astype(np.int16), kind="stable"), np.cumsum(counts)[:-1])
    return np.concatenate([_spread(own, n_each) for own in by_class])


def codes_of(column: NDArray) -> NDArray:
    """Of each value which one of the different ones it is, int64; a gap is a value of its own."""
    if column.dtype.kind == "O":
        return coded(column)[1]
    return np.unique(column, return_inverse=True)[1]


def n_different(codes: NDArray) -> int:
    """Much faster than `np.unique`, for codes."""
    return int(np.count_nonzero(np.bincount(codes)))


def is_known(column: NDArray) -> NDArray:
    if column.dtype.kind == "O":
        return np.asarray(column != "", bool)
    return np.isfinite(column) if column.dtype.kind == "f" else np.ones(len(column), bool)


def numbers_among(columns: Columns) -> dict[str, NDArray]:
    return {name: column for name, column in columns.items() if column.dtype.kind in "iuf"}


def pairs(column: NDArray, target: NDArray) -> tuple[NDArray, NDArray]:
    """Both as float64 where both are known, divided by the largest, so that no square overflows."""
    are_known = is_known(column) & is_known(target)
    x, y = column[are_known].astype(np.float64), target[are_known].astype(np.float64)
    return x / (np.abs(x).max(initial=0) or 1.0), y / (np.abs(y).max(initial=0) or 1.0)


def are_apart_by_chance(counts: NDArray, n_columns: int) -> bool:
    """Whether, of so many columns without meaning, one may well come to lie class by class.

    Of all orders of the samples, those in which each class, of so many samples, is in a row.

    Examples
    --------
    >>> are_apart_by_chance(np.array([5, 15]), 5000), are_apart_by_chance(np.array([50, 50]), 5000)
    (True, False)
    """
    log_orders = lgamma(counts.sum() + 1) - sum(lgamma(count + 1) for count in counts)
    return log_orders - lgamma(len(counts) + 1) < log(n_columns / CHANCE)
