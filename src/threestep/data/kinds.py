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
_MOST_ROWS = 2000
_ROUNDING = 1e-6


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
    """
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
    if _are_mostly_numbers(column, _MOST_OF_FREE if is_free else _MOSTLY):
        return ColumnKind("number", "most of it are numbers")
    if is_free:
        reason = f"looks like an id or free text: {n_distinct} different words"
        return ColumnKind("ignore", reason, "category")
    return ColumnKind("category", f"{n_distinct} different words")


def _are_mostly_numbers(column: NDArray, least: float) -> bool:
    """Whether words among numbers are only what stands where a number is not known."""
    different, codes = coded(column)
    numbers = [number_of(cell) if cell != "" and is_number(cell) else np.nan for cell in different]
    is_numeric = np.isfinite(numbers)
    n_words = sum(cell != "" for cell in different) - int(is_numeric.sum())
    texts = [cell for cell, is_one in zip(different, is_numeric, strict=True) if is_one]
    if not 0 < n_words <= _MOST_WORDS or len(texts) < _FEWEST_NUMBERS or any(map(_CODE.fullmatch, texts)):
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


def leaks_of(columns: Mapping[str, NDArray], y: NDArray) -> list[tuple[str, str]]:
    """Columns that give the target away: (name, how).

    A column that equals the target, or of which each value, though it occurs again and again, always goes
    with one value of the target; or numbers that add up to it.
    """
    if y.ndim > 1:
        return []
    found = dict(_adding_up(columns, y)) | dict(_determining(columns, y))
    return [(name, found[name]) for name in columns if name in found]


def _determining(columns: Mapping[str, NDArray], y: NDArray) -> list[tuple[str, str]]:
    """Columns that determine the target, each by itself."""
    targets = _codes(y)
    n_targets = int(targets.max()) + 1
    found = []
    for name, column in columns.items():
        # one value with two targets is proof enough; most columns show it soon
        if not _are_determined(_codes(column[:_MOST_ROWS]), targets[:_MOST_ROWS]):
            continue
        codes = _codes(column)
        n_values = int(codes.max()) + 1
        # values that hardly come twice could not show that they do not determine it
        if n_values < 2 or n_values > _MOST_DISTINCT * len(y) or not _are_determined(codes, targets):
            continue
        how = f"its {n_values} values determine the target"
        found.append((name, "says the same as the target, in other words" if n_values == n_targets else how))
    return found


def _codes(column: NDArray) -> NDArray:
    """Of each value which one of the different ones it is, int64; a gap is a value of its own."""
    if column.dtype.kind == "O":
        return coded(column)[1]
    return np.unique(column, return_inverse=True)[1]


def _are_determined(codes: NDArray, targets: NDArray) -> bool:
    """Whether each value always goes with one target."""
    target_of = np.zeros(int(codes.max()) + 1, np.int64)
    target_of[codes] = targets
    return bool((target_of[codes] == targets).all())


def _adding_up(columns: Mapping[str, NDArray], y: NDArray) -> list[tuple[str, str]]:
    """Numbers of which a sum with weights is the target, to the last digit; the fewest that are needed."""
    names = [name for name, column in columns.items() if column.dtype.kind in "iuf"]
    if y.dtype.kind not in "iuf" or not names or len(y) < 3 * len(names) + 10:
        return []
    rows = np.linspace(0, len(y) - 1, min(len(y), _MOST_ROWS)).astype(int)
    matrix = np.column_stack([np.asarray(columns[name], np.float64)[rows] for name in names])
    target = np.asarray(y, np.float64)[rows]
    is_known = np.isfinite(matrix).all(axis=1) & np.isfinite(target)
    if is_known.sum() < 3 * len(names) + 10:
        return []
    matrix, target = matrix[is_known], target[is_known]
    needed = list(range(len(names)))
    if not _explains(matrix, target):
        return []
    for place in range(len(names)):
        fewer = [each for each in needed if each != place]
        if fewer and _explains(matrix[:, fewer], target):
            needed = fewer
    together = ", ".join(names[place] for place in needed)
    how = "equals the target, but for a factor" if len(needed) == 1 else f"{together} add up to the target"
    return [(names[place], how) for place in needed]


def _explains(matrix: NDArray, target: NDArray) -> bool:
    """Whether a linear function of the columns is the target."""
    scale = np.abs(matrix).max(axis=0)
    inputs = np.column_stack([matrix / np.where(scale > 0, scale, 1.0), np.ones(len(matrix))])
    weights = np.linalg.lstsq(inputs, target, rcond=None)[0]
    spread = target.std()
    return bool(spread > 0 and np.abs(inputs @ weights - target).max() <= _ROUNDING * spread)
