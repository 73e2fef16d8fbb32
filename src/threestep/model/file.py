"""The model file: bytes to `Model` and back.

A safetensors file whose metadata is one strict JSON text; a SHA-256 over every byte of the file
stands at a fixed place inside it. Nothing in it is code. Reading checks sizes first, then the hash,
then the format, then that the header is the one this network needs; so a damaged, cut, foreign or
hostile file gives one `ModelFileError` and never wrong numbers. Writing runs the same checks: what
`save` writes, `load` takes. docs/model_file.md describes the format.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from threestep.data import FARTHEST, NO_BINS, NO_MEANS, Prep
from threestep.errors import ModelFileError
from threestep.model.description import describe, description_of, entries_of
from threestep.model.envelope import (
    MOST_HEADER_BYTES,
    Tensor,
    arrays_in,
    check_sizes,
    header_of,
    is_whole,
    layer_name,
    looks_like_ours,
    split_header,
    tensors_of,
    with_hash,
)
from threestep.model.model import Model
from threestep.model.records import Description
from threestep.network import Network, Params

MODEL_FORMAT = 8
"""The newest format this code writes; it reads every version up to it."""

_HINT_COPY = "copy the file again from where it was written"
_HINT_SAVED = "give a file that `model.save` wrote, or a run folder"
_HINT_PARTS = "a model is text, plain settings and finite numbers that fit each other"


def save(model: Model, path: str | Path) -> None:
    """Write a model file: complete or not at all (temporary file, fsync, rename).

    Raises
    ------
    ModelFileError
        The folder is missing or cannot be written, or `load` would not take the model.
    """
    path = Path(path)
    pieces = _pieces(model)
    temporary = path.parent / f".threestep-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        if path.exists() and not path.is_file():
            raise ModelFileError(f"{path}: is not a file and will not be replaced", "choose another name")
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path}: cannot be written ({_why(error)})", "choose another folder") from error
    finally:
        with suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def load(path: str | Path) -> Model:
    """Read a model file, or the one in a run folder.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote, or a folder with a `model.safetensors` in it.

    Raises
    ------
    ModelFileError
        Missing, damaged, not a model of threestep, or from a newer version.
    """
    path = Path(path)
    try:
        if path.is_dir() and (path / "journal.jsonl").exists() and not (path / "model.safetensors").exists():
            raise ModelFileError(
                f"{path}: the run in it did not come to its end", "fit again, to another folder"
            )
        path = path / "model.safetensors" if path.is_dir() else path
        if path.exists() and not path.is_file():  # a device or a pipe may have no end
            raise ModelFileError(f"{path}: is not a file", _HINT_SAVED)
        with path.open("rb") as file:
            content = _content(file, str(path))
    except (OSError, ValueError, MemoryError) as error:
        raise ModelFileError(f"{path}: cannot be read ({_why(error)})", _HINT_SAVED) from error
    return model_of_bytes(content, str(path))


def model_bytes(model: Model) -> bytes:
    """The file's content; equal models give equal bytes (there is no clock in it).

    Raises
    ------
    ModelFileError
        `load` would not take the model.
    """
    return b"".join(_pieces(model))


def model_of_bytes(content: bytes, name: str = "model") -> Model:
    """Read a model file's content; `name` is for messages.

    Returns
    -------
    Model
        Its arrays are read-only views of `content`.

    Raises
    ------
    ModelFileError
        As `load`.
    """
    _check_frame(content, len(content), name)
    if not is_whole(content):
        raise ModelFileError(f"{name}: damaged (its content does not have the hash it should)", _HINT_COPY)
    try:
        description = _description(content, name)
        arrays = arrays_in(content, _tensors(description))
        _check_arrays(arrays)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"{name}: the description is damaged ({error})", _HINT_COPY) from error
    return _model(description, arrays)


def _pieces(model: Model) -> list[Any]:
    """The file in order: what stands before the arrays, then each of them."""
    try:
        text = describe(model)
        description = description_of(entries_of(text))
        network, tensors, arrays = description.network, _tensors(description), _arrays_of(model)
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        if {name: array.shape for name, array in arrays.items()} != shapes:
            raise ValueError(f"the params do not fit the network {str(network)[:80]}")
        _check_arrays(arrays)
        header = header_of(msgspec.json.encode(text), tensors)
        start = len(header).to_bytes(8, "little") + header
        check_sizes(start, len(start) + sum(array.nbytes for array in arrays.values()))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ModelFileError(f"this model cannot be saved: {error}", _HINT_PARTS) from error
    return with_hash([start, *arrays.values()])


def _tensors(description: Description) -> dict[str, Tensor]:
    """What a file with this description holds."""
    layout = description.layout
    means = sum(len(levels) for _, levels in layout.means), layout.n_means
    return tensors_of(sum(layout.bins), means, description.network, *description.others)


def _arrays_of(model: Model) -> dict[str, NDArray]:
    """All arrays of a model by name, as they stand in the file."""
    arrays = {
        "prep.center": np.ascontiguousarray(model.prep.center, "<f8"),
        "prep.scale": np.ascontiguousarray(model.prep.scale, "<f8"),
    }
    if sum(model.prep.layout.bins):
        arrays["prep.bins"] = np.ascontiguousarray(model.prep.bins, "<f8")
    if model.prep.layout.means:
        arrays["prep.means"] = np.ascontiguousarray(model.prep.means, "<f8")
    for place, (network, params) in enumerate([(model.network, model.params), *model.others]):
        for index, (layer, parts) in enumerate(zip(params, network.param_shapes, strict=True)):
            for part in parts:
                arrays[f"{layer_name(place, index)}.{part}"] = np.ascontiguousarray(layer[part], "<f4")
    return arrays


def _content(file: BinaryIO, name: str) -> bytes:
    """All bytes of an open file, once its header is known to tell of as many."""
    n_bytes = os.fstat(file.fileno()).st_size
    start = file.read(min(n_bytes, 8 + MOST_HEADER_BYTES))
    _check_frame(start, n_bytes, name)
    if len(start) == n_bytes:
        return start
    file.seek(0)
    return file.read(n_bytes)


def _check_frame(start: bytes, n_bytes: int, name: str) -> None:
    """The first bytes and the sizes, before anything is parsed or a large file is read."""
    if not looks_like_ours(start):
        raise ModelFileError(f"{name}: not a model file of threestep", _HINT_SAVED)
    try:
        check_sizes(start, n_bytes)
    except ValueError as error:
        raise ModelFileError(f"{name}: cut or damaged ({error})", _HINT_COPY) from error


def _description(content: bytes, name: str) -> Description:
    """What the header says, of a version we know, once the header is what it should be."""
    header, text, quoted = split_header(content)
    entries = entries_of(text)
    _check_version(entries.get("format"), name)
    description = description_of(entries)
    if header_of(quoted, _tensors(description)) != header:
        raise ValueError("the tensors are not those of its network")
    return description


def _check_version(version: object, name: str) -> None:
    """A version from 1 to ours."""
    if type(version) is not int or version < 1:
        raise ValueError(f"format {str(version)[:20]}")
    if version > MODEL_FORMAT:
        raise ModelFileError(
            f"{name}: has format {str(version)[:20]}, this version of threestep reads up to {MODEL_FORMAT}",
            "upgrade: pip install --upgrade threestep",
        )


def _check_arrays(arrays: dict[str, NDArray]) -> None:
    """Numbers a prediction can be made of."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
    if not (arrays["prep.scale"] > 0).all():
        raise ValueError("prep.scale holds numbers that are not above zero")
    if "prep.means" in arrays and not (np.abs(arrays["prep.means"]) <= FARTHEST).all():
        raise ValueError(f"prep.means holds numbers beyond {FARTHEST:,.0f}")
    for name, array in arrays.items():
        if name.endswith("variance") and not (array >= 0).all():
            raise ValueError(f"{name} holds numbers below zero")
    if "prep.bins" in arrays and not (arrays["prep.bins"][1] > 0).all():
        raise ValueError("prep.bins holds widths that are not above zero")


def _model(description: Description, arrays: dict[str, Any]) -> Model:
    """The parts put together."""
    prep = Prep(
        description.layout,
        description.target,
        arrays["prep.center"],
        arrays["prep.scale"],
        description.number.center,
        description.number.scale,
        arrays.get("prep.bins", NO_BINS),
        arrays.get("prep.means", NO_MEANS),
    )
    (network, params), *others = [
        (network, _params_of(network, place, arrays))
        for place, network in enumerate([description.network, *description.others])
    ]
    scores = {
        part: {key: float("nan") if value is None else value for key, value in own.items()}
        for part, own in description.scores.items()
    }
    corrections = description.temperature, description.threshold, description.shifts
    return Model(prep, network, params, description.goodness, scores, tuple(others), *corrections)


def _params_of(network: Network, place: int, arrays: dict[str, Any]) -> Params:
    """The params of the network at that place: 0 is the first."""
    return tuple(
        {part: arrays[f"{layer_name(place, index)}.{part}"] for part in own}
        for index, own in enumerate(network.param_shapes)
    )


def _why(error: Exception) -> str:
    """The reason, without the path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
