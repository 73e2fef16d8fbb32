"""Layout: which columns become which inputs; and the columns of any table, as a layout wants them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import is_number, number_of
from threestep.data.coding import mapped
from threestep.data.dates import DATE_PARTS, date_parts_of
from threestep.data.kinds import numbers_of, words_of
from threestep.data.media import Media
from threestep.data.table import Table
from threestep.data.written import PLAIN, Form
from threestep.errors import DataError, did_you_mean
from threestep.settings import Files

_NARROW = tuple(
    map(np.dtype, ("f4", "f2", "u1", "i1", "?", "i2", "u2"))
)  # float32 holds them to the last digit


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
    media : Media or None
        How files become arrays, if the samples are pictures or sounds.
    with_strays : tuple of str
        Names of the numbers whose column was text in training: words in it count as missing.
    clip : float
        Within how many scales those with tails are brought, smoothly; 0: there are none.
    with_tails : tuple of int
        Indices of the numbers of which a few were very far out in training.
    means : tuple of (str, tuple of str)
        Of the text columns with more levels than inputs: name, and all levels of which it is known what the
        target usually is there.
    n_means : int
        How many numbers each of these says; 0 if there are none.
    written : tuple of (str, str, str), or None
        Of the numbers, the target among them, that were not written in a file as Python does: name, decimal
        mark, and what stood beside them. None: they were no text, or nobody remembers.
    """

    shape: tuple[int, ...] = ()
    numbers: tuple[str, ...] = ()
    gaps: tuple[int, ...] = ()
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    left_out: tuple[str, ...] = ()
    bins: tuple[int, ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    media: Media | None = None
    with_strays: tuple[str, ...] = ()
    clip: float = 0.0
    with_tails: tuple[int, ...] = ()
    means: tuple[tuple[str, tuple[str, ...]], ...] = ()
    n_means: int = 0
    written: tuple[tuple[str, str, str], ...] | None = None

    @property
    def files(self) -> Files:
        """How new samples are to be read, so that columns are what they were."""
        kinds = {name: "category" for name, _ in self.words} | {name: "date" for name, _ in self.dates}
        kinds |= dict.fromkeys(self.numbers, "number") | dict.fromkeys(self.left_out, "ignore")
        return Files(column=tuple(f"{name}={kind}" for name, kind in kinds.items()))

    @property
    def forms(self) -> dict[str, Form]:
        """How numbers are written, so that new ones are read alike; of none where nobody knows."""
        if self.written is None:
            return {}
        found = {name: Form(decimal, unit) for name, decimal, unit in self.written}
        return dict.fromkeys(self.numbers, PLAIN) | found

    @property
    def is_picture(self) -> bool:
        """Whether one sample is a picture rather than a row of features."""
        return len(self.shape) > 1

    @property
    def n_numbers(self) -> int:
        """How many inputs are numbers; they come first."""
        return math.prod(self.shape) if self.shape else len(self.numbers)

    @property
    def n_inputs(self) -> int:
        """How many inputs the network gets."""
        return self.n_plain_inputs + sum(self.bins)

    @property
    def n_plain_inputs(self) -> int:
        """How many of these are no bins; they come first."""
        n_levels = sum(len(levels) for _, levels in self.words)
        return self.n_numbers + len(self.gaps) + n_levels + self.n_means * len(self.means)

    @property
    def known_words(self) -> dict[str, tuple[str, ...]]:
        """Of each text column all levels that are not as if unknown."""
        return dict(self.words) | dict(self.means)


def input_names(layout: Layout) -> list[tuple[str, str]]:
    """Of each input the column it is made of, and what it says of it: ("age", "age"), ("age", "age is
    missing"), ("color", "color = red"), ("age", "age, bin 3"). Pixels are named by their place, numbers of a
    sound by time and frequency."""
    if layout.media is not None and layout.media.kind == "sound":
        names = layout.media.place_names()
    elif layout.shape:
        places = (
            np.ndindex(*layout.shape)
            if layout.is_picture
            else ((place,) for place in range(layout.n_numbers))
        )
        names = [f"input {', '.join(str(place + 1) for place in each)}" for each in places]
    else:
        names = list(layout.numbers)
    found = [(name, name) for name in names]
    found += [(names[gap], f"{names[gap]} is missing") for gap in layout.gaps]
    found += [(name, f"{name} = {level}") for name, levels in layout.words for level in levels]
    for name, _ in layout.means:
        found += [(name, f"{name}, mean {place + 1} of the target") for place in range(layout.n_means)]
    for name, n_bins in zip(names, layout.bins, strict=False):
        found += [(name, f"{name}, bin {place + 1}") for place in range(n_bins)]
    return found


def columns_wanted(layout: Layout) -> list[tuple[str, str]]:
    """Of each column that new samples must have its name and what it is: number, date or category. None where
    samples have no named columns."""
    parts = {part_name(name, part) for name, _ in layout.dates for part in DATE_PARTS}
    return [
        *((name, "number") for name in layout.numbers if name not in parts),
        *((name, "date") for name, _ in layout.dates),
        *((name, "category") for name, _ in layout.words),
    ]


class Numbers(NamedTuple):
    """All numbers of a table, wherever they lie: nothing is copied before a part is asked for.

    Parameters
    ----------
    matrix : ndarray of shape (n_samples, n_numbers) or None
        Of an array without names.
    columns : tuple of ndarray of shape (n_samples,)
        Of named columns.
    n_samples : int
    """

    matrix: NDArray | None
    columns: tuple[NDArray, ...]
    n_samples: int

    def part(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray:
        """A new array of shape (n_rows, n_columns).

        float64, so that dates and other large values keep their digits until they are centred; float32 for
        pixels and float32 arrays.
        """
        if self.matrix is not None:
            narrow = self.matrix.dtype in _NARROW
            return self.matrix[rows, columns].astype(np.float32 if narrow else np.float64)
        chosen = self.columns[columns]
        part = np.empty((len(range(*rows.indices(self.n_samples))), len(chosen)))
        for place, column in enumerate(chosen):
            part[:, place] = column[rows]
        return part


def numbers_in(layout: Layout, table: Table) -> Numbers:
    """The numbers of a table that has all columns of the layout.

    Raises
    ------
    DataError
        Text where a number belongs, or another shape than in training.
    """
    if layout.shape:
        matrix = _matrix_of_array(layout, table)
        return Numbers(matrix, (), len(matrix))
    columns = table.columns()
    strays = set(layout.with_strays)
    numbers = (_numeric(columns[name], name, name in strays) for name in layout.numbers)
    return Numbers(None, tuple(numbers), table.n_samples)


def as_numbers(layout: Layout, columns: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """The same columns, those of numbers as numbers, even if there are words in them."""
    strays = set(layout.with_strays)
    return {
        name: _numeric(column, name, True) if name in strays else column for name, column in columns.items()
    }


def _numeric(column: NDArray, name: str, with_strays: bool = False) -> NDArray:
    return numbers_of(column, name, with_strays) if column.dtype.kind == "O" else column


def _matrix_of_array(layout: Layout, table: Table) -> NDArray:
    """Samples of one array, flattened: (n_samples, n_features)."""
    if isinstance(table.x, np.ndarray):
        x = table.x
    else:
        x = Numbers(
            None, tuple(_numeric(each, name) for name, each in table.x.items()), table.n_samples
        ).part()
    if x.ndim == 4 and x.shape[1:] != layout.shape == (*x.shape[2:], x.shape[1]):  # channels come first
        x = np.moveaxis(x, 1, -1)
    if not _is_same_shape(x.shape[1:], layout.shape):
        hint = "prediction needs the same inputs as training"
        if layout.media is not None:
            hint = f"the model takes {layout.media}: give such files, a folder of them, or their array"
        elif sorted(x.shape[1:]) == sorted(layout.shape):
            hint = "the axes are in another order than in training: numpy.moveaxis or transpose"
        raise DataError(
            f"{table.name}: got samples of shape {x.shape[1:]}, expected {layout.shape} as in training", hint
        )
    return x.reshape(len(x), layout.n_numbers)


def _is_same_shape(shape: tuple[int, ...], known: tuple[int, ...]) -> bool:
    """Whether samples are of a known shape, but for axes of one, or for all of it in a row."""
    long, wanted = (tuple(size for size in each if size > 1) for each in (shape, known))
    is_flat = 1 in (len(shape), len(known)) and int(np.prod(shape)) == int(np.prod(known))
    return long == wanted or is_flat


def part_name(column: str, part: str) -> str:
    """What a part of a date is called."""
    return f"{column}: {part}"


def with_names(layout: Layout, table: Table) -> Table:
    """A table with all columns of the layout, or an error that names the missing ones.

    An array without names is taken in the order of training.

    Raises
    ------
    DataError
    """
    wanted = [name for name, _ in columns_wanted(layout)]
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
        for part, values in date_parts_of(words_of(columns[name]), order).items():
            columns[part_name(name, part)] = values
    for name, levels in layout.known_words.items():
        if columns[name].dtype.kind != "O":
            columns[name] = _words_of_numbers(columns[name], levels)
    return Table(table.name, columns)


def _words_of_numbers(column: NDArray, levels: tuple[str, ...]) -> NDArray:
    """A column that was words in training and looks like numbers now, as the words it was.

    A level such as "01" is found again: few samples may hold no cell that shows they are words.
    """
    if column.dtype.kind == "b":
        texts = mapped(str, column, object)
        return texts if set(texts) & set(levels) else words_of(column)
    known = _level_of_number(levels)
    return mapped(lambda cell: known.get(cell, ""), column.astype(np.float64), object)


@lru_cache(maxsize=64)
def _level_of_number(levels: tuple[str, ...]) -> dict[float, str]:
    """Which level a number is: of 1 and 01 the one as a number is written."""
    known = {number_of(level): level for level in levels if is_number(level)}
    known |= {
        number_of(level): level
        for level in levels
        if is_number(level) and f"{number_of(level):.15g}" == level
    }
    return known
