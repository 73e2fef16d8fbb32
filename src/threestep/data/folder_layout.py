"""What lies where in a folder of samples: which files are of which class, which of them are for the test."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from threestep.data.media import MEDIA_ENDINGS, PICTURE_ENDINGS, SOUND_ENDINGS
from threestep.errors import DataError

HINT = "expected one folder per class with pictures or sounds in it, or `train` and `test` with such folders"
_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_ORDER = ("", "train", "valid", "test")
_MOST_ENDINGS = 5
_DEPTH_OF_CLASSES = 2  # names below the folder: that of the class, that of the file


class Sample(NamedTuple):
    """A file; its label, None if that is not known; and the part it is of, "" if none is named."""

    file: Path
    label: object = None
    part: str = ""


@dataclass(frozen=True)
class Contents:
    """What a folder holds.

    Parameters
    ----------
    samples : tuple of Sample
        Pictures and sounds, each part in natural order.
    classes : tuple of (part, str)
        Each folder of a class, also the empty ones.
    others : tuple of Path
        Files of other kinds.
    is_divided : bool
        Whether its folders are parts, with those of classes in them.
    y_name : str
        What a file calls the labels; "" if the folders say them.
    notes : tuple of str
        Where they are from, if not from folders.
    """

    samples: tuple[Sample, ...]
    classes: tuple[tuple[str, str], ...] = ()
    others: tuple[Path, ...] = ()
    is_divided: bool = False
    y_name: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class _Walk:
    """Files and folders as they are found, and which real folders have been visited."""

    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    visited: set[tuple[int, int]] = field(default_factory=set)


def contents_of(path: Path) -> Contents:
    """What is in a folder and below it, each real folder once; or the one file that it is.

    There are parts where one folder is called `train` and another `test` or `val`; in them, or else in the
    folder itself, each folder is one of a class.

    Raises
    ------
    DataError
        It cannot be read.
    """
    if path.is_file():
        return Contents((Sample(path),))
    walk = _Walk()
    walk.visited.add(_identity(path))
    _visit(path, walk)
    tops = [one.name for one in walk.folders if one.parent == path]
    parts = {name: _PARTS[name.lower()] for name in tops if name.lower() in _PARTS}
    is_divided = "train" in parts.values() and len(set(parts.values())) > 1
    parts = parts if is_divided else {}
    placed = [_placed(file, path, parts, is_divided) for file in walk.files if is_media_file(file)]
    depth = 1 + is_divided
    inner = [names for one in walk.folders if len(names := one.relative_to(path).parts) == depth]
    return Contents(
        tuple(sorted(placed, key=lambda sample: _ORDER.index(sample.part))),
        tuple(
            (parts.get(names[0], ""), readable(names[-1]))
            for names in inner
            if not parts or names[0] in parts
        ),
        tuple(file for file in walk.files if not is_media_file(file)),
        is_divided,
    )


def _placed(file: Path, path: Path, parts: dict[str, str], is_divided: bool) -> Sample:
    """A file with what the folders above it say."""
    above = file.relative_to(path).parts[:-1]
    part = parts.get(above[0], "") if above else ""
    has_label = len(above) > is_divided and (part or not is_divided)
    return Sample(file, readable(above[is_divided]) if has_label else None, part)


def _visit(path: Path, walk: _Walk) -> None:
    """Go through a folder in natural order. What lies side by side counts as visited before anything below
    it, so that a link to a folder of another class leaves that one its files."""
    entries = entries_of(path)
    folders = [entry for entry in entries if entry.is_dir()]
    new = set[Path]()
    for folder in sorted(folders, key=Path.is_symlink):
        if (identity := _identity(folder)) not in walk.visited:
            walk.visited.add(identity)
            new.add(folder)
    for entry in entries:
        if entry in new:
            walk.folders.append(entry)
            _visit(entry, walk)
        elif entry.is_file() or not entry.exists():  # a link to nothing is told as a damaged file
            walk.files.append(entry)


def _identity(path: Path) -> tuple[int, int]:
    """What a folder is, by whatever name it is come to."""
    facts = path.stat()
    return facts.st_dev, facts.st_ino


def entries_of(path: Path) -> list[Path]:
    """What lies in a folder, in order; what is hidden is not seen.

    Raises
    ------
    DataError
        It cannot be read.
    """
    try:
        return sorted((entry for entry in path.iterdir() if not entry.name.startswith(".")), key=_natural)
    except OSError as error:
        problem = f"{readable(str(path))}: cannot be read ({error.strerror})"
        raise DataError(problem, "check your rights to the folder") from error


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """A key by which 2 comes before 10."""
    pieces = re.split(r"(\d+)", path.name)
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece.lower()) for piece in pieces]


def is_media_file(path: Path) -> bool:
    """Whether it is a picture or a sound by its ending."""
    return path.name.lower().endswith(MEDIA_ENDINGS)


def readable(name: str) -> str:
    """A name that can be printed and written: bytes that are no UTF-8 as backslash and digits.

    Examples
    --------
    >>> readable("caf\\udce9.png")
    'caf\\\\xe9.png'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def check_layout(path: Path, found: Contents) -> None:
    """Refuse a folder that is to be learned from and shows no classes, or nothing but parts or one more
    folder.

    Raises
    ------
    DataError
        With a hint at what was meant.
    """
    name = readable(str(path))
    labelled = [sample for sample in found.samples if sample.label is not None]
    if not found.samples:
        raise DataError(f"{name}: is no folder of samples{kinds_in(found.others)}", HINT)
    if not any(sample.part in ("", "train") for sample in labelled):
        n = len(found.samples)
        where = "in no folder of a class" + (" to learn from" if found.is_divided else "")
        raise DataError(
            f"{name}: is no folder of samples: {n} {'file' if n == 1 else 'files'} {where}",
            f"{HINT}; or name a CSV file beside them with two columns, file names and labels",
        )
    inside = [sample.file.relative_to(path).parts for sample in labelled]
    tops = list(dict.fromkeys(parts[0] for parts in inside))
    if found.is_divided or not _are_no_classes(tops, min(map(len, inside))):
        return
    if len(tops) == 1:
        one = readable(str(path / tops[0]))
        raise DataError(
            f"{name}: its samples lie in one folder, {readable(tops[0])!r}", f"give {one}; {HINT}"
        )
    listed = " and ".join(map(repr, tops))
    raise DataError(f"{name}: holds {listed}, but no 'train' to learn from", HINT)


def _are_no_classes(tops: Sequence[str], depth: int) -> bool:
    """Whether folders are rather parts, or one more folder around those of the classes."""
    return all(top.lower() in _PARTS for top in tops) or (len(tops) == 1 and depth > _DEPTH_OF_CLASSES)


def kinds_in(others: Sequence[Path]) -> str:
    """What to say of a folder that holds other files only; "" if there are none."""
    if not others:
        return ""
    pictures, sounds = ", ".join(PICTURE_ENDINGS), ", ".join(SOUND_ENDINGS)
    return f": {unread(others)}; pictures are {pictures}, sounds {sounds}"


def unread(others: Sequence[Path]) -> str:
    """How many files are of kinds that are not read, and which these are."""
    counts = Counter(readable(file.suffix.lower()) or "no ending" for file in others)
    endings = [ending for ending, _ in counts.most_common(_MOST_ENDINGS)]
    more = ", …" if len(counts) > _MOST_ENDINGS else ""
    files = "1 file is" if len(others) == 1 else f"{len(others)} files are"
    return f"{files} not read ({', '.join(endings)}{more})"
