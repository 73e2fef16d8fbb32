"""Activation functions by name, and how weights that feed each should start.

The start keeps the size of signals from layer to layer: He for functions that drop one side,
LeCun for the self-normalising one, Glorot for the rest.
Sources: He et al. 2015 (arXiv:1502.01852), Glorot & Bengio 2010, Klambauer et al. 2017
(arXiv:1706.02515).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray


class Activation(NamedTuple):
    """A function of each neuron's sum, in JAX and in NumPy, and its start's variance times the fan.

    Predicting goes by NumPy: a compiled function would cost every new network and number of samples
    a compile, which takes longer than a million predictions.

    `gain` / n_inputs is the variance of the starting weights, or `gain` / mean(n_inputs, width)
    if `by_both_fans`.
    """

    function: Callable[[Array], Array]
    in_numpy: Callable[[NDArray], NDArray]
    gain: float
    by_both_fans: bool


def _linear(z):
    return z


def _relu(z: NDArray) -> NDArray:
    return np.maximum(z, 0)


def _leaky_relu(z: NDArray) -> NDArray:
    return np.where(z >= 0, z, np.float32(0.01) * z)


def _elu(z: NDArray) -> NDArray:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _gelu(z: NDArray) -> NDArray:
    near = np.clip(z, -30, 30)  # beyond, tanh is 1 anyway, and the cube would overflow
    inner = np.float32((2 / np.pi) ** 0.5) * (near + np.float32(0.044715) * near**3)
    return z * (0.5 * (1 + np.tanh(inner)))


def _sigmoid(z: NDArray) -> NDArray:
    return 0.5 * (1 + np.tanh(0.5 * z))


def _silu(z: NDArray) -> NDArray:
    return z * _sigmoid(z)


def _softplus(z: NDArray) -> NDArray:
    return np.logaddexp(z, np.float32(0))


def _mish(z: NDArray) -> NDArray:
    return z * np.tanh(_softplus(z))


def _selu(z: NDArray) -> NDArray:
    return np.float32(1.0507009873554805) * np.where(
        z > 0, z, np.float32(1.6732632423543772) * np.expm1(np.minimum(z, 0))
    )


def _softsign(z: NDArray) -> NDArray:
    return z / (1 + np.abs(z))


_HE = (2.0, False)
_LECUN = (1.0, False)
_GLOROT = (1.0, True)

ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(jax.nn.relu, _relu, *_HE),
    "leaky_relu": Activation(jax.nn.leaky_relu, _leaky_relu, *_HE),
    "elu": Activation(jax.nn.elu, _elu, *_HE),
    "gelu": Activation(jax.nn.gelu, _gelu, *_HE),
    "silu": Activation(jax.nn.silu, _silu, *_HE),
    "mish": Activation(jax.nn.mish, _mish, *_HE),
    "softplus": Activation(jax.nn.softplus, _softplus, *_HE),
    "selu": Activation(jax.nn.selu, _selu, *_LECUN),
    "sigmoid": Activation(jax.nn.sigmoid, _sigmoid, *_GLOROT),
    "tanh": Activation(jax.numpy.tanh, np.tanh, *_GLOROT),
    "softsign": Activation(jax.nn.soft_sign, _softsign, *_GLOROT),
    "linear": Activation(_linear, _linear, *_GLOROT),
}

ACTIVATION_NAMES = tuple(ACTIVATIONS)
"""Names a network specification may use."""
