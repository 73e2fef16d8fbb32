"""Folders of pictures or sounds, one folder per class, to samples."""

import hashlib
import os
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import column_of_cells
from threestep.data.folder_layout import HINT, Contents, Sample, check_layout, contents_of, kinds_in, readable
from threestep.data.folder_notes import name_of, named_broken, notes_on_contents, notes_on_files, reason_of
from threestep.data.kept import filled_kept, kept_folder, load_kept, taken_rows
from threestep.data.label_file import label_files, listed_in, one_of
from threestep.data.media import FILE_SETTINGS, PICTURE_ENDINGS, SOUND_ENDINGS, Media
from threestep.data.picture_files import picture_array, picture_media, pillow
from threestep.data.sound_files import sound_array, sound_media
from threestep.data.table import Table
from threestep.data.written import as_python_writes
from threestep.devices import side_by_side
from threestep.errors import DataError
from threestep.settings import Files
from threestep.version import __version__

_KEPT_FROM = 8 << 20  # bytes of decoded files, from which on they are kept for the next time
_SMALLEST = {"picture": Media("picture", 1, 1), "sound": Media("sound", 2, 1, 1, 8000, 2, 1)}
"""What files are decoded as of which none can be read, to see why not."""


def read_folder(path: Path, media: Media | None = None, how: Files = Files()) -> Table:
    """A folder with one folder per class, or `train` and `test` folders of that form, or with a CSV file that
    says the label of each file; or, where it is known how the files become arrays, any files in it or below
    it, labelled where they can be.

    Files that are damaged are left out, named and counted in the notes, unless `how` is strict.

    Parameters
    ----------
    path : Path
    media : Media or None
        How files become arrays; None: seen from the files.
    how : Files

    Raises
    ------
    DataError
        No pictures or sounds, both of them, no classes; or damaged files, and `how` is strict.
    """
    found = contents_of(path)
    if len({sample.label for sample in found.samples} - {None}) < 2:  # folders tell nothing apart
        found = _with_listed_labels(found, path, media is None)
    if media is None and not found.y_name:
        check_layout(path, found)
    return _table_of(found, path, media, how)


def read_listed(path: Path, media: Media | None = None, how: Files = Files()) -> Table | None:
    """As `read_folder`, the files that a CSV file names, with their labels; None if it names none.

    Raises
    ------
    DataError
        As `read_folder`.
    """
    found = listed_in(path)
    return None if found is None else _table_of(found, path.parent, media, how, path.stem)


def _with_listed_labels(found: Contents, path: Path, is_learned_from: bool) -> Contents:
    """The same with the labels of a CSV file in the folder, if there is one; what it does not name is only
    asked for."""
    files = label_files(found.others, path)
    file = one_of(files, path) if is_learned_from or len(files) < 2 else None
    listed = None if file is None else listed_in(file)
    if listed is None:
        return found
    others = tuple(each for each in found.others if each != file)
    if is_learned_from:
        return replace(listed, others=others)
    labels = {sample.file: sample.label for sample in listed.samples}
    samples = tuple(Sample(file, labels.get(file)) for file, *_ in found.samples)
    return replace(listed, samples=samples, others=others)


def _table_of(found: Contents, path: Path, media: Media | None, how: Files, name: str = "") -> Table:
    """The samples as arrays, with what is to be said of them."""
    is_learned_from = media is None
    chosen = [each for each in found.samples if not (is_learned_from and each.label is None)]
    files = [sample.file for sample in chosen]
    kind = _kind_of(files, found.others, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of decoders, who print them; what is damaged is told below
        media = media or _media_of(kind, files, how)
        if media.kind != kind:
            raise DataError(
                f"{readable(str(path))}: holds {kind}s, expected {media.kind}s as in training",
                f"give files of {media.kind}s, or a folder of them",
            )
        arrays, broken = _decoded(files, media)
    _check_damage(broken, files, how.strict, kind, path)
    rows = np.array([row for row in range(len(files)) if row not in broken], int)
    read = [chosen[row] for row in rows.tolist()]
    is_test = np.array([sample.part == "test" for sample in read], bool)
    return Table(
        name or readable(path.resolve().name),
        taken_rows(arrays, rows) if broken else arrays,
        _labels_of(read, found.y_name),
        found.y_name or "class",
        (
            *notes_on_files(files, broken, media, path),
            *notes_on_contents(found, read, path, is_learned_from),
        ),
        media=media,
        is_test=is_test if is_test.any() else None,
        names=tuple(name_of(sample.file, path) for sample in read),
    )


def _labels_of(samples: Sequence[Sample], y_name: str) -> NDArray | None:
    """Labels: names of folders as they are, cells of a file as those of a table; None if none is known."""
    if all(sample.label is None for sample in samples):
        return None
    if y_name:
        cells = [str(sample.label or "") for sample in samples]
        return column_of_cells(as_python_writes({y_name: cells}).columns[y_name], y_name)
    return np.array([sample.label for sample in samples], dtype=object)


def _check_damage(broken: dict[int, str], files: Sequence[Path], strict: bool, kind: str, path: Path) -> None:
    """Refuse files of which none can be read, or not all, and they are to be.

    Raises
    ------
    DataError
    """
    where, named = readable(str(path)), named_broken(files, broken, path, strict)
    if len(broken) == len(files) and path.is_file():
        raise DataError(f"{where}: cannot be read as a {kind} ({broken[0]})", "mend it, or give another file")
    if len(broken) == len(files):
        raise DataError(f"{where}: none of its {kind}s can be read: {named}", "mend or replace them")
    if broken and strict:
        problem = f"{where}: {len(broken)} damaged file(s): {named}"
        raise DataError(problem, "mend or remove them, or do without `strict`")


def _media_of(kind: str, files: Sequence[Path], how: Files) -> Media:
    """What all files become arrays by.

    Raises
    ------
    DataError
        What is asked for is of files of the other kind.
    """
    for name, own in FILE_SETTINGS.items():
        if own != kind and getattr(how, name) is not None:
            raise DataError(f"`{name}` is given, but the files are {kind}s", "leave it out")
    media = picture_media(files, how) if kind == "picture" else sound_media(files, how)
    return media or _SMALLEST[kind]


def _kind_of(files: Sequence[Path], others: Sequence[Path], path: Path) -> str:
    """Pictures or sounds.

    Raises
    ------
    DataError
        Neither, or both.
    """
    name = readable(str(path))
    n_pictures = sum(file.name.lower().endswith(PICTURE_ENDINGS) for file in files)
    n_sounds = sum(file.name.lower().endswith(SOUND_ENDINGS) for file in files)
    if not files:
        raise DataError(f"{name}: holds no pictures and no sounds{kinds_in(others)}", HINT)
    if n_pictures and n_sounds:
        raise DataError(
            f"{name}: holds {n_pictures} pictures and {n_sounds} sounds", "give one kind at a time"
        )
    return "picture" if n_pictures else "sound"


def _decoded(files: Sequence[Path], media: Media) -> tuple[NDArray, dict[int, str]]:
    """All files as one array, uint8, and why those that are damaged could not be read; kept on disk for the
    next time if they are many."""
    name = _kept_name(files, media)
    if (kept := load_kept(kept_folder() / name)) is not None:
        return kept, {}
    read = picture_array if media.kind == "picture" else sound_array
    if media.kind == "picture":
        pillow()  # it may not be installed, which is no damage
    broken = dict[int, str]()

    def fill(arrays: NDArray) -> bool:
        def one(row: int) -> None:
            try:
                arrays[row] = read(files[row], media)
            except DataError:
                raise
            except Exception as error:  # whatever a decoder may raise
                broken[row] = reason_of(error)

        side_by_side(one, range(len(files)))
        return not broken

    shape = len(files), *media.shape
    if prod(shape) < _KEPT_FROM:
        arrays = np.zeros(shape, np.uint8)
        fill(arrays)
    else:
        arrays = filled_kept(kept_folder() / name, shape, fill)
    return arrays, dict(sorted(broken.items()))


def _kept_name(files: Sequence[Path], media: Media) -> str:
    """What these files are kept as: by what they are, how large, and when they were changed."""
    digest = hashlib.sha256(f"{__version__} {media!r}".encode())
    for file in files:
        with suppress(OSError):
            facts = file.stat()
            digest.update(os.fsencode(file.resolve()))
            digest.update(f"\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return f"{digest.hexdigest()[:32]}.npy"
