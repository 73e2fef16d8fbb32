"""Encoding: any table of the columns that a `Prep` knows, to the arrays that a network takes."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import numeric_array, shown
from threestep.data.coding import places_in
from threestep.data.layout import Layout, Numbers, numbers_in, with_names
from threestep.data.level_means import own_means, said_of
from threestep.data.prep import Prep
from threestep.data.table import Table
from threestep.data.target import Target, known_values, label_texts
from threestep.devices import side_by_side
from threestep.errors import DataError, did_you_mean

FARTHEST = 1e6  # scales from the mean; a stranger's absurd value must not overflow float32
_BLOCK = 1 << 20  # values at once: they stay in the cache of a core
_FEWEST_ROWS = 64
_HINT_SCALE = "scale the column down"


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
    (inputs,) = encoded(prep, table)
    return inputs


def encode_learned(prep: Prep, train: Table) -> NDArray:
    """As `encode`, of the samples that the prep was learned from, for networks to learn from: where a level
    says what the target usually is there, the sample itself has no part in it."""
    inputs, layout = encode(prep, train), prep.layout
    if layout.means:
        end = layout.n_plain_inputs
        own = own_means(layout, prep.target, train)
        inputs[:, end - own.shape[1] : end] = own
    return inputs


def encoded(prep: Prep, table: Table, most: int | None = None) -> Iterator[NDArray]:
    """As `encode`, at most so many samples at a time, each time in the same place: what came before is
    overwritten. The inputs of a large table need never be there all at once."""
    fill, n_samples = _encoder(prep, table)
    n_rows = max(1, n_samples if most is None else min(most, n_samples))
    inputs = np.empty((min(n_rows, n_samples), prep.layout.n_inputs), np.float32)
    n_together = max(_FEWEST_ROWS, _BLOCK // prep.layout.n_inputs)
    for start in range(0, max(1, n_samples), n_rows):
        stop = min(start + n_rows, n_samples)
        starts = range(start, stop, n_together)
        parts = [slice(at, min(at + n_together, stop)) for at in starts]
        side_by_side(
            lambda rows, start=start: fill(rows, inputs[rows.start - start : rows.stop - start]), parts
        )
        yield inputs[: stop - start]


def _encoder(prep: Prep, table: Table) -> tuple[Callable[[slice, NDArray], None], int]:
    """What writes the inputs of some samples where it is told to, and how many samples there are."""
    layout = prep.layout
    samples, numbers = _numbers_of(layout, table)
    words, means = _places_of_words(prep, samples), _levels_of_means(prep, samples)
    n_numbers, n_plain, gaps = layout.n_numbers, layout.n_plain_inputs, list(layout.gaps)
    at_words, at_means = n_numbers + len(gaps), n_plain - layout.n_means * len(layout.means)
    fill_bins = _filler_of_bins(prep)
    scale_of_flags = prep.scale[n_numbers:n_plain].astype(np.float32)
    are_scaled = bool((scale_of_flags != 1).any())

    def fill(rows: slice, inputs: NDArray) -> None:
        block = numbers.part(rows)
        inputs[:, n_numbers:at_words] = np.isnan(block[:, gaps])
        inputs[:, at_words:n_plain] = 0.0
        for places in words:
            found = places[rows]
            known = np.flatnonzero(found >= 0)
            inputs[known, found[known]] = 1.0
        for place, (own, places) in enumerate(means):
            at = at_means + place * layout.n_means
            inputs[:, at : at + layout.n_means] = said_of(own, places[rows])
        if layout.bins:
            fill_bins(block, inputs[:, n_plain:])
        _scale(prep, block)
        inputs[:, :n_numbers] = block
        if are_scaled:
            inputs[:, n_numbers:n_plain] /= scale_of_flags

    return fill, numbers.n_samples


def _numbers_of(layout: Layout, table: Table) -> tuple[Table, Numbers]:
    """The samples with all columns of the layout, and their numbers. An array of columns that are all numbers
    stays one, in the order of training: a row is then encoded in less time."""
    x, is_plain = table.x, not (layout.shape or layout.dates or layout.known_words)
    if is_plain and isinstance(x, np.ndarray) and x.shape[1:] == (len(layout.numbers),):
        return table, Numbers(x, (), len(x))
    samples = table if layout.shape else with_names(layout, table)
    return samples, numbers_in(layout, samples)


def _scale(prep: Prep, block: NDArray) -> None:
    """Numbers, in place, to what the network sees of them: those missing to 0, the mean."""
    n_numbers = block.shape[1]
    with np.errstate(over="ignore"):  # an absurd value becomes infinite here, and is clipped next
        block -= prep.center[:n_numbers].astype(block.dtype)
        block /= prep.scale[:n_numbers].astype(block.dtype)
    np.clip(block, -FARTHEST, FARTHEST, out=block)
    np.copyto(block, 0.0, where=np.isnan(block))
    tails = list(prep.layout.with_tails)
    if tails:
        far = block[:, tails]
        block[:, tails] = far / np.sqrt(1 + np.square(far / block.dtype.type(prep.layout.clip)))


def _places_of_words(prep: Prep, samples: Table) -> list[NDArray]:
    """Of each column of words, the input that is 1 for each sample; -1 for none."""
    places, at = [], prep.layout.n_numbers + len(prep.layout.gaps)
    for name, levels in prep.layout.words:
        own = places_in(levels, samples.columns()[name])
        places.append(np.where(own < 0, own, own + at))
        at += len(levels)
    return places


def _levels_of_means(prep: Prep, samples: Table) -> list[tuple[NDArray, NDArray]]:
    """Of each column with means these, and of each sample which of them is its own; -1 for none."""
    found, at = [], 0
    for name, levels in prep.layout.means:
        found.append((prep.means[at : at + len(levels)], places_in(levels, samples.columns()[name])))
        at += len(levels)
    return found


def _filler_of_bins(prep: Prep) -> Callable[[NDArray, NDArray], None]:
    """What writes how far through each bin some numbers are: 0 to 1; one that is missing is below all."""
    starts, widths = prep.bins
    counts = np.array(prep.layout.bins, int)
    with_bins = np.flatnonzero(counts)
    # repeating all columns equally often is several times faster than each as often as it needs
    most = int(counts.max(initial=0))
    is_even = bool((counts[with_bins] == most).all())

    def fill(block: NDArray, inputs: NDArray) -> None:
        known = np.where(np.isnan(block), -np.inf, block)[:, with_bins]
        through = np.repeat(known, most if is_even else counts[with_bins], axis=1).astype(
            np.float64, copy=False
        )
        with np.errstate(over="ignore"):
            through -= starts
            through /= widths
        inputs[:] = np.clip(through, 0.0, 1.0, out=through)

    return fill


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
        y = _numbers_of_target(table.y, target.name).astype(np.float64)
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
    if np.ndim(table.y) > 1:
        raise DataError(
            f"target {target.name!r}: got {np.shape(table.y)[1]} columns, expected one of classes",
            "of columns of 0 and 1: y.argmax(1)",
        )
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


def _numbers_of_target(y: NDArray, name: str) -> NDArray:
    """A target that was a number in training, as one.

    Raises
    ------
    DataError
        It has words.
    """
    known = known_values(y, name)
    try:
        return numeric_array(known, f"target {name!r}")
    except DataError as error:
        hint = "the target was a number in training: evaluate on such samples, or by a model of these classes"
        raise DataError(error.message, hint) from error


def _check_columns(y: NDArray, target: Target) -> None:
    """Refuse another number of columns than in training.

    Raises
    ------
    DataError
    """
    n_columns = y.shape[1] if y.ndim > 1 else 1
    if n_columns != target.n_columns:
        raise DataError(f"target {target.name!r}: got {n_columns} columns, expected {target.n_columns}")
