"""Who is better: what goes on, what differs enough, what is preferred in the end, the leaderboard."""

import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.goodness import paired_difference, share_interval
from threestep.network import spec_of
from threestep.pick.outcome import Outcome
from threestep.pick.proposals import ANEW, DESIGNED, Tried

_KEPT = 3  # one of so many climbs the next rung
_SPARED = 1.5  # at most so many times that number, where the differences are within their noise
_BEYOND_NOISE = 2.0  # standard errors


def better_ones(tried: Sequence[Tried]) -> list[Tried]:
    """The better third, and those that cannot be told from its last by their paired differences.

    Of networks that see other inputs the best goes on, too: more inputs are learned from faster, but not
    always better in the end.
    """
    ranked = sorted((each for each in tried if each.loss < math.inf), key=lambda each: each.loss)
    n_kept = math.ceil(len(ranked) / _KEPT)
    if n_kept == len(ranked):
        return ranked
    last = ranked[n_kept - 1]
    spared = []
    for each in ranked[n_kept : int(_SPARED * n_kept)]:
        mean, error = paired_difference(each.trained.losses, last.trained.losses)
        if mean < error:
            spared.append(each)
    kept = ranked[:n_kept] + spared
    seen = {_n_inputs(each) for each in kept}
    for each in ranked:
        if _n_inputs(each) not in seen:
            seen.add(_n_inputs(each))
            kept.append(each)
    return kept


def _n_inputs(tried: Tried) -> int:
    return tried.proposal.member.network.n_inputs


def distinct_ones(tried: Sequence[Tried], n: int) -> list[Tried]:
    """The n first that are neither parent and child nor siblings, which say nearly the same; or also
    such, if there are not enough others. What was trained anew inherits nothing and has no family.

    Parameters
    ----------
    tried : sequence of Tried
        Best first; so is what comes out.
    n : int
    """
    chosen: list[Tried] = []
    for each in tried:
        relatives = {number for other in chosen for number in (other.number, _began_from(other))}
        if len(chosen) < n and not {each.number, _began_from(each)} & (relatives - {None}):
            chosen.append(each)
    more = [each for each in tried if all(each is not other for other in chosen)]
    taken = {id(each) for each in (*chosen, *more[: n - len(chosen)])}
    return [each for each in tried if id(each) in taken]


def different_ones(tried: Sequence[Tried], n: int) -> list[Tried]:
    """As `distinct_ones`, but behind the best one the best of those that see other inputs, and the best
    without hidden layers, if they are not clearly worse: few samples may not have told yet what suits them.

    Parameters
    ----------
    tried : sequence of Tried
        Best first.
    n : int
    """
    best = tried[0]
    others = [
        [each for each in tried if _n_inputs(each) != _n_inputs(best)],
        [each for each in tried if not each.trained.member.network.hidden],
    ]
    early = [best, *(own[0] for own in others if own and not _is_worse(own[0], best, _BEYOND_NOISE))]
    early = [each for place, each in enumerate(early) if all(each is not other for other in early[:place])]
    more = [each for each in distinct_ones(tried, n) if all(each is not other for other in early)]
    return [*early, *more][:n]


def _began_from(tried: Tried) -> int | None:
    """Number of the one whose params it began with."""
    return None if tried.proposal.change == ANEW else tried.proposal.parent


def leaderboard(tried: Sequence[Tried]) -> list[dict[str, Any]]:
    """What was tried as plain rows, in the given order.

    Parameters
    ----------
    tried : sequence of Tried
        Best first.

    Returns
    -------
    list of dict
        rank, number, network (as `--network` takes it), n_inputs, n_params, n_products (of one prediction),
        valid_loss, valid_score (accuracy, or minus the mean squared error) with its 95 % interval
        where it is a share, learning_rate, weight_decay, dropout, epochs (in folds those of all
        folds together), seconds, parent, change,
        gain (of validation loss on the parent; None in folds, where other samples were judged),
        on_front (no other is both smaller and better; with finals in folds among those).
    """
    loss_of = {each.number: each.loss for each in tried}
    front = {each.number for each in front_of(tried, lambda each: each.trained.member.network.n_params)}
    return [_row(rank, each, loss_of, each.number in front) for rank, each in enumerate(tried, 1)]


def _row(rank: int, each: Tried, loss_of: dict[int, float], on_front: bool) -> dict[str, Any]:
    member, hits = each.trained.member, each.trained.hits
    score, is_share = float(hits.mean()), set(hits.tolist()) <= {0.0, 1.0}
    low, high = share_interval(score, len(hits)) if is_share else (None, None)
    parent, change = each.proposal.parent, each.proposal.change
    is_folded = change.startswith(ANEW) and change != ANEW
    return {
        "rank": rank,
        "number": each.number,
        "network": spec_of(member.network),
        "n_inputs": member.network.n_inputs,
        "n_params": member.network.n_params,
        "n_products": member.network.n_products,
        "valid_loss": each.loss,
        "valid_score": score,
        "score_low": low,
        "score_high": high,
        "learning_rate": member.learning_rate,
        "weight_decay": member.weight_decay,
        "dropout": member.dropout,
        "epochs": each.epochs,
        "seconds": round(each.seconds, 4),
        "parent": parent,
        "change": change,
        "gain": loss_of[parent] - each.loss if parent in loss_of and not is_folded else None,
        "on_front": on_front,
    }


def front_of(tried: Sequence[Tried], size_of: Callable[[Tried], int]) -> list[Tried]:
    """Those than which no other is both smaller and better. Where some were judged in folds, by more samples
    than the others, only they can be compared."""
    most = max((len(each.trained.losses) for each in tried), default=0)
    front, best = list[Tried](), math.inf
    for each in sorted(tried, key=lambda each: (size_of(each), each.loss)):
        if each.loss < best and len(each.trained.losses) == most:
            front.append(each)
            best = each.loss
    return front


def preferred(tried: Sequence[Tried]) -> list[Tried]:
    """Best first, but those that were trained anew, to the end, before the others, unless the best of all
    is better by more than the noise of their paired difference: that which the luckiest of as many has.

    Parameters
    ----------
    tried : sequence of Tried
        Of the search and of its finals, in any order.
    """
    ranked = sorted(tried, key=lambda each: each.loss)
    anew = filter(is_whole, ranked)
    luck = _luck_of(len(ranked))
    first = list(takewhile(lambda each: not _is_worse(each, ranked[0], luck), anew))
    numbers = {each.number for each in first}
    return [*first, *(each for each in ranked if each.number not in numbers)]


def rule_of(tried: Sequence[Tried]) -> Callable[[NDArray], NDArray]:
    """What `preferred` puts first, once mean losses are others: (n, n_tried) → places, shape (n,).

    Parameters
    ----------
    tried : sequence of Tried
        Judged by the same samples; the noise of paired differences is taken from all of these.
    """
    whole = np.array([place for place, each in enumerate(tried) if is_whole(each)], int)
    losses, luck = [each.trained.losses for each in tried], _luck_of(len(tried))

    def rule(means: NDArray) -> NDArray:
        best = means.argmin(axis=1)
        if len(whole) == 0:
            return best
        anew = whole[means[:, whole].argmin(axis=1)]
        noise = {
            pair: luck * paired_difference(losses[pair[0]], losses[pair[1]])[1]
            for pair in set(zip(anew.tolist(), best.tolist(), strict=True))
        }
        rows = np.arange(len(means))
        allowed = np.array([noise[pair] for pair in zip(anew.tolist(), best.tolist(), strict=True)])
        return np.where(means[rows, anew] - means[rows, best] <= allowed, anew, best)

    return rule


def _luck_of(n: int) -> float:
    """By how many standard errors the luckiest of n is ahead by chance alone."""
    return max(_BEYOND_NOISE, math.sqrt(2 * math.log(max(2, n))))


def is_whole(each: Tried) -> bool:
    """Whether it was trained anew, and not cut short."""
    ended = each.trained.outcome in (Outcome.FINISHED, Outcome.STOPPED_EARLY)
    return ended and each.proposal.change in (ANEW, DESIGNED)


def _is_worse(each: Tried, best: Tried, luck: float) -> bool:
    """Whether it is worse by more than so many standard errors."""
    mean, error = paired_difference(each.trained.losses, best.trained.losses)
    return mean > luck * error
