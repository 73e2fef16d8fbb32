"""How the numbers of a table are spread: what the training samples say of each one's center and scale."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.layout import Layout, Numbers
from threestep.devices import side_by_side
from threestep.errors import DataError

SMALLEST_SPREAD = float(np.finfo(np.float64).tiny)
_SMALLEST = {True: float(np.finfo(np.float32).tiny), False: SMALLEST_SPREAD}  # of float32, float64
_SILENCE = 1e12
_MOST_AT_ONCE = 1 << 21  # numbers looked at together
_NOISE = {True: 1e-7, False: 1e-13}  # of float32, float64: what rounding, summed up, makes of one value
_SAME = {True: 1e-7, False: 1e-12}  # quartiles that are nearer to each other, by their size, are one value
_NARROW, _TINY = 1e-10, 1e-140  # shares of the mean, spreads: below, sums of squares lose the digits
_FAR_OUT = 6.0  # scales from the center: a sample that far out is no part of a bell
_MOST_FAR_OUT = 0.05  # share of the samples: a few
_MOST_LOOKED_AT = 200_000  # samples: more hardly move a quartile
_QUARTILES_APART = 1.349  # of a bell of standard deviation 1
_WIDEST = 3.0  # times what the quartiles say may the standard deviation be
_HINT_SCALE = "scale the column down"


class Seen(NamedTuple):
    """What the training samples showed of their numbers, (n_numbers,) each; `farthest`: how many scales the
    farthest sample is from the center."""

    n_missing: NDArray
    center: NDArray
    scale: NDArray
    farthest: NDArray


def seen_in(layout: Layout, numbers: Numbers) -> Seen:
    """Look at all numbers, a few columns at a time, so that no copy of them all is ever there."""
    if layout.is_picture:
        return _seen_of_pixels(layout, numbers)
    parts = _slices(layout.n_numbers, numbers.n_samples)
    found = side_by_side(lambda part: _look_at_numbers(layout, part, numbers), parts)
    if not found:
        return Seen(np.zeros(0, int), *(np.zeros(0),) * 3)
    return Seen(*map(np.concatenate, zip(*found, strict=True)))


def _slices(n: int, size: int) -> list[slice]:
    """All of n columns or rows of some size, a few at a time."""
    width = max(1, _MOST_AT_ONCE // max(1, size))
    return [slice(at, min(at + width, n)) for at in range(0, n, width)]


def _seen_of_pixels(layout: Layout, numbers: Numbers) -> Seen:
    """A few samples at a time, as they lie in a file: the scale of all is the brightest of all."""

    def look(rows: slice) -> tuple[NDArray, float]:
        pixels = numbers.part(rows)
        return np.isnan(pixels).sum(axis=0), float(np.fmax.reduce(np.abs(pixels), axis=None))

    parts = _slices(numbers.n_samples, layout.n_numbers)
    n_missing, found = zip(*side_by_side(look, parts), strict=True)
    brightest = float(np.fmax.reduce(found))
    scale = np.full(layout.n_numbers, brightest if brightest >= _SMALLEST[True] else 1.0)
    return Seen(np.sum(n_missing, axis=0), np.zeros(layout.n_numbers), scale, np.zeros(layout.n_numbers))


def _look_at_numbers(layout: Layout, part: slice, numbers: Numbers) -> Seen:
    """Some columns of numbers, (n_samples, n): (raw - center) / scale is what the network sees."""
    columns = numbers.part(columns=part)
    missing = np.isnan(columns)
    n_missing = missing.sum(axis=0)
    counts = np.maximum(len(columns) - n_missing, 1)
    least, most = np.fmin.reduce(columns, axis=0), np.fmax.reduce(columns, axis=0)
    binary = (least >= 0) & (most <= 1) & (n_missing == 0)
    binary[binary] = ((columns[:, binary] == 0) | (columns[:, binary] == 1)).all(axis=0)
    is_single = columns.dtype == np.float32
    filled = columns.astype(np.float64, copy=False)
    has_gaps = bool(n_missing.any())
    with np.errstate(over="ignore", invalid="ignore"):
        if has_gaps:
            np.copyto(filled, 0.0, where=missing)
        mean = filled.sum(axis=0) / counts
        filled -= mean
        if has_gaps:
            np.copyto(filled, 0.0, where=missing)
        spread = np.sqrt(np.square(filled, out=filled).sum(axis=0) / counts)
    too_large = ~(np.isfinite(mean) & np.isfinite(spread))
    if too_large.any():
        place = part.start + int(too_large.argmax())
        name = layout.numbers[place] if layout.numbers else f"input {place + 1}"
        raise DataError(f"{name!r}: has values too large to compute with", _HINT_SCALE)
    inexact = [] if is_single else np.flatnonzero((least < most) & lost_digits(mean, spread)).tolist()
    for place in inexact:
        column = numbers.part(columns=slice(part.start + place, part.start + place + 1))[:, 0]
        mean[place], spread[place] = center_and_spread(column[~np.isnan(column)])
    constant = (spread <= _NOISE[is_single] * np.abs(mean)) | (spread < _SMALLEST[is_single])
    constant |= least == most
    scale = np.where(constant, silent(mean), np.where(binary, 1.0, spread))
    center = np.where(binary, 0.0, mean)
    return Seen(n_missing, center, scale, np.maximum(most - center, center - least) / scale)


def lost_digits(mean: NDArray | float, spread: NDArray | float) -> NDArray:
    """Whether a sum of squares is no exact way to such a standard deviation."""
    return np.asarray((spread <= _NARROW * np.abs(mean)) | (spread < _TINY))


def center_and_spread(known: NDArray) -> tuple[float, float]:
    """Mean and standard deviation of some numbers, which may differ in their last digits only, or be so small
    that their squares are 0: of their shares of the way from the least to the most, (n_samples,) float64.

    Examples
    --------
    >>> center, spread = center_and_spread(1e14 + np.array([0.0, 1.0, 2.0, 3.0]))
    >>> center - 1e14, round(spread, 3), center_and_spread(np.array([0.0, 2e-200]))
    (1.5, 1.118, (1e-200, 1e-200))
    """
    least = known.min()
    width = known.max() - least
    if not 0 < width < np.inf:
        return float(least), 0.0
    shares = (known - least) / width
    return float(least + width * shares.mean()), float(width * shares.std())


def without_tails(layout: Layout, seen: Seen, numbers: Numbers, clip: float) -> tuple[Layout, Seen]:
    """The layout with the numbers of which a few are very far out, to be clipped; and where these make the
    spread, center and scale by the quartiles of the others.

    RealMLP scales and clips all numbers so (Holzmüller et al. 2024, arXiv:2407.04491); without tails the mean
    and the standard deviation were better, and what is linear stays so.
    """
    center, scale = seen.center.copy(), seen.scale.copy()
    places = np.flatnonzero(seen.farthest > _FAR_OUT).tolist() if clip else []
    middles = side_by_side(lambda place: _middle(numbers.part(columns=slice(place, place + 1))[:, 0]), places)
    for place, (median, widest) in zip(places, middles, strict=True):
        if widest < scale[place]:
            center[place], scale[place] = median, widest
    layout = replace(layout, clip=clip if places else 0.0, with_tails=tuple(places))
    return layout, seen._replace(center=center, scale=scale)


def _middle(column: NDArray) -> tuple[float, float]:
    """The median, and the widest scale that the quartiles allow; infinite where they say nothing: half of the
    values are one, but for the last digits, or more than a few are far out."""
    is_single = column.dtype == np.float32
    known = column[~np.isnan(column)].astype(np.float64)
    known = known[:: max(1, len(known) // _MOST_LOOKED_AT)]
    low, median, high = np.quantile(known, [0.25, 0.5, 0.75])
    widest = _WIDEST * (high - low) / _QUARTILES_APART
    is_spread = high - low > max(_SMALLEST[is_single], _SAME[is_single] * max(abs(low), abs(high)))
    are_few = np.mean(np.abs(known - median) > _FAR_OUT * widest) <= _MOST_FAR_OUT
    return float(median), float(widest) if is_spread and are_few else np.inf


def silent(mean: NDArray | float) -> NDArray:
    """The scale of what has one value in training: a stranger's other one must not meet weights that nothing
    was learned with."""
    return _SILENCE * np.maximum(1.0, np.abs(mean))
