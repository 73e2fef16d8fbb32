"""Weights of ResNets as torchvision publishes them, to our params; no PyTorch is needed to read arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.errors import SpecError
from threestep.network.layers import Dense, LayerParams
from threestep.network.network import Network, Params
from threestep.network.pictures import Blocks, Conv

_NORM = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
_PARTS = {"first": 1, "second": 2, "third": 3}
_NOT_READ = "num_batches_tracked"


def from_torch_state(network: Network, state: Mapping[str, Any]) -> Params:
    """The params of a ResNet from a state dict in torchvision's names.

    Parameters
    ----------
    network : Network
        `resnet18` to `resnet152`, with as many outputs as the state has.
    state : mapping of str to array-like
        `conv1.weight`, `bn1.weight`, `layer1.0.conv1.weight`, ..., `fc.bias`, as `model.state_dict()` gives
        them; arrays or PyTorch's tensors on the CPU.

    Returns
    -------
    Params
        Float32, in our layout: kernels (size, size, channels, filters), weights (n_inputs, width).

    Raises
    ------
    SpecError
        An array is missing, of another shape, or there is one more than the network has.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> network = ts.network.parse("resnet18", (32, 32, 3), 10)
    >>> ts.network.from_torch_state(network, {})
    Traceback (most recent call last):
    ...
    threestep.errors.SpecError: state: has no 'conv1.weight'
    hint: give the state dict of the ResNet that the network is
    """
    left = {name: value for name, value in state.items() if not name.endswith(_NOT_READ)}
    params, stage, place = list[LayerParams](), 0, 0
    for layer, shape, wanted in zip(network.layers, network.shapes, network.param_shapes, strict=False):
        own: LayerParams = {}
        if isinstance(layer, Conv):
            own = _conv(left, "conv1", "bn1")
        elif isinstance(layer, Dense):
            own = {"weight": _taken(left, "fc.weight").T, "bias": _taken(left, "fc.bias")}
        elif isinstance(layer, Blocks):
            if layer.stride != 1 or shape[2] != layer.width or stage == 0:
                stage, place = stage + 1, 0
            blocks = [
                _block(left, layer, shape[2], f"layer{stage}.{place + block}") for block in range(layer.count)
            ]
            place += layer.count
            own = blocks[0] if layer.count == 1 else {
                name: np.stack([block[name] for block in blocks]) for name in blocks[0]
            }  # fmt: skip
        _check(own, wanted, str(network))
        params.append({name: np.ascontiguousarray(own[name], np.float32) for name in wanted})
    if left:
        raise _wrong(f"has {len(left)} more than the network: {', '.join(sorted(left)[:3])}")
    return tuple(params)


def _block(left: dict[str, Any], layer: Blocks, channels: int, name: str) -> LayerParams:
    found: LayerParams = {}
    for part in layer.parts(channels):
        number = _PARTS.get(part)
        names = (f"{name}.downsample.0", f"{name}.downsample.1")
        if number is not None:
            names = (f"{name}.conv{number}", f"{name}.bn{number}")
        found |= {f"{part}.{key}": value for key, value in _conv(left, *names).items()}
    return found


def _conv(left: dict[str, Any], conv: str, norm: str) -> LayerParams:
    kernel = _taken(left, f"{conv}.weight")
    if kernel.ndim != 4:
        raise _wrong(f"{conv}.weight has {kernel.ndim} axes, expected 4")
    own: LayerParams = {"weight": kernel.transpose(2, 3, 1, 0)}
    return own | {ours: _taken(left, f"{norm}.{theirs}") for ours, theirs in _NORM.items()}


def _taken(left: dict[str, Any], name: str) -> NDArray:
    if name not in left:
        raise _wrong(f"has no {name!r}")
    return np.asarray(left.pop(name))


def _check(own: LayerParams, wanted: dict[str, tuple[int, ...]], network: str) -> None:
    for name, shape in wanted.items():
        if name not in own:
            raise SpecError(f"state: the network {network[:60]} has no such arrays", "expected a ResNet")
        if own[name].shape != shape:
            raise _wrong(f"gives {name} of shape {own[name].shape}, the network has {shape}")


def _wrong(what: str) -> SpecError:
    return SpecError(f"state: {what}", "give the state dict of the ResNet that the network is")
