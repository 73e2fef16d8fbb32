"""Children of trained networks with convolutions, as `inherit` makes them of layers of neurons.

Channels are widened by copies and narrowed to those that matter; depth comes as a residual block that adds
nothing yet, so the child of a relu network begins with its parent's function.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from threestep.network.inherit import Child, child_of, parts_of_copies
from threestep.network.kinds import kind_of
from threestep.network.layers import Dense
from threestep.network.network import Network, Params
from threestep.network.pictures import Blocks, Conv, Pool

_BY_CHANNEL = ("batch", "none")
"""Normalizations of each channel by itself: a copy of a channel changes nothing for the others."""


def widen_conv(
    network: Network, params: Params, index: int, width: int, generator: np.random.Generator
) -> Child | None:
    """Give convolution `index` more filters, copies of old ones, without changing the function.

    None where what follows cannot take them: other normalizations, or a block that adds them to its outputs.

    Parameters
    ----------
    network : Network
    params : Params
    index : int
        Of a `Conv`.
    width : int
        More than now.
    generator : Generator
    """
    old = _width(network, index)
    source = np.concatenate([np.arange(old), generator.integers(0, old, width - old)])
    return _rewired(network, params, index, source, parts_of_copies(source, old, generator))


def narrow_conv(network: Network, params: Params, index: int, width: int) -> Child | None:
    """Keep the `width` filters of convolution `index` that say most to what follows; None as `widen_conv`."""
    own = params[index]
    at = _listener(network, index)
    heard = _heard(network, params, at, _width(network, index)) if at is not None else np.zeros(0)
    if not len(heard):
        return None
    said = np.abs(np.asarray(own["scale"])) if "scale" in own else np.ones(len(heard))
    kept = np.sort(np.argsort(heard * said, kind="stable")[-width:])
    return _rewired(network, params, index, kept, np.ones(width, np.float32))


def deepen_pictures(
    network: Network, params: Params, index: int, generator: np.random.Generator
) -> Child | None:
    """Put a residual block that adds nothing yet behind convolution or block `index`, and behind its pool.

    None where that would change the function: relu alone leaves what is not negative as it is.
    """
    layer = network.layers[index]
    if not isinstance(layer, (Conv, Blocks)) or layer.activation != "relu":
        return None
    at = index + 1
    while isinstance(pool := network.layers[at], Pool) and pool.size:
        at += 1
    block = Blocks(layer.width, "basic", 1, 1, layer.activation, layer.norm)
    new = kind_of(block).init(generator, block, network.shapes[at])
    if layer.norm == "none":
        new["second.weight"] = np.zeros_like(new["second.weight"])
    layers, changed = list(network.layers), list(params)
    for place in (at - 1, at):  # a neighbour of the same kind becomes one block longer
        same = layers[place]
        if isinstance(same, Blocks) and replace(same, count=1) == block and _is_plain_sum(network, place):
            layers[place] = replace(same, count=same.count + 1)
            changed[place] = _one_more(changed[place], new, same.count, is_last=place < at)
            return child_of(network, layers, changed)
    layers.insert(at, block)
    changed.insert(at, new)
    return child_of(network, layers, changed)


def _one_more(own: dict, new: dict, count: int, is_last: bool) -> dict:
    """The arrays of `count` blocks and of a new one."""
    lead = {name: np.asarray(array) if count > 1 else np.asarray(array)[None] for name, array in own.items()}
    ends = slice(None, None, 1 if is_last else -1)
    return {name: np.concatenate([lead[name], new[name][None]][ends]) for name in own}


def shorten_pictures(network: Network, params: Params, index: int) -> Child | None:
    """Take the last block of `index` away; None if its outputs have another shape than its inputs."""
    layer = network.layers[index]
    if not isinstance(layer, Blocks) or not _is_plain_sum(network, index):
        return None
    layers, changed = list(network.layers), list(params)
    if layer.count == 1:
        del layers[index], changed[index]
        return child_of(network, layers, changed)
    layers[index] = replace(layer, count=layer.count - 1)
    kept = 0 if layer.count == 2 else slice(None, -1)  # one block alone has no axis of blocks
    changed[index] = {name: np.asarray(array)[kept] for name, array in params[index].items()}
    return child_of(network, layers, changed)


def _is_plain_sum(network: Network, index: int) -> bool:
    """Whether blocks add their very inputs to their outputs."""
    layer = network.layers[index]
    assert isinstance(layer, Blocks)
    return layer.residual and "skip" not in layer.parts(network.shapes[index][2])


def _width(network: Network, index: int) -> int:
    layer = network.layers[index]
    assert isinstance(layer, Conv)
    return layer.width


def _listener(network: Network, index: int) -> int | None:
    """The layer that hears the channels of convolution `index`; None if they cannot be changed for it."""
    layer = network.layers[index]
    at = index + 1
    while isinstance(network.layers[at], Pool):
        at += 1
    after = network.layers[at]
    if not isinstance(layer, Conv) or layer.norm not in _BY_CHANNEL:
        return None
    if isinstance(after, Blocks):
        return at if "skip" in after.parts(network.shapes[at][2]) and after.count == 1 else None
    return None if isinstance(after, Dense) and after.residual else at


def _heard(network: Network, params: Params, at: int, channels: int) -> NDArray:
    """How much layer `at` makes of each of its input's channels, (channels,)."""
    names = ("first.weight", "skip.weight") if isinstance(network.layers[at], Blocks) else ("weight",)
    return sum(
        (np.abs(_by_channel(np.asarray(params[at][name]), channels)).sum(axis=(0, 2)) for name in names),
        np.zeros(channels),
    )


def _by_channel(weight: NDArray, channels: int) -> NDArray:
    """Weights as (places, channels, outputs): a layer of neurons hears pictures place by place."""
    return weight.reshape(-1, channels, weight.shape[-1])


def _rewired(network: Network, params: Params, index: int, source: NDArray, parts: NDArray) -> Child | None:
    """Filters `source` of a convolution; what hears them makes `parts` of what it made of the originals."""
    at, old = _listener(network, index), _width(network, index)
    if at is None:
        return None
    layers, changed = list(network.layers), list(params)
    conv, after = layers[index], layers[at]
    assert isinstance(conv, Conv)
    layers[index] = replace(conv, width=len(source))
    changed[index] = {name: np.asarray(array)[..., source] for name, array in params[index].items()}
    if isinstance(after, Blocks) and "skip" not in after.parts(len(source)):
        return None  # it would add them unchanged from now on
    own = dict(params[at])
    for name in ("first.weight", "skip.weight") if isinstance(after, Blocks) else ("weight",):
        weight = np.asarray(own[name])
        taken = _by_channel(weight, old)[:, source] * parts[:, None]
        size = weight.shape[:-2] if weight.ndim == 4 else ()
        own[name] = taken.reshape(*size, -1, weight.shape[-1])
    changed[at] = own
    return child_of(network, layers, changed)
