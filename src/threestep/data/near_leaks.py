"""Columns that nearly give the target away: they tell where it lies, or what it is but for few samples."""

import numpy as np
from numpy.typing import NDArray

from threestep.data.determining import names_groups
from threestep.data.goals import (
    FEWEST_OF_EACH,
    FEWEST_PAIRS,
    Columns,
    Found,
    Goal,
    are_apart_by_chance,
    codes_of,
    is_known,
    n_different,
    numbers_among,
    pairs,
)

_TREND = 0.9  # rank correlation with the rows
_FEWEST_DIFFERENT = 11  # values: fewer are classes rather than an order, and of fewer each speaks for itself
_SAME_ORDER = 0.995  # rank correlation: a rounded or noisy copy has more, honest predictors 0.97 at best
_MOST_OF_ORDER = 0.975  # of the samples: a few wrong cells hide no copy
_FEWEST_TO_AGREE = 40
_LEAST_AGREEMENT = 0.975
_MISSES_LEFT = 0.1  # of the samples that are not of the most frequent class
_NEAR_AGREEMENT = 0.8  # in the samples looked at first, where rare classes count as much as frequent ones


def separating(columns: Columns, goal: Goal) -> Found:
    """Numbers on which each class lies apart from all others."""
    if len(goal.of_each) == 0 or goal.counts.min() < FEWEST_OF_EACH:
        return
    how = "one threshold on it separates the classes"
    if len(goal.counts) > 2:
        how = "each value of the target has an interval of it for itself"
    fewest = max(_FEWEST_DIFFERENT, len(goal.counts) + 1)
    for name, column in numbers_among(columns).items():
        if _lie_apart(column[goal.of_each], goal.codes[goal.of_each]) and (
            len(np.unique(column[goal.of_each])) >= fewest
            and _lie_apart(column, goal.codes)
            and _are_there(goal.codes[is_known(column)], len(goal.counts), len(columns))
        ):
            yield name, how


def cutting(columns: Columns, goal: Goal) -> Found:
    """Columns of few values, each of which lies in a part of the target for itself.

    What also cuts the rows, as a year does, tells when they were written down: that a target grows in time
    gives nothing away, nor does what only tells groups apart.
    """
    if not goal.is_numeric or len(goal.counts) < _FEWEST_DIFFERENT:
        return
    n_columns, places, has_trend = len(columns), np.arange(len(goal.values)), _has_trend(goal)
    for name, column in columns.items():
        if (
            _are_intervals(column[goal.rows], goal.values[goal.rows], n_columns)
            and _are_intervals(column, goal.values, n_columns)
            and not (has_trend and _are_intervals(column, places, n_columns))
            and not names_groups(name, columns, goal)
        ):
            n_values = n_different(codes_of(column[is_known(column)]))
            yield name, f"its {n_values} values are intervals of the target"


def _are_intervals(column: NDArray, target: NDArray, n_columns: int) -> bool:
    """Whether each value of a column is often there, and lies in a part of the target for itself."""
    known = is_known(column)
    codes = codes_of(column[known])
    n_values = int(codes.max(initial=-1)) + 1
    return n_values > 1 and _are_there(codes, n_values, n_columns) and _lie_apart(target[known], codes)


def _are_there(codes: NDArray, n_values: int, n_columns: int) -> bool:
    """Whether there are enough of each."""
    counts = np.bincount(codes, minlength=n_values)
    is_often = counts.min() >= FEWEST_OF_EACH and counts.sum() >= FEWEST_PAIRS
    return bool(is_often and not are_apart_by_chance(counts, n_columns))


def _lie_apart(x: NDArray, codes: NDArray) -> bool:
    """Whether numbers in their order come class by class, without one that two classes have."""
    known = is_known(x)
    x, codes = x[known], codes[known]
    order = np.argsort(x, kind="stable")
    x, codes = x[order], codes[order]
    ends = np.flatnonzero(codes[1:] != codes[:-1])
    return len(ends) == n_different(codes) - 1 and bool((x[ends] < x[ends + 1]).all())


def agreeing(columns: Columns, goal: Goal) -> Found:
    """Columns that name the class, but for few samples."""
    if len(goal.of_each) == 0 or len(goal.codes) < _FEWEST_TO_AGREE:
        return
    n, n_values = len(goal.codes), len(goal.counts)
    most_misses = min((1 - _LEAST_AGREEMENT) * n, _MISSES_LEFT * (n - goal.counts.max()))
    for name, column in columns.items():
        n_first = _n_agreeing(column[goal.of_each], goal.codes[goal.of_each], n_values)
        if n_first < _NEAR_AGREEMENT * len(goal.of_each):
            continue
        n_agreeing = _n_agreeing(column, goal.codes, n_values)
        if n - n_agreeing <= most_misses and not names_groups(name, columns, goal):
            yield name, f"goes with the target in {_floored(100 * n_agreeing / n, 1)} % of the samples"


def _n_agreeing(column: NDArray, targets: NDArray, n_values: int) -> int:
    """How many samples have the target that goes most often with their value of the column; 0 unless there
    is one value for each."""
    codes = codes_of(column)
    if codes.max() == n_values:  # a gap may be one too many
        known = is_known(column)
        codes, targets = codes_of(column[known]), targets[known]
    if codes.max(initial=-1) + 1 != n_values:
        return 0
    together = np.bincount(codes * n_values + targets, minlength=n_values**2).reshape(n_values, n_values)
    is_one_to_one = len(np.unique(together.argmax(axis=1))) == n_values
    return int(together.max(axis=1).sum()) if is_one_to_one else 0


def ordering(columns: Columns, goal: Goal) -> Found:
    """Numbers that order the samples, or all but few, as the target does, but not the rows, too."""
    if not goal.is_numeric:
        return
    target = goal.values[goal.rows]
    for name, column in numbers_among(columns).items():
        x, y = pairs(column[goal.rows], target)
        if not _have_order(x, y):
            continue
        values, counts = np.unique(y, return_counts=True)
        # to know which samples have one frequent target, such as zero, is not to know all the others
        is_other = y != values[counts.argmax()]
        if not _have_order(x[is_other], y[is_other]):
            continue
        how = _order([(x, y), (x[is_other], y[is_other])])
        if how and not _order_rows(column, goal):
            yield name, how


def _order_rows(column: NDArray, goal: Goal) -> bool:
    """Whether a number never falls, or never rises, from sample to sample, as the time does, with which the
    target goes, too."""
    known = column[is_known(column)]
    are_in_order = bool((known[1:] >= known[:-1]).all() or (known[1:] <= known[:-1]).all())
    return are_in_order and _has_trend(goal)


def _has_trend(goal: Goal) -> bool:
    """Whether the target grows, or falls, from sample to sample: a table that is sorted by something else has
    none."""
    rows, target = pairs(goal.rows, goal.values[goal.rows])
    return len(target) >= FEWEST_PAIRS and abs(_correlation(_ranks(rows), _ranks(target))) >= _TREND


def _order(parts: list[tuple[NDArray, NDArray]]) -> str:
    """How pairs are in the same order, if they are in each of the parts; the first is all of them."""
    most = f"{100 * _MOST_OF_ORDER:g} % of the samples"
    for share, which in ((1.0, "the samples"), (_MOST_OF_ORDER, most)):
        found = [_rank_correlation(*part, share) for part in parts]
        if min(map(abs, found)) >= _SAME_ORDER:
            way = ", in reverse" if found[0] < 0 else ""
            number = f"{'-' if found[0] < 0 else ''}{_floored(abs(found[0]), 3)}"
            return f"orders {which} as the target does{way} (rank correlation {number})"
    return ""


def _have_order(x: NDArray, y: NDArray) -> bool:
    """Whether there is enough of both to speak of an order."""
    return len(x) >= FEWEST_PAIRS and min(len(np.unique(x)), len(np.unique(y))) >= _FEWEST_DIFFERENT


def _rank_correlation(x: NDArray, y: NDArray, share: float) -> float:
    """Spearman's, of the share of the pairs that lie best in order."""
    x, y = _ranks(x), _ranks(y)
    if share < 1:
        away = np.abs(x - x.mean() - np.sign(_correlation(x, y)) * (y - y.mean()))
        best = np.argsort(away, kind="stable")[: int(np.ceil(share * len(x)))]
        x, y = _ranks(x[best]), _ranks(y[best])
    return _correlation(x, y)


def _correlation(x: NDArray, y: NDArray) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def _ranks(values: NDArray) -> NDArray:
    """Of each value its place in their order; equal ones share the mean of theirs.

    Examples
    --------
    >>> _ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[codes]


def _floored(number: float, n_digits: int) -> str:
    """So that nearly all is not shown as all.

    Examples
    --------
    >>> _floored(99.97, 1), _floored(1.0, 3)
    ('99.9', '1.000')
    """
    return f"{np.floor(number * 10**n_digits + 1e-9) / 10**n_digits:.{n_digits}f}"
