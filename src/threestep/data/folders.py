"""Folders of pictures or sounds, one folder per class, to samples."""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from threestep.data.kept import filled_kept, kept_folder, load_kept, taken_rows
from threestep.data.media import FILE_SETTINGS, MEDIA_ENDINGS, PICTURE_ENDINGS, SOUND_ENDINGS, Media
from threestep.data.picture_files import picture_array, picture_media, pillow
from threestep.data.sound_files import sound_array, sound_media
from threestep.data.table import Table
from threestep.devices import side_by_side
from threestep.errors import DataError
from threestep.settings import Files
from threestep.version import __version__

_TEST_NAMES, _TRAIN_NAMES = ("test", "testing"), ("train", "training")
_KEPT_FROM = 8 << 20  # bytes of decoded files, from which on they are kept for the next time
_MOST_NAMED, _MOST_NAMED_STRICT = 5, 100
_HINT = "expected one folder per class with pictures or sounds in it, or `train` and `test` with such folders"


def read_folder(path: Path, media: Media | None = None, how: Files = Files()) -> Table:
    """A folder with one folder per class, or `train` and `test` folders of that form; or, where it is known
    how the files become arrays, any files in it or below it.

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
    found = [] if path.is_file() else _labelled_files(path)
    if media is not None and (not found or _has_loose_files(path)):
        found = [(file, None, False) for file in _all_files(path)]
    if not found and media is None:
        raise DataError(f"{path}: is no folder of samples", _HINT)
    files = [file for file, *_ in found]
    kind = _kind_of(files, path)
    media = media or _media_of(kind, files, how)
    if media.kind != kind:
        raise DataError(
            f"{path}: holds {kind}s, expected {media.kind}s as in training",
            f"give files of {media.kind}s, or a folder of them",
        )
    arrays, broken = _decoded(files, media)
    if broken and how.strict:
        named = _named(files, broken, path, _MOST_NAMED_STRICT)
        raise DataError(
            f"{path}: {len(broken)} damaged file(s): {named}", "mend or remove them, or do without `strict`"
        )
    rows = np.array([row for row in range(len(files)) if row not in broken], int)
    if len(rows) == 0:
        why = next(iter(broken.values()))
        raise DataError(f"{path}: none of its {len(files)} {kind}s can be read ({why})")
    labels = np.array([label for _, label, _ in found], dtype=object)[rows]
    is_test = np.array([each for *_, each in found], bool)[rows]
    return Table(
        path.resolve().name,
        taken_rows(arrays, rows) if broken else arrays,
        None if labels[0] is None else labels,
        "class",
        _notes(files, broken, media, path),
        media=media,
        is_test=is_test if is_test.any() else None,
        names=tuple(_name_of(files[row], path) for row in rows.tolist()),
    )


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
    return picture_media(files, how) if kind == "picture" else sound_media(files, how)


def _name_of(file: Path, path: Path) -> str:
    """A file as it is called below the folder."""
    return file.name if file == path else file.relative_to(path).as_posix()


def is_media_file(path: Path) -> bool:
    """Whether it is a picture or a sound by its ending."""
    return path.name.lower().endswith(MEDIA_ENDINGS)


def _labelled_files(path: Path) -> list[tuple[Path, str | None, bool]]:
    """Each file with the class that its folder is called by, and whether it is for the test."""
    below = {entry.name.lower(): entry for entry in _entries(path) if entry.is_dir()}
    train = next((below[name] for name in _TRAIN_NAMES if name in below), None)
    test = next((below[name] for name in _TEST_NAMES if name in below), None)
    is_divided = train is not None and test is not None
    parts = [(train, False), (test, True)] if is_divided else [(path, False)]
    return [
        (file, one.name, is_test)
        for folder, is_test in parts
        for one in _entries(folder or path)
        if one.is_dir()
        for file in _all_files(one)
    ]


def _has_loose_files(path: Path) -> bool:
    """Whether there are samples that lie in no folder of a class."""
    return path.is_file() or any(is_media_file(entry) for entry in _entries(path))


def _entries(path: Path) -> list[Path]:
    """What lies in a folder, in order; what is hidden is not seen.

    Raises
    ------
    DataError
        It cannot be read.
    """
    try:
        return sorted((entry for entry in path.iterdir() if not entry.name.startswith(".")), key=_natural)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error})", "check your rights to the folder") from error


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A key by which 2 comes before 10."""
    pieces = re.split(r"(\d+)", path.name)
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece.lower()) for piece in pieces]


def _all_files(path: Path) -> list[Path]:
    """Pictures and sounds in a folder and below it, in order; or the one that it is."""
    if path.is_file():
        return [path]
    found = list[Path]()
    for entry in _entries(path):
        if entry.is_dir():
            found += _all_files(entry)
        elif is_media_file(entry):
            found.append(entry)
    return found


def _kind_of(files: Sequence[Path], path: Path) -> str:
    """Pictures or sounds.

    Raises
    ------
    DataError
        Neither, or both.
    """
    n_pictures = sum(file.name.lower().endswith(PICTURE_ENDINGS) for file in files)
    n_sounds = sum(file.name.lower().endswith(SOUND_ENDINGS) for file in files)
    if not files:
        raise DataError(
            f"{path}: holds no pictures ({', '.join(PICTURE_ENDINGS)}) and no sounds "
            f"({', '.join(SOUND_ENDINGS)})",
            _HINT,
        )
    if n_pictures and n_sounds:
        raise DataError(
            f"{path}: holds {n_pictures} pictures and {n_sounds} sounds", "give one kind at a time"
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
                broken[row] = str(error) or type(error).__name__

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
            digest.update(f"{file.resolve()}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return f"{digest.hexdigest()[:32]}.npy"


def _notes(files: Sequence[Path], broken: dict[int, str], media: Media, path: Path) -> tuple[str, ...]:
    """What was found, and what was left out."""
    n_read = len(files) - len(broken)
    found = f"{n_read} {'file' if n_read == 1 else 'files'} read as {media}"
    if not broken:
        return (found,)
    return found, f"{len(broken)} damaged file(s) left out: {_named(files, broken, path, _MOST_NAMED)}"


def _named(files: Sequence[Path], broken: dict[int, str], path: Path, most: int) -> str:
    """Files that are damaged, and why they could not be read; of many the first."""
    named = "; ".join(f"{_name_of(files[row], path)} ({why})" for row, why in list(broken.items())[:most])
    return named + (f" and {len(broken) - most} more" if len(broken) > most else "")
