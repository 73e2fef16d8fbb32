"""CSV files to named columns, small ones without another library."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from threestep.data.cells import MISSING, column_of_cells, has_decimal_commas, is_number, with_points
from threestep.data.duck_file import has_duckdb, read_large_csv
from threestep.data.table import Table
from threestep.errors import DataError

_LARGE, _START = 4 << 20, 1 << 18  # bytes
_MOST_NAMED = 5
_ROWS_SEEN = 100  # of a large file, before it is read
_DELIMITERS = ",;\t|"
_FIRST_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")
_QUOTED = re.compile(r'"[^"]*"')


def read_csv(path: Path, known: Collection[str] = ()) -> Table:
    """A CSV file, with or without a header line.

    The delimiter is the one of `, ; tab |` most frequent in the first line. Empty lines are left
    out; a line of delimiters only is a sample of which nothing is known. The first line is a
    header unless one of its cells is a number; without one the columns are called `column_1`, ...
    Between semicolons numbers may have decimal commas ("1.234,5"), as spreadsheets write them where that is
    the custom; a note says in which columns.

    Parameters
    ----------
    path : Path
    known : collection of str
        Columns of which the user, or a model, says what they are: words among their numbers are no mistake.

    Raises
    ------
    DataError
        The file is empty, not text, ragged, or names a column twice.
    """
    if (large := _read_large(path, known)) is not None:
        return large
    rows, delimiter = _rows(path)
    if not rows:
        raise DataError(f"{path}: the file is empty", "expected a header line and one line per sample")
    header, rows = _header(rows, path, delimiter)
    if not rows:
        raise DataError(
            f"{path}: got a header and no samples", "expected one line per sample below the header"
        )
    columns, with_commas = {}, list[str]()
    for index, name in enumerate(header):
        cells = [row[index] for _, row in rows]
        if delimiter == ";" and has_decimal_commas(cells):
            cells = with_points(cells)
            with_commas.append(name)
        columns[name] = column_of_cells(cells, name, name in known)
    notes = () if not with_commas else (_decimal_commas(with_commas),)
    return Table(path.stem, columns, notes=notes)


def _read_large(path: Path, known: Collection[str]) -> Table | None:
    """A large file by DuckDB; None if that is not installed or cannot make sense of the file: the slower way
    then finds the line that is wrong."""
    try:
        if path.stat().st_size < _LARGE or not has_duckdb():
            return None
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = file.read(_START)
    except (OSError, UnicodeDecodeError):
        return None
    delimiter = _delimiter(start)
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows = [row for row, _ in zip(_numbered_rows(reader), range(_ROWS_SEEN))]
    try:
        names, below = _header(rows, path, delimiter)
        if delimiter == ";" and any(map(has_decimal_commas, zip(*(row for _, row in below), strict=False))):
            return None
        return read_large_csv(path, delimiter, names, len(below) < len(rows), known)
    except DataError:
        return None


def _decimal_commas(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST_NAMED])) + (", …" if len(names) > _MOST_NAMED else "")
    return f"commas in column {shown} are taken for decimal points, for the file is separated by semicolons"


def _rows(path: Path) -> tuple[list[tuple[int, list[str]]], str]:
    """The non-empty lines as (line number, cells), all of one length; and the delimiter."""
    text = _text(path)
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
                "put quotes around cells that contain the delimiter",
            )
    return rows, delimiter


def _text(path: Path) -> str:
    """The file as text."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error})", "check your rights to the file") from error
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


def _header(
    rows: list[tuple[int, list[str]]], path: Path, delimiter: str
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Column names and the lines below them."""
    first = rows[0][1]
    with_commas = delimiter == ";"
    numeric = [
        cell
        for cell in first
        if cell not in MISSING and (is_number(cell) or (with_commas and has_decimal_commas([cell])))
    ]
    counted = numeric == [str(index) for index in range(len(numeric))] and len(numeric) > 2
    if numeric and not counted:
        return [f"column_{index + 1}" for index in range(len(first))], rows
    names = [cell or f"column_{index + 1}" for index, cell in enumerate(first)]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(
            f"{path}: column name(s) given twice: {', '.join(twice)}", "give every column a name of its own"
        )
    return names, rows[1:]
