"""By what functions are compared in the end, if not by their loss."""

import numpy as np
from numpy.typing import NDArray

from threestep.errors import SettingsError
from threestep.goodness.confidences import sigmoid, softmax
from threestep.goodness.metrics import class_metrics, label_metrics, number_metrics

_OF_KINDS = {
    "classes": ("accuracy", "balanced_accuracy", "f1", "auc", "log_loss", "ece"),
    "labels": ("accuracy", "label_accuracy"),
    "number": ("r2", "rmse", "mae"),
}
_ERRORS = ("log_loss", "ece", "rmse", "mae")  # lower is better


def check_metric(kind: str, name: str) -> None:
    """Refuse a metric that a kind of target does not have.

    Raises
    ------
    SettingsError
    """
    if name != "loss" and name not in _OF_KINDS[kind]:
        known = ", ".join(("loss", *_OF_KINDS[kind]))
        raise SettingsError(f"`score_metric` is {name!r}, but the target is {kind}", f"one of {known}")


def metric_score(
    kind: str,
    name: str,
    outputs: NDArray,
    targets: NDArray,
    decided: NDArray | None = None,
    weight: NDArray | None = None,
) -> float:
    """A metric as a score: higher is always better, so that errors have a minus.

    Parameters
    ----------
    kind : {"classes", "labels", "number"}
    name : str
        One that the kind has.
    outputs : ndarray of shape (n_samples, n_outputs)
        Of a network.
    targets : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class indices, labels, or numbers in the unit of the outputs.
    decided : ndarray of shape (n_samples,), int, or None
        The class that is said of each; None: the one with the highest output.
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.

    Returns
    -------
    float
        Minus infinity where the metric is not defined.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.goodness.metric_score("number", "mae", np.array([[1.0], [3.0]]), np.array([1.0, 2.0]))
    -0.5
    """
    if kind == "classes":
        metrics = class_metrics(softmax(outputs), targets, decided, weight)
    elif kind == "labels":
        metrics = label_metrics(sigmoid(outputs), targets, weight)
    else:
        metrics = number_metrics(outputs, targets.reshape(len(targets), -1), weight)
    value = -metrics[name] if name in _ERRORS else metrics[name]
    return value if np.isfinite(value) else -np.inf
