"""Prep: what was learned from the training samples to turn raw samples into arrays.

One rule serves all kinds of input. `Layout` says which columns become which inputs; the raw
inputs are then shifted and scaled by `center` and `scale`:

    numbers     one input each, NaN where missing; center = mean, scale = standard deviation
    0/1 numbers one input, neither shifted nor scaled if none was missing (a stranger's gap becomes 0)
    missing     one 0/1 input per column that had gaps in training; the gap itself becomes the center
    words       one input per level, of very many levels the most frequent: 1 for the sample's own, or less
                where there are many, 0 for the others; one not seen in training is all zeros. The weights of
                the first layer make of it an embedding as wide as that layer
    means       of a category with more levels than inputs also what the target usually is where it has the
                sample's level (`level_means.py`), 0 where that is not known
    dates       numbers: days since 1970, month, day of the month, weekday, hour
    pictures    one input per pixel, divided by the brightest value; a missing one is 0
    tails       of a number of which a few are very far out, center and scale are by the quartiles where these
                say more (`spreads.py`), and what it comes to is brought smoothly within `clip` scales,
                z / sqrt(1 + (z / clip)²): so these are heard, but do not drown the others
    bins        of a number one more input per bin between quantiles of its values: how far through the bin
                the number is, 0 below it, 1 above it or 0 where missing (piecewise linear encoding,
                Gorishniy et al. 2022, arXiv:2203.05556); only where there are enough samples for it

Everything here is learned from the training samples only.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import shown
from threestep.data.coding import different_words
from threestep.data.dates import DATE_PARTS, date_order_of
from threestep.data.kinds import kinds_of, words_of
from threestep.data.layout import Layout, Numbers, numbers_in, part_name, with_names
from threestep.data.level_means import NO_MEANS, means_in, n_means_of
from threestep.data.levels import MOST_VALUES, levels_of, scale_of_levels
from threestep.data.spreads import (
    SMALLEST_SPREAD,
    Seen,
    center_and_spread,
    lost_digits,
    seen_in,
    silent,
    without_tails,
)
from threestep.data.table import Table
from threestep.data.target import Target
from threestep.devices import side_by_side
from threestep.errors import DataError

_BINS = (48, 32, 16, 8, 4)  # few numbers of them: a few samples more should not change a network's inputs
_SAMPLES_PER_BIN = 64
_FREQUENT = 1 / 4  # of the samples have such a value
_FEWEST_PER_BIN = 16  # of those that have no frequent value
_MOST_BINS_IN_ALL = 768
_MOST_FOR_EDGES = 200_000  # samples: more hardly move a quantile
_SMALLEST_OF_TARGET = 1e-150  # its square, and what is a millionth of that, is a number
_HINT_SCALE = "scale the column down"


NO_BINS = np.zeros((2, 0))


class Prep(NamedTuple):
    """What was learned from the training samples.

    Parameters
    ----------
    layout, target
        Settings: the columns, and what is predicted.
    center, scale : ndarray of shape (n_inputs,), float64
        Inputs are (raw - center) / scale; those with tails are then clipped.
    target_center, target_scale : float, or tuple of float where there are several numbers
        For numbers: the network's outputs are (target - center) / scale.
    bins : ndarray of shape (2, n_bins), float64
        Where each bin begins, and how wide it is; those of the first number first.
    means : ndarray of shape (n_levels, n_means), float64
        What the target usually is at each level; those of the first such column first.
    """

    layout: Layout
    target: Target
    center: NDArray
    scale: NDArray
    target_center: float | tuple[float, ...] = 0.0
    target_scale: float | tuple[float, ...] = 1.0
    bins: NDArray = NO_BINS
    means: NDArray = NO_MEANS


def fit_prep(
    train: Table,
    target: Target,
    kinds: Mapping[str, str] | None = None,
    most_bins: int | None = None,
    layout: Layout | None = None,
    clip: float = 0.0,
    level_means: bool = True,
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
    layout : Layout or None
        Without bins: which columns become which inputs, where that must be the same for several divisions of
        a table; None: as the training samples say.
    clip : float
        Within how many scales numbers with tails are brought, smoothly; 0, or pixels: they are not.
    level_means : bool
        Whether levels of a category with more levels than inputs say what the target usually is there.

    Raises
    ------
    DataError
        No column can be used.
    """
    known = layout
    if layout is None:
        n_means = n_means_of(target) if level_means else 0
        is_array = isinstance(train.x, np.ndarray)
        layout = _layout_of_array(train) if is_array else _layout(train, target, kinds or {}, n_means)
    samples = train if layout.shape else with_names(layout, train)
    numbers = numbers_in(layout, samples)
    seen = seen_in(layout, numbers)
    layout, seen = without_tails(layout, seen, numbers, 0.0 if layout.is_picture else float(clip))
    if (
        known is None and not layout.is_picture
    ):  # a missing pixel is black; one more input would make a row of them
        layout = replace(layout, gaps=tuple(np.flatnonzero(seen.n_missing > 0).tolist()))
    if layout.n_inputs == 0:
        raise DataError(
            f"{train.name}: no usable feature column", "expected numbers, dates or words with few levels"
        )
    layout, bins = _with_bins(layout, numbers, most_bins)
    center = np.pad(seen.center, (0, layout.n_inputs - layout.n_numbers))
    scale = np.concatenate([seen.scale, _scale_of_flags(layout, seen, samples), np.ones(bins.shape[1])])
    prep = Prep(layout, target, center, scale, bins=bins)
    return with_means(_with_target(prep, train) if target.kind == "number" else prep, train)


def with_means(prep: Prep, train: Table) -> Prep:
    """The prep with the means of these training samples, which may count otherwise than before."""
    return prep._replace(means=means_in(prep.layout, prep.target, train))


def _with_target(prep: Prep, train: Table) -> Prep:
    """The prep with center and scale of the numbers to predict."""
    columns = np.asarray(train.y, np.float64).reshape(train.n_samples, -1).T
    each = [_center_and_scale_of_target(column, prep.target) for column in columns]
    centers, scales = zip(*each, strict=True)
    if prep.target.n_columns == 1:
        return prep._replace(target_center=centers[0], target_scale=scales[0])
    return prep._replace(target_center=centers, target_scale=scales)


def _center_and_scale_of_target(y: NDArray, target: Target) -> tuple[float, float]:
    """Mean and standard deviation of a number to predict.

    Raises
    ------
    DataError
        Squares of its values, or of what is between them, are nothing that float64 holds.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = float(y.mean()), float(y.std())
    if not np.isfinite([mean, spread]).all():
        raise DataError(f"target {target.name!r}: has values too large to compute with", _HINT_SCALE)
    if y.min() == y.max():
        return mean, 1.0
    if lost_digits(mean, spread):
        mean, spread = center_and_spread(y)
    if spread < _SMALLEST_OF_TARGET:
        raise DataError(
            f"target {target.name!r}: has values too near to each other to compute with, "
            f"a standard deviation of {spread:.2g}",
            "scale the column up",
        )
    return mean, spread


def without_bins(prep: Prep) -> Prep:
    """The same with no input per bin."""
    n_inputs = prep.layout.n_plain_inputs
    layout = replace(prep.layout, bins=())
    center, scale = prep.center[:n_inputs], prep.scale[:n_inputs]
    return prep._replace(layout=layout, center=center, scale=scale, bins=NO_BINS)


def _layout_of_array(train: Table) -> Layout:
    return Layout(shape=tuple(np.asarray(train.x).shape[1:]), media=train.media)


def _layout(train: Table, target: Target, kinds: Mapping[str, str], n_means: int) -> Layout:
    """Which columns become which inputs, seen from the training samples; gaps are not looked at yet."""
    columns = train.columns()
    found = {name: each.kind for name, each in kinds_of(columns, kinds).items()}
    numbers = [name for name, kind in found.items() if kind == "number"]
    categories = {name: words_of(columns[name]) for name, kind in found.items() if kind == "category"}
    words, further = levels_of(categories, train.n_samples)
    means = further if n_means else ()
    dates = [(name, _date_order(columns[name], name)) for name, kind in found.items() if kind == "date"]
    numbers += [part_name(name, part) for name, _ in dates for part in DATE_PARTS]
    left_out = tuple(name for name, kind in found.items() if kind == "ignore")
    strays = tuple(name for name in numbers if name in columns and columns[name].dtype.kind == "O")
    of_numbers = {*numbers, *(target.names if target.is_numeric else ())}
    written = None
    if train.forms is not None:
        known = ((name, form) for name, form in train.forms.items() if name in of_numbers)
        written = tuple((name, form.decimal, form.unit) for name, form in known)
    return Layout(
        numbers=tuple(numbers),
        words=words,
        left_out=left_out,
        dates=tuple(dates),
        with_strays=strays,
        means=means,
        n_means=n_means if means else 0,
        written=written,
    )


def _date_order(column: NDArray, name: str) -> str:
    """The order of day, month and year in a column of dates.

    Raises
    ------
    DataError
        It is not one of dates.
    """
    words = different_words(words_of(column))
    order = date_order_of(words, least=0.5)
    if order is None:
        odd = next((word for word in words if date_order_of([word]) is None), "")
        raise DataError(
            f"column {name!r}: got no dates such as 2011-01-31, 31.1.2011 or 1/31/2011 in most of its "
            f"different cells, such as {shown(odd)}",
            f"--column {name}=category takes it as words",
        )
    return order


def _scale_of_flags(layout: Layout, seen: Seen, samples: Table) -> NDArray:
    """Of the 0/1 inputs of gaps and words, (n_flags,): 1; more for those of a column with many levels, and so
    much for those that are 1 for every sample that nobody hears them."""
    n_missing = seen.n_missing[list(layout.gaps)]
    scales = [np.where(n_missing == samples.n_samples, silent(1.0), 1.0)]
    for name, levels in layout.words:
        is_alone = len(levels) == 1 and not (samples.columns()[name] != levels[0]).any()
        scales.append(np.full(len(levels), silent(1.0) if is_alone else scale_of_levels(len(levels))))
    return np.concatenate([*scales, np.ones(layout.n_means * len(layout.means))])


def _with_bins(layout: Layout, numbers: Numbers, most: int | None) -> tuple[Layout, NDArray]:
    """The layout with as many bins as the samples allow, and those; none for pictures."""
    n_samples, n_numbers = numbers.n_samples, layout.n_numbers
    most_inputs = min(_MOST_BINS_IN_ALL, MOST_VALUES // n_samples)
    if most is None:
        room = min(n_samples // _SAMPLES_PER_BIN, most_inputs // max(1, n_numbers))
        most = next((size for size in _BINS if size <= room), 0)
    if layout.is_picture or most == 0:
        return layout, NO_BINS
    rows = slice(None, None, max(1, n_samples // _MOST_FOR_EDGES))
    edges = side_by_side(
        lambda place: _edges(numbers.part(rows, slice(place, place + 1))[:, 0].astype(np.float64), most),
        range(n_numbers),
    )
    if not any(len(each) for each in edges):
        return layout, NO_BINS
    bins = np.array([np.concatenate([each[:-1] for each in edges]), np.concatenate([*map(np.diff, edges)])])
    return replace(layout, bins=tuple(max(0, len(each) - 1) for each in edges)), bins


def _edges(column: NDArray, most: int) -> NDArray:
    """Where the bins of a number end: quantiles, or all its values if they are few; none for two."""
    known = column[~np.isnan(column)]
    values, counts = np.unique(known, return_counts=True)
    if len(values) > most + 1:
        values = _quantiles(values, counts, most)
    with np.errstate(over="ignore"):
        widths = np.diff(values)
    is_usable = len(values) > 2 and np.isfinite(widths).all() and (widths > SMALLEST_SPREAD).all()
    return values if is_usable else values[:0]


def _quantiles(values: NDArray, counts: NDArray, most: int) -> NDArray:
    """About equally many samples between each two, but that a value which very many have is an end of its
    own: where nine of ten are 0, the quantiles are those of the others."""
    is_frequent = counts > _FREQUENT * counts.sum()
    others = np.repeat(values[~is_frequent], counts[~is_frequent])
    n_bins = min(most - is_frequent.sum(), len(others) // _FEWEST_PER_BIN) if is_frequent.any() else most
    ends = np.quantile(others, np.linspace(0, 1, n_bins + 1)) if n_bins > 0 else others[:0]
    return np.unique(np.concatenate([values[[0, -1]], values[is_frequent], ends]))
