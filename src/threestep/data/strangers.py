"""What is in new samples that a model knows nothing of."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import places_in
from threestep.data.dates import DATE_PARTS
from threestep.data.kinds import words_among, words_of
from threestep.data.layout import Layout, numbers_in, part_name, with_names
from threestep.data.prep import Prep
from threestep.data.table import Table

_MOST_SAMPLES = 20_000  # that are looked at
_FAR = 20.0  # standard deviations from the mean of training

_Found = tuple[str, int, str]
"""A column, how many of its cells are strange, and in which way."""


def notes_on_strangers(prep: Prep, table: Table) -> list[str]:
    """What the user should know of new samples before their answers are believed.

    Parameters
    ----------
    prep : Prep
        Of the model.
    table : Table

    Raises
    ------
    DataError
        The samples do not have the columns of training.
    """
    layout = prep.layout
    if layout.shape:
        return _on_another_scale(prep, table)
    if table.n_samples == 0:
        return []
    some = table.take(np.arange(min(table.n_samples, _MOST_SAMPLES)))
    columns = with_names(layout, some).columns()
    raw = columns if isinstance(some.x, np.ndarray) else some.x
    found = [
        *_unknown_words(layout, columns, raw),
        *_no_dates(layout, columns, raw),
        *_far_away(prep, columns),
    ]
    which = f"the first {some.n_samples:,}" if some.n_samples < table.n_samples else f"{table.n_samples:,}"
    return [f"column {name!r}: {n:,} of {which} cells {what}" for name, n, what in found if n]


def _on_another_scale(prep: Prep, table: Table) -> list[str]:
    """That values are far larger or smaller than in training, as where pixels were divided by 255 in one."""
    layout = prep.layout
    if table.n_samples == 0 or layout.media is not None or not isinstance(table.x, np.ndarray):
        return []
    n = layout.n_numbers
    values = numbers_in(layout, table).part(slice(None, min(table.n_samples, _MOST_SAMPLES)))
    known = np.abs((values - prep.center[:n]) / prep.scale[:n])
    largest = float(known.max(where=~np.isnan(known), initial=0.0))
    if largest > _FAR:
        return [f"values are up to {largest:,.0f} times as large as in training: are they on another scale?"]
    if layout.is_picture and 0 < largest < 1 / _FAR:
        return [f"values are at most {largest:.2g} times as large as in training: are they on another scale?"]
    return []


def _unknown_words(
    layout: Layout, columns: Mapping[str, NDArray], raw: Mapping[str, NDArray]
) -> Iterator[_Found]:
    """Words in a category that are none of its levels, and words among numbers."""
    for name, levels in layout.known_words.items():
        texts = words_of(raw[name])
        is_unknown = (texts != "") & (places_in(levels, columns[name]) < 0)
        word = str(texts[int(np.argmax(is_unknown))])
        yield name, int(is_unknown.sum()), f"are words that the model does not know, such as {word!r}"
    for name in layout.with_strays:
        if columns[name].dtype.kind == "O":
            n, word = words_among(columns[name])
            yield name, n, f"are words that count as missing, such as {word!r}"


def _no_dates(layout: Layout, columns: Mapping[str, NDArray], raw: Mapping[str, NDArray]) -> Iterator[_Found]:
    """Cells in which there is no date in the order of training."""
    for name, order in layout.dates:
        cells = words_of(raw[name])
        is_none = (cells != "") & np.isnan(columns[part_name(name, DATE_PARTS[0])])
        shown = " ".join({"y": "year", "m": "month", "d": "day"}[part] for part in order)
        word = str(cells[int(is_none.argmax())])
        yield (
            name,
            int(is_none.sum()),
            f"are no dates as in training ({shown}) and count as missing, such as {word!r}",
        )


def _far_away(prep: Prep, columns: Mapping[str, NDArray]) -> Iterator[_Found]:
    """Numbers where nothing was learned; not in columns of which a few were very far out in training, too."""
    dates = {part_name(name, part) for name, _ in prep.layout.dates for part in DATE_PARTS}
    for place, name in enumerate(prep.layout.numbers):
        column = columns[name]
        if name in dates or column.dtype.kind == "O" or place in prep.layout.with_tails:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            is_far = np.abs(column.astype(np.float64) - prep.center[place]) > _FAR * prep.scale[place]
        number = column[int(is_far.argmax())]
        yield name, int(is_far.sum()), f"are far from all that was learned from, such as {number:g}"
