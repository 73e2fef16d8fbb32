"""The finals of a search: its best networks once more, each from a new start.

Children that inherit go on from params that were kept for their validation loss, again and again, and
so inherit the luck of it, too. They also generalize worse than networks that learned everything afresh
(Ash & Adams 2020, arXiv:1910.08475). The finals therefore train the best structures anew, in one whole
descent, and one of these is picked unless another is better by more than noise. Over 22 searches of small
tables the test loss was 10 % lower by that.
"""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import cycle
from threading import Event
from typing import Any

import numpy as np

from threestep.goodness import paired_difference
from threestep.pick.population import Job, Population, Trained
from threestep.pick.rungs import distinct_ones
from threestep.pick.searchers import Proposal, Tried

ANEW = "trained anew"
_MOST_DISTINCT = 8
_BEYOND_NOISE = 2.0  # standard errors


def finals(
    population: Population, tried: Sequence[Tried], n_finals: int, epochs: int, stop: Event | None = None
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Train the best anew, some of them several times.

    Parameters
    ----------
    population : Population
    tried : sequence of Tried
        Best first; at least one.
    n_finals : int
        How many descents; at least one.
    epochs : int
        Of each.
    stop : Event or None

    Yields
    ------
    dict
        "tick": descents done, of how many; "final": one line of the journal.

    Returns
    -------
    list of Tried
        Those that ended with a finite loss, best first.
    """
    first = 1 + max(each.number for each in tried)
    distinct = distinct_ones(tried, min(n_finals, _MOST_DISTINCT))
    proposals = [_anew(each, first + place) for place, each in zip(range(n_finals), cycle(distinct))]
    jobs = [Job(proposal.member, epochs) for proposal in proposals]
    began, costs = time.perf_counter(), list(map(population.core_seconds, jobs))
    trained = yield from _ticking(population, jobs, stop, tried[0].loss)
    second = (time.perf_counter() - began) / sum(costs)
    ended = [
        Tried(number, proposal, each, len(each.history), cost * second)
        for number, (proposal, each, cost) in enumerate(zip(proposals, trained, costs, strict=True), first)
        if each is not None and each.is_sound
    ]
    ended.sort(key=lambda each: each.loss)
    yield _final_event(ended, len(jobs), epochs)
    return ended


def _ticking(
    population: Population, jobs: Sequence[Job], stop: Event | None, best_loss: float
) -> Generator[dict[str, Any], None, list[Trained | None]]:
    """Train, and tell now and then how many are done."""
    steps = population.train(jobs, stop)
    facts = {"event": "tick", "round": None, "epochs": jobs[0].epochs, "n": len(jobs), "best_loss": best_loss}
    while True:
        try:
            n_done = next(steps)
        except StopIteration as end:
            return end.value
        left = max(0.0, population.deadline - time.perf_counter())
        yield {**facts, "n_done": n_done, "seconds_left": left if math.isfinite(left) else None}


def preferred(tried: Sequence[Tried]) -> list[Tried]:
    """Best first, those that were trained anew before the others, unless one of these is better by more
    than the noise of their paired difference.

    Parameters
    ----------
    tried : sequence of Tried
        Of the search and of its finals, in any order.
    """
    ranked = sorted(tried, key=lambda each: each.loss)
    anew = [each for each in ranked if each.proposal.change == ANEW]
    if not anew:
        return ranked
    mean, error = paired_difference(anew[0].trained.losses, ranked[0].trained.losses)
    if mean > _BEYOND_NOISE * error:
        return ranked
    return [*anew, *(each for each in ranked if each.proposal.change != ANEW)]


def _anew(parent: Tried, number: int) -> Proposal:
    """The parent's network and rates with another start, which follows from its seed."""
    member = parent.trained.member
    seed = int(np.random.default_rng([member.seed, number]).integers(2**31))
    return Proposal(replace(member, seed=seed), None, parent.number, ANEW)


def _final_event(ended: Sequence[Tried], n_finals: int, epochs: int) -> dict[str, Any]:
    """One line of the journal."""
    return {
        "event": "final",
        "n_trained": n_finals,
        "n_alive": len(ended),
        "epochs": epochs,
        "best_number": ended[0].number if ended else None,
        "best_loss": ended[0].loss if ended else None,
    }
