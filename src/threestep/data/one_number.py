"""One number as people write it: taken apart, and as Python writes it."""

import re
from typing import NamedTuple

_SPACES = " \u00a0\u202f\u2009"  # also the hard and the narrow ones that typesetters put between thousands
_BETWEEN = f"['’{_SPACES}]"
_CURRENCIES = "[$€£¥₹₽₩₺₪₫₴]|[A-Z]{1,3}[$]|USD|EUR|GBP|JPY|CHF|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|BRL|TWD|HKD"
_UNIT = r"[%‰]|[^\W\d_]+[²³23]?(?:/[^\W\d_]+[²³23]?)?|°[A-Z]?"
_MINUS = "−–-"  # the last one last: nothing between
_NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>[+{_MINUS}])?(?P<before>{_CURRENCIES})?[{_SPACES}]?(?P<own>[+{_MINUS}])?"
    rf"(?P<digits>(?:\d|[.,](?=\d))(?:[\d.,]|{_BETWEEN}(?=\d\d\d))*)(?P<exponent>[eE][+-]?\d+)?"
    rf"[{_SPACES}]?(?P<after>{_CURRENCIES}|{_UNIT})?(?P<late>[{_MINUS}])?(?P<close>\))?"
)
WITH_POINT = re.compile(rf"\d*(\.\d*)?|[1-9]\d{{0,2}}((,\d{{3}})+|({_BETWEEN}\d{{3}})+)(\.\d*)?")
WITH_COMMA = re.compile(rf"\d*(,\d*)?|[1-9]\d{{0,2}}((\.\d{{3}})+|({_BETWEEN}\d{{3}})+)(,\d*)?")
IS_MONEY = re.compile(_CURRENCIES).fullmatch
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_LONGEST_UNIT = 30
TIMES = {"K": 3, "k": 3, "M": 6}  # zeros


class Written(NamedTuple):
    """One cell taken apart: `digits` with their marks, and what stands around them."""

    sign: str
    digits: str
    exponent: str
    around: str
    is_odd_minus: bool


def is_odd(cell: str) -> bool:
    """Whether it may be a number that Python does not read."""
    return any(mark.isdigit() for mark in cell) and _PLAIN.fullmatch(cell) is None


def taken_apart(cell: str) -> Written | None:
    """A cell's parts; None if it is no number."""
    found = _NUMBER.fullmatch(cell)
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    signs = [found[name] for name in ("sign", "own", "late") if found[name]]
    if len(signs) + bool(found["open"]) > 1 or (found["before"] and found["after"]):
        return None
    is_minus = bool(found["open"]) or (bool(signs) and signs[0] != "+")
    around = found["before"] or found["after"] or ""
    if len(around) > _LONGEST_UNIT or any(mark.isnumeric() and mark not in "²³23" for mark in around):
        return None  # 1½
    is_name = around.isalpha() and not IS_MONEY(around) and found["digits"][-1] in ".,"
    if is_name and found.end("digits") == found.start("after"):
        return None  # 7.png
    is_odd_minus = bool(found["open"] or found["late"])
    return Written("-" if is_minus else "", found["digits"], found["exponent"] or "", around, is_odd_minus)


def plainly(part: Written, is_comma: bool) -> str:
    """A number as Python reads it."""
    decimal, other = (",", ".") if is_comma else (".", ",")
    digits = re.sub(_BETWEEN, "", part.digits).replace(other, "").replace(decimal, ".")
    zeros = TIMES.get(part.around, 0)
    return f"{part.sign}{digits}{part.exponent or (f'e{zeros}' if zeros else '')}"
