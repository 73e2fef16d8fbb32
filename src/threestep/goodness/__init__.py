"""Step 2: goodness of a function.

A loss says how bad one output is beside its target: per sample, lower is better, and its sum over
the training samples is the total loss. A score is the number people compare: higher is better.
This room knows no network and no data file.
"""

from threestep.goodness.goodness import LOSS_NAMES, Goodness
from threestep.goodness.intervals import share_interval
from threestep.goodness.losses import binary_cross_entropy, cross_entropy, squared_error
from threestep.goodness.metrics import class_metrics, confusion_matrix, number_metrics
from threestep.goodness.paired import paired_difference

__all__ = [
    "LOSS_NAMES",
    "Goodness",
    "binary_cross_entropy",
    "class_metrics",
    "confusion_matrix",
    "cross_entropy",
    "number_metrics",
    "paired_difference",
    "share_interval",
    "squared_error",
]
