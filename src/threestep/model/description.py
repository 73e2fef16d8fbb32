"""The text in a model file: everything of a model but its arrays, as strict JSON.

`describe` writes it, `description_of` reads it. Reading takes nothing on trust: unknown or repeated
entries, sizes no model has, words that are not known and parts that do not fit each other are all a
`ValueError` that says which. So an array's size is only ever computed from small whole numbers.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgspec

from threestep.data import Layout, Target
from threestep.errors import SettingsError, SpecError
from threestep.goodness import Goodness
from threestep.model.model import Model
from threestep.network import ACTIVATION_NAMES, Network

NO_HASH = "0" * 64
"""Stands in the text while the file is hashed."""

_MOST_LAYERS = 2000
_MOST_AXES = 32
_MOST_OTHERS = 1000
_LONGEST_AXIS = 1 << 31
_LARGEST_LABEL = 1 << 64
_MOST_LETTERS = 1 << 26  # of a column's levels side by side, each as long as the longest
_LARGEST_NUMBER = 1e200  # times any float32 output it stays finite


class NumberTarget(msgspec.Struct, forbid_unknown_fields=True):
    """How the network's output becomes the target's unit."""

    center: float
    scale: float


class Description(msgspec.Struct, forbid_unknown_fields=True):
    """The entries of the text, in this order; None in scores is a number that is not finite."""

    sha256: str
    format: int
    threestep: str
    network: Network
    goodness: Goodness
    layout: Layout
    target: Target
    number: NumberTarget
    scores: dict[str, dict[str, int | float | None]]
    others: tuple[Network, ...] = ()


def describe(model: Model) -> str:
    """The text of a model, in the oldest format that can hold it; equal models give equal texts.

    Raises
    ------
    ValueError, TypeError
        Something that JSON cannot hold, such as half of a surrogate pair in a column's name.
    """
    import threestep

    prep, others = model.prep, tuple(network for network, _ in model.others)
    description = Description(
        sha256=NO_HASH,
        format=_format_of(model.network, others),
        threestep=threestep.__version__,
        network=model.network,
        goodness=model.goodness,
        layout=prep.layout,
        target=prep.target,
        number=NumberTarget(float(prep.target_center), float(prep.target_scale)),
        scores={part: _without_nan(own) for part, own in model.scores.items()},
        others=others,
    )
    try:
        return msgspec.json.encode(_entries(description)).decode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{error.object[:60]!r} is not text (half of a surrogate pair)") from error


def description_of(entries: dict[str, Any]) -> Description:
    """The description in the entries of a text, once it is of one piece.

    Raises
    ------
    ValueError
        Entries are missing, unknown or of the wrong type, or contradict each other.
    """
    try:
        description = msgspec.convert(entries, Description)
    except (SettingsError, SpecError) as error:
        raise ValueError(error.message) from error
    problem = next(_problems(description), None)
    if problem is not None:
        raise ValueError(problem)
    if json.loads(msgspec.json.encode(_entries(description))) != entries:
        raise ValueError("it has entries that are not known, or lacks some")
    return description


def entries_of(text: str) -> dict[str, Any]:
    """A JSON object as plain data.

    Raises
    ------
    ValueError
        Not JSON, not an object, or a key stands twice.
    RecursionError
        Nested too deep.
    """
    entries = json.loads(text, object_pairs_hook=_distinct)
    if not isinstance(entries, dict):
        raise ValueError("not an object")
    return entries


def _entries(description: Description) -> dict[str, Any]:
    """The entries that a description stands for, all of them, in the order of the text.

    In the inner records msgspec passes over entries it does not know. What format 1 does not have
    is left out where it says nothing: those files stay as they are.
    """
    entries = msgspec.structs.asdict(description)
    inner = {key: asdict(entries[key]) for key in ("goodness", "layout", "target")}
    entries |= {**inner, "network": _network_entries(description.network)}
    others = [_network_entries(network) for network in entries.pop("others")]
    return {**entries, "others": others} if others else entries


def _network_entries(network: Network) -> dict[str, Any]:
    """A layer says that it is residual only if it is."""
    entries = asdict(network)
    for layer in entries["layers"]:
        if not layer["residual"]:
            del layer["residual"]
    return entries


def _format_of(network: Network, others: tuple[Network, ...]) -> int:
    """The oldest format that can hold a model: 1 knows neither ensembles nor residual layers."""
    is_plain = not others and not any(layer.residual for layer in network.layers)
    return 1 if is_plain else 2


def _without_nan(scores: dict[str, float]) -> dict[str, int | float | None]:
    """Scores as JSON can hold them, which has no NaN."""
    return {
        key: value if isinstance(value, int) else float(value) if math.isfinite(value) else None
        for key, value in scores.items()
    }


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a key stands twice")
    return entries


def _problems(description: Description) -> Iterator[str]:
    """What no model has, worst first: what comes later may rely on what came earlier."""
    network, others = description.network, description.others
    if len(others) > _MOST_OTHERS:
        yield f"it has {len(others)} more networks, expected at most {_MOST_OTHERS}"
    for each in (network, *others):
        yield from _network_problems(each)
    if any((each.n_inputs, each.n_outputs) != (network.n_inputs, network.n_outputs) for each in others):
        yield "its networks do not have the same inputs and outputs"
    yield from _layout_problems(description.layout, network)
    yield from _target_problems(description)
    if description.format != _format_of(network, others):
        yield f"what it holds is not of format {description.format}"


def _network_problems(network: Network) -> Iterator[str]:
    if not 0 < len(network.layers) <= _MOST_LAYERS:
        yield f"the network has {len(network.layers)} layers, expected 1 to {_MOST_LAYERS}"
    if not _is_shape(network.input_shape):
        yield "the network's input shape has an axis that is too long or empty"
    for layer in network.layers:
        if not 0 < layer.width <= _LONGEST_AXIS:
            yield f"a layer has a width outside 1 to {_LONGEST_AXIS}"
        if layer.activation not in ACTIVATION_NAMES:
            yield f"no activation {layer.activation[:40]!r}"


def _layout_problems(layout: Layout, network: Network) -> Iterator[str]:
    names = [*layout.numbers, *(name for name, _ in layout.words)]
    if layout.shape and (names or not _is_shape(layout.shape)):
        yield "the samples are one array and also named columns, or of no possible shape"
    if len(set(names)) < len(names) or any(len(set(levels)) < len(levels) for _, levels in layout.words):
        yield "a column or a level stands twice"
    if any(not levels or len(levels) * max(map(len, levels)) > _MOST_LETTERS for _, levels in layout.words):
        yield "a column of words has no levels, or too long ones"
    n_numbers = math.prod(layout.shape) if layout.shape else len(layout.numbers)
    if any(not 0 <= gap < n_numbers for gap in layout.gaps) or list(layout.gaps) != sorted(set(layout.gaps)):
        yield "a column with gaps is not there, or not in order"
    n_inputs = n_numbers + len(layout.gaps) + sum(len(levels) for _, levels in layout.words)
    if n_inputs != network.n_inputs:
        yield f"the columns make {n_inputs} inputs, the network takes {network.n_inputs}"


def _target_problems(description: Description) -> Iterator[str]:
    target, goodness, number = description.target, description.goodness, description.number
    is_classes = target.kind == "classes"
    if target.kind not in ("classes", "number") or is_classes != bool(target.classes):
        yield "the target is neither classes nor a number"
    if len({str(label) for label in target.classes}) < len(target.classes):
        yield "a class stands twice"
    if any(type(label) is int and abs(label) >= _LARGEST_LABEL for label in target.classes):
        yield "a class is too large a number"
    n_outputs = len(target.classes) if is_classes else 1
    if n_outputs != description.network.n_outputs:
        yield f"the target needs {n_outputs} outputs, the network has {description.network.n_outputs}"
    if goodness.is_for_classes != is_classes or not 0 <= goodness.label_smoothing < 1:
        yield "the loss does not fit the target"
    if not (abs(number.center) <= _LARGEST_NUMBER and 0 < number.scale <= _LARGEST_NUMBER):
        yield "the target's center or scale is not a usable number"


def _is_shape(shape: tuple[int, ...]) -> bool:
    """Whether an array can have this shape; small enough to multiply without fear."""
    return 0 < len(shape) <= _MOST_AXES and all(0 < size <= _LONGEST_AXIS for size in shape)
