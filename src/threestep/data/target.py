"""What kind of thing the target is: classes or a number, and how we know."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from threestep.errors import DataError

_MOST_CODES = 20
_MOST_CLASSES = 1000

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
    values = _known_values(y, name)
    distinct = np.unique(values)
    kind, reason = _kind(values, distinct) if task == "auto" else (task, "as asked")
    if kind == "number":
        if values.dtype.kind not in "biuf":
            raise DataError(
                f"target {name!r}: got text such as {str(values[0])!r}, expected numbers", "--task classes"
            )
        return Target(name, kind, (), reason)
    if len(distinct) < 2:
        raise DataError(
            f"target {name!r}: all {len(values)} samples have the one value {distinct[0]!r}",
            "there is nothing to learn; expected at least two classes",
        )
    if len(distinct) > _MOST_CLASSES:
        raise DataError(
            f"target {name!r}: got {len(distinct)} different classes, expected at most {_MOST_CLASSES}",
            "choose another column with --target, or --task number",
        )
    return Target(name, kind, tuple(_plain(value) for value in distinct), reason)


def _known_values(y: NDArray, name: str) -> NDArray:
    """The target with plain dtype, once every value is known."""
    if y.dtype.kind == "O":
        missing = np.array([item is None or item == "" or item != item for item in y], dtype=bool)
    elif y.dtype.kind == "f":
        missing = ~np.isfinite(y)
    else:
        missing = np.zeros(len(y), dtype=bool)
    if missing.any():
        row = int(missing.argmax())
        raise DataError(
            f"target {name!r}, sample {row + 1}: got {y[row]!r} ({int(missing.sum())} such), expected a known value",
            "drop the samples without a target",
        )
    if len(y) == 0:
        raise DataError(f"target {name!r}: no samples", "expected at least a few")
    return _one_dtype(y, name)


def _one_dtype(y: NDArray, name: str) -> NDArray:
    """Text as str; objects as whatever they all are."""
    if y.dtype.kind not in "OUS":
        if y.dtype.kind not in "biuf":
            raise DataError(
                f"target {name!r}: got type {y.dtype}, expected numbers or text", "convert the column"
            )
        return y
    items = y.tolist()
    if all(isinstance(item, (bool, np.bool_)) for item in items):
        return np.array(items, dtype=bool)
    if all(isinstance(item, (int, float, np.number)) for item in items):
        return _known_values(np.array(items), name)
    return np.array([item.decode() if isinstance(item, bytes) else str(item) for item in items])


def _kind(values: NDArray, distinct: NDArray) -> tuple[str, str]:
    """Classes or a number, and the reason."""
    if values.dtype.kind == "U":
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


def _plain(value: np.generic) -> ClassLabel:
    """A class label as a plain Python value; 1.0 becomes 1."""
    plain = value.item()
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain
