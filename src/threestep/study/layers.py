"""What each layer of the picked network does: what a linear function of its outputs could tell, how steep
the loss is in its weights, and how much of them a step changes.

A dense network is looked at by NumPy. One with convolutions needs a program, compiled in a hurry, and while
the network still learns: it is for a second or two of work.
"""

import math
import time
from concurrent.futures import Future, wait
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from threestep.devices import beside, is_cpu
from threestep.goodness import Goodness
from threestep.model import Model
from threestep.network import ACTIVATIONS, Network, Params
from threestep.pick import Samples
from threestep.study.probe import probe_between

MOST_PROBED, MOST_FITTED = 1000, 4000
_MOST_OUTPUTS = 1000
_N_SAMPLES = 256
_BLOCK = 128  # pictures at once
_MOST_WORK = 1e11  # floating-point operations for pictures: a second or two
_FEWEST_SAMPLES = 100
_LEAST_ASIDE, _MOST_ASIDE, _SHARE_ASIDE = 0.7, 3.0, 0.02  # seconds and share of a budget
_FIRST_SHARE = 2 / 3  # of the time for pictures, for those that were learned from
_IN_A_HURRY = {"xla_backend_optimization_level": 1, "xla_llvm_disable_expensive_passes": True}
"""Half the time of a usual compile. At level 0 a value that is computed twice, for two uses, may come out as
two, and the gradient of a largest value as NaN."""
_TINY = 1e-4  # a step for slopes of activations, in double precision
_BY_SIGN = {"adamw": 1.0, "adam": 1.0, "lion": 1.0, "rmsprop": 10**0.5}
"""Optimizers whose first step is the sign of the gradient, times so many rates."""


class _Look(NamedTuple):
    """What each layer makes of samples, the inputs first, the output layer left out; and the gradients.

    Parameters
    ----------
    learned, judged : list of ndarray of shape (n_samples, n)
        At most 1,000 numbers of each layer.
    gradients : list of ndarray
        In the weights of each layer, flat, of the mean loss of at most 256 of the learned samples.
    """

    learned: list[NDArray]
    judged: list[NDArray]
    gradients: list[NDArray]


def layers_of(
    model: Model,
    judged: Samples,
    learned: Samples,
    optimizer: str,
    rate: float,
    until: float = math.inf,
) -> dict[str, Any] | None:
    """Of the first network, if it has a hidden layer.

    Parameters
    ----------
    model : Model
    judged, learned : Samples
        Encoded, in random order; the first ones were not learned from.
    optimizer : str
    rate : float
        The peak learning rate.
    until : float
        On the clock of `time.perf_counter`: fewer pictures are looked at, or none, if there is not the time.

    Returns
    -------
    dict or None
        `probe`: the score; `probes`: that of the inputs and of each hidden layer, of a linear function
        fitted to learned samples, on `n_probed` of the judged ones; `n_samples`: of the
        gradients; `gradients`: of each layer, the output layer last, the root mean square of its `weights`,
        the Euclidean norm of their `gradient`, and the `update`: the norm of a first step at that rate over
        that of the weights; None of a layer without weights. None, too, where 100 pictures would be more
        work, or take longer, than is spent on them.
    """
    network, kind = model.network, model.prep.target.kind
    if len(network.layers) < 2:
        return None
    if network.is_dense:
        look = _look_at_neurons(model, learned, judged)
    else:
        look = _look_at_pictures(model, learned, judged, until)
    if look is None:
        return None
    n_learned, n_judged = len(look.learned[0]), len(look.judged[0])
    targets = np.asarray(learned.y[:n_learned]), np.asarray(judged.y[:n_judged])
    scores = [
        probe_between((own, targets[0]), (other, targets[1]), kind)
        for own, other in zip(look.learned, look.judged, strict=True)
    ]
    if not np.isfinite(scores).all():
        return None
    weights = [_weights(own) for own in model.params]
    return {
        "probe": "r2" if kind == "number" else "accuracy",
        "probes": scores,
        "n_probed": n_judged,
        "n_samples": min(_N_SAMPLES, n_learned),
        "gradients": [
            {
                "weights": float(np.sqrt(np.mean(weight**2))),
                "gradient": float(np.linalg.norm(gradient)),
                "update": float(rate * _step_size(optimizer, gradient) / max(np.linalg.norm(weight), 1e-30)),
            }
            if weight.size
            else None
            for weight, gradient in zip(weights, look.gradients, strict=True)
        ],
    }


def seconds_set_aside(budget: float) -> float:
    """Of a budget, for looking at the layers of a network with convolutions."""
    return 0.0 if math.isinf(budget) else min(_MOST_ASIDE, max(_LEAST_ASIDE, _SHARE_ASIDE * budget))


def _weights(own: Any) -> NDArray:
    """All weights of a layer, flat; () of one without."""
    known = [np.asarray(array, np.float64).ravel() for name, array in own.items() if name.endswith("weight")]
    return np.concatenate(known) if known else np.zeros(0)


def _look_at_neurons(model: Model, learned: Samples, judged: Samples) -> _Look:
    some, many = slice(None, MOST_PROBED), slice(None, MOST_FITTED)
    fitted, outputs = (
        [_thinned(own, _MOST_OUTPUTS) for own in _trace(model, x)[0][:-1]]
        for x in (learned.x[many], judged.x[some])
    )
    gradients = gradients_of(model, learned.x[:_N_SAMPLES], np.asarray(learned.y[:_N_SAMPLES]))
    return _Look(fitted, outputs, [gradient.ravel() for gradient in gradients])


class _Plan(NamedTuple):
    """How many pictures are looked at, how many at once, and how many numbers of each layer at most."""

    n_learned: int
    n_judged: int
    block: int
    most: int


def _plan_of(network: Network, n_learned: int, n_judged: int) -> _Plan | None:
    """None: it is more work than is spent on pictures."""
    affordable = int(_MOST_WORK // (6 * network.n_products))
    if affordable < _FEWEST_SAMPLES:
        return None
    n_learned, n_judged = (
        min(n, most, affordable * thirds // 3)
        for n, most, thirds in ((n_learned, MOST_FITTED, 2), (n_judged, MOST_PROBED, 1))
    )
    return _Plan(n_learned, n_judged, min(_BLOCK, affordable // 3), _most_of(n_learned))


def _most_of(n: int) -> int:
    """Numbers of each layer: a linear function of more, fitted to n samples, would say little."""
    return max(1, min(_MOST_OUTPUTS, n // 2))


def compile_look(network: Network, goodness: Goodness, y: NDArray, n_judged: int) -> None:
    """Begin to compile what `layers_of` needs for a network with convolutions, in another thread; `y`: the
    targets of those that are learned from."""
    plan = _plan_of(network, len(y), n_judged)
    if plan is not None:
        _program(network, goodness.for_judging, plan.block, plan.most, _row_of(y))


def _row_of(y: Any) -> tuple[str, tuple[int, ...]]:
    return np.asarray(y[:1]).dtype.name, np.shape(y)[1:]


@lru_cache(maxsize=8)
def _program(
    network: Network, goodness: Goodness, block: int, most: int, y_row: tuple[str, tuple[int, ...]]
) -> Future[Any]:
    """The promise of a program, kept."""
    y_kind, y_shape = y_row
    params = jax.tree.map(lambda own: jax.ShapeDtypeStruct(own.shape, own.dtype), network.init(0))
    x = jax.ShapeDtypeStruct((block, network.n_inputs), np.float32)
    y = jax.ShapeDtypeStruct((block, *y_shape), y_kind)
    share = jax.ShapeDtypeStruct((block,), np.float32)

    def compiled() -> Any:
        lowered = jax.jit(_in_network, static_argnums=(0, 1, 2)).lower(
            network, goodness, most, params, x, y, share
        )
        return lowered.compile(_IN_A_HURRY if is_cpu() else None)

    return beside(compiled)


def _look_at_pictures(
    model: Model, learned: Samples, judged: Samples, until: float = math.inf
) -> _Look | None:
    """Layers and gradients come from one program, for one block of samples after another."""
    plan = _plan_of(model.network, len(learned.y), len(judged.y))
    if plan is None:
        return None
    goodness = model.goodness.for_judging
    promise = _program(model.network, goodness, plan.block, plan.most, _row_of(learned.y))
    now = time.perf_counter()
    if wait([promise], None if math.isinf(until) else max(0.0, until - now)).not_done:
        return None
    n_first = min(_N_SAMPLES, plan.n_learned)
    share = np.zeros(plan.n_learned, np.float32)
    share[:n_first] = 1 / n_first
    now = time.perf_counter()
    half = until if math.isinf(until) else now + _FIRST_SHARE * (until - now)
    blocks = _Blocks(promise.result(), model.params, plan.block)
    fitted, gradients = blocks.of(learned, share, half)
    others, _ = blocks.of(judged, np.zeros(plan.n_judged, np.float32), until)
    n_fitted, n_others = len(fitted[0]), len(others[0])
    if n_fitted + n_others < min(_FEWEST_SAMPLES, plan.n_learned + plan.n_judged):
        return None
    most, whole = _most_of(n_fitted), n_first / min(n_first, n_fitted)
    fitted, others = ([_thinned(each, most) for each in own] for own in (fitted, others))
    return _Look(fitted, others, [whole * gradient for gradient in gradients])


class _Blocks(NamedTuple):
    """A program and its params, for so many pictures at once."""

    program: Any
    params: Params
    block: int

    def of(self, samples: Samples, share: NDArray, until: float) -> tuple[list[NDArray], list[NDArray]]:
        """What each layer makes of as many samples as there are shares, or of fewer where time is up, one
        block at least; and the sum of their gradients."""
        n, outputs, sums = len(share), [], list[NDArray]()
        for at in range(0, n, self.block):
            if at > 0 and time.perf_counter() >= until:
                break
            # the last block is filled up
            rows = np.resize(np.arange(at, min(at + self.block, n)), self.block)
            n_rows = min(self.block, n - at)
            own = np.where(np.arange(self.block) < n_rows, share[rows], 0).astype(np.float32)
            hidden, gradients = self.program(self.params, samples.x[rows], np.asarray(samples.y)[rows], own)
            outputs.append([np.asarray(each, np.float64)[:n_rows] for each in hidden])
            found = [_weights(each) for each in gradients]
            sums = [one + other for one, other in zip(sums, found, strict=True)] if sums else found
        return [np.concatenate(each) for each in zip(*outputs, strict=True)], sums


def _in_network(
    network: Network, goodness: Goodness, most: int, params: Params, x: jax.Array, *known: jax.Array
) -> tuple[list[jax.Array], Any]:
    """What each layer makes of samples, the output layer left out; and the gradient of their losses, each
    times its share."""
    y, share = known

    def loss(params: Params) -> tuple[jax.Array, list[jax.Array]]:
        *hidden, last = (output.a for output in network.trace(params, x))
        return share @ goodness.losses(last, y), hidden

    gradients, hidden = jax.grad(loss, has_aux=True)(params)
    inputs = x.reshape(len(x), *network.first_shape)
    return [_thinned(_in_windows(each, most), most) for each in (inputs, *hidden)], gradients


def _in_windows(h: jax.Array, most: int) -> jax.Array:
    """Pictures as means over windows, the smallest with which no more than so many numbers are left, flat."""
    if h.ndim == 2:
        return h
    n, height, width, channels = h.shape

    def sides(size: int) -> tuple[int, int]:
        return -(-height // size), -(-width // size)

    size = 1
    while math.prod(sides(size)) * channels > most and size < max(height, width):
        size += 1
    down, across = sides(size)
    missing = ((0, 0), (0, down * size - height), (0, across * size - width), (0, 0))
    even = jnp.pad(h, missing, mode="edge").reshape(n, down, size, across, size, channels)
    return even.mean(axis=(2, 4)).reshape(n, -1)


def _thinned(h: Any, most: int) -> Any:
    """At most so many numbers of each sample."""
    return h[:, :: -(-h.shape[1] // most)]


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
