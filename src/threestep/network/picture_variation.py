"""Networks with convolutions drawn from a space, and variations of one within it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from threestep.network.inherit import Child, narrow, remove, widen
from threestep.network.layers import Dense
from threestep.network.network import Network, Params
from threestep.network.picture_inherit import (
    deepen_pictures,
    narrow_conv,
    shorten_pictures,
    widen_conv,
)
from threestep.network.pictures import Blocks, Conv
from threestep.network.spec import parse
from threestep.settings import Space

_TRIES = 20
_CHANNELS = (8, 128)
_MOST_STAGES, _SMALLEST_SIDE = 4, 4  # a stage halves the sides
_MOST_NEURONS, _FEWEST_NEURONS = 512, 16
_MOST_IN_ROW = 3
_POWERS = tuple(1 << power for power in range(2, 10))
_WIDTHS = tuple(sorted({*_POWERS, *(3 << power for power in range(1, 8))}))

Made = tuple[Network, Params, str] | None


def random_pictures_network(
    space: Space, input_shape: tuple[int, ...], n_outputs: int, generator: np.random.Generator
) -> Network:
    """Stages that each halve the sides, of one or two convolutions or of residual blocks, with as many or
    twice the channels of the one before; then neurons, or a mean over all places.

    Parameters
    ----------
    space : Space
    input_shape : tuple of int
        (height, width) or (height, width, channels).
    n_outputs : int
    generator : Generator
    """
    low, high = space.channels or _CHANNELS
    widths = [width for width in _POWERS if low <= width <= high] or [low]
    most = max(1, min(_MOST_STAGES, int(np.log2(min(input_shape[:2]) / _SMALLEST_SIDE)) + 1))
    n_stages, at = int(generator.integers(1, most + 1)), int(generator.integers(len(widths)))
    is_residual = space.residual and generator.random() < 0.5
    first = widths[max(0, at - 1)]
    words = [f"conv{first}s{1 if min(input_shape[:2]) < 40 else 2}"] if is_residual else []
    for stage in range(n_stages):
        width = widths[min(len(widths) - 1, at + (stage if generator.random() < 0.7 else 0))]
        n = int(generator.integers(1, 3))
        by = "s2" if stage and is_residual else ""
        words.append(
            f"res{width}{f'x{n}' if n > 1 else ''}{by}"
            if is_residual
            else f"conv{'+'.join([str(width)] * n)}"
        )
    words.append("globalpool" if generator.random() < 0.4 else f"dense{generator.choice([64, 128, 256])}")
    return parse(f"{'-'.join(words)} {space.activations[0]}", input_shape, n_outputs)


def vary_pictures(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    """A child of a network with convolutions by one change that the space allows, and that change in words.

    None if nothing that was tried is allowed.
    """
    for _ in range(_TRIES):
        kind = _KINDS[int(generator.integers(len(_KINDS)))]
        index = int(generator.integers(max(1, len(network.layers) - 1)))
        made = kind(_Chance(space, space.channels or _CHANNELS, index, generator), network, params)
        if made is not None:
            return made
    return None


@dataclass(frozen=True)
class _Chance:
    """What a change is drawn from: the space, its range of channels, the layer it concerns, the generator."""

    space: Space
    channels: tuple[int, int]
    index: int
    generator: np.random.Generator


def _wider(chance: _Chance, network: Network, params: Params) -> Made:
    """More filters of a convolution, or more neurons."""
    at, layer = chance.index, network.layers[chance.index]
    now, most = (
        (layer.width, chance.channels[1]) if isinstance(layer, Conv) else _neurons(layer, _MOST_NEURONS)
    )
    width = next((width for width in _WIDTHS if now < width <= min(most, 2 * now)), None)
    if width is None:
        return None
    make = widen_conv if isinstance(layer, Conv) else widen
    return _told(
        make(network, params, at, width, chance.generator), f"layer {at + 1} widened from {now} to {width}"
    )


def _narrower(chance: _Chance, network: Network, params: Params) -> Made:
    """Fewer filters of a convolution, or fewer neurons."""
    at, layer = chance.index, network.layers[chance.index]
    now, least = (
        (layer.width, chance.channels[0]) if isinstance(layer, Conv) else _neurons(layer, _FEWEST_NEURONS)
    )
    width = next((width for width in reversed(_WIDTHS) if least <= width < now), None)
    if width is None:
        return None
    make = narrow_conv if isinstance(layer, Conv) else narrow
    return _told(make(network, params, at, width), f"layer {at + 1} narrowed from {now} to {width}")


def _neurons(layer: object, limit: int) -> tuple[int, int]:
    """The width of a layer of neurons and its limit; of another one nothing that could be changed."""
    return (layer.width, limit) if isinstance(layer, Dense) and not layer.residual else (limit, limit)


def _deeper(chance: _Chance, network: Network, params: Params) -> Made:
    """One more residual block."""
    layer = network.layers[chance.index]
    if not chance.space.residual or (isinstance(layer, Blocks) and layer.count >= _MOST_IN_ROW):
        return None
    child = deepen_pictures(network, params, chance.index, chance.generator)
    return _told(child, f"a block added behind layer {chance.index + 1}")


def _shorter(chance: _Chance, network: Network, params: Params) -> Made:
    """One residual block less, or a layer of neurons."""
    at, layers = chance.index, network.layers
    if isinstance(layers[at], Dense) and len(network.shapes[at]) == 1 and at < len(layers) - 1:
        return _told(remove(network, params, at), f"layer {at + 1} removed")
    return _told(shorten_pictures(network, params, at), f"a block of layer {at + 1} removed")


def _told(child: Child | None, change: str) -> Made:
    return None if child is None else (*child, change)


_KINDS: tuple[Callable[[_Chance, Network, Params], Made], ...] = (_wider, _deeper, _narrower, _shorter)
