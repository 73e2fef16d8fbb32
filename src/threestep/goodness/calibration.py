"""Confidences that are what they say: one number by which the outputs are divided."""

import sys
import threading
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

_SEARCHES = "scipy.optimize"
_MOST_SAMPLES = 20_000
_WIDEST = 3.0  # of the logarithm of a temperature
_STIFFNESS = 2.0  # nats that a temperature of e or 1/e must gain over all samples together


def temperature_of(kind: str, outputs: NDArray, targets: NDArray, weight: NDArray | None = None) -> float:
    """The temperature at which confidences fit the samples best (Guo et al. 2017, arXiv:1706.04599).

    Parameters
    ----------
    kind : {"classes", "labels"}
    outputs : ndarray of shape (n_samples, n_outputs)
        Before softmax or sigmoid; of samples that no param was fitted to.
    targets : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Class indices, or labels of 0 and 1.
    weight : ndarray of shape (n_samples,) or None

    Returns
    -------
    float
        1 if no other lowers the loss. Few samples hardly move it: what they say is partly luck.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> sure = np.array([[4.0, -4.0]] * 1000)  # and wrong in one of four cases
    >>> round(ts.goodness.temperature_of("classes", sure, np.arange(1000) % 4 // 3), 1)
    7.0
    """
    rows = some_of(len(outputs), _MOST_SAMPLES)
    outputs, targets = np.asarray(outputs[rows], np.float64), np.asarray(targets[rows])
    weight = np.ones(len(outputs)) if weight is None else np.asarray(weight, np.float64)[rows]
    losses = _label_losses if kind == "labels" else _class_losses

    def badness(log_temperature: float) -> float:
        total = float((weight * losses(outputs / np.exp(log_temperature), targets)).sum()) / weight.mean()
        return total + _STIFFNESS * log_temperature**2

    from scipy.optimize import minimize_scalar  # imported here: see `import_beside`

    best = minimize_scalar(badness, bounds=(-_WIDEST, _WIDEST), method="bounded").x
    return float(np.exp(best)) if badness(best) < badness(0.0) else 1.0


def some_of(n: int, most: int) -> NDArray | slice:
    """Which of n samples to look at: all, or so many at random, the same each time. Never every how many-th:
    they may lie there in turns."""
    if n <= most:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(n, most, replace=False))


def import_beside() -> None:
    """Begin to import what a temperature is found with, in a thread: that takes half a second, which is not
    missed while a device computes."""
    if _SEARCHES not in sys.modules:
        threading.Thread(target=import_module, args=(_SEARCHES,), name="import", daemon=True).start()


def _class_losses(outputs: NDArray, classes: NDArray) -> NDArray:
    """Cross-entropy of each sample."""
    outputs = outputs - outputs.max(axis=1, keepdims=True)
    return np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(len(classes)), classes]


def _label_losses(outputs: NDArray, labels: NDArray) -> NDArray:
    """Mean cross-entropy over the labels of each sample."""
    return (np.logaddexp(0, outputs) - labels * outputs).mean(axis=1)
