"""A network: a set of functions, one for each choice of params."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.errors import SpecError
from threestep.network.activations import ACTIVATIONS
from threestep.network.layers import (
    LAST,
    Dense,
    Dropout,
    LayerOutput,
    LayerParams,
    apply_dense,
    init_dense,
)

Params = tuple[LayerParams, ...]
"""One {"weight", "bias"} per layer: they say which function of the set."""


@dataclass(frozen=True)
class Network:
    """A fully connected feedforward network: a set of functions, without params.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample; flattened before the first layer.
    layers : tuple of Dense
        Hidden layers and, last, the output layer.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> network = ts.network.parse("128-64", input_shape=(256,), n_outputs=10)
    >>> network.n_params
    41802
    >>> params = network.init(0)
    >>> network.apply(params, np.zeros((5, 256))).shape
    (5, 10)
    """

    input_shape: tuple[int, ...]
    layers: tuple[Dense, ...]

    def __post_init__(self):
        for fan, layer in zip(self.fans, self.layers, strict=False):  # none at all is refused elsewhere
            if layer.residual and fan != layer.width:
                raise SpecError(
                    f"network: a residual layer of width {layer.width} has {fan} inputs, expected as many",
                    f"put a layer of width {layer.width} before it: `{layer.width}-r{layer.width}`",
                )

    @property
    def n_inputs(self) -> int:
        """Inputs of one sample."""
        return math.prod(self.input_shape)

    @property
    def n_outputs(self) -> int:
        """Outputs of one sample."""
        return self.layers[-1].width

    @property
    def fans(self) -> tuple[int, ...]:
        """Inputs of each layer."""
        return (self.n_inputs, *(layer.width for layer in self.layers[:-1]))

    @property
    def n_params(self) -> int:
        """Weights and biases of all layers."""
        return sum((fan + 1) * layer.width for fan, layer in zip(self.fans, self.layers, strict=True))

    @property
    def n_products(self) -> int:
        """Multiplications for one sample: the work of a prediction."""
        return sum(fan * layer.width for fan, layer in zip(self.fans, self.layers, strict=True))

    @property
    def hidden(self) -> tuple[Dense, ...]:
        """All layers but the last."""
        return self.layers[:-1]

    def init(self, seed: int | Sequence[int]) -> Params:
        """A random function of the set, as NumPy arrays.

        Parameters
        ----------
        seed : int or sequence of int
            From 0 up; a layer's start follows from it and from the layer's place and shape.
        """
        words = [seed] if isinstance(seed, (int, np.integer)) else list(seed)
        return tuple(
            init_dense(np.random.default_rng([*words, index]), fan, layer)
            for index, (fan, layer) in enumerate(zip(self.fans, self.layers, strict=True))
        )

    def trace(self, params: Params, x: Array, dropout: Dropout | None = None) -> list[LayerOutput]:
        """What every layer computes.

        Parameters
        ----------
        params : Params
            As `init` makes them.
        x : Array of shape (n_samples, *input_shape)
        dropout : Dropout or None
            During training only.

        Returns
        -------
        list of LayerOutput
            (n_samples, width) each, first layer first.
        """
        outputs = []
        h = x.reshape(x.shape[0], self.n_inputs)
        for index, (layer, own) in enumerate(zip(self.layers, params, strict=True)):
            if dropout is not None:
                h = dropout.apply(LAST if index == len(self.hidden) > 0 else index, h)
            outputs.append(apply_dense(layer, own, h))
            h = outputs[-1].a
        return outputs

    def apply(self, params: Params, x: Array, dropout: Dropout | None = None) -> Array:
        """The function that params choose: (n_samples, *input_shape) to (n_samples, n_outputs)."""
        return self.trace(params, x, dropout)[-1].a

    def predict(self, params: Params, x: NDArray) -> NDArray:
        """As `apply`, by NumPy alone, in the params' precision: nothing is compiled."""
        kind = np.float64 if params[0]["weight"].dtype == np.float64 else np.float32
        h = np.asarray(x, kind).reshape(len(x), self.n_inputs)
        for layer, own in zip(self.layers, params, strict=True):
            z = h @ np.asarray(own["weight"]) + np.asarray(own["bias"])
            a = ACTIVATIONS[layer.activation].in_numpy(z)
            h = a + h if layer.residual else a
        return h

    def __str__(self) -> str:
        hidden = [
            f"{layer.width} {layer.activation}{' + input' if layer.residual else ''}" for layer in self.hidden
        ]
        return " → ".join([str(self.n_inputs), *hidden, str(self.n_outputs)])
