"""What each kind of layer can do, in one table: a new kind is a new row."""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from threestep.network.layers import Dense, apply_dense, init_dense
from threestep.network.pictures import (
    Blocks,
    Conv,
    Pool,
    Shape,
    apply_blocks,
    apply_conv,
    apply_pool,
    blocks_params,
    blocks_products,
    blocks_shape,
    conv_params,
    conv_products,
    conv_shape,
    init_blocks,
    init_conv,
    pool_shape,
)

Layer = Dense | Conv | Pool | Blocks
"""A layer of a network, as plain data."""


class Kind(NamedTuple):
    """What can be done with a layer that gets inputs of some shape.

    Parameters
    ----------
    shape : (layer, shape) to shape
        Of its output.
    params : (layer, shape) to dict of str to shape
        Names and shapes of its arrays.
    init : (generator, layer, shape) to LayerParams
    apply : (layer, params, x, training) to LayerOutput
    products : (layer, shape) to int
        Multiplications for one sample.
    text : (layer) to str
        For people.
    """

    shape: Callable[[Any, Shape], Shape]
    params: Callable[[Any, Shape], dict[str, Shape]]
    init: Callable[..., Any]
    apply: Callable[..., Any]
    products: Callable[[Any, Shape], int]
    text: Callable[[Any], str]


def _conv_text(layer: Conv) -> str:
    by = f" /{layer.stride}" if layer.stride > 1 else ""
    return f"{layer.width} × {layer.size}×{layer.size}{by} {layer.activation}"


def _pool_text(layer: Pool) -> str:
    return f"{layer.kind} of {'all' if layer.size == 0 else f'{layer.size}×{layer.size}'}"


def _blocks_text(layer: Blocks) -> str:
    by = f" /{layer.stride}" if layer.stride > 1 else ""
    what = "block" if layer.kind == "basic" else layer.kind
    several = (
        f"{layer.count} {'residual' if layer.residual else 'plain'} {what}{'s' if layer.count > 1 else ''}"
    )
    return f"{several} of {layer.width}{by} {layer.activation}"


_DENSE = Kind(
    shape=lambda layer, shape: (layer.width,),
    params=lambda layer, shape: {"weight": (prod(shape), layer.width), "bias": (layer.width,)},
    init=lambda generator, layer, shape: init_dense(generator, prod(shape), layer),
    apply=lambda layer, params, x, training: apply_dense(layer, params, x.reshape(len(x), prod(x.shape[1:]))),
    products=lambda layer, shape: prod(shape) * layer.width,
    text=lambda layer: f"{layer.width} {layer.activation}{' + input' if layer.residual else ''}",
)
_KINDS: dict[type, Kind] = {
    Dense: _DENSE,
    Conv: Kind(conv_shape, conv_params, init_conv, apply_conv, conv_products, _conv_text),
    Pool: Kind(
        pool_shape, lambda layer, shape: {}, lambda *_: {}, apply_pool, lambda layer, shape: 0, _pool_text
    ),
    Blocks: Kind(blocks_shape, blocks_params, init_blocks, apply_blocks, blocks_products, _blocks_text),
}


def kind_of(layer: Layer) -> Kind:
    """What can be done with a layer."""
    return _KINDS[type(layer)]
