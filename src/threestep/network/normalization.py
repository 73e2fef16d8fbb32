"""Normalization of pictures: over the batch with running statistics, over groups of channels, or over a
sample.

Sources: Ioffe & Szegedy 2015 (arXiv:1502.03167), Wu & He 2018 (arXiv:1803.08494), Ba et al. 2016
(arXiv:1607.06450).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

NORMS = ("batch", "group", "layer", "none")
"""What a convolution's sums may be normalized by."""

RUNNING = ("mean", "variance")
"""Params that no gradient teaches: they follow the batches. See `remember`."""

NORM_EPSILON = 1e-5
"""What is added to a variance."""

_MOST_GROUPS = 32


def norm_shapes(norm: str, channels: int) -> dict[str, tuple[int, ...]]:
    """The params of a normalization; without one a bias."""
    if norm == "none":
        return {"bias": (channels,)}
    learned = {"scale": (channels,), "shift": (channels,)}
    return learned | dict.fromkeys(RUNNING, (channels,)) if norm == "batch" else learned


def init_norm(norm: str, channels: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """They begin as if nothing were to be changed."""
    starts = {"scale": scale, "variance": 1.0}
    return {
        name: np.full(shape, starts.get(name, 0.0), np.float32)
        for name, shape in norm_shapes(norm, channels).items()
    }


def normalize(norm: str, params: dict, x: Array, present: Array | None) -> Array:
    """Sums of a convolution, (n_samples, height, width, channels), normalized and scaled; or with a bias.

    Parameters
    ----------
    present : Array of shape (n_samples,), or None
        During training: 1 for samples, 0 for what fills the batch up. None: the running statistics are used.
    """
    if norm == "none":
        return x + params["bias"]
    return _normalized(norm, params, x.astype(jnp.float32), present).astype(x.dtype)


def _normalized(norm: str, params: dict, x: Array, present: Array | None) -> Array:
    if norm == "batch":
        if present is None:
            factor = params["scale"] * lax.rsqrt(params["variance"] + NORM_EPSILON)
            return x * factor + (params["shift"] - params["mean"] * factor)
        share = (present / jnp.maximum(present.sum(), 1.0)).astype(x.dtype)
        y, mean, variance = _by_batch(x, params["scale"], params["shift"], share)
        return remember(remember(y, params["mean"], mean), params["variance"], variance)
    channels = x.shape[-1]
    n_groups = 1 if norm == "layer" else groups_of(channels)
    parts = x.reshape(*x.shape[:3], n_groups, channels // n_groups)
    mean = parts.mean(axis=(1, 2, 4), keepdims=True)
    variance = jnp.square(parts - mean).mean(axis=(1, 2, 4), keepdims=True)
    same = ((parts - mean) * lax.rsqrt(variance + NORM_EPSILON)).reshape(x.shape)
    return same * params["scale"] + params["shift"]


@jax.custom_vjp
def _by_batch(x: Array, scale: Array, shift: Array, share: Array) -> tuple[Array, Array, Array]:
    """Normalized by the batch's own mean and variance, which are given too, for `remember`: no gradient comes
    back through those two.

    The gradient by hand is two passes over the sums; the one that JAX derives is six (Ioffe and Szegedy 2015,
    arXiv:1502.03167, section 3).
    """
    return _by_batch_forward(x, scale, shift, share)[0]


def _by_batch_forward(
    x: Array, scale: Array, shift: Array, share: Array
) -> tuple[tuple[Array, Array, Array], tuple[Array, ...]]:
    mean = jnp.einsum("n,nc->c", share, x.mean(axis=(1, 2)))
    variance = jnp.einsum("n,nc->c", share, jnp.square(x - mean).mean(axis=(1, 2)))
    inverse = lax.rsqrt(variance + NORM_EPSILON)
    factor = scale * inverse
    return (x * factor + (shift - mean * factor), mean, variance), (x, scale, share, mean, inverse)


def _by_batch_backward(known: tuple[Array, ...], gs: tuple[Array, Array, Array]) -> tuple[Array, ...]:
    (x, scale, share, mean, inverse), g = known, gs[0]
    to_shift = g.sum(axis=(0, 1, 2))
    to_scale = (g * (x - mean)).sum(axis=(0, 1, 2)) * inverse
    own = (share / (x.shape[1] * x.shape[2]))[:, None, None, None]  # of each place in the mean
    to_x = scale * inverse * (g - own * (to_shift + (x - mean) * (inverse * to_scale)))
    return to_x, to_scale, to_shift, jnp.zeros_like(share)


_by_batch.defvjp(_by_batch_forward, _by_batch_backward)


def groups_of(channels: int) -> int:
    """As many groups as divide the channels, at most 32."""
    return max(n for n in range(1, min(_MOST_GROUPS, channels) + 1) if channels % n == 0)


@jax.custom_vjp
def remember(y: Array, kept: Array, now: Array) -> Array:
    """`y`; and in place of a gradient of `kept`, how far it is from what is there now.

    So a running statistic is a param like all others, one that the optimizer moves towards the batch's by a
    share of that distance, and a training step needs no second way out for it.
    """
    return y


remember.defvjp(
    lambda y, kept, now: (y, (kept, now)), lambda known, g: (g, known[0] - known[1], jnp.zeros_like(known[1]))
)
