"""Levels of categories: which of them have an input of their own, and what it is worth."""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import coded

MANY_LEVELS = 100
"""Of a category: so many have an input each, whatever there is."""

MOST_VALUES = 1 << 28
"""Of all samples together there are about so many inputs of one kind, of float32: 1 GiB."""

_MOST_LEVELS_IN_ALL = 2048  # of the columns with many
_MOST_WITH_MEANS = 1 << 16
_LONGEST_LEVEL = 1000  # letters
_MOST_LETTERS = 1 << 20

Levels = tuple[tuple[str, tuple[str, ...]], ...]
"""Columns with their levels, in sorted order."""


def levels_of(columns: Mapping[str, NDArray], n_samples: int) -> tuple[Levels, Levels]:
    """The levels that have an input; and of the columns where these are not all, those that are known.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (n_samples,), object
        Words; "" = missing.
    n_samples : int
    """
    counts = {name: _counted(column) for name, column in columns.items()}
    n_many = sum(len(own) > MANY_LEVELS for own in counts.values())
    room = min(_MOST_LEVELS_IN_ALL, MOST_VALUES // n_samples)  # columns with many share it
    most = max(MANY_LEVELS, room // max(1, n_many))
    words = tuple((name, _levels(own, most, len(counts))) for name, own in counts.items())
    rare = [name for name, levels in words if len(counts[name]) > len(levels)]
    return words, tuple((name, _levels(counts[name], _MOST_WITH_MEANS, len(counts))) for name in rare)


def scale_of_levels(n_levels: int) -> float:
    """What the inputs of a category are divided by.

    Of many levels each is seen seldom: what few samples say of one is learned more slowly if its input is
    less than 1, which costs little where it is true and helps where it is chance.
    """
    return math.sqrt(max(1.0, n_levels / MANY_LEVELS))


def _counted(column: NDArray) -> Counter[str]:
    """How often each level of a category occurs."""
    different, codes = coded(column)
    counts = Counter[str]()
    for cell, n_cells in zip(different, np.bincount(codes).tolist(), strict=True):
        counts[str(cell)] += n_cells
    del counts[""]
    return counts


def _levels(counts: Counter[str], most: int, n_columns: int) -> tuple[str, ...]:
    """The levels of a category in sorted order; of more than may be the most frequent. Those beyond a hundred
    must be short, and all columns' together no book: they stand in the model file."""
    frequent = [level for level, _ in counts.most_common(most)]
    levels, further = frequent[:MANY_LEVELS], frequent[MANY_LEVELS:]
    if max(map(len, levels), default=0) <= _LONGEST_LEVEL:
        short = [level for level in further if len(level) <= _LONGEST_LEVEL]
        n_letters = np.cumsum([len(level) for level in short])
        levels += short[: int(np.searchsorted(n_letters, _MOST_LETTERS // n_columns, side="right"))]
    return tuple(sorted(levels))
