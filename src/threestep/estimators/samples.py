"""What scikit-learn hands over, to a `Table`."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d, validate_data

from threestep.data import Split, Table, read, split
from threestep.errors import UserError
from threestep.model import Model

_FEWEST_TO_SPLIT = 40
_MANY, _MOST_REPEATED = 200, 100_000  # samples, counted by their weights
_MIX = np.uint64(0x9E3779B97F4A7C15)  # Steele, Lea & Flood 2014


@contextmanager
def value_errors() -> Iterator[None]:
    """A mistake the user can mend, as the error that scikit-learn's estimators raise for it.

    Raises
    ------
    ValueError
        With the hint.
    """
    try:
        yield
    except UserError as error:
        raise ValueError(str(error)) from error


def table_of(estimator: Any, X: Any, *, is_new: bool) -> Table:
    """Samples as scikit-learn's estimators take them: an array of numbers, or a data frame.

    Parameters
    ----------
    estimator : BaseEstimator
        Remembers the features, or is asked for them.
    X : array-like or data frame of shape (n_samples, n_features)
        NaN is missing. In a frame columns may be words. Columns without names are x0, x1, ...
    is_new : bool
        Whether the estimator learns from these.

    Raises
    ------
    ValueError, TypeError
        As scikit-learn's own.
    """
    if not is_new and _is_plain(estimator, X):
        return _table_of_numbers(estimator, X, is_new)
    was_mixed = not is_new and _knows_columns(estimator) and hasattr(X, "columns")
    if is_mixed_frame(X) or was_mixed:
        validate_data(estimator, X, reset=is_new, skip_check_array=True)
        with value_errors():
            return read(X)
    kinds = [np.float64, np.float32]
    try:
        x: Any = validate_data(estimator, X, reset=is_new, dtype=kinds, ensure_all_finite="allow-nan")
    except ValueError as error:
        raise ValueError(f"{error}{_hint_on(X)}") from error
    return _table_of_numbers(estimator, x, is_new)


def _is_plain(estimator: Any, X: Any) -> bool:
    """Whether it is such an array that scikit-learn's checks, which take as long as a small network's answer,
    would hand it back as it is."""
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
        and not np.isinf(X).any()
    )


def _table_of_numbers(estimator: Any, x: NDArray, is_new: bool) -> Table:
    """An array of numbers; as columns where it is known of each what it is."""
    if estimator.column if is_new else _knows_columns(estimator):
        names = getattr(estimator, "feature_names_in_", [f"x{column}" for column in range(x.shape[1])])
        return Table("array", dict(zip(names, x.T, strict=True)))
    return Table("array", x)


def _knows_columns(estimator: Any) -> bool:
    """Whether it learned from columns that were not all numbers, or not all used."""
    model = getattr(estimator, "model_", None)
    if model is None:
        return False
    layout = model.prep.layout
    are_all_numbers = len(layout.numbers) == estimator.n_features_in_ and not layout.dates
    return not (layout.shape or are_all_numbers)


def is_mixed_frame(X: Any) -> bool:
    """Whether it is a data frame with columns that are not numbers, or do not say so as NumPy does."""
    if isinstance(X, (np.ndarray, list, tuple)) or not hasattr(X, "columns"):
        return False
    if not hasattr(X, "dtypes"):  # such as pyarrow's
        return True
    return any(getattr(kind, "kind", "O") not in "biuf" for kind in X.dtypes)


def _hint_on(X: Any) -> str:
    """What else to do with samples that are no table of numbers; empty where that is not what is wrong."""
    if not isinstance(X, (list, np.ndarray)):
        return ""
    array = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=object)
    if array.ndim > 2:
        return "\nhint: `threestep.fit((X, y))` takes pictures and other arrays; or X.reshape(len(X), -1)"
    has_words = array.dtype.kind in "OUS" and any(isinstance(each, str) for each in array.ravel().tolist())
    return "\nhint: give text columns as a data frame" if has_words else ""


def with_column_names(model: Model, estimator: Any) -> Model:
    """The model with the names that the columns of an array had in a data frame, so that it finds them by
    these: an array is read faster, and what is learned does not depend on names."""
    layout, names = model.prep.layout, getattr(estimator, "feature_names_in_", ())
    if not layout.shape or len(set(names)) != layout.n_numbers:
        return model
    named = replace(layout, shape=(), numbers=tuple(map(str, names)))
    return replace(model, prep=model.prep._replace(layout=named))


def weights_of(sample_weight: Any, n_samples: int) -> NDArray | None:
    """One weight per sample; None stays None.

    Raises
    ------
    ValueError
        Another number of them, negative, not finite, or all zero.
    """
    if sample_weight is None:
        return None
    weight = np.full(n_samples, sample_weight) if np.isscalar(sample_weight) else sample_weight
    weight = check_array(weight, ensure_2d=False, dtype="float64", input_name="sample_weight")
    if weight.shape != (n_samples,):
        raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(n_samples,)}!")
    if (weight < 0).any():
        raise ValueError("Negative values in sample_weight: expected weights of 0 or more")
    if not (weight > 0).any():
        raise ValueError("Sample weights must contain at least one non-zero number")
    return weight


def in_own_order(table: Table, has_groups: bool = False) -> Table:
    """The samples that have weight, in an order of their own: what is learned does not depend on theirs.

    Where there are too few different ones to divide, a weight of 2 is the same as the sample twice: of few
    samples equal ones become one with their weights added, of many each stands there as often as it weighs.
    Where there are enough different ones they stay apart: also among new samples some will equal one that was
    learned from, and the validation samples should be like those.
    """
    weight = np.ones(table.n_samples) if table.weight is None else np.asarray(table.weight, np.float64)
    columns = [*_columns(table.x), *_columns(np.asarray(table.y))]
    keys = _keys(columns)
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    is_by_chance = not all(_equal(column, column[first][group]) for column in columns)  # equal keys only
    if is_by_chance or has_groups or len(first) >= _FEWEST_TO_SPLIT:  # equal ones may be of other groups
        first, weights = np.argsort(keys, kind="stable"), weight[np.argsort(keys, kind="stable")]
    else:
        weights = np.bincount(group, weight, len(first))
        if _MANY <= weights.sum() <= _MOST_REPEATED and (weights == np.round(weights)).all():
            first = np.repeat(first, weights.astype(np.int64))
            weights = np.ones(len(first))
    known = weights > 0
    is_even = bool((weights[known] == weights[known][0]).all())
    return replace(table.take(first[known]), weight=None if is_even else weights[known])


def _columns(values: Any) -> list[NDArray]:
    """Columns side by side, of an array or a mapping."""
    if isinstance(values, np.ndarray):
        return list(values.reshape(len(values), -1).T)
    return list(values.values())


def _keys(columns: list[NDArray]) -> NDArray:
    """A number per row that equal rows share, and hardly any others (uint64)."""
    keys = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        if column.dtype.kind == "O":
            _, codes = np.unique(column.astype(str), return_inverse=True)
        else:
            codes = (column.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 is 0.0
        keys = (keys ^ codes.astype(np.uint64)) * _MIX
        keys ^= keys >> np.uint64(31)
    return keys


def _equal(column: NDArray, other: NDArray) -> bool:
    is_float = column.dtype.kind == "f"
    return bool(np.array_equal(column, other, equal_nan=is_float))


def groups_of(groups: Any, n_samples: int) -> NDArray | None:
    """Whose each sample is; None stays None.

    Raises
    ------
    ValueError
        Another number of them.
    """
    if groups is None:
        return None
    groups = column_or_1d(groups)
    check_consistent_length(np.empty(n_samples), groups)
    return groups


def parts_of(
    table: Table, valid_fraction: float, seed: int, by_class: bool, groups: NDArray | None = None
) -> Split:
    """Who learns and who chooses, those of a group together; of few samples all do both."""
    nobody = table.take(np.arange(0))
    if table.n_samples < _FEWEST_TO_SPLIT:
        return Split(table, table, nobody)
    return split(table, valid_fraction, 0.0, seed, by_class, groups)


def warn_of_notes(notes: tuple[str, ...]) -> None:
    """What was noticed when the samples were read."""
    for note in notes:
        warnings.warn(note, UserWarning, stacklevel=4)
