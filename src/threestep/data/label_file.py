"""A CSV file beside pictures or sounds that names them and says the label of each, as Kaggle has them."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from threestep.data.csv_file import all_rows, first_rows
from threestep.data.folder_layout import Contents, Sample, entries_of, is_media_file, readable
from threestep.data.media import MEDIA_ENDINGS, PICTURE_ENDINGS
from threestep.data.table import Table
from threestep.errors import DataError

_ENDINGS = (".csv", ".tsv")
_COLUMNS = 2  # file names and labels; a file with more is a table
_FIRST = 3  # lines that show whether it names files: a header, and others
_MOST_FOLDERS = 20  # beside it that are looked into
_FEWEST_DIFFERENT = 0.9  # of the names
_MOST_LACKING = 0.1  # of the names, else they are none of files
_MOST_SEEN, _FEWEST_NAMED = 100, 0.9  # cells of a column of a table, and their share that must be names


def names_files(path: Path) -> bool:
    """Whether it looks like a file with the names of pictures or sounds and their labels."""
    if not path.name.lower().endswith(_ENDINGS):
        return False
    rows = first_rows(path, _FIRST)
    if any(len(row) != _COLUMNS for row in rows):
        return False
    cells = list(chain.from_iterable(rows[1:] or rows))
    folders = [path.parent, *_folders_beside(path)]
    return any(_exists(folder, cell) for folder in folders for cell in cells if cell)


def _folders_beside(path: Path) -> list[Path]:
    """Some of the folders where it lies; none where these may not be seen."""
    try:
        return [entry for entry in entries_of(path.parent) if entry.is_dir()][:_MOST_FOLDERS]
    except DataError:
        return []


def _exists(folder: Path, cell: str) -> bool:
    """Whether a cell names a file in a folder, with or without its ending."""
    return any(_is_one(folder, f"{cell}{ending}") for ending in ("", *MEDIA_ENDINGS))


def _is_one(folder: Path, cell: str) -> bool:
    """Whether a cell is the way from a folder to a picture or sound."""
    try:
        return is_media_file(Path(cell)) and (folder / _way(cell)).is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _way(cell: str) -> str:
    """A way to a file as this system writes it, though Windows may have written it."""
    return cell.replace("\\", "/")


def listed_in(path: Path) -> Contents | None:
    """The files that a CSV file names, with their labels; None if it names none.

    Raises
    ------
    DataError
        It cannot be read.
    """
    if not names_files(path):
        return None
    rows, known = all_rows(path), _files_by_name(path)
    known |= {
        cell: path.parent / _way(cell)
        for row in rows
        for cell in row
        if cell not in known and _is_one(path.parent, cell)
    }
    columns = list(zip(*rows, strict=True))
    counts = [sum(cell in known for cell in column) for column in columns]
    at = max(range(_COLUMNS), key=counts.__getitem__)
    if len(set(columns[at])) < _FEWEST_DIFFERENT * len(rows):  # an age of 7 is no 7.png
        return None
    has_header = columns[at][0] not in known
    below = rows[has_header:]
    names = rows[0] if has_header else [f"column_{index + 1}" for index in range(_COLUMNS)]
    n_lacking = len(below) - counts[at]
    if n_lacking > max(1, _MOST_LACKING * len(below)):
        return None
    samples = tuple(Sample(known[row[at]], row[1 - at]) for row in below if row[at] in known)
    own = readable(path.name)
    notes = [f"column {names[at]!r} of {own} names {len(samples)} files, {names[1 - at]!r} is their label"]
    if n_lacking:
        notes.append(
            f"{n_lacking} of {len(below)} names in {own} are of no file that is there; they are left out"
        )
    if n_more := len(set(known.values()) - {sample.file for sample in samples}):
        notes.append(f"{n_more} {'file' if n_more == 1 else 'files'} beside {own} not named in it")
    return Contents(samples, y_name=names[1 - at], notes=tuple(notes))


def with_names_told(table: Table, path: Path, known: Collection[str] = ()) -> Table:
    """A table to learn from that was read from a file, with a note if one of its columns names pictures or
    sounds that are there, though it is no file of labels.

    Parameters
    ----------
    table : Table
    path : Path
    known : collection of str
        Columns of which it is said what they are.

    Raises
    ------
    DataError
        It is a file of labels, but nothing that it names is there.
    """
    for name, cells in table.columns().items():
        named = [cell for cell in cells[:_MOST_SEEN].tolist() if isinstance(cell, str)]
        are_few = len(named) < _FEWEST_NAMED * min(len(cells), _MOST_SEEN)
        if name in known or are_few or not _are_media(named):
            continue
        kind = "pictures" if named[0].lower().endswith(PICTURE_ENDINGS) else "sounds"
        if any(_is_one(folder, cell) for folder in (path.parent, *_folders_beside(path)) for cell in named):
            what = f"column {name!r} names {kind} that are there, but this is a table of several columns"
            if len(table.columns()) == _COLUMNS:
                what = f"column {name!r} names {kind}, but many of them are not there, or named twice"
            how = "to learn from them, give a file with two columns, file names and labels"
            return replace(table, notes=(*table.notes, f"{what}: {how}"))
        if len(table.columns()) == _COLUMNS and not any("://" in cell for cell in named):
            problem = f"column {name!r} names {kind} such as {named[0]!r}, but none is there"
            hint = "put them beside this file, or in a folder beside it"
            raise DataError(f"{readable(str(path))}: {problem}", hint)
    return table


def _are_media(cells: Sequence[str]) -> bool:
    """Whether these are names of pictures or sounds."""
    return bool(cells) and all(is_media_file(Path(cell)) for cell in cells)


def _files_by_name(path: Path) -> dict[str, Path]:
    """The files beside it, or in a folder beside it, by all they may be called; not by what several are."""
    beside = [path.parent, *_folders_beside(path)]
    files = [entry for folder in beside for entry in entries_of(folder) if is_media_file(entry)]
    ways = [{file.relative_to(path.parent).as_posix(), file.name, file.stem} for file in files]
    counts = Counter(chain.from_iterable(ways))
    return {
        name: file for file, names in zip(files, ways, strict=True) for name in names if counts[name] == 1
    }


def label_files(others: Sequence[Path], path: Path) -> list[Path]:
    """The files in a folder that name pictures or sounds in it with their labels."""
    return [file for file in others if file.parent == path and names_files(file)]


def one_of(files: Sequence[Path], path: Path) -> Path | None:
    """The one file of labels in a folder.

    Raises
    ------
    DataError
        There are several.
    """
    if len(files) > 1:
        names = ", ".join(readable(file.name) for file in files)
        raise DataError(
            f"{readable(str(path))}: {names} all say labels of its files",
            f"give one of them, such as {files[0]}",
        )
    return files[0] if files else None
