"""Metrics on the host: what people read beside the loss."""

import numpy as np
from numpy.typing import NDArray

_N_BINS = 15
_SUREST = 1e-15  # a confidence of 0 in the right class would be an infinite log-loss


def class_metrics(
    confidences: NDArray,
    classes: NDArray,
    predicted: NDArray | None = None,
    weight: NDArray | None = None,
) -> dict[str, float]:
    """Metrics of class predictions.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples, n_classes)
        Rows sum to 1.
    classes : ndarray of shape (n_samples,), int
        The right class of each.
    predicted : ndarray of shape (n_samples,), int, or None
        The class that was said; None: the one with the highest confidence.
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.

    Returns
    -------
    dict
        accuracy; balanced_accuracy (mean recall of the classes that occur); f1 (of the second of two
        classes, else the mean over classes); auc (of two classes, else the mean of one class against the
        rest; NaN where only one class occurs); log_loss (nats); ece: expected calibration error (Guo et al.
        2017, arXiv:1706.04599), in 15 bins.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.goodness.class_metrics(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))["accuracy"]
    1.0
    """
    n_classes = confidences.shape[1]
    said: NDArray = confidences.argmax(axis=1) if predicted is None else predicted
    weight = np.ones(len(classes)) if weight is None else np.asarray(weight, np.float64)
    counts = np.bincount(classes * n_classes + said, weight, n_classes**2).reshape(n_classes, n_classes)
    right, of_class, as_class = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    known = of_class > 0
    own = np.clip(confidences[np.arange(len(classes)), classes].astype(np.float64), _SUREST, 1.0)
    return {
        "accuracy": float(np.average(said == classes, weights=weight)),
        "balanced_accuracy": float((right[known] / of_class[known]).mean()),
        "f1": _f1(right, of_class, as_class),
        "auc": _auc(confidences, classes, weight),
        "log_loss": float(-np.average(np.log(own), weights=weight)),
        "ece": _calibration_error(confidences[np.arange(len(said)), said], said == classes, weight),
    }


def metrics_by_class(counts: NDArray) -> list[dict[str, float | int]]:
    """How good predictions are, class by class.

    Parameters
    ----------
    counts : ndarray of shape (n_classes, n_classes), int
        As of `confusion_matrix`.

    Returns
    -------
    list of dict
        n_samples of the class; precision: share of what was taken for it that is of it; recall: share of it
        that was taken for it; f1: their harmonic mean. All 0 where there is nothing to share.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.goodness.metrics_by_class(np.array([[2, 0], [2, 4]]))[0]
    {'n_samples': 2, 'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666}
    """
    right, of_class, as_class = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)

    def share(part: NDArray, whole: NDArray) -> list[float]:
        return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0).tolist()

    columns = share(right, as_class), share(right, of_class), share(2 * right, of_class + as_class)
    return [
        {"n_samples": n, "precision": precision, "recall": recall, "f1": f1}
        for n, precision, recall, f1 in zip(of_class.tolist(), *columns, strict=True)
    ]


def calibration_bins(confidences: NDArray, is_right: NDArray) -> list[dict[str, float | int]]:
    """What is behind the calibration error: how sure answers were, and how many of them are right.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples,)
        In what was said.
    is_right : ndarray of shape (n_samples,), bool

    Returns
    -------
    list of dict
        Of each of 15 bins that is not empty: n_samples, confidence (mean), accuracy.
    """
    sure = confidences.astype(np.float64)
    bins = _bins_of(sure)
    return [
        {
            "n_samples": int((own := bins == place).sum()),
            "confidence": float(sure[own].mean()),
            "accuracy": float(is_right[own].mean()),
        }
        for place in np.unique(bins)
    ]


def _bins_of(sure: NDArray) -> NDArray:
    return np.clip(np.ceil(sure * _N_BINS).astype(int) - 1, 0, _N_BINS - 1)


def _f1(right: NDArray, of_class: NDArray, as_class: NDArray) -> float:
    """Harmonic mean of precision and recall."""
    total = of_class + as_class
    each = np.divide(2 * right, total, out=np.zeros(len(total)), where=total > 0)
    return float(each[1]) if len(each) == 2 else float(each[total > 0].mean())


def _auc(confidences: NDArray, classes: NDArray, weight: NDArray) -> float:
    """Area under the ROC curve: how often a sample of a class is ranked above one that is not of it."""
    asked = [1] if confidences.shape[1] == 2 else range(confidences.shape[1])
    areas = np.array([_area(confidences[:, index], classes == index, weight) for index in asked])
    known = areas[np.isfinite(areas)]  # a class may not occur
    return float(known.mean()) if len(known) else float("nan")


def _area(scores: NDArray, is_one: NDArray, weight: NDArray) -> float:
    """How many of the others are below each positive (Mann & Whitney 1947), half of those as high."""
    _, place = np.unique(scores, return_inverse=True)
    ones, others = (np.bincount(place, own) for own in (weight * is_one, weight * ~is_one))
    pairs = ones.sum() * others.sum()
    if pairs == 0:
        return float("nan")
    below = np.cumsum(others) - others / 2
    return float((ones * below).sum() / pairs)


def _calibration_error(confidences: NDArray, is_right: NDArray, weight: NDArray) -> float:
    """By how much the confidence in what was said differs from the share that is right, averaged over bins of
    confidence."""
    sure = confidences.astype(np.float64)
    bins = _bins_of(sure)
    gaps = np.bincount(bins, weight * sure, _N_BINS) - np.bincount(bins, weight * is_right, _N_BINS)
    return float(np.abs(gaps).sum() / weight.sum())


def label_metrics(confidences: NDArray, labels: NDArray, weight: NDArray | None = None) -> dict[str, float]:
    """Metrics of several yes-or-no labels.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples, n_labels)
        Of a yes.
    labels : ndarray of shape (n_samples, n_labels)
        0 or 1.
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.

    Returns
    -------
    dict
        accuracy (share of samples with all labels right) and label_accuracy (share of labels that are).
    """
    is_right = (confidences > 0.5) == (labels > 0.5)
    return {
        "accuracy": float(np.average(is_right.all(axis=1), weights=weight)),
        "label_accuracy": float(np.average(is_right.mean(axis=1), weights=weight)),
    }


def number_metrics(predictions: NDArray, targets: NDArray, weight: NDArray | None = None) -> dict[str, float]:
    """Errors of number predictions, in the target's own unit.

    Parameters
    ----------
    predictions, targets : ndarray of shape (n_samples,), or (n_samples, n_numbers)
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.

    Returns
    -------
    dict
        r2 (1 is perfect, 0 as good as the mean; 0 where all targets are equal), rmse, mae; of several
        numbers the mean of each.
    """
    targets = np.asarray(targets, np.float64).reshape(len(targets), -1)
    errors = np.asarray(predictions, np.float64).reshape(targets.shape) - targets
    weight = np.ones(len(targets)) if weight is None else np.asarray(weight, np.float64)
    counts = weight[:, np.newaxis]
    center = (counts * targets).sum(axis=0) / weight.sum()
    spread = (counts * (targets - center) ** 2).sum(axis=0)
    total = (counts * errors**2).sum(axis=0)
    differ = targets.max(axis=0) > targets.min(axis=0)  # the mean of equal ones may be another number
    r2 = np.where(differ, 1 - total / np.where(differ, spread, 1.0), 0.0)
    return {
        "r2": float(r2.mean()),
        "rmse": float(np.sqrt(total / weight.sum()).mean()),
        "mae": float((counts * np.abs(errors)).sum(axis=0).mean() / weight.sum()),
    }


def confusion_matrix(predicted: NDArray, classes: NDArray, n_classes: int) -> NDArray:
    """How often each class (row) was taken for each (column); shape (n_classes, n_classes)."""
    counts = np.bincount(classes * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)
