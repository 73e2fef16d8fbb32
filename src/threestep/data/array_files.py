"""Arrays on disk: npz, and the idx format of MNIST."""

import gzip
import math
import tokenize
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import numeric_array
from threestep.data.labels import given_target
from threestep.data.table import Table
from threestep.errors import DataError

_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 1 << 34
_MOST_AXES = 32
_MOST_UNPACKED = 1032  # deflate cannot make a byte into more: a header that claims more lies
_File = IO[bytes] | gzip.GzipFile
_HINT_COPY = "copy the file again"
_HINT_PAIR = "two files are images.gz,labels.gz in the format of MNIST, or x.npy,y.npy"
_CHANNELS = (1, 3, 4)
_SHORTEST_SIDE = 8  # of a picture: fewer may be channels themselves
_USUAL_NAMES = {
    "x": ("x", "X", "data", "images", "features", "x_train", "X_train", "train_images", "arr_0"),
    "y": ("y", "Y", "target", "targets", "labels", "label", "y_train", "Y_train", "train_labels", "arr_1"),
}


def read_npz(path: Path) -> Table:
    """An npz file with arrays `x` (n_samples, ...) and, if labelled, `y` (n_samples,).

    They may have other usual names: `x_train` and `y_train`, `images` and `labels`, `arr_0` and `arr_1`.

    Raises
    ------
    DataError
        Not an npz file, damaged, no `x`, or objects inside (never unpickled).
    """
    try:
        most_bytes = path.stat().st_size * _MOST_UNPACKED
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            called = _called_as_usual(names, path)
            tests = {own: name.replace("train", "test") for own, name in called.items() if "train" in name}
            arrays = _npy_of(archive, called, most_bytes)
            held_out = _npy_of(archive, tests, most_bytes) if {*tests.values()} <= {*names} else {}
    except (
        *(OSError, EOFError, ValueError, KeyError, RuntimeError, SyntaxError, TypeError),
        *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise DataError(
            f"{path}: cannot be read as npz ({error})", "write it with numpy.savez(path, x=..., y=...)"
        ) from error
    x = numeric_array(arrays["x"], called["x"])
    table = array_table(path.stem, x, arrays.get("y"))
    if not {"x", "y"} <= {*held_out}:
        return table
    test = array_table(path.stem, numeric_array(held_out["x"], tests["x"]), held_out["y"])
    return _with_test(table, test, path)


def _with_test(table: Table, test: Table, path: Path) -> Table:
    """The samples of both, the second ones for the test only.

    Raises
    ------
    DataError
        They are of different shapes.
    """
    x, y = np.asarray(table.x), np.asarray(table.y)
    other, its_y = np.asarray(test.x), np.asarray(test.y)
    if x.shape[1:] != other.shape[1:] or y.shape[1:] != its_y.shape[1:]:
        shapes = f"{x.shape[1:]} and {other.shape[1:]}"
        raise DataError(
            f"{path}: samples to learn from and for the test are of shapes {shapes}", "leave one out"
        )
    is_test = np.repeat([False, True], [len(x), len(other)])
    return replace(table, x=np.concatenate([x, other]), y=np.concatenate([y, its_y]), is_test=is_test)


def _called_as_usual(names: list[str], path: Path) -> dict[str, str]:
    """Of `x` and `y` what the arrays are called: so, or as other programs do.

    Raises
    ------
    DataError
        There is no `x`.
    """
    known = {own: [name for name in usual if name in names] for own, usual in _USUAL_NAMES.items()}
    if not known["x"]:
        raise DataError(
            f"{path}: has no array `x`, but {', '.join(names[:8]) or 'none'}",
            "write the samples as `x` and the target as `y`: numpy.savez(path, x=..., y=...)",
        )
    return {own: found[0] for own, found in known.items() if found}


def _npy_of(archive: zipfile.ZipFile, called: dict[str, str], most_bytes: int) -> dict[str, NDArray]:
    """Some arrays of an npz file, by what they are rather than by what they are called."""
    return {own: _npy(archive, f"{name}.npy", most_bytes) for own, name in called.items()}


def _npy(archive: zipfile.ZipFile, name: str, most_bytes: int) -> NDArray:
    """One array of an npz file.

    Not `numpy.load`: that allocates whatever the header claims before it looks at the values.
    """
    member = archive.getinfo(name)
    with archive.open(member) as file:
        return _npy_values(file, name, member.file_size, most_bytes)


def _npy_values(file: _File, name: str, file_size: int, most_bytes: int) -> NDArray:
    """The array of an open npy file."""
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{name} is of a version that plain arrays do not need")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, expected numbers or text")
    n_bytes = _n_bytes(shape, dtype)
    if file_size != file.tell() + n_bytes or n_bytes > most_bytes:
        raise ValueError(f"{name}: the header claims {n_bytes} bytes, which are not there")
    return np.ndarray(shape, dtype, _exactly(file, n_bytes), order="F" if by_column else "C")


def read_npy(samples: Path, target: Path | None) -> Table:
    """Samples, and their target, in an npy file each.

    Raises
    ------
    DataError
        Not npy files, damaged, objects inside (never unpickled), or of different lengths.
    """
    y = None if target is None else _npy_file(target)
    return array_table(samples.stem, numeric_array(_npy_file(samples), "x"), y)


def _npy_file(path: Path) -> NDArray:
    """The array of an npy file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _npy_values(file, path.name, size, size)
    except (OSError, EOFError, ValueError, SyntaxError, TypeError, tokenize.TokenError) as error:
        raise DataError(
            f"{path}: cannot be read as npy ({error})", "write it with numpy.save(path, array)"
        ) from error


def read_idx_pair(images: Path, labels: Path | None) -> Table:
    """Images (and labels) in the idx format of MNIST, gzipped or not.

    Raises
    ------
    DataError
        A file is damaged, of another format, or the two differ in length.
    """
    x = read_idx(images)
    return array_table(images.name.split(".")[0], x, None if labels is None else read_idx(labels))


def read_idx(path: Path) -> NDArray:
    """One array in the idx format: two zero bytes, type, number of axes, big-endian sizes, values.

    Raises
    ------
    DataError
        Cut, damaged, or of another format.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            most_bytes = file.seek(0, 2) * (_MOST_UNPACKED if zipped else 1)
        with gzip.open(path) if zipped else path.open("rb") as file:
            values = _idx_values(file, most_bytes)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        hint = _HINT_COPY if _has_idx_start(path) else _HINT_PAIR
        raise DataError(f"{path}: cannot be read as idx ({error})", hint) from error
    return numeric_array(values, str(path))


def _has_idx_start(path: Path) -> bool:
    """Whether it is called, or begins, as such files are."""
    is_called = "idx" in path.name.lower() or "ubyte" in path.name.lower()
    try:
        with path.open("rb") as file:
            return is_called or file.read(2) in (b"\x1f\x8b", b"\0\0")
    except OSError:
        return is_called


def _idx_values(file: _File, most_bytes: int) -> NDArray:
    """The array of an open idx file; the header is believed only as far as the file can hold it."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _IDX_TYPES:
        raise ValueError("it does not start like the MNIST files")
    dtype, n_axes = np.dtype(_IDX_TYPES[start[2]]), start[3]
    sizes = file.read(4 * n_axes)
    shape = tuple(np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4").tolist())
    if n_axes == 0 or len(shape) != n_axes:
        raise ValueError(f"cut or damaged: got {len(shape)} sizes of {n_axes}")
    n_bytes = _n_bytes(shape, dtype)
    if n_bytes > most_bytes:
        raise ValueError(f"cut or damaged: the header claims {n_bytes} bytes, which are not there")
    values = np.ndarray(shape, dtype, _exactly(file, n_bytes))
    return values.astype(dtype.newbyteorder("="))


def _n_bytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """What the values of an array take, once the claimed shape is one that can be."""
    if len(shape) > _MOST_AXES:
        raise ValueError(f"the header claims {len(shape)} axes, expected at most {_MOST_AXES}")
    if min(shape, default=0) < 0:
        raise ValueError(f"the header claims shape {shape}")
    if math.prod(max(1, size) for size in shape) * dtype.itemsize > _MOST_BYTES:
        raise ValueError(f"the header claims shape {shape}: more than 16 GiB")
    return math.prod(shape) * dtype.itemsize


def _exactly(file: _File, n_bytes: int) -> bytes:
    """The rest of a file, which must be that long."""
    content = file.read(n_bytes + 1)
    if len(content) != n_bytes:
        found = f"{len(content)}" if len(content) < n_bytes else "more"
        raise ValueError(f"cut or damaged: got {found} bytes of values, expected {n_bytes}")
    return content


def array_table(name: str, x: NDArray, y: object) -> Table:
    """A table of one array and its target, their lengths compared."""
    if x.ndim < 2:
        raise DataError(
            f"x: got an array of shape {x.shape}, expected (n_samples, n_features) or more axes",
            "one column: x.reshape(-1, 1); one sample: x.reshape(1, -1)",
        )
    if 0 in x.shape[1:]:
        raise DataError(f"x: got shape {x.shape}: samples without a feature", "expected at least one feature")
    if y is None:
        return Table(name, x)
    target = given_target(y)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim not in (1, 2) or len(target) != len(x) or 0 in target.shape[1:]:
        raise DataError(
            f"y: got shape {target.shape}, expected ({len(x)},): one target per sample of x",
            "check that x and y come from the same samples",
        )
    return Table(name, x, target)


def channels_last(table: Table) -> Table:
    """Pictures (n, channels, height, width), as PyTorch has them, with their channels last, and a note."""
    x = table.x
    if not isinstance(x, np.ndarray) or x.ndim != 4 or table.media is not None:
        return table
    first, *sides = x.shape[1:]
    if first not in _CHANNELS or min(sides) < _SHORTEST_SIDE:
        return table
    x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    shape = f"{first} × {sides[0]} × {sides[1]}"
    note = f"arrays of {shape} are taken for pictures with their channels first"
    return replace(table, x=x, notes=(*table.notes, note))
