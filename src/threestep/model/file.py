"""The model file: bytes to `Model` and back.

One safetensors file whose metadata holds one strict JSON text; a SHA-256 over every byte of the
file stands inside it (taken with the hash itself as zeros). Nothing in it is code. Reading checks
sizes first, then the hash, then the format, then that every tensor has just the shape the network
needs; so a damaged, cut, foreign or hostile file gives one `ModelFileError` and never wrong
numbers. docs/model_file.md describes it.
"""

import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from threestep.data import Layout, Prep, Target
from threestep.errors import ModelFileError, SettingsError
from threestep.goodness import Goodness
from threestep.model.model import Model
from threestep.network import ACTIVATION_NAMES, Network, Params

MODEL_FORMAT = 1
"""Version of the format this code writes; it reads every version up to it."""

_KEY = "threestep"
_MARK = b'\\"sha256\\":\\"'  # as it stands inside a JSON text inside a JSON text
_NO_HASH = "0" * 64
_MOST_HEADER_BYTES = 64 << 20
_MOST_FILE_BYTES = 16 << 30
_MOST_TENSORS = 10_000
_HINT_COPY = "copy the file again from where it was written"


class _NumberTarget(msgspec.Struct, forbid_unknown_fields=True):
    """How the network's output becomes the target's unit."""

    center: float
    scale: float


class _Contents(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON of the file."""

    sha256: str
    format: int
    threestep: str
    network: Network
    goodness: Goodness
    layout: Layout
    target: Target
    number: _NumberTarget
    scores: dict[str, dict[str, int | float]]


def save(model: Model, path: str | Path) -> None:
    """Write a model file: complete or not at all (temporary file, fsync, rename).

    Raises
    ------
    ModelFileError
        The folder is missing or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(model_bytes(model))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be written ({error.strerror})", "choose a folder that exists"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


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
    path = path / "model.safetensors" if path.is_dir() else path
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise ModelFileError(f"{path}: larger than 16 GiB", "this is not a model file")
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be read ({error.strerror})", "give a model file or a run folder"
        ) from error
    return model_of_bytes(content, str(path))


def model_bytes(model: Model) -> bytes:
    """The file's content; equal models give equal bytes (there is no clock in it)."""
    import threestep

    prep = model.prep
    contents = _Contents(
        sha256=_NO_HASH,
        format=MODEL_FORMAT,
        threestep=threestep.__version__,
        network=model.network,
        goodness=model.goodness,
        layout=prep.layout,
        target=prep.target,
        number=_NumberTarget(prep.target_center, prep.target_scale),
        scores=model.scores,
    )
    text = msgspec.json.encode(contents).decode()
    content = save_tensors(_tensors(prep, model.params), {_KEY: text})
    return content.replace(_NO_HASH.encode(), _hash(content).encode(), 1)


def model_of_bytes(content: bytes, name: str = "model") -> Model:
    """Read a model file's content; `name` is for messages.

    Raises
    ------
    ModelFileError
        As `load`.
    """
    _check_frame(content, name)
    text, n_tensors = _metadata(content, name)
    if n_tensors > _MOST_TENSORS:
        raise ModelFileError(
            f"{name}: holds {n_tensors} tensors, expected at most {_MOST_TENSORS}", _HINT_COPY
        )
    _check_hash(content, name)
    contents = _contents(text, name)
    try:
        tensors = load_tensors(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{name}: the tensors cannot be read ({error})", _HINT_COPY) from error
    _check_network(contents, name)
    _check_tensors(contents, tensors, name)
    prep = Prep(
        contents.layout,
        contents.target,
        tensors["prep.center"],
        tensors["prep.scale"],
        contents.number.center,
        contents.number.scale,
    )
    params = tuple(
        {part: tensors[f"layer.{index}.{part}"] for part in ("weight", "bias")}
        for index in range(len(contents.network.layers))
    )
    return Model(prep, contents.network, params, contents.goodness, contents.scores)


def _tensors(prep: Prep, params: Params) -> dict[str, NDArray]:
    """All arrays of a model by name; a fresh dict, for the writer keeps what it is given."""
    tensors = {
        "prep.center": np.asarray(prep.center, np.float64),
        "prep.scale": np.asarray(prep.scale, np.float64),
    }
    for index, layer in enumerate(params):
        for part in ("weight", "bias"):
            tensors[f"layer.{index}.{part}"] = np.ascontiguousarray(layer[part], np.float32)
    return tensors


def _check_frame(content: bytes, name: str) -> None:
    """Sizes, before anything is parsed."""
    n_header = int.from_bytes(content[:8], "little")
    if len(content) < 16 or content[8:9] != b"{":
        raise ModelFileError(f"{name}: not a model file of threestep", "give a file that `model.save` wrote")
    if n_header > _MOST_HEADER_BYTES or n_header > len(content) - 8:
        raise ModelFileError(
            f"{name}: cut or damaged (a header of {n_header} bytes in a file of {len(content)})", _HINT_COPY
        )


def _metadata(content: bytes, name: str) -> tuple[str, int]:
    """Our JSON text in the header, and how many tensors the header names."""
    n_header = int.from_bytes(content[:8], "little")
    try:
        header = msgspec.json.decode(content[8 : 8 + n_header], type=dict[str, msgspec.Raw])
        own = msgspec.json.decode(header.get("__metadata__", b"{}"), type=dict[str, str])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{name}: the header is damaged ({error})", _HINT_COPY) from error
    if _KEY not in own:
        raise ModelFileError(
            f"{name}: a safetensors file, but not a model of threestep", "give a file that `model.save` wrote"
        )
    return own[_KEY], len(header) - 1


def _hash(content: bytes) -> str:
    """SHA-256 of a file whose own hash is zeros."""
    return hashlib.sha256(content).hexdigest()


def _check_hash(content: bytes, name: str) -> None:
    """Every byte of the file is as it was written."""
    at = content.find(_MARK)
    at = at + len(_MARK) if at >= 0 else len(content)
    found = content[at : at + 64]
    blank = content[:at] + _NO_HASH.encode() + content[at + 64 :]
    if found != _hash(blank).encode():
        raise ModelFileError(f"{name}: damaged (its content does not have the hash it should)", _HINT_COPY)


def _contents(text: str, name: str) -> _Contents:
    """Our JSON, of a version we know."""

    class Version(msgspec.Struct):
        format: int

    try:
        version = msgspec.json.decode(text, type=Version).format
        if version > MODEL_FORMAT:
            raise ModelFileError(
                f"{name}: has format {version}, this version of threestep reads up to {MODEL_FORMAT}",
                "upgrade: pip install --upgrade threestep",
            )
        return msgspec.json.decode(text, type=_Contents)
    except (msgspec.DecodeError, RecursionError, SettingsError) as error:
        raise ModelFileError(f"{name}: the description is damaged ({error})", _HINT_COPY) from error


def _check_network(contents: _Contents, name: str) -> None:
    """The description is of one piece: known words, and sizes that fit each other."""
    network, layout, target = contents.network, contents.layout, contents.target
    n_outputs = len(target.classes) if target.kind == "classes" else 1
    sound = (
        network.layers
        and network.input_shape
        and min(network.input_shape) > 0
        and all(layer.width > 0 and layer.activation in ACTIVATION_NAMES for layer in network.layers)
        and network.n_inputs == layout.n_inputs
        and network.n_outputs == n_outputs
        and contents.goodness.is_for_classes == (target.kind == "classes")
        and all(0 <= index < layout.n_inputs for index in layout.gaps)
        and np.isfinite([contents.number.center, contents.number.scale]).all()
    )
    if not sound:
        raise ModelFileError(f"{name}: the description contradicts itself", _HINT_COPY)


def _check_tensors(contents: _Contents, tensors: dict[str, NDArray], name: str) -> None:
    """Exactly the tensors of this network and prep, finite."""
    network = contents.network
    expected: dict[str, tuple] = {
        "prep.center": ((network.n_inputs,), "float64"),
        "prep.scale": ((network.n_inputs,), "float64"),
    }
    for index, (fan, layer) in enumerate(zip(network.fans, network.layers, strict=True)):
        expected[f"layer.{index}.weight"] = ((fan, layer.width), "float32")
        expected[f"layer.{index}.bias"] = ((layer.width,), "float32")
    got = {key: (tensor.shape, tensor.dtype.name) for key, tensor in tensors.items()}
    if got != expected:
        raise ModelFileError(f"{name}: the tensors do not fit the network {network}", _HINT_COPY)
    bad = [key for key, tensor in tensors.items() if not np.isfinite(tensor).all()]
    if bad or not (tensors["prep.scale"] > 0).all():
        raise ModelFileError(f"{name}: holds numbers that are not finite", _HINT_COPY)
