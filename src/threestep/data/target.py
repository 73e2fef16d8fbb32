"""What kind of thing the target is: classes or a number, and how we know."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import MOST_EXACT, exact_kind, is_missing, numeric_array, shown, text_of
from threestep.errors import DataError

_MOST_CODES = 20
_MOST_CLASSES = 1000
_MANY_CLASSES = 20  # more than so many, half of them of one sample: no classes, it seems

_YES, _NO = ("yes", "true", "y", "t", "1", "1.0"), ("no", "false", "n", "f", "0", "0.0")
_LABEL_WORDS = dict.fromkeys(_YES, 1) | dict.fromkeys(_NO, 0)  # in small letters

ClassLabel = str | int | float | bool


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Parameters
    ----------
    name : str
        The column's name.
    kind : {"classes", "number", "labels"}
        One of several classes; a real number, or several; several yes-or-no labels.
    classes : tuple of str, int, float or bool
        The classes in sorted order; empty for numbers and labels.
    reason : str
        Why it was taken for that kind, for people.
    n_columns : int
        How many numbers or labels there are; 1 for classes.
    """

    name: str
    kind: str
    classes: tuple[ClassLabel, ...] = ()
    reason: str = ""
    n_columns: int = 1

    @property
    def names(self) -> list[str]:
        """What each of its columns is called."""
        parts = [part.strip() for part in self.name.split(",")]
        if self.n_columns == 1 or len(parts) == self.n_columns:
            return [self.name] if self.n_columns == 1 else parts
        return [f"{self.name}_{place + 1}" for place in range(self.n_columns)]

    @property
    def is_numeric(self) -> bool:
        """Whether it, or its classes, are numbers."""
        return self.kind == "number" or (
            bool(self.classes) and not any(isinstance(label, str) for label in self.classes)
        )

    @property
    def labels(self) -> NDArray:
        """The classes as an array, each to the last digit; words are objects."""
        if any(isinstance(label, str) for label in self.classes):
            return np.array(self.classes, object)
        whole = [label for label in self.classes if isinstance(label, int)]
        are_whole = bool(whole) and len(whole) == len(self.classes)
        is_large = are_whole and min(whole) >= 0 and 2**63 <= max(whole) < 2**64
        # NumPy alone would make floats of them
        return np.array(self.classes, np.uint64 if is_large else None)

    @property
    def n_outputs(self) -> int:
        """How many outputs a network needs for it."""
        return len(self.classes) or self.n_columns


def understand_target(y: NDArray, name: str, task: str = "auto") -> Target:
    """See from its values whether a target is classes, numbers or labels.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), or (n_samples, n) for several numbers or labels
        The target, as it came. Several columns are labels if there is nothing but 0 and 1 in them, or yes
        and no, or true and false.
    name : str
        Its name, for messages.
    task : {"auto", "classes", "number", "labels"}
        Overrides what the values say.

    Raises
    ------
    DataError
        A target is missing or infinite, there is one class only, or too many.
    """
    values = known_values(y, name)
    if len(values) == 0:
        raise DataError(f"target {name!r}: no samples", "expected at least a few")
    if values.ndim > 1 or task == "labels":
        return _several(values.reshape(len(values), -1), name, task)
    distinct = np.unique(values)
    if len(distinct) < 2:
        raise DataError(
            f"target {name!r}: {_all_of(len(values))} the one value {shown(_plain(distinct[0]))}",
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


def notes_on_classes(target: Target, y: NDArray) -> list[str]:
    """That a target of classes does not look like one: many of them have one sample only.

    Parameters
    ----------
    target : Target
    y : ndarray of shape (n_samples,)
        What it was seen from.

    Examples
    --------
    >>> import numpy as np
    >>> names = np.array([f"name {number}" for number in range(30)], dtype=object)
    >>> notes_on_classes(understand_target(names, "who"), names)[0].split(":")[0]
    "target 'who' looks like an id or free text"
    """
    if target.kind == "labels" and target.n_columns > 1 and _is_one_of(known_values(y, target.name)):
        return [
            f"each sample has exactly one of the {target.n_columns} labels; if they are classes, "
            "give their numbers, y.argmax(1)"
        ]
    n_classes = len(target.classes)
    if n_classes <= _MANY_CLASSES:
        return []
    _, counts = np.unique(known_values(y, target.name), return_counts=True)
    n_single = int((counts == 1).sum())
    if 2 * n_single < n_classes:
        return []
    return [
        f"target {target.name!r} looks like an id or free text: {n_single:,} of {n_classes:,} classes have "
        "one sample only; --target NAME chooses another column"
    ]


def _is_one_of(labels: NDArray) -> bool:
    """Whether each row of labels has exactly one yes."""
    return bool((np.asarray(labels, np.float64).sum(axis=1) == 1).all())


def _several(values: NDArray, name: str, task: str) -> Target:
    """Several numbers or labels.

    Raises
    ------
    DataError
        Several classes, text, or labels that are neither 0 nor 1.
    """
    if values.dtype.kind not in "biuf" or task == "classes":
        raise DataError(
            f"target {name!r}: got {values.shape[1]} columns, expected numbers, or labels of 0 and 1 or of "
            "yes and no",
            "classes have one column: of columns of 0 and 1 y.argmax(1), of others fit a network for each",
        )
    is_labels = bool(((values == 0) | (values == 1)).all())
    if task == "labels" and not is_labels:
        raise DataError(f"target {name!r}: labels must be 0 or 1", "--task number")
    kind = "labels" if is_labels and task != "number" else "number"
    reason = f"{values.shape[1]} columns of {'0 and 1' if kind == 'labels' else 'numbers'}"
    return Target(name, kind, (), reason if task == "auto" else "as asked", values.shape[1])


def _all_of(n_samples: int) -> str:
    """Who has the one value."""
    return "the only sample has" if n_samples == 1 else f"all {n_samples:,} samples have"


def is_unknown(y: NDArray) -> NDArray:
    """Which samples have no target, or not all of several: shape (n_samples,), bool. What is infinite is
    there, but wrong."""
    if y.dtype.kind in "OUS":
        unknown = np.array([is_missing(item) for item in y.astype(object).ravel().tolist()], bool)
    else:
        unknown = np.isnan(y) if y.dtype.kind == "f" else np.zeros(y.shape, bool)
    return np.asarray(unknown.reshape(len(y), -1 if y.size else 1).any(axis=1))


def known_values(y: NDArray, name: str) -> NDArray:
    """The target as bool, integers, float64 or text (object), once every value is known; of several columns
    of yes and no 1 and 0.

    Raises
    ------
    DataError
        A target is missing or infinite, or of a type that is neither numbers nor text.
    """
    if y.dtype.kind in "OUS":
        values = _values_of_objects(y.astype(object).ravel(), name)
        values = (_labels_of_words(values) if y.ndim > 1 else values).reshape(y.shape)
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
        if all(isinstance(item, (int, np.integer)) for item in items):  # to the last digit, if NumPy can
            kind = exact_kind(list(map(int, items)))
            if kind is not None:
                return np.array(items, kind)
        numbers = numeric_array(items, f"target {name!r}")
        whole = {item for item in items if isinstance(item, (int, np.integer))}
        if len(whole) > len(set(map(float, whole))):
            raise DataError(
                f"target {name!r}: has whole numbers too large to be told apart, such as {shown(max(items))}",
                "give them as text",
            )
        return numbers.astype(np.float64) if numbers.dtype.kind == "f" else numbers
    return np.array([text_of(item) for item in items], dtype=object)


def _labels_of_words(values: NDArray) -> NDArray:
    """1 for yes and 0 for no, if all words are such; else what was given."""
    if values.dtype.kind != "O":
        return values
    words, place = np.unique(np.char.lower(values.astype(str)), return_inverse=True)
    if not set(words.tolist()) <= set(_LABEL_WORDS):
        return values
    return np.array([_LABEL_WORDS[word] for word in words.tolist()])[place]


def _refuse_unknown(y: NDArray, unknown: NDArray, name: str) -> None:
    """Name the first sample whose target is not known, if there is one."""
    if unknown.any():
        row = int(unknown.reshape(len(unknown), -1).max(axis=1).argmax())
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


def are_classes(y: NDArray) -> bool:
    """Whether known values alone look like classes."""
    values = known_values(y, "target")
    return _kind(values, np.unique(values))[0] == "classes"


def _kind(values: NDArray, distinct: NDArray) -> tuple[str, str]:
    """Classes or a number, and the reason."""
    if values.dtype.kind == "O":
        return "classes", f"{len(distinct):,} different words"
    if values.dtype.kind == "b":
        return "classes", "yes or no"
    if (distinct != np.round(distinct)).any():
        return "number", "values with fractions"
    if len(distinct) <= _MOST_CODES and len(distinct) <= max(2, len(values) // 2):
        return "classes", f"{len(distinct):,} different whole numbers"
    codes = np.array_equal(distinct, np.arange(len(distinct)))
    if codes and len(distinct) <= min(_MOST_CLASSES, len(values) // 10):
        return "classes", f"whole numbers 0 to {len(distinct) - 1}, each of them used"
    return "number", f"{len(distinct)} different whole numbers"


def _plain(value: Any) -> ClassLabel:
    """A class label as a plain Python value; 1.0 becomes 1."""
    plain = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(plain, float) and plain.is_integer() and abs(plain) < MOST_EXACT
    return int(plain) if whole else plain
