"""Activation functions by name, and how weights that feed each should start.

The start keeps the size of signals from layer to layer: He for functions that drop one side,
LeCun for the self-normalising one, Glorot for the rest.
Sources: He et al. 2015 (arXiv:1502.01852), Glorot & Bengio 2010, Klambauer et al. 2017
(arXiv:1706.02515).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jax import Array


class Activation(NamedTuple):
    """A function of each neuron's sum, and its start's variance times the fan.

    `gain` / n_inputs is the variance of the starting weights, or `gain` / mean(n_inputs, width)
    if `by_both_fans`.
    """

    function: Callable[[Array], Array]
    gain: float
    by_both_fans: bool


def _linear(z: Array) -> Array:
    return z


_HE = (2.0, False)
_LECUN = (1.0, False)
_GLOROT = (1.0, True)

ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(jax.nn.relu, *_HE),
    "leaky_relu": Activation(jax.nn.leaky_relu, *_HE),
    "elu": Activation(jax.nn.elu, *_HE),
    "gelu": Activation(jax.nn.gelu, *_HE),
    "silu": Activation(jax.nn.silu, *_HE),
    "mish": Activation(jax.nn.mish, *_HE),
    "softplus": Activation(jax.nn.softplus, *_HE),
    "selu": Activation(jax.nn.selu, *_LECUN),
    "sigmoid": Activation(jax.nn.sigmoid, *_GLOROT),
    "tanh": Activation(jax.numpy.tanh, *_GLOROT),
    "softsign": Activation(jax.nn.soft_sign, *_GLOROT),
    "linear": Activation(_linear, *_GLOROT),
}

ACTIVATION_NAMES = tuple(ACTIVATIONS)
"""Names a network specification may use."""
