"""Step 1: define a set of functions.

A `Network` is such a set: a frozen, hashable record of settings with no arrays in it.
`network.init(seed)` gives params, `network.apply(params, x)` is the function they choose.
This room knows no loss and no data file.
"""

from threestep.network.activations import ACTIVATION_NAMES, ACTIVATIONS
from threestep.network.inherit import deepen, narrow, remove, widen
from threestep.network.kinds import Layer
from threestep.network.layers import Dense, LayerOutput, Training
from threestep.network.network import Network, Params
from threestep.network.normalization import NORM_EPSILON, NORMS, RUNNING, groups_of
from threestep.network.picture_variation import random_pictures_network
from threestep.network.pictures import Blocks, Conv, Pool
from threestep.network.spec import parse, resnet_meant_by, spec_of
from threestep.network.supernet import (
    Form,
    Supernet,
    form_of,
    no_form,
    pad,
    padded_inputs,
    padded_size,
    supernet_of,
    unpad,
    zero_params,
)
from threestep.network.torch_state import from_torch_state
from threestep.network.variation import check_space, full_widths, random_network, usual_widths, vary

__all__ = [
    "ACTIVATIONS",
    "ACTIVATION_NAMES",
    "NORMS",
    "NORM_EPSILON",
    "RUNNING",
    "Blocks",
    "Conv",
    "Dense",
    "Form",
    "Layer",
    "LayerOutput",
    "Network",
    "Params",
    "Pool",
    "Supernet",
    "Training",
    "check_space",
    "deepen",
    "form_of",
    "from_torch_state",
    "full_widths",
    "groups_of",
    "narrow",
    "no_form",
    "pad",
    "padded_inputs",
    "padded_size",
    "parse",
    "random_network",
    "random_pictures_network",
    "remove",
    "resnet_meant_by",
    "spec_of",
    "supernet_of",
    "unpad",
    "usual_widths",
    "vary",
    "widen",
    "zero_params",
]
