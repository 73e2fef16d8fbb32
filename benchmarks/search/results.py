"""What a measurement found: kept row by row, shown as tables."""

import json
import os
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rows import note
from benchmarks.timing import machine

Row = dict[str, Any]


class Results:
    """Tables by name; a JSON file holds them after each new row.

    Parameters
    ----------
    subject : str
        What is measured.
    options : Namespace
        As given on the command line; `json` names the file, or is None.
    """

    def __init__(self, subject: str, options: Namespace):
        self._path = Path(options.json) if options.json else None
        given = {name: value for name, value in vars(options).items() if not callable(value)}
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        self._head = {"subject": subject, "machine": machine(), "started": started, "options": given}
        self.tables: dict[str, list[Row]] = {}
        note(self._head["machine"])

    def add(self, table: str, row: Row) -> None:
        """One more row."""
        self.tables.setdefault(table, []).append(row)
        self._write()

    def rows(self, table: str) -> list[Row]:
        """The rows so far."""
        return self.tables.get(table, [])

    def put(self, tables: Mapping[str, list[Row]]) -> None:
        """Whole tables, in place of those of the same name."""
        self.tables.update(tables)
        self._write()

    def show(self) -> None:
        """All tables that have rows, on stdout."""
        for name, rows in self.tables.items():
            if rows:
                print(f"\n{name}\n{as_text(rows)}", flush=True)

    def _write(self) -> None:
        """The file is never half written."""
        if self._path is not None:
            beside = self._path.with_name(self._path.name + ".part")
            beside.write_text(json.dumps({**self._head, **self.tables}, indent=1) + "\n")
            os.replace(beside, self._path)


def collect(
    results: Results,
    measure: Callable[[], None],
    summarize: Callable[[], Mapping[str, list[Row]]] = dict,
) -> None:
    """Measure, then show; Ctrl-C shows what there is, and leaves with code 130."""
    before = signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # so that processes are ended then, too
    is_cut = False
    try:
        measure()
    except KeyboardInterrupt:
        is_cut = True
        note("interrupted: what there is so far")
    finally:
        signal.signal(signal.SIGTERM, before)
    results.put(summarize())
    results.show()
    if is_cut:
        sys.exit(130)


def as_text(rows: Sequence[Row]) -> str:
    """Rows below each other, four significant digits; what is no plain number or text is left out.

    Examples
    --------
    >>> print(as_text([{"peer": "ours", "seconds": 1.23456}, {"peer": "keras", "seconds": None}]))
    peer   seconds
    ours     1.235
    keras        -
    """
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if _is_plain(rows, name)]
    lines = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    is_text = [any(isinstance(row.get(name), str) for row in rows) for name in names]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(line, widths, is_text)
        ).rstrip()
        for line in lines
    )


def _is_plain(rows: Sequence[Row], name: str) -> bool:
    """Whether a column can be shown."""
    return all(isinstance(row.get(name), str | int | float | None) for row in rows)


def _cell(value: object) -> str:
    """One cell."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
