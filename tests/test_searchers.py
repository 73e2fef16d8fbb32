"""Who proposes networks: three pure functions, and what they may propose."""

from dataclasses import FrozenInstanceError, replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

import threestep as ts
from threestep.network import usual_widths
from threestep.pick import (
    Field,
    Member,
    Outcome,
    Proposal,
    Searcher,
    Trained,
    Tried,
    repeats_of,
    searcher_of,
)
from threestep.pick.proposals import FOUNDER
from threestep.settings import USUAL_DECAYS, Space

SPACE = Space((0, 4), (16, 64), dropouts=(0.0, 0.3))
WANTED = Field(SPACE, (6,), 3, seed=5)
NAMES = ("random", "evolution")
SEARCHERS = {**{name: searcher_of(name) for name in NAMES}, "repeats": repeats_of(
    Member(ts.network.parse("16-r16 silu", (6,), 3), 0.004, 0.02, 0.1, seed=77)
)}  # fmt: skip


def tried_of(number, proposal: Proposal, loss: float) -> Tried:
    """As if it had been trained to that loss; an infinite one: it diverged."""
    member = proposal.member
    params = member.network.init(member.seed) if proposal.params is None else proposal.params
    is_sound = np.isfinite(loss)
    losses = np.full(4, loss if is_sound else 0.0, np.float32)
    outcome = Outcome.FINISHED if is_sound else Outcome.DIVERGED
    trained = Trained(member, params, int(is_sound), losses, np.ones(4, np.float32), [], outcome)
    return Tried(number, proposal, trained, 3, 0.1)


def told(searcher: Searcher, wanted: Field = WANTED, n=12, seed=0):
    """A state after one round with random losses."""
    state, proposals = searcher.ask(searcher.init(wanted), n)
    losses = np.random.default_rng(seed).uniform(0.1, 2, n)
    tried = [tried_of(number, each, losses[number]) for number, each in enumerate(proposals)]
    return searcher.tell(state, tried), tried


def plain(proposals):
    """Proposals as plain data that compare by value."""
    arrays = [
        None if each.params is None else [own[name].tobytes() for own in each.params for name in own]
        for each in proposals
    ]
    return [(each.member, each.parent, each.change, own) for each, own in zip(proposals, arrays, strict=True)]


# Pure functions


@pytest.mark.parametrize("name", SEARCHERS)
def test_the_same_state_gives_the_same_proposals(name):
    searcher = SEARCHERS[name]
    for state in (searcher.init(WANTED), told(searcher)[0]):
        later, proposals = searcher.ask(state, 20)
        np.random.seed(1)  # nobody listens to it
        searcher.ask(later, 7)
        again_later, again = searcher.ask(state, 20)
        assert plain(again) == plain(proposals)
        assert plain(searcher.ask(again_later, 5)[1]) == plain(searcher.ask(later, 5)[1])


@pytest.mark.parametrize("name", SEARCHERS)
def test_a_state_that_goes_on_leaves_the_old_one_as_it_was(name):
    searcher = SEARCHERS[name]
    state, tried = told(searcher)
    before = plain(searcher.ask(state, 10)[1])
    later, proposals = searcher.ask(state, 10)
    searcher.tell(later, [tried_of(20 + at, each, 0.01 * at) for at, each in enumerate(proposals)])
    assert plain(searcher.ask(state, 10)[1]) == before
    with pytest.raises(FrozenInstanceError):
        state.n_asked = 0
    assert [each.number for each in tried] == list(range(12))


@pytest.mark.parametrize("name", SEARCHERS)
@pytest.mark.parametrize("parts", [(12,), (5, 7), (1,) * 12])
def test_how_proposals_are_asked_for_changes_none_of_them(name, parts):
    searcher = SEARCHERS[name]
    for state in (searcher.init(WANTED), told(searcher)[0]):
        _, wanted = searcher.ask(state, 12)
        proposals = []
        for n in parts:
            state, own = searcher.ask(state, n)
            proposals += own
        assert plain(proposals) == plain(wanted)


@pytest.mark.parametrize("name", SEARCHERS)
def test_another_seed_gives_others(name):
    searcher = SEARCHERS[name]
    own, other = (searcher.ask(searcher.init(replace(WANTED, seed=seed)), 12)[1] for seed in (5, 6))
    assert all(one.member != another.member for one, another in zip(own, other, strict=True))


@pytest.mark.parametrize("name", SEARCHERS)
def test_no_member_is_proposed_twice(name):
    searcher = SEARCHERS[name]
    state, tried = told(searcher, n=60)
    _, more = searcher.ask(state, 60)
    members = [each.member for each in (*(each.proposal for each in tried), *more)]
    assert len({each.seed for each in members}) == 120
    assert all(0 <= each.seed < 2**32 for each in members)


@pytest.mark.parametrize("name", SEARCHERS)
def test_nothing_asked_is_nothing_proposed(name):
    searcher = SEARCHERS[name]
    state = searcher.init(WANTED)
    same, proposals = searcher.ask(state, 0)
    assert proposals == []
    assert plain(searcher.ask(searcher.tell(same, []), 4)[1]) == plain(searcher.ask(state, 4)[1])


def test_a_searcher_nobody_knows_is_refused():
    with pytest.raises(ts.SettingsError, match="no searcher 'annealing'"):
        searcher_of("annealing")


# Inside the space


PAIRS = st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1)).map(lambda pair: tuple(sorted(pair)))
SPACES = st.builds(
    Space,
    depths=st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda pair: tuple(sorted(pair))),
    widths=st.tuples(st.integers(8, 300), st.integers(8, 300)).map(lambda pair: tuple(sorted(pair))),
    activations=st.lists(st.sampled_from(["relu", "silu", "tanh", "sigmoid"]), min_size=1, unique=True).map(
        tuple
    ),
    residual=st.booleans(),
    learning_rates=PAIRS,
    weight_decays=PAIRS,
    dropouts=st.none() | st.tuples(st.floats(0, 0.4), st.floats(0.4, 0.9)),
)
FIELDS = st.builds(
    Field,
    SPACES,
    st.just((3, 2)),
    st.integers(1, 4),
    st.none() | st.integers(1, 20_000),
    st.integers(0, 2**32 - 1),
)


def assert_inside(wanted: Field, proposal: Proposal):
    space, member, network = wanted.space, proposal.member, proposal.member.network
    assert (network.input_shape, network.n_outputs) == (wanted.input_shape, wanted.n_outputs)
    assert network.layers[-1] == ts.network.Dense(wanted.n_outputs, "linear")
    if network.hidden:  # a linear one is always allowed
        assert space.depths[0] <= len(network.hidden) <= space.depths[1]
        assert wanted.max_params is None or network.n_params <= wanted.max_params
    for layer in network.hidden:
        assert layer.width in usual_widths(space)
        assert layer.activation in space.activations
        assert space.residual or not layer.residual
    ts.network.supernet_of(network)  # or no population could train it
    near = (1 - 1e-9, 1 + 1e-9)  # `test_a_rate_that_is_given_is_taken_as_it_is` is the strict one
    low, high = np.multiply(space.learning_rates, near)
    assert low <= member.learning_rate <= high
    low, high = np.multiply(space.weight_decays or USUAL_DECAYS, near)
    assert low <= member.weight_decay <= high
    low, high = space.dropouts or (0.0, 0.0)
    assert low <= member.dropout <= high
    if proposal.params is not None:
        shapes = [own["weight"].shape for own in proposal.params]
        assert shapes == [own["weight"].shape for own in network.init(0)]
        assert all(own[name].dtype == np.float32 for own in proposal.params for name in own)


@pytest.mark.parametrize("name", NAMES)
@given(FIELDS)
def test_all_that_is_proposed_lies_in_the_space(name, wanted):
    searcher = searcher_of(name)
    state, tried = told(searcher, wanted, 6)
    for each in (*(each.proposal for each in tried), *searcher.ask(state, 6)[1]):
        assert_inside(wanted, each)


@pytest.mark.parametrize("name", NAMES)
def test_generations_stay_in_the_space(name):
    searcher, wanted = searcher_of(name), replace(WANTED, max_params=3000)
    state, number = searcher.init(wanted), 0
    for generation in range(12):
        state, proposals = searcher.ask(state, 8)
        for each in proposals:
            assert_inside(wanted, each)
        tried = [tried_of(number + at, each, 1 / (number + at + 1)) for at, each in enumerate(proposals)]
        number += 8
        state = searcher.tell(state, tried)
        assert generation < 1 or any(each.parent is not None for each in proposals) == (name == "evolution")


@pytest.mark.parametrize("name", NAMES)
def test_the_first_of_all_is_linear(name):
    searcher = searcher_of(name)
    _, (first, *others) = searcher.ask(searcher.init(WANTED), 12)
    assert not first.member.network.hidden
    assert (first.member.learning_rate, first.member.weight_decay) == (
        SPACE.learning_rates[1],
        USUAL_DECAYS[1],
    )
    assert len({each.member.network for each in others}) > 5


def test_where_no_network_is_small_enough_all_are_linear():
    searcher = searcher_of("random")
    _, proposals = searcher.ask(searcher.init(replace(WANTED, max_params=10)), 5)
    assert all(not each.member.network.hidden for each in proposals)


def test_rates_are_drawn_over_all_of_their_range():
    searcher = searcher_of("random")
    _, proposals = searcher.ask(searcher.init(WANTED), 400)
    for name, (low, high) in (
        ("learning_rate", np.log(SPACE.learning_rates)),
        ("weight_decay", np.log(USUAL_DECAYS)),
    ):
        values = (np.log([getattr(each.member, name) for each in proposals]) - low) / (high - low)
        np.testing.assert_allclose(np.quantile(values, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.08)
    dropouts = [each.member.dropout for each in proposals]
    np.testing.assert_allclose(np.quantile(dropouts, [0.1, 0.5, 0.9]), [0.03, 0.15, 0.27], atol=0.03)
    depths = np.bincount([len(each.member.network.hidden) for each in proposals])
    assert (depths > 40).all()
    assert len(depths) == 5


@pytest.mark.parametrize("name", NAMES)
def test_a_rate_that_is_given_is_taken_as_it_is(name):
    space = replace(SPACE, learning_rates=(0.003, 0.003), weight_decays=(0.01, 0.01), dropouts=(0.2, 0.2))
    searcher = searcher_of(name)
    state, tried = told(searcher, replace(WANTED, space=space))
    for each in (*(each.proposal for each in tried), *searcher.ask(state, 20)[1]):
        rates = (each.member.learning_rate, each.member.weight_decay, each.member.dropout)
        assert rates == (0.003, 0.01, 0.2)


def test_optuna_takes_a_rate_that_is_given_as_it_is():
    pytest.importorskip("optuna")
    space = replace(SPACE, learning_rates=(0.003, 0.003), weight_decays=(0.0, 0.0), dropouts=(0.2, 0.2))
    searcher = searcher_of("optuna")
    for each in searcher.ask(searcher.init(replace(WANTED, space=space)), 5)[1]:
        rates = (each.member.learning_rate, each.member.weight_decay, each.member.dropout)
        assert rates == (0.003, 0.0, 0.2)


def test_optuna_begins_with_the_linear_network_and_learns_of_what_is_too_large():
    optuna = pytest.importorskip("optuna")
    space = replace(SPACE, depths=(1, 3))
    wanted, searcher = replace(WANTED, space=space, max_params=200), searcher_of("optuna")
    state, proposals = searcher.ask(searcher.init(wanted), 12)
    networks = [each.member.network for each in proposals]
    assert networks[0].hidden == ()
    assert all(network.hidden for network in networks[1:])
    assert all(network.n_params <= 200 for network in networks)
    searcher.tell(state, [tried_of(place, each, 0.5) for place, each in enumerate(proposals)])
    states = [trial.state for trial in state[1].trials]
    assert states.count(optuna.trial.TrialState.COMPLETE) == 11
    assert states.count(optuna.trial.TrialState.FAIL) == len(states) - 11 > 0
    nothing = replace(wanted, max_params=30)
    assert all(not each.member.network.hidden for each in searcher.ask(searcher.init(nothing), 3)[1])


# Evolution


EVOLUTION = searcher_of("evolution")


def children_of(state, n=200):
    return [each for each in EVOLUTION.ask(state, n)[1] if each.parent is not None]


def test_without_an_elite_evolution_is_random_search_but_for_its_founders():
    random = searcher_of("random")
    fresh = plain(random.ask(random.init(WANTED), 20)[1])
    asked = EVOLUTION.ask(EVOLUTION.init(WANTED), 20)[1]
    own = plain(asked)
    assert [each.change for each in asked] == ["random", *[FOUNDER] * 4, *["random"] * 15]
    assert own[:1] + own[5:] == fresh[:1] + fresh[5:]
    state, proposals = EVOLUTION.ask(EVOLUTION.init(WANTED), 10)
    state = EVOLUTION.tell(state, [tried_of(at, each, np.inf) for at, each in enumerate(proposals)])
    assert plain(EVOLUTION.ask(state, 10)[1]) == fresh[10:]  # all have diverged: as if nobody was told


def founders_of(wanted):
    return [each.member for each in EVOLUTION.ask(EVOLUTION.init(wanted), 5)[1][1:]]


def test_founders_are_wide_and_deep_or_modest_as_far_as_the_space_allows():
    space = replace(WANTED.space, widths=(16, 100), depths=(0, 4), residual=True, dropouts=(0.0, 0.4))
    wanted = replace(WANTED, space=space, few_inputs=2)
    founders = founders_of(wanted)
    hidden = [each.network.hidden for each in founders]
    assert [[layer.width for layer in each] for each in hidden] == [[64] * 3, [32] * 3, [32], [64] * 2]
    assert [layer.residual for each in hidden for layer in each] == [False] * 8 + [True]
    assert [each.network.n_inputs for each in founders] == [2, 6, 6, 6]
    assert [each.dropout for each in founders] == pytest.approx([0.172, 0.24, 0.36, 0.12])
    for rate in ("learning_rate", "weight_decay"):
        low, high = space.learning_rates if rate == "learning_rate" else USUAL_DECAYS
        assert all(low < getattr(each, rate) < high for each in founders)
    narrow = replace(space, depths=(1, 2), activations=("tanh",), residual=False, learning_rates=(0.1, 0.1))
    founders = founders_of(replace(wanted, space=narrow))
    assert [len(each.network.hidden) for each in founders] == [2, 2, 1, 2]
    layers = [layer for each in founders for layer in each.network.hidden]
    assert {(layer.activation, layer.residual) for layer in layers} == {("tanh", False)}
    assert {each.learning_rate for each in founders} == {0.1}
    assert all(each.network.n_params <= 60 for each in founders_of(replace(wanted, max_params=60)))


@pytest.mark.parametrize("name", ["evolution", "random"])
def test_networks_may_see_few_inputs_and_their_children_see_as_many(name):
    wanted, searcher = replace(WANTED, few_inputs=2), searcher_of(name)
    state, proposals = searcher.ask(searcher.init(wanted), 40)
    seen = [each.member.network.n_inputs for each in proposals]
    assert set(seen) == {2, 6}
    assert seen[0] == 6
    tried = [tried_of(at, each, 1.0 / (1 + at)) for at, each in enumerate(proposals)]
    _, children = searcher.ask(searcher.tell(state, tried), 60)
    by_number = {each.number: each for each in tried}
    for child in children:
        if child.parent is not None:
            parent = by_number[child.parent].proposal.member.network
            assert child.member.network.n_inputs == parent.n_inputs


def test_children_name_their_parent_and_how_they_differ_from_it():
    state, _ = told(EVOLUTION)
    elite = {each.number: each for each in state.elite}
    children = children_of(state)
    assert len(children) > 120
    kinds = set()
    for child in children:
        parent = elite[child.parent].proposal.member
        kinds.add(child.change.split(" from")[0].rstrip("0123456789 "))
        same_network = child.member.network == parent.network
        assert same_network == (child.change == "rates changed")
        assert (len(child.member.network.hidden) > len(parent.network.hidden)) == ("added" in child.change)
        assert (len(child.member.network.hidden) < len(parent.network.hidden)) == ("removed" in child.change)
        assert child.member.seed != parent.seed
        assert child.params is not None
    words = " ".join(sorted(kinds))
    for word in ("widened", "narrowed", "added", "removed", "residual", "activation", "rates changed"):
        assert word in words


def test_newcomers_are_as_random_search_would_draw_them():
    state, _ = told(EVOLUTION)
    random = searcher_of("random")
    _, drawn = random.ask(random.init(WANTED), 212)
    newcomers = [
        (at, each) for at, each in enumerate(EVOLUTION.ask(state, 200)[1], 12) if each.parent is None
    ]
    assert 20 < len(newcomers) < 80  # about a quarter
    assert all(plain([each]) == plain([drawn[at]]) for at, each in newcomers)


def outputs_of(network, params):
    x = np.random.default_rng(3).normal(size=(20, 6)).astype(np.float32)
    return network.predict(params, x)


@given(st.integers(0, 10_000))
def test_wider_and_deeper_children_begin_as_the_function_their_parent_ended_as(seed):
    state, _ = told(EVOLUTION, replace(WANTED, seed=seed))
    elite = {each.number: each.trained for each in state.elite}
    n_kept = 0
    for child in children_of(state, 12):
        if any(word in child.change for word in ("widened", "added", "rates")):
            parent = elite[child.parent]
            wanted = outputs_of(parent.member.network, parent.params)
            np.testing.assert_allclose(
                outputs_of(child.member.network, child.params), wanted, rtol=1e-4, atol=1e-4
            )
            n_kept += 1
    assume(n_kept)


def test_rates_of_children_are_a_little_beside_their_parents():
    state, _ = told(EVOLUTION)
    elite = {each.number: each.proposal.member for each in state.elite}
    pairs = [(child.member, elite[child.parent]) for child in children_of(state)]
    factors = np.log2([child.learning_rate / parent.learning_rate for child, parent in pairs])
    assert (factors != 0).mean() > 0.7
    assert 0.3 < np.abs(factors).mean() < 1.2
    assert len({child.dropout for child, _ in pairs}) > 100
    assert len({child.weight_decay for child, _ in pairs}) > 100


def test_parents_are_rather_the_better_ones():
    state, _ = told(EVOLUTION, n=40)
    counts = [sum(each.number == child.parent for child in children_of(state, 400)) for each in state.elite]
    assert len(counts) == 10
    assert min(counts) > 0
    assert sum(counts[:5]) > 1.8 * sum(counts[5:])  # a tournament of two: 3 to 1


def test_params_that_are_inherited_are_not_written_to():
    state, tried = told(EVOLUTION)
    before = [[own[name].copy() for own in each.trained.params for name in own] for each in tried]
    assert children_of(state)
    after = [[own[name] for own in each.trained.params for name in own] for each in tried]
    for old, new in zip(before, after, strict=True):
        assert all((one == other).all() for one, other in zip(old, new, strict=True))


# The elite


def of_depth(depth, number, loss) -> Tried:
    network = ts.network.parse("-".join(["16"] * depth), (6,), 3)
    return tried_of(number, Proposal(Member(network, seed=number)), loss)


def elite_of(*tried, state=None):
    state = EVOLUTION.init(WANTED) if state is None else state
    return EVOLUTION.tell(state, tried)


def numbers_of(state):
    return [each.number for each in state.elite]


def test_the_elite_is_the_best_but_few_of_one_depth():
    tried = [of_depth(1, number, 0.1 + 0.01 * number) for number in range(8)]
    tried += [of_depth(2, 8, 0.5), of_depth(0, 9, 9.0)]
    assert numbers_of(elite_of(*tried)) == [0, 1, 2, 8, 9]  # a worse one of another depth stays


def test_the_elite_is_at_most_ten():
    tried = [of_depth(depth, 10 * depth + at, 1 + depth + at) for depth in range(5) for at in range(3)]
    state = elite_of(*tried)
    assert len(state.elite) == 10
    losses = [each.loss for each in state.elite]
    assert losses == sorted(losses)
    assert losses[-1] <= sorted(each.loss for each in tried)[9]


def test_the_elite_of_several_rounds_is_that_of_all_at_once():
    rng = np.random.default_rng(0)
    tried = [of_depth(number % 5, number, rng.uniform()) for number in range(40)]
    state = elite_of()
    for at in range(0, 40, 7):
        state = elite_of(*tried[at : at + 7], state=state)
    assert numbers_of(state) == numbers_of(elite_of(*tried))


def test_who_has_learned_more_takes_its_own_old_place():
    state = elite_of(of_depth(1, 0, 0.5), of_depth(1, 1, 0.4))
    state = elite_of(of_depth(1, 0, 0.3), state=state)
    assert numbers_of(state) == [0, 1]
    assert state.elite[0].loss == pytest.approx(0.3)


def test_who_has_diverged_is_never_elite():
    state = elite_of(of_depth(1, 0, np.inf), of_depth(2, 1, 0.7))
    assert numbers_of(state) == [1]


# Repeats


def test_repeats_are_copies_with_seeds_of_their_own():
    member = Member(ts.network.parse("16-r16 silu", (6,), 3), 0.004, 0.02, 0.1, seed=77)
    searcher = repeats_of(member)
    state, proposals = searcher.ask(searcher.init(WANTED), 9)
    assert len({each.member.seed for each in proposals}) == 9
    for each in proposals:
        assert replace(each.member, seed=77) == member
        assert (each.params, each.parent) == (None, None)
    after = searcher.tell(state, [tried_of(0, proposals[0], 0.1)])
    assert plain(searcher.ask(after, 3)[1]) == plain(searcher.ask(state, 3)[1])  # nothing is learned
