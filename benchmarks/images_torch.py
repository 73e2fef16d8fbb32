"""A network of ours as PyTorch's own modules: the same layers, from PyTorch's own random start."""

import torch
from torch import nn

from threestep.network import Blocks, Conv, Dense, Network, Pool


def module_of(network: Network) -> nn.Module:
    """The same structure."""
    layers: list[nn.Module] = []
    for layer, shape in zip(network.layers, network.shapes, strict=False):
        if isinstance(layer, Conv):
            layers += [*_conv(layer.size, shape[2], layer.width, layer.stride), nn.ReLU(inplace=True)]
        elif isinstance(layer, Pool):
            layers.append(_pool(layer))
        elif isinstance(layer, Blocks):
            for place in range(layer.count):
                layers.append(Block(layer, shape[2] if place == 0 else layer.width))
        elif isinstance(layer, Dense):
            if len(shape) == 3:
                layers.append(nn.Flatten())
            n_inputs = shape[0] * shape[1] * shape[2] if len(shape) == 3 else shape[0]
            layers.append(nn.Linear(n_inputs, layer.width))
            if layer.activation != "linear":
                layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def _conv(size: int, n_in: int, n_out: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, size, stride, (size - 1) // 2, bias=False), nn.BatchNorm2d(n_out)]


def _pool(layer: Pool) -> nn.Module:
    if layer.size == 0:
        return nn.AdaptiveAvgPool2d(1)
    kind = nn.MaxPool2d if layer.kind == "max" else nn.AvgPool2d
    return kind(layer.size, layer.stride, (layer.size - 1) // 2)


class Block(nn.Module):
    """A residual block."""

    def __init__(self, layer: Blocks, n_in: int):
        super().__init__()
        parts = layer.parts(n_in)
        names = [name for name in parts if name != "skip"]
        inner: list[nn.Module] = []
        for name in names:
            inner += [*_conv(*parts[name]), nn.ReLU(inplace=True)]
        self.inner = nn.Sequential(*inner[:-1])
        self.skip = nn.Sequential(*_conv(*parts["skip"])) if "skip" in parts else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The input, or its projection, plus what the convolutions make of it."""
        return torch.relu(self.inner(x) + self.skip(x))
