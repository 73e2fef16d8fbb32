"""CSV files to named columns, small ones without another library."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from threestep.data.cells import column_of_cells, is_number
from threestep.data.duck_file import has_duckdb, read_large_csv
from threestep.data.folder_layout import readable
from threestep.data.table import Table
from threestep.data.written import (
    MISSING,
    NONE_KNOWN,
    NONE_WRITTEN,
    Form,
    as_python_writes,
    may_have_decimal_commas,
)
from threestep.errors import DataError

_LARGE, _START = 4 << 20, 1 << 18  # bytes
_PACKED = 4  # times as large is what a packed file holds
_ROWS_SEEN = 100  # of a large file, before it is read
_FEWEST_COUNTED = 3  # names such as 0, 1, 2 or 2023, 2024, 2025
_MOST_DIGITS = 18  # of such a name
_DELIMITERS = ",;\t|"
_FIRST_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")
_SEPARATOR = re.compile(r"\Asep=.\r?\n", re.IGNORECASE)  # what spreadsheets may begin with
_QUOTED = re.compile(r'"[^"]*"')


def read_csv(
    path: Path, known: Mapping[str, str] = NONE_KNOWN, forms: Mapping[str, Form] = NONE_WRITTEN
) -> Table:
    """A CSV file, perhaps packed (`.gz`), with or without a header line.

    The delimiter is the one of `, ; tab |` most frequent in the first line. Empty lines are left
    out; a line of delimiters only is a sample of which nothing is known. The first line is a
    header unless one of its cells is a number (but for numbers that count, such as years), or most of them
    come again in their own columns; without one the columns are called `column_1`, ..., and a note says so.
    Numbers may be written with decimal commas ("1.234,5"), marks between thousands, a currency or a unit; a
    note says in which columns.

    Parameters
    ----------
    path : Path
    known : mapping of str to str
        What columns are, where the user, or a model, says so: words among their numbers are no mistake, and
        what is no number stays as it is written.
    forms : mapping of str to Form
        How numbers of columns were written where a model learned from them.

    Raises
    ------
    DataError
        The file is empty, not text, ragged, or names a column twice.
    """
    if (large := _read_large(path, known, forms)) is not None:
        return large
    rows, delimiter = _rows(path)
    if not rows:
        raise DataError(f"{path}: the file is empty", "expected a header line and one line per sample")
    header, below = _header(rows, path)
    if not below:
        raise DataError(
            f"{path}: got a header and no samples", "expected one line per sample below the header"
        )
    cells = {name: [row[index] for _, row in below] for index, name in enumerate(header)}
    codes = _on_codes(cells, known)
    cells, notes, found = as_python_writes(cells, delimiter, known, forms)
    columns = {name: column_of_cells(column, name, name in known) for name, column in cells.items()}
    return Table(_name_of(path), columns, notes=(*_on_header(rows, below), *notes, *codes), forms=found)


def first_rows(path: Path, most: int) -> list[list[str]]:
    """The cells of its first lines as they are written; none if it is no text."""
    try:
        with io.TextIOWrapper(_opened(path), "utf-8-sig", newline="") as file:
            start = _SEPARATOR.sub("", file.read(_START), count=1)
        reader = csv.reader(
            io.StringIO(start, newline=""), delimiter=_delimiter(start), skipinitialspace=True
        )
        return [row for (_, row), _ in zip(_numbered_rows(reader), range(most), strict=False)]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error):
        return []


def all_rows(path: Path) -> list[list[str]]:
    """The cells of all lines as they are written, the header among them.

    Raises
    ------
    DataError
        It is no text, or ragged.
    """
    return [row for _, row in _rows(path)[0]]


def _name_of(path: Path) -> str:
    """The file's name without its endings."""
    return readable(Path(path.stem).stem if _is_packed(path) else path.stem)


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if _is_packed(path) else path.open("rb")


def _on_header(rows: Sequence, below: Sequence) -> tuple[str, ...]:
    """A note where there is none."""
    if len(below) < len(rows):
        return ()
    return ("the first line is taken for a sample, not for names: columns are called column_1, column_2, …",)


def _on_codes(columns: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> list[str]:
    """Notes on whole numbers that may be codes."""
    notes = []
    for name, cells in columns.items():
        code = next((cell for cell in cells if cell[:1] == "0" and cell.isdecimal() and len(cell) > 1), None)
        if (
            code is not None
            and name not in known
            and all(cell in MISSING or is_number(cell) for cell in cells)
        ):
            notes.append(
                f"numbers of column {name!r} such as {code} begin with 0; if they are codes, "
                f"--column {name}=category takes them as words"
            )
    return notes


def _read_large(path: Path, known: Mapping[str, str], forms: Mapping[str, Form]) -> Table | None:
    """A large file by DuckDB; None if that is not installed or cannot make sense of the file: the slower way
    then finds the line that is wrong."""
    try:
        if path.stat().st_size * (_PACKED if _is_packed(path) else 1) < _LARGE or not has_duckdb():
            return None
        with io.TextIOWrapper(_opened(path), "utf-8-sig", newline="") as file:
            start = file.read(_START)
    except (OSError, EOFError, UnicodeDecodeError):
        return None
    if _SEPARATOR.match(start):
        return None
    delimiter = _delimiter(start)
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = [row for row, _ in zip(_numbered_rows(reader), range(_ROWS_SEEN))]
    try:
        names, below = _header(rows, path)
        columns = dict(zip(names, zip(*(row for _, row in below), strict=False), strict=False))
        table = read_large_csv(path, delimiter, names, len(below) < len(rows), known, forms)
        notes = (*_on_header(rows, below), *table.notes, *_on_codes(columns, known))
        return replace(table, name=_name_of(path), notes=notes)
    except DataError:
        return None


def _rows(path: Path) -> tuple[list[tuple[int, list[str]]], str]:
    """The non-empty lines as (line number, cells), all of one length; and the delimiter."""
    text = _SEPARATOR.sub("", _text(path), count=1)
    lines, delimiter = io.StringIO(text, newline=""), _delimiter(text)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        rows = list(_numbered_rows(reader))
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})", "save the table as plain CSV") from error
    for line, row in rows:
        if len(row) != len(rows[0][1]):
            raise DataError(
                f"{path}, line {line}: got {len(row)} cells, expected {len(rows[0][1])} as in the first line",
                "put quotes around cells that contain the delimiter; take titles and remarks out",
            )
    return rows, delimiter


def _text(path: Path) -> str:
    """The file as text."""
    try:
        with _opened(path) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: cannot be read ({error})", "check the file, and your rights to it"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8", "save the table as CSV in UTF-8") from error
    if "\0" in text:
        raise DataError(f"{path}: not a text file (it holds zero bytes)", "save the table as CSV in UTF-8")
    return text


def _delimiter(text: str) -> str:
    """The delimiter most frequent in the first line that holds something, outside of quotes."""
    first = _FIRST_LINE.search(text)
    bare = _QUOTED.sub("", first.group()) if first else ""
    return max(_DELIMITERS, key=bare.count)


def _numbered_rows(reader) -> Iterator[tuple[int, list[str]]]:
    """The lines with cells, each with the number of the line on which it starts."""
    line = 1
    for row in reader:
        if len(row) > 1 or any(cell.strip() for cell in row):
            yield line, [cell.strip() for cell in row]
        line = reader.line_num + 1


def _header(rows: list[tuple[int, list[str]]], path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Column names and the lines below them."""
    first = rows[0][1]
    if not _is_header(rows):
        return [f"column_{index + 1}" for index in range(len(first))], rows
    names = [cell or f"column_{index + 1}" for index, cell in enumerate(first)]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(
            f"{path}: column name(s) given twice: {', '.join(twice)}", "give every column a name of its own"
        )
    return names, rows[1:]


def _is_header(rows: list[tuple[int, list[str]]]) -> bool:
    """Whether the first line names the columns."""
    first = rows[0][1]
    numeric = [cell for cell in first if cell not in MISSING and _is_a_number(cell)]
    if numeric:
        below = rows[1][1] if rows[1:] else []
        is_counted_below = _count([cell for cell, own in zip(below, first, strict=False) if own in numeric])
        return _count(numeric) and (numeric[0] == "0" or not is_counted_below)
    # a column's name is not found in it; of one cell that may be chance
    columns = zip(*(row for _, row in rows[1:]), strict=False)
    again = [cell in set(column) for cell, column in zip(first, columns, strict=False) if cell]
    return sum(again) < 2 or 2 * sum(again) <= len(again)


def _is_a_number(cell: str) -> bool:
    """Whether it is one without a unit or a currency, which the name of a column may have."""
    return is_number(cell) or (cell[-1:].isdigit() and may_have_decimal_commas([cell]))


def _count(cells: Sequence[str]) -> bool:
    """Whether cells are whole numbers in a row, as names may be."""
    if len(cells) < _FEWEST_COUNTED or max(map(len, cells)) > _MOST_DIGITS:
        return False
    if not all(cell.isdecimal() for cell in cells):
        return False
    return [int(cell) for cell in cells] == list(range(int(cells[0]), int(cells[0]) + len(cells)))
