"""Columns that give the target away: each by itself, wholly or nearly, or numbers that add up to it."""

import numpy as np
from numpy.typing import NDArray

from threestep.data.copies import without_copies
from threestep.data.determining import determining, determining_where_known
from threestep.data.goals import ROUNDING, Columns, Found, Goal, goal_of, is_known, numbers_among, pairs
from threestep.data.near_leaks import agreeing, cutting, ordering, separating
from threestep.data.sums import adding_up

_FEWEST_EXACT = 10  # samples that a number and the target are both known of


def leaks_of(columns: Columns, y: NDArray) -> list[tuple[str, str]]:
    """Columns that give the target away: (name, how).

    A column that equals the target, or of which each value, though it occurs again and again, always goes
    with one value of the target, or nearly; numbers that add up to it; a column that tells where it lies in
    its order. Samples that are there more than once prove no more than one of them.
    """
    if y.ndim > 1 or len(y) == 0:
        return []
    columns, y = without_copies(columns, y)
    goal, found = goal_of(y), {}
    for look in _LOOKS:
        rest = {name: column for name, column in columns.items() if name not in found}
        found |= dict(look(rest, goal))
    return [(name, found[name]) for name in columns if name in found]


def equal(columns: Columns, goal: Goal) -> Found:
    """Numbers that are the target, but for a factor and a constant."""
    if not goal.is_numeric:
        return
    target, is_other = goal.values[goal.rows], goal.is_other
    for name, column in numbers_among(columns).items():
        if not _line(column[goal.rows], target) or not (how := _line(column, goal.values)):
            continue
        # to be zero where the target is zero is not to be the target
        if (is_known(column) & is_other).sum() >= _FEWEST_EXACT:
            yield name, how


def _line(column: NDArray, target: NDArray) -> str:
    """How a number is the target; nothing if it is not."""
    x, y = pairs(column, target)
    # of two values any two others are a multiple
    if len(x) < _FEWEST_EXACT or np.ptp(x) == 0 or len(np.unique(y)) < 3:
        return ""
    apart = x - x.mean()
    slope = apart @ (y - y.mean()) / (apart @ apart)
    constant = y.mean() - slope * x.mean()
    if np.abs(slope * x + constant - y).max() > ROUNDING * y.std():
        return ""
    if (column == target)[is_known(column)].all():
        return "equals the target"
    if abs(constant) <= ROUNDING:
        return "equals the target, but for a factor"
    return "equals the target, but for a factor and a constant"


_LOOKS = (
    equal,
    separating,
    determining,
    adding_up,
    agreeing,
    determining_where_known,
    ordering,
    cutting,
)
"""In which order columns are looked at: what is said first of one is all that is said."""
