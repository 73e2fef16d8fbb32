"""Structures drawn from a space, and variations of a structure within it."""

from collections.abc import Callable

import numpy as np

from threestep.errors import SettingsError, did_you_mean
from threestep.network.activations import ACTIVATION_NAMES
from threestep.network.inherit import (
    Made,
    change_activation,
    deepen,
    narrow,
    remove,
    switch_residual,
    widen,
)
from threestep.network.layers import Dense
from threestep.network.network import Network, Params
from threestep.network.picture_variation import PICTURE_KINDS
from threestep.settings import Space

_TRIES = 20


def check_space(space: Space) -> None:
    """Refuse activations that are not known.

    Raises
    ------
    SettingsError
    """
    for name in space.activations:
        if name not in ACTIVATION_NAMES:
            raise SettingsError(
                f"`activations`: no activation {name!r}", did_you_mean(name, ACTIVATION_NAMES)
            )


def usual_widths(space: Space) -> list[int]:
    """Widths that are tried: powers of two and those half-way between; or the range's own ends."""
    low, high = space.widths or (64, 256)
    halves = sorted({1 << power for power in range(11)} | {3 << power for power in range(9)})
    return [width for width in halves if low <= width <= high] or sorted({low, high})


def full_widths(space: Space) -> list[int]:
    """Of those the powers of two, if there are any: no place in their supernet is left empty."""
    usual = usual_widths(space)
    return [width for width in usual if width.bit_count() == 1] or usual


def random_network(
    space: Space, input_shape: tuple[int, ...], n_outputs: int, generator: np.random.Generator
) -> Network:
    """A structure of the space: equal or falling widths, plain or residual."""
    low, high = space.depths or (0, 4)
    depth = int(generator.integers(low, high + 1))
    widths = full_widths(space)
    at = int(generator.integers(len(widths)))
    name = space.activations[int(generator.integers(len(space.activations)))]
    falls = depth > 1 and generator.random() < 0.3
    is_residual = space.residual and not falls and generator.random() < 0.5
    hidden = [
        Dense(widths[max(0, at - place) if falls else at], name, is_residual and place > 0)
        for place in range(depth)
    ]
    return Network(input_shape, (*hidden, Dense(n_outputs, "linear")))


def vary(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    """A child of a network by one change that the space allows, and that change in words.

    None if nothing that was tried is allowed.
    """
    kinds = _KINDS if network.is_dense else PICTURE_KINDS
    for _ in range(_TRIES):
        kind = kinds[int(generator.integers(len(kinds)))]
        made = kind(space, network, params, generator)
        if made is not None:
            return made
    return None


def _widened(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    index, now = _any_hidden(network, generator)
    wider = [width for width in usual_widths(space) if now < width <= 2 * now]
    if index is None or not wider:
        return None
    child = widen(network, params, index, wider[0], generator)
    return *child, f"layer {index + 1} widened from {now} to {wider[0]}"


def _narrowed(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    index, now = _any_hidden(network, generator)
    narrower = [width for width in usual_widths(space) if now > width]
    if index is None or not narrower:
        return None
    child = narrow(network, params, index, narrower[-1])
    return *child, f"layer {index + 1} narrowed from {now} to {narrower[-1]}"


def _deepened(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    index, _ = _any_hidden(network, generator)
    if index is None or len(network.hidden) >= (space.depths or (0, 4))[1]:
        return None
    try:
        child = deepen(network, params, index)
    except ValueError:
        return None
    if child[0].neurons[index + 1].residual and not space.residual:
        return None
    return *child, f"a layer added behind layer {index + 1}"


def _removed(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    index, _ = _any_hidden(network, generator)
    if index is None or len(network.hidden) <= max(1, (space.depths or (0, 4))[0]):
        return None
    return *remove(network, params, index), f"layer {index + 1} removed"


def _residual(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    index, width = _any_hidden(network, generator)
    if not index or not space.residual or network.fans[index] != width:  # the first is always plain
        return None
    words = "made plain" if network.neurons[index].residual else "made residual"
    return *switch_residual(network, params, index), f"layer {index + 1} {words}"


def _activated(space: Space, network: Network, params: Params, generator: np.random.Generator) -> Made:
    others = [name for name in space.activations if network.hidden and name != network.hidden[0].activation]
    if not others:
        return None
    name = others[int(generator.integers(len(others)))]
    return *change_activation(network, params, name), f"activation changed to {name}"


_KINDS: tuple[Callable[..., Made], ...] = (_widened, _deepened, _narrowed, _removed, _residual, _activated)


def _any_hidden(network: Network, generator: np.random.Generator) -> tuple[int | None, int]:
    """A hidden layer and its width; None if there is none."""
    if not network.hidden:
        return None, 0
    index = int(generator.integers(len(network.hidden)))
    return index, network.hidden[index].width
