"""Arrays on disk: npz, and the idx format of MNIST."""

import gzip
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import numeric_array
from threestep.data.table import Table
from threestep.errors import DataError, did_you_mean

_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_BYTES = 1 << 34


def read_npz(path: Path) -> Table:
    """An npz file with arrays `x` (n_samples, ...) and, if labelled, `y` (n_samples,).

    Raises
    ------
    DataError
        Not an npz file, damaged, no `x`, or objects inside (never unpickled).
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = list(file.files)
            arrays = {name: file[name] for name in ("x", "y") if name in names}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError, KeyError) as error:
        raise DataError(
            f"{path}: cannot be read as npz ({error})", "write it with numpy.savez(path, x=..., y=...)"
        ) from error
    if "x" not in arrays:
        raise DataError(f"{path}: has no array `x`", did_you_mean("x", names))
    x = numeric_array(arrays["x"], "x")
    return array_table(path.stem, x, arrays.get("y"))


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
    """One array in the idx format: two zero bytes, type, rank, big-endian sizes, values."""
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        raise DataError(f"{path}: not an idx file", "expected the format of the MNIST files")
    dtype, rank = np.dtype(_IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * rank
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist()) if len(content) >= start else ()
    expected = start + math.prod(shape) * dtype.itemsize
    if rank == 0 or len(shape) != rank or len(content) != expected:
        raise DataError(
            f"{path}: the idx file is cut or damaged (got {len(content)} bytes, expected {expected})",
            "copy the file again",
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return numeric_array(values.astype(dtype.newbyteorder("=")), str(path))


def array_table(name: str, x: NDArray, y: object) -> Table:
    """A table of one array and its target, their lengths compared."""
    if x.ndim < 2:
        raise DataError(
            f"x: got an array of shape {x.shape}, expected (n_samples, n_features) or more axes",
            "one column: x.reshape(-1, 1); one sample: x.reshape(1, -1)",
        )
    if y is None:
        return Table(name, x)
    target = np.asarray(y)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1 or len(target) != len(x):
        raise DataError(
            f"y: got shape {target.shape}, expected ({len(x)},): one target per sample of x",
            "check that x and y come from the same samples",
        )
    return Table(name, x, target)


def _content(path: Path) -> bytes:
    """The bytes of a file, unzipped if it is gzipped."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})", "copy the file again") from error
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path}: unpacks to more than 16 GiB", "give a smaller file")
    return content
