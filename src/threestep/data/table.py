"""Samples as they came: one array, or named columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from threestep.data.kept import taken_rows
from threestep.data.media import Media
from threestep.data.written import Form


@dataclass(frozen=True, eq=False)
class Table:
    """Samples and, if known, their target.

    Parameters
    ----------
    name : str
        Where the samples came from, for people.
    x : ndarray of shape (n_samples, *shape), or mapping of str to ndarray of shape (n_samples,)
        One numeric array (pixels, features), or named columns: numeric (NaN = missing) or text
        (object dtype; "" = missing).
    y : ndarray of shape (n_samples,), or (n_samples, n) for several targets, or None
        The target, as it came.
    y_name : str
        What the target is called.
    notes : tuple of str
        What the user should know about how the samples were read.
    weight : ndarray of shape (n_samples,) or None
        How much each sample counts; None: all the same.
    media : Media or None
        How the files became arrays, if they were pictures or sounds.
    is_test : ndarray of shape (n_samples,) of bool, or None
        Which samples are for the test; None: the source does not say.
    names : tuple of str
        What each sample is called, such as its file; () if they have no names.
    rows : ndarray of shape (n_samples,) of int, or None
        Which sample of the source each is, from 0; None: nobody asked.
    forms : mapping of str to Form, or None
        How the numbers of columns were written, of those of which they were not written as Python does; None:
        they were no text.
    meanings : mapping of str to mapping of str to label
        Of columns of a frame that are said to be categories, and whose levels are numbers or yes and no: what
        each word of it stands for.
    """

    name: str
    x: NDArray | Mapping[str, NDArray]
    y: NDArray | None = None
    y_name: str = "target"
    notes: tuple[str, ...] = ()
    weight: NDArray | None = None
    media: Media | None = None
    is_test: NDArray | None = None
    names: tuple[str, ...] = ()
    rows: NDArray | None = None
    forms: Mapping[str, Form] | None = None
    meanings: Mapping[str, Mapping[str, str | int | float | bool]] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        if isinstance(self.x, np.ndarray):
            return len(self.x)
        return len(next(iter(self.x.values()))) if self.x else 0

    def take(self, rows: NDArray) -> "Table":
        """The samples of the given row numbers, in that order."""
        own = {name: values if values is None else values[rows] for name, values in self._by_sample().items()}
        names = tuple(self.names[row] for row in np.arange(self.n_samples)[rows]) if self.names else ()
        if isinstance(self.x, np.ndarray):
            return replace(self, x=taken_rows(self.x, rows), names=names, **own)
        columns = {name: column[rows] for name, column in self.x.items()}
        return replace(self, x=columns, names=names, **own)

    def _by_sample(self) -> dict[str, NDArray | None]:
        return {"y": self.y, "weight": self.weight, "is_test": self.is_test, "rows": self.rows}

    def columns(self) -> Mapping[str, NDArray]:
        """The named columns; only for a table that has them."""
        return cast(Mapping[str, NDArray], self.x)
