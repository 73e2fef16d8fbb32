"""Decoded files, kept on disk for the next time: within a limit, those used least recently make room first.

A file that is being written or read is held by a lock, in this process and in others, and stays. So
one that is larger than the limit stays alone, until something else needs room.
"""

import os
import secrets
import weakref
from collections.abc import Callable
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.devices import cache_folder
from threestep.errors import SettingsError

_LIMIT = "THREESTEP_CACHE_GB"
_USUAL_LIMIT = 10.0  # gigabytes
_GIGABYTE = 1e9
_LARGE = 128 << 20  # bytes
_ROWS_AT_ONCE = 1024


def kept_folder() -> Path:
    """Where they are kept."""
    return cache_folder().parent / "decoded"


def kept_facts() -> dict[str, Any]:
    """Where decoded files are kept, how many, and how large they are together.

    Raises
    ------
    SettingsError
        The limit is no number.
    """
    folder, sizes = kept_folder(), [size for *_, size in _by_age(kept_folder())]
    limit = _limit() / _GIGABYTE
    facts = {"n_files": len(sizes), "gigabytes": round(sum(sizes) / _GIGABYTE, 3), "most_gigabytes": limit}
    return {"folder": str(folder), **facts, "limit_by": _LIMIT}


def load_kept(path: Path) -> NDArray | None:
    """What is kept there, mapped into memory and held as long as the array lives; None if it is not."""
    lock = _held(path)
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError):
        _release(lock)
        return None
    with suppress(OSError):  # may be read only
        os.utime(path)  # used now
    weakref.finalize(array, _release, lock)
    return array


def filled_kept(path: Path, shape: tuple[int, ...], fill: Callable[[NDArray], bool]) -> NDArray:
    """An array of bytes that is filled on disk and kept there for `load_kept`; in memory where nothing is to
    be kept or the disk is full.

    Parameters
    ----------
    path : Path
    shape : tuple of int
    fill : callable
        Writes into the array, and says whether to keep it.
    """
    temporary = _temporary(path.parent)
    array = None
    if _limit() > 0:
        _make_room(path.parent, prod(shape))
        array = _on_disk(temporary, shape)
    if array is None:
        array = np.zeros(shape, np.uint8)
        fill(array)
        return array
    try:
        if fill(array):
            with suppress(OSError):  # somebody deleted it: that only costs the next time
                os.replace(temporary, path)  # whole or not at all
                return array if (kept := load_kept(path)) is None else kept
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return array


def taken_rows(array: NDArray, rows: NDArray) -> NDArray:
    """Some of its rows; of a large array that lies in a file they lie in one, too, that is there as long as
    they are: what is larger than memory can be divided."""
    n_bytes = len(rows) * array[:1].nbytes
    is_in_file = getattr(array, "_mmap", None) is not None and array.dtype == np.uint8
    if not is_in_file or n_bytes < _LARGE:
        return array[rows]

    temporary = _temporary(kept_folder())
    chosen = _on_disk(temporary, (len(rows), *array.shape[1:])) if _limit() > 0 else None
    if chosen is None:
        return array[rows]
    with suppress(OSError):  # gone with the array
        temporary.unlink()
    for at in range(0, len(rows), _ROWS_AT_ONCE):
        chosen[at : at + _ROWS_AT_ONCE] = array[rows[at : at + _ROWS_AT_ONCE]]
    return chosen


def _temporary(folder: Path) -> Path:
    """A name that nobody else has."""
    return folder / f".{os.getpid()}-{secrets.token_hex(4)}.npy"


def _on_disk(path: Path, shape: tuple[int, ...]) -> NDArray | None:
    """A new array in a file, all of whose place is taken at once: a full disk must not be noticed later. None
    if there is no place, or the disk may not be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        array = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        weakref.finalize(array, _release, _held(path))
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return None
    return array


def _make_room(folder: Path, n_bytes: int) -> None:
    """Delete what was used least recently until so much more is within the limit; what is in use stays, and
    all of it where so much is beyond the limit anyway."""
    if n_bytes > _limit():
        return
    found = _by_age(folder)
    too_much = sum(size for *_, size in found) + n_bytes - _limit()
    for _, path, size in found:
        if too_much <= 0:
            return
        if _is_free(path):
            with suppress(OSError):
                path.unlink()
                too_much -= size


def _by_age(folder: Path) -> list[tuple[float, Path, int]]:
    """When each was used last, where it is, its bytes; the oldest first."""
    found = list[tuple[float, Path, int]]()
    with suppress(OSError):
        for path in folder.glob("*.npy"):
            with suppress(OSError):
                facts = path.stat()
                found.append((facts.st_mtime, path, facts.st_size))
    return sorted(found)


def _limit() -> float:
    """Most bytes in all.

    Raises
    ------
    SettingsError
    """
    text = os.environ.get(_LIMIT, "")
    try:
        limit = float(text) if text else _USUAL_LIMIT
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise SettingsError(f"{_LIMIT} is {text!r}; must be a number of gigabytes", "0 keeps nothing")
    return limit * _GIGABYTE


def _held(path: Path) -> int | None:
    """A lock that others may share, but nobody who deletes; None where there is no such file, or no locks
    (Windows, which deletes nothing that is in use)."""
    try:
        import fcntl

        lock = os.open(path, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return lock


def _is_free(path: Path) -> bool:
    """Whether nobody holds it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        lock = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _release(lock: int | None) -> None:
    if lock is not None:
        with suppress(OSError):
            os.close(lock)
