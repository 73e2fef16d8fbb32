"""Layers of pictures as plain data, and the arithmetic of each: convolutions, pooling, residual blocks."""

from dataclasses import dataclass
from math import prod

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from threestep.devices import is_cpu
from threestep.network.activations import ACTIVATIONS
from threestep.network.convolution import convolve, pool, side_after
from threestep.network.layers import LayerOutput, LayerParams, Training, path_factors
from threestep.network.normalization import init_norm, norm_shapes, normalize

Shape = tuple[int, ...]
"""(height, width, channels) of a picture, or (width,) of a row of numbers."""

_EXPANSION = 4  # of a bottleneck: how many times as wide as its middle


@dataclass(frozen=True)
class Conv:
    """A convolution: each filter is a weighted sum of the inputs around a place, the same at every place.

    Parameters
    ----------
    width : int
        Filters.
    size : int
        Side of what a filter sees; odd.
    stride : int
        Every how many places it looks.
    activation : str
    norm : {"batch", "group", "layer", "none"}
        How the sums are normalized before the activation; without, there is a bias.
    """

    width: int
    size: int = 3
    stride: int = 1
    activation: str = "relu"
    norm: str = "batch"


@dataclass(frozen=True)
class Pool:
    """The largest or the mean value of each window.

    Parameters
    ----------
    kind : {"max", "mean"}
    size : int
        Side of a window; 0: the whole picture.
    stride : int
    """

    kind: str = "max"
    size: int = 2
    stride: int = 2


@dataclass(frozen=True)
class Blocks:
    """Equal residual blocks one after the other: what a few convolutions make of the input is added to it
    (He et al. 2016, arXiv:1512.03385).

    Parameters
    ----------
    width : int
        Channels of the output.
    kind : {"basic", "bottleneck"}
        Two convolutions of 3 x 3; or 1 x 1 to a quarter of the width, 3 x 3, 1 x 1.
    count : int
        How many; more than one only where the shape stays the same. They are one loop of the program.
    stride : int
        Of the first (basic) or the middle (bottleneck) convolution.
    activation, norm : str
        As of `Conv`.
    residual : bool
        False leaves the addition out: a plain stack, to see what residuals are good for.
    """

    width: int
    kind: str = "basic"
    count: int = 1
    stride: int = 1
    activation: str = "relu"
    norm: str = "batch"
    residual: bool = True

    def parts(self, channels: int) -> dict[str, tuple[int, int, int, int]]:
        """Its convolutions by name: (size, inputs, filters, stride)."""
        if self.kind == "basic":
            parts = {
                "first": (3, channels, self.width, self.stride),
                "second": (3, self.width, self.width, 1),
            }
        else:
            middle = self.width // _EXPANSION
            parts = {
                "first": (1, channels, middle, 1),
                "second": (3, middle, middle, self.stride),
                "third": (1, middle, self.width, 1),
            }
        if self.residual and (channels != self.width or self.stride != 1):
            parts["skip"] = (1, channels, self.width, self.stride)
        return parts


def conv_shape(layer: Conv, shape: Shape) -> Shape:
    return (*(side_after(side, layer.size, layer.stride) for side in shape[:2]), layer.width)


def pool_shape(layer: Pool, shape: Shape) -> Shape:
    if layer.size == 0:
        return (1, 1, shape[2])
    return (*(side_after(side, layer.size, layer.stride) for side in shape[:2]), shape[2])


def blocks_shape(layer: Blocks, shape: Shape) -> Shape:
    return (*(side_after(side, 3, layer.stride) for side in shape[:2]), layer.width)


def conv_params(layer: Conv, shape: Shape) -> dict[str, Shape]:
    """Names and shapes of its arrays."""
    kernel = (layer.size, layer.size, shape[2], layer.width)
    return {"weight": kernel, **norm_shapes(layer.norm, layer.width)}


def blocks_params(layer: Blocks, shape: Shape) -> dict[str, Shape]:
    """Names and shapes of its arrays; of several blocks the first axis is the block."""
    lead = (layer.count,) if layer.count > 1 else ()
    found: dict[str, Shape] = {}
    for name, (size, channels, filters, _) in layer.parts(shape[2]).items():
        found[f"{name}.weight"] = (*lead, size, size, channels, filters)
        for part, own in norm_shapes(layer.norm, filters).items():
            found[f"{name}.{part}"] = (*lead, *own)
    return found


def init_conv(generator: np.random.Generator, layer: Conv, shape: Shape) -> LayerParams:
    """A random start, by the activation's rule."""
    kernel = _kernel(generator, layer.size, shape[2], layer.width, layer.activation)
    return {"weight": kernel, **init_norm(layer.norm, layer.width)}


def init_blocks(generator: np.random.Generator, layer: Blocks, shape: Shape) -> LayerParams:
    """A random start; with normalization each block begins as if it were not there (Goyal et al. 2017,
    arXiv:1706.02677, section 5.1)."""
    each = []
    for _ in range(layer.count):
        own: LayerParams = {}
        parts = layer.parts(shape[2])
        last = [name for name in parts if name != "skip"][-1]
        for name, (size, channels, filters, _) in parts.items():
            own[f"{name}.weight"] = _kernel(generator, size, channels, filters, layer.activation)
            scale = 0.0 if name == last and layer.residual else 1.0
            own |= {f"{name}.{part}": value for part, value in init_norm(layer.norm, filters, scale).items()}
        each.append(own)
    if layer.count == 1:
        return each[0]
    return {name: np.stack([np.asarray(own[name]) for own in each]) for name in each[0]}


def _kernel(
    generator: np.random.Generator, size: int, channels: int, filters: int, activation: str
) -> np.ndarray:
    _, _, gain, by_both_fans = ACTIVATIONS[activation]
    fan = size * size * ((channels + filters) / 2 if by_both_fans else channels)
    kernel = generator.standard_normal((size, size, channels, filters), np.float32)
    return kernel * np.float32((gain / fan) ** 0.5)


def apply_conv(layer: Conv, params: LayerParams, x: Array, training: Training | None) -> LayerOutput:
    """All filters at all places."""
    z = normalize(
        layer.norm, params, convolve(x, jnp.asarray(params["weight"]), layer.stride), _present(training, x)
    )
    return LayerOutput(z, ACTIVATIONS[layer.activation].function(z))


def apply_pool(layer: Pool, params: LayerParams, x: Array, training: Training | None) -> LayerOutput:
    y = pool(x, layer.kind, layer.size, layer.stride)
    return LayerOutput(y, y)


def apply_blocks(layer: Blocks, params: LayerParams, x: Array, training: Training | None) -> LayerOutput:
    """One block after the other."""
    present = _present(training, x)
    factors = path_factors(training, layer.count, len(x)) if layer.residual else None
    if layer.count == 1:
        y = _block(layer, params, x, present, None if factors is None else factors[0])
    else:

        def one(h: Array, own: tuple[dict, Array | None]) -> tuple[Array, None]:
            return _block(layer, own[0], h, present, own[1]), None

        # as a loop compiled in seconds; without, nothing is copied in and out of it, on a GPU, and of two
        y, _ = lax.scan(one, x, (params, factors), unroll=not is_cpu() or layer.count <= 2)
    return LayerOutput(y, y)


def _block(layer: Blocks, params: dict, x: Array, present: Array | None, factor: Array | None) -> Array:
    activate = ACTIVATIONS[layer.activation].function
    parts = layer.parts(x.shape[-1])

    def part(name: str, h: Array) -> Array:
        own = {
            key.removeprefix(f"{name}."): value for key, value in params.items() if key.startswith(f"{name}.")
        }
        return normalize(layer.norm, own, convolve(h, own["weight"], parts[name][3]), present)

    *before, last = [name for name in parts if name != "skip"]
    h = x
    for name in before:
        h = activate(part(name, h))
    h = part(last, h)
    if factor is not None:
        h = h * factor.astype(h.dtype)[:, None, None, None]
    if layer.residual:
        h = h + (part("skip", x) if "skip" in parts else x)
    return activate(h)


def _present(training: Training | None, x: Array) -> Array | None:
    """Which samples of a training batch are there."""
    if training is None:
        return None
    return jnp.ones(len(x), jnp.float32) if training.present is None else training.present


def conv_products(layer: Conv, shape: Shape) -> int:
    """Multiplications for one sample."""
    return prod(conv_shape(layer, shape)) * layer.size**2 * shape[2]


def blocks_products(layer: Blocks, shape: Shape) -> int:
    """Multiplications for one sample."""
    height, width, _ = blocks_shape(layer, shape)
    products = 0
    for name, (size, channels, filters, _) in layer.parts(shape[2]).items():
        is_before = name == "first" and layer.kind == "bottleneck"
        places = shape[0] * shape[1] if is_before else height * width
        products += places * size**2 * channels * filters
    return products * layer.count
