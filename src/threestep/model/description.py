"""The text in a model file: everything of a model but its arrays, as strict JSON.

`describe` writes it, `description_of` reads it. Reading takes nothing on trust: unknown or repeated
entries, sizes no model has, words that are not known and parts that do not fit each other are all a
`ValueError` that says which. So an array's size is only ever computed from small whole numbers.
"""

import json
import math
from dataclasses import asdict
from typing import Any

import msgspec

from threestep.errors import SettingsError, SpecError
from threestep.model.model import Model
from threestep.model.problems import LONGEST_AXIS, is_shape, problems_of
from threestep.model.records import Description, NumberTarget
from threestep.network import ACTIVATION_NAMES, NORMS, Blocks, Conv, Dense, Layer, Network, Pool

NO_HASH = "0" * 64
"""Stands in the text while the file is hashed."""

_MOST_LAYERS = 2000


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
        format=0,
        threestep=threestep.__version__,
        network=model.network,
        goodness=model.goodness,
        layout=prep.layout,
        target=prep.target,
        number=NumberTarget(_plain(prep.target_center), _plain(prep.target_scale)),
        scores={part: _without_nan(own) for part, own in model.scores.items()},
        others=others,
        temperature=float(model.temperature),
        threshold=float(model.threshold),
        shifts=tuple(map(float, model.shifts)),
    )
    description.format = _format_of(description)
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
        description.network = _network_of(description.network)
        description.others = tuple(map(_network_of, description.others))
    except (SettingsError, SpecError) as error:
        raise ValueError(error.message) from error
    problem = next(problems_of(description, _format_of(description)), None)
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
    inner = {key: _inner_entries(key, entries[key]) for key in ("goodness", "layout", "target")}
    entries |= {**inner, "network": _network_entries(description.network)}
    entries |= {"others": [_network_entries(network) for network in description.others]}
    silent: dict[str, Any] = {"others": [], "temperature": 1.0, "threshold": 0.5, "shifts": ()}
    return {key: value for key, value in entries.items() if key not in silent or value != silent[key]}


_SINCE: dict[str, dict[str, Any]] = {
    "goodness": {"gamma": 2.0, "delta": 1.0, "quantiles": ()},
    "layout": {
        "bins": (),
        "dates": (),
        "media": None,
        "with_strays": (),
        "clip": 0.0,
        "with_tails": (),
        "means": (),
        "n_means": 0,
        "written": None,
    },
    "target": {"n_columns": 1},
}
"""What the records of formats 1 and 2 do not have, and what it is there; 3 has no media either,
4 no words among numbers, 5 no clip, 6 no means, 7 no numbers as people write them."""


def _inner_entries(key: str, record: Any) -> dict[str, Any]:
    """A record's entries; those that came later only if they say something."""
    since = _SINCE[key]
    entries = asdict(record)
    if key == "layout" and entries["media"] and not entries["media"]["bits"]:
        del entries["media"]["bits"]
    return {name: value for name, value in entries.items() if name not in since or value != since[name]}


_LAYERS: dict[str, type[Layer]] = {"dense": Dense, "conv": Conv, "pool": Pool, "blocks": Blocks}
_LAYER_NAMES = {layer: name for name, layer in _LAYERS.items()}


def _network_entries(network: Network) -> dict[str, Any]:
    """A layer says which it is only if it is not a dense one."""
    return {"input_shape": network.input_shape, "layers": [*map(_layer_entries, network.layers)]}


def _layer_entries(layer: Layer) -> dict[str, Any]:
    """A dense one says that it is residual only if it is."""
    entries = asdict(layer)
    if not isinstance(layer, Dense):
        return {"layer": _LAYER_NAMES[type(layer)], **entries}
    return entries if layer.residual else {key: entries[key] for key in ("width", "activation")}


class _NetworkEntries(msgspec.Struct, forbid_unknown_fields=True):
    input_shape: tuple[int, ...]
    layers: list[dict[str, Any]]


def _network_of(entries: Any) -> Network:
    """The network that entries stand for, once its sizes are those of one.

    Raises
    ------
    ValueError, SpecError
    """
    known = msgspec.convert(entries, _NetworkEntries)
    if not 0 < len(known.layers) <= _MOST_LAYERS:
        raise ValueError(f"the network has {len(known.layers)} layers, expected 1 to {_MOST_LAYERS}")
    if not is_shape(known.input_shape):
        raise ValueError("the network's input shape has an axis that is too long or empty")
    layers = tuple(map(_layer_of, known.layers))
    if not isinstance(layers[-1], Dense):
        raise ValueError("the network's last layer is not a dense one")
    return Network(known.input_shape, layers)


def _layer_of(entries: dict[str, Any]) -> Layer:
    """A layer, once its words are known and its sizes are small."""
    name = entries.get("layer", "dense")
    kind = _LAYERS.get(name) if isinstance(name, str) else None
    if kind is None or ("layer" in entries and kind is Dense):
        raise ValueError(f"no layer {str(name)[:40]!r}")
    layer = msgspec.convert({key: value for key, value in entries.items() if key != "layer"}, kind)
    if not isinstance(layer, Pool):
        if not 0 < layer.width <= LONGEST_AXIS:
            raise ValueError(f"a layer has a width outside 1 to {LONGEST_AXIS}")
        if layer.activation not in ACTIVATION_NAMES:
            raise ValueError(f"no activation {layer.activation[:40]!r}")
    if isinstance(layer, Dense):
        return layer
    sizes = {"size": (0 if isinstance(layer, Pool) else 1, 64), "stride": (1, 64), "count": (1, _MOST_LAYERS)}
    for part, (least, most) in sizes.items():
        if not least <= getattr(layer, part, 1) <= most:
            raise ValueError(f"a layer has a {part} outside {least} to {most}")
    words = {"norm": NORMS, "kind": ("max", "mean") if isinstance(layer, Pool) else ("basic", "bottleneck")}
    for part, known in words.items():
        if getattr(layer, part, known[0]) not in known:
            raise ValueError(f"no {part} {str(getattr(layer, part))[:40]!r}")
    return layer


def _format_of(description: Description) -> int:
    """The oldest format that can hold a model: 1 knows neither ensembles nor residual layers, 2 neither bins,
    nor several numbers or labels, nor other losses, nor a temperature, 3 only dense layers and no files of
    pictures or sounds, 4 no words among numbers, 5 no numbers that are clipped, 6 no means of the target,
    7 no numbers that were not written as Python does, and no grey of more than 8 bits but 16."""
    records = {key: asdict(getattr(description, key)) for key in _SINCE}
    is_new = any(
        records[key][name] != value for key, since in _SINCE.items() for name, value in since.items()
    )
    is_usual = description.goodness.loss in ("cross_entropy", "squared_error")
    is_corrected = description.temperature != 1.0 or description.threshold != 0.5 or description.shifts
    networks = description.network, *description.others
    layout = description.layout
    needs = {
        8: layout.written is not None or (layout.media is not None and layout.media.bits),
        7: layout.means,
        6: layout.clip,
        5: layout.with_strays,
        4: layout.media is not None or not all(network.is_dense for network in networks),
        3: is_new or not is_usual or is_corrected,
        2: description.others
        or any(getattr(layer, "residual", False) for layer in description.network.hidden),
    }
    return next((version for version, is_needed in needs.items() if is_needed), 1)


def _plain(numbers: Any) -> float | tuple[float, ...]:
    """A number, or several, as Python floats."""
    return tuple(map(float, numbers)) if isinstance(numbers, tuple) else float(numbers)


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
