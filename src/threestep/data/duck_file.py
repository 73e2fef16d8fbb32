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
from threestep.data.written import (
    MISSING,
    NONE_KNOWN,
    NONE_WRITTEN,
    PLAIN,
    Form,
    as_python_writes,
    may_have_decimal_commas,
)
from threestep.errors import DataError

_READERS = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".jsonl": "read_ndjson_auto",
    ".ndjson": "read_ndjson_auto",
}
_TYPES = "['DOUBLE', 'VARCHAR']"  # a whole number is no other kind of column
_NEARLY_WHOLE = 1e-6
_MOST_SHOWN, _MOST_LOOKED_AT = 100, 10_000
DUCK_ENDINGS = tuple(_READERS)
"""Endings of the files that only DuckDB reads."""


def has_duckdb() -> bool:
    """Whether DuckDB is installed."""
    from importlib.util import find_spec

    return find_spec("duckdb") is not None


def read_duck_file(
    path: Path, known: Mapping[str, str] = NONE_KNOWN, forms: Mapping[str, Form] = NONE_WRITTEN
) -> Table:
    """A file of columns, by its ending; `known` and `forms` as for `read_csv`.

    Raises
    ------
    DataError
        DuckDB is not installed, or cannot read the file.
    """
    reader = next(reader for ending, reader in _READERS.items() if path.name.lower().endswith(ending))
    if not has_duckdb():
        raise DataError(f"{path}: needs DuckDB to be read", "pip install 'threestep[tables]'")
    options = {"read_parquet": ", hive_partitioning = false"}  # a folder's name is no column
    found = _fetched(f"SELECT * FROM {reader}(?{options.get(reader, '')})", path)
    return _table(found, path, ",", known, forms)


def read_large_csv(
    path: Path,
    delimiter: str,
    names: list[str],
    has_header: bool,
    known: Mapping[str, str] = NONE_KNOWN,
    forms: Mapping[str, Form] = NONE_WRITTEN,
) -> Table:
    """A CSV file whose first line was looked at already.

    Raises
    ------
    DataError
        DuckDB cannot read it.
    """
    how = f"delim = '{delimiter}', header = {has_header}"
    as_text = [name for name in names if forms.get(name, PLAIN).decimal == ","]
    found = _fetched_csv(path, names, how, as_text)
    if delimiter != ",":  # beside decimal commas 4.733 is no number with a decimal point
        columns = {name: _cells(values) for name, values in found.items()}
        if any(cells is not None and may_have_decimal_commas(cells) for cells in columns.values()):
            thousands = [name for name, values in found.items() if _may_be_thousands(values)]
            found = _fetched_csv(path, names, how, [*as_text, *thousands]) if thousands else found
    return _table(found, path, delimiter, known, forms)


def _fetched_csv(path: Path, names: list[str], how: str, as_text: list[str]) -> dict[str, Any]:
    """The columns of a CSV file, those of numbers as such but for some."""
    missing = ", ".join(f"'{word}'" for word in sorted(MISSING))
    quoted = [name.replace("'", "''") for name in as_text]
    types = ", types = {" + ", ".join(f"'{name}': 'VARCHAR'" for name in quoted) + "}" if quoted else ""
    query = (
        f"SELECT * FROM read_csv(?, {how}, names = ?, hive_partitioning = false, "
        f"auto_type_candidates = {_TYPES}, nullstr = [{missing}], quote = '\"'{types}"
    )
    try:
        return _fetched(f"{query})", path, names)
    except DataError:  # what looked like numbers at first are words further down: look at all of it first
        return _fetched(f"{query}, sample_size = -1)", path, names)


def _fetched(query: str, path: Path, *more: Any) -> dict[str, Any]:
    """What a query gives, by column."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            return connection.execute(query, [str(path), *more]).fetchnumpy()
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise DataError(f"{path}: cannot be read ({first})", "check the file's format") from error


def _table(
    found: Mapping[str, Any],
    path: Path,
    delimiter: str,
    known: Mapping[str, str],
    forms: Mapping[str, Form],
) -> Table:
    """What was fetched, as columns."""
    texts = {name: cells for name, values in found.items() if (cells := _cells(values)) is not None}
    shown = {name: _some_fractions(values) for name, values in found.items() if name not in texts}
    read = as_python_writes(texts | shown, delimiter, known, forms)
    columns, notes = dict[str, NDArray](), list(read.notes)
    for name, values in found.items():
        if name in texts:
            columns[name] = column_of_cells(read.columns[name], name, name in known)
        elif (column := _column(values, name)) is not None:
            columns[name] = column
        else:
            notes.append(f"column {name!r} is left out: its cells are neither numbers nor text")
    n_rows = len(next(iter(found.values()), ()))
    if n_rows == 0 or not columns:
        raise DataError(f"{path}: got {n_rows} rows and {len(columns)} usable columns", "expected samples")
    return Table(path.name.split(".")[0], columns, notes=tuple(notes), forms=read.forms)


def _cells(values: Any) -> list[str] | None:
    """A column's cells, "" where missing, if it is one of text."""
    data, mask = np.asarray(np.ma.getdata(values)), _mask(values)
    if data.dtype.kind in "biufM":
        return None
    first = islice((cell for cell, gap in zip(data, mask, strict=True) if not gap and cell is not None), 1000)
    if not all(isinstance(cell, str) for cell in first):
        return None
    data = np.where(mask, "", data)
    return mapped(lambda cell: "" if cell is None else str(cell).strip(), data, object).tolist()


def _mask(values: Any) -> NDArray:
    """Where nothing is known."""
    return np.ma.getmaskarray(np.ma.asarray(values))


def _known_numbers(values: Any) -> NDArray:
    """The known ones of a column of numbers; none of another column."""
    data = np.asarray(np.ma.getdata(values))
    return data[~_mask(values) & np.isfinite(data)] if data.dtype.kind == "f" else np.zeros(0)


def _may_be_thousands(values: Any) -> bool:
    """Whether all that is written with a point may be 4.733 for 4,733."""
    numbers = _known_numbers(values)
    broken = numbers[numbers != np.round(numbers)]
    return len(broken) > 0 and bool((np.abs(1000 * broken - np.round(1000 * broken)) < _NEARLY_WHOLE).all())


def _some_fractions(values: Any) -> list[str]:
    """Some of the numbers that are not whole, as text: they show that points are decimal ones."""
    numbers = _known_numbers(values[:_MOST_LOOKED_AT])
    return [f"{number:.15g}" for number in numbers[numbers != np.round(numbers)][:_MOST_SHOWN].tolist()]


def _column(values: Any, name: str) -> NDArray | None:
    """A column that is no text as numbers (NaN = missing) or words ("" = missing); None if it is neither."""
    mask = _mask(values)
    data = np.asarray(np.ma.getdata(values))
    if data.dtype.kind == "b" and not mask.any():
        return data
    if data.dtype.kind in "biuf":
        numbers = data.astype(np.float64, copy=False)
        return finite_or_missing(np.where(mask, np.nan, numbers) if mask.any() else numbers, name)
    if data.dtype.kind == "M":
        texts = np.datetime_as_string(data, unit="s").astype(object)
        texts[mask | np.isnat(data)] = ""
        return texts
    if mask.any():
        data = data.astype(object)
        data[mask] = None
    cells: list[Any] = data.tolist()
    first = islice((cell for cell in cells if cell is not None), 1000)
    if any(isinstance(cell, (list, dict, tuple, np.ndarray)) for cell in first):
        return None
    return words_of_objects(cells)
