"""Layers as plain data, and the arithmetic of each."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.network.activations import ACTIVATIONS

LayerParams = dict[str, Array | NDArray]

_STEPS = (0x9E3779B9, 0x6C8E9CF5, 0xD1342543, 0xB5297A4D)
"""How far the hash moves per place of an axis, the last axis first: odd, and without a common pattern."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: each neuron is a weighted sum of all inputs, plus a bias.

    Parameters
    ----------
    width : int
        Neurons.
    activation : str
        Applied to each neuron's sum.
    residual : bool
        Add the layer's input to its output (He et al. 2016, arXiv:1512.03385); the width must be
        that of the input.
    """

    width: int
    activation: str = "relu"
    residual: bool = False


class LayerOutput(NamedTuple):
    """What a layer computes for each sample.

    Parameters
    ----------
    z : Array of shape (n_samples, width)
        Each neuron's weighted sum plus bias.
    a : Array of shape (n_samples, width)
        The layer's output: the activation of z, plus the input if the layer is residual.
    """

    z: Array
    a: Array


LAST = 2**31 - 1
"""The place of an output layer behind hidden ones: the same however many there are."""


_FIRST_PATH = 2**30
"""The place of the first residual block, behind those of all layers."""


class Training(NamedTuple):
    """What is different while a network is trained.

    Parameters
    ----------
    key : Array
        JAX's random key of this step; layers fold their place into it.
    inputs, hidden : float or Array of shape ()
        Shares of inputs and of hidden neurons left out at random (Srivastava et al. 2014). None: never.
    present : Array of shape (n_samples,), or None
        1 for samples, 0 for what only fills the batch up and must not be normalized by. None: all 1.
    paths : float or None
        Share of the samples that skip the last residual block, of the n-th of N blocks n / N of that
        (stochastic depth: Huang et al. 2016, arXiv:1603.09382). None: none do.
    blocks : (int, int)
        How many residual blocks there are before the layer, and in the whole network.
    ahead : dict of int to Array, or None
        The key of each place, where they are worked out for many steps at once: of a step of one small hidden
        layer they are a third.
    """

    key: Array
    inputs: float | Array | None = None
    hidden: float | Array | None = None
    present: Array | None = None
    paths: float | Array | None = None
    blocks: tuple[int, int] = (0, 1)
    ahead: dict[int, Array] | None = None

    def key_at(self, place: int) -> Array:
        """The key of the layer at that place; see `apply`."""
        return jax.random.fold_in(self.key, place) if self.ahead is None else self.ahead[place]

    def apply(self, place: int, h: Array) -> Array:
        """What is left of the inputs of the layer at that place, from 0; the output layer's is `LAST`."""
        share = self.hidden if place else self.inputs
        return h if share is None else drop(self.key_at(place), share, h)


def path_factors(training: Training | None, n_blocks: int, n_samples: int) -> Array | None:
    """By what each block's part is multiplied for each sample, (n_blocks, n_samples): 0, or so much above 1
    that the expected part stays. None: by nothing."""
    if training is None or training.paths is None:
        return None
    before, in_all = training.blocks
    places = jnp.arange(before, before + n_blocks)
    shares = training.paths * (1.0 + places) / in_all
    keys = jax.vmap(lambda place: jax.random.fold_in(training.key, _FIRST_PATH + place))(places)
    return jax.vmap(drop, (0, 0, None))(keys, shares, jnp.ones(n_samples, jnp.float32))


def init_dense(generator: np.random.Generator, n_inputs: int, layer: Dense) -> LayerParams:
    """A random start: weight (n_inputs, width) by the activation's rule, bias (width,) zero.

    Drawn on the host: a compiled draw would cost half a second for every new shape.
    """
    _, _, gain, by_both_fans = ACTIVATIONS[layer.activation]
    fan = (n_inputs + layer.width) / 2 if by_both_fans else n_inputs
    weight = generator.standard_normal((n_inputs, layer.width), np.float32)
    return {"weight": weight * np.float32((gain / fan) ** 0.5), "bias": np.zeros(layer.width, np.float32)}


def apply_dense(layer: Dense, params: LayerParams, x: Array) -> LayerOutput:
    """All neurons of the layer at once: one matrix product."""
    z = x @ params["weight"] + params["bias"]  # (n_samples, width)
    a = ACTIVATIONS[layer.activation].function(z)
    return LayerOutput(z, a + x if layer.residual else a)


def drop(key: Array, fraction: float | Array, x: Array) -> Array:
    """Zero a random share of x and scale up the rest, so that the expected sum stays.

    Which numbers go is a hash of (key, sample, neuron): neurons that are only padding change nothing.
    JAX's own generator would cost more than the whole step of a small network: 116 against 5
    microseconds for 64 x 256 numbers on one core.
    """
    threshold = (jnp.asarray(fraction) * 2.0**32).astype(jnp.uint32)
    return jnp.where(_hashed(key, x.shape) >= threshold, x / (1 - fraction), 0.0).astype(x.dtype)


def _hashed(key: Array, shape: tuple[int, ...]) -> Array:
    """A random uint32 for each place: its place on each axis and the key, mixed by MurmurHash3's
    finalizer (Appleby 2011; public domain)."""
    first, *_, second = jax.random.key_data(key).astype(jnp.uint32)
    z = jnp.broadcast_to(first, shape)
    for axis, step in zip(reversed(range(len(shape))), _STEPS, strict=False):
        z += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(step)
    z = (z ^ (z >> 16) ^ second) * jnp.uint32(0x85EBCA6B)
    z = (z ^ (z >> 13)) * jnp.uint32(0xC2B2AE35)
    return z ^ (z >> 16)
