"""The worked example of the lecture: three sigmoid layers of two neurons, every number shown."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from threestep.goodness import binary_cross_entropy
from threestep.network import Dense, LayerOutput, Network, Params

NETWORK = Network((2,), (Dense(2, "sigmoid"), Dense(2, "sigmoid"), Dense(2, "sigmoid")))
"""Two inputs, three layers of two sigmoid neurons."""

NEURONS = (
    ([[1, -2], [-1, 1]], [1, 0]),
    ([[2, -1], [-2, -1]], [0, 0]),
    ([[3, -1], [-1, 4]], [-2, 2]),
)
"""Per layer: the weights, each row one neuron, and the biases."""

INPUTS = ((1.0, -1.0), (0.0, 0.0))
TARGET = (1.0, 0.0)
LEARNING_RATE = 0.5


class WorkedExample(NamedTuple):
    """One forward pass, one backward pass, one step of descent.

    Parameters
    ----------
    x : ndarray of shape (2,)
    layers : list of LayerOutput
        z and a of each layer, shape (2,) each.
    target : ndarray of shape (2,)
    loss : float
        Cross-entropy of the outputs against the target, in nats.
    params, gradient, stepped : Params
        Weights are stored (n_inputs, n_neurons); `stepped` = params - learning rate x gradient.
    learning_rate : float
    loss_after : float
        With the stepped params: lower.
    """

    x: NDArray
    layers: list[LayerOutput]
    target: NDArray
    loss: float
    params: Params
    gradient: Params
    stepped: Params
    learning_rate: float
    loss_after: float


def example_params(dtype: type = np.float32) -> Params:
    """The example's params; weights transposed from neurons as rows to (n_inputs, n_neurons)."""
    return tuple(
        {"weight": jnp.asarray(np.array(rows, dtype).T), "bias": jnp.asarray(np.array(biases, dtype))}
        for rows, biases in NEURONS
    )


def example_loss(params: Params, x: jax.Array, target: jax.Array) -> jax.Array:
    """Cross-entropy of the example's outputs for one sample; shapes (2,) and (2,)."""
    outputs = NETWORK.apply(params, x[None])
    return binary_cross_entropy(outputs, target[None])[0]


def work_example(x: tuple[float, float] = INPUTS[0], target: tuple[float, float] = TARGET) -> WorkedExample:
    """Work the example for one input: forward, backward (jax.grad), one step of descent.

    Examples
    --------
    >>> worked = work_example((1.0, -1.0))
    >>> [round(float(a), 2) for a in worked.layers[-1].a]
    [0.62, 0.83]
    >>> worked.loss_after < worked.loss
    True
    """
    sample, wanted = jnp.asarray(x), jnp.asarray(target)
    params = example_params()
    loss, gradient = jax.value_and_grad(example_loss)(params, sample, wanted)
    stepped = jax.tree.map(lambda p, g: p - LEARNING_RATE * g, params, gradient)
    return WorkedExample(
        x=np.asarray(sample),
        layers=[LayerOutput(z[0], a[0]) for z, a in NETWORK.trace(params, sample[None])],
        target=np.asarray(wanted),
        loss=float(loss),
        params=params,
        gradient=gradient,
        stepped=stepped,
        learning_rate=LEARNING_RATE,
        loss_after=float(example_loss(stepped, sample, wanted)),
    )
