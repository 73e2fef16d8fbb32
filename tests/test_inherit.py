"""Children of networks: what keeps the function keeps it, and every child is a network with its params."""

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given

import threestep as ts
from threestep.network import ACTIVATION_NAMES, Dense, Network, deepen, narrow, remove, spec_of, widen
from threestep.network.activations import ACTIVATIONS
from threestep.network.inherit import change_activation, switch_residual

N_INPUTS, N_OUTPUTS = 4, 3
NOT_DEEPENED = ("softplus", "sigmoid")  # not zero at zero
DEEPENED = tuple(name for name in ACTIVATION_NAMES if name not in NOT_DEEPENED)
FOLLOWED_BY_A_PLAIN_ONE = ("relu", "linear")


def network_of(spec):
    return ts.network.parse(spec, (N_INPUTS,), N_OUTPUTS)


def some_params(network, seed=0):
    """Params whose biases are not zero."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: (leaf + 0.3 * rng.normal(size=leaf.shape)).astype(np.float32), network.init(seed)
    )


def samples(seed=0, n_samples=12):
    return np.random.default_rng(seed).normal(size=(n_samples, N_INPUTS))


def outputs_of(network, params, x):
    """In float64: the child's own rounding is what remains."""
    h = x
    for layer, own in zip(network.layers, params, strict=True):
        a = ACTIVATIONS[layer.activation].in_numpy(h @ np.float64(own["weight"]) + own["bias"])
        h = a + h if layer.residual else a
    return h


def assert_same_function(child, parent, x):
    expected = outputs_of(*parent, x)
    change = np.abs(outputs_of(*child, x) - expected).max() / np.abs(expected).max()
    assert change < 1e-5


def assert_sound(child):
    """Params that fit the network."""
    network, params = child
    assert [own["weight"].shape for own in params] == [
        (fan, layer.width) for fan, layer in zip(network.fans, network.layers, strict=True)
    ]
    assert [own["bias"].shape for own in params] == [(layer.width,) for layer in network.layers]
    for leaf in jax.tree.leaves(params):
        assert isinstance(leaf, np.ndarray)
        assert leaf.dtype == np.float32
        assert leaf.flags.c_contiguous
        assert np.isfinite(leaf).all()
    assert (network.n_inputs, network.n_outputs) == (N_INPUTS, N_OUTPUTS)


def assert_equal(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


@st.composite
def parents(draw, names=ACTIVATION_NAMES, least=1):
    """A network of one activation, plain first, with params, one of its hidden layers, and samples."""
    name, hidden = draw(st.sampled_from(names)), []
    for place in range(draw(st.integers(least, 6))):
        is_residual = place > 0 and draw(st.booleans())
        width = hidden[-1].width if is_residual else draw(st.integers(1, 12))
        hidden.append(Dense(width, name, is_residual))
    network = Network((N_INPUTS,), (*hidden, Dense(N_OUTPUTS, "linear")))
    seed = draw(st.integers(0, 1000))
    index = draw(st.integers(0, len(hidden) - 1))
    return network, some_params(network, seed), index, samples(seed)


def run_of(network, index):
    """The hidden layers that must be as wide as that one."""
    numbers = np.cumsum([not layer.residual for layer in network.layers])
    return [at for at in range(len(network.hidden)) if numbers[at] == numbers[index]]


# Widen


@given(parents(), st.integers(1, 30), st.integers(0, 1000))
def test_widening_keeps_the_function(parent, more, seed):
    network, params, index, x = parent
    width = network.layers[index].width + more
    child = widen(network, params, index, width, np.random.default_rng(seed))
    assert_sound(child)
    assert_same_function(child, (network, params), x)
    run = run_of(network, index)
    for at, (new, old) in enumerate(zip(child[0].layers, network.layers, strict=True)):
        assert new == (Dense(width, old.activation, old.residual) if at in run else old)


@given(parents(), st.integers(0, 1000))
def test_widening_again_and_again_keeps_the_function(parent, seed):
    network, params, index, x = parent
    child, generator = (network, params), np.random.default_rng(seed)
    for _ in range(4):
        child = widen(*child, index, child[0].layers[index].width + 3, generator)
    assert_same_function(child, (network, params), x)


def test_old_neurons_stay_and_new_ones_are_copies():
    network = network_of("5-7 tanh")
    params = some_params(network)
    parent, before, end = params
    _, (own, after, last) = widen(network, params, 0, 9, np.random.default_rng(0))
    assert_equal((own["weight"][:, :5], own["bias"][:5]), (parent["weight"], parent["bias"]))
    for new in range(5, 9):
        (source,) = np.flatnonzero(parent["bias"] == own["bias"][new])
        np.testing.assert_array_equal(own["weight"][:, new], parent["weight"][:, source])
    assert_equal((after["bias"], last), (before["bias"], end))


def test_every_neuron_may_be_copied():
    network = network_of("5")
    params = some_params(network)
    _, (own, _) = widen(network, params, 0, 105, np.random.default_rng(0))
    n_copies = [(own["bias"][5:] == bias).sum() for bias in params[0]["bias"]]
    assert sum(n_copies) == 100
    assert min(n_copies) > 5


def test_copies_share_the_outgoing_weights_in_parts_of_their_own():
    network = network_of("5-7 tanh")
    params = some_params(network)
    _, (own, after, _) = widen(network, params, 0, 15, np.random.default_rng(0))
    for source in range(5):
        family = np.flatnonzero(own["bias"] == own["bias"][source])
        parts = after["weight"][family] / params[1]["weight"][source]
        np.testing.assert_allclose(parts.sum(axis=0), 1, rtol=1e-5)
        np.testing.assert_allclose(parts, np.repeat(parts[:, :1], 7, axis=1), rtol=1e-5)  # of all neurons
        assert (parts > 1 / (3 * len(family))).all()  # none is left out
        assert len(set(parts[:, 0])) == len(family)


def gradient_of(network, params, x):
    def total(params):
        outputs = network.apply(params, jnp.asarray(x, jnp.float32))
        return (outputs * jnp.linspace(0.3, 1, outputs.size).reshape(outputs.shape)).sum()

    return jax.jit(jax.grad(total))(params)


@pytest.mark.parametrize("spec", ["6-7 tanh", "6-r6-7 silu", "6"])
def test_copies_learn_different_things(spec):
    network = network_of(spec)
    child, params = widen(network, some_params(network), 0, 11, np.random.default_rng(0))
    own, *_ = gradient_of(child, params, samples())
    bias = params[0]["bias"]
    for new in range(6, 11):
        for other in np.flatnonzero(bias[:new] == bias[new]):
            one, two = own["weight"][:, new], own["weight"][:, other]
            assert np.abs(one - two).max() > 1e-3 * np.abs(one).max() > 0


def test_widening_follows_from_the_generator():
    network = network_of("5-7")
    params = some_params(network)
    once, again, other = (widen(network, params, 1, 12, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert_equal(once, again)
    assert (once[2]["weight"] != other[2]["weight"]).any()


@pytest.mark.parametrize("index", [1, 2, 3])
def test_a_run_of_residual_layers_is_widened_and_narrowed_as_one(index):
    network = network_of("5-6-r6-r6-7 tanh")
    wider = widen(network, some_params(network), index, 10, np.random.default_rng(0))
    assert spec_of(wider[0]) == "5-10-r10-r10-7 tanh"
    assert spec_of(narrow(*wider, index, 3)[0]) == "5-3-r3-r3-7 tanh"


# Deepen


@given(parents(DEEPENED))
def test_deepening_keeps_the_function(parent):
    network, params, index, x = parent
    child = deepen(network, params, index)
    assert_sound(child)
    assert_same_function(child, (network, params), x)
    before = network.layers[index]
    added = Dense(before.width, before.activation, before.activation not in FOLLOWED_BY_A_PLAIN_ONE)
    assert child[0].layers == (*network.layers[: index + 1], added, *network.layers[index + 1 :])
    assert_equal((*child[1][: index + 1], *child[1][index + 2 :]), params)


@given(parents(DEEPENED), st.integers(0, 1000))
def test_deepening_and_widening_in_any_order_keep_the_function(parent, seed):
    network, params, _, x = parent
    child, generator = (network, params), np.random.default_rng(seed)
    for _ in range(3):
        child = deepen(*child, int(generator.integers(len(child[0].hidden))))
        index = int(generator.integers(len(child[0].hidden)))
        child = widen(*child, index, child[0].layers[index].width + 2, generator)
    assert_sound(child)
    assert_same_function(child, (network, params), x)


@given(parents(NOT_DEEPENED))
def test_an_activation_that_is_not_zero_at_zero_cannot_be_deepened(parent):
    network, params, index, _ = parent
    with pytest.raises(ValueError, match=f"{network.layers[index].activation} cannot be deepened"):
        deepen(network, params, index)


@pytest.mark.parametrize(
    "layers",
    [
        (Dense(4, "relu", True), Dense(3, "linear")),
        (Dense(5, "tanh"), Dense(5, "relu", True), Dense(3, "linear")),
    ],
)
def test_deepening_a_relu_layer_that_passes_numbers_below_zero_on_keeps_the_function(layers):
    network = Network((N_INPUTS,), layers)
    params = some_params(network)
    index = len(network.hidden) - 1
    assert_same_function(deepen(network, params, index), (network, params), samples())


@pytest.mark.parametrize("name", DEEPENED)
def test_a_new_layer_learns_from_its_first_step(name):
    network = network_of(f"6-5 {name}")
    child, params = deepen(network, some_params(network), 0)
    added = gradient_of(child, params, samples())[1]
    assert (np.abs(added["weight"]).max(axis=0) > 1e-4).all()  # of every neuron
    assert (np.abs(added["bias"]) > 1e-4).all()


# Narrow


@given(parents(), st.integers(1, 12))
def test_a_narrowed_network_is_sound(parent, width):
    network, params, index, x = parent
    assume(width < network.layers[index].width)
    child = narrow(network, params, index, width)
    assert_sound(child)
    run = run_of(network, index)
    for at, (new, old) in enumerate(zip(child[0].layers, network.layers, strict=True)):
        assert new == (Dense(width, old.activation, old.residual) if at in run else old)
    assert np.isfinite(outputs_of(*child, x)).all()


@given(parents(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_narrowing_away_neurons_that_say_nothing_keeps_the_function(parent, n_silent, random):
    network, params, index, x = parent
    width = network.layers[index].width
    assume(n_silent < width)
    silent, run = random.sample(range(width), n_silent), run_of(network, index)
    for at in run:
        params[at + 1]["weight"][silent] = 0
    child = narrow(network, params, index, width - n_silent)
    assert_same_function(child, (network, params), x)


def test_neurons_are_heard_behind_the_residual_layers_that_pass_them_on():
    network = network_of("6-5 tanh")
    params = some_params(network)
    params[1]["weight"][[0, 3]] = 0
    child = narrow(*deepen(network, params, 0), 0, 4)  # the layer between adds nothing yet
    assert spec_of(child[0]) == "4-r4-5 tanh"
    assert_same_function(child, (network, params), samples())


def test_neurons_that_say_most_are_kept_in_their_order():
    network = network_of("4-2")
    params = some_params(network)
    params[0]["weight"] = np.ones((4, 4), np.float32) * np.float32([0.01, 100, 1, -1])
    params[1]["weight"] = np.ones((4, 2), np.float32) * np.float32([[50], [0.001], [-7], [6]])
    _, (own, after, last) = narrow(network, params, 0, 2)
    np.testing.assert_array_equal(after["weight"][:, 0], [-7, 6])
    assert_equal((own["weight"], own["bias"]), (params[0]["weight"][:, 2:], params[0]["bias"][2:]))
    assert_equal((after["bias"], last), (params[1]["bias"], params[2]))


# Remove


@given(parents(least=2))
def test_a_network_without_one_of_its_layers_is_sound(parent):
    network, params, index, x = parent
    child = remove(network, params, index)
    assert_sound(child)
    assert np.isfinite(outputs_of(*child, x)).all()
    widths = [layer.width for layer in network.layers]
    assert [layer.width for layer in child[0].layers] == widths[:index] + widths[index + 1 :]
    for at, (own, old) in enumerate(zip(child[1], (*params[:index], *params[index + 1 :]), strict=True)):
        assert at == index or all((own[name] == old[name]).all() for name in own)


@given(parents(least=1))
def test_the_first_layer_is_never_left_residual(parent):
    network, params, _, _ = parent
    child, _ = remove(network, params, 0)
    assert not child.layers[0].residual


@given(parents(("linear",), least=1))
def test_removing_a_plain_linear_layer_before_a_plain_one_keeps_the_function(parent):
    network, params, index, x = parent
    assume(not network.layers[index].residual and not network.layers[index + 1].residual)
    assert_same_function(remove(network, params, index), (network, params), x)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("spec", ["7-5 tanh", "7-r7-5 silu", "7-r7-r7-5 gelu"])
def test_removing_a_layer_just_added_keeps_the_function(spec, index):
    network = network_of(spec)
    params = some_params(network)
    child = remove(*deepen(network, params, index), index + 1)
    assert_same_function(child, (network, params), samples())


# Other changes


@given(parents(least=2))
def test_residual_switched_twice_is_as_before(parent):
    network, params, index, _ = parent
    assume(network.fans[index] == network.layers[index].width)
    changed, own = switch_residual(network, params, index)
    assert [one != other for one, other in zip(changed.layers, network.layers, strict=True)] == [
        at == index for at in range(len(network.layers))
    ]
    assert_equal(own, params)
    again, own = switch_residual(changed, own, index)
    assert again == network
    assert_equal(own, params)


def test_a_layer_of_another_width_than_its_inputs_cannot_be_residual():
    network = network_of("5-6")
    with pytest.raises(ts.SpecError, match="a residual layer of width 6 has 5 inputs"):
        switch_residual(network, some_params(network), 1)


@given(parents(), st.sampled_from(ACTIVATION_NAMES))
def test_another_activation_is_that_of_all_hidden_layers_and_no_more(parent, name):
    network, params, _, _ = parent
    child, own = change_activation(network, params, name)
    assert child.layers[-1] == network.layers[-1]
    assert [(layer.width, layer.activation, layer.residual) for layer in child.hidden] == [
        (layer.width, name, layer.residual) for layer in network.hidden
    ]
    assert_equal(own, params)


@given(parents(DEEPENED), st.integers(0, 1000))
def test_parents_are_left_as_they_are(parent, seed):
    network, params, index, _ = parent
    before = jax.tree.map(np.copy, params)
    widen(network, params, index, network.layers[index].width + 2, np.random.default_rng(seed))
    deepen(network, params, index)
    narrow(network, params, index, 1)
    remove(network, params, index)
    change_activation(network, params, "tanh")
    assert_equal(params, before)
