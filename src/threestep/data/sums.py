"""Numbers that add up to the target, each with a weight of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.goals import ROUNDING, Columns, Found, Goal, numbers_among

ADDING_UP = "add up to the target"
"""What is said of each of the columns of a sum, behind the first of them."""

_GAPS = (0.0, 0.02, 0.1, 0.5)  # shares: columns with more are left aside, for a sum needs samples without any
_NAMED = 5  # columns
_MOST_TRIED = 40  # columns that are left out one by one to see whether the others suffice


class _Sums(NamedTuple):
    """What least squares with any of the columns follow from."""

    columns: NDArray  # (n_samples, n_columns), with a mean of 0 and a spread of 1
    target: NDArray  # the same
    spreads: NDArray  # of each column as it is, in those of the target
    triangle: NDArray  # of columns and target, by rotations: as short as there are columns, not samples


def adding_up(columns: Columns, goal: Goal) -> Found:
    """Numbers of which a sum with weights is the target, to the last digit; the fewest that are needed."""
    numbers = numbers_among(columns)
    names = list(numbers)
    if not goal.is_numeric or len(names) < 2:
        return
    matrix = np.column_stack([column[goal.rows].astype(np.float64) for column in numbers.values()])
    is_gap = ~np.isfinite(matrix)
    target, is_other = goal.values[goal.rows].astype(np.float64), goal.is_other[goal.rows]
    for places in dict.fromkeys(tuple(np.flatnonzero(is_gap.mean(axis=0) <= most)) for most in _GAPS):
        is_whole = np.isfinite(target) & ~is_gap[:, places].any(axis=1)
        # beside one frequent target, such as zero: where nearly all is zero, anything adds up to it
        if len(places) < 2 or is_other[is_whole].sum() < 3 * len(places) + 10:
            continue
        sums = _sums_of(matrix[np.ix_(is_whole, places)], target[is_whole])
        needed, weights = _needed(sums)
        those = [names[places[each]] for each in needed]
        weights = weights / sums.spreads[needed]
        if len(those) > 1 and _holds(weights, [numbers[name] for name in those], goal.values):
            shown = [*those[:_NAMED], *("…" for _ in those[_NAMED : _NAMED + 1])]
            yield from ((name, f"{', '.join(shown)} {ADDING_UP}") for name in those)
            return


def _sums_of(matrix: NDArray, target: NDArray) -> _Sums:
    """Decomposed once, for all choices of columns."""
    both = np.column_stack([matrix, target])
    largest = np.abs(both).max(axis=0)
    largest[largest == 0] = 1
    both = both / largest  # so that no square overflows
    both -= both.mean(axis=0)
    spreads = both.std(axis=0)
    spreads[spreads <= ROUNDING**2] = np.inf  # one value only
    both /= spreads
    with np.errstate(over="ignore", invalid="ignore"):
        of_target = spreads[:-1] / spreads[-1] * (largest[:-1] / largest[-1])
    return _Sums(both[:, :-1], both[:, -1], of_target, np.asarray(np.linalg.qr(both, "r")))


def _weights(sums: _Sums, which: Sequence[int] | NDArray) -> NDArray | None:
    """Of some columns, for a sum that is the target; None if there is no such sum."""
    if len(which) == 0 or not sums.target.any():
        return None
    weights = np.linalg.lstsq(sums.triangle[:, which], sums.triangle[:, -1], rcond=None)[0]
    away = sums.columns[:, which] @ weights - sums.target
    return weights if np.abs(away).max() <= ROUNDING else None


def _needed(sums: _Sums) -> tuple[list[int], NDArray]:
    """The columns that a sum needs to be the target, and their weights; none if there is no such sum."""
    needed = list(range(sums.columns.shape[1]))
    weights = _weights(sums, needed)
    if weights is None:
        return [], np.zeros(0)
    unheard = {place for place in needed if abs(weights[place]) <= ROUNDING}
    one_by_one = [{place} for place in needed if place not in unheard]
    for left_out in (unheard, *(one_by_one if len(one_by_one) <= _MOST_TRIED else [])):
        fewer = [place for place in needed if place not in left_out]
        found = _weights(sums, fewer)
        if found is not None:
            needed, weights = fewer, found
    return needed, weights


def _holds(weights: NDArray, columns: Sequence[NDArray], target: NDArray) -> bool:
    """Whether the sum that is the target in some samples is so in all, but for a constant."""
    away = target.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        for weight, column in zip(weights, columns, strict=True):
            away = away - weight * column
    away = away[np.isfinite(away)]
    return bool(np.ptp(away) <= 2 * ROUNDING * target.std())
