"""A search: who climbs, what is told on the way, and what ends it."""

import hashlib
import itertools
import json
import math
import threading
import time
from dataclasses import replace

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given

import threestep as ts
from threestep.goodness import share_interval
from threestep.pick import (
    Field,
    Job,
    Member,
    Outcome,
    Plan,
    Population,
    Proposal,
    Searcher,
    Trained,
    Tried,
    distinct_ones,
    leaderboard,
    population,
    programs,
    repeats_of,
    rungs,
    rungs_of,
    search,
    searcher_of,
)
from threestep.pick.ranking import better_ones
from threestep.settings import Space

CROSS = ts.goodness.Goodness("cross_entropy")
WANTED = Field(Space((0, 4), (16, 16), dropouts=(0.0, 0.0)), (6,), 3, seed=1)  # of two programs in all
PLAN = Plan(9, (2, 4, 8), n_rounds=2)


# Made by hand


def tried_of(number, losses, spec="16", parent=None, hits=None, epochs=2) -> Tried:
    """As if it had been trained to those losses; None: it diverged."""
    member = Member(ts.network.parse(spec, (6,), 3), seed=number)
    own = np.zeros(4, np.float32) if losses is None else np.asarray(losses, np.float32)
    hits = np.ones(len(own), np.float32) if hits is None else np.asarray(hits, np.float32)
    outcome = Outcome.DIVERGED if losses is None else Outcome.FINISHED
    trained = Trained(member, member.network.init(number), int(losses is not None), own, hits, [], outcome)
    change = "random" if parent is None else "rates changed"
    return Tried(number, Proposal(member, None, parent, change), trained, epochs, 0.25)


def numbers_of(tried):
    return [each.number for each in tried]


# Rungs


@pytest.mark.parametrize(
    ("epochs", "wanted"),
    [
        (1, (1,)),
        (2, (2,)),
        (6, (6,)),
        (7, (3, 7)),
        (24, (3, 8, 24)),
        (80, (9, 27, 80)),
        (9000, (1000, 3000, 9000)),
    ],
)
def test_each_rung_is_a_third_of_the_next(epochs, wanted):
    assert rungs_of(epochs) == wanted


@given(st.integers(1, 10**6))
def test_rungs_end_with_the_full_training_and_are_worth_their_start(epochs):
    own = rungs_of(epochs)
    assert own[-1] == epochs
    assert 1 <= len(own) <= 3
    assert all(lower == math.ceil(upper / 3) >= 3 for lower, upper in itertools.pairwise(own))


# The better ones


HARD = np.random.default_rng(0).exponential(1.0, 50)  # how hard each validation sample is


def clearly(number, add):
    """Worse by that much on every sample, with next to no noise."""
    return tried_of(number, HARD + add + np.random.default_rng(number).normal(0, 1e-3, 50))


def noisily(number, add=0.0):
    """Worse by that much, with noise that hides it."""
    noise = np.random.default_rng(number).normal(0, 0.5, 50)
    return tried_of(number, HARD + add + noise - noise.mean())


@pytest.mark.parametrize(("n", "n_kept"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 3), (10, 4), (18, 6)])
def test_the_better_third_climbs(n, n_kept):
    order = np.random.default_rng(n).permutation(n)
    tried = [clearly(int(number), 0.1 * number) for number in order]
    assert numbers_of(better_ones(tried)) == list(range(n_kept))


def test_noise_does_not_decide():
    """The fourth is as good as the third for all that is known; the fifth would be one too many."""
    tried = [noisily(number, 0.001 * number) for number in range(9)]
    assert numbers_of(better_ones(tried)) == [0, 1, 2, 3]
    told_apart = [*tried[:3], *(clearly(number, 1 + number) for number in range(3, 9))]
    assert numbers_of(better_ones(told_apart)) == [0, 1, 2]


@pytest.mark.parametrize(("n_errors", "n_better"), [(0.9, 4), (1.1, 3)])
def test_up_to_one_standard_error_of_the_difference_is_noise(n_errors, n_better):
    swing = np.tile([1.0, -1.0], 25)
    third, fourth = (
        tried_of(2, HARD + 1),
        tried_of(3, HARD + 1 + swing + n_errors * swing.std(ddof=1) / 50**0.5),
    )
    others = [clearly(number, 0.5 * number) for number in (0, 1)] + [clearly(n, n) for n in range(4, 9)]
    assert numbers_of(better_ones([*others, third, fourth])) == [0, 1, 2, 3][:n_better]


def test_differences_are_seen_through_what_all_find_hard():
    """A hundredth is far less than the losses' own noise, but not than that of their difference."""
    tried = [clearly(number, 0.01 * number) for number in range(9)]
    assert 0.1 * HARD.std() / 50**0.5 > 0.01
    assert numbers_of(better_ones(tried)) == [0, 1, 2]


def test_those_that_diverged_never_climb():
    tried = [tried_of(0, None), clearly(1, 0.3), tried_of(2, None), clearly(3, 0.2)]
    assert numbers_of(better_ones(tried)) == [3]
    assert better_ones([tried_of(0, None)]) == better_ones([]) == []


@given(st.lists(st.floats(0, 1), max_size=30), st.sampled_from([1e-4, 0.1, 1.0]))
def test_a_third_to_a_half_climbs_and_always_the_best(adds, noise):
    rng = np.random.default_rng(0)
    tried = [tried_of(at, HARD + add + rng.normal(0, noise, 50)) for at, add in enumerate(adds)]
    better, ranked = better_ones(tried), sorted(tried, key=lambda each: each.loss)
    n_kept = math.ceil(len(tried) / 3)
    assert n_kept <= len(better) <= 1.5 * n_kept
    assert numbers_of(better[:n_kept]) == numbers_of(ranked[:n_kept])
    assert set(numbers_of(better)) <= set(numbers_of(ranked[: int(1.5 * n_kept)]))


# Distinct ones


def test_neither_parents_nor_siblings_are_averaged_if_there_are_others():
    tried = [
        tried_of(7, [0.1], parent=3),
        tried_of(3, [0.2]),  # its parent
        tried_of(8, [0.3], parent=3),  # its sibling
        tried_of(9, [0.4], parent=7),  # its child
        tried_of(4, [0.5]),
        tried_of(11, [0.6], parent=9),  # its grandchild
    ]
    assert numbers_of(distinct_ones(tried, 1)) == [7]
    assert numbers_of(distinct_ones(tried, 2)) == [7, 4]
    assert numbers_of(distinct_ones(tried, 3)) == [7, 4, 11]
    assert numbers_of(distinct_ones(tried, 4)) == [7, 3, 4, 11]  # the best relative, in its place
    assert numbers_of(distinct_ones(tried, 6)) == numbers_of(distinct_ones(tried, 99)) == numbers_of(tried)


def test_all_that_have_no_parent_are_distinct():
    tried = [tried_of(number, [0.1 * number]) for number in range(5)]
    assert numbers_of(distinct_ones(tried, 3)) == [0, 1, 2]
    assert distinct_ones([], 3) == []


@given(st.lists(st.none() | st.integers(0, 11), max_size=12), st.integers(1, 14), st.randoms())
def test_distinct_ones_are_as_many_as_asked_for_and_sorted(parents, n, random):
    tried = [
        tried_of(number, [random.random()], parent=None if parent is None or parent >= number else parent)
        for number, parent in enumerate(parents)
    ]
    tried.sort(key=lambda each: each.loss)
    chosen = distinct_ones(tried, n)
    assert len(set(numbers_of(chosen))) == len(chosen) == min(n, len(tried))
    assert [each.loss for each in chosen] == sorted(each.loss for each in chosen)
    assert not tried or chosen[0] is tried[0]


# The leaderboard


def test_rows_say_all_about_a_member():
    hits = [1, 1, 1, 0]
    parent, child = tried_of(2, [0.4, 0.8], "16-r16 silu"), tried_of(5, [0.2, 0.1, 0.3, 0.2], "", 2, hits)
    first, second = leaderboard([child, parent])
    low, high = share_interval(0.75, 4)
    assert first == {
        "rank": 1, "number": 5, "network": "", "n_inputs": 6, "n_params": 21, "n_products": 18,
        "valid_loss": pytest.approx(0.2), "valid_score": 0.75, "score_low": low, "score_high": high,
        "learning_rate": 3e-3, "weight_decay": 0.01, "dropout": 0.0, "epochs": 2, "seconds": 0.25,
        "parent": 2, "change": "rates changed", "gain": pytest.approx(0.4), "on_front": True,
    }  # fmt: skip
    assert (second["rank"], second["network"], second["gain"]) == (2, "16-r16 silu", None)
    assert second["change"] == "random"
    assert json.loads(json.dumps([first, second])) == [first, second]
    assert leaderboard([]) == []


def test_a_gain_needs_a_parent_that_is_there():
    (row,) = leaderboard([tried_of(5, [0.2], parent=2)])
    assert (row["parent"], row["gain"]) == (2, None)


def test_a_score_of_numbers_has_no_interval_of_a_share():
    (row,) = leaderboard([tried_of(0, [0.2, 0.4], hits=[-0.4, -0.8])])
    assert row["valid_score"] == pytest.approx(-0.6)
    assert (row["score_low"], row["score_high"]) == (None, None)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 50)), max_size=12, unique=True))
def test_on_the_front_are_those_no_other_beats_in_size_and_loss(members):
    tried = [tried_of(at, [loss / 50], str(width)) for at, (width, loss) in enumerate(members)]
    tried.sort(key=lambda each: each.loss)
    rows = leaderboard(tried)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        own = (row["n_params"], row["valid_loss"])
        others = [(other["n_params"], other["valid_loss"]) for other in rows if other is not row]
        beaten = any(n_params <= own[0] and loss <= own[1] for n_params, loss in others)
        assert row["on_front"] == (not beaten)


def test_of_structures_in_folds_only_such_are_on_the_front():
    lucky, small, large, worse = (
        tried_of(place, losses, spec)
        for place, (losses, spec) in enumerate(
            [([0.1] * 2, "8"), ([0.4] * 4, "16"), ([0.3] * 4, "32"), ([0.5] * 4, "64")]
        )
    )
    rows = leaderboard([lucky, large, small, worse])
    assert [row["number"] for row in rows if row["on_front"]] == [2, 1]


# What another minute would bring


def gain_after(*falls, first_round=0):
    log = rungs._Log(math.inf, math.inf, threading.Event(), first_round=first_round)
    log.falls.extend(falls)
    return log.minute_gain()


def test_another_minute_brings_what_the_last_doubling_of_the_time_promises():
    assert gain_after((30, 2.0), (60, 1.0)) == pytest.approx(0.5)
    assert gain_after((30, 2.0), (40, 1.0), (60, 1.0)) == pytest.approx(0.5)
    assert gain_after((60, 2.0), (120, 1.0)) == pytest.approx(1 - 0.5 ** np.log2(1.5))
    assert gain_after((1, 2.0), (2, 1.0)) == pytest.approx(0.5)  # of more doublings nothing is known
    assert gain_after((10, 1.0), (20, 1.0)) == 0.0
    assert gain_after((10, 0.0), (20, 0.0)) == 0.0


def test_too_little_to_tell_what_another_minute_would_bring():
    assert gain_after((1, 2.0)) is None
    assert gain_after((15, 2.0), (20, 1.0)) is None
    assert gain_after((10, math.inf), (20, 1.0)) is None
    assert gain_after((5, 2.0), (9, 1.0), (11, 0.9), first_round=9) is None
    assert gain_after((5, 2.0), (9, 1.0), (20, 0.9), first_round=9) == pytest.approx(0.09)
    assert gain_after((10, 1.0), (20, -1.0)) is None
    assert gain_after((1, math.inf), (2, math.inf)) is None


# A search


def classes(n_samples=48, seed=0):
    """x (n_samples, 6) and three classes that depend on it, with some noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, 6)).astype(np.float32)
    return x, (x[:, :3] + 0.5 * rng.normal(size=(n_samples, 3))).argmax(axis=1)


def people(**others) -> Population:
    return Population(CROSS, classes(), classes(30, seed=1), ts.Descent(batch_size=20), **others)


@pytest.fixture(scope="module")
def crowd():
    """One population for all tests that need no other."""
    own = people()
    yield own
    own.close()


def searched(own, searcher, plan=PLAN, wanted=WANTED, stop=None, look=None):
    """What was tried, and the events on the way; `look` is called with them after each."""
    steps, events = search(own, searcher, wanted, plan, stop), []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return end.value, events
        if look is not None:
            look(events)
        assert events[-1].get("round") < 50, "it does not end"


def rungs_among(events):
    return [event for event in events if event["event"] == "rung"]


def digest(tree) -> str:
    return hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree))).hexdigest()


def bits(tried):
    """All that follows from the seed: the clock's seconds do not."""
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in leaderboard(tried)]
    return [(row, digest(each.trained.params)) for row, each in zip(rows, tried, strict=True)]


@pytest.fixture
def climbs(crowd, monkeypatch):
    """The jobs and their results, rung by rung, of all that the crowd trains: a list that grows."""
    seen, train = [], crowd.train

    def watched(jobs, stop=None):
        trained = yield from train(jobs, stop)
        seen.append((jobs, trained))
        return trained

    monkeypatch.setattr(crowd, "train", watched)
    return seen


def always(*proposals) -> Searcher:
    """Proposes the same in every round; its state counts the rounds and what it was told."""
    return Searcher(
        lambda _: (0, 0),
        lambda state, n_members: ((state[0] + 1, state[1]), list(proposals[:n_members])),
        lambda state, tried: (state[0], state[1] + len(tried)),
    )


def member(spec, seed=0, **rates) -> Member:
    return Member(ts.network.parse(spec, (6,), 3), seed=seed, **rates)


SPOILT = tuple({name: np.full_like(own[name], 1e30) for name in own} for own in member("16").network.init(0))
"""From there no descent comes back."""


@pytest.mark.parametrize(
    "searcher",
    [
        searcher_of("random"),
        searcher_of("evolution"),
        repeats_of(member("16")),
        always(*(Proposal(member("16", seed)) for seed in range(9))),
    ],
    ids=["random", "evolution", "repeats", "always"],
)
def test_any_searcher_can_be_put_in_place_of_another(crowd, searcher):
    tried, events = searched(crowd, searcher)
    assert sorted(numbers_of(tried)) == list(range(18))
    assert [each.loss for each in tried] == sorted(each.loss for each in tried)
    assert len(rungs_among(events)) == 6
    assert len(leaderboard(tried)) == 18
    x, y = classes(30, seed=1)
    for each in tried:
        assert each.trained.member == each.proposal.member
        outputs = each.trained.member.network.predict(each.trained.params, x)
        own = ts.pick.losses_of(CROSS, outputs, y.astype(np.int32))
        np.testing.assert_allclose(each.trained.losses, own, rtol=1e-4, atol=1e-5)


def test_events_tell_how_far_it_is(monkeypatch, crowd):
    monkeypatch.setattr(population, "_LOOK_SECONDS", 1e-6)
    tried, events = searched(crowd, searcher_of("evolution"))
    assert json.loads(json.dumps(events)) == events  # plain data, for the journal
    ticks = [event for event in events if event["event"] == "tick"]
    assert ticks
    for tick in ticks:
        assert list(tick) == [
            "event", "round", "rung", "epochs", "n", "best_loss", "n_done", "seconds", "seconds_left"
        ]  # fmt: skip
        assert 0 <= tick["n_done"] <= tick["n"] <= 9
        assert tick["epochs"] == PLAN.rungs[tick["rung"] - 1]
        assert tick["seconds_left"] is None
    rows = rungs_among(events)
    assert [(row["round"], row["rung"]) for row in rows] == [(a, b) for a in (1, 2) for b in (1, 2, 3)]
    for row in rows:
        assert list(row) == [
            "event", "round", "rung", "n_rungs", "epochs", "n_tried", "n_trained", "n_alive", "n_diverged", "best_number",
            "best_network", "best_loss", "best_score", "seconds", "seconds_left", "minute_gain",
        ]  # fmt: skip
        assert (row["n_rungs"], row["epochs"]) == (3, PLAN.rungs[row["rung"] - 1])
        assert row["n_tried"] == 9 * row["round"]
        assert (row["n_alive"], row["n_diverged"]) == (row["n_trained"], 0)
    assert [row["n_trained"] for row in rows if row["rung"] == 1] == [9, 9]
    for name, sign in (("seconds", 1), ("best_loss", -1)):
        values = [sign * row[name] for row in rows]
        assert values == sorted(values)
    best, last = tried[0], rows[-1]
    assert (last["best_number"], last["best_loss"]) == (best.number, best.loss)
    assert last["best_network"] == (ts.network.spec_of(best.trained.member.network) or "linear")
    assert last["best_score"] == pytest.approx(best.trained.hits.mean())


def test_events_before_a_deadline_say_how_long_it_is_off():
    own = people(deadline=time.perf_counter() + 1000)
    _, events = searched(own, repeats_of(member("16")), replace(PLAN, n_rounds=1))
    own.close()
    assert all(0 < event["seconds_left"] <= 1000 for event in events)


def test_the_better_ones_go_on_from_where_they_were(crowd, climbs):
    tried, _ = searched(crowd, searcher_of("random"), replace(PLAN, n_rounds=1))
    assert len(climbs[0][0]) == 9
    for (jobs, trained), (later_jobs, _) in itertools.pairwise(climbs):
        params_of = {each.member: digest(each.params) for each in trained}
        best = min(trained, key=lambda each: each.losses.mean())
        assert best.member in [job.member for job in later_jobs]
        assert math.ceil(len(jobs) / 3) <= len(later_jobs) <= 1.5 * math.ceil(len(jobs) / 3)
        for job in later_jobs:  # from the best epoch so far, which a later rung may not have lowered
            assert digest(job.params) == params_of[job.member]
    n_rungs = {}
    for number, (jobs, _) in enumerate(climbs, 1):
        for job in jobs:
            full = not job.member.network.hidden
            assert job.epochs == (8 if full else PLAN.rungs[number - 1])
            n_rungs[job.member] = number
    for each in tried:
        upto = PLAN.rungs[: n_rungs[each.trained.member]]
        assert each.epochs == (sum(upto) if each.trained.member.network.hidden else 8 * len(upto))
        assert each.seconds > 0


def test_of_all_rungs_the_best_function_is_kept(crowd):
    """The second rung ruins what the first one has learned: its rate was far too high all along."""
    proposal = Proposal(member("", learning_rate=0.5), ts.pick.train(
        member("").network, CROSS, classes(), classes(30, seed=1), ts.Descent(epochs=60, batch_size=20)
    ).params)  # fmt: skip
    searcher = always(proposal)
    (once,), _ = searched(crowd, searcher, Plan(1, (4,), n_rounds=1))
    (both,), _ = searched(crowd, searcher, Plan(1, (4, 4), n_rounds=1))
    assert (once.epochs, both.epochs) == (4, 8)
    assert both.loss <= once.loss


def test_children_start_where_their_parents_ended(crowd, climbs):
    tried, _ = searched(crowd, searcher_of("evolution"), replace(PLAN, n_rounds=3))
    known = {each.number: each for each in tried}
    children = [each for each in tried if each.proposal.parent is not None]
    assert children
    starts = {job.member: job.params for jobs, _ in climbs[::3] for job in jobs}
    for child in children:
        assert known[child.proposal.parent].number < child.number
        assert digest(starts[child.proposal.member]) == digest(child.proposal.params)
        if child.proposal.change == "rates changed":
            assert digest(child.proposal.params) == digest(known[child.proposal.parent].trained.params)


# Same seed, same search


@pytest.mark.parametrize("name", ["random", "evolution"])
def test_same_seed_same_search_whatever_the_clock_and_the_workers(monkeypatch, crowd, name):
    searcher = searcher_of(name)
    budget = 30 * crowd.pace.core_seconds(Job(member("16-16"), 8))
    plan = Plan(9, (2, 4, 8), core_seconds=budget)
    usual, events = searched(crowd, searcher, plan)
    assert 3 < len(rungs_among(events)) < 100
    assert bits(searched(crowd, searcher, plan)[0]) == bits(usual)
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1] * 3)
    monkeypatch.setattr(programs, "_MOST_TOGETHER", {True: 2, False: 2})
    own = people()
    assert bits(searched(own, searcher, plan)[0]) == bits(usual)
    own.close()
    assert bits(searched(crowd, searcher, plan, replace(WANTED, seed=2))[0]) != bits(usual)


# What ends it


@pytest.mark.parametrize("n_rounds", [0, 1, 3])
def test_it_ends_after_so_many_rounds(crowd, n_rounds):
    tried, events = searched(crowd, repeats_of(member("16")), Plan(4, (1, 2), n_rounds=n_rounds))
    assert len(tried) == 4 * n_rounds
    assert len(rungs_among(events)) == 2 * n_rounds


@pytest.mark.parametrize("patience", [1, 2, 4])
def test_it_ends_after_so_many_rounds_without_a_gain(crowd, patience):
    searcher = always(*(Proposal(member("16", seed)) for seed in range(4)))
    tried, events = searched(crowd, searcher, Plan(4, (2,), patience=patience))
    assert len(rungs_among(events)) == 1 + patience  # the first is better than nothing
    assert len(tried) == 4 * (1 + patience)


def test_a_gain_starts_the_patience_anew(crowd):
    """In every third round the one that is proposed has learned for longer than all before."""
    better = [Proposal(member("", learning_rate=0.02), start) for start in _better_and_better()]

    def ask(state, n_members):
        return state + 1, [better[state // 3]]

    _, events = searched(crowd, Searcher(lambda _: 0, ask, lambda state, _: state), Plan(1, (1,), patience=3))
    losses = [row["best_loss"] for row in rungs_among(events)]
    assert len(losses) == 9 + 1  # rounds 1, 4 and 7 lower it; then three do not
    assert len(set(losses)) == 3


def _better_and_better():
    """Starts that are far apart, and at last the same again."""
    weights = [np.zeros((6, 3), np.float32) for _ in range(3)]
    for scale, weight in zip((-3, 0, 2), weights, strict=True):
        weight[:3] = scale * np.eye(3)
    starts = [({"weight": weight, "bias": np.zeros(3, np.float32)},) for weight in weights]
    return [*starts, starts[-1]]


def test_luck_is_no_gain():
    own = [noisily(number, 0.001 * number) for number in (1, 0)]
    assert own[1].loss < own[0].loss
    assert not rungs._is_gain(*own)
    assert rungs._is_gain(clearly(1, 0.1), clearly(0, 0.0))
    assert not rungs._is_gain(clearly(0, 0.0), clearly(0, 0.0))
    assert rungs._is_gain(None, clearly(0, 0.0))
    assert not rungs._is_gain(None, None)


@pytest.mark.parametrize(("n_jobs", "n_rungs"), [(0.1, 1), (3.9, 1), (4.1, 2), (30, None)])
def test_no_rung_begins_after_so_much_work(crowd, climbs, n_jobs, n_rungs):
    """Work for so many jobs; the first rung is four of them."""
    plan = Plan(4, (3, 3, 3), core_seconds=n_jobs * crowd.pace.core_seconds(Job(member("16"), 3)))
    _, events = searched(crowd, repeats_of(member("16")), plan)
    work, begun = 0.0, []
    for jobs, _ in climbs:
        begun.append(work)
        work += sum(map(crowd.pace.core_seconds, jobs))
    assert all(before < plan.core_seconds for before in begun)
    assert work >= plan.core_seconds
    assert len(rungs_among(events)) == len(climbs) == (n_rungs or len(climbs))


def test_a_search_that_is_stopped_keeps_what_it_has(crowd):
    stop = threading.Event()

    def look(events):
        if len(rungs_among(events)) == 3:  # the first rung of the second round
            stop.set()

    tried, events = searched(crowd, repeats_of(member("16")), Plan(4, (1, 2)), stop=stop, look=look)
    assert len(rungs_among(events)) == 3
    assert len(tried) == 8


def test_a_search_that_begins_stopped_or_late_tries_nothing(crowd):
    stop = threading.Event()
    stop.set()
    assert searched(crowd, searcher_of("evolution"), Plan(4, (1, 2)), stop=stop) == ([], [])
    own = people(deadline=time.perf_counter())
    assert searched(own, searcher_of("evolution"), Plan(4, (1, 2))) == ([], [])
    own.close()


class Clock:
    """The clock, put forward by so many seconds."""

    ahead = 0.0

    def perf_counter(self) -> float:
        return time.perf_counter() + self.ahead


def test_no_rung_begins_after_the_deadline(monkeypatch):
    """The deadline comes while the third round is thought out."""
    clock, usual = Clock(), repeats_of(member("16"))
    for room in (rungs, population, programs):
        monkeypatch.setattr(room, "time", clock)

    def ask(state, n_members):
        clock.ahead = 1e4 if state.n_asked == 8 else 0.0
        return usual.ask(state, n_members)

    own = people(deadline=clock.perf_counter() + 1e3)
    tried, events = searched(own, usual._replace(ask=ask), Plan(4, (1, 2)))
    own.close()
    assert sorted(numbers_of(tried)) == list(range(8))
    assert [row["n_trained"] for row in rungs_among(events)][4:] == [0]
    assert rungs_among(events)[-1]["seconds_left"] == 0


def test_who_leaves_early_stops_the_workers(crowd):
    steps = search(crowd, repeats_of(member("16")), WANTED, Plan(64, (4000,)))
    assert next(steps)["event"] == "tick"
    steps.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("train")]


# Where nothing comes of it


def test_a_search_in_which_all_diverge_ends_with_nothing(crowd):
    spoilt = [Proposal(member("16", seed), SPOILT) for seed in range(4)]
    tried, events = searched(crowd, always(*spoilt), Plan(4, (2, 4), n_rounds=2, patience=1))
    assert tried == leaderboard(tried) == distinct_ones(tried, 3) == []
    (row,) = rungs_among(events)  # nobody climbs, and a round without a gain was one too many
    assert (row["n_tried"], row["n_trained"], row["n_alive"], row["n_diverged"]) == (4, 4, 0, 4)
    assert (row["best_number"], row["best_network"], row["best_loss"], row["best_score"]) == (None,) * 4
    assert json.loads(json.dumps(events)) == events


@pytest.mark.parametrize("name", ["random", "evolution"])
def test_a_searcher_goes_on_after_all_have_diverged(crowd, name):
    space = replace(WANTED.space, learning_rates=(1e6, 1e6))
    tried, events = searched(
        crowd, searcher_of(name), Plan(6, (8, 16), n_rounds=3), replace(WANTED, space=space)
    )
    assert max(row["round"] for row in rungs_among(events)) == 3
    assert all(math.isfinite(each.loss) for each in tried)
    assert len(leaderboard(tried)) == len(tried)


def test_one_that_diverged_does_not_spoil_a_round(crowd):
    proposals = [Proposal(member("16", 0), SPOILT), *(Proposal(member("16", seed)) for seed in (1, 2, 3))]
    tried, events = searched(crowd, always(*proposals), Plan(4, (2, 4), n_rounds=1))
    assert sorted(numbers_of(tried)) == [1, 2, 3]
    assert rungs_among(events)[0]["n_alive"] == 3


def test_only_the_best_keep_their_params(crowd, monkeypatch):
    plan = Plan(8, (2, 4), n_rounds=3)
    usual, _ = searched(crowd, searcher_of("evolution"), plan)
    monkeypatch.setattr(rungs, "_REMEMBERED", 12)
    tried, _ = searched(crowd, searcher_of("evolution"), plan)
    assert len(tried) == len(usual) == 24
    assert [each.loss for each in tried] == [each.loss for each in usual]
    assert all(each.trained.params for each in tried[:12])
    assert not any(each.trained.params or each.proposal.params for each in tried[12:])


def test_what_nothing_quicker_beats_keeps_its_params_too(monkeypatch):
    """A limit may shut all others out in the end."""
    monkeypatch.setattr(rungs, "_REMEMBERED", 1)
    known = [("64", 0.1), ("8", 0.3), ("32", 0.35), ("", 0.9), ("", 0.8), ("16-16", 0.2)]
    tried = {place: tried_of(place, [loss], spec) for place, (spec, loss) in enumerate(known)}
    rungs._forget(tried)
    assert [place for place, each in tried.items() if each.trained.params] == [0, 1, 4, 5]


def test_a_searcher_may_have_no_more_to_propose(crowd):
    once = Searcher(
        lambda field: 0,
        lambda state, n: (1, [Proposal(member("8")), Proposal(member("16"))] if state == 0 else []),
        lambda state, tried: state,
    )
    tried, events = searched(crowd, once, Plan(2, (2, 4), n_rounds=5))
    assert sorted(numbers_of(tried)) == [0, 1]
    assert {event["round"] for event in rungs_among(events)} == {1}


@pytest.mark.parametrize(("n_members", "rungs"), [(0, (1,)), (2, ()), (2, (0,))])
def test_a_plan_of_nothing_is_refused(n_members, rungs):
    with pytest.raises(ts.SettingsError, match="expected at least one member"):
        Plan(n_members, rungs)


def test_a_search_ends_where_there_is_no_time_to_compile(monkeypatch):
    monkeypatch.setattr(programs, "_COMPILE_SECONDS", 100.0)
    with people(deadline=time.perf_counter() + 50) as own:
        tried, events = searched(own, searcher_of("random"), Plan(4, (2, 4)))
    assert tried == []
    assert len(rungs_among(events)) == 1
