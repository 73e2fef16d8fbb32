"""Arrays on disk: npz, and the idx format of MNIST."""

import gzip
import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import array_of, numeric_array
from threestep.data.table import Table
from threestep.errors import DataError, did_you_mean

_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 1 << 34
_MOST_AXES = 32
_MOST_UNPACKED = 1032  # deflate cannot make a byte into more: a header that claims more lies
_File = IO[bytes] | gzip.GzipFile
_HINT_COPY = "copy the file again"


def read_npz(path: Path) -> Table:
    """An npz file with arrays `x` (n_samples, ...) and, if labelled, `y` (n_samples,).

    Raises
    ------
    DataError
        Not an npz file, damaged, no `x`, or objects inside (never unpickled).
    """
    try:
        most_bytes = path.stat().st_size * _MOST_UNPACKED
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            arrays = {name: _npy(archive, f"{name}.npy", most_bytes) for name in ("x", "y") if name in names}
    except (
        *(OSError, EOFError, ValueError, KeyError, RuntimeError, SyntaxError, TypeError),
        *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise DataError(
            f"{path}: cannot be read as npz ({error})", "write it with numpy.savez(path, x=..., y=...)"
        ) from error
    if "x" not in arrays:
        raise DataError(f"{path}: has no array `x`", did_you_mean("x", names))
    x = numeric_array(arrays["x"], "x")
    return array_table(path.stem, x, arrays.get("y"))


def _npy(archive: zipfile.ZipFile, name: str, most_bytes: int) -> NDArray:
    """One array of an npz file.

    Not `numpy.load`: that allocates whatever the header claims before it looks at the values.
    """
    member = archive.getinfo(name)
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} is of a version that plain arrays do not need")
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, expected numbers or text")
        n_bytes = _n_bytes(shape, dtype)
        if member.file_size != file.tell() + n_bytes or n_bytes > most_bytes:
            raise ValueError(f"{name}: the header claims {n_bytes} bytes, which are not there")
        return np.ndarray(shape, dtype, _exactly(file, n_bytes), order="F" if by_column else "C")


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
        raise DataError(f"{path}: cannot be read as idx ({error})", _HINT_COPY) from error
    return numeric_array(values, str(path))


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
    target = array_of(y, "y")
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim not in (1, 2) or len(target) != len(x) or 0 in target.shape[1:]:
        raise DataError(
            f"y: got shape {target.shape}, expected ({len(x)},): one target per sample of x",
            "check that x and y come from the same samples",
        )
    return Table(name, x, target)
