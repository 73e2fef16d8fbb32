"""A search as part of a run: what bounds it, what is picked in the end.

A given network that is to be trained from several starts is searched for too, among its starts.
"""

import math
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
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
_SECONDS_PER_SAMPLE = 2e-6  # beside the network's products
_SECONDS_PER_PRODUCT = 1e-10
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


def deadline_of(settings: Settings, n_samples: int, n_products: int, began: float) -> float:
    """When training must end, on the clock of `time.perf_counter`; infinite without a budget.

    Parameters
    ----------
    settings : Settings
    n_samples : int
        All of them are measured after the training.
    n_products : int
        Of the largest network that may be picked, for one sample.
    began : float
        When the budget began.
    """
    budget = seconds_of(settings.budget)
    for_one = _SECONDS_PER_SAMPLE + n_products * _SECONDS_PER_PRODUCT
    after = _SECONDS_AFTER + n_samples * settings.ensemble * for_one
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
        As `threestep.pick.search`, then the leaderboard, and notes where something could not be done.

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
        chosen, tried = yield from _chosen(tried, settings)
        functions = [(each.trained.member.network, each.trained.params) for each in chosen]
        if settings.refit and not stop.is_set():
            functions, n_refitted = _refitted(goodness, train, valid, settings, chosen, deadline, stop)
            if n_refitted < len(chosen):
                yield {"event": "note", "text": _not_refitted(n_refitted, len(chosen))}
    best = chosen[0].trained
    outcome = Outcome.INTERRUPTED if stop.is_set() else best.outcome
    picked = Picked(*functions[0], best.history, best.best_epoch, outcome)
    return Found(picked, tuple(functions[1:]), tried)


def _chosen(
    tried: Sequence[Tried], settings: Settings
) -> Generator[dict[str, Any], None, tuple[list[Tried], list[Tried]]]:
    """The ones to pick, best first; and all that was tried, those first."""
    fast = _fast_enough(tried, settings)
    if not fast:
        yield {"event": "note", "text": _too_slow(settings)}
    chosen = distinct_ones(preferred(fast), settings.ensemble) if fast else [_fastest(tried)]
    numbers = [each.number for each in chosen]
    everything = [*chosen, *(each for each in tried if each.number not in numbers)]
    rows = leaderboard(everything)[:_MOST_ROWS]
    yield {"event": "leaderboard", "rows": rows, "picked": numbers, "n_tried": len(everything)}
    return chosen, everything


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
        fast = _fast_enough(tried, settings) or [_fastest(tried)]
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
) -> tuple[list[tuple[Network, Params]], int]:
    """The chosen ones after another descent on all samples, as long as their last one took to its best
    epoch, and for how many there was one; where there is no time for it, or it diverges, as they are."""
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


def check_latency(network: Network, settings: Settings) -> None:
    """Refuse a limit that not even this network keeps.

    Raises
    ------
    SettingsError
    """
    most_ms = settings.max_latency_ms
    if most_ms is not None and (took := _latency_ms(network)) * settings.ensemble > most_ms:
        raise SettingsError(
            f"`max_latency_ms` is {most_ms:g}; {network} takes {took * settings.ensemble:.3g}",
            "allow more, or give fewer and narrower layers, or a smaller `ensemble`",
        )


def _fast_enough(tried: Sequence[Tried], settings: Settings) -> list[Tried]:
    """Those that predict one sample within their share of the limit; perhaps none."""
    most_ms = math.inf if settings.max_latency_ms is None else settings.max_latency_ms
    known = [each for each in tried if each.trained.params]  # the others were forgotten
    if most_ms == math.inf:
        return known
    return [each for each in known if _latency(each) * settings.ensemble <= most_ms]


def _fastest(tried: Sequence[Tried]) -> Tried:
    return min((each for each in tried if each.trained.params), key=_latency)


def _latency(tried: Tried) -> float:
    return _latency_ms(tried.trained.member.network)


@lru_cache(maxsize=4096)  # one measurement of a structure: it is compared with the same limit several times
def _latency_ms(network: Network) -> float:
    """Median time of predicting one sample by such a network."""
    params, one, times = network.init(0), np.zeros((1, network.n_inputs), np.float32), []
    outputs_of(network, params, one)
    for _ in range(_N_LATENCIES):
        began = time.perf_counter()
        outputs_of(network, params, one)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _too_slow(settings: Settings) -> str:
    """That no network kept the limit, in words."""
    return (
        f"none that was trained keeps `max_latency_ms` = {settings.max_latency_ms:g}: the fastest is picked"
    )


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
