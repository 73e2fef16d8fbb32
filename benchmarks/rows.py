"""What a benchmark prints: rows for machines on stdout, notes for people on stderr."""

import json
import sys
from typing import NamedTuple


class Row(NamedTuple):
    """One comparison, in the order it is printed.

    `ratio` is above 1 where ours is better.
    """

    case: str
    peer: str
    ours: float
    theirs: float
    unit: str
    ratio: float


def lower_is_better(case: str, peer: str, ours: float, theirs: float, unit: str) -> Row:
    """A row of times or sizes."""
    return _row(case, peer, ours, theirs, unit, theirs / ours)


def higher_is_better(case: str, peer: str, ours: float, theirs: float, unit: str) -> Row:
    """A row of rates or scores."""
    return _row(case, peer, ours, theirs, unit, ours / theirs)


def show(row: Row) -> None:
    """Print one row as a JSON object on a line of its own."""
    print(json.dumps(row._asdict()), flush=True)


def note(text: str) -> None:
    """Tell the person who watches."""
    print(text, file=sys.stderr, flush=True)


def _row(case: str, peer: str, ours: float, theirs: float, unit: str, ratio: float) -> Row:
    """A row in four significant digits: more would be noise."""
    return Row(case, peer, _short(ours), _short(theirs), unit, _short(ratio))


def _short(value: float) -> float:
    """The number in four significant digits."""
    return float(f"{value:.4g}")
