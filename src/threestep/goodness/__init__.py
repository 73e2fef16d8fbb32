"""Step 2: goodness of a function.

A loss says how bad one output is beside its target: per sample, lower is better, and its sum over
the training samples is the total loss. A score is the number people compare: higher is better.
This room knows no network and no data file.
"""

from threestep.goodness.calibration import import_beside, some_of, temperature_of
from threestep.goodness.comparing import check_metric, metric_score
from threestep.goodness.confidences import sigmoid, softmax
from threestep.goodness.decision import conformal_shifts, threshold_for
from threestep.goodness.goodness import LOSS_NAMES, Goodness
from threestep.goodness.intervals import error_intervals, share_interval
from threestep.goodness.label_errors import likely_label_errors
from threestep.goodness.losses import (
    absolute_error,
    binary_cross_entropy,
    cross_entropy,
    focal,
    huber,
    pinball,
    sigmoid_cross_entropy,
    squared_error,
)
from threestep.goodness.luck import picked_again, worth_looking_at
from threestep.goodness.metrics import (
    calibration_bins,
    class_metrics,
    confusion_matrix,
    label_metrics,
    metrics_by_class,
    number_metrics,
)
from threestep.goodness.paired import paired_difference
from threestep.goodness.resampled import holm, resampled_interval, resampled_probability

__all__ = [
    "LOSS_NAMES",
    "Goodness",
    "absolute_error",
    "binary_cross_entropy",
    "calibration_bins",
    "check_metric",
    "class_metrics",
    "conformal_shifts",
    "confusion_matrix",
    "cross_entropy",
    "error_intervals",
    "focal",
    "holm",
    "huber",
    "import_beside",
    "label_metrics",
    "likely_label_errors",
    "metric_score",
    "metrics_by_class",
    "number_metrics",
    "paired_difference",
    "picked_again",
    "pinball",
    "resampled_interval",
    "resampled_probability",
    "share_interval",
    "sigmoid",
    "sigmoid_cross_entropy",
    "softmax",
    "some_of",
    "squared_error",
    "temperature_of",
    "threshold_for",
    "worth_looking_at",
]
