"""Metrics on the host: what people read beside the loss."""

import numpy as np
from numpy.typing import NDArray


def class_metrics(confidences: NDArray, classes: NDArray) -> dict[str, float]:
    """Metrics of class predictions.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples, n_classes)
        Rows sum to 1.
    classes : ndarray of shape (n_samples,), int
        The right class of each.

    Returns
    -------
    dict
        accuracy (0 to 1).

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.goodness.class_metrics(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))["accuracy"]
    1.0
    """
    return {"accuracy": float((confidences.argmax(axis=1) == classes).mean())}


def number_metrics(predictions: NDArray, targets: NDArray) -> dict[str, float]:
    """Errors of number predictions, in the target's own unit.

    Parameters
    ----------
    predictions, targets : ndarray of shape (n_samples,)

    Returns
    -------
    dict
        r2 (1 is perfect, 0 as good as the mean; 0 where all targets are equal), rmse, mae.
    """
    targets = np.asarray(targets, np.float64)
    errors = np.asarray(predictions, np.float64) - targets
    spread = float(((targets - targets.mean()) ** 2).sum())
    total = float((errors**2).sum())
    return {
        "r2": 1 - total / spread if spread > 0 else 0.0,
        "rmse": float(np.sqrt(total / len(targets))),
        "mae": float(np.abs(errors).mean()),
    }


def confusion_matrix(predicted: NDArray, classes: NDArray, n_classes: int) -> NDArray:
    """How often each class (row) was taken for each (column); shape (n_classes, n_classes)."""
    counts = np.bincount(classes * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)
