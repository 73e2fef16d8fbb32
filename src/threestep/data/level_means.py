"""What the target usually is where a category has a level: for those of more levels than may have inputs.

Of each level the mean of the target among its samples, drawn to the mean of all the more the fewer they are,
as the spread within and between levels says (Micci-Barreca 2001, doi:10.1145/507533.507538). A sample that is
part of its level's mean would give its own target away there, so those that a network learns from get the
means of other samples, fold by fold. The folds are drawn, whatever groups there are: a sample may get the
mean of its own group, which one to be predicted cannot.
"""

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import places_in
from threestep.data.layout import Layout, with_names
from threestep.data.table import Table
from threestep.data.target import Target, known_values, label_texts

NO_MEANS = np.zeros((0, 0))

_MOST_MEANS = 16  # of a level: classes, or numbers to predict
_N_FOLDS = 5
_SMALLEST = 1e-9


def n_means_of(target: Target) -> int:
    """How many means there are of each level: one for each class, of two the second one's, or for each number
    or label; 0 if they would be too many."""
    n_classes = len(target.classes)
    n_means = target.n_columns if target.kind != "classes" else 1 if n_classes == 2 else n_classes
    return n_means if n_means <= _MOST_MEANS else 0


def means_in(layout: Layout, target: Target, train: Table) -> NDArray:
    """The means of all levels, in standard deviations of the target from the mean of all samples.

    Parameters
    ----------
    layout : Layout
    target : Target
    train : Table
        The training samples.

    Returns
    -------
    ndarray of shape (n_levels, n_means), float64
        Those of the first column first.
    """
    if not layout.means:
        return NO_MEANS
    y, weight = _said(target, train)
    columns = _places(layout, train)
    return np.concatenate(
        [
            _drawn(places, len(levels), y, weight)
            for (_, levels), places in zip(layout.means, columns, strict=True)
        ]
    )


def own_means(layout: Layout, target: Target, train: Table) -> NDArray:
    """What the training samples themselves get: the means of the samples in other folds.

    Returns
    -------
    ndarray of shape (n_samples, n_columns * n_means), float64
    """
    y, weight = _said(target, train)
    fold = fold_of(len(y))
    found = []
    for (_, levels), places in zip(layout.means, _places(layout, train), strict=True):
        own = np.zeros_like(y)
        for each in range(_N_FOLDS):
            others = fold != each
            drawn = _drawn(places[others], len(levels), y[others], weight[others])
            own[~others] = said_of(drawn, places[~others])
        found.append(own)
    return np.concatenate(found, axis=1)


def fold_of(n_samples: int) -> NDArray:
    """The fold of each sample: drawn, for levels may come in turn."""
    return np.random.default_rng(0).permutation(n_samples) % _N_FOLDS


def said_of(means: NDArray, places: NDArray) -> NDArray:
    """The means of the level that each sample has, (n_samples, n_means); 0 where it is none of them (-1)."""
    return np.where((places >= 0)[:, None], means[places], 0.0)


def _places(layout: Layout, table: Table) -> list[NDArray]:
    columns = with_names(layout, table).columns()
    return [places_in(levels, columns[name]) for name, levels in layout.means]


def _said(target: Target, train: Table) -> tuple[NDArray, NDArray]:
    """What is averaged, standardised, (n_samples, n_means); how much each sample counts, (n_samples, 1)."""
    weight = np.ones(train.n_samples) if train.weight is None else train.weight / train.weight.mean()
    assert train.y is not None
    y, weight = _as_numbers(target, train.y), weight[:, None]
    y -= (weight * y).mean(axis=0)
    spread = np.sqrt((weight * y**2).mean(axis=0))
    return y / np.where(spread > 0, spread, 1.0), weight


def _as_numbers(target: Target, y: NDArray) -> NDArray:
    """A new array, (n_samples, n_means): the numbers, labels of 0 and 1, or whether each class it is."""
    if target.kind != "classes":
        return np.array(known_values(y, target.name), np.float64).reshape(len(y), -1)
    texts = label_texts(known_values(y, target.name))
    is_class = np.eye(len(target.classes))[places_in(tuple(map(str, target.classes)), texts)]
    return is_class[:, 1:] if len(target.classes) == 2 else is_class


def _drawn(places: NDArray, n_levels: int, y: NDArray, weight: NDArray) -> NDArray:
    """The mean of each level, drawn to that of all, (n_levels, n_means)."""
    is_one = places >= 0
    places, y, weight = places[is_one], y[is_one], weight[is_one]
    n, *total = (np.bincount(places, each, n_levels) for each in (weight[:, 0], *(weight * y).T))
    n, total = n[:, None], np.array(total).T
    n_all, n_seen = max(n.sum(), _SMALLEST), max(int((n > 0).sum()), 2)
    mean_of_all = total.sum(axis=0) / n_all
    means = total / np.maximum(n, _SMALLEST)
    within = (weight * (y - means[places]) ** 2).sum(axis=0) / max(n_all - n_seen, 1.0)
    apart = (n * (means - mean_of_all) ** 2).sum(axis=0) / (n_seen - 1)
    usual_n = max((n_all - (n**2).sum() / n_all) / (n_seen - 1), _SMALLEST)
    between = np.maximum((apart - within) / usual_n, 0.0)
    # as many samples of the mean of all stand beside those of each level
    share = n * between / np.maximum(n * between + within, np.finfo(np.float64).tiny)
    return share * (means - mean_of_all)
