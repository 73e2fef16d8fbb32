"""How much of the answer a layer already knows: a linear probe (Alain & Bengio 2016, arXiv:1610.01644)."""

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1.0


def probe_score(x: NDArray, y: NDArray, kind: str) -> float:
    """How well a linear function of x tells y: the accuracy (of labels the mean one), or R²; by ridge
    regression, each half of the samples judged by the function that was fitted to the other.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    kind : {"classes", "labels", "number"}
    """
    halves = np.arange(len(y)) % 2
    wanted = _wanted(y, kind, int(y.max()) + 1 if kind == "classes" else 0)
    answers = np.empty_like(wanted)
    for half in (0, 1):
        fit, judge = halves == half, halves != half
        if not fit.any() or not judge.any():
            return float("nan")
        answers[judge] = _linear_answers(x[fit], wanted[fit], x[judge])
    return _score(answers, wanted, kind)


def probe_between(learned: tuple[NDArray, NDArray], judged: tuple[NDArray, NDArray], kind: str) -> float:
    """As `probe_score`, of a function fitted to the first samples, (x, y), and judged by the others."""
    n_classes = int(max(learned[1].max(), judged[1].max())) + 1 if kind == "classes" else 0
    fitted, wanted = (_wanted(y, kind, n_classes) for _, y in (learned, judged))
    return _score(_linear_answers(learned[0], fitted, judged[0]), wanted, kind)


def _wanted(y: NDArray, kind: str, n_classes: int) -> NDArray:
    """What a linear function should answer: of classes, 1 for the right one."""
    return np.eye(n_classes)[y] if kind == "classes" else np.asarray(y, np.float64).reshape(len(y), -1)


def _linear_answers(x: NDArray, wanted: NDArray, others: NDArray) -> NDArray:
    """Of other samples, by ridge regression on x."""
    center, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled, mean = (x - center) / spread, wanted.mean(axis=0)
    gram = scaled.T @ scaled + _RIDGE * np.eye(x.shape[1])
    weight = np.linalg.solve(gram, scaled.T @ (wanted - mean))
    return (others - center) / spread @ weight + mean


def _score(answers: NDArray, wanted: NDArray, kind: str) -> float:
    if kind == "classes":
        return float((answers.argmax(axis=1) == wanted.argmax(axis=1)).mean())
    if kind == "labels":
        return float(((answers > 0.5) == (wanted > 0.5)).mean())
    total = np.square(wanted - wanted.mean(axis=0)).sum()
    return float(1 - np.square(wanted - answers).sum() / total) if total > 0 else float("nan")
