"""Prep: what was learned from the training samples to turn raw samples into arrays.

One rule serves all kinds of input. `Layout` says which columns become which inputs; the raw
inputs are then shifted and scaled by `center` and `scale`:

    numbers     one input each, NaN where missing; center = mean, scale = standard deviation
    0/1 numbers one input, left as it is if none was missing (a stranger's gap becomes 0)
    missing     one 0/1 input per column that had gaps in training; the gap itself becomes the mean
    words       one 0/1 input per level; a level not seen in training is all zeros
    pictures    one input per pixel, divided by the brightest value

Everything here is learned from the training samples only.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import is_number, numeric_array, shown
from threestep.data.table import Table
from threestep.data.target import Target, known_values, label_texts
from threestep.errors import DataError, did_you_mean

_MOST_LEVELS = 100
_FARTHEST = 1e6  # scales from the mean; a stranger's absurd value must not overflow float32
_SMALLEST_SPREAD = float(np.finfo(np.float32).tiny)
_HINT_SCALE = "scale the column down"


@dataclass(frozen=True)
class Layout:
    """Which columns become which inputs: plain settings, no arrays.

    Parameters
    ----------
    shape : tuple of int
        Of one sample, if the samples come as one array without names; else ().
    numbers : tuple of str
        Names of the numeric columns, if they have names.
    gaps : tuple of int
        Indices of the numbers that had missing values in training.
    words : tuple of (str, tuple of str)
        Names of the text columns with their levels.
    left_out : tuple of str
        Columns that are not used.
    """

    shape: tuple[int, ...] = ()
    numbers: tuple[str, ...] = ()
    gaps: tuple[int, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether one sample is a picture rather than a row of features."""
        return len(self.shape) > 1

    @property
    def n_inputs(self) -> int:
        """How many inputs the network gets."""
        n_numbers = int(np.prod(self.shape)) if self.shape else len(self.numbers)
        return n_numbers + len(self.gaps) + sum(len(levels) for _, levels in self.words)


class Prep(NamedTuple):
    """What was learned from the training samples.

    Parameters
    ----------
    layout, target
        Settings: the columns, and what is predicted.
    center, scale : ndarray of shape (n_inputs,), float64
        Inputs are (raw - center) / scale.
    target_center, target_scale : float
        For a number: the network's output is (target - center) / scale.
    """

    layout: Layout
    target: Target
    center: NDArray
    scale: NDArray
    target_center: float = 0.0
    target_scale: float = 1.0


def fit_prep(train: Table, target: Target) -> Prep:
    """Learn from the training samples how to turn samples into arrays.

    Raises
    ------
    DataError
        No column can be used.
    """
    layout = _layout(train)
    if layout.n_inputs == 0:
        raise DataError(
            f"{train.name}: no usable feature column", "expected numbers or words with few levels"
        )
    raw = _raw_inputs(layout, train)
    center, scale = _center_and_scale(layout, raw)
    if target.kind == "classes":
        return Prep(layout, target, center, scale)
    return Prep(layout, target, center, scale, *_center_and_scale_of_target(train, target))


def _center_and_scale_of_target(train: Table, target: Target) -> tuple[float, float]:
    """Mean and standard deviation of a number to predict."""
    y = np.asarray(train.y, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = float(y.mean()), float(y.std())
    if not np.isfinite([mean, spread]).all():
        raise DataError(f"target {target.name!r}: has values too large to compute with", _HINT_SCALE)
    return mean, spread if y.min() < y.max() and spread >= _SMALLEST_SPREAD else 1.0


def encode(prep: Prep, table: Table) -> NDArray:
    """The network's inputs.

    Returns
    -------
    ndarray of shape (n_samples, n_inputs), float32

    Raises
    ------
    DataError
        A column is missing, has text where a number belongs, or the shape differs from training.
    """
    raw = _raw_inputs(prep.layout, table)
    with np.errstate(over="ignore"):  # an absurd value becomes infinite here, and is clipped next
        raw -= prep.center.astype(raw.dtype)
        raw /= prep.scale.astype(raw.dtype)
    np.clip(raw, -_FARTHEST, _FARTHEST, out=raw)
    return np.nan_to_num(raw.astype(np.float32, copy=False), copy=False, nan=0.0)


def encode_target(prep: Prep, table: Table) -> NDArray:
    """The target as the loss wants it.

    Returns
    -------
    ndarray of shape (n_samples,)
        int32 class indices, or float32 standardised numbers.

    Raises
    ------
    DataError
        A class that was not there in training, or text where a number belongs.
    """
    target = prep.target
    if table.y is None:
        raise DataError(f"{table.name}: has no target {target.name!r}", "evaluation needs labelled samples")
    if target.kind == "number":
        y = numeric_array(known_values(table.y, target.name), f"target {target.name!r}").astype(np.float64)
        with np.errstate(over="ignore"):
            numbers = ((y - prep.target_center) / prep.target_scale).astype(np.float32)
        if not np.isfinite(numbers).all():
            raise DataError(f"target {target.name!r}: has values too large to compute with", _HINT_SCALE)
        return numbers
    index_of = {str(label): index for index, label in enumerate(target.classes)}
    texts = label_texts(known_values(table.y, target.name)).tolist()
    unknown = sorted(set(texts) - set(index_of))
    if unknown:
        raise DataError(
            f"target {target.name!r}: got class(es) {', '.join(map(shown, unknown[:5]))}, "
            "not seen in training",
            did_you_mean(unknown[0], index_of),
        )
    return np.array([index_of[text] for text in texts], np.int32)


def _layout(train: Table) -> Layout:
    """Which columns become which inputs, seen from the training samples."""
    if isinstance(train.x, np.ndarray):
        gaps = _gap_indices(train.x.reshape(len(train.x), -1))
        return Layout(shape=tuple(train.x.shape[1:]), gaps=gaps)
    numbers, words, left_out = [], [], []
    for name, column in train.x.items():
        if column.dtype.kind != "O":
            numbers.append(name)
            continue
        levels = sorted({str(cell) for cell in column if cell != ""})
        if 0 < len(levels) <= _MOST_LEVELS:
            words.append((name, tuple(levels)))
        else:
            left_out.append(name)
    matrix = _number_matrix(train, numbers)
    return Layout((), tuple(numbers), _gap_indices(matrix), tuple(words), tuple(left_out))


def _gap_indices(matrix: NDArray) -> tuple[int, ...]:
    """Columns with missing values."""
    if matrix.dtype.kind != "f":
        return ()
    return tuple(np.flatnonzero(np.isnan(matrix).any(axis=0)).tolist())


def _raw_inputs(layout: Layout, table: Table) -> NDArray:
    """(n_samples, n_inputs): numbers with NaN gaps, then gap flags, then words as 0/1.

    float64 where the numbers are, so that dates and other large values keep their digits until
    they are centred; float32 for pixels and float32 arrays.
    """
    table = table if layout.shape else _with_names(layout, table)
    matrix = _matrix_of_array(layout, table) if layout.shape else _number_matrix(table, layout.numbers)
    narrow = matrix.dtype in (np.float32, np.float16, np.uint8, np.int8, np.bool_, np.int16, np.uint16)
    raw = np.empty((len(matrix), layout.n_inputs), np.float32 if narrow else np.float64)
    raw[:, : matrix.shape[1]] = matrix
    at = matrix.shape[1]
    raw[:, at : at + len(layout.gaps)] = np.isnan(raw[:, list(layout.gaps)])
    at += len(layout.gaps)
    for name, levels in layout.words:
        place = {level: at + index for index, level in enumerate(levels)}
        places = np.array([place.get(str(cell), -1) for cell in table.columns()[name]], dtype=int)
        raw[:, at : at + len(levels)] = 0
        raw[np.flatnonzero(places >= 0), places[places >= 0]] = 1
        at += len(levels)
    return raw


def _matrix_of_array(layout: Layout, table: Table) -> NDArray:
    """Samples of one array, flattened: (n_samples, n_features)."""
    x = table.x if isinstance(table.x, np.ndarray) else _number_matrix(table, list(table.x))
    n_features = int(np.prod(layout.shape))
    if int(np.prod(x.shape[1:])) != n_features:
        raise DataError(
            f"{table.name}: got samples of shape {x.shape[1:]}, expected {layout.shape} as in training",
            "prediction needs the same inputs as training",
        )
    return x.reshape(len(x), n_features)


def _with_names(layout: Layout, table: Table) -> Table:
    """A table with all columns of the layout, or an error that names the missing ones.

    An array without names is taken in the order of training.
    """
    wanted = [*layout.numbers, *(name for name, _ in layout.words)]
    if isinstance(table.x, np.ndarray):
        if layout.words or table.x.ndim != 2 or table.x.shape[1] != len(wanted):
            raise DataError(
                f"{table.name}: got an array of shape {table.x.shape}, "
                f"expected columns {', '.join(wanted[:8])}",
                "give a data frame or a file with these columns",
            )
        return Table(table.name, {name: table.x[:, index] for index, name in enumerate(wanted)})
    absent = [name for name in wanted if name not in table.x]
    if absent:
        raise DataError(
            f"{table.name}: column(s) missing: {', '.join(absent[:8])}", did_you_mean(absent[0], table.x)
        )
    columns = dict(table.x)
    for name, levels in layout.words:
        if columns[name].dtype.kind != "O":
            columns[name] = _words_of_numbers(columns[name], levels)
    return Table(table.name, columns)


def _words_of_numbers(column: NDArray, levels: tuple[str, ...]) -> NDArray:
    """A column that was words in training and looks like numbers now, as the words it was.

    A level such as "01" is found again: few samples may hold no cell that shows they are words.
    """
    if column.dtype.kind == "b":
        return np.array([str(cell) for cell in column.tolist()], dtype=object)
    known = {float(level): level for level in levels if is_number(level)}
    known |= {float(level): level for level in levels if is_number(level) and f"{float(level):.15g}" == level}
    cells = column.astype(np.float64).tolist()
    return np.array([known.get(cell, "") for cell in cells], dtype=object)


def _number_matrix(table: Table, names: list[str] | tuple[str, ...]) -> NDArray:
    """Numeric columns side by side: (n_samples, n_numbers) float64."""
    matrix = np.empty((table.n_samples, len(names)))
    for index, name in enumerate(names):
        column = table.columns()[name]
        if column.dtype.kind == "O":
            row = next((row for row, cell in enumerate(column) if cell != "" and not is_number(cell)), 0)
            raise DataError(
                f"column {name!r}, sample {row + 1}: got text such as {shown(column[row])}, "
                "expected numbers as in training",
                "check the column's values",
            )
        matrix[:, index] = column
    return matrix


def _center_and_scale(layout: Layout, raw: NDArray) -> tuple[NDArray, NDArray]:
    """float64 (n_inputs,) each: (raw - center) / scale is what the network sees."""
    n_inputs = raw.shape[1]
    if layout.is_picture:
        n_pixels = n_inputs - len(layout.gaps)
        brightest = float(np.fmax.reduce(np.abs(raw[:, :n_pixels]), axis=None))
        scale = np.ones(n_inputs)
        scale[:n_pixels] = brightest if brightest >= _SMALLEST_SPREAD else 1.0
        return np.zeros(n_inputs), scale
    known = ~np.isnan(raw)
    counts = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, raw, 0.0).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = filled.sum(axis=0) / counts
        spread = np.sqrt(np.where(known, (filled - mean) ** 2, 0.0).sum(axis=0) / counts)
    if not (np.isfinite(mean) & np.isfinite(spread)).all():
        place = int((~(np.isfinite(mean) & np.isfinite(spread))).argmax())
        name = layout.numbers[place] if layout.numbers else f"input {place + 1}"
        raise DataError(f"{name!r}: has values too large to compute with", _HINT_SCALE)
    binary = ((raw == 0) | (raw == 1)).all(axis=0)
    # seconds since 1970 vary in their last digits: float64 keeps them, float32 does not
    noise = 1e-7 if raw.dtype == np.float32 else 1e-12
    constant = (spread <= noise * np.abs(mean)) | (spread < _SMALLEST_SPREAD) | _is_one_value(raw)
    center = np.where(binary, 0.0, mean)
    return center, np.where(binary | constant, 1.0, spread)


def _is_one_value(raw: NDArray) -> NDArray:
    """Which inputs have one known value only."""
    return np.fmax.reduce(raw, axis=0) == np.fmin.reduce(raw, axis=0)
