"""New samples, read as those were that a prep learned from."""

from dataclasses import replace

from threestep.data.prep import Prep
from threestep.data.reading import read
from threestep.data.table import Table
from threestep.data.written import PLAIN


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
        It cannot be read.
    """
    if isinstance(source, Table):
        return source
    layout, target = prep.layout, prep.target
    how, forms = replace(layout.files, strict=strict), layout.forms
    if target.is_numeric and layout.written is not None:
        forms = dict.fromkeys(target.names, PLAIN) | forms
    if target.classes and not target.is_numeric:
        how = replace(how, column=(*how.column, f"{target.name}=category"))  # "4 stars" stay words
    return read(source, layout.media, how, forms)
