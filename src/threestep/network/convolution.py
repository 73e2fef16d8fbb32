"""Convolution and pooling of pictures, (n_samples, height, width, channels), with gradients that are fast on
a CPU, too.

XLA's own gradient of a convolution is 10 to 100 times slower there than it need be once it stands in a loop.
So on a CPU the gradient of the inputs is a convolution again, and that of the kernel one product of the
inputs and what comes back, each beside itself moved, a few samples at a time, so that all of it stays in the
cache. Padding is even on both sides, (size - 1) // 2, as PyTorch's is.
"""

from functools import partial, reduce

import jax
import jax.numpy as jnp
from jax import Array, lax

from threestep.devices import is_cpu

_AXES = ("NHWC", "HWIO", "NHWC")
_MOVED_BYTES = 8 << 20  # of moved copies at once: what stays in the cache
_MANY = 128  # channels, from which a product takes what must be turned round as it lies
_FEW = 32  # values of a patch, up to which one product is faster than the convolution


def side_after(side: int, size: int, stride: int) -> int:
    """The side of a picture after a convolution or pooling."""
    return (side + 2 * ((size - 1) // 2) - size) // stride + 1


def convolve(x: Array, kernel: Array, stride: int = 1) -> Array:
    """A convolution.

    Parameters
    ----------
    x : Array of shape (n_samples, height, width, channels)
    kernel : Array of shape (size, size, channels, filters)
    stride : int

    Returns
    -------
    Array of shape (n_samples, height', width', filters)
    """
    size, _, channels, filters = kernel.shape
    if size == 1:
        return _product(x[:, ::stride, ::stride], kernel[0, 0])
    if size * size * channels <= _FEW:
        return _product(_patches(x, size, stride), kernel.reshape(-1, filters))
    return _convolve(x, kernel, stride) if is_cpu() else _native(x, kernel, stride)


@jax.custom_vjp
def _product(patches: Array, kernel: Array) -> Array:
    return patches @ kernel


def _product_backward(known: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    """In the order in which nothing is turned round and copied first; JAX's own turns what comes back."""
    patches, kernel = known
    flat, back = patches.reshape(-1, len(kernel)), g.reshape(-1, g.shape[-1])
    return g @ kernel.T, _over_rows(flat, back)


def _over_rows(a: Array, b: Array) -> Array:
    """a.T @ b; said like this, a is not turned round first."""
    return lax.dot_general(a, b, (((0,), (0,)), ((), ())))


_product.defvjp(lambda patches, kernel: (patches @ kernel, (patches, kernel)), _product_backward)


def _native(x: Array, kernel: Array, stride: int) -> Array:
    pad = (len(kernel) - 1) // 2
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), ((pad, pad), (pad, pad)), dimension_numbers=_AXES
    )


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _convolve(x: Array, kernel: Array, stride: int) -> Array:
    return _native(x, kernel, stride)


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return _native(x, kernel, stride), (x, kernel)


def _backward(stride: int, known: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    x, kernel = known
    return _back_to_inputs(g, kernel, stride, x.shape), _back_to_kernel(x, g, kernel.shape, stride)


_convolve.defvjp(_forward, _backward)


def _back_to_inputs(g: Array, kernel: Array, stride: int, shape: tuple[int, ...]) -> Array:
    """Gradient of the inputs: what came back, spread out, convolved with the kernel turned round."""
    size = len(kernel)
    before = size - 1 - (size - 1) // 2

    def padding(side: int, n: int) -> tuple[int, int, int]:
        return before, side + size - 1 - before - ((n - 1) * stride + 1), stride - 1

    rows, columns = padding(shape[1], g.shape[1]), padding(shape[2], g.shape[2])
    spread = lax.pad(g, jnp.zeros((), g.dtype), ((0, 0, 0), rows, columns, (0, 0, 0)))
    turned = jnp.flip(kernel, (0, 1)).swapaxes(2, 3)
    return lax.conv_general_dilated(spread, turned, (1, 1), "VALID", dimension_numbers=_AXES)


def _back_to_kernel(x: Array, g: Array, shape: tuple[int, ...], stride: int) -> Array:
    """Gradient of the kernel, a few samples at a time."""
    size, _, channels, filters = shape
    one = _moved_product if stride == 1 and size % 2 else partial(_patch_product, stride)
    per_sample = size * g.shape[1] * g.shape[2] * (channels * (size if stride > 1 else 1) + filters)
    most = max(1, _MOVED_BYTES // (per_sample * x.dtype.itemsize))
    n_together = max(n for n in range(1, len(x) + 1) if len(x) % n == 0 and n <= most)
    if n_together == len(x):
        return one(x, g, size)
    parts = [array.reshape(-1, n_together, *array.shape[1:]) for array in (x, g)]
    none = jnp.zeros(shape, x.dtype)
    return lax.scan(lambda total, part: (total + one(part[0], part[1], size), None), none, parts)[0]


def _moved_product(x: Array, g: Array, size: int) -> Array:
    """Each place of the kernel sees `x[row + a, column + b] * g[row, column]`. With `x` beside itself moved
    by each a, and `g` by each -b, that is one product; patches would be `size` times as large."""
    channels, filters = x.shape[-1], g.shape[-1]
    sideways = jnp.concatenate(_moved(g, size, axis=2)[::-1], axis=-1).reshape(-1, size * filters)
    if channels < _MANY:
        x = x.reshape(-1, channels).T.reshape(channels, *x.shape[:3])
        product = jnp.concatenate(_moved(x, size, axis=2), axis=0).reshape(size * channels, -1) @ sideways
    else:
        upright = jnp.concatenate(_moved(x, size, axis=1), axis=-1).reshape(-1, size * channels)
        product = _over_rows(upright, sideways)
    return product.reshape(size, channels, size, filters).swapaxes(1, 2)


def _moved(x: Array, size: int, axis: int) -> list[Array]:
    """What stands at each of an odd number of places around an index, along an axis; zeros outside.
    The barrier keeps copying apart from asking at each value whether it lies inside."""
    padding = [(0, 0)] * x.ndim
    padding[axis] = (size // 2, size // 2)
    padded = lax.optimization_barrier(jnp.pad(x, padding))
    return [lax.slice_in_dim(padded, place, place + x.shape[axis], axis=axis) for place in range(size)]


def _patch_product(stride: int, x: Array, g: Array, size: int) -> Array:
    """Patches times what comes back."""
    patches, filters = _patches(x, size, stride), g.shape[-1]
    flat = patches.reshape(-1, patches.shape[-1])
    return _over_rows(flat, g.reshape(-1, filters)).reshape(size, size, x.shape[-1], filters)


def _patches(x: Array, size: int, stride: int) -> Array:
    """What the kernel sees at each place: (n_samples, height', width', size * size * channels)."""
    return jnp.concatenate(_seen(x, size, stride, 0.0), axis=-1)


def _seen(x: Array, size: int, stride: int, fill: float) -> list[Array]:
    """For each place of a window what stands there in all windows: (n_samples, height', width', channels)."""
    pad = (size - 1) // 2
    height, width = (side_after(side, size, stride) for side in x.shape[1:3])
    padded = jnp.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=fill)
    rows, columns = (height - 1) * stride + 1, (width - 1) * stride + 1
    return [
        padded[:, row : row + rows : stride, column : column + columns : stride]
        for row in range(size)
        for column in range(size)
    ]


def pool(x: Array, kind: str, size: int, stride: int) -> Array:
    """The largest or the mean value of each window; of a size of 0, of the whole picture.

    The gradient of a largest value goes to all places that have it, in equal shares.
    """
    if size == 0:
        reduce = jnp.max if kind == "max" else jnp.mean
        return reduce(x, axis=(1, 2), keepdims=True)
    if kind == "max" and size == stride == 2:
        return _halved(x)
    together = jnp.stack(_seen(x, size, stride, -jnp.inf if kind == "max" else 0.0))
    return together.max(axis=0) if kind == "max" else together.mean(axis=0)


@jax.custom_vjp
def _halved(x: Array) -> Array:
    """The largest value of each window of 2 x 2; a last odd row or column is not looked at."""
    return reduce(jnp.maximum, _corners(x))


def _corners(x: Array) -> list[Array]:
    """The four values of each window of 2 x 2, each (n_samples, height', width', channels)."""
    height, width = (side // 2 * 2 for side in x.shape[1:3])
    return [x[:, row:height:2, column:width:2] for row in (0, 1) for column in (0, 1)]


def _halved_backward(known: tuple[Array, Array], g: Array) -> tuple[Array]:
    """By comparing, which is two passes; the gradient that JAX derives takes four times as long on a CPU."""
    x, largest = known
    are_largest = [corner == largest for corner in _corners(x)]
    share = g / jnp.maximum(sum(each.astype(g.dtype) for each in are_largest), 1)
    top_left, top_right, low_left, low_right = (jnp.where(each, share, 0) for each in are_largest)
    rows = [jnp.stack(pair, axis=3) for pair in ((top_left, top_right), (low_left, low_right))]
    back = jnp.stack(rows, axis=2).reshape(len(x), 2 * g.shape[1], 2 * g.shape[2], -1)
    missing = [(0, whole - own) for whole, own in zip(x.shape, back.shape, strict=True)]
    return (jnp.pad(back, missing),)


def _halved_forward(x: Array) -> tuple[Array, tuple[Array, Array]]:
    x = lax.optimization_barrier(x)  # computed once: rounded otherwise elsewhere, none would be the largest
    largest = _halved(x)
    return largest, (x, largest)


_halved.defvjp(_halved_forward, _halved_backward)
