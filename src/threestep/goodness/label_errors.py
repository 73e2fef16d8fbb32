"""Which labels are likely wrong.

Confident learning (Northcutt, Jiang & Chuang 2021, arXiv:1911.00068): a class's threshold is how sure the
network is of it on the average, where it is the label. A sample that is surer than that of another class
than its own is counted as one of that class.
"""

import numpy as np
from numpy.typing import NDArray


def likely_label_errors(confidences: NDArray, labels: NDArray) -> tuple[NDArray, NDArray]:
    """Samples whose label is likely wrong, the likeliest first, and what they rather are.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples, n_classes)
        Of a network that did not learn from these samples; each row adds up to 1.
    labels : ndarray of shape (n_samples,) of int
        As given.

    Returns
    -------
    rows : ndarray of int
        Ordered by how much surer the network is of the other class than of the label.
    better : ndarray of int
        The class that it is surest of, for each of them.

    Examples
    --------
    >>> sure = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.95, 0.05]])
    >>> rows, better = likely_label_errors(sure, np.array([0, 0, 1, 1, 1]))
    >>> rows.tolist(), better.tolist()
    ([4], [0])
    """
    n_samples, n_classes = confidences.shape
    places = np.arange(n_samples)
    thresholds = np.array(
        [
            confidences[labels == each, each].mean() if (labels == each).any() else np.inf
            for each in range(n_classes)
        ]
    )
    above = np.where(confidences >= thresholds, confidences, -np.inf)
    better = above.argmax(axis=1)
    is_wrong = np.isfinite(above.max(axis=1)) & (better != labels)
    margin = confidences[places, better] - confidences[places, labels]
    rows = np.flatnonzero(is_wrong & (margin > 0))
    rows = rows[np.argsort(-margin[rows], kind="stable")]
    return rows, better[rows]
