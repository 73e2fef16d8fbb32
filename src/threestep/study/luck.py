"""The validation score of what a search picked, corrected for being the best of many."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from threestep.goodness import picked_again, worth_looking_at
from threestep.pick import Tried, rule_of
from threestep.study.scores import Scores

Event = dict[str, Any]


def luck_of(tried: Sequence[Tried], picked: Tried, seed: int) -> Event | None:
    """One line of the journal: the picked network's mean validation loss and score, and what they are once
    some samples pick and others judge; None if there was no choice.

    Parameters
    ----------
    tried : sequence of Tried
        Judged by the same samples.
    picked : Tried
        One of them.
    seed : int
        Of the resamplings.
    """
    n_samples = len(picked.trained.losses)
    same = [each for each in tried if len(each.trained.losses) == n_samples and np.isfinite(each.loss)]
    ranked = sorted(same, key=lambda each: each.loss)[: worth_looking_at(len(same), n_samples)]
    if len(ranked) < 2 or n_samples < 2:
        return None
    losses = np.stack([each.trained.losses for each in ranked])
    hits = np.stack([each.trained.hits for each in ranked])
    loss, score = picked_again(losses, np.stack([losses, hits]), rule_of(ranked), seed)
    return {
        "event": "luck",
        "n_tried": len(same),
        "loss": picked.loss,
        "corrected_loss": loss,
        "score": float(picked.trained.hits.mean()),
        "corrected_score": score,
    }


def corrected_scores(scores: Scores, luck: Event) -> Scores:
    """What the validation scores are without the luck of the best of many.

    The luck of the one that was picked first is taken off the scores of all that answer together. Resampling
    is noisy where there is little luck to find: a correction never makes a score better.

    Returns
    -------
    Scores
        corrected_loss; corrected_accuracy, or for numbers corrected_r2 (1 - R² grows as the squared error).
    """
    corrected: Scores = {"corrected_loss": scores["loss"] + max(0.0, luck["corrected_loss"] - luck["loss"])}
    if "accuracy" in scores:
        lost = max(0.0, luck["score"] - luck["corrected_score"])
        corrected["corrected_accuracy"] = max(0.0, scores["accuracy"] - lost)
    elif luck["score"] < 0:
        corrected["corrected_r2"] = 1 - (1 - scores["r2"]) * max(1.0, luck["corrected_score"] / luck["score"])
    return corrected
