"""A search as part of a run: what bounds it, what is picked in the end.

A given network that is to be trained from several starts is searched for too, among its starts.
"""

import math
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import numpy as np

from threestep.errors import SettingsError
from threestep.goodness import Goodness
from threestep.network import Dense, Network, Params
from threestep.pick import (
    Field,
    Job,
    Member,
    Outcome,
    Picked,
    Plan,
    Population,
    Samples,
    Searcher,
    Tried,
    distinct_ones,
    ended,
    hold_finals,
    leaderboard,
    outputs_of,
    preferred,
    repeats_of,
    search,
    searcher_of,
)
from threestep.settings import Settings, seconds_of
from threestep.study.choices import choose_plan

_SECONDS_AFTER = 0.8  # for measuring the winner and writing the run down
_SECONDS_PER_SAMPLE = 2e-6
_REFIT_FRACTION = 0.2  # of a budget
_N_LATENCIES = 20
_MOST_ROWS = 1000  # of the leaderboard in the journal


class Found(NamedTuple):
    """What a search gives.

    Parameters
    ----------
    picked : Picked
        The best.
    others : tuple of (Network, Params)
        Those that are averaged with it.
    tried : list of Tried
        The chosen ones, then the others, the best of both first.
    """

    picked: Picked
    others: tuple[tuple[Network, Params], ...]
    tried: list[Tried]


def deadline_of(settings: Settings, n_samples: int, began: float) -> float:
    """When training must end, on the clock of `time.perf_counter`; infinite without a budget.

    Parameters
    ----------
    settings : Settings
    n_samples : int
        All of them are measured after the training.
    began : float
        When the budget began.
    """
    budget = seconds_of(settings.budget)
    after = _SECONDS_AFTER + n_samples * settings.ensemble * _SECONDS_PER_SAMPLE
    return math.inf if budget is None else began + budget - after


def search_steps(
    goodness: Goodness,
    train: Samples,
    valid: Samples,
    settings: Settings,
    wanted: Field,
    network: Network | None,
    deadline: float,
) -> Generator[dict[str, Any], None, Found]:
    """Search until the plan, the deadline or the first Ctrl-C ends it.

    Parameters
    ----------
    goodness : Goodness
    train, valid : Samples
    settings : Settings
    wanted : Field
    network : Network or None
        A given one is trained from several starts.
    deadline : float
        On the clock of `time.perf_counter`.

    Yields
    ------
    dict
        As `threestep.pick.search`, then the leaderboard.

    Raises
    ------
    KeyboardInterrupt
        The first Ctrl-C, if there was nothing yet to keep; the second one, always.
    """
    left = deadline - time.perf_counter()
    end = deadline - _REFIT_FRACTION * max(0.0, left) if settings.refit and left < math.inf else deadline
    searcher, plan = _how(settings, network, train, end)
    with _interruptible() as stop:
        with Population(goodness, train, valid, settings, settings.seed, end) as population:
            tried = yield from _searched(population, searcher, wanted, plan, settings, stop)
        if stop.is_set() and not tried:
            raise KeyboardInterrupt
        if not tried:
            yield {"event": "leaderboard", "rows": [], "picked": [], "n_tried": 0}
            outcome = Outcome.DIVERGED if population.n_diverged else Outcome.OUT_OF_TIME
            return Found(_nothing_learned(goodness, train, wanted, network, outcome), (), tried)
        fast = _fast_enough(tried, settings.max_latency_ms, train)
        chosen = distinct_ones(preferred(fast), settings.ensemble)
        numbers = [each.number for each in chosen]
        tried = [*chosen, *(each for each in tried if each.number not in numbers)]
        rows = leaderboard(tried)[:_MOST_ROWS]
        yield {"event": "leaderboard", "rows": rows, "picked": numbers, "n_tried": len(tried)}
        functions = [(each.trained.member.network, each.trained.params) for each in chosen]
        if settings.refit and not stop.is_set():
            functions = _refitted(goodness, train, valid, settings, chosen, deadline, stop)
    best = chosen[0].trained
    outcome = Outcome.INTERRUPTED if stop.is_set() else best.outcome
    picked = Picked(*functions[0], best.history, best.best_epoch, outcome)
    return Found(picked, tuple(functions[1:]), tried)


def _searched(
    population: Population,
    searcher: Searcher,
    wanted: Field,
    plan: Plan,
    settings: Settings,
    stop: threading.Event,
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Search, then train the best anew; all that was tried, best first."""
    tried = yield from search(population, searcher, wanted, plan, stop)
    if tried and plan.finals.n and not stop.is_set():
        fast = _fast_enough(tried, settings.max_latency_ms, population.samples)
        first = 1 + max(each.number for each in tried)
        anew = yield from hold_finals(population, fast, plan.finals, first, stop)
        tried = sorted([*tried, *anew], key=lambda each: each.loss)
    return tried


def _how(settings: Settings, network: Network | None, train: Samples, end: float) -> tuple[Searcher, Plan]:
    """Who proposes, and how much is tried."""
    if network is not None:
        rates = (settings.learning_rate or 0.0, settings.weight_decay or 0.0, settings.dropout or 0.0)
        once = Plan(settings.ensemble, (settings.epochs or 1,), n_rounds=1)
        return repeats_of(Member(network, *rates)), once
    left = None if end == math.inf else max(1.0, end - time.perf_counter())
    return searcher_of(settings.searcher), choose_plan(settings, len(train.y), train.x.shape[1], left)


def _refitted(
    goodness: Goodness,
    train: Samples,
    valid: Samples,
    settings: Settings,
    chosen: Sequence[Tried],
    deadline: float,
    stop: threading.Event,
) -> list[tuple[Network, Params]]:
    """The chosen ones after another descent on all samples, as long as their last one took to its best
    epoch; where there is no time for it, or it diverges, as they are."""
    both = Samples(np.concatenate([train.x, valid.x]), np.concatenate([train.y, valid.y]))
    jobs = [Job(each.trained.member, each.trained.best_epoch, each.trained.params) for each in chosen]
    with Population(goodness, both, both, settings, settings.seed, deadline) as population:
        again = ended(population.train(jobs, stop))
    better = [
        new if new is not None and new.outcome is Outcome.FINISHED else each.trained
        for each, new in zip(chosen, again, strict=True)
    ]
    return [(each.member.network, each.params) for each in better]


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one interrupts as ever.

    Only the main thread hears Ctrl-C; in another one the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def heard(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _fast_enough(tried: Sequence[Tried], most_ms: float | None, train: Samples) -> Sequence[Tried]:
    """Those that predict one sample within the limit, measured as a whole run of the network.

    Raises
    ------
    SettingsError
        None is.
    """
    tried = [each for each in tried if each.trained.params]  # the others were forgotten
    if most_ms is None:
        return tried
    took = [_latency_ms(each.trained.member.network, each.trained.params, train) for each in tried]
    fast = [each for each, milliseconds in zip(tried, took, strict=True) if milliseconds <= most_ms]
    if not fast:
        raise SettingsError(
            f"`max_latency_ms` is {most_ms:g}; the fastest of {len(tried)} networks takes {min(took):.3g}",
            "allow more, or narrower and fewer layers (`widths`, `depths`)",
        )
    return fast


def _latency_ms(network: Network, params: Params, train: Samples) -> float:
    """Median time of predicting one sample."""
    one, times = train.x[:1], []
    outputs_of(network, params, one)
    for _ in range(_N_LATENCIES):
        began = time.perf_counter()
        outputs_of(network, params, one)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _nothing_learned(
    goodness: Goodness, train: Samples, wanted: Field, network: Network | None, outcome: Outcome
) -> Picked:
    """A network that says of every sample what is true of most, the linear one if none was given: where
    every descent diverged, or there was no time for one."""
    network = network or Network(wanted.input_shape, (Dense(wanted.n_outputs, "linear"),))
    *before, last = network.init(wanted.seed)
    last = jax.tree.map(np.zeros_like, last)
    if goodness.is_for_classes:
        counts = np.bincount(train.y, minlength=wanted.n_outputs)
        last["bias"] = np.log((counts + 1) / (counts.sum() + len(counts))).astype(np.float32)
    return Picked(network, (*before, last), [], 0, outcome)
