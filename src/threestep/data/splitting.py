"""Train, valid and test: who learns, who chooses, who only measures."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.table import Table
from threestep.data.target import label_texts
from threestep.errors import DataError

_FEWEST = 5


class Split(NamedTuple):
    """Three tables that share no sample."""

    train: Table
    valid: Table
    test: Table


def split(
    table: Table,
    valid_fraction: float,
    test_fraction: float,
    seed: int,
    by_class: bool,
    groups: NDArray | None = None,
    ranks: NDArray | None = None,
) -> Split:
    """Divide the samples at random, each class in the same shares if `by_class`; or group by group; or in
    order, the last ones for the test.

    Parameters
    ----------
    table : Table
        With its target.
    valid_fraction, test_fraction : float
        Shares of all samples; train and each part asked for get at least one sample.
    seed : int
        Equal seeds give equal parts.
    by_class : bool
        Stratify by the target's values.
    groups : ndarray of shape (n_samples,) or None
        Samples of one value stay together.
    ranks : ndarray of shape (n_samples,) or None
        Samples are learned from in this order: none is older than one that is learned from.

    Raises
    ------
    DataError
        Fewer than 5 samples.
    """
    n_samples = table.n_samples
    if n_samples < _FEWEST:
        raise DataError(
            f"{table.name}: got {n_samples} sample(s), expected at least {_FEWEST}",
            "training, choosing and testing need samples of their own",
        )
    if table.is_test is not None:
        return _split_as_given(table, table.is_test, valid_fraction, (seed, by_class))
    n_test = min(max(1, round(test_fraction * n_samples)), n_samples - 2) if test_fraction > 0 else 0
    n_valid = min(max(1, round(valid_fraction * n_samples)), n_samples - n_test - 1)
    if groups is not None:
        return _split_by_group(table, groups, n_test, n_valid, seed)
    order = np.random.default_rng(seed).permutation(n_samples)
    if ranks is not None:
        order = np.argsort(-ranks, kind="stable")
    elif by_class:
        order = _interleave_classes(order, np.asarray(table.y)[order])
    test, valid, train = np.split(order, [n_test, n_test + n_valid])
    return Split(*(table.take(np.sort(rows)) for rows in (train, valid, test)))


def _split_as_given(table: Table, is_test: NDArray, valid_fraction: float, drawn: tuple[int, bool]) -> Split:
    """The test samples are those the source names; the others are divided as ever."""
    seed, by_class = drawn
    rest = table.take(np.flatnonzero(~is_test))
    own = split(replace(rest, is_test=None), valid_fraction, 0.0, seed, by_class)
    return Split(own.train, own.valid, table.take(np.flatnonzero(is_test)))


def tested(table: Table) -> Table:
    """Those of the samples that the source has for the test; all if it does not say. A note says which."""
    if table.is_test is None:
        return table
    n_others = table.n_samples - int(table.is_test.sum())
    chosen = table.take(np.flatnonzero(table.is_test))
    which = f"the {chosen.n_samples} samples for the test are scored, not the {n_others} others"
    return replace(chosen, notes=(*table.notes, which)) if n_others else chosen


def dealt(classes: NDArray | None, n_samples: int, n_folds: int, seed: int) -> NDArray:
    """The fold of each sample, 0 to n_folds - 1: at random, of equal sizes, each class evenly.

    Parameters
    ----------
    classes : ndarray of shape (n_samples,) or None
        Class indices; None: there are none.
    n_samples, n_folds : int
    seed : int
        Equal seeds give equal folds.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> folds = ts.data.dealt(np.array([0, 0, 0, 0, 1, 1]), 6, n_folds=2, seed=0)
    >>> np.bincount(folds).tolist(), np.bincount(folds[:4]).tolist()
    ([3, 3], [2, 2])
    """
    order = np.random.default_rng(seed).permutation(n_samples)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n_samples, int)
    folds[order] = np.arange(n_samples) % n_folds
    return folds


def _split_by_group(table: Table, groups: NDArray, n_test: int, n_valid: int, seed: int) -> Split:
    """Whole groups, drawn at random, until a part has about as many samples as it should.

    Raises
    ------
    DataError
        Fewer groups than parts.
    """
    names, codes = np.unique(groups.astype(str), return_inverse=True)
    n_parts = 2 + (n_test > 0)
    if len(names) < n_parts:
        raise DataError(
            f"{table.name}: got {len(names)} group(s), expected at least {n_parts}",
            "training, choosing and testing need groups of their own",
        )
    sizes = np.bincount(codes)
    order = np.random.default_rng(seed).permutation(len(names))
    part_of = np.zeros(len(names), int)  # 0 train, 1 valid, 2 test
    left = list(order)
    for part, wanted, n_others in ((2, n_test, 2), (1, n_valid, 1)):
        taken = 0
        while taken < wanted and len(left) > n_others:  # the other parts need a group, too
            part_of[left[-1]] = part
            taken += sizes[left.pop()]
    parts = part_of[codes]
    return Split(*(table.take(np.flatnonzero(parts == part)) for part in range(3)))


def _interleave_classes(order: NDArray, classes: NDArray) -> NDArray:
    """Reorder so that every stretch holds each class in its overall share.

    The k-th of a class's m samples gets the place (k + 1/2) / m; sorting all places mixes the
    classes evenly. Ties fall as `order` has them, which is random.
    """
    texts = label_texts(classes).tolist()
    index_of = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    index = np.array([index_of[text] for text in texts])
    counts = np.bincount(index)
    by_class = np.argsort(index, kind="stable")
    rank = np.empty(len(order), dtype=int)
    rank[by_class] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.argsort((rank + 0.5) / counts[index], kind="stable")]
