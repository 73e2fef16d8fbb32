"""How good a model is on labelled samples."""

import numpy as np
from numpy.typing import NDArray

from threestep.data import Table, encode_target
from threestep.goodness import class_metrics, confusion_matrix, number_metrics, share_interval
from threestep.model import Model
from threestep.pick import losses_of

Scores = dict[str, int | float]


def score_samples(model: Model, table: Table) -> tuple[Scores, NDArray]:
    """Metrics of a model on labelled samples, and the loss of each.

    Parameters
    ----------
    model : Model
    table : Table
        With its target.

    Returns
    -------
    Scores
        n_samples, loss (mean), total_loss (sum) and accuracy with its 95 % interval; or for a
        number r2, rmse and mae, in the target's own unit.
    ndarray of shape (n_samples,)
        Loss of each sample.
    """
    targets = encode_target(model.prep, table)
    outputs = model.outputs(table)
    losses = losses_of(model.goodness.for_judging, outputs, targets).astype(np.float64)
    scores: Scores = {
        "n_samples": len(losses),
        "loss": float(losses.mean()),
        "total_loss": float(losses.sum()),
    }
    return scores | _metrics(model, outputs, targets), losses


def _metrics(model: Model, outputs: NDArray, targets: NDArray) -> Scores:
    """What people read beside the loss."""
    if not model.is_classifier:
        center, scale = model.prep.target_center, model.prep.target_scale
        predictions, known = outputs[:, 0].astype(np.float64), targets.astype(np.float64)
        return dict(number_metrics(predictions * scale + center, known * scale + center))
    accuracy = class_metrics(outputs, targets)["accuracy"]
    low, high = share_interval(accuracy, len(targets))
    return {"accuracy": accuracy, "accuracy_low": low, "accuracy_high": high}


def confusion(model: Model, table: Table) -> list[list[int]]:
    """How often each class (row) was taken for each (column)."""
    targets = encode_target(model.prep, table)
    predicted = model.outputs(table).argmax(axis=1)
    return confusion_matrix(predicted, targets, len(model.prep.target.classes)).tolist()
