"""Step 1: define a set of functions.

A `Network` is such a set: a frozen, hashable record of settings with no arrays in it.
`network.init(key)` gives params, `network.apply(params, x)` is the function they choose.
This room knows no loss and no data file.
"""

from threestep.network.activations import ACTIVATION_NAMES
from threestep.network.layers import Dense, Dropout, LayerOutput
from threestep.network.network import Network, Params
from threestep.network.spec import parse

__all__ = [
    "ACTIVATION_NAMES",
    "Dense",
    "Dropout",
    "LayerOutput",
    "Network",
    "Params",
    "parse",
]
