"""The folder of a run: settings, journal, model and report."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from errno import ENOSPC
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from threestep.errors import DataError
from threestep.settings import Settings

Event = dict[str, Any]
_HINT_OTHER = "choose another folder: `--out`, in Python `out`"
_PARENT = Path("runs")
_PAGE_FILES = ("comparison.json", "explanation.json", "health.json", "report.html")


class RunFolder:
    """A run's folder; the journal is only ever appended to. While the disk is full its lines wait, so that
    training need not end for that.

    Parameters
    ----------
    path : Path
        An existing folder.
    """

    def __init__(self, path: Path):
        self.path = path
        self.model_path = path / "model.safetensors"
        self.journal_path = path / "journal.jsonl"
        self.config_path = path / "config.toml"
        self.report_path = path / "report.html"
        self._waiting = b""

    @property
    def files(self) -> tuple[Path, ...]:
        """All that a run writes."""
        return (self.model_path, self.journal_path, self.config_path, self.report_path)

    def append(self, event: Event) -> None:
        """Add one line to the journal, now or with a later one."""
        self._waiting += msgspec.json.encode(event) + b"\n"
        with suppress(OSError):
            self.finish()

    def finish(self) -> None:
        """Write all that waits, or none of it.

        Raises
        ------
        OSError
            The disk is still full.
        """
        with self.journal_path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                if file.write(self._waiting) < len(self._waiting):
                    raise OSError(ENOSPC, os.strerror(ENOSPC))
            except OSError:
                with suppress(OSError):
                    file.truncate(size)
                raise
        self._waiting = b""

    def write_config(self, settings: Settings, data: str) -> None:
        """Write down the settings as they were used, defaults filled in.

        Raises
        ------
        DataError
            The disk is full.
        """
        filled = {key: value for key, value in asdict(settings).items() if value is not None}
        with _written(self.path):
            self.config_path.write_bytes(tomli_w.dumps({"data": data, **filled}).encode())


def new_folder(wanted: str | Path | None, name: str) -> RunFolder:
    """Make the folder of a new run.

    Parameters
    ----------
    wanted : str, Path or None
        Where; None makes the next of `runs/<name>-001`, `-002`, ...
    name : str
        Of the data.

    Raises
    ------
    DataError
        The folder holds a file that the run would write, or cannot be written.
    """
    if wanted is not None:
        return _claimed(_named(wanted))
    return RunFolder(_made(name))


def check_page_folder(wanted: str | Path | None) -> None:
    """Refuse a folder that a page cannot go to, before the work for it; nothing is made.

    Raises
    ------
    DataError
        As `page_folder`.
    """
    path = _PARENT if wanted is None else _named(wanted)
    _check_no_file(path)
    with _written(path):
        nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise DataError(f"{path}: cannot be written", _HINT_OTHER)
    if wanted is not None:
        _check_no_page(path)


def page_folder(wanted: str | Path | None, name: str) -> Path:
    """The folder of a page and its numbers, made if it is not there; as `new_folder`.

    Raises
    ------
    DataError
        It holds such or cannot be written.
    """
    if wanted is not None:
        return _with_room(_named(wanted))
    return _made(name)


def _named(wanted: str | Path) -> Path:
    """The folder that is asked for.

    Raises
    ------
    DataError
        Its name is empty, as where a variable of the shell is.
    """
    if not str(wanted):
        raise DataError("the folder's name is empty", _HINT_OTHER)
    return Path(os.path.expanduser(wanted))


def _with_room(path: Path) -> Path:
    """The folder, made if it is not there, that holds no page yet."""
    _check_no_file(path)
    with _written(path):
        path.mkdir(parents=True, exist_ok=True)
    _check_no_page(path)
    return path


def _check_no_page(path: Path) -> None:
    """Refuse a folder that holds one."""
    with _written(path):
        taken = [name for name in _PAGE_FILES if (path / name).exists()]
    if taken:
        raise DataError(f"{path}: holds {' and '.join(taken)} already", _HINT_OTHER)


def _claimed(path: Path) -> RunFolder:
    """The folder with an empty journal in it, made by us and nobody else."""
    _check_no_file(path)
    folder = RunFolder(path)
    with _written(path):
        path.mkdir(parents=True, exist_ok=True)
        taken = [file.name for file in folder.files if file.exists()]
        if not taken:
            try:
                folder.journal_path.open("xb").close()
            except FileExistsError:
                taken = [folder.journal_path.name]
    if folder.journal_path.name in taken and folder.model_path.name not in taken:
        left = f"holds a run that was broken off or still goes on ({', '.join(taken)})"
        raise DataError(f"{path}: {left}", f"{_HINT_OTHER}; what was broken off may be deleted")
    if taken:
        raise DataError(f"{path}: holds a run already ({', '.join(taken)})", _HINT_OTHER)
    return folder


def _made(name: str) -> Path:
    """The next of `runs/name-001`, ... that is not there yet, made by us and nobody else."""
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:60]
    with _written(_PARENT):
        _PARENT.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        number += 1
        path = _PARENT / f"{plain}-{number:03d}"
        with _written(path), suppress(FileExistsError):
            path.mkdir()
            return path


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """What cannot be written in here is told."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})", _HINT_OTHER) from error


def _check_no_file(path: Path) -> None:
    """Refuse a file where a folder is to be."""
    with _written(path):
        is_file, is_lost = path.is_file(), path.is_symlink() and not path.exists()
    if is_file or is_lost:
        what = "a file" if is_file else "a link to nothing"
        raise DataError(f"{path}: is {what}, expected a folder", _HINT_OTHER)


def read_journal(path: str | Path) -> Iterator[Event]:
    """The events of a journal, oldest first; a last line cut short by a kill is left out."""
    for line in Path(path).read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line)
        except msgspec.DecodeError:
            return
