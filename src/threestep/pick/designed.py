"""Networks that people designed, such as convolutions: trained one after the other, beside those of a search.

Their structures differ too much to be members of one program, so each is a descent of its own. What comes out
has the form of a search's results: one leaderboard, one choice among all of them.
"""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import jax.numpy as jnp
import numpy as np

from threestep.goodness import Goodness
from threestep.network import Network, spec_of
from threestep.pick.descent import Picked, descend, losses_of, outputs_of
from threestep.pick.population import Member, Trained
from threestep.pick.program import EpochRow
from threestep.pick.samples import Samples
from threestep.pick.searchers import DESIGNED, Proposal, Tried
from threestep.settings import DEFAULT_LEARNING_RATE, DEFAULT_WEIGHT_DECAY, Descent

_TOO_SHORT = 1.0  # seconds, in which no program is compiled
_LONG_ENOUGH = 15.0  # seconds for each network, where there is a deadline
_COMPILING = 3.0  # seconds
_WORK_PER_SECOND = 6e10  # floating-point operations of a middling machine, before the own pace is known
_MOST_EPOCHS = 200
_WORTH_AGAIN = 1 / 4  # of the longest descent so far: less time than that is left for others


def try_designed(
    networks: Sequence[Network],
    goodness: Goodness,
    samples: tuple[Samples, Samples],
    settings: Descent,
    tried: Sequence[Tried],
    until: tuple[int, float, Event],
    most_epochs: int | None = None,
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Train each network from a random start, the first ones first.

    Parameters
    ----------
    networks : sequence of Network
    goodness : Goodness
    samples : (Samples, Samples)
        To learn from, and to choose by.
    settings : Descent
    tried : sequence of Tried
        What was tried before, best first; perhaps nothing.
    until : (int, float, Event)
        The seed; the deadline, on the clock of `time.perf_counter`; what ends it earlier, with the best so
        far.
    most_epochs : int or None
        Of each, where a deadline leaves time for more than the settings say.

    Yields
    ------
    dict
        "tick": epochs done, of how many; "designed": one line of the journal for each network.

    Returns
    -------
    list of Tried
        Those that ended with a finite loss.
    """
    seed, deadline, stop = until
    won, pace = list[Tried](), _WORK_PER_SECOND
    first = 1 + max((each.number for each in tried), default=-1)
    for number, (network, own_seed, until_then) in enumerate(_turns(networks, won, seed, deadline), first):
        began = time.perf_counter()
        if stop.is_set():
            break
        work = 6 * network.n_products * len(samples[0].y)  # of an epoch
        fitting = (until_then - began - _COMPILING) * pace / work
        own = _fitting(settings, fitting, most_epochs or _MOST_EPOCHS)
        own = own if network.n_blocks else replace(own, drop_path=0.0)
        facts = {"what": spec_of(network), "epochs": own.epochs, "n": own.epochs}
        facts["best_loss"] = min([each.loss for each in (*tried[:1], *won)], default=None)
        descent = descend(network, goodness, *samples, own, own_seed, until_then)
        picked = yield from _followed(descent, facts, deadline, stop)
        seconds = time.perf_counter() - began
        pace = max(pace, work * len(picked.history) / seconds)
        member = _member(network, settings, own_seed)
        trained = _trained(picked, member, goodness, samples[1])
        each = Tried(number, Proposal(member, None, None, DESIGNED), trained, len(picked.history), seconds)
        yield _event_of(each)
        if trained.is_sound:
            won.append(each)
    return won


def _turns(
    networks: Sequence[Network], won: Sequence[Tried], seed: int, deadline: float
) -> Iterator[tuple[Network, int, float]]:
    """Which network is trained next, from which seed, and until when: each once; then, if a deadline leaves
    time, the best one again, from other starts."""
    if math.isinf(deadline):
        yield from ((network, seed, deadline) for network in networks)
        return
    n = min(len(networks), max(1, int((deadline - time.perf_counter()) / _LONG_ENOUGH)))
    for place in range(n):
        now = time.perf_counter()
        if deadline - now < _TOO_SHORT:
            return
        yield networks[place], seed, now + (deadline - now) / (n - place)  # an equal part of what is left
    while won and deadline - time.perf_counter() > _COMPILING + _WORTH_AGAIN * max(
        each.seconds for each in won
    ):
        seed = int(np.random.default_rng([seed, 1]).integers(2**31))
        yield min(won, key=lambda each: each.loss).proposal.member.network, seed, deadline


def _fitting(settings: Descent, epochs: float, most: int) -> Descent:
    """With as many epochs as fit before a deadline, so that the learning rate has come down when they are
    over, up to so many; without one as the settings say."""
    if math.isinf(epochs):
        return settings
    n_epochs = int(min(most, max(1.0, epochs)))
    return replace(settings, epochs=n_epochs, patience=n_epochs)


def _event_of(each: Tried) -> dict[str, Any]:
    """One line of the journal."""
    network = each.proposal.member.network
    return {
        "event": "designed",
        "number": each.number,
        "network": str(network),
        "spec": spec_of(network),
        "n_params": network.n_params,
        "n_epochs": each.epochs,
        "loss": each.loss if each.trained.is_sound else None,
        "seconds": round(each.seconds, 3),
    }


def _followed(
    descent: Generator[list[EpochRow], None, Picked], facts: dict[str, Any], deadline: float, stop: Event
) -> Generator[dict[str, Any], None, Picked]:
    """A descent to its end, or to where it is told to stop."""
    n_done, has_begun = 0, False
    while True:
        try:
            # what has not begun yet cannot end with the best so far
            rows = descent.throw(KeyboardInterrupt) if stop.is_set() and has_begun else next(descent)
            has_begun = True
        except StopIteration as end:
            return end.value
        n_done += len(rows)
        left = deadline - time.perf_counter()
        yield {
            "event": "tick",
            "round": None,
            **facts,
            "n_done": n_done,
            "seconds_left": max(0.0, left) if math.isfinite(left) else None,
        }


def _member(network: Network, settings: Descent, seed: int) -> Member:
    rates = (
        DEFAULT_LEARNING_RATE if settings.learning_rate is None else settings.learning_rate,
        DEFAULT_WEIGHT_DECAY if settings.weight_decay is None else settings.weight_decay,
    )
    return Member(network, *rates, settings.dropout or 0.0, seed)


def _trained(picked: Picked, member: Member, goodness: Goodness, valid: Samples) -> Trained:
    """What was picked, judged sample by sample."""
    outputs = outputs_of(member.network, picked.params, valid.x)
    weight = 1.0 if valid.weight is None else valid.weight
    losses = weight * losses_of(goodness.for_judging, outputs, valid.y)
    hits = weight * np.asarray(goodness.for_judging.hits(jnp.asarray(outputs), jnp.asarray(valid.y)))
    best_epoch = picked.best_epoch if np.isfinite(losses).all() else 0
    return Trained(member, picked.params, best_epoch, losses, hits, picked.history, picked.outcome)
