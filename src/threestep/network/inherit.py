"""Children of trained networks: another structure that begins where its parent ended.

Widening and deepening keep the function (Chen et al. 2016, "Net2Net", arXiv:1511.05641): the child
gives the parent's outputs and goes on learning from there. The other changes keep as much as they can.

Params are NumPy arrays here, as `Network.init` makes them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from threestep.network.kinds import Layer
from threestep.network.layers import Dense, LayerParams
from threestep.network.network import Network, Params

_SPARK = np.float32(1e-8)
"""Bias of a new residual layer: vanishes beside any signal, but relu has a slope there."""

_ZERO_AT_ZERO = ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "selu", "tanh", "softsign", "linear")

Child = tuple[Network, Params]
Made = tuple[Network, Params, str] | None
"""A child and how it was changed, in words; None: that change is not allowed."""


def widen(network: Network, params: Params, index: int, width: int, generator: np.random.Generator) -> Child:
    """Give hidden layer `index` more neurons, without changing the function.

    New neurons are copies of old ones; a neuron and its copies share its outgoing weights in random
    parts, so that they learn different things. Residual layers that pass the neurons on are widened
    with it.

    Parameters
    ----------
    network : Network
    params : Params
    index : int
        Which hidden layer.
    width : int
        More than now.
    generator : Generator
    """
    first, last = _run_of_residuals(network, index)
    old = network.neurons[first].width
    source = np.concatenate([np.arange(old), generator.integers(0, old, width - old)])
    layers, changed = list(network.neurons), [dict(own) for own in params]
    for at in range(first, last + 1):
        layers[at] = replace(layers[at], width=width)
        changed[at]["bias"] = changed[at]["bias"][source]
        changed[at]["weight"] = np.asarray(changed[at]["weight"])[:, source]
        # the next layer hears every copy: each gets a part of the outgoing weight
        weight = np.asarray(changed[at + 1]["weight"])
        changed[at + 1]["weight"] = weight[source] * parts_of_copies(source, old, generator)[:, None]
    return child_of(network, layers, changed)


def deepen(network: Network, params: Params, index: int) -> Child:
    """Put a layer behind hidden layer `index`, without changing the function.

    What is never negative is followed by relu of itself; else by a residual layer that adds nothing yet.

    Raises
    ------
    ValueError
        An activation that is not zero at zero cannot be followed by either.
    """
    before = network.neurons[index]
    if before.activation not in _ZERO_AT_ZERO:
        raise ValueError(f"{before.activation} cannot be deepened without changing the function")
    is_residual = before.activation != "linear" and not _is_relu_of_itself(network, index)
    eye = np.zeros if is_residual else lambda shape, kind: np.eye(shape[0], dtype=kind)
    own = {
        "weight": eye((before.width, before.width), np.float32),
        "bias": np.full(before.width, _SPARK if is_residual else 0, np.float32),
    }
    layers, changed = list(network.neurons), list(params)
    layers.insert(index + 1, Dense(before.width, before.activation, is_residual))
    changed.insert(index + 1, own)
    return child_of(network, layers, changed)


def narrow(network: Network, params: Params, index: int, width: int) -> Child:
    """Keep the `width` neurons of hidden layer `index` that say most to the next layer."""
    first, last = _run_of_residuals(network, index)
    heard = np.abs(np.asarray(params[last + 1]["weight"])).sum(axis=1)
    said = np.abs(np.asarray(params[first]["weight"])).sum(axis=0)
    kept = np.sort(np.argsort(heard * said)[-width:])
    layers, changed = list(network.neurons), [dict(own) for own in params]
    for at in range(first, last + 1):
        layers[at] = replace(layers[at], width=width)
        changed[at]["bias"] = changed[at]["bias"][kept]
        changed[at]["weight"] = np.asarray(changed[at]["weight"])[:, kept]
        changed[at + 1]["weight"] = np.asarray(changed[at + 1]["weight"])[kept]
    return child_of(network, layers, changed)


def remove(network: Network, params: Params, index: int) -> Child:
    """Take hidden layer `index` away; the next one hears its inputs through both weights at once."""
    layers, changed = list(network.neurons), list(params)
    gone, own = layers.pop(index), changed.pop(index)
    weight, after = np.asarray(own["weight"]), changed[index]
    if not gone.residual:
        heard = np.asarray(after["weight"])
        changed[index] = {
            "weight": (weight @ heard).astype(np.float32),
            "bias": np.asarray(after["bias"] + own["bias"] @ heard, np.float32),
        }
    at = layers[index]
    if at.residual and (index == 0 or layers[index - 1].width != at.width):  # it can add its input no more
        layers[index] = replace(at, residual=False)
    return child_of(network, layers, changed)


def switch_residual(network: Network, params: Params, index: int) -> Child:
    """Make hidden layer `index` residual, or plain if it is."""
    layers = list(network.neurons)
    layers[index] = replace(layers[index], residual=not layers[index].residual)
    return child_of(network, layers, params)


def change_activation(network: Network, params: Params, name: str) -> Child:
    """Give all hidden layers another activation."""
    layers = [*(replace(layer, activation=name) for layer in network.hidden), network.neurons[-1]]
    return child_of(network, layers, params)


def child_of(network: Network, layers: Sequence[Layer], params: Sequence[LayerParams]) -> Child:
    """A child of other layers, with its params as NumPy's float32."""
    return Network(network.input_shape, tuple(layers)), tuple(
        {name: np.ascontiguousarray(array, np.float32) for name, array in own.items()} for own in params
    )


def _is_relu_of_itself(network: Network, index: int) -> bool:
    """Whether relu would not change the layer's outputs: it is relu's own, and so is all it adds."""
    layers = network.neurons[: index + 1]
    plain = max((at for at, layer in enumerate(layers) if not layer.residual), default=None)
    return plain is not None and all(layer.activation == "relu" for layer in layers[plain:])


def _run_of_residuals(network: Network, index: int) -> tuple[int, int]:
    """The layers that must have the width of layer `index`: from a plain one to its last residual one.

    Raises
    ------
    ValueError
        The first layer is residual: its width is that of the inputs.
    """
    first = last = index
    while network.neurons[first].residual:
        if first == 0:
            raise ValueError("a layer that adds the network's inputs must stay as wide as they are")
        first -= 1
    while network.neurons[last + 1].residual:
        last += 1
    return first, last


def parts_of_copies(source: NDArray, n_old: int, generator: np.random.Generator) -> NDArray:
    """What part of its original's outgoing weight each copy gets; the parts of one original sum to 1."""
    parts = generator.uniform(0.5, 1.5, len(source))
    return (parts / np.bincount(source, parts, n_old)[source]).astype(np.float32)
