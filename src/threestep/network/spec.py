"""A line of text to a network: `128-64 tanh`, `conv32-conv64-dense128`, `resnet18`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from threestep.errors import SpecError, did_you_mean
from threestep.network.activations import ACTIVATION_NAMES
from threestep.network.kinds import Layer
from threestep.network.layers import Dense
from threestep.network.network import Network
from threestep.network.normalization import NORMS
from threestep.network.pictures import Blocks, Conv, Pool, Shape

_MOST_LAYERS = 1000
_WIDEST = 1 << 16
_LARGEST_SIZE, _LARGEST_STRIDE = 31, 16
_SMALLEST_POOLED = 4  # sides of pictures that are still made half as large
_HINT = "expected widths with `-` between and perhaps an activation: `128-64`, `64-64 tanh`, or nothing"
_HINT_PICTURES = (
    "for pictures: `conv32` (then pooled), `conv32+32` (two, then pooled), `conv32s2` (every second place), "
    "`res64x3` (three residual blocks), `plain64x3` (without residuals), `maxpool`, `meanpool`, "
    "`globalpool`, `dense128`; or `resnet18`"
)
_CONV = re.compile(r"conv(\d+(?:\+\d+)*)(?:k(\d+))?(?:s(\d+))?")
_BLOCKS = re.compile(r"(res|plain)(\d+)(?:x(\d+))?(?:s(\d+))?")
_POOLS = {
    "maxpool": Pool("max", 2, 2),
    "meanpool": Pool("mean", 2, 2),
    "globalpool": Pool("mean", 0, 1),
}
_RESNETS = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
}
"""He et al. 2016 (arXiv:1512.03385), table 1: the blocks of each stage."""
_RESNET_WIDTHS = {"basic": (64, 128, 256, 512), "bottleneck": (256, 512, 1024, 2048)}
_SMALL = 64  # sides of pictures: below, a ResNet does not begin by making them a quarter as large


def parse(spec: str, input_shape: tuple[int, ...], n_outputs: int, output: str = "linear") -> Network:
    """Make the network that a line of text describes.

    Parameters
    ----------
    spec : str
        Layers with `-` between, then optionally their activation (relu if not given); "" for no hidden
        layer. A number is the width of a fully connected layer; an `r` before it makes that residual: its
        input is added to its output. For pictures:

            conv32      a convolution of 3 x 3 with 32 filters, normalized, then pooled 2 x 2
            conv32+64   two of them, then pooled once
            conv32k5    one of 5 x 5
            conv32s2    one that looks at every second place, not pooled; s1: at every place
            res64x3     three residual blocks of 64 channels; res64x3s2: the first at every second place
            plain64x3   the same without residuals
            maxpool, meanpool, globalpool, dense128
            resnet18    or 34, 50, 101, 152; for small pictures with a stem of 3 x 3

        After the activation the normalization may stand: batch (if not given), group, layer or none.
    input_shape : tuple of int
        Of one sample.
    n_outputs : int
        Classes, or 1 for a number.
    output : str
        Activation of the output layer; "linear" leaves logits to the loss.

    Raises
    ------
    SpecError
        With the part that cannot be read.

    Examples
    --------
    >>> import threestep as ts
    >>> print(ts.network.parse("64-32 tanh", input_shape=(8,), n_outputs=3))
    8 → 64 tanh → 32 tanh → 3
    >>> print(ts.network.parse("conv8-dense16", input_shape=(16, 16), n_outputs=10))
    16×16 → 8 × 3×3 relu → max of 2×2 → 16 relu → 10
    >>> ts.network.parse("resnet50", input_shape=(224, 224, 3), n_outputs=1000).n_params
    25557032
    """
    _check_numbers(input_shape, n_outputs)
    layers_text, activation, norm = _parts(spec)
    if output not in ACTIVATION_NAMES:
        raise SpecError(f"network {spec!r}: no activation {output!r}", did_you_mean(output, ACTIVATION_NAMES))
    words = layers_text.split("-") if layers_text else []
    if norm and norm != "none" and not any(map(_is_normalized, words)):
        raise SpecError(
            f"network {spec!r}: got the normalization {norm!r}, but no convolution that is normalized",
            "leave it out",
        )
    if len(words) > _MOST_LAYERS:
        raise SpecError(f"network: got {len(words)} hidden layers, expected at most {_MOST_LAYERS}", _HINT)
    is_grey = len(input_shape) == 2 and any(not _is_neurons(word) for word in words)
    shape = (*input_shape, 1) if is_grey else tuple(input_shape)
    style = _Style(spec, activation, norm or NORMS[0])
    layers = list[Layer]()
    for word in words:
        new = _layers_of(word, shape, style)
        layers += new
        shape = Network(shape, tuple(new)).shapes[-1]
    return Network(tuple(input_shape), (*layers, Dense(n_outputs, output)))


def _check_numbers(input_shape: object, n_outputs: object) -> None:
    """Refuse what is no shape, or no number of outputs.

    Raises
    ------
    SpecError
    """
    shape = tuple(input_shape) if isinstance(input_shape, Sequence) else ()
    if not shape or not all(
        isinstance(each, (int, np.integer)) and each >= 1 for each in (*shape, n_outputs)
    ):
        raise SpecError(
            f"network: got input shape {input_shape!r} and {n_outputs!r} outputs, expected a whole number of "
            "at least one for each",
            "such as input_shape=(8,), n_outputs=3",
        )


class _Style(NamedTuple):
    """What all layers of a line of text share; the line itself for messages."""

    spec: str
    activation: str
    norm: str


def _is_neurons(word: str) -> bool:
    """Whether a word is one of a fully connected layer."""
    return _is_widths(word.removeprefix("dense"))


def _is_normalized(word: str) -> bool:
    """Whether a word is one of convolutions."""
    return word in _RESNETS or bool(_CONV.fullmatch(word) or _BLOCKS.fullmatch(word))


def _layers_of(word: str, shape: Shape, style: _Style) -> list[Layer]:
    """What one word stands for, behind an output of that shape."""
    if not (_is_normalized(word) or word in _POOLS):
        text = word.removeprefix("dense")
        width = _width(text.removeprefix("r"), style.spec, word)
        return [Dense(width, style.activation, text.startswith("r"))]
    if len(shape) != 3:
        raise SpecError(
            f"network {style.spec!r}: {word!r} needs a picture, got inputs of shape {shape}",
            "use widths alone: `128-64`",
        )
    if word in _RESNETS:
        return _resnet(word, shape, style)
    if word in _POOLS:
        return [_POOLS[word]]
    found = _CONV.fullmatch(word)
    if found:
        return _convs(found, shape, style)
    found = _BLOCKS.fullmatch(word)
    assert found
    width, count, stride = _width(found[2], style.spec), int(found[3] or 1), int(found[4] or 1)
    if not (1 <= count <= _MOST_LAYERS and 1 <= stride <= _LARGEST_STRIDE):
        raise SpecError(f"network {style.spec!r}: {word!r} has no possible count or stride", _HINT_PICTURES)
    return _stage(("basic", width, count, stride), shape, style, residual=found[1] == "res")


def _convs(found: re.Match, shape: Shape, style: _Style) -> list[Layer]:
    """Convolutions, then a pool unless a stride is given or the picture is small already."""
    size, stride = int(found[2] or 3), int(found[3] or 1)
    if size % 2 == 0 or size > _LARGEST_SIZE or not 1 <= stride <= _LARGEST_STRIDE:
        raise SpecError(
            f"network {style.spec!r}: {found[0]!r} has an even or too large size, or too large a stride",
            _HINT_PICTURES,
        )
    widths = [_width(text, style.spec) for text in found[1].split("+")]
    convs = [Conv(width, size, stride, style.activation, style.norm) for width in widths]
    is_pooled = found[3] is None and min(shape[:2]) >= _SMALLEST_POOLED
    return [*convs, _POOLS["maxpool"]] if is_pooled else [*convs]


def _stage(
    stage: tuple[str, int, int, int], shape: Shape, style: _Style, residual: bool = True
) -> list[Layer]:
    """Blocks (kind, width, count, stride); the first is one of its own where it changes the shape."""
    kind, width, count, stride = stage
    is_changed = stride != 1 or shape[2] != width

    def blocks(n: int, stride: int) -> Blocks:
        return Blocks(width, kind, n, stride, style.activation, style.norm, residual)

    if not is_changed:
        return [blocks(count, 1)]
    return [blocks(1, stride), *([blocks(count - 1, 1)] if count > 1 else [])]


def _resnet(name: str, shape: Shape, style: _Style) -> list[Layer]:
    """A ResNet as published, but for the stem of small pictures (He et al. 2016, section 4.2)."""
    kind, counts = _RESNETS[name]
    is_small = min(shape[:2]) < _SMALL
    stem = Conv(64, 3 if is_small else 7, 1 if is_small else 2, style.activation, style.norm)
    layers: list[Layer] = [stem] if is_small else [stem, Pool("max", 3, 2)]
    shape = (*shape[:2], 64)
    for place, (width, count) in enumerate(zip(_RESNET_WIDTHS[kind], counts, strict=True)):
        layers += _stage((kind, width, count, 1 if place == 0 else 2), shape, style)
        shape = (*shape[:2], width)
    return [*layers, _POOLS["globalpool"]]


def resnet_meant_by(spec: str) -> str:
    """The name of the ResNet that whoever writes one block of as many channels may mean; empty if none.

    Examples
    --------
    >>> from threestep.network import resnet_meant_by
    >>> resnet_meant_by("res18 tanh"), resnet_meant_by("res64")
    ('resnet18', '')
    """
    meant = spec.strip().lower().replace("res", "resnet").partition(" ")[0]
    return meant if meant in _RESNETS else ""


def spec_of(network: Network) -> str:
    """The line of text that `parse` makes this network of: all hidden layers share one activation, and all
    convolutions one normalization.

    Examples
    --------
    >>> import threestep as ts
    >>> ts.network.spec_of(ts.network.parse("64-r64 tanh", input_shape=(8,), n_outputs=3))
    '64-r64 tanh'
    >>> ts.network.spec_of(ts.network.parse("conv8+8-conv16-32", input_shape=(16, 16), n_outputs=10))
    'conv8+8-conv16-dense32 relu'
    """
    hidden = network.layers[:-1]
    if not hidden:
        return ""
    styled = [layer for layer in hidden if not isinstance(layer, Pool)]
    activation = styled[0].activation if styled else "relu"
    norms = [layer.norm for layer in styled if not isinstance(layer, Dense)]
    ending = f" {norms[0]}" if norms and norms[0] != NORMS[0] else ""
    for name in _RESNETS if not network.is_dense else ():
        text = f"{name} {activation}{ending}"
        if parse(text, network.input_shape, network.n_outputs, _output_of(network)) == network:
            return text
    return f"{'-'.join(_words_of(network))} {activation}{ending}"


def _output_of(network: Network) -> str:
    last = network.layers[-1]
    assert isinstance(last, Dense)
    return last.activation


def _words_of(network: Network) -> list[str]:
    """A word for each hidden layer, or for several that one word stands for."""
    words, hidden, at = list[str](), network.layers[:-1], 0
    while at < len(hidden):
        layer, shape = hidden[at], network.shapes[at]
        n_taken = 1
        if isinstance(layer, Dense):
            words.append(f"{'' if network.is_dense else 'dense'}{'r' if layer.residual else ''}{layer.width}")
        elif isinstance(layer, Pool):
            words.append(next((name for name, pool in _POOLS.items() if pool == layer), "maxpool"))
        elif isinstance(layer, Blocks):
            follows = hidden[at + 1] if at + 1 < len(hidden) else None
            has_more = layer.count == 1 and follows == replace(layer, count=_count(follows), stride=1)
            is_changed = layer.stride != 1 or shape[2] != layer.width
            n_taken = 2 if has_more and is_changed else 1
            count = layer.count + (_count(follows) if n_taken == 2 else 0)
            times, by = f"x{count}" if count > 1 else "", f"s{layer.stride}" if layer.stride > 1 else ""
            words.append(f"{'res' if layer.residual else 'plain'}{layer.width}{times}{by}")
        else:
            alike = [*takewhile(partial(_is_alike, layer), hidden[at:])]
            after = hidden[at + len(alike)] if at + len(alike) < len(hidden) else None
            is_pooled = (
                layer.stride == 1 and after == _POOLS["maxpool"] and min(shape[:2]) >= _SMALLEST_POOLED
            )
            is_small = layer.stride == 1 and min(shape[:2]) < _SMALLEST_POOLED
            n_taken = len(alike) + is_pooled
            widths = "+".join(str(each.width) for each in alike if isinstance(each, Conv))
            size = f"k{layer.size}" if layer.size != 3 else ""
            words.append(f"conv{widths}{size}{'' if is_pooled or is_small else f's{layer.stride}'}")
        at += n_taken
    return words


def _count(layer: Layer | None) -> int:
    return layer.count if isinstance(layer, Blocks) else 1


def _is_alike(one: Conv, other: Layer) -> bool:
    return isinstance(other, Conv) and (one.size, one.stride) == (other.size, other.stride)


def _parts(spec: str) -> tuple[str, str, str]:
    """The layers, the activation and the normalization; "" if none is said."""
    words = spec.split()
    if len(words) > 3:
        raise SpecError(f"network {spec!r}: got {len(words)} words, expected at most three", _HINT)
    layers = words.pop(0) if words and _is_layers(words[0]) else ""
    norm = words.pop() if words and words[-1] in NORMS else ""
    activation = words.pop(0) if words else "relu"
    for word in (activation, *words):
        if word not in ACTIVATION_NAMES:
            what = "activation" if layers else "layer or activation"
            in_small = [word.lower()] if _is_layers(word.lower()) else []
            hint = did_you_mean(word, (*in_small, *ACTIVATION_NAMES, *_RESNETS, *_POOLS))
            raise SpecError(f"network {spec!r}: no {what} {word!r}", hint)
    if words:
        raise SpecError(f"network {spec!r}: got two activations, {activation} and {words[0]}", _HINT)
    return layers, activation, norm


def _is_layers(word: str) -> bool:
    """Whether a word gives layers rather than an activation."""
    first = word.split("-")[0]
    if _is_neurons(first) or "-" in word:
        return True
    return first in _POOLS or _is_normalized(first)


def _is_widths(word: str) -> bool:
    """Whether a word gives widths rather than an activation."""
    return word.removeprefix("r")[:1] in set("0123456789-")


def _width(part: str, spec: str, word: str = "") -> int:
    """One hidden width, the whole of a word or a part of it."""
    if not (part.isascii() and part.isdigit()):
        is_for_pictures = any(letters in spec for letters in ("conv", "res", "pool", "plain"))
        raise SpecError(
            f"network {spec!r}: got {word or part!r} where a width belongs, expected a whole number",
            _HINT_PICTURES if is_for_pictures else _HINT,
        )
    width = int(part[:12])
    if len(part) > 12 or not 1 <= width <= _WIDEST:
        raise SpecError(f"network {spec!r}: got width {part[:12]}, expected 1 to {_WIDEST}", _HINT)
    return width
