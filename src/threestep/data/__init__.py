"""Files, frames and arrays in; arrays a network can learn from out.

`read` makes a `Table` of whatever the user names, `label` finds the target, `split` divides the
samples, `fit_prep` learns from the training samples only, and the `Prep` turns any table of the
same columns into arrays. Nothing here knows a network.
"""

from threestep.data.builtin import BUILTIN_NAMES
from threestep.data.prep import Layout, Prep, Target, encode, encode_target, fit_prep
from threestep.data.reading import label, read
from threestep.data.splitting import Split, split
from threestep.data.table import Table
from threestep.data.target import understand_target

__all__ = [
    "BUILTIN_NAMES",
    "Layout",
    "Prep",
    "Split",
    "Table",
    "Target",
    "encode",
    "encode_target",
    "fit_prep",
    "label",
    "read",
    "split",
    "understand_target",
]
