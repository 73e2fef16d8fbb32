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

from threestep.data import DATE_ORDERS, PICTURE_BITS, PLAIN, Form, Layout, Media, Target
from threestep.errors import SettingsError, SpecError
from threestep.goodness import Goodness
from threestep.limits import LEAST_CLIP
from threestep.model.model import Model
from threestep.network import ACTIVATION_NAMES, NORMS, Blocks, Conv, Dense, Layer, Network, Pool

NO_HASH = "0" * 64
"""Stands in the text while the file is hashed."""

_MOST_LAYERS = 2000
_MOST_AXES = 32
_MOST_OTHERS = 1000
_LONGEST_AXIS = 1 << 31
_LONGEST_WINDOW = 1 << 20
_LARGEST_LABEL = 1 << 64
_MOST_LETTERS = 1 << 26  # of a column's levels side by side, each as long as the longest
_MOST_BINS = 1 << 16
_MOST_MEANS = 1 << 10
_LONGEST_UNIT = 1 << 10
_LARGEST_TEMPERATURE = 1e6
_LARGEST_NUMBER = 1e200  # times any float32 output it stays finite


class NumberTarget(msgspec.Struct, forbid_unknown_fields=True):
    """How the network's output becomes the target's unit."""

    center: float | tuple[float, ...]
    scale: float | tuple[float, ...]


class Description(msgspec.Struct, forbid_unknown_fields=True):
    """The entries of the text, in this order; None in scores is a number that is not finite."""

    sha256: str
    format: int
    threestep: str
    network: Any  # a Network; as entries on its way in
    goodness: Goodness
    layout: Layout
    target: Target
    number: NumberTarget
    scores: dict[str, dict[str, int | float | None]]
    others: tuple[Any, ...] = ()
    temperature: float = 1.0
    threshold: float = 0.5
    shifts: tuple[float, ...] = ()


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
        "written": (),
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
    if not _is_shape(known.input_shape):
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
        if not 0 < layer.width <= _LONGEST_AXIS:
            raise ValueError(f"a layer has a width outside 1 to {_LONGEST_AXIS}")
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
        8: layout.written or (layout.media is not None and layout.media.bits),
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


def _problems(description: Description) -> Iterator[str]:
    """What no model has, worst first: what comes later may rely on what came earlier."""
    network, others = description.network, description.others
    if len(others) > _MOST_OTHERS:
        yield f"it has {len(others)} more networks, expected at most {_MOST_OTHERS}"
    if any(each.n_outputs != network.n_outputs for each in others):
        yield "its networks do not have the same outputs"
    yield from _layout_problems(description.layout, network, *others)
    yield from _target_problems(description)
    if not 0 < description.temperature <= _LARGEST_TEMPERATURE:
        yield "its temperature is not a usable number"
    if not 0 <= description.threshold <= 1 or (description.threshold != 0.5 and network.n_outputs != 2):
        yield "its threshold is not a confidence, or not of two classes"
    if description.shifts and len(description.shifts) != network.n_outputs:
        yield "its shifts are not one for each output"
    if not all(abs(shift) <= _LARGEST_NUMBER for shift in description.shifts):
        yield "its shifts are not usable numbers"
    if description.format != _format_of(description):
        yield f"what it holds is not of format {description.format}"


def _layout_problems(layout: Layout, *networks: Network) -> Iterator[str]:
    names = [*layout.numbers, *(name for name, _ in (*layout.words, *layout.dates))]
    if layout.shape and (names or not _is_shape(layout.shape)):
        yield "the samples are one array and also named columns, or of no possible shape"
    if len(set(names)) < len(names) or any(len(set(levels)) < len(levels) for _, levels in layout.words):
        yield "a column or a level stands twice"
    if any(not levels or len(levels) * max(map(len, levels)) > _MOST_LETTERS for _, levels in layout.words):
        yield "a column of words has no levels, or too long ones"
    yield from _mean_problems(layout)
    media = layout.media
    if media is not None and (media.shape != layout.shape or not _is_media(media)):
        yield "its files do not become samples of its shape"
    yield from _number_problems(layout)
    yield from _form_problems(layout)
    if any(order not in DATE_ORDERS for _, order in layout.dates):
        yield "its dates have an order that is not known"
    possible = {layout.n_inputs, layout.n_plain_inputs}
    if any(network.n_inputs not in possible for network in networks):
        yield f"the columns make {layout.n_inputs} inputs, the network takes {networks[0].n_inputs}"
    elif all(network.n_inputs < layout.n_inputs for network in networks):
        yield "it has bins that no network looks at"


def _mean_problems(layout: Layout) -> Iterator[str]:
    names, words = [name for name, _ in layout.means], dict(layout.words)
    if len(set(names)) < len(names) or not set(names) <= set(words):
        yield "a column with means is not there, or stands twice"
    elif any(
        len(set(levels)) < len(levels) or not set(words[name]) <= set(levels) for name, levels in layout.means
    ):
        yield "a level with means stands twice, or one with an input has none"
    if any(len(levels) * max(map(len, levels), default=0) > _MOST_LETTERS for _, levels in layout.means):
        yield "a column with means has too long levels"
    if bool(names) != bool(layout.n_means) or not 0 <= layout.n_means <= _MOST_MEANS:
        yield "it has levels without means, or means without levels"


def _number_problems(layout: Layout) -> Iterator[str]:
    n_numbers = math.prod(layout.shape) if layout.shape else len(layout.numbers)
    if any(not 0 <= gap < n_numbers for gap in layout.gaps) or list(layout.gaps) != sorted(set(layout.gaps)):
        yield "a column with gaps is not there, or not in order"
    if not set(layout.with_strays) <= set(layout.numbers):
        yield "a column with words among its numbers is not there"
    if layout.clip and (not LEAST_CLIP <= layout.clip < math.inf or layout.is_picture):
        yield "its clip is none, or of pixels"
    tails = list(layout.with_tails)
    if bool(layout.clip) != bool(tails):
        yield "it has a clip without numbers to clip, or these without a clip"
    if tails and (tails != sorted(set(tails)) or not 0 <= tails[0] <= tails[-1] < n_numbers):
        yield "a number with tails is not there, or not in order"
    if layout.bins and (len(layout.bins) != n_numbers or not all(0 <= n <= _MOST_BINS for n in layout.bins)):
        yield "its bins are not one small number for each number"


def _form_problems(layout: Layout) -> Iterator[str]:
    forms = [Form(decimal, unit) for _, decimal, unit in layout.written]
    if len({name for name, *_ in layout.written}) < len(forms):
        yield "a column is written in two ways"
    if any(form.decimal not in (".", ",") or len(form.unit) > _LONGEST_UNIT for form in forms):
        yield "numbers are written in a way that is not known"
    if PLAIN in forms:
        yield "numbers that are written as usual are told of"


def _is_media(media: Media) -> bool:
    """Whether files can become arrays in this way."""
    of_sound = media.rate, media.window, media.hop
    if media.kind == "picture":
        return media.channels in (1, 3) and of_sound == (0, 0, 0) and media.bits in (0, *PICTURE_BITS)
    is_small = all(0 < each <= _LONGEST_AXIS for each in of_sound) and media.window <= _LONGEST_WINDOW
    is_sound = media.kind == "sound" and media.channels == 1 and not media.bits
    return is_sound and is_small and media.window > 1


def _target_problems(description: Description) -> Iterator[str]:
    target, goodness, number = description.target, description.goodness, description.number
    is_classes = target.kind == "classes"
    if target.kind not in ("classes", "number", "labels") or is_classes != bool(target.classes):
        yield "the target is neither classes nor numbers nor labels"
    if not 0 < target.n_columns <= _LONGEST_AXIS or (target.n_columns > 1 and is_classes):
        yield "the target has no possible number of columns"
    if len({str(label) for label in target.classes}) < len(target.classes):
        yield "a class stands twice"
    if any(type(label) is int and abs(label) >= _LARGEST_LABEL for label in target.classes):
        yield "a class is too large a number"
    n_outputs = len(goodness.quantiles) or target.n_outputs
    if n_outputs != description.network.n_outputs:
        yield f"the target needs {n_outputs} outputs, the network has {description.network.n_outputs}"
    if goodness.kind != target.kind or not 0 <= goodness.label_smoothing < 1:
        yield "the loss does not fit the target"
    if not (abs(goodness.gamma) <= _LARGEST_NUMBER and 0 < goodness.delta <= _LARGEST_NUMBER):
        yield "the loss has no usable gamma or delta"
    centers, scales = (each if isinstance(each, tuple) else (each,) for each in (number.center, number.scale))
    if {len(centers), len(scales)} != {target.n_columns if target.kind == "number" else 1}:
        yield "the target's center or scale is not one for each number"
    if not all(abs(center) <= _LARGEST_NUMBER for center in centers) or not all(
        0 < scale <= _LARGEST_NUMBER for scale in scales
    ):
        yield "the target's center or scale is not a usable number"


def _is_shape(shape: tuple[int, ...]) -> bool:
    """Whether an array can have this shape; small enough to multiply without fear."""
    return 0 < len(shape) <= _MOST_AXES and all(0 < size <= _LONGEST_AXIS for size in shape)
