"""Columns of dates, and the numbers a network can learn from in them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import coded

DATE_ORDERS = ("ymd", "dmy", "mdy")
"""In which order year, month and day stand."""

DATE_PARTS = ("days", "month", "day of month", "weekday", "hour")
"""What a date becomes: days since 1970, and where in the year, month, week and day it is."""

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?: ?(?:Z|[A-Z]{3,4}|[+-]\d\d(?::?\d\d)?))?"
_DATE = re.compile(rf"(\d{{1,4}})[-/.](\d{{1,2}})[-/.](\d{{1,4}})(?:(?:T|,? ){_CLOCK}{_ZONE})?")
_MONTH = re.compile(r"((?:1[89]|2[01])\d\d)-(0[1-9]|1[0-2])")
_HOUR = re.compile(_CLOCK)
_TIGHT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(.*)")
_DAY_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?(\d{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})(.*)")
_MONTH_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(.*)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}(?!\d)")  # the day comes first wherever dates have dots
_CENTURY = 70  # two digits of a year: from here on they are of 19..
_SHOWN = 1000  # cells that are looked at first: of free text none is a date
_MOST_SHOWN = 50_000  # where nearly all are dates, a word that is not among these is a gap as well
_NEARLY_ALL = 0.98  # of the different cells: the others are words such as "unknown"
_NO_DATE = ("0",) * 7
_AT_ONCE = 4096  # cells


def date_order_of(cells: Sequence[str], least: float = _NEARLY_ALL) -> str | None:
    """In which order the dates of a column are written; None if it is not one of dates.

    Parameters
    ----------
    cells : sequence of str
        Known ones, each of the different ones once.
    least : float
        Which share of them must be dates.

    Examples
    --------
    >>> date_order_of(["2011-01-31"]), date_order_of(["3/4/11", "31/1/11"]), date_order_of(["red"])
    ('ymd', 'dmy', None)
    """
    orders = _orders_of(cells, least)
    return orders[0] if orders else None


def may_be_either(cells: Sequence[str]) -> bool:
    """Whether nothing in a column of dates tells days from months.

    Examples
    --------
    >>> may_be_either(["3/4/11", "5/6/11"]), may_be_either(["3/4/11", "31/1/11"])
    (True, False)
    """
    return len(_orders_of(cells, 0.0)) > 1


def _orders_of(cells: Sequence[str], least: float) -> list[str]:
    """The orders in which most cells are dates, the likeliest first; none if too few are."""
    few, cells = (cells[:: max(1, len(cells) // most)] for most in (_SHOWN, _MOST_SHOWN))
    if not cells or max(_n_dates(_read(few)).values()) < least / 2 * len(few):
        return []
    read = _read(cells)
    n_dates = _n_dates(read)
    most = max(n_dates.values())
    if most < least * len(cells):
        return []
    if n_dates["ymd"] == most:
        return ["ymd"]
    # 3/4/11 may be either: in doubt as in America with /
    likely = ("mdy", "dmy") if "/" in cells[int(read.has_year_last.argmax())] else ("dmy", "mdy")
    return [order for order in likely if n_dates[order] == most]


def words_among_dates(column: NDArray, order: str) -> tuple[int, str]:
    """How many cells of a column of text are words, not dates, and the first of them.

    Examples
    --------
    >>> words_among_dates(np.array(["2011-01-31", "", "unknown"], object), "ymd")
    (1, 'unknown')
    """
    different, codes = coded(column)
    is_word = np.isnan(_seconds_in(_read(different), order)) & np.array(
        [cell != "" for cell in different], bool
    )
    return int(is_word[codes].sum()), str(different[int(is_word.argmax())]) if is_word.any() else ""


def date_parts_of(cells: Sequence[object] | NDArray, order: str) -> dict[str, NDArray]:
    """The numbers in dates, by the names of `DATE_PARTS`: float64, NaN where missing or no date.

    Examples
    --------
    >>> date_parts_of(["31.1.2011", "2011-01-31", "unknown"], "dmy")["days"].tolist()
    [15005.0, 15005.0, nan]
    >>> date_parts_of(["2011-01-31", "31.1.2011", "31/1/2011"], "ymd")["days"].tolist()
    [15005.0, 15005.0, nan]
    """
    different, codes = coded(cells)
    parts = _parts_of(_seconds_in(_read([str(cell) for cell in different]), order))
    return {name: values[codes] for name, values in parts.items()}


def _parts_of(seconds: NDArray) -> dict[str, NDArray]:
    days = np.floor(seconds / 86400)
    known = np.where(np.isnan(days), 0, days).astype("datetime64[D]")
    months = known.astype("datetime64[M]")
    parts = {
        "days": seconds / 86400,
        "month": months.astype(int) % 12 + 1,
        "day of month": (known - months).astype(int) + 1,
        "weekday": (known.astype(int) + 3) % 7,  # the first day of 1970 was a Thursday; Monday is 0
        "hour": (seconds - days * 86400) / 3600,
    }
    return {name: np.where(np.isnan(days), np.nan, values) for name, values in parts.items()}


class _Read(NamedTuple):
    """The numbers in cells as they stand, all at once: what they mean depends on the order."""

    numbers: NDArray  # (3, n_cells): of day, month and year
    has_year_first: NDArray
    has_year_last: NDArray
    has_dots: NDArray  # between day, month and a year of four digits
    clock: NDArray  # seconds of the day, NaN if there is no such time


def _read(cells: Sequence[str]) -> _Read:
    """Some cells at a time: Python tidies up after itself again and again where very many pieces are kept."""
    blocks = [
        _read_block(cells[start : start + _AT_ONCE]) for start in range(0, max(1, len(cells)), _AT_ONCE)
    ]
    return _Read(*(np.concatenate(each, axis=-1) for each in zip(*blocks, strict=True)))


def _read_block(cells: Sequence[str]) -> _Read:
    found = [_DATE.fullmatch(cell) or _DATE.fullmatch(_plainly(cell)) for cell in cells]
    texts = list(zip(*(each.groups("0") if each else _NO_DATE for each in (*found, None)), strict=True))
    first, second, third, hour, minute, sec = (np.array([*map(int, each)])[:-1] for each in texts[:6])
    n_first, n_last = (np.array([*map(len, texts[place])])[:-1] for place in (0, 2))
    is_date = np.array([each is not None for each in found], bool)
    century = np.where(third >= _CENTURY, 1900, 2000) * ((n_first <= 2) & (n_last == 2))
    return _Read(
        np.array([first, second, third + century]),
        is_date & (n_first == 4) & (n_last <= 2),
        is_date & (n_first <= 2) & np.isin(n_last, (2, 4)),
        np.array([_DOTTED.match(cell) is not None for cell in cells], bool),
        _clock(hour, minute, sec, np.array(texts[6], "U1")[:-1]),
    )


def _plainly(cell: str) -> str:
    """A month, a time of day (on the first day of 1970) or a date without marks or with a month's name, as
    other dates are written; all else stays."""
    if _MONTH.fullmatch(cell):
        return f"{cell}-01"
    if _HOUR.fullmatch(cell):
        return f"1970-01-01 {cell}"
    if found := _TIGHT.fullmatch(cell):
        return "{}-{}-{} {}:{}:{}{}".format(*found.groups())
    if found := _DAY_FIRST.fullmatch(cell):
        day, name, year, rest = found.groups()
    elif found := _MONTH_FIRST.fullmatch(cell):
        name, day, year, rest = found.groups()
    else:
        return cell
    month = name[:3].lower()
    return f"{year}-{_MONTHS.index(month) + 1}-{day}{rest}" if month in _MONTHS else cell


def _clock(hour: NDArray, minute: NDArray, second: NDArray, half: NDArray) -> NDArray:
    """Seconds of the day; a time zone was passed over."""
    is_halved = half != "0"
    is_time = np.where(is_halved, (hour >= 1) & (hour <= 12), hour <= 23) & (minute <= 59) & (second <= 59)
    hour = np.where(is_halved, hour % 12 + 12 * np.isin(half, ("p", "P")), hour)
    return np.where(is_time, hour * 3600.0 + minute * 60 + second, np.nan)


def _n_dates(read: _Read) -> dict[str, int]:
    """How many cells are dates, by the order."""
    return {order: int(np.isfinite(_seconds_of(read, order)).sum()) for order in DATE_ORDERS}


def _seconds_in(read: _Read, order: str) -> NDArray:
    """As `_seconds_of`, once it is known that the year stands first: one with dots has it last for sure."""
    seconds = _seconds_of(read, order)
    if order != "ymd" or not read.has_dots.any():
        return seconds
    return np.where(read.has_dots, _seconds_of(read, "dmy"), seconds)


def _seconds_of(read: _Read, order: str) -> NDArray:
    """Seconds since 1970, NaN where a cell is no date. A year of four digits that stands first is one in any
    order."""
    by_order = [read.numbers[order.index(part)] for part in "ymd"]
    year, month, day = np.where(read.has_year_first, read.numbers, by_order)
    has_year = read.has_year_first | (read.has_year_last & (order != "ymd"))
    is_month = has_year & (month >= 1) & (month <= 12)
    first = np.where(is_month, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    n_days = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int)
    is_date = is_month & (day >= 1) & (day <= n_days)
    days = first.astype("datetime64[D]").astype(np.int64) + day - 1
    return np.where(is_date, days * 86400.0 + read.clock, np.nan)
