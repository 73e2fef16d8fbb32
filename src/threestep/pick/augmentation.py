"""Pictures changed a little at random each time they are learned from, as they might have been taken.

A pure function of (seed, step, place in the batch): a resumed run needs no state for it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

Numbers = Any
"""JAX's arrays inside the compiled program, NumPy's on their way there."""

_NOISE, _PARTNER, _SHARE = 1, 2, 3  # what a key is for; moves and flips have the step's own


class Batch(NamedTuple):
    """The samples of one step, or of several (one more axis in front).

    x (batch_size, n_inputs), y (batch_size,), weight (batch_size,): how much each counts, 0 fills the
    last batch up; share (batch_size,): that over the number of samples.
    """

    x: Numbers
    y: Numbers
    weight: Numbers
    share: Numbers


@dataclass(frozen=True)
class Augmentation:
    """What may be changed; static.

    Parameters
    ----------
    shape : (height, width, channels)
        Of a picture.
    shift : (int, int)
        By how many pixels it may be moved at most, up or down, left or right; what comes into sight is like
        the border. So it is a random crop of a picture with a border around.
    flip : bool
        Whether half of them are mirrored, left to right.
    noise : float
        Standard deviation of what is added to each number (Gaussian), as a share of that of the picture.
    mixup : float
        α of the Beta(α, α) that says how much of each picture and its target there is beside another one's
        (Zhang et al. 2018, arXiv:1710.09412); 0: not mixed.
    """

    shape: tuple[int, int, int]
    shift: tuple[int, int] = (0, 0)
    flip: bool = False
    noise: float = 0.0
    mixup: float = 0.0


def augmented(how: Augmentation, key: Array, batch: Batch) -> tuple[Array, tuple[Batch, ...]]:
    """The samples of a batch, changed.

    Returns
    -------
    x : Array of shape (batch_size, n_inputs)
    targets : tuple of Batch
        Whose targets count, and how much: the batch's own; of mixed samples also those of their partners.
    """
    x = batch.x
    if how.flip or any(how.shift):
        x = _moved(how, key, x)
    if how.noise:
        size = how.noise * x.std(axis=1, keepdims=True)
        x = x + size * jax.random.normal(jax.random.fold_in(key, _NOISE), x.shape, x.dtype)
    return _mixed(how.mixup, key, x, batch) if how.mixup else (x, (batch,))


def _moved(how: Augmentation, key: Array, x: Array) -> Array:
    """Moved and mirrored."""
    pictures = x.reshape(-1, *how.shape)
    (rows, columns), n = how.shift, len(x)
    moves = jax.random.randint(key, (n, 3), 0, jnp.array([2 * rows + 1, 2 * columns + 1, 2]))
    around = jnp.pad(pictures, ((0, 0), (rows, rows), (columns, columns), (0, 0)), mode="edge")

    def moved(picture: Array, move: Array) -> Array:
        return lax.dynamic_slice(picture, (move[0], move[1], 0), how.shape)

    pictures = jax.vmap(moved)(around, moves)
    if how.flip:
        is_flipped = (moves[:, 2] == 1)[:, None, None, None]
        pictures = jnp.where(is_flipped, pictures[:, :, ::-1], pictures)
    return pictures.reshape(x.shape)


def _mixed(alpha: float, key: Array, x: Array, batch: Batch) -> tuple[Array, tuple[Batch, ...]]:
    """Each sample mixed with another one, never with what only fills the batch up.

    A target that is mixed has as its loss the losses of both, mixed, each with its own weight: of
    cross-entropy, smoothed or not, that is the loss of the mixed target, for it is linear in the target.
    The order of a batch is random, so a partner is as many places further for all.
    """
    n_present, places = (batch.share > 0).sum(), jnp.arange(len(x))
    further = jax.random.randint(jax.random.fold_in(key, _PARTNER), (), 1, jnp.maximum(n_present, 2))
    partner = jnp.where(places < n_present, (places + further) % jnp.maximum(n_present, 1), places)
    share = jax.random.beta(jax.random.fold_in(key, _SHARE), alpha, alpha, (len(x),), x.dtype)
    targets = tuple(
        Batch(batch.x, batch.y[rows], own * batch.weight[rows], own * batch.share[rows])
        for own, rows in ((share, places), (1 - share, partner))
    )
    return share[:, None] * x + (1 - share[:, None]) * x[partner], targets
