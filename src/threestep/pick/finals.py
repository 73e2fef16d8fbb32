"""The finals of a search: its best networks once more, each from a new start.

Children that inherit go on from params that were kept for their validation loss, again and again, and
so inherit the luck of it, too. They also generalize worse than networks that learned everything afresh
(Ash & Adams 2020, arXiv:1910.08475). The finals therefore train the best structures anew, in one whole
descent, and one of these is picked unless another is better by more than noise. Over 22 default searches of
four small tables the best of 12 such descents had a test loss 9 % lower than the best of the search.
"""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, cycle, islice
from threading import Event
from typing import Any

import numpy as np

from threestep.pick.population import Job, Member, Population, Trained
from threestep.pick.ranking import distinct_ones
from threestep.pick.searchers import ANEW, Proposal, Tried

_MOST_DISTINCT = 8
_FEWEST = 2
_SLACK = 1.1  # how much longer than at the fastest pace so far they may take
_TOO_SHORT = 0.2  # seconds in which nothing is worth beginning


@dataclass(frozen=True)
class Finals:
    """How many descents are begun anew in the end.

    Parameters
    ----------
    n : int
        At most; with a deadline as many as fit into their part of the time, and more if there is time left.
    epochs : int
        Of each.
    fraction : float
        Of all the time until the deadline, at most.
    """

    n: int = 0
    epochs: int = 1
    fraction: float = 0.3


NO_FINALS = Finals()


def kept_for_finals(population: Population, tried: Sequence[Tried], plan: Finals, seconds: float) -> float:
    """How many of so many seconds until the deadline the finals need, at the pace of the search so far.

    Parameters
    ----------
    population : Population
    tried : sequence of Tried
        Best first.
    plan : Finals
    seconds : float
        All there are, for search and finals; infinite without a deadline.

    Returns
    -------
    float
        0 if not even two fit.
    """
    if plan.n == 0 or not tried or math.isinf(seconds):
        return 0.0
    needed = [each for each in _needed(population, tried, plan, plan.n) if each <= plan.fraction * seconds]
    return needed[-1] if len(needed) >= _FEWEST else 0.0


def hold_finals(
    population: Population, tried: Sequence[Tried], plan: Finals, first: int, stop: Event
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Train the best anew, some of them several times; until the deadline, if there is one.

    Parameters
    ----------
    population : Population
    tried : sequence of Tried
        Best first; at least one.
    plan : Finals
    first : int
        Number of the first of them.
    stop : Event

    Yields
    ------
    dict
        "tick": descents done, of how many; "final": one line of the journal.

    Returns
    -------
    list of Tried
        Those that ended with a finite loss, best first.
    """
    began, won, n_begun = time.perf_counter(), list[Tried](), 0
    while not stop.is_set() and (n := _how_many(population, tried, plan, n_begun)) > 0:
        proposals = list(islice(_proposals(tried), n_begun, n_begun + n))
        won += yield from _trained_anew(
            population, proposals, first + n_begun, (plan.epochs, tried[0].loss, stop)
        )
        n_begun += n
    won.sort(key=lambda each: each.loss)
    yield {
        "event": "final",
        "n_trained": n_begun,
        "n_alive": len(won),
        "epochs": plan.epochs,
        "best_number": won[0].number if won else None,
        "best_loss": won[0].loss if won else None,
        "seconds": round(time.perf_counter() - began, 3),
    }
    return won


def _how_many(population: Population, tried: Sequence[Tried], plan: Finals, n_begun: int) -> int:
    """How many to begin now: all at first; then, if a deadline leaves time, as many as fit, or one that
    will be cut short."""
    if math.isinf(population.deadline):
        return plan.n if n_begun == 0 else 0
    left = population.deadline - time.perf_counter()
    if left < _TOO_SHORT:
        return 0
    return max(1, sum(each <= left for each in _needed(population, tried, plan, plan.n)))


def _needed(population: Population, tried: Sequence[Tried], plan: Finals, n: int) -> list[float]:
    """How many seconds 1, 2, ... n finals take."""
    members = (proposal.member for proposal in islice(_proposals(tried), n))
    costs = [population.core_seconds(Job(member, plan.epochs)) for member in members]
    return [_SLACK * population.pace * each for each in accumulate(costs)]


def _proposals(tried: Sequence[Tried]) -> Generator[Proposal]:
    """The best, different ones, in turn, with ever other starts."""
    for number, each in enumerate(cycle(distinct_ones(tried, _MOST_DISTINCT))):
        yield Proposal(_restarted(each.trained.member, number), None, each.number, ANEW)


def _restarted(member: Member, number: int) -> Member:
    """The member with another start, which follows from its seed and that number."""
    return replace(member, seed=int(np.random.default_rng([member.seed, number]).integers(2**31)))


def _trained_anew(
    population: Population, proposals: Sequence[Proposal], first: int, context: tuple[int, float, Event]
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Those that ended with a finite loss; `context`: epochs, best loss so far, what stops it."""
    epochs, best_loss, stop = context
    jobs = [Job(proposal.member, epochs) for proposal in proposals]
    began, costs = time.perf_counter(), list(map(population.core_seconds, jobs))
    trained = yield from _ticking(population, jobs, stop, best_loss)
    second = (time.perf_counter() - began) / sum(costs)
    return [
        Tried(number, proposal, each, len(each.history), cost * second)
        for number, (proposal, each, cost) in enumerate(zip(proposals, trained, costs, strict=True), first)
        if each is not None and each.is_sound
    ]


def _ticking(
    population: Population, jobs: Sequence[Job], stop: Event, best_loss: float
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
