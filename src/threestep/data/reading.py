"""Whatever the user names, to a `Table`; and which part of it is the target."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.array_files import array_table, channels_last, read_idx_pair, read_npy, read_npz
from threestep.data.builtin import BUILTIN_NAMES, load_builtin
from threestep.data.cells import array_of, column_of_cells, column_of_objects, numeric_array
from threestep.data.csv_file import read_csv
from threestep.data.duck_file import DUCK_ENDINGS, read_duck_file
from threestep.data.folder_layout import is_media_file
from threestep.data.folders import read_folder, read_listed
from threestep.data.frames import is_frame, read_frame
from threestep.data.label_file import with_names_told
from threestep.data.labels import as_meant, whole_column
from threestep.data.media import FILE_SETTINGS, Media, sides_of
from threestep.data.odd_names import hint_for, is_no_path, is_packed
from threestep.data.table import Table
from threestep.data.target import is_unknown
from threestep.data.written import NONE_WRITTEN, Form, as_python_writes
from threestep.errors import DataError, did_you_mean
from threestep.settings import Files

_OPENML = "openml:"
_USUAL_TARGETS = ("target", "label", "class", "y")
_TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".data", ".csv.gz", ".tsv.gz", ".txt.gz", ".data.gz")
_HINT_SOURCES = (
    "expected a built-in name, a .csv, .parquet, .jsonl, .npz or .npy file, a folder of pictures or sounds, "
    "`images.gz,labels.gz`, `openml:NAME`, arrays or a data frame"
)

_HINT_OTHER = f"save a table as CSV; {_HINT_SOURCES}"


def read(
    source: object,
    media: Media | None = None,
    how: Files = Files(),
    forms: Mapping[str, Form] = NONE_WRITTEN,
) -> Table:
    """Read samples from whatever the user names.

    Parameters
    ----------
    source : str, Path, (x, y), ndarray, mapping, data frame or Table
        A built-in name (`digits`), a file (`.csv`, `.tsv`, `.csv.gz`, `.npz`; with DuckDB `.parquet`,
        `.jsonl`), `openml:NAME` or `openml:NUMBER`, an idx pair (`images.gz,labels.gz`),
        arrays of shape (n_samples, ...) and (n_samples,), named columns, any data frame, or a folder
        with one folder of pictures or sounds per class.
    media : Media or None
        How a folder's files become arrays, if that was learned before.
    how : Files
        How they are to, if not; and what columns are known to be.
    forms : mapping of str to Form
        How numbers of columns were written where a model learned from them: then text of a frame is one, too.

    Returns
    -------
    Table
        With its target, where the source says which it is.

    Raises
    ------
    DataError
        Nothing of that name, or it cannot be read; or it is asked how files are read, and there are
        none.
    """
    table = source if isinstance(source, Table) else _read_any(source, media, how, forms)
    asked = [name for name in FILE_SETTINGS if getattr(how, name) is not None]
    if asked and table.media is None:
        raise DataError(
            f"`{asked[0]}` is given, but the samples are no pictures or sounds in files", "leave it out"
        )
    if isinstance(source, Table) and table.media is not None:
        known = table.media.settings
        for name in asked:
            asked_for, was = getattr(how, name), known.get(name)
            if name == "picture_size" and was is not None:  # one side says both
                asked_for = sides_of(asked_for)
            if asked_for != was:
                raise DataError(f"`{name}` is given, but the files are read already", "give it to `read`")
    return table


def read_to_learn(source: object, how: Files = Files()) -> Table:
    """As `read`, of samples that are to be learned from.

    Raises
    ------
    DataError
        Also where a file of labels names pictures or sounds, and none is there.
    """
    table = read(source, how=how)
    is_named = isinstance(source, (str, Path)) and isinstance(table.x, Mapping)
    path = Path(os.path.expanduser(str(source))) if is_named else None
    return table if path is None else with_names_told(table, path, _known(how))


def _read_any(source: object, media: Media | None, how: Files, forms: Mapping[str, Form]) -> Table:
    """As `read`, by what the source is."""
    if isinstance(source, (str, Path)):
        return _read_named(str(source), media, how, forms)
    if isinstance(source, tuple) and len(source) == 2:
        return _read_pair(*source)
    if isinstance(source, Mapping):
        return _with_numbers(read_mapping(source), how, forms)
    if is_frame(source):
        return _with_numbers(read_frame(source), how, forms)
    if isinstance(source, (list, np.ndarray)) or hasattr(source, "__array__"):
        return array_table("array", numeric_array(source, "x"), None)
    raise DataError(f"data: got {type(source).__name__}", _HINT_SOURCES)


def _with_numbers(table: Table, how: Files, forms: Mapping[str, Form]) -> Table:
    """The same, text in the columns whose form is known read as the numbers it was in a file."""
    columns = table.columns()
    texts = {
        name: each.tolist() for name, each in columns.items() if name in forms and each.dtype.kind == "O"
    }
    if not texts:
        return table
    read = as_python_writes(texts, known=_known(how), forms=forms)
    new = {name: column_of_cells(cells, name, True) for name, cells in read.columns.items()}
    return replace(table, x={**columns, **new})


def _known(how: Files) -> dict[str, str]:
    """What columns are, of those of which it is said."""
    return {name: kind for name, _, kind in (word.rpartition("=") for word in how.column)}


def _read_pair(x: object, y: object) -> Table:
    """Samples and their target, given one beside the other."""
    if hasattr(x, "toarray"):
        raise DataError("x: got a sparse matrix, expected an array", "give x.toarray()")
    if not is_frame(x):
        return array_table("arrays", numeric_array(x, "x"), y)
    frame = read_frame(x)
    return replace(frame, y=array_table("frame", np.zeros((frame.n_samples, 1)), y).y)


def read_mapping(columns: Mapping) -> Table:
    """Named columns, as a mapping of name to array-like.

    Raises
    ------
    DataError
        Lengths differ, a column has more than one axis, or a name is given twice.
    """
    arrays = {str(name): _array_in(column, str(name)) for name, column in columns.items()}
    if len(arrays) < len(columns):
        raise DataError("a column name is given twice (1 and '1' are one name)", "rename one of them")
    lengths = {name: array.shape for name, array in arrays.items()}
    if not arrays or any(len(shape) != 1 for shape in lengths.values()) or len(set(lengths.values())) > 1:
        raise DataError(f"columns: got shapes {lengths}, expected one length for all", "one value per sample")
    return Table("columns", {name: _mapped_column(array, name) for name, array in arrays.items()})


def _array_in(column: object, name: str) -> NDArray:
    """A column of a mapping; whole numbers to the last digit where an array can hold them."""
    exact = whole_column(column)
    return array_of(column, name) if exact is None else exact


def _mapped_column(array: NDArray, name: str) -> NDArray:
    """One column as numbers or words."""
    return column_of_objects(array.tolist(), name) if array.dtype.kind == "O" else numeric_array(array, name)


def label(table: Table, target: str | None = None) -> Table:
    """The same table with its target set apart from the features.

    Parameters
    ----------
    table : Table
        As `read` returns it.
    target : str or None
        The column to predict, or several with commas between; None takes `target`, `label`, `class` or
        `y`, else the last one.

    Raises
    ------
    DataError
        No such column (with "did you mean"), or no target at all.
    """
    if table.y is not None:
        if target is not None and target != table.y_name:
            raise DataError(
                f"no column {target!r}: the target of {table.name} is {table.y_name!r}", "leave --target out"
            )
        return table
    if isinstance(table.x, np.ndarray):
        raise DataError(
            f"{table.name}: has no target", "give (x, y), an npz with `x` and `y`, or images,labels"
        )
    columns = table.columns()
    name = str(target) if target is not None else _usual_target(list(columns))
    names = (
        [name] if name in columns else [part if part in columns else part.strip() for part in name.split(",")]
    )
    for each in names:
        if each not in columns:
            unused = [note for note in table.notes if note.startswith(f"column {each!r} is left out: ")]
            why = f" that can be used ({unused[0].split(': ', 1)[1]})" if unused else ""
            raise DataError(f"no column {each!r} in {table.name}{why}", did_you_mean(each, columns))
    if len(columns) == len(names):
        raise DataError(
            f"{table.name}: has the one column {name!r} and no features", "expected at least two columns"
        )
    features = {column: values for column, values in columns.items() if column not in names}
    y = columns[names[0]] if len(names) == 1 else np.column_stack([columns[each] for each in names])
    if len(names) == 1 and names[0] in table.meanings:
        y = as_meant(y, table.meanings[names[0]])
    is_usual = target is not None or name.lower() in _USUAL_TARGETS
    notes = table.notes if is_usual else (*table.notes, _last_one(name))
    return replace(table, x=features, y=y, y_name=name, notes=notes)


def _last_one(name: str) -> str:
    """A note on a target that nobody named."""
    usual = f"{', '.join(_USUAL_TARGETS[:-1])} or {_USUAL_TARGETS[-1]}"
    return (
        f"no column is called {usual}: the last one, {name!r}, is predicted; "
        "--target NAME chooses another one"
    )


def labelled(table: Table, target: str | None = None) -> Table:
    """As `label`, ready to be learned from: pictures with their channels last, and without the samples whose
    target is missing. A note says how many they are, and `rows` which are left.

    Raises
    ------
    DataError
        As `label`; all targets are missing, or most of a column that nobody named.
    """
    is_guessed = table.y is None and target is None
    table = channels_last(label(table, target))
    table = table if table.rows is not None else replace(table, rows=np.arange(table.n_samples))
    unknown = is_unknown(np.asarray(table.y))
    n_unknown, n_samples = int(unknown.sum()), table.n_samples
    if n_unknown == 0:
        return table
    missing = f"target {table.y_name!r} is missing in {n_unknown:,} of {n_samples:,} samples"
    if n_unknown == n_samples:
        raise DataError(missing, "choose another column with --target")
    if is_guessed and n_unknown > n_samples / 2:
        raise DataError(missing, f"choose another column with --target, or this with --target {table.y_name}")
    known = table.take(np.flatnonzero(~unknown))
    return replace(known, notes=(*known.notes, f"{missing}; they are left out"))


def _usual_target(names: list[str]) -> str:
    """The column that is the target when nobody says which."""
    lowered = {name.lower(): name for name in reversed(names)}
    return next((lowered[usual] for usual in _USUAL_TARGETS if usual in lowered), names[-1])


def _read_named(name: str, media: Media | None, how: Files, forms: Mapping[str, Form]) -> Table:
    """A built-in name, a file, or a pair of files with a comma between."""
    if name in BUILTIN_NAMES:
        return load_builtin(name)
    if not name:
        raise DataError("data: got an empty name", _HINT_SOURCES)
    name = os.path.expanduser(name)
    if name.startswith(_OPENML):
        return _read_openml(name.removeprefix(_OPENML))
    if _is_there(name, Path.is_dir):
        return read_folder(Path(name), media, how)
    if _is_there(name, Path.is_file):
        path = Path(name)
        return (
            read_folder(path, media, how)
            if media is not None and is_media_file(path)
            else _read_listed(path, media, how) or _read_file(path, how, forms)
        )
    images, comma, labels = name.partition(",")
    if comma:
        for part in (images, labels):
            if not _is_there(part, Path.is_file):
                raise DataError(f"no file {part!r}", _neighbours(Path(part)))
        are_npy = images.lower().endswith(".npy") and labels.lower().endswith(".npy")
        return (read_npy if are_npy else read_idx_pair)(Path(images), Path(labels))
    hint = hint_for(name) if is_no_path(name) else None
    raise DataError(
        f"no data of the name {name!r}: neither built in nor a file or folder",
        hint or _neighbours(Path(name)),
    )


def _read_listed(path: Path, media: Media | None, how: Files) -> Table | None:
    """The pictures or sounds that a file names; None if it is a table, as one of known columns is."""
    return None if how.column else read_listed(path, media, how)


def _read_openml(name: str) -> Table:
    """A data set of openml.org, by name (the newest version) or number, through scikit-learn's loader.

    Raises
    ------
    DataError
        There is none, or no connection.
    """
    from sklearn.datasets import fetch_openml

    given: dict[str, Any] = {"data_id": int(name)} if name.isdigit() else {"name": name}
    try:
        bunch: Any = fetch_openml(**given, as_frame=True, parser="liac-arff")
    except Exception as error:  # whatever the network, the server or the parser may raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(f"openml:{name}: cannot be fetched ({reason[0][:200]})", "see openml.org") from error
    table = replace(read_frame(bunch.frame), name=name)
    return table if bunch.target is None else label(table, ",".join(map(str, bunch.target_names)) or None)


def _is_there(name: str, kind: Callable[[Path], bool]) -> bool:
    """Whether a file or folder of that name is there; no for names that no file can have."""
    try:
        return kind(Path(name))
    except (OSError, ValueError):
        return False


def _read_file(path: Path, how: Files, forms: Mapping[str, Form]) -> Table:
    """A file, by its ending."""
    known, endings = _known(how), path.name.lower()
    if endings.endswith(".npz"):
        return read_npz(path)
    if endings.endswith(_TEXT_ENDINGS):
        return read_csv(path, known, forms)
    if endings.endswith(DUCK_ENDINGS):
        return read_duck_file(path, known, forms)
    if endings.endswith(("ubyte.gz", "ubyte", ".idx", ".idx.gz", ".gz")) and not is_packed(endings):
        return read_idx_pair(path, None)
    if endings.endswith(".npy"):
        return read_npy(path, None)
    if is_media_file(path):
        raise DataError(
            f"{path}: one picture or sound, expected samples",
            "learn from a folder with one folder of files per class; a model that learned from arrays takes "
            "arrays: numpy.savez(path, x=...)",
        )
    raise DataError(f"{path}: a kind of file that is not known", hint_for(str(path)) or _HINT_OTHER)


def _neighbours(path: Path) -> str:
    """Did you mean one of the built-in names, or of the files and folders beside it?"""
    folder = path.parent
    files = [str(folder / file.name) if str(folder) != "." else file.name for file in _files(folder)]
    return did_you_mean(str(path), [*BUILTIN_NAMES, *files])


def _files(folder: Path) -> list[Path]:
    """What may be data in a folder: its files that can be read, its folders; none if it is not there."""
    kinds = (*_TEXT_ENDINGS, *DUCK_ENDINGS, ".npz", ".npy", ".gz")
    try:
        inside = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
        return [file for file in inside if file.name.lower().endswith(kinds) or file.is_dir()][:200]
    except (OSError, ValueError):
        return []
