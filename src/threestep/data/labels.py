"""Labels as they were given: whole numbers to the last digit, categories by what they stand for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import MOST_EXACT, array_of, exact_kind, is_missing, text_of, words_of_objects
from threestep.data.target import ClassLabel, are_classes, is_unknown

_LARGEST = 10**308  # a float is no larger


def whole_numbers(values: Any) -> NDArray | None:
    """Whole numbers of which some are beyond what float64 holds, as int64, uint64 or objects; None where
    there are no such. NumPy alone makes floats of a list with some of 2^63 or more.

    Examples
    --------
    >>> whole_numbers([2**63, 3]).tolist(), whole_numbers([1, 2]), whole_numbers([2**63, 0.5])
    ([9223372036854775808, 3], None, None)
    """
    is_given = isinstance(values, (list, tuple)) or (
        isinstance(values, np.ndarray) and values.dtype == object
    )
    if not is_given or not len(values):
        return None
    if not all(isinstance(each, (int, np.integer)) and not isinstance(each, bool) for each in values):
        return None
    items = [int(each) for each in values]
    if max(map(abs, items)) < MOST_EXACT:
        return None
    return np.array(items, exact_kind(items) or object)


def whole_column(values: Any) -> NDArray | None:
    """As `whole_numbers`, of a column that may be no target: objects are words then, if floats would not tell
    them apart, else None."""
    exact = whole_numbers(values)
    if exact is None or exact.dtype != object:
        return exact
    items = set(exact.tolist())
    is_apart = max(map(abs, items)) > _LARGEST or len(set(map(float, items))) == len(items)
    return None if is_apart else words_of_objects(exact.tolist())


def given_target(y: Any) -> NDArray:
    """A target beside its samples as an array: of a column that is said to be one of categories, numbers only
    where these would be taken for classes, else words.

    Raises
    ------
    DataError
        Ragged rows.
    """
    exact = whole_numbers(y)
    if exact is not None:
        return exact
    target = array_of(y, "y")
    if not hasattr(getattr(y, "dtype", None), "categories") or target.ndim != 1:
        return target
    meanings = meanings_of(target.tolist())
    return as_meant(words_of_objects(target.tolist()), meanings) if meanings else target


def meanings_of(cells: Sequence[object]) -> dict[str, ClassLabel]:
    """What the words of a category stand for, where all of them are numbers, or yes and no; else nothing.

    Examples
    --------
    >>> meanings_of([1, 2, None, 2]), meanings_of(["a", 1])
    ({'1': 1, '2': 2}, {})
    """
    known = [each.item() if isinstance(each, np.generic) else each for each in cells if not is_missing(each)]
    different = dict.fromkeys(known)
    if not all(isinstance(each, (int, float)) for each in different):
        return {}
    return {text_of(each): each for each in different}  # pyright: ignore[reportReturnType]


def as_meant(words: NDArray, meanings: Mapping[str, ClassLabel]) -> NDArray:
    """A target of words as what they stand for, unless that would be taken for a number, not classes."""
    labels = np.empty(len(words), object)
    labels[:] = [meanings.get(word) for word in words]
    known = labels[~is_unknown(labels)]
    return labels if len(known) and are_classes(known) else words
