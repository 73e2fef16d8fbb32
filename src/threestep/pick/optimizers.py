"""Optimizers by name (optax), and the learning rate over time."""

import jax
import jax.numpy as jnp
import optax
from jax import Array

_MOMENTUM = 0.9


def optimizer(name: str, learning_rate: Array, weight_decay: Array) -> optax.GradientTransformation:
    """The optimizer of that name at one learning rate; both rates may be traced values.

    Weight decay falls on the weights only, and only for optimizers that decouple it (Loshchilov &
    Hutter 2019, arXiv:1711.05101).
    """
    if name == "adamw":
        return optax.adamw(learning_rate, weight_decay=weight_decay, mask=_is_weight)
    if name == "lion":
        return optax.lion(learning_rate, weight_decay=weight_decay, mask=_is_weight)
    if name == "adam":
        return optax.adam(learning_rate)
    if name == "rmsprop":
        return optax.rmsprop(learning_rate)
    if name == "momentum":
        return optax.sgd(learning_rate, momentum=_MOMENTUM)
    return optax.sgd(learning_rate)


def _is_weight(params: optax.Params) -> optax.Params:
    """Weights are matrices, biases are vectors."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def rate_at(step: Array, n_steps: Array, peak: Array, warmup_fraction: Array) -> Array:
    """Learning rate of a step: a linear warm-up, then half a cosine to zero.

    Source: Loshchilov & Hutter 2017 (arXiv:1608.03983); warm-up as in Goyal et al. 2017
    (arXiv:1706.02677).
    """
    n_warmup = jnp.maximum(warmup_fraction * n_steps, 1.0)
    progress = jnp.clip((step - n_warmup) / jnp.maximum(n_steps - n_warmup, 1.0), 0.0, 1.0)
    rising = (step + 1.0) / n_warmup
    return peak * jnp.minimum(jnp.minimum(rising, 1.0), 0.5 * (1 + jnp.cos(jnp.pi * progress)))
