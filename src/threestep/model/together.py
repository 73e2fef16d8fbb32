"""Networks of one structure, asked at once: of few samples the calls of NumPy take longer than its work."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.network import Network, Params
from threestep.pick import outputs_of


class Alike(NamedTuple):
    """Networks of one structure.

    Parameters
    ----------
    network : Network
    params : Params
        Of one, or of several dense ones, one above the other: each array has one more axis, the first.
    places : list of int
        Theirs among all functions.
    """

    network: Network
    params: Params
    places: list[int]


def alike_ones(functions: Sequence[tuple[Network, Params]]) -> list[Alike]:
    """All functions, those of the same dense network together."""
    found = dict[object, list[int]]()
    for place, (network, _) in enumerate(functions):
        found.setdefault(network if network.is_dense else place, []).append(place)
    return [
        Alike(functions[places[0]][0], _stacked([functions[place][1] for place in places]), places)
        for places in found.values()
    ]


def said_by(all_of_them: Sequence[Alike], inputs: NDArray) -> list[NDArray]:
    """The outputs of each function for the same samples, (n_samples, n_outputs), in their order."""
    said = dict[int, NDArray]()
    for network, params, places in all_of_them:
        x = inputs[:, : network.n_inputs]
        if len(places) == 1:
            said[places[0]] = outputs_of(network, params, x)
        else:
            said |= zip(places, network.predict(params, x), strict=True)
    return [said[place] for place in sorted(said)]


def _stacked(params: Sequence[Params]) -> Params:
    """The params of several, one above the other; a bias is a row, to be added to a product's."""
    if len(params) == 1:
        return params[0]
    return tuple(
        {
            "weight": np.stack([np.asarray(own["weight"]) for own in layers]),
            "bias": np.stack([np.asarray(own["bias"])[np.newaxis] for own in layers]),
        }
        for layers in zip(*params, strict=True)
    )
