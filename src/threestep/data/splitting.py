"""Train, valid and test: who learns, who chooses, who only measures."""

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


def split(table: Table, valid_fraction: float, test_fraction: float, seed: int, by_class: bool) -> Split:
    """Divide the samples at random, each class in the same shares if `by_class`.

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
    order = np.random.default_rng(seed).permutation(n_samples)
    if by_class:
        order = _interleave_classes(order, np.asarray(table.y)[order])
    n_test = min(max(1, round(test_fraction * n_samples)), n_samples - 2) if test_fraction > 0 else 0
    n_valid = min(max(1, round(valid_fraction * n_samples)), n_samples - n_test - 1)
    test, valid, train = np.split(order, [n_test, n_test + n_valid])
    return Split(*(table.take(np.sort(rows)) for rows in (train, valid, test)))


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
