"""A factor of each input, learned beside the weights that belong to it.

While a network learns, the weights of its first layer are `factor * weight`, and the factors learn, too, at a
rate of their own: an input that says much is soon heard by all neurons, one that says nothing by none. What
is picked has no such params, for the factors are taken into the weights: the set of functions is the same.
One of the tricks of RealMLP (Holzmüller et al. 2024, arXiv:2407.04491).
"""

import numpy as np

from threestep.network import Network, Params
from threestep.settings import Descent

INPUT_SCALE = "input_scale"
"""The name of the factors among the first layer's params while a network learns."""


def scales_inputs(network: Network, settings: Descent) -> bool:
    """Whether a network learns with factors: one of neurons, some of them hidden. Without a hidden layer a
    factor would only be another way to write the weights of one class."""
    return bool(settings.input_scaling) and network.is_dense and len(network.hidden) > 0


def scaled(params: Params) -> Params:
    """A network's params (NumPy) with a factor of 1 of each input."""
    first, *others = params
    return ({**first, INPUT_SCALE: np.ones(len(first["weight"]), np.float32)}, *others)


def folded(params: Params) -> Params:
    """The params of the same function without factors; of many networks at once, too: the weights may have
    more axes in front."""
    first, *others = params
    if INPUT_SCALE not in first:
        return params
    own = {part: array for part, array in first.items() if part != INPUT_SCALE}
    return ({**own, "weight": first[INPUT_SCALE][..., None] * first["weight"]}, *others)
