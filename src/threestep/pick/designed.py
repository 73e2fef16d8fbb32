"""Networks with convolutions: trained one after the other, beside those of a search.

Their structures differ too much to be members of one program, so each is a descent of its own. They come
from the same searchers, and what comes out has the form of a search's results: one leaderboard, one choice.

first:     those that people design
children:  where there is much time, changed ones of the best so far, which go on from its params
anew:      the best from other starts, until the deadline
"""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from threading import Event
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from threestep.goodness import Goodness
from threestep.network import spec_of
from threestep.pick.descent import Picked, descend, losses_of, outputs_of
from threestep.pick.finals import begun_anew
from threestep.pick.population import Member, Trained
from threestep.pick.program import EpochRow
from threestep.pick.samples import Samples
from threestep.pick.searchers import ANEW, Field, Proposal, Searcher, Tried
from threestep.settings import Descent

_TOO_SHORT = 1.0  # seconds, in which no program is compiled
_LONG_ENOUGH = 15.0  # seconds for each network, where there is a deadline
_COMPILING = 3.0  # seconds
_WORK_PER_SECOND = 6e10  # floating-point operations of a middling machine, before the own pace is known
_MOST_EPOCHS = 200
_WORTH_AGAIN = 1 / 4  # of the longest descent so far: less time than that is left for others
_SEARCHED = 8 * _LONG_ENOUGH  # seconds, from which on there are children
_FIRSTS_FRACTION, _CHILDREN_FRACTION = 0.4, 0.3  # of such a time
_SHARE_OF_PARENT, _FEWEST_EPOCHS = 1 / 3, 3  # of its epochs, for what goes on from its params


def try_designed(
    searcher: Searcher,
    wanted: Field,
    goodness: Goodness,
    samples: tuple[Samples, Samples],
    settings: Descent,
    tried: Sequence[Tried],
    until: tuple[float, Event],
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Train networks with convolutions, those of `wanted.designed` first.

    Parameters
    ----------
    searcher : Searcher
        Proposes the others; see `threestep.pick.searchers`.
    wanted : Field
    goodness : Goodness
    samples : (Samples, Samples)
        To learn from, and to choose by.
    settings : Descent
        But for what members differ in.
    tried : sequence of Tried
        What was tried before, best first; perhaps nothing.
    until : (float, Event)
        The deadline, on the clock of `time.perf_counter`, infinite if there is none; what ends it earlier,
        with the best so far.

    Yields
    ------
    dict
        "tick": epochs done, of how many; "designed": one line of the journal for each network.

    Returns
    -------
    list of Tried
        Those that ended with a finite loss.
    """
    deadline, stop = until
    state, won, pace = searcher.init(wanted), list[Tried](), _WORK_PER_SECOND
    plan = _Plan(time.perf_counter(), deadline, len(wanted.designed))
    number = first = 1 + max((each.number for each in tried), default=-1)
    while not stop.is_set() and (turn := _next_turn(plan, time.perf_counter(), number - first, won)):
        began = time.perf_counter()
        if turn.n_anew is not None:
            (proposal,) = begun_anew(sorted(won, key=lambda each: each.loss), turn.n_anew, 1)
        else:
            state, (proposal,) = searcher.ask(state, 1)
        network = proposal.member.network
        work = 6 * network.n_products * len(samples[0].y)  # of an epoch
        longest = max((len(each.trained.history) for each in won), default=0)
        own = _own(settings, proposal, longest, (turn.until - began - _COMPILING) * pace / work)
        facts = {"what": spec_of(network), "epochs": own.epochs, "n": own.epochs}
        facts["best_loss"] = min([each.loss for each in (*tried[:1], *won)], default=None)
        descent = descend(network, goodness, *samples, own, proposal.member.seed, turn.until, proposal.params)
        picked = yield from _followed(descent, facts, deadline, stop)
        seconds = time.perf_counter() - began
        pace = max(pace, work * len(picked.history) / seconds)
        trained = _trained(picked, proposal.member, goodness, samples[1])
        each = Tried(number, proposal, trained, len(picked.history), seconds)
        state = searcher.tell(state, [each])
        yield _event_of(each)
        won += [each] if trained.is_sound else []
        number += 1
    return won


class _Plan(NamedTuple):
    """From when to when there is time, and how many networks come first."""

    began: float
    deadline: float
    n_designed: int


class _Turn(NamedTuple):
    """Until when the next network has time; and if it is one of before, from another start, how many of them
    there were."""

    until: float
    n_anew: int | None = None


def _next_turn(plan: _Plan, now: float, n_done: int, won: Sequence[Tried]) -> _Turn | None:
    """What comes behind so many; None: nothing more."""
    spare = plan.deadline - plan.began
    if math.isinf(spare):
        return _Turn(plan.deadline) if n_done < plan.n_designed else None
    is_searched = spare >= _SEARCHED
    n_first = plan.n_designed if is_searched else max(1, min(plan.n_designed, int(spare / _LONG_ENOUGH)))
    if n_done < n_first:
        end = plan.began + (_FIRSTS_FRACTION * spare if is_searched else spare)
        is_late = plan.deadline - now < _TOO_SHORT
        return None if is_late else _Turn(now + max(_TOO_SHORT, (end - now) / (n_first - n_done)))
    if is_searched and now - plan.began < (_FIRSTS_FRACTION + _CHILDREN_FRACTION) * spare:
        return _Turn(plan.deadline)
    needed = _COMPILING + _WORTH_AGAIN * max((each.seconds for each in won), default=math.inf)
    if plan.deadline - now <= needed:
        return None
    return _Turn(plan.deadline, sum(each.proposal.change == ANEW for each in won))


def _own(settings: Descent, proposal: Proposal, longest: int, fitting: float) -> Descent:
    """How one member is trained: before a deadline in as many epochs as fit, so that the learning rate has
    come down when they are over; what goes on from other params needs fewer than they took."""
    member, epochs = proposal.member, settings.epochs or 1
    most = epochs if math.isinf(fitting) else _MOST_EPOCHS
    if proposal.params is not None:
        most = max(_FEWEST_EPOCHS, math.ceil(_SHARE_OF_PARENT * max(longest, epochs)))
    n_epochs = int(min(most, max(1.0, fitting)))
    return replace(
        settings,
        epochs=n_epochs,
        patience=n_epochs if math.isfinite(fitting) else settings.patience,
        learning_rate=member.learning_rate,
        weight_decay=member.weight_decay,
        dropout=member.dropout,
    )


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
        "change": each.proposal.change,
        "parent": each.proposal.parent,
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


def _trained(picked: Picked, member: Member, goodness: Goodness, valid: Samples) -> Trained:
    """What was picked, judged sample by sample."""
    outputs = outputs_of(member.network, picked.params, valid.x)
    weight = 1.0 if valid.weight is None else valid.weight
    losses = weight * losses_of(goodness.for_judging, outputs, valid.y)
    hits = weight * np.asarray(goodness.for_judging.hits(jnp.asarray(outputs), jnp.asarray(valid.y)))
    best_epoch = picked.best_epoch if np.isfinite(losses).all() else 0
    return Trained(member, picked.params, best_epoch, losses, hits, picked.history, picked.outcome)
