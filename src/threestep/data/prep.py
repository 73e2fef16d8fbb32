"""Prep: what was learned from the training samples to turn raw samples into arrays.

One rule serves all kinds of input. `Layout` says which columns become which inputs; the raw
inputs are then shifted and scaled by `center` and `scale`:

    numbers     one input each, NaN where missing; center = mean, scale = standard deviation
    0/1 numbers one input, left as it is if none was missing (a stranger's gap becomes 0)
    missing     one 0/1 input per column that had gaps in training; the gap itself becomes the mean
    words       one 0/1 input per level, of many levels the most frequent; one not seen in training is all
                zeros
    dates       numbers: days since 1970, month, day of the month, weekday, hour
    pictures    one input per pixel, divided by the brightest value
    bins        of a number one more input per bin between quantiles of its values: how far through the bin
                the number is, 0 below it, 1 above it or 0 where missing (piecewise linear encoding,
                Gorishniy et al. 2022, arXiv:2203.05556); only where there are enough samples for it

Everything here is learned from the training samples only.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import is_number, numeric_array, shown
from threestep.data.dates import DATE_PARTS, date_order_of, date_parts_of
from threestep.data.kinds import kinds_of, numbers_of, words_of
from threestep.data.table import Table
from threestep.data.target import Target, known_values, label_texts
from threestep.errors import DataError, did_you_mean

_MOST_LEVELS = 100
_SILENCE = 1e12
_FARTHEST = 1e6  # scales from the mean; a stranger's absurd value must not overflow float32
_BINS = (48, 32, 16, 8, 4)  # few numbers of them: a few samples more should not change a network's inputs
_SAMPLES_PER_BIN = 64
_MOST_BINS_IN_ALL = 768
_MOST_VALUES = 1 << 28  # float32: 1 GiB
_BLOCK = 4096
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
    bins : tuple of int
        How many bins each number has; () if none has any.
    dates : tuple of (str, str)
        Columns of dates, whose parts are among the numbers: name, order of day, month and year.
    """

    shape: tuple[int, ...] = ()
    numbers: tuple[str, ...] = ()
    gaps: tuple[int, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    left_out: tuple[str, ...] = ()
    bins: tuple[int, ...] = ()
    dates: tuple[tuple[str, str], ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether one sample is a picture rather than a row of features."""
        return len(self.shape) > 1

    @property
    def n_inputs(self) -> int:
        """How many inputs the network gets."""
        n_numbers = int(np.prod(self.shape)) if self.shape else len(self.numbers)
        n_levels = sum(len(levels) for _, levels in self.words)
        return n_numbers + len(self.gaps) + n_levels + sum(self.bins)

    @property
    def n_plain_inputs(self) -> int:
        """How many of these are no bins; they come first."""
        return self.n_inputs - sum(self.bins)


NO_BINS = np.zeros((2, 0))


class Prep(NamedTuple):
    """What was learned from the training samples.

    Parameters
    ----------
    layout, target
        Settings: the columns, and what is predicted.
    center, scale : ndarray of shape (n_inputs,), float64
        Inputs are (raw - center) / scale.
    target_center, target_scale : float, or tuple of float where there are several numbers
        For numbers: the network's outputs are (target - center) / scale.
    bins : ndarray of shape (2, n_bins), float64
        Where each bin begins, and how wide it is; those of the first number first.
    """

    layout: Layout
    target: Target
    center: NDArray
    scale: NDArray
    target_center: float | tuple[float, ...] = 0.0
    target_scale: float | tuple[float, ...] = 1.0
    bins: NDArray = NO_BINS


def fit_prep(
    train: Table, target: Target, kinds: Mapping[str, str] | None = None, most_bins: int | None = None
) -> Prep:
    """Learn from the training samples how to turn samples into arrays.

    Parameters
    ----------
    train : Table
    target : Target
    kinds : mapping of str to str, or None
        What the user calls some of the columns; see `COLUMN_KINDS`.
    most_bins : int or None
        Of a number; None: by the number of samples.

    Raises
    ------
    DataError
        No column can be used.
    """
    layout = _layout(train, kinds or {})
    if layout.n_inputs == 0:
        raise DataError(
            f"{train.name}: no usable feature column", "expected numbers, dates or words with few levels"
        )
    samples = train if layout.shape else _with_names(layout, train)
    layout, bins = _with_bins(layout, samples, most_bins)
    center, scale = _center_and_scale(layout, _raw_inputs(layout, samples))
    center, scale = np.pad(center, (0, bins.shape[1])), np.pad(scale, (0, bins.shape[1]), constant_values=1.0)
    if target.kind != "number":
        return Prep(layout, target, center, scale, bins=bins)
    columns = np.asarray(train.y, np.float64).reshape(train.n_samples, -1).T
    each = [_center_and_scale_of_target(column, target) for column in columns]
    centers, scales = zip(*each, strict=True)
    if target.n_columns == 1:
        return Prep(layout, target, center, scale, centers[0], scales[0], bins)
    return Prep(layout, target, center, scale, centers, scales, bins)


def _center_and_scale_of_target(y: NDArray, target: Target) -> tuple[float, float]:
    """Mean and standard deviation of a number to predict."""
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
    table = table if prep.layout.shape else _with_names(prep.layout, table)
    raw = _raw_inputs(prep.layout, table)
    n = raw.shape[1]
    with np.errstate(over="ignore"):  # an absurd value becomes infinite here, and is clipped next
        raw -= prep.center[:n].astype(raw.dtype)
        raw /= prep.scale[:n].astype(raw.dtype)
    np.clip(raw, -_FARTHEST, _FARTHEST, out=raw)
    inputs = np.nan_to_num(raw.astype(np.float32, copy=False), copy=False, nan=0.0)
    if not prep.layout.bins:
        return inputs
    return np.concatenate([inputs, _through_bins(prep, _numbers(prep.layout, table))], axis=1)


def without_bins(prep: Prep) -> Prep:
    """The same with no input per bin."""
    n_inputs = prep.layout.n_plain_inputs
    layout = replace(prep.layout, bins=())
    center, scale = prep.center[:n_inputs], prep.scale[:n_inputs]
    return prep._replace(layout=layout, center=center, scale=scale, bins=NO_BINS)


def _through_bins(prep: Prep, matrix: NDArray) -> NDArray:
    """How far through each bin the numbers are: (n_samples, n_bins) float32, from 0 to 1."""
    column_of_bin = np.repeat(np.arange(len(prep.layout.bins)), prep.layout.bins)
    starts, widths = prep.bins
    through = np.empty((len(matrix), len(starts)), np.float32)
    for at in range(0, len(matrix), _BLOCK):
        with np.errstate(over="ignore", invalid="ignore"):
            block = (matrix[at : at + _BLOCK, column_of_bin] - starts) / widths
        through[at : at + _BLOCK] = np.nan_to_num(np.clip(block, 0.0, 1.0), copy=False, nan=0.0)
    return through


def encode_target(prep: Prep, table: Table) -> NDArray:
    """The target as the loss wants it.

    Returns
    -------
    ndarray of shape (n_samples,), or (n_samples, n) for several numbers or labels
        int32 class indices, float32 standardised numbers, or float32 labels of 0 and 1.

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
        _check_columns(y, target)
        with np.errstate(over="ignore"):
            shifted = y - np.asarray(prep.target_center)
            numbers = (shifted / np.asarray(prep.target_scale)).astype(np.float32)
        if not np.isfinite(numbers).all():
            raise DataError(f"target {target.name!r}: has values too large to compute with", _HINT_SCALE)
        return numbers
    if target.kind == "labels":
        y = numeric_array(known_values(table.y, target.name), f"target {target.name!r}")
        _check_columns(y, target)
        return y.reshape(len(y), -1).astype(np.float32)
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


def _check_columns(y: NDArray, target: Target) -> None:
    """Refuse another number of columns than in training.

    Raises
    ------
    DataError
    """
    n_columns = y.shape[1] if y.ndim > 1 else 1
    if n_columns != target.n_columns:
        raise DataError(f"target {target.name!r}: got {n_columns} columns, expected {target.n_columns}")


def _layout(train: Table, kinds: Mapping[str, str]) -> Layout:
    """Which columns become which inputs, seen from the training samples."""
    if isinstance(train.x, np.ndarray):
        gaps = _gap_indices(train.x.reshape(len(train.x), -1))
        return Layout(shape=tuple(train.x.shape[1:]), gaps=gaps)
    found = {name: each.kind for name, each in kinds_of(train.x, kinds).items()}
    numbers = [name for name, kind in found.items() if kind == "number"]
    words = [(name, _levels(words_of(train.x[name]))) for name, kind in found.items() if kind == "category"]
    dates = [(name, _date_order(train.x[name], name)) for name, kind in found.items() if kind == "date"]
    numbers += [part_name(name, part) for name, _ in dates for part in DATE_PARTS]
    left_out = tuple(name for name, kind in found.items() if kind == "ignore")
    layout = Layout((), tuple(numbers), (), tuple(words), left_out, (), tuple(dates))
    matrix = _number_matrix(_with_names(layout, train), numbers)
    return replace(layout, gaps=_gap_indices(matrix))


def part_name(column: str, part: str) -> str:
    """What a part of a date is called."""
    return f"{column}: {part}"


def _levels(column: NDArray) -> tuple[str, ...]:
    """The levels of a category in sorted order; of many the most frequent."""
    known = [str(cell) for cell in column if cell != ""]
    return tuple(sorted(level for level, _ in Counter(known).most_common(_MOST_LEVELS)))


def _date_order(column: NDArray, name: str) -> str:
    """The order of day, month and year in a column of dates.

    Raises
    ------
    DataError
        It is not one of dates.
    """
    order = date_order_of([str(cell) for cell in words_of(column) if cell != ""])
    if order is None:
        raise DataError(f"column {name!r}: got no dates such as 2011-01-31, 31.1.2011 or 1/31/2011")
    return order


def _gap_indices(matrix: NDArray) -> tuple[int, ...]:
    """Columns with missing values."""
    if matrix.dtype.kind != "f":
        return ()
    return tuple(np.flatnonzero(np.isnan(matrix).any(axis=0)).tolist())


def _with_bins(layout: Layout, train: Table, most: int | None) -> tuple[Layout, NDArray]:
    """The layout with as many bins as the samples allow, and those; none for pictures."""
    n_numbers = int(np.prod(layout.shape)) if layout.shape else len(layout.numbers)
    most_inputs = min(_MOST_BINS_IN_ALL, _MOST_VALUES // train.n_samples)
    if most is None:
        room = min(train.n_samples // _SAMPLES_PER_BIN, most_inputs // max(1, n_numbers))
        most = next((size for size in _BINS if size <= room), 0)
    if layout.is_picture or most == 0:
        return layout, NO_BINS
    matrix = _numbers(layout, train)
    edges = [_edges(column.astype(np.float64), most) for column in matrix.T]
    if not any(len(each) for each in edges):
        return layout, NO_BINS
    bins = np.array([np.concatenate([each[:-1] for each in edges]), np.concatenate([*map(np.diff, edges)])])
    return replace(layout, bins=tuple(max(0, len(each) - 1) for each in edges)), bins


def _edges(column: NDArray, most: int) -> NDArray:
    """Where the bins of a number end: quantiles, or all its values if they are few; none for two."""
    known = column[~np.isnan(column)]
    values = np.unique(known)
    if len(values) > most + 1:
        values = np.unique(np.quantile(known, np.linspace(0, 1, most + 1)))
    with np.errstate(over="ignore"):
        widths = np.diff(values)
    is_usable = len(values) > 2 and np.isfinite(widths).all() and (widths > _SMALLEST_SPREAD).all()
    return values if is_usable else values[:0]


def _raw_inputs(layout: Layout, table: Table) -> NDArray:
    """(n_samples, n_inputs but bins): numbers with NaN gaps, then gap flags, then words as 0/1.

    float64 where the numbers are, so that dates and other large values keep their digits until
    they are centred; float32 for pixels and float32 arrays.
    """
    matrix = _numbers(layout, table)
    narrow = matrix.dtype in (np.float32, np.float16, np.uint8, np.int8, np.bool_, np.int16, np.uint16)
    raw = np.empty((len(matrix), layout.n_plain_inputs), np.float32 if narrow else np.float64)
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


def _numbers(layout: Layout, table: Table) -> NDArray:
    """All numbers side by side: (n_samples, n_numbers)."""
    return _matrix_of_array(layout, table) if layout.shape else _number_matrix(table, layout.numbers)


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
    parts = {part_name(name, part) for name, _ in layout.dates for part in DATE_PARTS}
    numbers = [name for name in layout.numbers if name not in parts]
    wanted = [*numbers, *(name for name, _ in (*layout.words, *layout.dates))]
    if isinstance(table.x, np.ndarray):
        if layout.words or layout.dates or table.x.ndim != 2 or table.x.shape[1] != len(wanted):
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
    for name, order in layout.dates:
        for part, values in date_parts_of(words_of(columns[name]).tolist(), order).items():
            columns[part_name(name, part)] = values
    for name, levels in layout.words:
        if columns[name].dtype.kind != "O":
            columns[name] = _words_of_numbers(columns[name], levels)
    return Table(table.name, columns)


def _words_of_numbers(column: NDArray, levels: tuple[str, ...]) -> NDArray:
    """A column that was words in training and looks like numbers now, as the words it was.

    A level such as "01" is found again: few samples may hold no cell that shows they are words.
    """
    if column.dtype.kind == "b":
        texts = [str(cell) for cell in column.tolist()]
        return np.array(texts if set(texts) & set(levels) else words_of(column), dtype=object)
    known = {float(level): level for level in levels if is_number(level)}
    known |= {float(level): level for level in levels if is_number(level) and f"{float(level):.15g}" == level}
    cells = column.astype(np.float64).tolist()
    return np.array([known.get(cell, "") for cell in cells], dtype=object)


def _number_matrix(table: Table, names: list[str] | tuple[str, ...]) -> NDArray:
    """Numeric columns side by side: (n_samples, n_numbers) float64."""
    matrix = np.empty((table.n_samples, len(names)))
    for index, name in enumerate(names):
        column = table.columns()[name]
        matrix[:, index] = numbers_of(column, name) if column.dtype.kind == "O" else column
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
    # a stranger's other value must not meet weights that nothing was learned with
    silent = _SILENCE * np.maximum(1.0, np.abs(mean))
    return center, np.where(constant, silent, np.where(binary, 1.0, spread))


def _is_one_value(raw: NDArray) -> NDArray:
    """Which inputs have one known value only."""
    return np.fmax.reduce(raw, axis=0) == np.fmin.reduce(raw, axis=0)
