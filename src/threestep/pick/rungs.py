"""Search for a network: rounds of proposals, trained in rungs that only the better ones climb.

round:  a searcher proposes some members; all climb the first rung
rung:   a descent of so many epochs; then the better third goes on to the next, longer one,
        compared sample by sample, so that noise does not decide
"""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from threestep.errors import SettingsError
from threestep.goodness import paired_difference
from threestep.network import spec_of
from threestep.pick.finals import NO_FINALS, Finals, kept_for_finals
from threestep.pick.members import Job, Trained
from threestep.pick.outcome import Outcome
from threestep.pick.population import Population
from threestep.pick.proposals import Field, Proposal, Searcher, Tried
from threestep.pick.ranking import better_ones, front_of

_KEPT = 3  # a rung is so many times as long as the one before
_FEWEST_EPOCHS = 3
_REMEMBERED = 256  # so many of the best keep their params


@dataclass(frozen=True)
class Plan:
    """How much is tried.

    Parameters
    ----------
    n_members : int
        In a round.
    rungs : tuple of int
        Epochs of each rung.
    core_seconds : float
        After so much work, as `Pace.core_seconds` counts it, no further rung begins.
    n_rounds : int or None
        None: until the work is done or the deadline has come.
    patience : int or None
        After so many rounds in a row that lowered the best loss by no more than its noise, no further
        round begins: what is then found on the same validation samples is luck. None: never.
    finals : Finals
        What comes after the rounds; time is left for it.
    """

    n_members: int
    rungs: tuple[int, ...]
    core_seconds: float = math.inf
    n_rounds: int | None = None
    patience: int | None = None
    finals: Finals = NO_FINALS

    def __post_init__(self) -> None:
        if self.n_members < 1 or not self.rungs or min(self.rungs) < 1:
            raise SettingsError(
                f"got {self.n_members} members and the rungs {self.rungs}, expected at least one member, and "
                "at least one rung, each of at least one epoch",
                "see `threestep.pick.rungs_of`",
            )


def rungs_of(epochs: int) -> tuple[int, ...]:
    """Rungs up to a full training of so many epochs: each three times the one before.

    Examples
    --------
    >>> rungs_of(80)
    (9, 27, 80)
    """
    rungs = [epochs]
    while len(rungs) < 3 and math.ceil(rungs[0] / _KEPT) >= _FEWEST_EPOCHS:
        rungs.insert(0, math.ceil(rungs[0] / _KEPT))
    return tuple(rungs)


def search(
    population: Population,
    searcher: Searcher,
    wanted: Field,
    plan: Plan,
    stop: Event | None = None,
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Try members until the plan is done, the population's deadline has come or `stop` is set.

    Parameters
    ----------
    population : Population
    searcher : Searcher
    wanted : Field
    plan : Plan
    stop : Event or None

    Yields
    ------
    dict
        "tick": members done in this rung, of how many, best loss so far. "rung": one line of the
        journal.

    Returns
    -------
    list of Tried
        All that ended with a finite loss, best first.
    """
    log = _Log(population.deadline, plan.core_seconds, stop or Event())
    state, tried = searcher.init(wanted), dict[int, Tried]()
    n_rounds = n_asked = n_idle = 0
    while n_rounds != plan.n_rounds and n_idle != plan.patience and not log.is_over:
        n_rounds += 1
        before = _best(tried)
        state, proposals = searcher.ask(state, plan.n_members)
        if not proposals:
            break  # the searcher has tried all it knows
        round_of = dict(enumerate(proposals, n_asked))
        n_asked += len(proposals)
        own = yield from _climb(population, plan, round_of, (n_rounds, tried, log))
        log.first_round = min(log.first_round, log.falls[-1][0])
        state = searcher.tell(state, list(own.values()))
        n_idle = 0 if _is_gain(before, _best(tried)) else n_idle + 1
        if not own:
            break  # there is no time to compile anything
        _forget(tried)
    population.deadline = log.end
    return _ranked(tried)


def _climb(
    population: Population,
    plan: Plan,
    climbing: dict[int, Proposal],
    context: tuple[int, dict[int, Tried], "_Log"],
) -> Generator[dict[str, Any], None, dict[int, Tried]]:
    """One round: the proposals, by number, climb the rungs; what became of them is added to `tried`."""
    (n_round, tried, log), rungs = context, plan.rungs
    own = dict[int, Tried]()
    for place, epochs in enumerate(rungs, 1):
        began = time.perf_counter()
        jobs = [_job(proposal, own.get(number), epochs, rungs) for number, proposal in climbing.items()]
        costs = list(map(population.pace.core_seconds, jobs))
        log.core_seconds += sum(costs)
        facts = {"event": "tick", "round": n_round, "rung": place, "epochs": epochs, "n": len(jobs)}
        trained = yield from _ticking(population.train(jobs, log.stop), facts, tried, log)
        # each job's share of the rung's time, by the work it is
        second = (time.perf_counter() - began) / sum(costs)
        for (number, proposal), cost, each in zip(climbing.items(), costs, trained, strict=True):
            if each is not None:
                own[number] = _climbed(own.get(number), number, proposal, each, cost * second)
        tried.update(own)
        kept = kept_for_finals(population, _ranked(tried), plan.finals, log.end - log.began)
        population.deadline = log.deadline = log.end - kept
        yield _rung_event((n_round, place, len(rungs), epochs), trained, tried, log)
        better = better_ones([own[number] for number in climbing if number in own])
        climbing = {each.number: climbing[each.number] for each in better}
        if not climbing or log.is_over:
            break
    return own


@dataclass(eq=False)
class _Log:
    """What ends a search, the work so far, and how the best loss fell: (seconds, loss) each.

    `deadline` is that of the search; behind it, until `end`, come the finals. `first_round` is when that
    ended, in seconds.
    """

    end: float
    most_core_seconds: float
    stop: Event
    began: float = field(default_factory=time.perf_counter)
    core_seconds: float = 0.0
    falls: list[tuple[float, float]] = field(default_factory=list)
    first_round: float = math.inf
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = self.end

    @property
    def is_over(self) -> bool:
        is_late = time.perf_counter() >= self.deadline
        return is_late or self.stop.is_set() or self.core_seconds >= self.most_core_seconds

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def seconds_left(self) -> float | None:
        left = max(0.0, self.end - time.perf_counter())
        return left if math.isfinite(left) else None

    def minute_gain(self) -> float | None:
        """By how much another minute would lower the best loss, if the next doubling of the time took the
        share of it that the last one took; of further ones nothing is known. None while the last doubling
        began in the first round, whose networks had learned little yet."""
        now, best = self.falls[-1]
        earlier = [loss for seconds, loss in self.falls if self.first_round <= seconds <= now / 2]
        if not earlier or not math.isfinite(earlier[-1]) or best < 0:
            return None
        kept = best / earlier[-1] if earlier[-1] > 0 else 1.0
        return best * (1 - kept ** min(1.0, math.log2((now + 60) / now)))


def _forget(tried: dict[int, Tried]) -> None:
    """Drop the params of all but the best, and the best of those that are as quick: a long search would fill
    the memory with them, but a limit may shut the slow ones out in the end."""
    ranked = _ranked(tried)
    quick = front_of(ranked, lambda each: each.trained.member.network.n_products)
    best = {each.number for each in (*ranked[:_REMEMBERED], *quick)}
    for number, each in tried.items():
        if number not in best and each.trained.params:
            tried[number] = each.without_params()


def _ranked(tried: dict[int, Tried]) -> list[Tried]:
    """Those with a finite loss, best first."""
    return sorted((each for each in tried.values() if each.loss < math.inf), key=lambda each: each.loss)


def _best(tried: dict[int, Tried]) -> Tried | None:
    """The one with the lowest finite loss, if there is one."""
    best = min(tried.values(), key=lambda each: each.loss, default=None)
    return best if best is not None and best.loss < math.inf else None


def _is_gain(before: Tried | None, now: Tried | None) -> bool:
    """Whether the best of now beats that of before by more than the noise of their paired difference."""
    if before is None or now is None:
        return before is not now
    mean, error = paired_difference(before.trained.losses, now.trained.losses)
    return mean > error


def _job(proposal: Proposal, earlier: Tried | None, epochs: int, rungs: Sequence[int]) -> Job:
    """A descent from the start that was proposed, or from where an earlier rung ended.

    A linear network takes all its epochs at once: they cost next to nothing, and it is what is left if
    there is no time for any other.
    """
    epochs = epochs if proposal.member.network.hidden else rungs[-1]
    return Job(proposal.member, epochs, proposal.params if earlier is None else earlier.trained.params)


def _ticking(
    steps: Generator[int, None, list[Trained | None]],
    facts: dict[str, Any],
    tried: dict[int, Tried],
    log: _Log,
) -> Generator[dict[str, Any], None, list[Trained | None]]:
    """Tell how far a rung is, now and then."""
    best = min((each.loss for each in tried.values()), default=math.inf)
    facts = {**facts, "best_loss": best if math.isfinite(best) else None}
    while True:
        try:
            n_done = next(steps)
        except StopIteration as end:
            return end.value
        yield {**facts, "n_done": n_done, "seconds": log.seconds, "seconds_left": log.seconds_left}


def _climbed(earlier: Tried | None, number: int, proposal: Proposal, new: Trained, seconds: float) -> Tried:
    """A member after one more rung; of its functions so far the best is kept."""
    if earlier is None:
        return Tried(number, proposal, new, len(new.history), seconds)
    later = replace(earlier, epochs=earlier.epochs + len(new.history), seconds=earlier.seconds + seconds)
    candidate = replace(later, trained=new)
    return candidate if candidate.loss < earlier.loss else later


def _rung_event(
    where: tuple[int, int, int, int],
    trained: Sequence[Trained | None],
    tried: dict[int, Tried],
    log: _Log,
) -> dict[str, Any]:
    """One line of the journal; `where`: number of the round, of the rung, of all rungs, and epochs."""
    best = _best(tried)
    log.falls.append((log.seconds, math.inf if best is None else best.loss))
    return {
        "event": "rung",
        **dict(zip(("round", "rung", "n_rungs", "epochs"), where, strict=True)),
        "n_tried": len(tried),
        "n_trained": sum(each is not None for each in trained),
        "n_alive": sum(each is not None and each.is_sound for each in trained),
        "n_diverged": sum(each is not None and each.outcome is Outcome.DIVERGED for each in trained),
        "best_number": None if best is None else best.number,
        "best_network": None if best is None else spec_of(best.trained.member.network) or "linear",
        "best_loss": None if best is None else best.loss,
        "best_score": None if best is None else float(best.trained.hits.mean()),
        "seconds": round(log.seconds, 3),
        "seconds_left": log.seconds_left,
        "minute_gain": log.minute_gain(),
    }
