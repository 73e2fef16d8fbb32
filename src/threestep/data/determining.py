"""Columns of which each value, though it comes again and again, always goes with one value of the target."""

from collections.abc import Iterator
from math import log

import numpy as np
from numpy.typing import NDArray

from threestep.data.goals import (
    CHANCE,
    FEWEST_OF_EACH,
    FEWEST_PAIRS,
    Columns,
    Found,
    Goal,
    codes_of,
    is_known,
    n_different,
    random_rows,
)

_MOST_DISTINCT = 0.5  # of the samples: what hardly comes twice could not show that it does not determine it
_FEW_VALUES = 10  # so few are codes; of more, others may be determined because all are those of groups


def determining(columns: Columns, goal: Goal) -> Found:
    """Columns without gaps that determine the target, each by itself."""
    for name, column in _promising(columns, goal):
        codes = codes_of(column)
        is_proof = is_known(column).all() and _is_proof(codes, goal.codes, len(columns))
        if is_proof and not names_groups(name, columns, goal):
            n_values = n_different(codes)
            is_same = n_values == len(goal.counts)
            how = f"its {n_values} values determine the target"
            yield name, "says the same as the target, in other words" if is_same else how


def determining_where_known(columns: Columns, goal: Goal) -> Found:
    """Columns with gaps that determine the target by what is known, or by that and where nothing is."""
    for name, column in _promising(columns, goal):
        known = is_known(column)
        if known.all():
            continue
        codes = codes_of(column[known])
        n_values = n_different(codes)
        if _is_proof(codes, goal.codes[known], len(columns)):
            how = f"where it is known, its {n_values} values determine the target"
        elif _is_proof(codes_of(column), goal.codes, len(columns)):
            how = f"its {n_values} values and its gaps determine the target"
        else:
            continue
        if not names_groups(name, columns, goal):
            yield name, how


def _promising(columns: Columns, goal: Goal) -> Iterator[tuple[str, NDArray]]:
    """Columns that may determine the target, by some samples: one value with two targets is proof enough that
    one does not, and most show it soon."""
    rows = random_rows(len(goal.codes), len(columns))
    targets = goal.codes[rows]
    for name, column in columns.items():
        some = column[rows]
        known = is_known(some)
        codes = codes_of(some[known])
        if 0 < n_different(codes) < len(codes) and _determine(codes, targets[known]):
            yield name, column


def _determine(codes: NDArray, targets: NDArray) -> bool:
    """Whether each value always goes with one target."""
    target_of = np.zeros(int(codes.max()) + 1, np.int64)
    target_of[codes] = targets
    return bool((target_of[codes] == targets).all())


def names_groups(name: str, columns: Columns, goal: Goal) -> bool:
    """Whether a number is only the same for all samples of a group, such as those of one patient.

    Then it determines all else that is the same in a group, such as another measurement with about as many
    values. Of words that name groups it is worth saying.
    """
    if columns[name].dtype.kind == "O":
        return False
    rows = random_rows(len(goal.codes), len(columns))
    codes = codes_of(columns[name][rows])
    fewest = max(_FEW_VALUES, _MOST_DISTINCT * n_different(codes))
    if n_different(codes) <= _FEW_VALUES:
        return False
    others = (codes_of(column[rows]) for other, column in columns.items() if other != name)
    return any(n_different(other) > fewest and _determine(codes, other) for other in others)


def _is_proof(codes: NDArray, targets: NDArray, n_columns: int) -> bool:
    """Whether a column determines the target, and no column of so many without meaning would do so by chance.

    Only values that come at least twice say anything.
    """
    if len(codes) == 0 or not _determine(codes, targets):
        return False
    counts, n_each = np.bincount(codes), np.bincount(targets)
    comes_again = counts[codes] > 1
    n_others = int((comes_again & (targets != n_each.argmax())).sum())
    if comes_again.sum() < FEWEST_PAIRS or n_others < FEWEST_OF_EACH:
        return False
    is_beside = codes != counts.argmax()
    if len(counts) - 1 >= _MOST_DISTINCT * is_beside.sum():
        return False
    usual = int(targets[np.flatnonzero(~is_beside)[0]])
    return _log_chance(codes[is_beside], targets[is_beside], usual, n_each / len(targets)) < log(
        CHANCE / n_columns
    )


def _log_chance(codes: NDArray, targets: NDArray, usual: int, shares: NDArray) -> float:
    """How likely values beside the most frequent one always go with one target each, by chance.

    That value, such as zero, shows nothing of the others, but that they may never have its usual target.

    Examples
    --------
    >>> halves = np.array([0.5, 0.5])
    >>> chance = _log_chance(np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1]), 0, halves)
    >>> round(float(np.exp(chance)), 6)  # 1/2 and 1/4
    0.125
    >>> chance = _log_chance(np.array([0, 0, 1, 1, 1]), np.array([1, 1, 1, 1, 1]), 0, halves)
    >>> round(float(np.exp(chance)) * 32, 6)
    1.0
    """
    chance = 0.0
    if not (targets == usual).any():
        left = 1 - float(shares[usual])
        chance = len(targets) * log(left)
        shares = np.delete(shares, usual) / left
    counts = np.bincount(codes)
    sizes, n_such = np.unique(counts[counts > 1], return_counts=True)
    shares, n_shares = np.unique(shares, return_counts=True)
    with np.errstate(divide="ignore"):
        return chance + sum(
            n * float(np.log(n_shares @ shares**size)) for size, n in zip(sizes, n_such, strict=True)
        )
