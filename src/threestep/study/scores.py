"""How good a model is on labelled samples."""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Prep, Table, encode_target
from threestep.goodness import (
    Goodness,
    class_metrics,
    error_intervals,
    label_metrics,
    number_metrics,
    share_interval,
)
from threestep.model import Model
from threestep.pick import losses_of

Scores = dict[str, int | float]


def rows_in_unit(rows: list[dict[str, Any]], prep: Prep, goodness: Goodness) -> list[dict[str, Any]]:
    """Rows of a leaderboard; those of one number with its typical error in its own unit, `valid_rmse`."""
    scale = prep.target_scale
    if prep.target.kind != "number" or goodness.quantiles or not isinstance(scale, float):
        return rows
    return [row | {"valid_rmse": float(np.sqrt(max(0.0, -row["valid_score"]))) * scale} for row in rows]


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
        n_samples, loss (mean), total_loss (sum); for classes those of `class_metrics`, for labels those
        of `label_metrics`, the accuracy with its 95 % interval; for numbers r2, rmse and mae, in the target's
        own unit, the first two with theirs where it is known; for quantiles also coverage, with its
        interval, coverage_wanted and interval_width.
    ndarray of shape (n_samples,)
        Loss of each sample.
    """
    return score_outputs(model, model.outputs(table), encode_target(model.prep, table))


def score_outputs(model: Model, outputs: NDArray, targets: NDArray) -> tuple[Scores, NDArray]:
    """As `score_samples`, of corrected outputs and encoded targets."""
    losses = losses_of(model.goodness.for_judging, outputs, targets).astype(np.float64)
    scores: Scores = {
        "n_samples": len(losses),
        "loss": float(losses.mean()),
        "total_loss": float(losses.sum()),
    }
    return scores | _metrics(model, outputs, targets), losses


def _metrics(model: Model, outputs: NDArray, targets: NDArray) -> Scores:
    """What people read beside the loss."""
    answers = model.answers(outputs)
    if model.prep.target.kind == "number":
        known = model.answers(targets.reshape(len(targets), -1))
        middle = _middle(model, answers)
        intervals = error_intervals(middle, known)._asdict().items()
        ends = {key: end for key, end in intervals if isfinite(end)}
        return {**number_metrics(middle, known), **ends, **_coverage(model, answers, known)}
    if model.prep.target.kind == "labels":
        metrics = label_metrics(answers, targets)
    else:
        metrics = class_metrics(answers, targets, model.class_indices(outputs))
    low, high = share_interval(metrics["accuracy"], len(targets))
    return {"accuracy": metrics.pop("accuracy"), "accuracy_low": low, "accuracy_high": high, **metrics}


def _coverage(model: Model, answers: NDArray, known: NDArray) -> Scores:
    """Of two quantiles or more: the share of the targets between the lowest and the highest, which should be
    the distance between these, and how far they are apart, in the target's own unit."""
    quantiles = model.goodness.quantiles
    if len(quantiles) < 2:
        return {}
    low, high = answers[:, int(np.argmin(quantiles))], answers[:, int(np.argmax(quantiles))]
    share = float(((low <= known[:, 0]) & (known[:, 0] <= high)).mean())
    least, most = share_interval(share, len(known))
    wanted = {"coverage_wanted": max(quantiles) - min(quantiles)}
    width = {"interval_width": float((high - low).mean())}
    return {"coverage": share, "coverage_low": least, "coverage_high": most, **wanted, **width}


def _middle(model: Model, answers: NDArray) -> NDArray:
    """Of quantiles the one nearest to the median."""
    quantiles = model.goodness.quantiles
    if not quantiles:
        return answers
    return answers[:, int(np.abs(np.array(quantiles) - 0.5).argmin())]
