"""Columns that give the target away: each by itself, wholly or nearly, or numbers that add up to it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import coded

_MOST_ROWS = 2000  # looked at first; most columns show soon that they tell little
_ROUNDING = 1e-6
_FEWEST_EXACT = 10  # samples that a number and the target are both known of
_FEWEST_PAIRS = 20  # the same, where they need not go together to the last digit
_FEWEST_DIFFERENT = 11  # values: fewer are classes rather than an order
_SAME_ORDER = 0.995  # rank correlation: a rounded or noisy copy has more, honest predictors 0.97 at best
_MOST_OF_ORDER = 0.975  # of the samples: a few wrong cells hide no copy
_FEWEST_OF_EACH = 5  # samples: fewer may lie apart from others by chance
_MOST_DISTINCT = 0.5  # of the samples: what hardly comes twice could not show that it does not determine it
_FEWEST_TO_AGREE = 40
_LEAST_AGREEMENT = 0.975
_MISSES_LEFT = 0.1  # of the samples that are not of the most frequent class
_NEAR_AGREEMENT = 0.8  # in the samples looked at first, where rare classes count as much as frequent ones

Columns = Mapping[str, NDArray]
Found = Iterator[tuple[str, str]]


class _Goal(NamedTuple):
    """The target, and which samples are looked at first."""

    values: NDArray
    codes: NDArray  # of each sample which of the different values it has
    counts: NDArray  # of each value
    rows: NDArray  # evenly spread
    of_each: NDArray  # about as many of each value; none where the values are too many to be classes

    @property
    def is_numeric(self) -> bool:
        return self.values.dtype.kind in "iuf"


def leaks_of(columns: Columns, y: NDArray) -> list[tuple[str, str]]:
    """Columns that give the target away: (name, how).

    A column that equals the target, or of which each value, though it occurs again and again, always goes
    with one value of the target, or nearly; numbers that add up to it; a column that tells where it lies in
    its order.
    """
    if y.ndim > 1 or len(y) == 0:
        return []
    goal, found = _goal(y), {}
    for look in (_equal, _determining, _adding_up, _separating, _agreeing, _ordering, _cutting):
        rest = {name: column for name, column in columns.items() if name not in found}
        found |= dict(look(rest, goal))
    return [(name, found[name]) for name in columns if name in found]


def _goal(y: NDArray) -> _Goal:
    codes = _codes(y)
    counts = np.bincount(codes)
    rows = np.linspace(0, len(y) - 1, min(len(y), _MOST_ROWS)).astype(int)
    return _Goal(y, codes, counts, rows, _some_of_each(codes, counts))


def _some_of_each(codes: NDArray, counts: NDArray) -> NDArray:
    """Samples of each class, evenly spread among its own."""
    n_each, n_others = _MOST_ROWS // len(counts), len(counts) - 1
    is_often = len(codes) - counts.max() >= _FEWEST_OF_EACH * n_others  # beside a frequent one, such as zero
    if n_others == 0 or n_each < _FEWEST_OF_EACH or not is_often:
        return np.zeros(0, int)
    by_class = np.split(np.argsort(codes.astype(np.int16), kind="stable"), np.cumsum(counts)[:-1])
    return np.concatenate(
        [own[np.linspace(0, len(own) - 1, min(len(own), n_each)).astype(int)] for own in by_class]
    )


def _codes(column: NDArray) -> NDArray:
    """Of each value which one of the different ones it is, int64; a gap is a value of its own."""
    if column.dtype.kind == "O":
        return coded(column)[1]
    return np.unique(column, return_inverse=True)[1]


def _is_known(column: NDArray) -> NDArray:
    if column.dtype.kind == "O":
        return np.asarray(column != "", bool)
    return np.isfinite(column) if column.dtype.kind == "f" else np.ones(len(column), bool)


def _numbers(columns: Columns) -> dict[str, NDArray]:
    return {name: column for name, column in columns.items() if column.dtype.kind in "iuf"}


def _pairs(column: NDArray, target: NDArray) -> tuple[NDArray, NDArray]:
    """Both as float64 where both are known, divided by the largest, so that no square overflows."""
    is_known = _is_known(column) & _is_known(target)
    x, y = column[is_known].astype(np.float64), target[is_known].astype(np.float64)
    return x / (np.abs(x).max(initial=0) or 1.0), y / (np.abs(y).max(initial=0) or 1.0)


# All of the target


def _equal(columns: Columns, goal: _Goal) -> Found:
    """Numbers that are the target, but for a factor and a constant."""
    if not goal.is_numeric:
        return
    target = goal.values[goal.rows]
    for name, column in _numbers(columns).items():
        if how := _line(column[goal.rows], target):
            yield name, how


def _line(column: NDArray, target: NDArray) -> str:
    """How a number is the target; nothing if it is not."""
    x, y = _pairs(column, target)
    # of two values any two others are a multiple
    if len(x) < _FEWEST_EXACT or np.ptp(x) == 0 or len(np.unique(y)) < 3:
        return ""
    apart = x - x.mean()
    slope = apart @ (y - y.mean()) / (apart @ apart)
    constant = y.mean() - slope * x.mean()
    if np.abs(slope * x + constant - y).max() > _ROUNDING * y.std():
        return ""
    if (column == target)[_is_known(column)].all():
        return "equals the target"
    if abs(constant) <= _ROUNDING:
        return "equals the target, but for a factor"
    return "equals the target, but for a factor and a constant"


def _determining(columns: Columns, goal: _Goal) -> Found:
    """Columns that determine the target, each by itself."""
    for name, column in columns.items():
        # one value with two targets is proof enough; most columns show it soon
        if not _are_determined(_codes(column[:_MOST_ROWS]), goal.codes[:_MOST_ROWS]):
            continue
        codes = _codes(column)
        n_values = int(codes.max()) + 1
        if n_values < 2 or n_values > _MOST_DISTINCT * len(codes):
            continue  # values that hardly come twice could not show that they do not determine it
        if not _are_determined(codes, goal.codes) or not _others_come_twice(codes, goal):
            continue
        is_same = n_values == len(goal.counts)
        how = f"its {n_values} values determine the target"
        yield name, "says the same as the target, in other words" if is_same else how


def _others_come_twice(codes: NDArray, goal: _Goal) -> bool:
    """Whether values, or targets, are seen again beside the most frequent target, such as zero."""
    others = codes[goal.codes != goal.counts.argmax()]
    n_different = min(_n_different(others), len(goal.counts) - 1)
    return n_different <= _MOST_DISTINCT * len(others)


def _n_different(codes: NDArray) -> int:
    """Much faster than `np.unique`, for codes."""
    return int(np.count_nonzero(np.bincount(codes)))


def _are_determined(codes: NDArray, targets: NDArray) -> bool:
    """Whether each value always goes with one target."""
    target_of = np.zeros(int(codes.max()) + 1, np.int64)
    target_of[codes] = targets
    return bool((target_of[codes] == targets).all())


def _adding_up(columns: Columns, goal: _Goal) -> Found:
    """Numbers of which a sum with weights is the target, to the last digit; the fewest that are needed."""
    numbers = _numbers(columns)
    names = list(numbers)
    fewest = 3 * len(names) + 10
    if not goal.is_numeric or len(names) < 2 or len(goal.values) < fewest:
        return
    matrix = np.column_stack([column[goal.rows].astype(np.float64) for column in numbers.values()])
    target = goal.values[goal.rows].astype(np.float64)
    is_known = np.isfinite(matrix).all(axis=1) & np.isfinite(target)
    if is_known.sum() < fewest:
        return
    matrix, target = matrix[is_known], target[is_known]
    needed = list(range(len(names)))
    if not _explains(matrix, target):
        return
    for place in range(len(names)):
        fewer = [each for each in needed if each != place]
        if fewer and _explains(matrix[:, fewer], target):
            needed = fewer
    together = ", ".join(names[place] for place in needed)
    if len(needed) > 1:
        yield from ((names[place], f"{together} add up to the target") for place in needed)


def _explains(matrix: NDArray, target: NDArray) -> bool:
    """Whether a linear function of the columns is the target."""
    scale = np.abs(matrix).max(axis=0)
    inputs = np.column_stack([matrix / np.where(scale > 0, scale, 1.0), np.ones(len(matrix))])
    weights = np.linalg.lstsq(inputs, target, rcond=None)[0]
    spread = target.std()
    return bool(spread > 0 and np.abs(inputs @ weights - target).max() <= _ROUNDING * spread)


# Nearly all of it


def _separating(columns: Columns, goal: _Goal) -> Found:
    """Numbers on which each class lies apart from all others."""
    if len(goal.of_each) == 0 or len(goal.codes) < _FEWEST_PAIRS or goal.counts.min() < _FEWEST_OF_EACH:
        return
    how = "one threshold on it separates the classes"
    if len(goal.counts) > 2:
        how = "each value of the target has an interval of it for itself"
    for name, column in _numbers(columns).items():
        if _lie_apart(column[goal.of_each], goal.codes[goal.of_each]) and (
            _lie_apart(column, goal.codes) and _are_there(goal.codes[_is_known(column)], len(goal.counts))
        ):
            yield name, how


def _cutting(columns: Columns, goal: _Goal) -> Found:
    """Columns of few values, each of which lies in a part of the target for itself."""
    if not goal.is_numeric or len(goal.counts) < _FEWEST_DIFFERENT:
        return
    for name, column in columns.items():
        if _are_intervals(column[goal.rows], goal.values[goal.rows]) and _are_intervals(column, goal.values):
            n_values = _n_different(_codes(column[_is_known(column)]))
            yield name, f"its {n_values} values are intervals of the target"


def _are_intervals(column: NDArray, target: NDArray) -> bool:
    """Whether each value of a column is often there, and lies in a part of the target for itself."""
    is_known = _is_known(column)
    codes = _codes(column[is_known])
    n_values = int(codes.max(initial=-1)) + 1
    return n_values > 1 and _are_there(codes, n_values) and _lie_apart(target[is_known], codes)


def _are_there(codes: NDArray, n_values: int) -> bool:
    """Whether there are enough of each."""
    counts = np.bincount(codes, minlength=n_values)
    return bool(counts.min() >= _FEWEST_OF_EACH and counts.sum() >= _FEWEST_PAIRS)


def _lie_apart(x: NDArray, codes: NDArray) -> bool:
    """Whether numbers in their order come class by class, without one that two classes have."""
    is_known = _is_known(x)
    x, codes = x[is_known], codes[is_known]
    order = np.argsort(x, kind="stable")
    x, codes = x[order], codes[order]
    ends = np.flatnonzero(codes[1:] != codes[:-1])
    return len(ends) == _n_different(codes) - 1 and bool((x[ends] < x[ends + 1]).all())


def _agreeing(columns: Columns, goal: _Goal) -> Found:
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
        if n - n_agreeing <= most_misses:
            yield name, f"goes with the target in {_floored(100 * n_agreeing / n, 1)} % of the samples"


def _n_agreeing(column: NDArray, targets: NDArray, n_values: int) -> int:
    """How many samples have the target that goes most often with their value of the column; 0 unless there
    is one value for each."""
    codes = _codes(column)
    if codes.max() == n_values:  # a gap may be one too many
        is_known = _is_known(column)
        codes, targets = _codes(column[is_known]), targets[is_known]
    if codes.max(initial=-1) + 1 != n_values:
        return 0
    together = np.bincount(codes * n_values + targets, minlength=n_values**2).reshape(n_values, n_values)
    is_one_to_one = len(np.unique(together.argmax(axis=1))) == n_values
    return int(together.max(axis=1).sum()) if is_one_to_one else 0


def _ordering(columns: Columns, goal: _Goal) -> Found:
    """Numbers that order the samples, or all but few, as the target does."""
    if not goal.is_numeric:
        return
    target = goal.values[goal.rows]
    for name, column in _numbers(columns).items():
        x, y = _pairs(column[goal.rows], target)
        if not _have_order(x, y):
            continue
        values, counts = np.unique(y, return_counts=True)
        # to know which samples have one frequent target, such as zero, is not to know all the others
        is_other = y != values[counts.argmax()]
        if _have_order(x[is_other], y[is_other]) and (how := _order([(x, y), (x[is_other], y[is_other])])):
            yield name, how


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
    return len(x) >= _FEWEST_PAIRS and min(len(np.unique(x)), len(np.unique(y))) >= _FEWEST_DIFFERENT


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
