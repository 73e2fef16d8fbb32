"""The bytes of a model file around its text: a safetensors file with a SHA-256 at a fixed place.

    8 bytes     length of the header, little-endian
    header      JSON: {"__metadata__":{"threestep": our text}, name: {dtype, shape, data_offsets}, ...}
    arrays      one after the other, little-endian

Written by hand rather than by the safetensors library: the arrays go out and come in without a
copy, equal models give equal bytes whatever the library's version, and a header is taken only if it
is, byte for byte, the one its network needs. So there is no offset, shape or dtype to distrust.
Everything here is a `ValueError` that says what is wrong.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from threestep.model.description import NO_HASH
from threestep.network import Network

MOST_HEADER_BYTES = 16 << 20
"""Of a model file's header; thousands of columns take one megabyte."""

MOST_FILE_BYTES = 16 << 30
"""Of a model file."""

_BEFORE_TEXT = b'{"__metadata__":{"threestep":'
_OPENING = _BEFORE_TEXT + rb'"{\"sha256\":\"'  # the header of every version begins so
_HASH_AT = 8 + len(_OPENING)
_HASH_END = _HASH_AT + len(NO_HASH)
_DTYPES = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4")}


class Tensor(NamedTuple):
    """An array's place in the file; `start` and `end` count from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def layer_name(place: int, index: int) -> str:
    """What the arrays of a layer begin with: those of an ensemble's first network as if it were alone."""
    return f"layer.{index}" if place == 0 else f"network.{place}.layer.{index}"


def tensors_of(n_bins: int, means: tuple[int, int], network: Network, *others: Network) -> dict[str, Tensor]:
    """Name and place of every array, for networks whose sizes are sound; `means`: the shape of that array."""
    n_inputs = max(each.n_inputs for each in (network, *others))  # some may see fewer: none of the bins
    wanted: list[tuple[str, str, tuple[int, ...]]] = [
        ("prep.center", "F64", (n_inputs,)),
        ("prep.scale", "F64", (n_inputs,)),
    ]
    if n_bins:
        wanted.append(("prep.bins", "F64", (2, n_bins)))
    if all(means):
        wanted.append(("prep.means", "F64", means))
    for place, each in enumerate((network, *others)):
        for index, own in enumerate(each.param_shapes):
            wanted += [(f"{layer_name(place, index)}.{part}", "F32", shape) for part, shape in own.items()]
    tensors, start = {}, 0
    for name, dtype, shape in wanted:
        end = start + math.prod(shape) * _DTYPES[dtype].itemsize
        tensors[name] = Tensor(dtype, shape, start, end)
        start = end
    return tensors


def looks_like_ours(start: bytes) -> bool:
    """Whether the first bytes are those of a model file of any version."""
    return start[8:_HASH_AT] == _OPENING


def check_sizes(start: bytes, n_bytes: int) -> None:
    """The length of a file and that of its header, before anything is parsed.

    Parameters
    ----------
    start : bytes
        The file's beginning, at least as far as the header goes.
    n_bytes : int
        Of the whole file.
    """
    n_header = int.from_bytes(start[:8], "little")
    if n_header > MOST_HEADER_BYTES:
        raise ValueError(f"a header of {n_header} bytes, expected at most {MOST_HEADER_BYTES}")
    if n_bytes > MOST_FILE_BYTES:
        raise ValueError(f"{n_bytes} bytes, expected at most {MOST_FILE_BYTES}")
    ending = b",%d]}}" % (n_bytes - 8 - n_header)  # where the last array ends
    if not start[8 : 8 + n_header].rstrip(b" ").endswith(ending):
        raise ValueError(f"its {n_bytes} bytes are not those that its header of {n_header} tells of")


def header_of(quoted: bytes, tensors: dict[str, Tensor]) -> bytes:
    """The header around our text, which is given as it stands there: a JSON string."""
    entries = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": (start, end)}
        for name, (dtype, shape, start, end) in tensors.items()
    }
    header = _BEFORE_TEXT + quoted + b"}," + msgspec.json.encode(entries)[1:]
    return header + b" " * (-len(header) % 8)


def split_header(content: bytes) -> tuple[bytes, str, bytes]:
    """A file's header, the text in it, and the text as it stands there."""
    header = content[8 : 8 + int.from_bytes(content[:8], "little")]
    decoded = header.decode()
    text, end = json.JSONDecoder().raw_decode(decoded, len(_BEFORE_TEXT))
    return header, text, decoded[len(_BEFORE_TEXT) : end].encode()


def arrays_in(content: bytes, tensors: dict[str, Tensor]) -> dict[str, NDArray]:
    """The arrays by name: read-only views of the content."""
    data = 8 + int.from_bytes(content[:8], "little")
    return {
        name: np.frombuffer(content, _DTYPES[dtype], math.prod(shape), data + start).reshape(shape)
        for name, (dtype, shape, start, _) in tensors.items()
    }


def is_whole(content: bytes) -> bool:
    """Whether a file has the hash that stands in it."""
    return content[_HASH_AT:_HASH_END] == _digest([content])


def with_hash(pieces: Sequence[Any]) -> list[Any]:
    """A file in pieces, the first of which has zeros for the hash; the same with the hash."""
    first = pieces[0][:_HASH_AT] + _digest(pieces) + pieces[0][_HASH_END:]
    return [first, *pieces[1:]]


def _digest(pieces: Sequence[Any]) -> bytes:
    """SHA-256 of a file whose own hash is zeros, in hex."""
    digest = hashlib.sha256()
    for piece in _with_zeros(pieces):
        digest.update(piece)
    return digest.hexdigest().encode()


def _with_zeros(pieces: Sequence[Any]) -> Iterator[Any]:
    view = memoryview(pieces[0])
    yield from (view[:_HASH_AT], NO_HASH.encode(), view[_HASH_END:], *pieces[1:])
