"""Pictures changed a little at random each time they are learned from, as they might have been taken.

A pure function of (seed, step, place in the batch): a resumed run needs no state for it.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array, lax


@dataclass(frozen=True)
class Augmentation:
    """What may be changed; static.

    Parameters
    ----------
    shape : (height, width, channels)
        Of a picture.
    shift : (int, int)
        By how many pixels it may be moved at most, up or down, left or right; what comes into sight is like
        the border.
    flip : bool
        Whether half of them are mirrored, left to right.
    """

    shape: tuple[int, int, int]
    shift: tuple[int, int] = (0, 0)
    flip: bool = False


def augmented(how: Augmentation, key: Array, x: Array) -> Array:
    """The pictures of a batch, (batch_size, n_inputs), changed."""
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
