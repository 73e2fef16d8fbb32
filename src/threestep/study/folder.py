"""The folder of a run: settings, journal, model and report."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from threestep.errors import DataError
from threestep.settings import Settings

Event = dict[str, Any]
_HINT_OTHER = "choose another folder: `--out`, in Python `out`"
_MOST_FOLDERS = 100_000


class RunFolder:
    """A run's folder; the journal is only ever appended to.

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

    @property
    def files(self) -> tuple[Path, ...]:
        """All that a run writes."""
        return (self.model_path, self.journal_path, self.config_path, self.report_path)

    def append(self, event: Event) -> None:
        """Add one line to the journal."""
        with self.journal_path.open("ab") as file:
            file.write(msgspec.json.encode(event) + b"\n")

    def write_config(self, settings: Settings, data: str) -> None:
        """Write down the settings as they were used, defaults filled in."""
        filled = {key: value for key, value in asdict(settings).items() if value is not None}
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
    return _claimed(_wanted(wanted, name))


def page_folder(wanted: str | Path | None, name: str) -> Path:
    """The folder of a page and its numbers, made if it is not there; as `new_folder`.

    Raises
    ------
    DataError
        It holds such or cannot be written.
    """
    path = _wanted(wanted, name)
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = [
            each
            for each in ("comparison.json", "explanation.json", "health.json", "report.html")
            if (path / each).exists()
        ]
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})", _HINT_OTHER) from error
    if taken:
        raise DataError(f"{path}: holds {' and '.join(taken)} already", _HINT_OTHER)
    return path


def _wanted(wanted: str | Path | None, name: str) -> Path:
    """Where a folder is to be.

    Raises
    ------
    DataError
        Its name is empty, as where a variable of the shell is.
    """
    if wanted is None:
        return _next_free(Path("runs"), name)
    if not str(wanted):
        raise DataError("the folder's name is empty", _HINT_OTHER)
    return Path(os.path.expanduser(wanted))


def _claimed(path: Path) -> RunFolder:
    """The folder with an empty journal in it, made by us and nobody else."""
    folder = RunFolder(path)
    try:
        if path.is_file():
            raise DataError(f"{path}: is a file, expected a folder", _HINT_OTHER)
        path.mkdir(parents=True, exist_ok=True)
        taken = [file.name for file in folder.files if file.exists()]
        if not taken:
            folder.journal_path.open("xb").close()
    except FileExistsError:
        taken = [folder.journal_path.name]
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})", _HINT_OTHER) from error
    if taken:
        raise DataError(f"{path}: holds a run already ({', '.join(taken)})", _HINT_OTHER)
    return folder


def read_journal(path: str | Path) -> Iterator[Event]:
    """The events of a journal, oldest first; a last line cut short by a kill is left out."""
    for line in Path(path).read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line)
        except msgspec.DecodeError:
            return


def _next_free(parent: Path, name: str) -> Path:
    """`parent/name-001`, or the next number that is not there yet."""
    plain = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:60]
    numbered = (parent / f"{plain}-{number:03d}" for number in range(1, _MOST_FOLDERS))
    return next(path for path in numbered if not path.exists())
