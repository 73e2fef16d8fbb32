"""Parquet, JSON lines and large CSV files to named columns, by DuckDB (the extra `tables`)."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import column_of_cells, finite_or_missing, words_of_objects
from threestep.data.coding import mapped
from threestep.data.table import Table
from threestep.data.written import MISSING, NONE_KNOWN, as_python_writes
from threestep.errors import DataError

_READERS = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".jsonl": "read_ndjson_auto",
    ".ndjson": "read_ndjson_auto",
}
_TYPES = "['DOUBLE', 'VARCHAR']"  # a whole number is no other kind of column
DUCK_ENDINGS = tuple(_READERS)
"""Endings of the files that only DuckDB reads."""


def has_duckdb() -> bool:
    """Whether DuckDB is installed."""
    from importlib.util import find_spec

    return find_spec("duckdb") is not None


def read_duck_file(path: Path, known: Mapping[str, str] = NONE_KNOWN) -> Table:
    """A file of columns, by its ending; `known` as for `read_csv`.

    Raises
    ------
    DataError
        DuckDB is not installed, or cannot read the file.
    """
    reader = next(reader for ending, reader in _READERS.items() if path.name.lower().endswith(ending))
    if not has_duckdb():
        raise DataError(f"{path}: needs DuckDB to be read", "pip install 'threestep[tables]'")
    options = {"read_parquet": ", hive_partitioning = false"}  # a folder's name is no column
    return _table(f"SELECT * FROM {reader}(?{options.get(reader, '')})", path, known)


def read_large_csv(
    path: Path, delimiter: str, names: list[str], has_header: bool, known: Mapping[str, str] = NONE_KNOWN
) -> Table:
    """A CSV file whose first line was looked at already.

    Raises
    ------
    DataError
        DuckDB cannot read it.
    """
    missing = ", ".join(f"'{word}'" for word in sorted(MISSING))
    query = (
        f"SELECT * FROM read_csv(?, delim = '{delimiter}', header = {has_header}, names = ?, "
        f"hive_partitioning = false, auto_type_candidates = {_TYPES}, "
        f"nullstr = [{missing}], quote = '\"'"
    )
    try:
        return _table(f"{query})", path, known, names)
    except DataError:  # what looked like numbers at first are words further down: look at all of it first
        return _table(f"{query}, sample_size = -1)", path, known, names)


def _table(query: str, path: Path, known: Mapping[str, str], *more: Any) -> Table:
    """What a query gives, as columns."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            found = connection.execute(query, [str(path), *more]).fetchnumpy()
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(f"{path}: cannot be read ({first})", "check the file's format") from error
    columns, notes = dict[str, NDArray](), list[str]()
    for name, values in found.items():
        column, more = _column(values, name, known)
        notes += more
        if column is None:
            notes.append(f"column {name!r} is left out: its cells are neither numbers nor text")
        else:
            columns[name] = column
    n_rows = len(next(iter(found.values()), ()))
    if n_rows == 0 or not columns:
        raise DataError(f"{path}: got {n_rows} rows and {len(columns)} usable columns", "expected samples")
    return Table(path.name.split(".")[0], columns, notes=tuple(notes))


def _column(values: Any, name: str, known: Mapping[str, str]) -> tuple[NDArray | None, tuple[str, ...]]:
    """One column as numbers (NaN = missing) or words ("" = missing), None if it is neither; and notes."""
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    data = np.asarray(np.ma.getdata(values))
    if data.dtype.kind == "b" and (mask is None or not mask.any()):
        return data, ()
    if data.dtype.kind in "biuf":
        numbers = data.astype(np.float64, copy=False)
        if mask is not None and mask.any():
            numbers = np.where(mask, np.nan, numbers)
        return finite_or_missing(numbers, name), ()
    if data.dtype.kind == "M":
        texts = np.datetime_as_string(data, unit="s").astype(object)
        texts[np.isnat(data) if mask is None else mask | np.isnat(data)] = ""
        return texts, ()
    if mask is not None and mask.any():
        data = data.astype(object)
        data[mask] = None
    cells: list[Any] = data.tolist()
    first = list(islice((cell for cell in cells if cell is not None), 1000))
    if any(isinstance(cell, (list, dict, tuple, np.ndarray)) for cell in first):
        return None, ()
    if not all(isinstance(cell, str) for cell in first):
        return words_of_objects(cells), ()
    texts = mapped(lambda cell: "" if cell is None else str(cell).strip(), cells, object).tolist()
    written, notes = as_python_writes({name: texts}, known=known)
    return column_of_cells(written[name], name, name in known), notes
