"""Columns that are not learned from: how much a sample counts, which belong together, in which order."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import is_number
from threestep.data.coding import different_words
from threestep.data.dates import date_order_of, date_parts_of
from threestep.data.kinds import words_of
from threestep.data.table import Table
from threestep.errors import DataError, did_you_mean


def column_of(table: Table, name: str) -> NDArray:
    """A column by its name.

    Raises
    ------
    DataError
        There is none, with "did you mean".
    """
    columns = {} if isinstance(table.x, np.ndarray) else table.columns()
    if name not in columns and name == table.y_name:
        raise DataError(
            f"column {name!r} is the target, and cannot be something else as well", "choose another"
        )
    if name not in columns:
        raise DataError(f"no column {name!r} in {table.name}", did_you_mean(name, columns))
    return columns[name]


def without(table: Table, *names: str) -> Table:
    """The table without some of its features."""
    return replace(table, x={name: column for name, column in table.columns().items() if name not in names})


def weights_in(column: NDArray, name: str) -> NDArray:
    """A column as weights of the samples.

    Raises
    ------
    DataError
        Not numbers, negative, missing, or all zero.
    """
    if column.dtype.kind == "O" or np.isnan(column.astype(np.float64)).any():
        raise DataError(f"weight {name!r}: got text or gaps, expected a number for each sample")
    weight = column.astype(np.float64)
    if weight.min() < 0 or weight.max() <= 0:
        raise DataError(
            f"weight {name!r}: weights must not be negative, nor all zero",
            "a sample of weight 0 is left out; leave the column out as a weight to count all the same",
        )
    return weight


def balanced_weights(classes: NDArray, n_classes: int, weight: NDArray | None = None) -> NDArray:
    """Weights with which all classes count the same, times weights that are given.

    Parameters
    ----------
    classes : ndarray of shape (n_samples,), int
    n_classes : int
    weight : ndarray of shape (n_samples,) or None

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.data.balanced_weights(np.array([0, 0, 0, 1]), 2).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    own = np.ones(len(classes)) if weight is None else np.asarray(weight, np.float64)
    counts = np.bincount(classes, own, n_classes)
    return own * (own.sum() / (n_classes * np.maximum(counts, 1e-12)))[classes]


def ranks_in(column: NDArray, name: str) -> NDArray:
    """A column of dates or numbers as numbers that can be sorted.

    Raises
    ------
    DataError
        Neither, or some are missing.
    """
    values = column
    if column.dtype.kind == "O":
        cells = [str(cell) for cell in words_of(column)]
        order = date_order_of(different_words(column))
        if order is not None:
            values = date_parts_of(cells, order)["days"]
        elif all(is_number(cell) for cell in cells):
            values = np.array(cells, np.float64)
    if values.dtype.kind == "O" or np.isnan(values.astype(np.float64)).any():
        raise DataError(f"order {name!r}: got text or gaps, expected a date or a number for each sample")
    return values.astype(np.float64)
