"""The finals: the best begin anew, and noise does not decide against them."""

import itertools
import math
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import threestep as ts
from test_population import classes
from test_rungs import CROSS, tried_of
from threestep.pick import (
    Finals,
    Job,
    Member,
    Outcome,
    Population,
    Samples,
    Tried,
    distinct_ones,
    ended,
    hold_finals,
    kept_for_finals,
    preferred,
)
from threestep.pick.finals import _epochs_of, _going_on, _seconds_of, begun_anew
from threestep.pick.proposals import ANEW, LONGER
from threestep.study.ends import Ends, last_end
from threestep.study.picking import pick_some, surest

EPOCHS = 6


def anew_of(number, losses, parent=0, spec="16") -> Tried:
    """As if it had been trained anew to those losses."""
    own = tried_of(number, losses, spec, parent=parent)
    return Tried(number, own.proposal.__class__(own.trained.member, None, parent, ANEW), own.trained, 2, 0.25)


def numbers_of(tried):
    return [each.number for each in tried]


def of(population, tried, n_finals):
    """What comes of the finals, and the events on the way."""
    steps, events = hold_finals(population, tried, Finals(n_finals, EPOCHS), threading.Event()), []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events


@pytest.fixture(scope="module")
def crowd():
    with Population(CROSS, classes(), classes(30, seed=1), ts.Descent(batch_size=20)) as population:
        yield population


@pytest.fixture(scope="module")
def three():
    return [tried_of(4, [0.1] * 4, "16"), tried_of(9, [0.2] * 4, "12-r12 silu"), tried_of(7, [0.3] * 4, "")]


def test_the_best_are_trained_from_a_new_start_as_if_alone(crowd, three):
    won, events = of(crowd, three, 5)
    assert sorted(numbers_of(won)) == [10, 11, 12, 13, 14]
    by_number = {each.number: each for each in won}
    parents = [by_number[number].proposal.parent for number in range(10, 15)]
    assert parents == [4, 9, 7, 4, 9]  # each once before any is tried twice
    for each in won:
        parent = next(other for other in three if other.number == each.proposal.parent)
        member, before = each.trained.member, parent.trained.member
        assert member.network == before.network
        assert (member.learning_rate, member.dropout) == (before.learning_rate, before.dropout)
        assert member.seed != before.seed
        assert each.proposal.change == ANEW
        assert each.proposal.params is None
        (alone,) = ended(crowd.train([Job(member, EPOCHS)]))
        for own, other in zip(
            jax.tree.leaves(each.trained.params), jax.tree.leaves(alone.params), strict=True
        ):
            np.testing.assert_array_equal(own, other)
    assert len({each.trained.member.seed for each in won}) == 5
    assert [each.loss for each in won] == sorted(each.loss for each in won)
    last = events[-1]
    assert (last["event"], last["n_trained"], last["n_alive"], last["epochs"]) == ("final", 5, 5, EPOCHS)
    assert (last["best_number"], last["best_loss"]) == (won[0].number, won[0].loss)


def test_one_that_diverges_in_the_finals_is_left_out(crowd, three):
    wild = tried_of(1, [0.05] * 4, "16")
    member = Member(wild.trained.member.network, learning_rate=1e9, seed=3)
    wild = Tried(
        1, wild.proposal, wild.trained.__class__(member, *list(vars(wild.trained).values())[1:]), 2, 0.1
    )
    won, events = of(crowd, [wild, *three], 2)
    assert numbers_of(won) == [11]
    assert (events[-1]["n_trained"], events[-1]["n_alive"]) == (2, 1)


def test_without_time_there_are_none(crowd, three):
    crowd.deadline = time.perf_counter() - 1
    won, events = of(crowd, three, 4)
    crowd.deadline = float("inf")
    assert won == []
    assert events[-1]["best_loss"] is None


def test_with_a_deadline_they_go_on_until_it_comes(crowd, three):
    of(crowd, three, 2)  # compiles
    crowd.deadline = time.perf_counter() + 1.5
    won, events = of(crowd, three, 2)
    late, crowd.deadline = time.perf_counter() - crowd.deadline, float("inf")
    assert -0.3 < late < 1.0
    assert len(won) > 2
    assert len({each.number for each in won}) == len(won)
    assert all(event["seconds_left"] is not None for event in events if event["event"] == "tick")


def test_one_that_does_not_fit_has_fewer_epochs(crowd, three, monkeypatch):
    crowd.deadline, before = time.perf_counter() + 100.0, crowd.deadline
    monkeypatch.setattr(crowd.pace, "_n_together", 1)
    monkeypatch.setattr(crowd.pace, "of_counted", 1e9)  # as if each took for ever
    proposals = begun_anew(three, 0, 1)
    try:
        assert _epochs_of(crowd, proposals, Finals(1, EPOCHS)) == 1
        monkeypatch.setattr(crowd.pace, "of_counted", 1e-9)
        assert _epochs_of(crowd, proposals, Finals(1, EPOCHS)) == EPOCHS
        seconds = crowd.pace.core_seconds(Job(proposals[0].member, EPOCHS))
        monkeypatch.setattr(crowd.pace, "of_counted", 200.0 / 1.1 / seconds)  # twice what there is
        assert _epochs_of(crowd, proposals, Finals(1, EPOCHS)) == pytest.approx(EPOCHS / 2, abs=1)
    finally:
        crowd.deadline = before


def test_where_half_a_descent_does_not_fit_the_best_goes_on(crowd, three):
    tried, _ = of(crowd, three, 2)  # with params that learned
    crowd.deadline = time.perf_counter() + 1.0
    steps, events = hold_finals(crowd, tried, Finals(1, 1_000_000), threading.Event()), []
    try:
        while True:
            events.append(next(steps))
    except StopIteration as end:
        won = end.value
    finally:
        crowd.deadline = float("inf")
    assert won
    assert {each.proposal.change for each in won} == {LONGER}
    assert len({each.proposal.parent for each in won}) == len(won)
    first = next(each for each in won if each.number == 1 + max(numbers_of(tried)))
    assert first.proposal.parent == tried[0].number
    assert first.proposal.member == tried[0].trained.member
    assert first.proposal.params is tried[0].trained.params
    assert events[-1]["n_longer"] == events[-1]["n_alive"] == len(won)


def test_they_end_when_measuring_needs_what_is_left(crowd, three, monkeypatch):
    n, how = 1_000_000, replace(ts.Settings(), ensemble=2, folds=1, calibrate=False)
    ends = Ends(any=5.0, dense=10.0, unmeasured=100.0, n_samples=n)

    def last(pace, designed=()):
        monkeypatch.setattr(crowd.pace, "_quickest", {None: pace})
        return last_end(ends, three, designed, crowd, how)

    # forward is a third of the work of a step, here of 20 samples
    (own,) = {each.trained.member for each in three if len(each.trained.member.network.hidden) == 2}
    monkeypatch.setattr(crowd.pace, "_quickest", {None: 1.0})
    monkeypatch.setattr(crowd.pace, "_seconds_per_step", lambda job: 60.0 if job.member is own else 1.0)
    assert crowd.seconds_to_say(own) == pytest.approx(60.0 / 3 / 20)
    monkeypatch.undo()

    quick, slow = last(1e-9), last(1.0)
    assert quick == pytest.approx(100.0 - 2 * n * 2e-6, abs=0.1)
    largest = max(crowd.seconds_to_say(each.trained.member) for each in three)
    assert slow == pytest.approx(quick - 2 * n * largest, abs=0.1)
    assert last(1e9) < ends.dense  # a slow machine is believed, too
    assert last_end(ends, [], [], crowd, how) == ends.any
    convolution = SimpleNamespace(trained=SimpleNamespace(member=SimpleNamespace(network=picture_network())))
    monkeypatch.setattr("threestep.study.ends.surest", lambda *_: convolution)
    assert last(1.0, [convolution]) == ends.any
    monkeypatch.setattr("threestep.study.ends.surest", lambda tried, *_: tried[0])
    assert last(1.0, [convolution]) == slow
    monkeypatch.setattr("threestep.study.ends.is_cpu", lambda: False)
    assert last(1.0) == ends.dense


def picture_network():
    return ts.network.parse("conv8", (8, 8), 3)


def test_one_alone_takes_as_long_as_on_one_of_the_workers(crowd, three, monkeypatch):
    monkeypatch.setattr(crowd.pace, "of_counted", 1.0)
    monkeypatch.setattr(crowd.pace, "_n_together", 4)
    members = [each.trained.member for each in three]
    costs = [crowd.pace.core_seconds(Job(member, EPOCHS)) for member in members]
    first, both, *_ = _seconds_of(crowd, [members[0]] * 8, Finals(8, EPOCHS))
    assert first == both == pytest.approx(1.1 * 4 * costs[0])
    assert _seconds_of(crowd, [members[0]] * 8, Finals(8, EPOCHS))[-1] == pytest.approx(1.1 * 8 * costs[0])


def test_each_goes_on_once_the_preferred_one_first(crowd, three):
    won = [anew_of(12, [0.1] * 4, parent=4), went_on(tried_of(13, [0.01] * 4, parent=4))]
    able = _going_on([*won, *three], [])
    assert [each.parent for each in able] == [12, 4, 9, 7]  # nobody goes on twice, whole ones come first
    assert {each.change for each in able} == {LONGER}
    assert [each.parent for each in _going_on(three, able[:2])] == [9, 7]
    assert _going_on([each.without_params() for each in three], []) == []


def went_on(tried: Tried) -> Tried:
    """As if it had gone on."""
    return replace(tried, proposal=replace(tried.proposal, change=LONGER))


def test_where_no_call_fits_they_end_at_once(crowd, three, monkeypatch):
    crowd.deadline = time.perf_counter() + 60.0
    monkeypatch.setattr("threestep.pick.waiting.Waiting._would_be_late", lambda *_: True)
    began = time.perf_counter()
    won, events = of(crowd, three, 2)
    crowd.deadline = float("inf")
    assert won == []
    assert events[-1]["n_trained"] == 0
    assert time.perf_counter() - began < 30.0


def test_a_search_leaves_time_for_them_at_its_own_pace(crowd, three):
    def cost(n):
        jobs = [Job(each.trained.member, EPOCHS) for each, _ in zip(itertools.cycle(three), range(n))]
        return 1.1 * sum(map(crowd.pace.seconds, jobs))

    assert kept_for_finals(crowd, three, Finals(5, EPOCHS), 1e6) == pytest.approx(cost(5))
    assert kept_for_finals(crowd, three, Finals(5, EPOCHS), 1.001 * cost(3) / 0.3) == pytest.approx(cost(3))
    assert kept_for_finals(crowd, three, Finals(5, EPOCHS), 1.001 * cost(1) / 0.3) == 0  # one alone is none
    assert kept_for_finals(crowd, three, Finals(0), 1e6) == kept_for_finals(crowd, [], Finals(5), 1e6) == 0
    assert kept_for_finals(crowd, three, Finals(5, EPOCHS), math.inf) == 0


@pytest.mark.parametrize(("changes", "wanted"), [({}, 1), ({"calibrate": False}, 0)])
def test_who_is_right_but_not_sure_enough_is_picked_where_outputs_are_calibrated(changes, wanted):
    """Each class has an input of its own, twice over; the first of the two is wrong now and then."""
    y = np.arange(40, dtype=np.int32) % 3
    seen = np.where(np.arange(40) % 10 == 0, (y + 1) % 3, y)
    valid = Samples(np.concatenate([np.eye(3)[seen], np.eye(3)[y]], axis=1).astype(np.float32), y)
    sure, unsure = np.zeros((2, 6, 3), np.float32)
    sure[:3], unsure[3:] = 3 * np.eye(3), 0.5 * np.eye(3)
    tried = []
    for number, weight in enumerate((sure, unsure)):
        logits = valid.x @ weight
        losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(40), y]
        each = anew_of(number, losses, spec="")
        params = ({"weight": weight, "bias": np.zeros(3, np.float32)},)
        tried.append(replace(each, trained=replace(each.trained, params=params)))
    assert tried[0].loss < tried[1].loss
    settings = ts.Settings(ensemble=1, **changes)
    chosen, everything = ended(pick_some(tried, CROSS, valid, settings))
    assert numbers_of(chosen) == [wanted]
    assert numbers_of(everything) == [wanted, 1 - wanted]
    assert surest(tried, CROSS, valid, settings).number == wanted


def test_one_that_was_cut_short_is_not_preferred():
    whole, cut = anew_of(5, [1.1, 0.9, 1.0, 1.0]), anew_of(6, [1.0, 1.0, 1.1, 0.8])
    cut = replace(cut, trained=replace(cut.trained, outcome=Outcome.OUT_OF_TIME))
    assert numbers_of(preferred([tried_of(0, [0.9, 1.1, 0.9, 0.95]), cut, whole])) == [5, 0, 6]


def test_none_is_preferred_to_a_better_final_that_lost():
    noisy = anew_of(6, [0.0, 0.2, 3.5, 1.3])  # worse than 5, but it might be noise
    tried = [tried_of(0, [1.0, 1.01, 0.99, 1.0]), anew_of(5, [1.1, 1.11, 1.09, 1.1]), noisy]
    assert numbers_of(preferred(tried)) == [0, 5, 6]


def test_each_is_compared_with_the_best():
    tried = [tried_of(0, [1.0] * 4), anew_of(5, [1.2, 0.9, 1.3, 1.0]), anew_of(6, [3.0, 3.1, 2.9, 3.0])]
    assert numbers_of(preferred(tried)) == [5, 0, 6]


@pytest.mark.parametrize(
    ("anew", "wanted"),
    [
        ([1.2, 0.9, 1.3, 1.0], [5, 0, 1]),  # worse than the best by less than the noise
        ([1.9, 2.1, 2.0, 2.2], [0, 1, 5]),  # worse without a doubt
        ([0.5, 0.5, 0.5, 0.5], [5, 0, 1]),  # better
    ],
)
def test_those_trained_anew_are_preferred_unless_they_are_worse_without_a_doubt(anew, wanted):
    tried = [tried_of(0, [1.0, 1.0, 1.0, 1.0]), tried_of(1, [1.5, 1.5, 1.5, 1.5]), anew_of(5, anew)]
    assert numbers_of(preferred(tried)) == wanted
    assert numbers_of(preferred(tried[::-1])) == wanted


def test_without_finals_the_best_comes_first():
    tried = [tried_of(2, [0.3] * 4), tried_of(0, [0.1] * 4), tried_of(1, [0.2] * 4)]
    assert numbers_of(preferred(tried)) == [0, 1, 2]


def test_an_ensemble_takes_different_ones_in_the_order_of_preference():
    tried = [anew_of(5, [0.4] * 4, parent=0), tried_of(0, [0.1] * 4), anew_of(6, [0.5] * 4, parent=0)]
    tried += [tried_of(3, [0.2] * 4)]
    assert numbers_of(distinct_ones(tried, 2)) == [5, 0]  # what was trained anew inherits nothing
    assert numbers_of(distinct_ones(tried, 3)) == [5, 0, 6]


def test_a_search_picks_one_that_was_trained_anew_and_lists_it_first():
    run = ts.fit(
        "iris", effort="thorough", calibrate=False, ensemble=1, seed=0, widths=(16, 16), depths=(0, 2)
    )
    first, told = run.leaderboard[0], [each for each in run.events if each["event"] == "final"]
    assert len(told) == 1
    anew = [row for row in run.leaderboard if row["change"] == ANEW]
    assert len(anew) == told[0]["n_alive"] >= 2
    assert first["change"] == ANEW
    assert first["valid_loss"] == min(row["valid_loss"] for row in anew)
    assert run.scores["valid"]["loss"] == pytest.approx(first["valid_loss"], rel=1e-5)
