"""Text cells and odd arrays to columns: numbers where they are numbers, words where not."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import coded
from threestep.data.written import MISSING
from threestep.errors import DataError

_NOT_KNOWN = frozenset({"NAType", "NaTType"})  # pandas' own, told by name: pandas is never required
MOST_EXACT = 2.0**53
"""float64 holds every whole number below."""
_STRAY_FRACTION = 0.02
_MOST_SHOWN = 60
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_HINT_STRAY = "mend or empty the cell; an empty cell counts as missing"


def is_number(cell: str) -> bool:
    """Whether one cell of text is a number, perhaps with commas between thousands."""
    return _number_in(cell) is not None


def _number_in(cell: str) -> float | None:
    """The number that a cell of text is; None if it is none."""
    try:
        number = number_of(cell)
    except ValueError:
        return None
    return None if "_" in cell else number


def number_of(cell: str) -> float:
    """The number that a cell of text is.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> number_of("-1,002.5")
    -1002.5
    """
    return float(cell.replace(",", "") if _THOUSANDS.fullmatch(cell.strip()) else cell)


def column_of_cells(cells: Sequence[str] | NDArray, name: str, is_known: bool = False) -> NDArray:
    """One column of text cells as numbers (float64, NaN = missing) or words (object).

    Raises
    ------
    DataError
        Text stands where a number belongs: nearly all cells are numbers, a few are not, and it is not known
        what the column is.
    """
    different, codes = coded(cells)
    words = [cell if cell not in MISSING else "" for cell in different]
    found = [_number_in(word) if word else math.nan for word in words]
    is_stray = np.array([number is None for number in found], bool)
    if not is_stray.any():
        return finite_or_missing(np.array(found, np.float64)[codes], name)
    is_numeric = np.array([word != "" for word in words], bool) & ~is_stray
    counts = np.bincount(codes, minlength=len(words))
    n_strays, n_numeric = int(counts[is_stray].sum()), int(counts[is_numeric].sum())
    if not is_known and n_numeric > n_strays <= max(1, int(_STRAY_FRACTION * len(cells))):
        row = int(is_stray[codes].argmax())
        raise DataError(
            f"column {name!r}, sample {row + 1}: got {shown(cells[row])}, expected a number "
            f"({n_numeric} other cells of the column are numbers)",
            f"{_HINT_STRAY}; --column {name}=number takes all such cells of an input for missing",
        )
    return np.array(words, dtype=object)[codes]


def is_missing(cell: object) -> bool:
    """Whether one object means "not known": None, "", NaN, pandas' NA and NaT."""
    if cell is None or type(cell).__name__ in _NOT_KNOWN:
        return True
    return cell == "" if isinstance(cell, str) else isinstance(cell, (float, np.floating)) and cell != cell


def shown(cell: object) -> str:
    """One cell for a message, cut where it is long."""
    text = repr(cell.item() if isinstance(cell, np.generic) else cell)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def text_of(cell: object) -> str:
    """One known object as text."""
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else str(cell)


def column_of_objects(cells: Sequence[object], name: str) -> NDArray:
    """One column of Python objects as numbers (float64, NaN = missing) or words (object).

    Numbers only where every known cell is one: text is never read as a number here, for a frame
    says which of its columns are text.
    """
    known = [cell for cell in cells if not is_missing(cell)]
    if all(isinstance(cell, (int, float, Decimal, np.number, np.bool_)) for cell in known):
        return numeric_array([math.nan if is_missing(cell) else cell for cell in cells], name)
    return words_of_objects(cells)


def words_of_objects(cells: Sequence[object]) -> NDArray:
    """One column of Python objects as words ("" = missing)."""
    if all(type(cell) is str for cell in cells):
        return np.array(cells, dtype=object)
    return np.array(["" if is_missing(cell) else text_of(cell) for cell in cells], dtype=object)


def exact_kind(whole: Sequence[int]) -> np.dtype | None:
    """The type of NumPy that holds whole numbers to the last digit; None if none does.

    Examples
    --------
    >>> exact_kind([2**63, 3]), exact_kind([-1, 2**63]), exact_kind([-1, 3])
    (dtype('uint64'), None, dtype('int64'))
    """
    least, most = min(whole), max(whole)
    kinds = [np.iinfo(kind) for kind in (np.int64, np.uint64)]
    return next((each.dtype for each in kinds if each.min <= least and most <= each.max), None)


def array_of(values: object, name: str) -> NDArray:
    """Any array-like as an array; text as objects, so that None and NaN beside it stay what they are. What
    a masked array hides is missing.

    Raises
    ------
    DataError
        Ragged rows.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):  # what it hides is not known
        is_large = values.dtype.kind in "iu" and abs(values.astype(np.float64)).max() >= MOST_EXACT
        is_numeric = values.dtype.kind in "biuf" and not is_large
        hidden, kind = (np.nan, np.float64) if is_numeric else ("", object)
        values = np.ma.filled(values.astype(kind), hidden)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US":
            return np.asarray(values, dtype=object)
    except ValueError as error:
        raise DataError(
            f"{name}: got rows of different lengths, expected an array", "pad or drop the odd rows"
        ) from error
    return array


def finite_or_missing(numbers: NDArray, name: str) -> NDArray:
    """The numbers, once none of them is infinite.

    Raises
    ------
    DataError
        Names the first infinite cell.
    """
    if numbers.dtype.kind != "f":
        return numbers
    infinite = np.atleast_1d(np.isinf(numbers))
    if infinite.any():
        place = np.unravel_index(int(infinite.argmax()), infinite.shape)
        where = f"sample {int(place[0]) + 1}" + (
            f", input {', '.join(str(int(i) + 1) for i in place[1:])}" if len(place) > 1 else ""
        )
        raise DataError(
            f"{name!r}, {where}: got {np.atleast_1d(numbers)[place]}, expected a finite number",
            "replace infinite values, or leave them empty (missing)",
        )
    return numbers


def numeric_array(values: object, name: str) -> NDArray:
    """Any array-like of numbers as an array of bool, integers or floats.

    Raises
    ------
    DataError
        Text, ragged rows, complex numbers.
    """
    array = array_of(values, name)
    if array.dtype.kind == "O":
        array = _floats_of_objects(array, name)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name}: got values of type {array.dtype}, expected numbers", "convert them to float"
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    return finite_or_missing(array, name)


def _floats_of_objects(array: NDArray, name: str) -> NDArray:
    """An array of objects as float64, or an error naming the first that is no number."""
    flat = [("nan" if is_missing(item) else item) for item in array.ravel().tolist()]
    numbers = np.empty(len(flat))
    for index, item in enumerate(flat):
        try:
            numbers[index] = float(item)
        except (TypeError, ValueError, OverflowError):
            row = index // max(1, int(np.prod(array.shape[1:])))
            raise DataError(
                f"{name}, sample {row + 1}: got {shown(item)}, expected a number",
                "give text columns as a data frame or a CSV file",
            ) from None
    return numbers.reshape(array.shape)
