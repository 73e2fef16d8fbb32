"""A search as part of a run: what bounds it, what is picked in the end."""

import math
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from threestep.errors import SettingsError
from threestep.goodness import Goodness
from threestep.network import Dense, Network, Params
from threestep.pick import (
    Field,
    Outcome,
    Picked,
    Population,
    Samples,
    Tried,
    leaderboard,
    outputs_of,
    search,
    searcher_of,
)
from threestep.settings import Settings, seconds_of
from threestep.study.choices import choose_plan

_SECONDS_AFTER = 0.8  # for measuring the winner and writing the run down
_N_LATENCIES = 20


def search_steps(
    goodness: Goodness, train: Samples, valid: Samples, settings: Settings, wanted: Field, began: float
) -> Generator[dict[str, Any], None, tuple[Picked, list[Tried]]]:
    """Search until the plan, the budget or the first Ctrl-C ends it.

    Parameters
    ----------
    goodness : Goodness
    train, valid : Samples
    settings : Settings
    wanted : Field
    began : float
        When the budget began, on the clock of `time.perf_counter`.

    Yields
    ------
    dict
        As `threestep.pick.search`, then the leaderboard.

    Raises
    ------
    KeyboardInterrupt
        The first Ctrl-C, if there was nothing yet to keep; the second one, always.
    """
    budget = seconds_of(settings.budget)
    deadline = math.inf if budget is None else began + budget - _seconds_after(len(train.y) + len(valid.y))
    left = None if budget is None else max(1.0, deadline - time.perf_counter())
    plan = choose_plan(settings, len(train.y), train.x.shape[1], left)
    population = Population(goodness, train, valid, settings, settings.seed, deadline)
    with _interruptible() as stop:
        tried = yield from search(population, searcher_of(settings.searcher), wanted, plan, stop)
        population.close()
        if stop.is_set() and not tried:
            raise KeyboardInterrupt
    yield {"event": "leaderboard", "rows": leaderboard(tried)}
    if not tried:
        return _nothing_learned(goodness, train, wanted), tried
    best = _fast_enough(tried, settings.max_latency_ms, train)
    outcome = Outcome.INTERRUPTED if stop.is_set() else best.trained.outcome
    own = best.trained
    return Picked(own.member.network, own.params, own.history, own.best_epoch, outcome), tried


def _seconds_after(n_samples: int) -> float:
    """What is kept back of a budget."""
    return _SECONDS_AFTER + n_samples * 2e-6


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


def _fast_enough(tried: Sequence[Tried], most_ms: float | None, train: Samples) -> Tried:
    """The best one whose prediction of one sample is within the limit, measured.

    Raises
    ------
    SettingsError
        None is.
    """
    if most_ms is None:
        return tried[0]
    fastest = math.inf
    for each in tried:
        milliseconds = _latency_ms(each.trained.member.network, each.trained.params, train)
        if milliseconds <= most_ms:
            return each
        fastest = min(fastest, milliseconds)
    raise SettingsError(
        f"`max_latency_ms` is {most_ms:g}; the fastest of {len(tried)} networks takes {fastest:.3g}",
        "allow more, or narrower and fewer layers (`widths`, `depths`)",
    )


def _latency_ms(network: Network, params: Params, train: Samples) -> float:
    """Median time of predicting one sample, compiled."""
    one, times = train.x[:1], []
    outputs_of(network, params, one)
    for _ in range(_N_LATENCIES):
        began = time.perf_counter()
        outputs_of(network, params, one)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _nothing_learned(goodness: Goodness, train: Samples, wanted: Field) -> Picked:
    """The linear network that says of every sample what is true of most: where every descent diverged, or
    there was no time for one."""
    network = Network(wanted.input_shape, (Dense(wanted.n_outputs, "linear"),))
    (own,) = jax.tree.map(np.zeros_like, network.init(0))
    if goodness.is_for_classes:
        counts = np.bincount(train.y, minlength=wanted.n_outputs)
        own["bias"] = np.log((counts + 1) / (counts.sum() + len(counts))).astype(np.float32)
    return Picked(network, (own,), [], 0, Outcome.DIVERGED)
