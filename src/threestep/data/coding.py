"""Cells by the few different ones among them: a million words are looked at one by one only once."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray


def coded(cells: Sequence[Any] | NDArray) -> tuple[list[Any], NDArray]:
    """The different cells in order of appearance, and of each cell which of them it is, int64.

    Examples
    --------
    >>> different, codes = coded(["red", "blue", "red"])
    >>> different, codes.tolist()
    (['red', 'blue'], [0, 1, 0])
    """
    place_of: defaultdict[Any, int] = defaultdict(count().__next__)
    items = cells.tolist() if isinstance(cells, np.ndarray) else cells
    codes = np.fromiter(map(place_of.__getitem__, items), np.int64, len(items))
    return list(place_of), codes


def mapped(function: Callable[[Any], Any], cells: Sequence[Any] | NDArray, kind: type) -> NDArray:
    """A function's value of each cell, called once for each different cell."""
    different, codes = coded(cells)
    values = np.empty(len(different), kind)
    values[:] = [function(cell) for cell in different]
    return values[codes]


def different_words(column: NDArray) -> list[str]:
    """The different known words of a column, in order of appearance."""
    return list(dict.fromkeys(str(cell) for cell in coded(column)[0] if cell != ""))


def places_in(levels: tuple[str, ...], column: NDArray) -> NDArray:
    """Of each cell its place among the levels, int32; -1 if it is none of them.

    Examples
    --------
    >>> places_in(("blue", "red"), np.array(["red", "", "blue"], object))
    array([ 1, -1,  0], dtype=int32)
    """
    place_of = _place_of(levels)
    return mapped(lambda cell: place_of.get(str(cell), -1), column, np.int32)


@lru_cache(maxsize=64)
def _place_of(levels: tuple[str, ...]) -> dict[str, int]:
    """Of each level its place, and of a whole number also as 1.0, where that is no level of its own. Kept: to
    number thousands takes longer than an answer for one sample."""
    as_floats = {f"{level}.0": place for place, level in enumerate(levels) if level.isdecimal()}
    return as_floats | {level: place for place, level in enumerate(levels)}
