"""From confidences and quantiles to answers: where to say yes, and how far intervals must reach."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9


def threshold_for(
    metric: str, confidences: NDArray, classes: NDArray, weight: NDArray | None = None
) -> float:
    """The confidence in the second of two classes from which on to say it, so that a metric is highest.

    Parameters
    ----------
    metric : {"accuracy", "balanced_accuracy", "f1"}
    confidences : ndarray of shape (n_samples,)
        In class 1; of samples that no param was fitted to.
    classes : ndarray of shape (n_samples,)
        0 or 1.
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.

    Returns
    -------
    float
        In the middle between the two samples at which it is best; 0.5 if no other is better.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.goodness.threshold_for("f1", np.array([0.1, 0.2, 0.4, 0.3]), np.array([0, 0, 1, 1]))
    0.25
    """
    weight = np.ones(len(classes)) if weight is None else np.asarray(weight, np.float64)
    confidences, classes, weight = (np.asarray(each)[weight > 0] for each in (confidences, classes, weight))
    order = np.argsort(-confidences, kind="stable")
    sure, is_one = np.asarray(confidences, np.float64)[order], np.asarray(classes)[order] == 1
    counts = weight[order]
    n_ones, n_zeros = counts[is_one].sum(), counts[~is_one].sum()
    if n_ones == 0 or n_zeros == 0:
        return 0.5
    # after the first k samples are called ones; k = 0 … n
    right = np.concatenate([[0.0], np.cumsum(counts * is_one)])
    wrong = np.concatenate([[0.0], np.cumsum(counts * ~is_one)])
    values = {
        "accuracy": (right + n_zeros - wrong) / counts.sum(),
        "balanced_accuracy": (right / n_ones + (n_zeros - wrong) / n_zeros) / 2,
        "f1": 2 * right / (right + wrong + n_ones),
    }[metric]
    edges = np.concatenate([[1.0], sure, [0.0]])
    middles = (edges[:-1] + edges[1:]) / 2
    possible = edges[:-1] > edges[1:]  # equal confidences go together
    usual = values[int((sure >= 0.5).sum())]
    best = int(np.where(possible, values, -1.0).argmax())
    return float(middles[best]) if values[best] > usual else 0.5


def conformal_shifts(
    quantiles: Sequence[float], outputs: NDArray, targets: NDArray, weight: NDArray | None = None
) -> tuple[float, ...]:
    """How much to add to each quantile so that intervals cover what they say (conformalized quantile
    regression, Romano et al. 2019, arXiv:1905.03222).

    Parameters
    ----------
    quantiles : sequence of float
    outputs : ndarray of shape (n_samples, n_quantiles)
        Of samples that no param was fitted to.
    targets : ndarray of shape (n_samples,)
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.

    Returns
    -------
    tuple of float
        0 for a quantile that has no counterpart (q and 1 - q), and for all if there are too few samples.
    """
    shifts = [0.0] * len(quantiles)
    weight = np.ones(len(targets)) if weight is None else np.asarray(weight, np.float64)
    outputs, targets, weight = outputs[weight > 0], targets[weight > 0], weight[weight > 0]
    counts = weight / weight.mean()  # of a sample that may come
    for low, share in enumerate(quantiles):
        high = next((place for place, other in enumerate(quantiles) if math.isclose(share + other, 1.0)), low)
        if share >= 0.5 or high == low:
            continue
        outside = np.maximum(outputs[:, low] - targets, targets - outputs[:, high])
        order = np.argsort(outside)
        within = np.cumsum(counts[order])
        rank = int(np.searchsorted(within, (len(targets) + 1) * (1 - 2 * share) - _ROUNDING))
        if rank < len(targets):
            reach = float(outside[order[rank]])
            shifts[low], shifts[high] = -reach, reach
    return tuple(shifts)
