"""What kind of column each is: a number, a category, a date, or nothing to learn from."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import finite_or_missing, is_number, number_of, shown
from threestep.data.coding import coded, different_words, mapped
from threestep.data.dates import date_order_of
from threestep.errors import DataError, SettingsError, did_you_mean

COLUMN_KINDS = ("number", "category", "date", "ignore")
"""What a user may call a column."""

_CONSTANT = "one value only"
_ID = "looks like an id: whole numbers in a row, each of them once"
_FEWEST_FOR_ID = 50
_WIDEST_ID = 2.0  # how many whole numbers an id may skip, times the samples
_YEARS = (1500, 2200)
_MOST_DISTINCT = 0.5  # of the samples: more different words say nothing that could be seen again
_FEW_WORDS = 100
_MOSTLY = 0.8  # of the known cells: then the rest are gaps with a word in them, such as "unknown"
_MOST_OF_FREE = 0.5  # where it would be left out
_MOST_WORDS = 10  # different ones: more are no words for "unknown"
_FEWEST_NUMBERS = 20  # different ones: fewer may be codes
_CODE = re.compile(r"[+-]?0\d.*")
_TRUTH = {"true": "1", "false": "0"}  # as files say what is yes or no in a frame


class ColumnKind(NamedTuple):
    """A column's kind, how we know, and what it may be called to be kept."""

    kind: str
    reason: str
    otherwise: str = ""


def overrides_of(given: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """`NAME=KIND` words as a mapping.

    Raises
    ------
    SettingsError
        Not of that form, or no such kind.
    DataError
        No such column.
    """
    kinds = {}
    for word in given:
        name, equals, kind = word.rpartition("=")
        if not equals or kind not in COLUMN_KINDS:
            hint = f"such as `{names[0] if names else 'NAME'}=category`; kinds: {', '.join(COLUMN_KINDS)}"
            raise SettingsError(f"`column` is {word!r}; must be NAME=KIND", hint)
        if name not in names:
            raise DataError(f"no column {name!r}", did_you_mean(name, names))
        kinds[name] = kind
    return kinds


def kinds_of(columns: Mapping[str, NDArray], overrides: Mapping[str, str]) -> dict[str, ColumnKind]:
    """The kind of each column, seen from the training samples, or as the user says.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (n_samples,)
        Numbers, or words (object; "" = missing).
    overrides : mapping of str to str

    Raises
    ------
    DataError
        The user says that a column is numbers, and none of its cells is one.
    """
    for name, kind in overrides.items():
        if kind == "number" and name in columns:
            _check_numbers(columns[name], name)
    kinds = {
        name: ColumnKind(overrides[name], "as asked") if name in overrides else _kind(column)
        for name, column in columns.items()
    }
    if any(each.kind != "ignore" and each.reason != _CONSTANT for each in kinds.values()):
        return kinds
    # a row number alone is all there is to learn from
    return {
        name: ColumnKind("number", "numbers") if each.reason == _ID else each for name, each in kinds.items()
    }


def _check_numbers(column: NDArray, name: str) -> None:
    """Whether there is a number among the words of a column."""
    words = different_words(column) if column.dtype.kind == "O" else []
    if words and not any(is_number(word) or word.lower() in _TRUTH for word in words):
        raise DataError(
            f"column {name!r}: got {shown(words[0])} and {len(words) - 1} other words, expected numbers",
            f"none of its cells is one; --column {name}=category takes it as words",
        )


def _kind(column: NDArray) -> ColumnKind:
    if column.dtype.kind == "O":
        return _kind_of_words(column)
    if column.dtype.kind == "b":
        return ColumnKind("number", "yes or no")
    known = column[~np.isnan(column)] if column.dtype.kind == "f" else column
    if len(known) == 0:
        return ColumnKind("ignore", "every value is missing")
    if known.min() == known.max():
        return ColumnKind("number", _CONSTANT)
    if _is_id(known, len(column)):
        return ColumnKind("ignore", _ID, "number")
    return ColumnKind("number", "numbers")


def _kind_of_words(column: NDArray) -> ColumnKind:
    known = different_words(column)
    n_distinct = len(known)
    if n_distinct == 0:
        return ColumnKind("ignore", "every value is missing")
    if date_order_of(known) is not None:
        return ColumnKind("date", "dates")
    is_free = n_distinct > _FEW_WORDS and n_distinct > _MOST_DISTINCT * int((column != "").sum())
    if _are_mostly_numbers(column, _MOST_OF_FREE if is_free else _MOSTLY, fewest_words=0 if is_free else 1):
        return ColumnKind("number", "most of it are numbers")
    if is_free:
        reason = f"looks like an id or free text: {n_distinct:,} different words"
        return ColumnKind("ignore", reason, "category")
    return ColumnKind("category", f"{n_distinct:,} different words")


def _are_mostly_numbers(column: NDArray, least: float, fewest_words: int) -> bool:
    """Whether words among numbers are only what stands where a number is not known; numbers alone, which a
    frame has as text, may be meant as names."""
    different, codes = coded(column)
    numbers = [number_of(cell) if cell != "" and is_number(cell) else np.nan for cell in different]
    is_numeric = np.isfinite(numbers)
    n_words = sum(cell != "" for cell in different) - int(is_numeric.sum())
    texts = [cell for cell, is_one in zip(different, is_numeric, strict=True) if is_one]
    if (
        not fewest_words <= n_words <= _MOST_WORDS
        or len(texts) < _FEWEST_NUMBERS
        or any(map(_CODE.fullmatch, texts))
    ):
        return False
    cells = np.array(numbers)[codes]
    known = cells[np.isfinite(cells)]
    is_enough = len(known) >= least * int((column != "").sum())
    return is_enough and not _is_id(known, len(known))


def words_among(column: NDArray) -> tuple[int, str]:
    """How many cells of a column of text are words, not numbers, and the first of them.

    Examples
    --------
    >>> import numpy as np
    >>> words_among(np.array(["1", "", "unknown", "2.5"], object))
    (1, 'unknown')
    """
    different, codes = coded(column)
    is_word = np.array([cell != "" and not is_number(cell) for cell in different], bool)
    return int(is_word[codes].sum()), str(different[int(is_word.argmax())]) if is_word.any() else ""


def count_words(column: NDArray) -> int:
    """How many different words a category has; a gap is none.

    Examples
    --------
    >>> import numpy as np
    >>> count_words(np.array(["red", "", "blue", "red"], object))
    2
    """
    return len(different_words(words_of(column)))


def _is_id(known: NDArray, n_samples: int) -> bool:
    """Whole numbers in a row (of which some samples may be elsewhere), each of them once; no years."""
    if len(known) < max(_FEWEST_FOR_ID, n_samples):
        return False
    low, high = float(known.min()), float(known.max())
    if _YEARS[0] <= low and high <= _YEARS[1]:
        return False
    span = high - low + 1
    if span > _WIDEST_ID * len(known) or len(np.unique(known)) < len(known):
        return False
    return bool((known == np.round(known)).all())


def words_of(column: NDArray) -> NDArray:
    """A column of numbers as the words of a category; NaN is missing.

    Examples
    --------
    >>> import numpy as np
    >>> words_of(np.array([1.0, 2.5, np.nan]))
    array(['1', '2.5', ''], dtype=object)
    """
    if column.dtype.kind == "O":
        return column
    return mapped(lambda cell: "" if cell != cell else f"{cell:.15g}", column.astype(np.float64), object)


def numbers_of(column: NDArray, name: str, with_strays: bool = False) -> NDArray:
    """A column of words as the numbers they are; those that are none count as missing, where that is so.

    Raises
    ------
    DataError
        A word is no number.
    """
    different, codes = coded(column)
    different = [_TRUTH.get(cell.lower(), cell) for cell in map(str, different)]
    is_text = np.array([cell != "" and not is_number(cell) for cell in different], bool)
    if is_text.any() and not with_strays:
        row = int(is_text[codes].argmax())
        raise DataError(
            f"column {name!r}, sample {row + 1}: got text such as {shown(column[row])}, "
            "expected numbers only",
            "mend or empty the cell; an empty cell counts as missing",
        )
    is_gap = is_text | np.array([cell == "" for cell in different], bool)
    numbers = [np.nan if gap else number_of(cell) for cell, gap in zip(different, is_gap, strict=True)]
    return finite_or_missing(np.array(numbers, np.float64)[codes], name)
