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
from concurrent.futures import Future, wait
from dataclasses import replace
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from threestep.goodness import Goodness
from threestep.network import Network, spec_of
from threestep.pick.descent import Picked, compile_ahead, descend, losses_of, outputs_of
from threestep.pick.finals import begun_anew
from threestep.pick.members import Member, Trained
from threestep.pick.program import EpochRow
from threestep.pick.proposals import DESIGNED, Field, Proposal, Searcher, Tried
from threestep.pick.samples import Samples, checked
from threestep.settings import Descent

_TOO_SHORT = 1.0  # seconds, in which no program is compiled
_COMPILING = 3.0  # seconds
_LOOK_SECONDS = 0.1
_WORK_PER_SECOND = 6e10  # floating-point operations of a middling machine, before the own pace is known
_MOST_EPOCHS = 200
_WORTH_AGAIN = 1 / 4  # of a usual descent: less time than that is left for others
_SEARCHED = 4  # usual descents that must fit in behind the first ones, for children to be tried
_SEARCHED_FRACTION = 0.4  # of the time behind the first ones, for those
_MOST_ANEW = 4  # that the rest of the time is divided among
_SHARE_OF_PARENT, _FEWEST_EPOCHS = 1 / 3, 3  # of its epochs, for what goes on from its params


class Designs(NamedTuple):
    """How networks with convolutions are tried.

    Parameters
    ----------
    wanted : Field
        What may be proposed; those of `wanted.designed` first.
    goodness : Goodness
    samples : (Samples, Samples)
        To learn from, which may be more than a search sees, and to choose by, the same as there.
    settings : Descent
        But for what members differ in.
    most_epochs : int or None
        Of each that begins anew, where a deadline leaves time for more than the settings say; None: as usual.
    """

    wanted: Field
    goodness: Goodness
    samples: tuple[Samples, Samples]
    settings: Descent
    most_epochs: int | None = None


def try_designed(
    searcher: Searcher,
    designs: Designs,
    tried: Sequence[Tried],
    deadline: float,
    stop: Event,
    ahead: Future[None] | None = None,
) -> Generator[dict[str, Any], None, list[Tried]]:
    """Train networks with convolutions.

    Parameters
    ----------
    searcher : Searcher
        Proposes those behind the first ones; see `threestep.pick.searchers`.
    designs : Designs
    tried : sequence of Tried
        What was tried before, best first; perhaps nothing.
    deadline : float
        On the clock of `time.perf_counter`; infinite if there is none.
    stop : Event
        Ends it earlier, with the best so far.
    ahead : Future or None
        The compile of the first one, if it has begun before: see `compile_designed`.

    Yields
    ------
    dict
        "tick": epochs done, of how many; "designed": one line of the journal for each network.

    Returns
    -------
    list of Tried
        Those that ended with a finite loss.
    """
    shared, firsts = _Shared(designs, deadline, stop), designs.wanted.designed
    clock = _Clock(time.perf_counter(), deadline, designs.settings.epochs or 1, len(designs.samples[0].y))
    state, won = searcher.init(designs.wanted), list[Tried]()
    first = 1 + max((each.number for each in tried), default=-1)
    n_asked = n_anew = 0
    while not stop.is_set():
        turn = _next_turn(clock, time.perf_counter(), firsts, n_asked, won)
        if turn is None:
            break
        number, best_loss = first + n_asked + n_anew, _best_loss(tried, won)
        if turn.is_anew:
            (proposal,) = begun_anew(sorted(won, key=lambda each: each.loss), n_anew, 1)
            most, n_anew = designs.most_epochs or _MOST_EPOCHS, n_anew + 1
        else:
            state, (proposal,) = searcher.ask(state, 1)
            most, n_asked = _most_epochs(clock, proposal, won), n_asked + 1
            if not (yield from _compiled(proposal, most, clock, best_loss, shared, ahead)):
                break
            ahead = None
        fitting = clock.epochs_in(turn.until - time.perf_counter(), proposal.member.network)
        own = _own(designs.settings, proposal, most, fitting)
        each = yield from _descended(number, proposal, own, turn.until, best_loss, shared)
        clock = clock.after(each)
        state = state if turn.is_anew else searcher.tell(state, [each])
        won += [each] if each.trained.is_sound else []
        yield _event_of(each)
    return won


def compile_designed(designs: Designs) -> Future[None]:
    """Begin to compile what `try_designed` needs first; its `ahead`."""
    first, settings = designs.wanted.designed[0], designs.settings
    own = _own(settings, Proposal(first), settings.epochs or 1, math.inf)
    return compile_ahead(first.network, designs.goodness, *designs.samples, own)


class _Shared(NamedTuple):
    """What all of them have in common; the deadline, and what ends them earlier."""

    designs: Designs
    deadline: float
    stop: Event


class _Turn(NamedTuple):
    """Until when the next network has time, and whether it is one of before, from another start."""

    until: float
    is_anew: bool = False


class _Clock(NamedTuple):
    """When those that people design came to their end, so far; until when there is time, the usual number of
    epochs, samples in each, and floating-point operations per second in the fastest descent so far."""

    firsts_end: float
    deadline: float
    epochs: int
    n_samples: int
    pace: float | None = None

    def seconds_of(self, network: Network, epochs: int | None = None) -> float:
        """What a network takes for so many epochs, or the usual number of them."""
        return (epochs or self.epochs) / self.epochs_in(1.0, network)

    def epochs_in(self, seconds: float, network: Network) -> float:
        return seconds * (self.pace or _WORK_PER_SECOND) / self._work(network)

    def after(self, each: Tried) -> "_Clock":
        """With what was seen of one more."""
        pace = self._work(each.proposal.member.network) * each.epochs / each.seconds
        is_first = each.proposal.change == DESIGNED
        firsts_end = time.perf_counter() if is_first else self.firsts_end
        return self._replace(pace=max(self.pace or 0.0, pace) or None, firsts_end=firsts_end)

    def _work(self, network: Network) -> float:
        """Of an epoch: forward, and twice as much backward."""
        return 6.0 * network.n_products * self.n_samples


def _next_turn(
    clock: _Clock, now: float, designed: Sequence[Member], n_asked: int, won: Sequence[Tried]
) -> _Turn | None:
    """What comes behind so many; None: nothing more.

    The first one gets the time it usually needs, if it must be all there is; each of the next begins only if
    as much is left: half-trained ones say nothing.
    """
    left, following = clock.deadline - now, designed[n_asked : n_asked + 1]
    if left < (_COMPILING if n_asked == 0 else _TOO_SHORT):
        return None
    if n_asked == 0 or any(_COMPILING + clock.seconds_of(each.network) <= left for each in following):
        return _Turn(clock.deadline)
    return _turn_of_others(clock, now, won, not following) if won and math.isfinite(left) else None


def _turn_of_others(clock: _Clock, now: float, won: Sequence[Tried], may_search: bool) -> _Turn | None:
    """A child, while it is their time, or the best anew; None: too little time is left for either."""
    left = clock.deadline - now
    needed = clock.seconds_of(min(won, key=lambda each: each.loss).proposal.member.network)
    behind = clock.deadline - clock.firsts_end - 2 * _COMPILING
    if may_search and behind >= _SEARCHED * needed and now < clock.firsts_end + _SEARCHED_FRACTION * behind:
        return _Turn(clock.deadline)
    if left <= _WORTH_AGAIN * needed:
        return None
    n_fitting = max(1, min(_MOST_ANEW, int(left / needed)))
    return _Turn(now + left / n_fitting, is_anew=True)


def _most_epochs(clock: _Clock, proposal: Proposal, won: Sequence[Tried]) -> int:
    """The usual number; of what goes on from other params a share of what the longest had."""
    if proposal.params is None:
        return clock.epochs
    longest = max(clock.epochs, *(len(each.trained.history) for each in won))
    return max(_FEWEST_EPOCHS, math.ceil(_SHARE_OF_PARENT * longest))


def _own(settings: Descent, proposal: Proposal, most: int, fitting: float) -> Descent:
    """How one member is trained: before a deadline in as many epochs as fit, so that the learning rate has
    come down when they are over."""
    member, n_epochs = proposal.member, int(min(most, max(1.0, fitting)))
    return replace(
        settings,
        epochs=n_epochs,
        patience=settings.patience or n_epochs,
        learning_rate=member.learning_rate,
        weight_decay=member.weight_decay,
        dropout=member.dropout,
        drop_path=settings.drop_path if member.network.n_blocks else 0.0,
    )


def _descended(
    number: int, proposal: Proposal, own: Descent, until: float, best_loss: float | None, shared: _Shared
) -> Generator[dict[str, Any], None, Tried]:
    """One descent, until its own deadline."""
    began, member, designs = time.perf_counter(), proposal.member, shared.designs
    given = designs.goodness, *designs.samples, own, member.seed, until, proposal.params
    descent = descend(member.network, *given)
    picked = yield from _followed(descent, _tick(spec_of(member.network), own, best_loss), shared)
    seconds = time.perf_counter() - began
    trained = _trained(picked, member, designs.goodness, designs.samples[1])
    return Tried(number, proposal, trained, len(picked.history), seconds)


def _compiled(
    proposal: Proposal,
    most: int,
    clock: _Clock,
    best_loss: float | None,
    shared: _Shared,
    ahead: Future[None] | None,
) -> Generator[dict[str, Any], None, bool]:
    """Whether a network's program is compiled before it is too late for a part of so many epochs. A compile
    cannot be broken off: one that is late goes on unheeded."""
    network, designs = proposal.member.network, shared.designs
    own = _own(designs.settings, proposal, most, math.inf)
    latest = shared.deadline - _WORTH_AGAIN * clock.seconds_of(network, most)
    ahead = ahead or compile_ahead(network, designs.goodness, *designs.samples, own)
    tick = _tick(f"compiling {spec_of(network)}", own, best_loss)
    while not wait([ahead], _LOOK_SECONDS).done:
        if time.perf_counter() >= latest or shared.stop.is_set():
            return False
        yield tick | {"n_done": 0, "seconds_left": _seconds_left(shared)}
    ahead.result()
    return True


def _best_loss(tried: Sequence[Tried], won: Sequence[Tried]) -> float | None:
    """Of what was tried before, best first, and of those here; None: there is nothing."""
    return min([each.loss for each in (*tried[:1], *won)], default=None)


def _tick(what: str, own: Descent, best_loss: float | None) -> dict[str, Any]:
    """What is told while a network is trained, but for how far it has come."""
    facts = {"what": what, "epochs": own.epochs, "n": own.epochs, "best_loss": best_loss}
    return {"event": "tick", "round": None, **facts}


def _seconds_left(shared: _Shared) -> float | None:
    """Until the deadline of all; None where there is none."""
    left = shared.deadline - time.perf_counter()
    return max(0.0, left) if math.isfinite(left) else None


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
    descent: Generator[list[EpochRow], None, Picked], tick: dict[str, Any], shared: _Shared
) -> Generator[dict[str, Any], None, Picked]:
    """A descent to its end, or to where it is told to stop."""
    n_done, has_begun = 0, False
    while True:
        try:
            # what has not begun yet cannot end with the best so far
            is_over = shared.stop.is_set() and has_begun
            rows = descent.throw(KeyboardInterrupt) if is_over else next(descent)
            has_begun = True
        except StopIteration as end:
            return end.value
        n_done += len(rows)
        yield tick | {"n_done": n_done, "seconds_left": _seconds_left(shared)}


def _trained(picked: Picked, member: Member, goodness: Goodness, valid: Samples) -> Trained:
    """What was picked, judged sample by sample."""
    valid = checked(goodness, valid)
    outputs = outputs_of(member.network, picked.params, valid.x)
    weight = 1.0 if valid.weight is None else valid.weight
    losses = weight * losses_of(goodness.for_judging, outputs, valid.y)
    hits = weight * goodness.for_judging.hits(outputs, valid.y)
    best_epoch = picked.best_epoch if np.isfinite(losses).all() else 0
    return Trained(member, picked.params, best_epoch, losses, hits, picked.history, picked.outcome)
