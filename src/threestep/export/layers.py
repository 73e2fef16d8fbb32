"""A network and its params as nodes of ONNX: what `Network.apply` does. Pictures have their channels first
there."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.export.graph import Graph
from threestep.network import NORM_EPSILON, Blocks, Conv, Dense, Network, Params, Pool, groups_of

_Arrays = Mapping[str, Any]


def add_network(graph: Graph, network: Network, params: Params, inputs: str) -> str:
    """The network's outputs, (n_samples, n_outputs) float32.

    Parameters
    ----------
    graph : Graph
    network : Network
    params : Params
    inputs : str
        The name of its inputs, (n_samples, n_inputs) float32.
    """
    value, shapes = inputs, network.shapes[:-1]
    if network.is_dense:  # the inputs come in a row, whatever their shape
        shapes = [(network.n_inputs,), *shapes[1:]]
    else:
        value = graph.add("Reshape", value, graph.constant([-1, *network.first_shape], np.int64))
        value = graph.add("Transpose", value, perm=[0, 3, 1, 2])
    for layer, own, shape in zip(network.layers, params, shapes, strict=True):
        value = _LAYERS[type(layer)](graph, layer, own, value, shape)
    return value


def _dense(graph: Graph, layer: Dense, params: _Arrays, value: str, shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[:2] == (1, 1):
        value = graph.add("Flatten", value)
    elif len(shape) == 3:
        value = graph.add("Flatten", graph.add("Transpose", value, perm=[0, 2, 3, 1]))
    z = graph.add("Gemm", value, graph.constant(params["weight"]), graph.constant(params["bias"]))
    a = _activated(graph, layer.activation, z)
    return graph.add("Add", a, value) if layer.residual else a


def _conv(graph: Graph, layer: Conv, params: _Arrays, value: str, shape: tuple[int, ...]) -> str:
    return _activated(graph, layer.activation, _normalized(graph, layer.norm, params, value, layer.stride))


def _pool(graph: Graph, layer: Pool, params: _Arrays, value: str, shape: tuple[int, ...]) -> str:
    if layer.size == 0:
        return graph.add("GlobalMaxPool" if layer.kind == "max" else "GlobalAveragePool", value)
    window = {
        "kernel_shape": [layer.size] * 2,
        "strides": [layer.stride] * 2,
        "pads": [(layer.size - 1) // 2] * 4,
    }
    if layer.kind == "max":
        return graph.add("MaxPool", value, **window)
    return graph.add("AveragePool", value, count_include_pad=1, **window)


def _blocks(graph: Graph, layer: Blocks, params: _Arrays, value: str, shape: tuple[int, ...]) -> str:
    for place in range(layer.count):
        own = {name: array[place] if layer.count > 1 else array for name, array in params.items()}
        value = _block(graph, layer, own, value, shape[2])
    return value


def _block(graph: Graph, layer: Blocks, params: _Arrays, value: str, channels: int) -> str:
    parts = layer.parts(channels)

    def part(name: str, h: str) -> str:
        start = f"{name}."
        own = {key.removeprefix(start): each for key, each in params.items() if key.startswith(start)}
        return _normalized(graph, layer.norm, own, h, parts[name][3])

    *before, last = [name for name in parts if name != "skip"]
    h = value
    for name in before:
        h = _activated(graph, layer.activation, part(name, h))
    h = part(last, h)
    if layer.residual:
        h = graph.add("Add", h, part("skip", value) if "skip" in parts else value)
    return _activated(graph, layer.activation, h)


def _normalized(graph: Graph, norm: str, params: _Arrays, value: str, stride: int) -> str:
    """A convolution and what its sums are normalized by; running statistics become part of the kernel."""
    kernel = np.asarray(params["weight"]).transpose(3, 2, 0, 1)
    filters, _, size, _ = kernel.shape
    window = {"kernel_shape": [size] * 2, "strides": [stride] * 2, "pads": [(size - 1) // 2] * 4}
    if norm == "none":
        bias = graph.constant(params["bias"])
        return graph.add("Conv", value, graph.constant(kernel), bias, **window)
    scale, shift = (np.asarray(params[name]) for name in ("scale", "shift"))
    if norm == "batch":
        mean, variance = (np.asarray(params[name], np.float64) for name in ("mean", "variance"))
        factor = scale / np.sqrt(variance + NORM_EPSILON)
        bias = graph.constant(shift - mean * factor)
        return graph.add("Conv", value, graph.constant(kernel * factor[:, None, None, None]), bias, **window)
    sums = graph.add("Conv", value, graph.constant(kernel), **window)
    return _over_groups(graph, sums, 1 if norm == "layer" else groups_of(filters), scale, shift)


def _over_groups(graph: Graph, sums: str, n_groups: int, scale: NDArray, shift: NDArray) -> str:
    """Groups of channels with a mean of 0 and a variance of 1, then scaled: a group is one channel of a
    longer row. Each length is said, for of no pictures none follows from the others."""
    n, count = graph.add("Shape", sums, start=0, end=1), graph.constant([n_groups], np.int64)
    size = graph.add("Div", graph.add("ReduceProd", graph.add("Shape", sums, start=1), keepdims=1), count)
    rows = graph.add("Reshape", sums, graph.joined([n, count, size], axis=0), allowzero=1)
    ones, zeros = graph.constant(np.ones(n_groups)), graph.constant(np.zeros(n_groups))
    same = graph.add("InstanceNormalization", rows, ones, zeros, epsilon=NORM_EPSILON)
    same = graph.add("Reshape", same, graph.add("Shape", sums), allowzero=1)
    scaled = graph.add("Mul", same, graph.constant(scale[:, None, None]))
    return graph.add("Add", scaled, graph.constant(shift[:, None, None]))


_LAYERS: dict[type, Callable[..., str]] = {Dense: _dense, Conv: _conv, Pool: _pool, Blocks: _blocks}

_ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {"alpha": 1.0}),
    "gelu": ("Gelu", {"approximate": "tanh"}),
    "mish": ("Mish", {}),
    "softplus": ("Softplus", {}),
    "selu": ("Selu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "softsign": ("Softsign", {}),
}
"""ONNX's operator of each activation, and its settings."""


def _activated(graph: Graph, activation: str, z: str) -> str:
    if activation == "linear":
        return z
    if activation == "silu":
        return graph.add("Mul", z, graph.add("Sigmoid", z))
    kind, settings = _ACTIVATIONS[activation]
    return graph.add(kind, z, **settings)
