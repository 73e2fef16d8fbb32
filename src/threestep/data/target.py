"""What kind of thing the target is: classes or a number, and how we know."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import is_missing, numeric_array, shown, text_of
from threestep.errors import DataError

_MOST_CODES = 20
_MOST_CLASSES = 1000
_MOST_EXACT = 2.0**53  # float64 holds every whole number below

ClassLabel = str | int | float | bool


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Parameters
    ----------
    name : str
        The column's name.
    kind : {"classes", "number"}
        One of several classes, or a real number.
    classes : tuple of str, int, float or bool
        The classes in sorted order; empty for a number.
    reason : str
        Why it was taken for that kind, for people.
    """

    name: str
    kind: str
    classes: tuple[ClassLabel, ...] = ()
    reason: str = ""


def understand_target(y: NDArray, name: str, task: str = "auto") -> Target:
    """See from its values whether a target is classes or a number.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The target, as it came.
    name : str
        Its name, for messages.
    task : {"auto", "classes", "number"}
        Overrides what the values say.

    Raises
    ------
    DataError
        A target is missing or infinite, there is one class only, or too many.
    """
    values = known_values(y, name)
    if len(values) == 0:
        raise DataError(f"target {name!r}: no samples", "expected at least a few")
    distinct = np.unique(values)
    if len(distinct) < 2:
        raise DataError(
            f"target {name!r}: all {len(values)} samples have the one value {shown(_plain(distinct[0]))}",
            "there is nothing to learn; expected at least two different values",
        )
    kind, reason = _kind(values, distinct) if task == "auto" else (task, "as asked")
    if kind == "number":
        if values.dtype.kind not in "biuf":
            raise DataError(
                f"target {name!r}: got text such as {shown(values[0])}, expected numbers", "--task classes"
            )
        return Target(name, kind, (), reason)
    if len(distinct) > _MOST_CLASSES:
        raise DataError(
            f"target {name!r}: got {len(distinct)} different classes, expected at most {_MOST_CLASSES}",
            "choose another column with --target, or --task number",
        )
    return Target(name, kind, tuple(_plain(value) for value in distinct), reason)


def known_values(y: NDArray, name: str) -> NDArray:
    """The target as bool, integers, float64 or text (object), once every value is known.

    Raises
    ------
    DataError
        A target is missing or infinite, or of a type that is neither numbers nor text.
    """
    if y.dtype.kind in "OUS":
        values = _values_of_objects(y.astype(object), name)
    elif y.dtype.kind in "biuf":
        values = y.astype(np.float64) if y.dtype.kind == "f" else y
    else:
        raise DataError(
            f"target {name!r}: got type {y.dtype}, expected numbers or text", "convert the column"
        )
    if values.dtype.kind == "f":
        _refuse_unknown(y, ~np.isfinite(values), name)
    return values


def _values_of_objects(y: NDArray, name: str) -> NDArray:
    """Objects as whatever they all are: bool, numbers, or else text."""
    items = y.tolist()
    _refuse_unknown(y, np.array([is_missing(item) for item in items], dtype=bool), name)
    if all(isinstance(item, (bool, np.bool_)) for item in items):
        return np.array(items, dtype=bool)
    if all(isinstance(item, (int, float, Decimal, np.number)) for item in items):
        numbers = numeric_array(items, f"target {name!r}")
        return numbers.astype(np.float64) if numbers.dtype.kind == "f" else numbers
    return np.array([text_of(item) for item in items], dtype=object)


def _refuse_unknown(y: NDArray, unknown: NDArray, name: str) -> None:
    """Name the first sample whose target is not known, if there is one."""
    if unknown.any():
        row = int(unknown.argmax())
        raise DataError(
            f"target {name!r}, sample {row + 1}: got {shown(y[row])} ({int(unknown.sum())} such), "
            "expected a known value",
            "drop the samples without a target",
        )


def label_texts(y: NDArray) -> NDArray:
    """Class labels as text (object), the same for 1, 1.0 and "1": readers differ in a number's type."""
    if y.dtype.kind == "O":
        return np.array([text_of(_plain(item)) for item in y.tolist()], dtype=object)
    values, inverse = np.unique(y, return_inverse=True)
    return np.array([text_of(_plain(value)) for value in values.tolist()], dtype=object)[inverse]


def _kind(values: NDArray, distinct: NDArray) -> tuple[str, str]:
    """Classes or a number, and the reason."""
    if values.dtype.kind == "O":
        return "classes", f"{len(distinct)} different words"
    if values.dtype.kind == "b":
        return "classes", "yes or no"
    if (distinct != np.round(distinct)).any():
        return "number", "values with fractions"
    if len(distinct) <= _MOST_CODES and len(distinct) <= max(2, len(values) // 2):
        return "classes", f"{len(distinct)} different whole numbers"
    codes = np.array_equal(distinct, np.arange(len(distinct)))
    if codes and len(distinct) <= min(_MOST_CLASSES, len(values) // 10):
        return "classes", f"whole numbers 0 to {len(distinct) - 1}, each of them used"
    return "number", f"{len(distinct)} different whole numbers"


def _plain(value: Any) -> ClassLabel:
    """A class label as a plain Python value; 1.0 becomes 1."""
    plain = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(plain, float) and plain.is_integer() and abs(plain) < _MOST_EXACT
    return int(plain) if whole else plain
