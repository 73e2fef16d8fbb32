"""A classifier's target: which classes there are, of which each sample is, and how much each counts."""

from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, column_or_1d

from threestep.data import Target, balanced_weights, is_unknown, whole_numbers
from threestep.errors import DataError, SettingsError

_MOST_NAMED = 20
_HINT_WEIGHT = "give a dict of class to number, such as {0: 1, 1: 5}, 'balanced' or None"


def classes_of(y: Any, classes: Any = None) -> tuple[NDArray, Target]:
    """The classes in their order, of labels their numbers; and the target that they are.

    Parameters
    ----------
    y : array-like of shape (n_samples,), or (n_samples, n_labels)
    classes : array-like or None
        All of them, where y may lack some.

    Raises
    ------
    ValueError, DataError
        There is none, or one only; samples have none, or several of several.
    """
    if y is None:
        raise ValueError("This Classifier estimator requires y to be passed, but the target y is None.")
    check_known(y)
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        n_labels = y.shape[1] if hasattr(y, "shape") else len(y[0])
        return np.arange(n_labels), Target("y", "labels", (), "an indicator matrix", n_labels)
    if kind == "multiclass-multioutput":
        raise ValueError("several columns of classes are not supported: fit one Classifier for each")
    found = np.unique(column_or_1d(y, warn=True) if classes is None else classes)
    if len(found) < 2:
        raise ValueError("Classifier needs samples of at least 2 classes, but y has only one class")
    return found, Target("y", "classes", tuple(range(len(found))), "given")


def given_classes(y: Any) -> Any:
    """y, but that a list with whole numbers of 2^63 or more is an array of these, not of floats."""
    exact = whole_numbers(y) if isinstance(y, (list, tuple)) else None
    return y if exact is None else exact


def are_labels(y: Any) -> bool:
    """Whether each sample has several labels.

    Raises
    ------
    ValueError, DataError
        Samples whose classes are not known.
    """
    check_known(y)
    return type_of_target(y) == "multilabel-indicator"


def check_known(y: Any) -> None:
    """Refuse classes that are not known, or that nobody can put in an order.

    Raises
    ------
    DataError
    """
    values = np.asarray(y)
    if values.dtype.kind != "O" or values.ndim != 1:
        return
    unknown = is_unknown(values)
    if unknown.any():
        raise DataError(
            f"y, sample {int(unknown.argmax()) + 1}: got no class ({int(unknown.sum())} such)",
            "drop the samples without a class",
        )
    are_texts = {isinstance(each, str) for each in values.tolist()}
    if len(are_texts) > 1:
        raise DataError("y has classes that are text and others that are not", "give all of them as text")


def codes_of(y: Any, n_samples: int, classes: NDArray, kind: str) -> NDArray:
    """Indices into the classes, or the labels as they are.

    Parameters
    ----------
    y : array-like of shape (n_samples,), or (n_samples, n_labels)
    n_samples : int
        Of the features.
    classes : ndarray of shape (n_classes,)
    kind : {"classes", "labels"}
        What was learned, or is to be.

    Raises
    ------
    ValueError, DataError
        Another number of samples or labels, a class that is not there, labels other than 0 and 1.
    """
    check_known(y)
    is_wide = type_of_target(y).startswith("multilabel") or type_of_target(y).endswith("multioutput")
    if is_wide != (kind == "labels"):
        got, expected = ("several labels", "one class") if is_wide else ("one class", "several labels")
        raise DataError(f"y has {got} for each sample, expected {expected} as before")
    if is_wide:
        return _checked_labels(y, n_samples, len(classes))
    y = column_or_1d(y)
    if len(y) != n_samples:
        check_consistent_length(np.empty(n_samples), y)
    try:
        places = np.clip(np.searchsorted(classes, y), 0, len(classes) - 1)
        unknown = y[classes[places] != y].tolist()
    except TypeError:  # text among numbers has no place
        places, unknown = np.zeros(n_samples, int), y.tolist()
    if unknown:
        known = classes[:_MOST_NAMED].tolist()
        raise ValueError(f"y has the class {unknown[0]!r}, expected one of {known}")
    return places


def _checked_labels(y: Any, n_samples: int, n_labels: int) -> NDArray:
    """Labels as an array, (n_samples, n_labels)."""
    labels = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    check_consistent_length(np.empty(n_samples), labels)
    if labels.shape[1] != n_labels:
        raise DataError(f"y has {labels.shape[1]} labels for each sample, expected {n_labels} as before")
    if not ((labels == 0) | (labels == 1)).all():
        values = np.unique(labels)[:_MOST_NAMED].tolist()
        raise DataError(f"y: labels must be 0 or 1, got {values}", "convert them: (y > 0).astype(int)")
    return labels


def with_class_weight(
    class_weight: Any, classes: NDArray, codes: NDArray, weight: NDArray | None
) -> NDArray | None:
    """The samples' weights times those of their classes.

    Raises
    ------
    SettingsError
        It is neither a weight of each class nor "balanced", or there are labels rather than classes.
    """
    if class_weight is None:
        return weight
    if codes.ndim > 1:
        raise SettingsError(
            "`class_weight` is given, but y has several labels for each sample, which are no classes",
            "leave it out, or give `sample_weight`",
        )
    own = np.ones(len(codes)) if weight is None else weight
    if isinstance(class_weight, str) and class_weight == "balanced":
        return balanced_weights(codes, len(classes), own)
    return own * _weights_of_classes(class_weight, classes.tolist())[codes]


def _weights_of_classes(class_weight: Any, classes: list) -> NDArray:
    """A weight for each class, 1 for those that are not named; others may be named only beside all of them:
    a fold may lack a class.

    Raises
    ------
    SettingsError
    """
    if not isinstance(class_weight, Mapping):
        raise SettingsError(f"`class_weight` is {class_weight!r}; must be a dict", _HINT_WEIGHT)
    for name, value in class_weight.items():
        if not isinstance(value, Real) or not isfinite(value) or value < 0:
            raise SettingsError(
                f"`class_weight` of class {name!r} is {value!r}; must be a number of 0 or more", _HINT_WEIGHT
            )
    unknown = [name for name in class_weight if name not in classes]
    if unknown and len(class_weight) - len(unknown) < len(classes):
        raise SettingsError(
            f"`class_weight` names the class {unknown[0]!r}, but the classes are {classes[:_MOST_NAMED]}",
            "name them as they are in y; their type counts, too",
        )
    weights = np.array([class_weight.get(name, 1.0) for name in classes], np.float64)
    if not weights.any():
        raise SettingsError("`class_weight` is 0 for all classes; at least two must count", _HINT_WEIGHT)
    return weights
