"""Columns of dates, and the numbers a network can learn from in them."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import coded

DATE_ORDERS = ("ymd", "dmy", "mdy")
"""In which order year, month and day stand."""

DATE_PARTS = ("days", "month", "day of month", "weekday", "hour")
"""What a date becomes: days since 1970, and where in the year, month, week and day it is."""

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?"
_AT = rf"(?:(?:T|,? ){_CLOCK}\S*)?"
_ISO = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_AT}")
_OTHER = re.compile(rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}|\d{{2}}){_AT}")
_MONTH = re.compile(r"((?:1[89]|2[01])\d\d)-(0[1-9]|1[0-2])")
_HOUR = re.compile(_CLOCK)
_DAY_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?(\d{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})(.*)")
_MONTH_FIRST = re.compile(r"(?:[A-Za-z]{3,9},? )?([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(.*)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SHOWN = 1000  # cells that are looked at to see whether a column is one of dates
_CENTURY = 70  # two digits of a year: from here on they are of 19..


def date_order_of(cells: Sequence[str]) -> str | None:
    """In which order the dates of a column are written; None if it is not one of dates.

    Parameters
    ----------
    cells : sequence of str
        Known ones.

    Examples
    --------
    >>> date_order_of(["2011-01-31"]), date_order_of(["3/4/11", "31/1/11"]), date_order_of(["red"])
    ('ymd', 'dmy', None)
    """
    orders = _orders_of(cells)
    return orders[0] if orders else None


def may_be_either(cells: Sequence[str]) -> bool:
    """Whether nothing in a column of dates tells days from months.

    Examples
    --------
    >>> may_be_either(["3/4/11", "5/6/11"]), may_be_either(["3/4/11", "31/1/11"])
    (True, False)
    """
    return len(_orders_of(cells)) > 1


def _orders_of(cells: Sequence[str]) -> list[str]:
    """The orders in which all cells are dates, the likeliest first; none if they are not."""
    every, cells = cells, cells[:: max(1, len(cells) // _SHOWN)]
    if not cells:
        return []
    if _are_dates(cells, "ymd"):
        return ["ymd"]
    if not all(_OTHER.fullmatch(cell) for cell in cells):
        return []
    # 3/4/11 may be either: in doubt as in America with /
    orders = ("mdy", "dmy") if "/" in cells[0] else ("dmy", "mdy")
    unique = list(dict.fromkeys(every)) if all(map(_OTHER.fullmatch, every)) else cells
    return [order for order in orders if _are_dates(unique, order)]


def _are_dates(cells: Sequence[str], order: str) -> bool:
    return not np.isnan(_seconds_of(cells, order)).any()


def date_parts_of(cells: Sequence[object] | NDArray, order: str) -> dict[str, NDArray]:
    """The numbers in dates, by the names of `DATE_PARTS`: float64, NaN where missing or no date."""
    different, codes = coded(cells)
    parts = _parts_of([str(cell) for cell in different], order)
    return {name: values[codes] for name, values in parts.items()}


def _parts_of(cells: Sequence[str], order: str) -> dict[str, NDArray]:
    seconds = _seconds_of(cells, order)
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


def _seconds_of(cells: Sequence[str], order: str) -> NDArray:
    """Seconds since 1970, NaN where a cell is no date."""
    if order == "ymd":
        return np.array([_second_of(_ISO.fullmatch(_iso_of(cell)), order) for cell in cells], np.float64)
    return np.array([_second_of(_OTHER.fullmatch(cell), order) for cell in cells], np.float64)


def _iso_of(cell: str) -> str:
    """A month, a time of day (on the first day of 1970) or a date with a month's name, as other dates are
    written; all else stays."""
    if _MONTH.fullmatch(cell):
        return f"{cell}-01"
    if _HOUR.fullmatch(cell):
        return f"1970-01-01 {cell}"
    if found := _DAY_FIRST.fullmatch(cell):
        day, name, year, rest = found.groups()
    elif found := _MONTH_FIRST.fullmatch(cell):
        name, day, year, rest = found.groups()
    else:
        return cell
    month = name[:3].lower()
    return f"{year}-{_MONTHS.index(month) + 1}-{day}{rest}" if month in _MONTHS else cell


def _second_of(found: re.Match | None, order: str) -> float:
    """One date; a time zone is passed over."""
    if found is None:
        return np.nan
    by_name = dict(zip(order, found.groups()[:3], strict=True))
    year, month, day = (int(by_name[name]) for name in "ymd")
    if len(by_name["y"]) == 2:
        year += 1900 if year >= _CENTURY else 2000
    hour, minute, second = (int(part or 0) for part in found.groups()[3:6])
    if half := found.groups()[6]:  # of the day
        hour = hour % 12 + 12 * (half in "Pp") if 1 <= hour <= 12 else 24
    if hour > 23 or minute > 59 or second > 59:
        return np.nan
    try:
        date = np.datetime64(f"{year:04}-{month:02}-{day:02}", "s")
    except ValueError:
        return np.nan
    return float(date.astype(np.int64)) + hour * 3600 + minute * 60 + second
