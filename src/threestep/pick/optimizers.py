"""How a gradient becomes an update, and the learning rate over time.

Each rule is a formula for one array of params. They are written out here, not taken from a library,
for speed: what a step's number alone decides (`Pace`) is worked out for many steps at once, and no
layer keeps a count of its own. On a small network a step is a hundred tiny operations, of which
these were a fifth. The tests compare each rule with NumPy, and AdamW with PyTorch's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from threestep.network import RUNNING
from threestep.pick.input_scale import INPUT_SCALE

_MOMENTUM = 0.9
_TINY = 1e-8
_MEAN_KEPT, _SQUARE_KEPT = 0.9, 0.999
"""Adam's: shares of the moments that a step keeps."""
_NEW_SHARE = 1 - _MEAN_KEPT
"""What running statistics take of a batch's; more in the first steps, as much as makes them a mean."""


class Pace(NamedTuple):
    """What a step's number alone decides; arrays of shape (), or of any one shape for many steps.

    Parameters
    ----------
    learning_rate, decay : Array
        `decay`: share of the weights that goes.
    mean_scale, root_scale : Array
        What corrects the moments of Adam for their start at zero.
    """

    learning_rate: Any
    decay: Any
    mean_scale: Any
    root_scale: Any


class Rule(NamedTuple):
    """An optimizer: `change` takes (pace, gradient, moments) to (what params lose, moments)."""

    change: Callable[[Pace, Array, tuple[Array, ...]], tuple[Array, tuple[Array, ...]]]
    n_moments: int
    decays: bool = False


def pace_of(step: Array, n_steps: Array, peak: Array, warmup_fraction: Array, weight_decay: Array) -> Pace:
    """The pace at a step counted from 0, out of `n_steps`."""
    rate = rate_at(step, n_steps, peak, warmup_fraction)
    count = step + jnp.float32(1)
    mean_missing, square_missing = (-jnp.expm1(count * jnp.log(kept)) for kept in (_MEAN_KEPT, _SQUARE_KEPT))
    return Pace(rate, rate * weight_decay, 1 / mean_missing, square_missing**-0.5)


def row_of(pace: Pace) -> Array:
    """A pace as one array with a last axis of its own: one number to fetch in a step, not four."""
    return jnp.stack(pace, axis=-1)


def at_times(row: Array, times: Array) -> Array:
    """The pace of what learns with so many times the learning rate."""
    pace = Pace(*row)
    return row_of(pace._replace(learning_rate=times * pace.learning_rate, decay=times * pace.decay))


def updated(
    name: str, row: Array, gradient: dict, moments: dict, params: dict, of_factors: Array | None = None
) -> tuple[dict, dict]:
    """One update of a layer, array by array, at the pace of that row, factors of its inputs at their own:
    (params, moments).

    Weight decay falls on the weights only, and only for rules that decouple it (Loshchilov & Hutter
    2019, arXiv:1711.05101). Running statistics follow the batches, whatever the rule.
    """
    rule, new_params, new_moments = RULES[name], {}, {}
    for part, own in params.items():
        pace = Pace(*(of_factors if part == INPUT_SCALE and of_factors is not None else row))
        if part.endswith(RUNNING):  # its gradient is how far it is from the batch's own
            new_params[part], new_moments[part] = own - _NEW_SHARE * pace.mean_scale * gradient[part], ()
            continue
        loss, new_moments[part] = rule.change(pace, gradient[part], moments[part])
        kept = own - pace.decay * own if rule.decays and part.endswith("weight") else own
        new_params[part] = kept - loss
    return new_params, new_moments


def rate_at(step: Array, n_steps: Array, peak: Array, warmup_fraction: Array) -> Array:
    """Learning rate of a step: a linear warm-up, then half a cosine to zero.

    Source: Loshchilov & Hutter 2017 (arXiv:1608.03983); warm-up as in Goyal et al. 2017
    (arXiv:1706.02677).
    """
    n_warmup = jnp.maximum(warmup_fraction * n_steps, 1.0)
    progress = jnp.clip((step - n_warmup) / jnp.maximum(n_steps - n_warmup, 1.0), 0.0, 1.0)
    rising = (step + 1.0) / n_warmup
    return peak * jnp.minimum(jnp.minimum(rising, 1.0), 0.5 * (1 + jnp.cos(jnp.pi * progress)))


def _adam(pace: Pace, gradient: Array, moments: tuple[Array, ...]):
    """Kingma & Ba 2015 (arXiv:1412.6980)."""
    mean, square = moments
    mean = _MEAN_KEPT * mean + (1 - _MEAN_KEPT) * gradient
    square = _SQUARE_KEPT * square + (1 - _SQUARE_KEPT) * gradient**2
    scale = pace.learning_rate * pace.mean_scale
    return scale * mean / (jnp.sqrt(square) * pace.root_scale + _TINY), (mean, square)


def _lion(pace: Pace, gradient: Array, moments: tuple[Array, ...]):
    """Chen et al. 2023 (arXiv:2302.06675)."""
    (mean,) = moments
    direction = jnp.sign(0.9 * mean + 0.1 * gradient)
    return pace.learning_rate * direction, (0.99 * mean + 0.01 * gradient,)


def _rmsprop(pace: Pace, gradient: Array, moments: tuple[Array, ...]):
    """Tieleman & Hinton 2012, lecture 6e of Neural Networks for Machine Learning."""
    square = 0.9 * moments[0] + 0.1 * gradient**2
    return pace.learning_rate * gradient * jax.lax.rsqrt(square + _TINY), (square,)


def _momentum(pace: Pace, gradient: Array, moments: tuple[Array, ...]):
    """Polyak 1964."""
    speed = gradient + _MOMENTUM * moments[0]
    return pace.learning_rate * speed, (speed,)


def _sgd(pace: Pace, gradient: Array, moments: tuple[Array, ...]):
    return pace.learning_rate * gradient, moments


RULES = {
    "adamw": Rule(_adam, 2, decays=True),
    "adam": Rule(_adam, 2),
    "lion": Rule(_lion, 1, decays=True),
    "rmsprop": Rule(_rmsprop, 1),
    "momentum": Rule(_momentum, 1),
    "sgd": Rule(_sgd, 0),
}
