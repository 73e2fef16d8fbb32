"""A search as part of a run: what bounds it, what is picked in the end.

A given network that is to be trained from several starts is searched for too, among its starts.
"""

import math
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from threestep.data import dealt
from threestep.devices import steady_products
from threestep.goodness import Goodness
from threestep.network import Network, Params
from threestep.pick import (
    NO_FINALS,
    Designs,
    Field,
    Finals,
    Folded,
    Job,
    Member,
    Outcome,
    Picked,
    Plan,
    Population,
    Samples,
    Searcher,
    Tried,
    compile_designed,
    ended,
    hold_finals,
    hold_finals_in_folds,
    repeats_of,
    room_of,
    search,
    searcher_of,
    try_designed,
)
from threestep.settings import Settings
from threestep.study.choices import choose_plan
from threestep.study.ends import Ends, end_of_search, last_end
from threestep.study.picking import (
    Found,
    fast_enough,
    fastest,
    pick_in_folds,
    pick_some,
)

NO_TIME_FOR_CONVOLUTIONS = (
    "within the budget no network with convolutions has learned; a larger one gives them time"
)
_SAID_INSTEAD = {
    "classes": "this network only knows which answer is most common",
    "number": "this network always says the mean",
    "labels": "this network takes yes and no for equally likely",
}
_FINALS_FRACTION = 0.1  # of a budget, where networks with convolutions are tried between search and finals


class Known(NamedTuple):
    """Structures that need not be searched for.

    Parameters
    ----------
    network : Network or None
        A given one is trained from several starts; then nothing is searched for.
    convolutions : Designs or None
        What networks with convolutions are tried beside a search.
    """

    network: Network | None = None
    convolutions: Designs | None = None


def search_steps(
    goodness: Goodness,
    train: Samples,
    valid: Samples,
    settings: Settings,
    wanted: Field,
    known: Known,
    ends: Ends,
    stop: threading.Event,
) -> Generator[dict[str, Any], None, Found]:
    """Search until the plan, the deadline or the first Ctrl-C ends it.

    Parameters
    ----------
    goodness : Goodness
    train, valid : Samples
    settings : Settings
    wanted : Field
    known : Known
    ends : Ends
    stop : threading.Event
        The first Ctrl-C sets it, or whoever else wants the search to end with the best so far.

    Yields
    ------
    dict
        As `threestep.pick.search`, then the leaderboard, and notes where something could not be done.

    Raises
    ------
    KeyboardInterrupt
        The first Ctrl-C, if there was nothing yet to keep; the second one, always.
    """
    end = end_of_search(settings, ends, known.convolutions is not None)
    searcher, plan = _how(settings, known, train, end)
    both = train if valid is train or plan.finals.n_folds == 1 else _joined(train, valid)
    y = train.y if valid is train else np.concatenate([train.y, valid.y])
    fold_of = dealt(y if goodness.is_for_classes else None, len(y), settings.folds or 1, settings.seed)
    room = room_of(fold_of, len(train.y), len(valid.y))
    with interruptible(stop):
        with Population(goodness, train, valid, settings, settings.seed, end, room) as population:
            searching = partial(search, population, searcher, wanted, plan, stop)
            if known.convolutions is None:
                tried, designed = (yield from searching()), list[Tried]()
            else:
                beside = _beside(population, searching, known.convolutions, settings, ends, stop)
                tried, designed = yield from beside
            if not settings.refit:  # else the time behind them is for that
                population.deadline = last_end(ends, tried, designed, population, settings)
            first = 1 + max((each.number for each in (*tried, *designed)), default=-1)
            finals = _finals(population, (both, fold_of), plan.finals, tried, first, settings, stop)
            folded, final = yield from finals
        with steady_products(len(both.y)):
            if folded:
                return (yield from pick_in_folds(folded, tried, goodness, both, settings, stop.is_set()))
            if tried := sorted([*tried, *final, *designed], key=lambda each: each.loss):
                return (yield from _pick_of(tried, goodness, (train, valid), settings, ends.any, stop))
        if stop.is_set():
            raise KeyboardInterrupt
        outcome = Outcome.DIVERGED if population.n_diverged else Outcome.OUT_OF_TIME
        text = nothing_in_words(outcome, goodness.kind)
        yield {"event": "leaderboard", "rows": [], "picked": [], "text": text}
        return Found(_nothing_learned(goodness, train, wanted, known.network, outcome), (), tried)


def _finals(
    population: Population,
    dealt_samples: tuple[Samples, NDArray],
    plan: Finals,
    tried: Sequence[Tried],
    first: int,
    settings: Settings,
    stop: threading.Event,
) -> Generator[dict[str, Any], None, tuple[list[Folded], list[Tried]]]:
    """The best of a search anew, if there are to be finals: in folds of all samples, or on those of the
    search; numbered from `first`."""
    if not tried or not plan.n or stop.is_set():
        return [], []
    fast = fast_enough(tried, settings) or [fastest(tried)]
    if plan.n_folds > 1:
        return (yield from hold_finals_in_folds(population, *dealt_samples, fast, plan, stop, first)), []
    return [], (yield from hold_finals(population, fast, plan, stop, first))


def _pick_of(
    tried: Sequence[Tried],
    goodness: Goodness,
    samples: tuple[Samples, Samples],
    settings: Settings,
    deadline: float,
    stop: threading.Event,
) -> Generator[dict[str, Any], None, Found]:
    """The best of what was tried, refitted if that is asked for."""
    train, valid = samples
    chosen, tried = yield from pick_some(tried, goodness, valid, settings)
    functions, n_refitted = [(each.trained.member.network, each.trained.params) for each in chosen], 0
    if settings.refit and not stop.is_set():
        functions, n_refitted = _refitted(goodness, train, valid, settings, chosen, deadline, stop)
        if n_refitted < len(chosen):
            yield {"event": "note", "text": _not_refitted(n_refitted, len(chosen))}
    best = chosen[0].trained
    outcome = Outcome.INTERRUPTED if stop.is_set() else best.outcome
    picked = Picked(*functions[0], best.history, best.best_epoch, outcome)
    return Found(picked, tuple(functions[1:]), tried, n_refitted=n_refitted)


def _beside(
    population: Population,
    searching: Callable[[], Generator[dict[str, Any], None, list[Tried]]],
    designs: Designs,
    settings: Settings,
    ends: Ends,
    stop: threading.Event,
) -> Generator[dict[str, Any], None, tuple[list[Tried], list[Tried]]]:
    """Search, and try networks with convolutions beside it, whose first is compiled meanwhile; then what is
    left of the time is the population's."""
    ahead = compile_designed(designs)
    spare = max(0.0, ends.any - time.perf_counter()) if ends.any < math.inf else 0.0
    until = ends.any - _FINALS_FRACTION * spare
    tried = yield from _without_empty_rungs(searching())
    if not tried and population.deadline < until and not stop.is_set():  # nothing was compiled in its share
        population.deadline = until
        tried = yield from searching()
    searcher = searcher_of("random" if settings.searcher == "random" else "evolution")
    designed = yield from try_designed(searcher, designs, tried, until, stop, ahead)
    if not designed and math.isfinite(ends.any) and not stop.is_set():
        yield {"event": "note", "text": NO_TIME_FOR_CONVOLUTIONS}
    return tried, designed


def _without_empty_rungs(
    steps: Generator[dict[str, Any], None, list[Tried]],
) -> Generator[dict[str, Any], None, list[Tried]]:
    """A search, but for rungs that nobody climbed: it begins again where there was no time to compile."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if event["event"] != "rung" or event["n_tried"] > 0:
            yield event


def _how(settings: Settings, known: Known, train: Samples, end: float) -> tuple[Searcher, Plan]:
    """Who proposes, and how much is tried."""
    if known.network is not None:
        rates = (settings.learning_rate or 0.0, settings.weight_decay or 0.0, settings.dropout or 0.0)
        n, epochs, n_folds = settings.ensemble or 1, settings.epochs or 1, settings.folds or 1
        finals = Finals(n, epochs, n_folds=n_folds) if n_folds > 1 else NO_FINALS
        return repeats_of(Member(known.network, *rates)), Plan(n, (epochs,), n_rounds=1, finals=finals)
    left = None if end == math.inf else max(1.0, end - time.perf_counter())
    plan = choose_plan(settings, len(train.y), train.x.shape[1], left)
    if left is not None:  # one at least fills what is left of the time
        plan = replace(plan, finals=replace(plan.finals, n=max(1, plan.finals.n)))
    return searcher_of(settings.searcher), plan


def _refitted(
    goodness: Goodness,
    train: Samples,
    valid: Samples,
    settings: Settings,
    chosen: Sequence[Tried],
    deadline: float,
    stop: threading.Event,
) -> tuple[list[tuple[Network, Params]], int]:
    """The chosen ones after another descent on all samples, as long as their last one took to its best
    epoch; where there is no time for it, or it diverges, as they are. And how many had it."""
    both = _joined(train, valid)
    jobs = [Job(each.trained.member, each.trained.best_epoch, each.trained.params) for each in chosen]
    with Population(goodness, both, both, settings, settings.seed, deadline) as population:
        again = ended(population.train(jobs, stop))
    better = [
        new if new is not None and new.outcome is Outcome.FINISHED else each.trained
        for each, new in zip(chosen, again, strict=True)
    ]
    n_refitted = sum(new is old for new, old in zip(better, again, strict=True))
    return [(each.member.network, each.params) for each in better], n_refitted


def _joined(first: Samples, second: Samples) -> Samples:
    """All samples of both."""
    x, y = np.concatenate([first.x, second.x]), np.concatenate([first.y, second.y])
    if first.weight is None or second.weight is None:
        return Samples(x, y)
    return Samples(x, y, np.concatenate([first.weight, second.weight]))


def _not_refitted(n_refitted: int, n: int) -> str:
    """What became of a refit, in words."""
    what = "the picked network" if n == 1 else f"{n - n_refitted} of the {n} picked networks"
    return f"refit: no time was left for {what}, or its loss exploded; it stays as picked"


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C sets the event; the second one interrupts as ever. Only the main thread hears it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def heard(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def nothing_in_words(outcome: Outcome, kind: str) -> str:
    """That nothing was learned, why, and what is said instead of a target of that kind."""
    is_late = outcome is Outcome.OUT_OF_TIME
    why = "there was no time to train, give a longer budget" if is_late else "nothing could be trained"
    return f"{why}; {_SAID_INSTEAD[kind]}"


def _nothing_learned(
    goodness: Goodness, train: Samples, wanted: Field, network: Network | None, outcome: Outcome
) -> Picked:
    """A network that says of every sample what is true of most, the linear one if none was given: where
    every descent diverged, or there was no time for one."""
    network = network or wanted.linear
    *before, last = network.init(wanted.seed)
    last = jax.tree.map(np.zeros_like, last)
    if goodness.is_for_classes:
        counts = np.bincount(train.y, minlength=wanted.n_outputs)
        last["bias"] = np.log((counts + 1) / (counts.sum() + len(counts))).astype(np.float32)
    return Picked(network, (*before, last), [], 0, outcome)
