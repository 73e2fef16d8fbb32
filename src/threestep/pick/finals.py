"""The finals of a search: its best networks once more, each from a new start.

Children that inherit go on from params that were kept for their validation loss, again and again, and
so inherit the luck of it, too. They also generalize worse than networks that learned everything afresh
(Ash & Adams 2020, arXiv:1910.08475). The finals therefore train the best structures anew, in one whole
descent, and one of these is picked unless another is better by more than noise. Over 22 default searches of
four small tables the best of 12 such descents had a test loss 9 % lower than the best of the search. Where
a deadline leaves less time than half a descent takes, some of the best go on from their params instead.
"""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, cycle, islice
from threading import Event
from typing import Any, TypeVar

import numpy as np

from threestep.pick.members import Job, Member
from threestep.pick.population import Population
from threestep.pick.proposals import ANEW, LONGER, Proposal, Tried
from threestep.pick.ranking import different_ones, preferred

_MOST_DISTINCT = 8
_SLACK = 1.1  # how much longer than at the fastest pace so far they may take
_WORTH_ANEW = 1 / 2  # of their epochs: what begins anew with fewer is no match for what it began from
_Result = TypeVar("_Result")
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
    n_folds : int
        How often each is trained: once, or in so many folds; see `threestep.pick.folds`.
    """

    n: int = 0
    epochs: int = 1
    fraction: float = 0.3
    n_folds: int = 1

    @property
    def fewest(self) -> int:
        """That are worth beginning: where there is nothing to average, one alone has nothing to beat."""
        return 1 if self.n_folds > 1 else 2


NO_FINALS = Finals()


def kept_for_finals(population: Population, tried: Sequence[Tried], plan: Finals, seconds: float) -> float:
    """How many of so many seconds until the deadline the finals get: what they need, at the pace of the
    search so far; in folds their whole part, for there more structures are better known than by more search.

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
    if len(needed) < plan.fewest:
        return 0.0
    return plan.fraction * seconds if plan.n_folds > 1 else needed[-1]


def hold_finals(
    population: Population, tried: Sequence[Tried], plan: Finals, stop: Event, first: int | None = None
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Train the best anew, some of them several times; until the deadline, if there is one. Where half of a
    descent does not fit before it, some of the best go on from their params.

    Parameters
    ----------
    population : Population
    tried : sequence of Tried
        Best first; at least one.
    plan : Finals
    stop : Event
    first : int or None
        The number of the first of them; None: that behind all of `tried`.

    Yields
    ------
    dict
        "tick": descents done, of how many; "final": one line of the journal.

    Returns
    -------
    list of Tried
        Those that ended with a finite loss, best first.
    """
    began, won, asked, n_trained = time.perf_counter(), list[Tried](), list[Proposal](), 0
    first = 1 + max(each.number for each in tried) if first is None else first
    while not stop.is_set() and (n := how_many(population, tried, plan, len(asked))) > 0:
        proposals, epochs = _next(population, tried, won, plan, (asked, n))
        if not proposals:
            break  # nobody is left to go on
        context = epochs, tried[0].loss, stop
        n_new, new = yield from _trained(population, proposals, first + len(asked), context)
        if n_new == 0:
            break  # no call fits any more
        asked, won, n_trained = [*asked, *proposals], [*won, *new], n_trained + n_new
    won.sort(key=lambda each: each.loss)
    anew = [each for each in won if each.proposal.change == ANEW] or won
    longest = max((len(each.trained.history) for each in anew), default=plan.epochs)
    yield final_event(plan, longest, (n_trained, len(won)), won, began)
    return won


def final_event(
    plan: Finals, epochs: int, counts: tuple[int, int], won: Sequence[Tried], began: float
) -> dict[str, Any]:
    """One line of the journal; `counts`: of those begun, and those that ended well, which are in `won`, best
    first. The epochs are those of the longest that began anew: before a deadline there may be fewer than
    planned."""
    return {
        "event": "final",
        "n_planned": plan.n,
        "n_trained": counts[0],
        "n_alive": counts[1],
        "n_folds": plan.n_folds,
        "epochs": epochs,
        "n_longer": sum(each.proposal.change == LONGER for each in won),
        "best_number": won[0].number if won else None,
        "best_loss": won[0].loss if won else None,
        "seconds": round(time.perf_counter() - began, 3),
    }


def how_many(population: Population, tried: Sequence[Tried], plan: Finals, n_begun: int) -> int:
    """How many to train now: all at first; then, if a deadline leaves time, as many as fit; 1 where
    none does, for what has fewer epochs."""
    if math.isinf(population.deadline):
        return plan.n if n_begun == 0 else 0
    left = population.deadline - time.perf_counter()
    if left < _TOO_SHORT:
        return 0
    return max(1, sum(each <= left for each in _needed(population, tried, plan, plan.n)))


def _next(
    population: Population,
    tried: Sequence[Tried],
    won: Sequence[Tried],
    plan: Finals,
    before: tuple[Sequence[Proposal], int],
) -> tuple[list[Proposal], int]:
    """What is trained next, and for how many epochs. `before`: what was proposed, and how many whole descents
    fit; if none does, as many shorter ones begin as are trained at a time."""
    asked, n_fitting = before
    anew = begun_anew(tried, len(asked), n_fitting)
    if _epochs_of(population, anew, plan) == plan.epochs:
        return anew, plan.epochs
    anew = begun_anew(tried, len(asked), population.n_workers)
    epochs = _epochs_of(population, anew, plan)
    if epochs >= _WORTH_ANEW * plan.epochs:
        return anew, epochs
    longer = _going_on([*won, *tried], asked)[: population.n_workers]
    return longer, _epochs_of(population, longer, plan)


def _epochs_of(population: Population, proposals: Sequence[Proposal], plan: Finals) -> int:
    """Of each; fewer if they do not fit, so that their learning rates have come down in the end."""
    left = population.deadline - time.perf_counter()
    needed = _seconds_of(population, [proposal.member for proposal in proposals], plan)
    if not needed or needed[-1] <= left:
        return plan.epochs
    return max(1, int(plan.epochs * left / needed[-1]))


def _needed(population: Population, tried: Sequence[Tried], plan: Finals, n: int) -> list[float]:
    """How many seconds 1, 2, ... n finals take."""
    return _seconds_of(population, [proposal.member for proposal in begun_anew(tried, 0, n)], plan)


def _seconds_of(population: Population, members: Sequence[Member], plan: Finals) -> list[float]:
    """How many seconds the first of them, the first two, ... all take: no less than each takes alone."""
    jobs = [Job(member, plan.epochs) for member in members]
    together = accumulate(map(population.pace.seconds, jobs))
    longest = accumulate(map(population.pace.seconds_alone, jobs), max)
    return [_SLACK * plan.n_folds * max(pair) for pair in zip(together, longest, strict=True)]


def anew_ones(tried: Sequence[Tried]) -> list[Member]:
    """Those that finals may begin with, each once."""
    return [each.trained.member for each in different_ones(tried, _MOST_DISTINCT)]


def begun_anew(tried: Sequence[Tried], first: int, n: int) -> list[Proposal]:
    """Finals number `first` and the next: the best, different ones, in turn, with ever other starts."""
    return list(islice(_proposals(tried), first, first + n))


def _proposals(tried: Sequence[Tried]) -> Generator[Proposal]:
    """All finals there might be."""
    for number, each in enumerate(cycle(different_ones(tried, _MOST_DISTINCT))):
        yield Proposal(_restarted(each.trained.member, number), None, each.number, ANEW)


def _restarted(member: Member, number: int) -> Member:
    """The member with another start, which follows from its seed and that number."""
    return replace(member, seed=int(np.random.default_rng([member.seed, number]).integers(2**31)))


def _going_on(tried: Sequence[Tried], asked: Sequence[Proposal]) -> list[Proposal]:
    """Those that may go on from their params, each once, the preferred ones first."""
    gone = {each.parent for each in asked if each.change == LONGER}
    able = [each for each in preferred(tried) if each.proposal.change != LONGER and each.trained.params]
    return [
        Proposal(each.trained.member, each.trained.params, each.number, LONGER)
        for each in able
        if each.number not in gone
    ]


def _trained(
    population: Population, proposals: Sequence[Proposal], first: int, context: tuple[int, float, Event]
) -> Generator[dict[str, Any], None, tuple[int, list[Tried]]]:
    """How many were begun, and those that ended with a finite loss; `context`: epochs, best loss so far, what
    stops it."""
    epochs, best_loss, stop = context
    jobs = [Job(proposal.member, epochs, proposal.params) for proposal in proposals]
    began, costs = time.perf_counter(), list(map(population.pace.core_seconds, jobs))
    steps = population.train(jobs, stop)
    trained = yield from ticking(steps, population.deadline, (len(jobs), epochs, best_loss))
    second = (time.perf_counter() - began) / sum(costs)
    sound = [
        Tried(number, proposal, each, len(each.history), cost * second)
        for number, (proposal, each, cost) in enumerate(zip(proposals, trained, costs, strict=True), first)
        if each is not None and each.is_sound
    ]
    return sum(each is not None for each in trained), sound


def ticking(
    steps: Generator[int, None, _Result], deadline: float, context: tuple[int, int, float]
) -> Generator[dict[str, Any], None, _Result]:
    """Train, and tell now and then how many are done; `context`: of how many, epochs, best loss so far."""
    n, epochs, best_loss = context
    facts = {"event": "tick", "round": None, "epochs": epochs, "n": n, "best_loss": best_loss}
    while True:
        try:
            n_done = next(steps)
        except StopIteration as end:
            return end.value
        left = max(0.0, deadline - time.perf_counter())
        yield {**facts, "n_done": n_done, "seconds_left": left if math.isfinite(left) else None}
