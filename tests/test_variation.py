"""Structures drawn from a space and varied in it: never outside, everything inside, all from the generator."""

import re
from collections import Counter
from itertools import pairwise

import hypothesis.strategies as st
import jax
import numpy as np
import pytest
from hypothesis import given

import threestep as ts
from threestep.limits import check_settings
from threestep.network import (
    ACTIVATION_NAMES,
    check_space,
    random_network,
    spec_of,
    supernet_of,
    usual_widths,
    vary,
)
from threestep.settings import Space

N_INPUTS, N_OUTPUTS = 5, 3
WIDE = Space(depths=(0, 6), widths=(8, 64), activations=("relu", "silu", "tanh"))


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted).map(tuple)


spaces = st.builds(
    Space,
    depths=st.none() | pairs(0, 8),
    widths=st.none() | pairs(8, 300),
    activations=st.lists(st.sampled_from(ACTIVATION_NAMES), min_size=1, max_size=4, unique=True).map(tuple),
    residual=st.booleans(),
)
seeds = st.integers(0, 1000)


def drawn(space, seed=0):
    return random_network(space, (N_INPUTS,), N_OUTPUTS, np.random.default_rng(seed))


def assert_inside(space, network, least_depth=0):
    low, high = space.depths or (0, 4)
    narrowest, widest = space.widths or (64, 256)
    assert max(low, least_depth) <= len(network.hidden) <= high
    assert all(narrowest <= layer.width <= widest for layer in network.hidden)
    assert {layer.width for layer in network.hidden} <= set(usual_widths(space))
    assert len({layer.activation for layer in network.hidden}) <= 1
    assert {layer.activation for layer in network.hidden} <= set(space.activations)
    assert space.residual or not any(layer.residual for layer in network.layers)
    assert not network.layers[0].residual
    assert (network.n_inputs, network.n_outputs) == (N_INPUTS, N_OUTPUTS)
    assert network.layers[-1].activation == "linear"
    assert not network.layers[-1].residual
    assert supernet_of(network).n_hidden >= len(network.hidden)  # it can be trained in a population


# Drawn


@given(spaces, seeds)
def test_a_drawn_network_is_inside_the_space(space, seed):
    assert_inside(space, drawn(space, seed))


@given(spaces, seeds)
def test_a_drawn_network_has_equal_or_falling_widths_and_is_plain_or_residual(space, seed):
    hidden = drawn(space, seed).hidden
    widths = [layer.width for layer in hidden]
    assert widths == sorted(widths, reverse=True)
    assert len({layer.residual for layer in hidden[1:]}) <= 1
    usual = usual_widths(space)
    if any(width.bit_count() == 1 for width in usual):
        assert all(width.bit_count() == 1 for width in widths)


def test_everything_in_the_space_is_drawn():
    networks = [drawn(WIDE, seed) for seed in range(500)]
    assert {len(network.hidden) for network in networks} == {0, 1, 2, 3, 4, 5, 6}
    hidden = [layer for network in networks for layer in network.hidden]
    assert {layer.width for layer in hidden} == {8, 16, 32, 64}
    assert {layer.activation for layer in hidden} == {"relu", "silu", "tanh"}
    deep = [network for network in networks if len(network.hidden) > 1]
    n_residual = sum(network.hidden[1].residual for network in deep)
    n_falling = sum(len({layer.width for layer in network.hidden}) > 1 for network in deep)
    assert 0.2 < n_residual / len(deep) < 0.5
    assert 0.1 < n_falling / len(deep) < 0.4


def test_without_limits_a_drawn_network_has_up_to_four_layers_of_64_to_256():
    networks = [drawn(Space(), seed) for seed in range(100)]
    assert {len(network.hidden) for network in networks} == {0, 1, 2, 3, 4}
    assert {layer.width for network in networks for layer in network.hidden} == {64, 128, 256}


@given(spaces, seeds)
def test_the_same_generator_draws_the_same_network(space, seed):
    assert drawn(space, seed) == drawn(space, seed)


def test_other_generators_draw_other_networks():
    assert len({drawn(WIDE, seed) for seed in range(40)}) > 20


def test_pictures_stay_pictures():
    network = random_network(WIDE, (8, 8), 10, np.random.default_rng(0))
    assert (network.input_shape, network.n_outputs) == ((8, 8), 10)


@pytest.mark.parametrize("name", ["random", "evolution"])
@pytest.mark.parametrize("most", [1, 500, 3000])
def test_no_network_larger_than_allowed_is_proposed_but_the_linear_one(name, most):
    searcher = ts.pick.searcher_of(name)
    field = ts.pick.Field(WIDE, (N_INPUTS,), N_OUTPUTS, max_params=most, seed=1)
    _, proposals = searcher.ask(searcher.init(field), 60)
    networks = [proposal.member.network for proposal in proposals]
    assert all(network.n_params <= most for network in networks if network.hidden)
    assert any(network.hidden for network in networks) == (most > 1)
    for network in networks:
        assert_inside(WIDE, network)


# Varied


def line_of_children(space, seed, n_children=15):
    """Parent, child and change, each child the next parent."""
    generator = np.random.default_rng(seed)
    network = random_network(space, (N_INPUTS,), N_OUTPUTS, generator)
    params, line = network.init(seed), []
    for _ in range(n_children):
        made = vary(space, network, params, generator)
        if made is None:
            break
        line.append(((network, params), made[:2], made[2]))
        network, params, _ = made
    return line


small_spaces = st.builds(
    Space,
    depths=st.none() | pairs(0, 8),
    widths=pairs(8, 50),
    activations=st.lists(st.sampled_from(ACTIVATION_NAMES), min_size=1, max_size=3, unique=True).map(tuple),
    residual=st.booleans(),
)


@given(small_spaces, seeds)
def test_a_child_is_inside_the_space_with_params_that_fit(space, seed):
    for _, (network, params), _ in line_of_children(space, seed):
        assert_inside(space, network, least_depth=1)
        shapes = [(own["weight"].shape, own["bias"].shape) for own in params]
        assert shapes == [
            ((fan, layer.width), (layer.width,))
            for fan, layer in zip(network.fans, network.layers, strict=True)
        ]
        assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(params))


@given(small_spaces, seeds)
def test_a_child_is_another_network(space, seed):
    for (parent, _), (child, _), _ in line_of_children(space, seed):
        assert child != parent


@given(small_spaces, seeds)
def test_the_same_generator_makes_the_same_children(space, seed):
    once, again = line_of_children(space, seed, 5), line_of_children(space, seed, 5)
    assert [(child[0], change) for _, child, change in once] == [
        (child[0], change) for _, child, change in again
    ]
    for (_, (_, one), _), (_, (_, other), _) in zip(once, again, strict=True):
        jax.tree.map(np.testing.assert_array_equal, one, other)


@given(small_spaces, seeds)
def test_a_change_is_said_in_words(space, seed):
    for (parent, _), (child, _), change in line_of_children(space, seed):
        old, new = parent.hidden, child.hidden
        if match := re.fullmatch(r"layer (\d) (widened|narrowed) from (\d+) to (\d+)", change):
            at, before, after = int(match[1]) - 1, int(match[3]), int(match[4])
            assert (old[at].width, new[at].width, len(new)) == (before, after, len(old))
            assert (after > before) == (match[2] == "widened")
        elif match := re.fullmatch(r"a layer added behind layer (\d)", change):
            at = int(match[1])
            assert (*new[:at], *new[at + 1 :]) == old
        elif match := re.fullmatch(r"layer (\d) removed", change):
            at = int(match[1]) - 1
            assert [layer.width for layer in new] == [
                layer.width for place, layer in enumerate(old) if place != at
            ]
        elif match := re.fullmatch(r"layer (\d) made (plain|residual)", change):
            at = int(match[1]) - 1
            assert (old[at].residual, new[at].residual) == (match[2] == "plain", match[2] == "residual")
        else:
            name = re.fullmatch(r"activation changed to (\w+)", change)[1]
            assert {layer.activation for layer in new} == {name} != {layer.activation for layer in old}


def test_every_kind_of_change_occurs():
    changes = [change for seed in range(40) for *_, change in line_of_children(WIDE, seed)]
    kinds = Counter(re.sub(r"\d+", "N", re.sub("changed to .*", "changed", change)) for change in changes)
    assert set(kinds) == {
        "layer N widened from N to N",
        "layer N narrowed from N to N",
        "a layer added behind layer N",
        "layer N removed",
        "layer N made plain",
        "layer N made residual",
        "activation changed",
    }
    assert min(kinds.values()) > len(changes) / 50


def test_every_layer_may_be_changed():
    changes = [change for seed in range(60) for *_, change in line_of_children(WIDE, seed)]
    seen = {tuple(re.findall(r"(layer \d) (\w+)", change)) for change in changes}
    for place in range(1, 5):
        assert ((f"layer {place}", "widened"),) in seen
        assert ((f"layer {place}", "narrowed"),) in seen
        assert ((f"layer {place}", "removed"),) in seen


@given(small_spaces, seeds)
def test_wider_and_deeper_children_do_what_their_parents_did(space, seed):
    x = np.random.default_rng(seed).normal(size=(6, N_INPUTS))
    for parent, child, change in line_of_children(space, seed):
        if "widened" in change or "added" in change:
            one, other = (network.predict(params, x) for network, params in (child, parent))
            assert np.abs(one - other).max() < 1e-5 * max(0.1, np.abs(other).max())


def test_a_layer_is_widened_by_half_or_less():
    for seed in range(30):
        for *_, change in line_of_children(WIDE, seed):
            for before, after in re.findall(r"widened from (\d+) to (\d+)", change):
                assert int(before) < int(after) <= 1.5 * int(before)


ONLY = Space(depths=(2, 2), widths=(16, 16), activations=("tanh",), residual=False)


def test_a_space_with_one_network_gives_that_and_no_child():
    assert {spec_of(drawn(ONLY, seed)) for seed in range(20)} == {"16-16 tanh"}
    network = drawn(ONLY)
    assert vary(ONLY, network, network.init(0), np.random.default_rng(0)) is None


@pytest.mark.parametrize("seed", range(5))
def test_the_linear_network_has_no_children(seed):
    network = ts.network.parse("", (N_INPUTS,), N_OUTPUTS)
    assert vary(WIDE, network, network.init(0), np.random.default_rng(seed)) is None


def test_the_linear_network_may_be_all_there_is():
    space = Space(depths=(0, 0))
    assert {spec_of(drawn(space, seed)) for seed in range(5)} == {""}


# The space itself


@pytest.mark.parametrize(
    ("widths", "usual"),
    [
        (None, [64, 96, 128, 192, 256]),
        ((8, 64), [8, 12, 16, 24, 32, 48, 64]),
        ((60, 100), [64, 96]),
        ((8, 1024), [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]),
        ((16, 16), [16]),
        ((100, 100), [100]),
        ((100, 120), [100, 120]),
        ((65, 127), [96]),
    ],
)
def test_usual_widths(widths, usual):
    assert usual_widths(Space(widths=widths)) == usual


@given(pairs(8, 1024))
def test_usual_widths_leave_no_wide_gap(widths):
    check_settings(ts.Settings(widths=widths))
    usual = usual_widths(Space(widths=widths))
    assert usual == sorted(set(usual))
    assert widths[0] <= usual[0] <= max(1.5 * widths[0], widths[0] + 1)
    assert usual[-1] <= widths[1] < 1.5 * usual[-1]
    assert all(after <= 1.5 * before for before, after in pairwise(usual))


@given(spaces)
def test_a_sound_space_is_accepted(space):
    check_space(space)


@pytest.mark.parametrize(
    ("names", "wrong", "hint"),
    [
        (("reluu",), "reluu", "did you mean `relu`"),
        (("relu", "Tanh"), "Tanh", "did you mean `tanh`"),
        (("silu", "xyzzy"), "xyzzy", "known: relu, "),
    ],
)
def test_an_unknown_activation_is_refused_with_a_hint(names, wrong, hint):
    with pytest.raises(ts.SettingsError, match=f"no activation '{wrong}'") as caught:
        check_space(Space(activations=names))
    assert caught.value.message.startswith("`activations`")
    assert hint in caught.value.hint


def test_a_search_refuses_an_unknown_activation_before_it_reads():
    with pytest.raises(ts.SettingsError, match="did you mean `silu`"):
        ts.fit("no such data", activations=("silly",))
