"""The validation score of what a search picked, corrected for being the best of many."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.goodness import picked_again, worth_looking_at
from threestep.pick import Tried, rule_of
from threestep.study.scores import Scores

Event = dict[str, Any]


class Surer(NamedTuple):
    """By what some of those that were tried were compared, if not by their losses as they are.

    Parameters
    ----------
    tried : sequence of Tried
    losses : ndarray of shape (n_tried, n_few)
        Of each the losses of some samples, once it is as sure as it should be.
    rows : ndarray of int, or slice
        Which of all samples these are.
    """

    tried: Sequence[Tried]
    losses: NDArray
    rows: NDArray | slice


def luck_of(tried: Sequence[Tried], picked: Tried, seed: int, surer: Surer | None = None) -> Event | None:
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
    surer : Surer or None
        The picked one and those that it was compared with, then: the least of its losses picks again.
    """
    n_samples = len(picked.trained.losses)
    same = [each for each in tried if len(each.trained.losses) == n_samples and np.isfinite(each.loss)]
    if len(same) < 2 or n_samples < 2:
        return None
    places = [place for place, each in enumerate(surer.tried) if each is picked] if surer else []
    if surer is not None and places and len(surer.tried) > 1:
        losses, rule = surer.losses, None
        hits = np.stack([each.trained.hits[surer.rows] for each in surer.tried])
        own_loss, own_score = losses[places[0]].mean(), hits[places[0]].mean()
    else:
        ranked = sorted(same, key=lambda each: each.loss)[: worth_looking_at(len(same), n_samples)]
        losses, rule = np.stack([each.trained.losses for each in ranked]), rule_of(ranked)
        hits = np.stack([each.trained.hits for each in ranked])
        own_loss, own_score = picked.loss, picked.trained.hits.mean()
    loss, score = picked_again(losses, np.stack([losses, hits]), rule, seed)
    return {
        "event": "luck",
        "n_tried": len(same),
        "loss": float(own_loss),
        "corrected_loss": loss,
        "score": float(own_score),
        "corrected_score": score,
    }


def corrected_scores(scores: Scores, luck: Event, is_same: bool = True) -> Scores:
    """What the validation scores are without the luck of the best of many.

    The luck of the one that was picked first is taken off the scores of all that answer together. Resampling
    is noisy where there is little luck to find: a correction never makes a score better.

    Parameters
    ----------
    scores : Scores
    luck : dict
    is_same : bool
        Whether what was judged by is what people read: not where all of several labels must be right, nor
        where quantiles have an R².

    Returns
    -------
    Scores
        corrected_loss; corrected_accuracy, or for numbers corrected_r2 (1 - R² grows as the squared error).
    """
    corrected: Scores = {"corrected_loss": scores["loss"] + max(0.0, luck["corrected_loss"] - luck["loss"])}
    if not is_same:
        return corrected
    if "accuracy" in scores:
        lost = max(0.0, luck["score"] - luck["corrected_score"])
        corrected["corrected_accuracy"] = max(0.0, scores["accuracy"] - lost)
    elif luck["score"] < 0:
        corrected["corrected_r2"] = 1 - (1 - scores["r2"]) * max(1.0, luck["corrected_score"] / luck["score"])
    return corrected
