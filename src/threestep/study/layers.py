"""What each layer of the picked network does: what a linear function of its outputs could tell, how steep
the loss is in its weights, and how much of them a step changes."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from threestep.goodness import Goodness
from threestep.model import Model
from threestep.network import ACTIVATIONS
from threestep.pick import Samples
from threestep.study.explaining import probe_between

MOST_PROBED, MOST_FITTED = 1000, 4000
_MOST_OUTPUTS = 1000
_N_SAMPLES = 256
_TINY = 1e-4  # a step for slopes of activations, in double precision
_BY_SIGN = {"adamw": 1.0, "adam": 1.0, "lion": 1.0, "rmsprop": 10**0.5}
"""Optimizers whose first step is the sign of the gradient, times so many rates."""


def layers_of(
    model: Model, judged: Samples, learned: Samples, optimizer: str, rate: float
) -> dict[str, Any] | None:
    """Of the first network, if it is dense and has a hidden layer.

    Parameters
    ----------
    model : Model
    judged, learned : Samples
        Encoded, in random order; the first ones were not learned from.
    optimizer : str
    rate : float
        The peak learning rate.

    Returns
    -------
    dict or None
        `probe`: the score; `probes`: that of the inputs and of each hidden layer, of a linear function
        fitted to learned samples, on `n_probed` of the judged ones; `n_samples`: of the
        gradients; `gradients`: of each layer, the output layer last, the root mean square of its `weights`,
        the Euclidean norm of their `gradient`, and the `update`: the norm of a first step at that rate over
        that of the weights.
    """
    network, kind = model.network, model.prep.target.kind
    if not network.is_dense or not network.hidden:
        return None
    some, many = slice(None, MOST_PROBED), slice(None, MOST_FITTED)
    fitted, outputs = (_trace(model, x)[0][:-1] for x in (learned.x[many], judged.x[some]))
    targets = np.asarray(learned.y[many]), np.asarray(judged.y[some])
    steps = [-(-own.shape[1] // _MOST_OUTPUTS) for own in outputs]
    scores = [
        probe_between((own[:, ::step], targets[0]), (other[:, ::step], targets[1]), kind)
        for own, other, step in zip(fitted, outputs, steps, strict=True)
    ]
    if not np.isfinite(scores).all():
        return None
    gradients = gradients_of(model, learned.x[:_N_SAMPLES], np.asarray(learned.y[:_N_SAMPLES]))
    weights = [np.asarray(own["weight"], np.float64) for own in model.params]
    return {
        "probe": "r2" if kind == "number" else "accuracy",
        "probes": scores,
        "n_probed": min(MOST_PROBED, len(judged.y)),
        "n_samples": min(_N_SAMPLES, len(learned.y)),
        "gradients": [
            {
                "weights": float(np.sqrt(np.mean(weight**2))),
                "gradient": float(np.linalg.norm(gradient)),
                "update": float(rate * _step_size(optimizer, gradient) / max(np.linalg.norm(weight), 1e-30)),
            }
            for weight, gradient in zip(weights, gradients, strict=True)
        ],
    }


def _step_size(optimizer: str, gradient: NDArray) -> float:
    """The norm of a first step at a rate of 1."""
    if optimizer in _BY_SIGN:
        return _BY_SIGN[optimizer] * float(np.sqrt(np.count_nonzero(gradient)))
    return float(np.linalg.norm(gradient))


def gradients_of(model: Model, x: NDArray, y: NDArray) -> list[NDArray]:
    """The gradient of the mean loss in the weights of each layer of the first, dense, network; by NumPy, as
    a compiled one would cost every structure a compile.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_inputs)
        At most 256 encoded samples.
    y : ndarray
    """
    inputs, slopes = _trace(model, x)
    n_samples = len(x)
    rows = np.resize(np.arange(n_samples), _N_SAMPLES)  # one shape for all
    by_outputs = np.asarray(
        _slope_of_loss(model.goodness.for_judging, inputs[-1][rows].astype(np.float32), y[rows])
    )
    towards = by_outputs[:n_samples].astype(np.float64) / n_samples
    gradients: list[NDArray] = []
    layers = list(zip(model.network.neurons, model.params, inputs[:-1], slopes, strict=True))
    for layer, own, h, slope in reversed(layers):
        by_sum = towards * slope
        gradients.append(h.T @ by_sum)
        back = by_sum @ np.asarray(own["weight"], np.float64).T
        towards = back + towards if layer.residual else back
    return gradients[::-1]


@partial(jax.jit, static_argnums=0)
def _slope_of_loss(goodness: Goodness, outputs: jax.Array, y: jax.Array) -> jax.Array:
    return jax.grad(lambda outputs: goodness.losses(outputs, y).sum())(jnp.asarray(outputs))


def _trace(model: Model, x: NDArray) -> tuple[list[NDArray], list[NDArray]]:
    """The inputs and what each layer makes of them; and the slope of each activation there."""
    h = np.asarray(x[:, : model.network.n_inputs], np.float64)
    outputs, slopes = [h], []
    for layer, own in zip(model.network.neurons, model.params, strict=True):
        function = ACTIVATIONS[layer.activation].in_numpy
        z = h @ np.asarray(own["weight"], np.float64) + np.asarray(own["bias"], np.float64)
        a = function(z)
        slopes.append((function(z + _TINY) - function(z - _TINY)) / (2 * _TINY))
        h = a + h if layer.residual else a
        outputs.append(h)
    return outputs, slopes
