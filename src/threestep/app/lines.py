"""Lines on stdout: broken between words where the terminal ends; tables; counts."""

import sys
from collections.abc import Iterable
from shutil import get_terminal_size
from typing import TextIO
from unicodedata import east_asian_width

INDENT = " " * 8

_UNBOUNDED = 100_000  # characters, where nobody watches: a fact stays one line, as `grep` wants it
_BETWEEN = "  "  # columns of a table


def line_width(file: TextIO | None = None) -> int:
    """Characters in a line of the terminal; very many where the output goes somewhere else."""
    return get_terminal_size().columns if _is_watched(file or sys.stdout) else _UNBOUNDED


def _is_watched(stream: TextIO) -> bool:
    """Whether a terminal shows it."""
    return stream.isatty()


def say(text: str = "", indent: str = "", later: str | None = None, file: TextIO | None = None) -> None:
    """Print a line, broken where the terminal ends.

    Parameters
    ----------
    text : str
    indent, later : str
        What stands before the first line, and before those it is continued in; by default as much, and at
        least `INDENT`.
    file : TextIO or None
        Where to, if not to stdout.
    """
    later = max(indent, INDENT, key=len) if later is None else later
    for line in broken(text, line_width(file), indent, later):
        print(line, file=file)


def broken(text: str, width: int, indent: str = "", later: str = "") -> list[str]:
    """Text as lines of at most so many characters, broken between words; a longer word stays whole.

    Examples
    --------
    >>> broken("step 1  a line of words", 12, later="  ")
    ['step 1  a', '  line of', '  words']
    """
    lines, line, is_empty = list[str](), indent, True
    for word in text.split(" "):
        longer = line + word if is_empty else f"{line} {word}"
        if is_empty or cells_of(longer) <= width:
            line, is_empty = longer, is_empty and not word
        elif word:
            lines.append(line.rstrip())
            line = later + word
    return [*lines, line.rstrip()]


def cells_of(text: str) -> int:
    """How wide a text is in a terminal, where a Chinese character is as wide as two others.

    Examples
    --------
    >>> cells_of("loss"), cells_of("損失")
    (4, 4)
    """
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def in_columns(rows: Iterable[Iterable[str]], left: Iterable[int] = (0,)) -> list[str]:
    """Rows as lines; columns are to the right but for those of `left`, and no two touch.

    Examples
    --------
    >>> in_columns([["", "loss"], ["test", "1,234,567.891"]])
    ['               loss', 'test  1,234,567.891']
    """
    rows, left = [list(row) for row in rows], set(left)
    widths = [max(map(cells_of, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        gaps = [" " * (width - cells_of(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            cell + gap if place in left else gap + cell
            for place, (cell, gap) in enumerate(zip(row, gaps, strict=True))
        ]
        lines.append(_BETWEEN.join(cells).rstrip())
    return lines


def counted(n: int, thing: str) -> str:
    """So many things.

    Examples
    --------
    >>> counted(1, "test sample"), counted(2000, "epoch")
    ('1 test sample', '2,000 epochs')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def say_notes(notes: Iterable[str], indent: str = "") -> None:
    """What the user should know."""
    for note in notes:
        say(f"note: {note}", indent, indent + " " * 6)
