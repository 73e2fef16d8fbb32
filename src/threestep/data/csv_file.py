"""CSV files to named columns, without another library."""

import csv
from pathlib import Path

from threestep.data.cells import column_of_cells, is_number
from threestep.data.table import Table
from threestep.errors import DataError

_DELIMITERS = ",;\t|"


def read_csv(path: Path) -> Table:
    """A CSV file, with or without a header line.

    The delimiter is the one of `, ; tab |` most frequent in the first line. The first line is a
    header unless one of its cells is a number; without one the columns are called `column_1`, ...

    Raises
    ------
    DataError
        The file is empty, not text, ragged, or names a column twice.
    """
    rows = _rows(path)
    if not rows:
        raise DataError(f"{path}: the file is empty", "expected a header line and one line per sample")
    header, rows = _header(rows, path)
    if not rows:
        raise DataError(
            f"{path}: got a header and no samples", "expected one line per sample below the header"
        )
    columns = {
        name: column_of_cells([row[index] for _, row in rows], name) for index, name in enumerate(header)
    }
    return Table(path.stem, columns)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The non-empty lines as (line number, cells), all of one length."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=first.count)
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8", "save the table as CSV in UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read as CSV ({error})", "save the table as plain CSV") from error
    for line, row in rows:
        if len(row) != len(rows[0][1]):
            raise DataError(
                f"{path}, line {line}: got {len(row)} cells, expected {len(rows[0][1])} as in the first line",
                "put quotes around cells that contain the delimiter",
            )
    return rows


def _header(rows: list[tuple[int, list[str]]], path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Column names and the lines below them."""
    first = rows[0][1]
    if any(is_number(cell) for cell in first):
        return [f"column_{index + 1}" for index in range(len(first))], rows
    names = [cell or f"column_{index + 1}" for index, cell in enumerate(first)]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise DataError(
            f"{path}: column name(s) given twice: {', '.join(twice)}", "give every column a name of its own"
        )
    return names, rows[1:]
