"""Numbers as people write them, to numbers as Python reads them: decimal commas, marks between thousands,
currencies, per cent and units, minus signs of bookkeeping."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from threestep.data.coding import coded

MISSING = frozenset({"", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None"})
"""Cells that mean "not known"."""

NONE_KNOWN: Mapping[str, str] = MappingProxyType({})
"""Of no column is it known what it is."""

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
_WITH_POINT = re.compile(rf"\d*\.?\d*|[1-9]\d{{0,2}}((,\d{{3}})+|({_BETWEEN}\d{{3}})+)(\.\d*)?")
_WITH_COMMA = re.compile(rf"\d*,?\d*|[1-9]\d{{0,2}}((\.\d{{3}})+|({_BETWEEN}\d{{3}})+)(,\d*)?")
_IS_MONEY = re.compile(_CURRENCIES).fullmatch
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MARKS = {"points": ".", "commas": ","}
_MOSTLY = 0.8  # of the different known cells: then a column is one of numbers, and a few words
_SOME = 1000
_FEW, _OFTEN = 10, 5  # different cells, and how often each comes
_MOST_NAMED = 5


class Written(NamedTuple):
    """One cell taken apart: `digits` with their marks, and what stands around them."""

    sign: str
    digits: str
    exponent: str
    around: str


class Seen(NamedTuple):
    """A column's different cells and what each is; and whether all can be read only with a decimal comma, or
    only with a decimal point."""

    words: list[str]
    parts: list[Written | None]
    comma: bool
    point: bool


def as_python_writes(
    columns: Mapping[str, Sequence[str]], with_commas: bool = False, known: Mapping[str, str] = NONE_KNOWN
) -> tuple[dict[str, Sequence[str]], tuple[str, ...]]:
    """The columns of a file, numbers written so that Python can read them; and notes on what was done.

    Words, and columns of whose numbers no sense can be made, stay as they are. What "1,234" is in a column
    that does not tell is told by the file's other columns, then by whole numbers beside it, then by what is
    the custom.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Cells, stripped.
    with_commas : bool
        Whether decimal commas are the custom in such a file.
    known : mapping of str to str
        What columns are, of those of which it is known: "number", or something else, then they stay.

    Examples
    --------
    >>> cells, notes = as_python_writes({"price": ["$1,250.50", "($3)"], "share": ["12,5 %", "7 %"]})
    >>> cells
    {'price': ['1250.50', '-3'], 'share': ['12.5', '7']}
    >>> notes[1]
    "commas in column 'share' are taken for decimal points"
    """
    open_ones = {name: cells for name, cells in columns.items() if known.get(name, "number") == "number"}
    odd = {name: cells for name, cells in open_ones.items() if any(map(_is_odd, set(cells)))}
    seen = _all_seen(odd, known)
    if not seen:
        return dict(columns), ()
    others = _all_seen({name: cells for name, cells in open_ones.items() if name not in odd}, known)
    custom = _custom_of([*seen.values(), *others.values()])
    if custom:  # then 4.733 may be 4,733
        seen |= {name: each for name, each in others.items() if not each.point}
    written, done = dict(columns), list[tuple[str, str]]()
    for name, each in seen.items():
        is_comma = _has_decimal_comma(each, custom, with_commas)
        new = [
            word if part is None else _plainly(part, is_comma)
            for word, part in zip(each.words, each.parts, strict=True)
        ]
        place = dict(zip(each.words, new, strict=True))
        written[name] = [place.get(cell, cell) for cell in columns[name]]
        done += [(what, name) for what in _done(each, is_comma)]
    return written, tuple(_note(what, [name for own, name in done if own == what]) for what in dict(done))


def may_have_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether commas of a column that is written with them need not be between thousands.

    Examples
    --------
    >>> may_have_decimal_commas(["1,5", "2"]), may_have_decimal_commas(["1,500.5", "2"])
    (True, False)
    """
    seen = _seen_in(list(cells))
    return seen is not None and not seen.point and any("," in part.digits for part in seen.parts if part)


def _is_odd(cell: str) -> bool:
    """Whether it may be a number that Python does not read."""
    return any(mark.isdigit() for mark in cell) and _PLAIN.fullmatch(cell) is None


def _all_seen(columns: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> dict[str, Seen]:
    """Of the columns those that are written numbers, taken apart."""
    found = {name: _seen_in(cells, 0.0 if name in known else _MOSTLY) for name, cells in columns.items()}
    return {name: each for name, each in found.items() if each is not None}


def _seen_in(cells: Sequence[str], least: float = _MOSTLY) -> Seen | None:
    """A column taken apart; None where less than a share of its cells are numbers, or not all of one kind."""
    words = [word for word in coded(cells)[0] if word not in MISSING]
    # of a million ids some are enough, even if there happen to be fewer numbers among them than among all
    some = words[:: max(1, len(words) // _SOME)]
    if sum(_taken_apart(word) is not None for word in some) < least * least * len(some):
        return None
    parts = [_taken_apart(word) for word in words]
    around = {part.around for part in parts if part is not None} - {""}
    digits = [part.digits for part in parts if part is not None]
    if not digits or len(digits) < least * len(words) or len(around) > 1:
        return None
    # "3 stars" and "4 stars", again and again, are names
    are_few = len(words) <= _FEW and len(cells) >= _OFTEN * len(words)
    if least > 0 and are_few and any(mark[0].isalpha() and not _IS_MONEY(mark) for mark in around):
        return None
    with_point = all(map(_WITH_POINT.fullmatch, digits))
    with_comma = all(map(_WITH_COMMA.fullmatch, digits))
    if not (with_point or with_comma):
        return None
    return Seen(words, parts, with_comma and not with_point, with_point and not with_comma)


def _taken_apart(cell: str) -> Written | None:
    """A cell's parts; None if it is no number."""
    found = _NUMBER.fullmatch(cell)
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    signs = [found[name] for name in ("sign", "own", "late") if found[name]]
    if len(signs) + bool(found["open"]) > 1 or (found["before"] and found["after"]):
        return None
    is_minus = bool(found["open"]) or (bool(signs) and signs[0] != "+")
    around = found["before"] or found["after"] or ""
    return Written("-" if is_minus else "", found["digits"], found["exponent"] or "", around)


def _custom_of(seen: Sequence[Seen]) -> bool | None:
    """Whether a file has decimal commas: what its columns show that can be read in one way only. None where
    they show nothing, or both."""
    comma, point = any(each.comma for each in seen), any(each.point for each in seen)
    return None if comma == point else comma


def _has_decimal_comma(seen: Seen, custom: bool | None, usual: bool) -> bool:
    """Whether a comma in this column is a decimal one, and a point between thousands."""
    if seen.comma or seen.point:
        return seen.comma
    if custom is not None:
        return custom
    digits = [part.digits for part in seen.parts if part is not None]
    # 1,234 beside 987: who writes three places always writes them of whole numbers, too
    is_whole = any(each.isdigit() for each in digits)
    return usual and any("," in each for each in digits) and not is_whole


def _plainly(part: Written, is_comma: bool) -> str:
    """A number as Python reads it."""
    decimal, other = (",", ".") if is_comma else (".", ",")
    digits = re.sub(_BETWEEN, "", part.digits).replace(other, "").replace(decimal, ".")
    return f"{part.sign}{digits}{part.exponent}"


def _done(seen: Seen, is_comma: bool) -> list[str]:
    """What was done to a column's numbers that its reader should know."""
    parts = [part for part in seen.parts if part is not None]
    around = {part.around for part in parts} - {""}
    digits = [part.digits for part in parts]
    done = []
    if is_comma and any("," in each for each in digits):
        done.append("commas in column {} are taken for decimal points")
    between = "points" if is_comma else "commas"
    if not (seen.comma or seen.point) and any(_MARKS[between] in each for each in digits):
        done.append(f"{between} in column {{}} are taken for marks between thousands")
    return done + [f"{mark!r} beside the numbers of column {{}} is left out" for mark in around]


def _note(what: str, names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST_NAMED])) + (", …" if len(names) > _MOST_NAMED else "")
    return what.format(shown)
