"""Convolution and pooling of pictures, (n_samples, height, width, channels), with gradients that are fast on
a CPU, too.

XLA's own gradient of a convolution is 10 to 100 times slower there than it need be once it stands in a loop.
So on a CPU the gradient of the inputs is a convolution again, and that of the kernel a product of patches
with what comes back, a few samples at a time, so that the patches stay in the cache. Padding is even on
both sides, (size - 1) // 2, as PyTorch's is.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from threestep.devices import is_cpu

_AXES = ("NHWC", "HWIO", "NHWC")
_PATCH_BYTES = 5 << 20  # of patches at once: what stays in the cache
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
        return x[:, ::stride, ::stride] @ kernel[0, 0]
    if size * size * channels <= _FEW:
        return _patches(x, size, stride) @ kernel.reshape(-1, filters)
    return _convolve(x, kernel, stride) if is_cpu() else _native(x, kernel, stride)


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
    """Gradient of the kernel: patches times what came back, a few samples at a time."""
    size, _, channels, filters = shape
    per_sample = g.shape[1] * g.shape[2] * size * size * channels * x.dtype.itemsize
    most = max(1, _PATCH_BYTES // per_sample)
    n_together = max(n for n in range(1, len(x) + 1) if len(x) % n == 0 and n <= most)

    def one(x: Array, g: Array) -> Array:
        patches = _patches(x, size, stride)
        return g.reshape(-1, filters).T @ patches.reshape(-1, patches.shape[-1])

    if n_together == len(x):
        return one(x, g).T.reshape(shape)
    parts = [array.reshape(-1, n_together, *array.shape[1:]) for array in (x, g)]
    none = jnp.zeros((filters, size * size * channels), x.dtype)
    total, _ = lax.scan(lambda total, part: (total + one(*part), None), none, parts)
    return total.T.reshape(shape)


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
    windows = _windows(x)
    return windows.max(axis=(2, 4))


def _windows(x: Array) -> Array:
    """(n_samples, height', 2, width', 2, channels)."""
    n, height, width, channels = x.shape
    even = x[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(n, height // 2, 2, width // 2, 2, channels)


def _halved_backward(x: Array, g: Array) -> tuple[Array]:
    """By comparing, which is one pass; the gradient that JAX derives takes four times as long on a CPU."""
    windows = _windows(x)
    is_largest = (windows == windows.max(axis=(2, 4), keepdims=True)).astype(x.dtype)
    n_largest = jnp.maximum(is_largest.sum(axis=(2, 4), keepdims=True), 1)  # none where rounding differed
    shares = is_largest / n_largest
    back = (shares * g[:, :, None, :, None]).reshape(len(x), 2 * g.shape[1], 2 * g.shape[2], -1)
    missing = [(0, whole - own) for whole, own in zip(x.shape, back.shape, strict=True)]
    return (jnp.pad(back, missing),)


_halved.defvjp(lambda x: (_halved(x), x), _halved_backward)
