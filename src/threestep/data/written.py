"""Numbers as people write them, to numbers as Python reads them: decimal commas, marks between thousands,
currencies, per cent and units, minus signs of bookkeeping."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from threestep.data.coding import coded
from threestep.data.one_number import (
    IS_MONEY,
    TIMES,
    WITH_COMMA,
    WITH_POINT,
    Written,
    is_odd,
    plainly,
    taken_apart,
)

MISSING = frozenset({"", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None"})
"""Cells that mean "not known"."""

NONE_KNOWN: Mapping[str, str] = MappingProxyType({})
"""Of no column is it known what it is."""

_MARKS = {"points": ".", "commas": ","}
_MOSTLY = 0.8  # of the different known cells: then a column is one of numbers, and a few words
_NEARLY_ALL = 0.98  # of its numbers: the others are mistakes
_HALF = 0.5  # of a column that is known to be one of numbers
_SOME = 1000
_FEW, _OFTEN = 10, 5  # different cells, and how often each comes
_MOST_NAMED = 5


class Form(NamedTuple):
    """How the numbers of a column are written; a model keeps it, so that new ones are read alike.

    Parameters
    ----------
    decimal : {".", ","}
        What stands before the decimal places.
    unit : str
        What stands beside a number, such as "$", "%" or "kg"; "" if nothing does.
    """

    decimal: str = "."
    unit: str = ""


PLAIN = Form()
"""As Python writes them."""

NONE_WRITTEN: Mapping[str, Form] = MappingProxyType({})
"""Of no column is it known how its numbers are written."""


class Seen(NamedTuple):
    """A column's different cells and what each is, None if no number; what is beside them; and whether all
    can be read only with a decimal comma, or only with a decimal point."""

    words: list[str]
    parts: list[Written | None]
    unit: str
    comma: bool
    point: bool


class Read(NamedTuple):
    """The columns of a file as Python writes them.

    Parameters
    ----------
    columns : dict of str to sequence of str
    notes : tuple of str
        What was done.
    forms : dict of str to Form
        How the numbers of those were written that were not written so.
    """

    columns: dict[str, Sequence[str]]
    notes: tuple[str, ...]
    forms: dict[str, Form]


def as_python_writes(
    columns: Mapping[str, Sequence[str]],
    delimiter: str = ",",
    known: Mapping[str, str] = NONE_KNOWN,
    forms: Mapping[str, Form] = NONE_WRITTEN,
) -> Read:
    """The columns of a file, numbers written so that Python can read them.

    Words, and columns of whose numbers no sense can be made, stay as they are. What "1,234" is in a column
    that does not tell is told by a model that knows it, else by the file's other columns, else by whole
    numbers beside it, else by what is the custom.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Cells, stripped.
    delimiter : str
        Of the file: between semicolons decimal commas are the custom.
    known : mapping of str to str
        What columns are, of those of which it is known: "number", or something else, then they stay.
    forms : mapping of str to Form
        How numbers of columns were written where a model learned from them.

    Examples
    --------
    >>> read = as_python_writes({"price": ["$1,250.50", "($3)"], "share": ["12,5 %", "7 %"]})
    >>> read.columns
    {'price': ['1250.50', '-3'], 'share': ['12.5', '7']}
    >>> read.notes[2]
    "commas in column 'share' are taken for decimal points"
    >>> read.forms["share"]
    Form(decimal=',', unit='%')
    """
    open_ones = {name: cells for name, cells in columns.items() if known.get(name, "number") == "number"}
    odd = {
        name: cells
        for name, cells in open_ones.items()
        if forms.get(name, PLAIN).decimal == "," or any(map(is_odd, set(cells)))
    }
    seen = _all_seen(odd, known, forms)
    if not seen:
        return Read(dict(columns), (), {})
    others = _all_seen({name: cells for name, cells in open_ones.items() if name not in odd}, known, forms)
    custom = _custom_of([*seen.values(), *others.values()])
    if custom and delimiter != ",":  # then 4.733 may be 4,733, unless a model knows better
        seen |= {name: each for name, each in others.items() if not each.point and name not in forms}
    written, found, done = dict(columns), dict[str, Form](), list[tuple[str, str]]()
    for name, each in seen.items():
        is_comma = _has_decimal_comma(each, forms.get(name), custom, delimiter == ";")
        new = [
            word if part is None else plainly(part, is_comma)
            for word, part in zip(each.words, each.parts, strict=True)
        ]
        place = dict(zip(each.words, new, strict=True))
        written[name] = [place.get(cell, cell) for cell in columns[name]]
        found[name] = Form("," if is_comma else ".", each.unit)
        done += [(what, name) for what in _done(each, is_comma)]
    notes = tuple(_note(what, [name for own, name in done if own == what]) for what in dict(done))
    return Read(written, notes, {name: form for name, form in found.items() if form != PLAIN})


def may_have_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether commas are decimal ones, or points are between thousands, as far as a column can tell.

    Examples
    --------
    >>> may_have_decimal_commas(["1,5", "2"]), may_have_decimal_commas(["1,500.5", "2"])
    (True, False)
    """
    seen = _seen_in(list(cells))
    if seen is None or seen.point:
        return False
    return seen.comma or any("," in part.digits for part in seen.parts if part is not None)


def _all_seen(
    columns: Mapping[str, Sequence[str]], known: Mapping[str, str], forms: Mapping[str, Form]
) -> dict[str, Seen]:
    """Of the columns those that are written numbers, taken apart."""
    found = {
        name: _seen_in(cells, 0.0 if name in known else _MOSTLY, forms.get(name))
        for name, cells in columns.items()
    }
    return {name: each for name, each in found.items() if each is not None}


def _seen_in(cells: Sequence[str], least: float = _MOSTLY, form: Form | None = None) -> Seen | None:
    """A column taken apart; None where less than a share of its cells are numbers, or not of one kind.

    Parameters
    ----------
    cells : sequence of str
    least : float
        The share; 0 of a column that is known to be one of numbers.
    form : Form or None
        How they were written where a model learned from them.
    """
    words = [word for word in coded(cells)[0] if word not in MISSING]
    # of a million ids some are enough, even if there happen to be fewer numbers among them than among all
    some = words if len(words) <= _SOME else Random(0).sample(words, _SOME)
    if sum(taken_apart(word) is not None for word in some) < least * least * len(some):
        return None
    parts = [taken_apart(word) for word in words]
    around = [part.around for part in parts if part is not None]
    beside = _unit_of(around, least) if form is None else form.unit
    if beside is None:
        return None
    parts = [part if part is not None and _is_beside(part.around, beside) else None for part in parts]
    # "3 stars" and "4 stars", again and again, are names
    are_few = len(words) <= _FEW and len(cells) >= _OFTEN * len(words)
    if least > 0 and are_few and any(mark[:1].isalpha() and not IS_MONEY(mark) for mark in around):
        return None
    n_point, n_comma = (_n_fitting(parts, pattern) for pattern in (WITH_POINT, WITH_COMMA))
    n_numbers = sum(part is not None for part in parts)
    if n_numbers < max(1, least * len(words)):
        return None
    if max(n_point, n_comma) < (_NEARLY_ALL if least else _HALF) * n_numbers:
        return None
    fits = (WITH_COMMA if n_comma > n_point else WITH_POINT).fullmatch
    parts = [part if part is not None and fits(part.digits) else None for part in parts]
    return Seen(words, parts, beside, n_comma > n_point, n_point > n_comma)


def _n_fitting(parts: Sequence[Written | None], pattern: re.Pattern[str]) -> int:
    """How many numbers can be read with that decimal mark."""
    return sum(part is not None and pattern.fullmatch(part.digits) is not None for part in parts)


def _unit_of(around: Sequence[str], least: float) -> str | None:
    """What stands beside most numbers of a column; "" if nothing does, None if it is not one thing."""
    counts = Counter(around)
    del counts[""]
    if set(counts) <= set(TIMES):
        return ""  # 1.2K is 1200, also where no 987 is beside it
    unit, n_most = counts.most_common(1)[0]
    is_word = unit[0].isalpha() and not IS_MONEY(unit)
    is_rare = is_word and n_most < _MOSTLY * len(around)  # "1 h" beside 30: who knows
    if least and (is_rare or n_most < _MOSTLY * sum(counts.values())):
        return None
    return unit


def _is_beside(around: str, unit: str) -> bool:
    """Whether a number with this beside it is one of a column that has that unit."""
    return around in ("", unit) or (around in TIMES and not unit)


def _custom_of(seen: Sequence[Seen]) -> bool | None:
    """Whether a file has decimal commas: what its columns show that can be read in one way only. None where
    they show nothing, or both."""
    comma, point = any(each.comma for each in seen), any(each.point for each in seen)
    return None if comma == point else comma


def _has_decimal_comma(seen: Seen, form: Form | None, custom: bool | None, usual: bool) -> bool:
    """Whether a comma in this column is a decimal one, and a point between thousands."""
    if seen.comma or seen.point:
        return seen.comma
    if form is not None:
        return form.decimal == ","
    if custom is not None:
        return custom
    digits = [part.digits for part in seen.parts if part is not None]
    # 1,234 beside 987: who writes three places always writes them of whole numbers, too
    is_whole = any(each.isdigit() for each in digits)
    return usual and any("," in each for each in digits) and not is_whole


def _done(seen: Seen, is_comma: bool) -> list[str]:
    """What was done to a column's numbers that its reader should know."""
    parts = [part for part in seen.parts if part is not None]
    digits = [part.digits for part in parts]
    done = []
    if is_comma and any("," in each for each in digits):
        done.append("commas in column {} are taken for decimal points")
    between = "points" if is_comma else "commas"
    if not (seen.comma or seen.point) and any(_MARKS[between] in each for each in digits):
        done.append(f"{between} in column {{}} are taken for marks between thousands")
    if any(part.is_odd_minus for part in parts):
        done.append("numbers in column {} with brackets, or a minus behind them, are taken for negative ones")
    if any(part.around in TIMES for part in parts) and not seen.unit:
        done.append("K and M beside the numbers of column {} are taken for thousands and millions")
    return done + ([f"{seen.unit!r} beside the numbers of column {{}} is left out"] if seen.unit else [])


def _note(what: str, names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST_NAMED])) + (", …" if len(names) > _MOST_NAMED else "")
    return what.format(shown)
