"""What is in new samples that a model knows nothing of."""

import numpy as np
from numpy.typing import NDArray

from threestep.data.coding import mapped
from threestep.data.kinds import words_among
from threestep.data.layout import Layout, with_names
from threestep.data.table import Table


def notes_on_strangers(layout: Layout, table: Table) -> list[str]:
    """What the user should know of samples before their answers are believed.

    Parameters
    ----------
    layout : Layout
        Of the model.
    table : Table

    Raises
    ------
    DataError
        The samples do not have the columns of training.
    """
    if layout.shape:
        return []
    columns = with_names(layout, table).columns()
    unseen = [(name, _unknown_to(levels, columns[name])) for name, levels in layout.words]
    texts = [name for name in layout.with_strays if columns[name].dtype == object]
    among = [(name, words_among(columns[name])) for name in texts]
    found = [(name, n, f"the model does not know, such as {word!r}") for name, (n, word) in unseen]
    found += [(name, n, f"count as missing, such as {word!r}") for name, (n, word) in among]
    return [
        f"column {name!r}: {n:,} of {table.n_samples:,} cells are words that {what}"
        for name, n, what in found
        if n
    ]


def _unknown_to(levels: tuple[str, ...], column: NDArray) -> tuple[int, str]:
    """How many cells are none of the levels, and the first of them; a gap is none that is unknown."""
    known = {*levels, ""}
    is_unknown = mapped(lambda cell: str(cell) not in known, column, bool)
    return int(is_unknown.sum()), str(column[int(np.argmax(is_unknown))]) if is_unknown.any() else ""
