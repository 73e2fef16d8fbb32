"""A network: a set of functions, one for each choice of params."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.errors import SpecError
from threestep.network.activations import ACTIVATIONS
from threestep.network.kinds import Layer, kind_of
from threestep.network.layers import LAST, Dense, LayerOutput, LayerParams, Training
from threestep.network.normalization import RUNNING
from threestep.network.pictures import Blocks, Shape

Params = tuple[LayerParams, ...]
"""The arrays of each layer, such as {"weight", "bias"}: they say which function of the set."""


@dataclass(frozen=True)
class Network:
    """A feedforward network: a set of functions, without params.

    Parameters
    ----------
    input_shape : tuple of int
        Of one sample; flattened before the first layer of neurons. A picture without channels has one.
    layers : tuple of Dense, Conv, Pool or Blocks
        Hidden layers and, last, the output layer of neurons.

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
    layers: tuple[Layer, ...]

    def __post_init__(self):
        shape = self.first_shape
        for layer in self.layers:
            if not isinstance(layer, Dense) and len(shape) != 3:
                raise SpecError(
                    f"network: {kind_of(layer).text(layer)} needs a picture, got inputs of shape {shape}",
                    "use widths alone: `128-64`",
                )
            fan, shape = math.prod(shape), kind_of(layer).shape(layer, shape)
            if min(shape) < 1 and not isinstance(layer, Dense):
                raise SpecError(
                    f"network: {kind_of(layer).text(layer)} leaves nothing of pictures of {self.input_shape}",
                    "use fewer layers that make it smaller",
                )
            if isinstance(layer, Dense) and layer.residual and fan != layer.width:
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
        return math.prod(self.shapes[-1])

    @property
    def first_shape(self) -> Shape:
        """Of the first layer's inputs: a picture without channels has one if that layer looks at pictures."""
        is_grey = len(self.input_shape) == 2 and not self.is_dense
        return (*self.input_shape, 1) if is_grey else self.input_shape

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Of the first layer's inputs, and of each layer's outputs."""
        shapes = [self.first_shape]
        for layer in self.layers:
            shapes.append(kind_of(layer).shape(layer, shapes[-1]))
        return tuple(shapes)

    @property
    def fans(self) -> tuple[int, ...]:
        """Inputs of each layer."""
        return tuple(map(math.prod, self.shapes[:-1]))

    @cached_property
    def param_shapes(self) -> tuple[dict[str, Shape], ...]:
        """Of each layer the names and shapes of its arrays."""
        return tuple(kind_of(layer).params(layer, shape) for layer, shape in self._with_inputs())

    @property
    def n_params(self) -> int:
        """Weights, biases and what else is learned, of all layers; running statistics are not."""
        return sum(map(_n_learned, self.param_shapes))

    @property
    def n_products(self) -> int:
        """Multiplications for one sample: the work of a prediction."""
        return sum(kind_of(layer).products(layer, shape) for layer, shape in self._with_inputs())

    @property
    def rows(self) -> list[tuple[str, Shape, Shape, int]]:
        """Of each layer, for people: what it is, the shapes of its inputs and outputs, its params."""
        texts = [kind_of(layer).text(layer) for layer in self.layers]
        numbers = [_n_learned(own) for own in self.param_shapes]
        return [*zip(texts, self.shapes[:-1], self.shapes[1:], numbers, strict=True)]

    @property
    def is_dense(self) -> bool:
        """Whether all its layers are fully connected ones."""
        return all(isinstance(layer, Dense) for layer in self.layers)

    @property
    def n_blocks(self) -> int:
        """Residual blocks."""
        return sum(layer.count for layer in self.layers if isinstance(layer, Blocks) and layer.residual)

    @property
    def hidden(self) -> tuple[Dense, ...]:
        """All layers but the last, of a network that is dense."""
        return self.neurons[:-1]

    @property
    def neurons(self) -> tuple[Dense, ...]:
        """All layers, of a network that is dense."""
        return cast(tuple[Dense, ...], self.layers)

    @property
    def is_normalized(self) -> bool:
        """Whether it normalizes by the batch: what fills a batch up must then be told from samples."""
        return any(name.endswith(RUNNING) for own in self.param_shapes for name in own)

    @property
    def places(self) -> tuple[int, ...]:
        """Where something may be left out; see `Training.apply`."""
        return tuple(place for place in map(self._place, range(len(self.layers))) if place is not None)

    def _place(self, index: int) -> int | None:
        """Where what goes into that layer may be left out, if it may."""
        if index > 0 and not isinstance(self.layers[index], Dense):
            return None
        return LAST if index == len(self.layers) - 1 > 0 else index

    def _with_inputs(self) -> Iterator[tuple[Layer, Shape]]:
        """Each layer with the shape of its inputs."""
        return zip(self.layers, self.shapes[:-1], strict=True)

    def init(self, seed: int | Sequence[int]) -> Params:
        """A random function of the set, as NumPy arrays.

        Parameters
        ----------
        seed : int or sequence of int
            From 0 up; a layer's start follows from it and from the layer's place and shape.
        """
        words = [seed] if isinstance(seed, (int, np.integer)) else list(seed)
        return tuple(
            kind_of(layer).init(np.random.default_rng([*words, index]), layer, shape)
            for index, (layer, shape) in enumerate(self._with_inputs())
        )

    def trace(self, params: Params, x: Array, training: Training | None = None) -> list[LayerOutput]:
        """What every layer computes.

        Parameters
        ----------
        params : Params
            As `init` makes them.
        x : Array of shape (n_samples, *input_shape)
        training : Training or None
            During training only. Neurons are left out before layers of neurons.

        Returns
        -------
        list of LayerOutput
            (n_samples, width) each, or (n_samples, height, width, channels), first layer first.
        """
        outputs, n_before = [], 0
        h = x.reshape(x.shape[0], *(self.first_shape if not self.is_dense else (self.n_inputs,)))
        for index, (layer, own) in enumerate(zip(self.layers, params, strict=True)):
            if training is not None and (place := self._place(index)) is not None:
                h = training.apply(place, h)
            if training is not None and isinstance(layer, Blocks):
                training = training._replace(blocks=(n_before, self.n_blocks))
                n_before += layer.count if layer.residual else 0
            outputs.append(kind_of(layer).apply(layer, own, h, training))
            h = outputs[-1].a
        return outputs

    def apply(self, params: Params, x: Array, training: Training | None = None) -> Array:
        """The function that params choose: (n_samples, *input_shape) to (n_samples, n_outputs)."""
        return self.trace(params, x, training)[-1].a

    def predict(self, params: Params, x: NDArray) -> NDArray:
        """As `apply`; of a dense network by NumPy alone, in the params' precision: nothing is compiled."""
        if not self.is_dense:
            return np.asarray(self.apply(params, jnp.asarray(x, jnp.float32)))
        kind = np.float64 if params[0]["weight"].dtype == np.float64 else np.float32
        h = np.asarray(x, kind).reshape(len(x), self.n_inputs)
        with np.errstate(invalid="ignore"):  # BLAS may warn of numbers beside the product, on some CPUs
            for layer, own in zip(self.neurons, params, strict=True):
                z = h @ np.asarray(own["weight"]) + np.asarray(own["bias"])
                a = ACTIVATIONS[layer.activation].in_numpy(z)
                h = a + h if layer.residual else a
        return h

    def __str__(self) -> str:
        first = str(self.n_inputs) if self.is_dense else "×".join(map(str, self.input_shape))
        hidden = [kind_of(layer).text(layer) for layer in self.layers[:-1]]
        return " → ".join([first, *hidden, str(self.n_outputs)])


def _n_learned(shapes: dict[str, Shape]) -> int:
    """How many numbers of a layer's arrays are learned."""
    return sum(math.prod(shape) for name, shape in shapes.items() if not name.endswith(RUNNING))
