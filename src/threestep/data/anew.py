"""New samples, read as those were that a prep learned from."""

from collections.abc import Mapping
from dataclasses import replace

from threestep.data.prep import Prep
from threestep.data.reading import read
from threestep.data.table import Table
from threestep.data.written import PLAIN
from threestep.errors import DataError


def read_anew(prep: Prep, source: object, strict: bool = False) -> Table:
    """As `read`: columns are what they were, numbers and the target are written as they were.

    Parameters
    ----------
    prep : Prep
    source : anything `read` takes
        A table is read already.
    strict : bool
        Stop at a damaged file of a folder.

    Raises
    ------
    DataError
        It cannot be read, or is a table where the model takes pictures or sounds.
    """
    if isinstance(source, Table):
        return source
    layout, target = prep.layout, prep.target
    how, forms = replace(layout.files, strict=strict), layout.forms
    if target.is_numeric and layout.written is not None:
        forms = dict.fromkeys(target.names, PLAIN) | forms
    if target.classes and not target.is_numeric:
        how = replace(how, column=(*how.column, f"{target.name}=category"))  # "4 stars" stay words
    table = read(source, layout.media, how, forms)
    if layout.is_picture and isinstance(table.x, Mapping) and len(table.x) < layout.n_numbers:
        wanted = layout.media or f"arrays of {' × '.join(map(str, layout.shape))}"
        found = ", ".join(list(table.x)[:8])
        raise DataError(
            f"{table.name}: is a table with the columns {found}, but the model takes {wanted}",
            "give such samples, or a model that learned from a table",
        )
    return table
