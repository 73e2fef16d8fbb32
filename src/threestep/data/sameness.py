"""Which samples are the same, and what a whole table is told by."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from threestep.data.table import Table

_MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
"""Of SplitMix64's finalizer (Steele et al. 2014, doi:10.1145/2660193.2660195)."""

_BYTES_AT_ONCE = 1 << 24


def keys_of_samples(table: Table) -> NDArray:
    """64 bits of each sample's features, (n_samples,) uint64: equal samples have equal ones, others by all
    likelihood not. They hold for this process only.

    Examples
    --------
    >>> keys = keys_of_samples(Table("t", {"a": np.array([1.0, 2.0, 1.0])}))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    if isinstance(table.x, np.ndarray):
        flat = np.ascontiguousarray(table.x.reshape(len(table.x), -1))
        return np.fromiter((hash((row + 0).tobytes()) for row in flat), np.int64, len(flat)).view(np.uint64)
    keys = np.zeros(table.n_samples, np.uint64)
    for column in table.x.values():
        keys = _mixed(keys ^ keys_of_values(column))
    return keys


def keys_of_values(column: NDArray) -> NDArray:
    """As `keys_of_samples`, of one column or target; several targets are one."""
    if column.ndim > 1:
        keys = np.zeros(len(column), np.uint64)
        for own in column.T:
            keys = _mixed(keys ^ keys_of_values(own))
        return keys
    if column.dtype.kind in "OUS":
        return np.fromiter(map(hash, column.tolist()), np.int64, len(column)).view(np.uint64)
    numbers = column.astype(np.float64) + 0.0  # no zero below zero
    return _mixed(np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64))


def _mixed(bits: NDArray) -> NDArray:
    """Every bit of the input has a say in every bit of the output."""
    first, second = _MIXERS
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * first
        bits = (bits ^ (bits >> np.uint64(27))) * second
    return bits ^ (bits >> np.uint64(31))


def fingerprint(table: Table) -> str:
    """SHA-256 of all samples, their targets and their names, in their order: other data have another.

    Examples
    --------
    >>> fingerprint(Table("t", {"a": np.array([1.0, 2.0])}))[:16]
    '79e2527db1bdd1e9'
    """
    digest = hashlib.sha256()
    columns = {"": table.x} if isinstance(table.x, np.ndarray) else table.x
    parts = {**columns, "\0target": table.y, "\0weight": table.weight}
    for name, values in parts.items():
        if values is not None:
            digest.update(f"{name}\0{values.dtype.kind}{values.shape}\0".encode("utf-8", "surrogatepass"))
            for piece in _bytes_of(values):
                digest.update(piece)
    return digest.hexdigest()


def _bytes_of(values: NDArray) -> Iterable[bytes]:
    """A column, some of it at a time; words with a mark between."""
    n_rows = 65536 if values.dtype.kind in "OUS" else max(1, _BYTES_AT_ONCE // max(1, values[:1].nbytes))
    for first in range(0, len(values), n_rows):
        part = values[first : first + n_rows]
        if part.dtype.kind in "OUS":
            yield "\x1f".join(map(str, part.ravel().tolist())).encode("utf-8", "surrogatepass")
        else:
            yield np.ascontiguousarray(part).tobytes()
