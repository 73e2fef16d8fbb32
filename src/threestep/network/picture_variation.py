"""Networks with convolutions drawn from a space, and the ways in which one may be varied within it."""

from collections.abc import Callable

import numpy as np

from threestep.network.inherit import Child, Made, narrow, remove, widen
from threestep.network.kinds import Layer
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

_CHANNELS = (8, 128)
_MOST_STAGES, _SMALLEST_SIDE = 4, 4  # a stage halves the sides
_MOST_NEURONS, _FEWEST_NEURONS = 512, 16
_MOST_IN_ROW = 3
_POWERS = tuple(1 << power for power in range(2, 10))
_WIDTHS = tuple(sorted({*_POWERS, *(3 << power for power in range(1, 8))}))


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


def _wider(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    """More filters of a convolution, or more neurons."""
    at, layer = _any_layer(network, generator)
    now, most = (
        (layer.width, (space.channels or _CHANNELS)[1])
        if isinstance(layer, Conv)
        else _neurons(layer, _MOST_NEURONS)
    )
    width = next((width for width in _WIDTHS if now < width <= min(most, 2 * now)), None)
    if width is None:
        return None
    make = widen_conv if isinstance(layer, Conv) else widen
    return _told(make(network, params, at, width, generator), f"layer {at + 1} widened from {now} to {width}")


def _narrower(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    """Fewer filters of a convolution, or fewer neurons."""
    at, layer = _any_layer(network, generator)
    now, least = (
        (layer.width, (space.channels or _CHANNELS)[0])
        if isinstance(layer, Conv)
        else _neurons(layer, _FEWEST_NEURONS)
    )
    width = next((width for width in reversed(_WIDTHS) if least <= width < now), None)
    if width is None:
        return None
    make = narrow_conv if isinstance(layer, Conv) else narrow
    return _told(make(network, params, at, width), f"layer {at + 1} narrowed from {now} to {width}")


def _neurons(layer: object, limit: int) -> tuple[int, int]:
    """The width of a layer of neurons and its limit; of another one nothing that could be changed."""
    return (layer.width, limit) if isinstance(layer, Dense) and not layer.residual else (limit, limit)


def _deeper(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    """One more residual block."""
    at, layer = _any_layer(network, generator)
    if not space.residual or (isinstance(layer, Blocks) and layer.count >= _MOST_IN_ROW):
        return None
    child = deepen_pictures(network, params, at, generator)
    return _told(child, f"a block added behind layer {at + 1}")


def _shorter(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    """One residual block less, or a layer of neurons."""
    at, layer = _any_layer(network, generator)
    if isinstance(layer, Dense) and len(network.shapes[at]) == 1 and at < len(network.layers) - 1:
        return _told(remove(network, params, at), f"layer {at + 1} removed")
    return _told(shorten_pictures(network, params, at), f"a block of layer {at + 1} removed")


def _told(child: Child | None, change: str) -> Made:
    return None if child is None else (*child, change)


def _any_layer(network: Network, generator: np.random.Generator) -> tuple[int, Layer]:
    """A layer that is not the last one."""
    index = int(generator.integers(max(1, len(network.layers) - 1)))
    return index, network.layers[index]


PICTURE_KINDS: tuple[Callable[..., Made], ...] = (_wider, _deeper, _narrower, _shorter)
"""Changes of a network with convolutions: (space, network, params, generator) to a child; see `variation`."""
