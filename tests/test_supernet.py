"""Many structures in one program: a member is its network, and what it does not have is not there."""

from functools import partial

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given
from jax import lax

import threestep as ts
from threestep.network import (
    ACTIVATION_NAMES,
    Dense,
    Network,
    Supernet,
    Training,
    form_of,
    no_form,
    pad,
    padded_inputs,
    supernet_of,
    unpad,
    zero_params,
)
from threestep.network.activations import ACTIVATIONS
from threestep.network.layers import LAST
from threestep.pick.optimizers import RULES, Pace, row_of, updated
from threestep.pick.program import run_block
from threestep.pick.step import Task

KEY = jax.random.key(3)
QUICKLY = {"xla_backend_optimization_level": 0}  # a third less time to compile
compiled = partial(jax.jit, static_argnums=0, compiler_options=QUICKLY)
APPLY = compiled(Network.apply)
N_INPUTS, N_OUTPUTS = 8, 3  # as many inputs as a supernet has at least


def network_of(spec, output="linear"):
    return ts.network.parse(spec, (N_INPUTS,), N_OUTPUTS, output)


def samples(n_samples=7, seed=0):
    return np.random.default_rng(seed).normal(size=(n_samples, N_INPUTS)).astype(np.float32)


def some_params(network, seed=0):
    """Params whose biases are not zero."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: (leaf + 0.3 * rng.normal(size=leaf.shape)).astype(np.float32), network.init(seed)
    )


def total(outputs):
    """One number that every output sways, each in its own way."""
    return (outputs * jnp.linspace(0.3, 1, outputs.size).reshape(outputs.shape)).sum()


def with_gradient(apply):
    """Outputs of `apply(params)`, and the gradient of their total."""

    def both(params):
        outputs = apply(params)
        return total(outputs), outputs

    return lambda params: jax.grad(both, has_aux=True)(params)[::-1]


@compiled
def member_of(supernet, params, x, dropout, form):
    """Outputs of a member and its gradient, by the backward half that is written out."""
    return with_gradient(lambda params: supernet.apply(params, x, dropout, form))(params)


@compiled
def network_itself(network, params, x, dropout=None):
    """Outputs and gradient without a supernet."""
    return with_gradient(lambda params: network.apply(params, x, dropout))(params)


@compiled
def plainly(supernet, params, x, dropout, form):
    """Outputs and gradient of a member by masks alone: every layer is worked out, JAX goes backward."""
    functions = [ACTIVATIONS[name].function for name in supernet.activations]

    def heard(index, h):
        return h if dropout is None else dropout.apply(index, h)

    def apply(params):
        before = x
        for index, (own, layer) in enumerate(zip(params[:-1], form, strict=True)):
            h = heard(index, before)
            z = h @ own["weight"] + own["bias"]
            a = sum((layer.branch == at + 1) * function(z) for at, function in enumerate(functions))
            a = (a + layer.residual * h if index else a) * (jnp.arange(supernet.width) < layer.width)
            before = jnp.where(layer.branch > 0, a, before) if index else a
        h = heard(LAST if supernet.n_hidden else 0, before)
        return ACTIVATIONS[supernet.output].function(h @ params[-1]["weight"] + params[-1]["bias"])

    return with_gradient(apply)(params)


def inside(network, seed=0):
    """Supernet, padded params and form of a network."""
    supernet = supernet_of(network)
    return supernet, pad(supernet, network, some_params(network, seed)), form_of(supernet, network)


def own_places(supernet, network):
    """1 where the params of the supernet are the network's, 0 where they are padding."""
    ones = jax.tree.map(np.ones_like, network.init(0))
    return pad(supernet, network, ones)


def assert_near(ours, theirs):
    """To float32's rounding, beside the largest number of each array."""

    def near(own, other):
        np.testing.assert_allclose(own, other, rtol=0, atol=2e-5 * max(1e-3, np.abs(other).max()))

    jax.tree.map(near, ours, theirs)


def assert_equal(ours, theirs):
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


@st.composite
def networks(draw, names=("relu", "silu"), most=8, widest=16):
    """Networks of up to `most` layers: plain, or residual where the width allows it."""
    name, hidden = draw(st.sampled_from(names)), []
    for index in range(draw(st.integers(0, most))):
        is_residual = index > 0 and draw(st.booleans())
        width = hidden[-1].width if is_residual else draw(st.integers(1, widest))
        hidden.append(Dense(width, name, is_residual))
    return Network((N_INPUTS,), (*hidden, Dense(N_OUTPUTS, "linear")))


DEEP = [
    "",
    "5",
    "9-16 silu",
    "33-r33-20",
    "1-2-3-4",
    "7-r7-5-r5-r5",
    "6-11-4-15-2-9",
    "5-r5-r5-8-3-16-2 silu",
    "3-9-r9-5-7-11-13-6",
]


# A member is its network


def assert_member_is_its_network(network, dropout=None):
    """In its outputs and its gradient."""
    supernet, params, form = inside(network)
    outputs, gradient = member_of(supernet, params, samples(), dropout, form)
    own = unpad(supernet, network, params)
    theirs = network_itself(network, own, samples(), dropout)
    assert_near((outputs, unpad(supernet, network, gradient)), theirs)


@pytest.mark.parametrize("spec", DEEP)
def test_a_member_of_any_depth_gives_what_its_network_gives(spec):
    network = network_of(spec)
    supernet, params, form = inside(network)
    outputs, _ = member_of(supernet, params, samples(), None, form)
    assert_near(outputs, APPLY(network, unpad(supernet, network, params), samples()))


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_a_member_of_any_activation_gives_what_its_network_gives(name):
    assert_member_is_its_network(network_of(f"11-r11-5 {name}"))


@pytest.mark.parametrize(("spec", "name"), [("", "tanh"), ("5", "sigmoid")])
def test_the_output_layer_keeps_its_own_activation(spec, name):
    assert_member_is_its_network(network_of(spec, output=name))


@given(networks(), st.integers(0, 1000))
def test_any_member_gives_what_its_network_gives(network, seed):
    supernet, params, form = inside(network, seed)
    x = samples(seed=seed)
    outputs, gradient = member_of(supernet, params, x, None, form)
    assert_near(outputs, network.predict(unpad(supernet, network, params), x))
    assert_near(gradient, plainly(supernet, params, x, None, form)[1])


def test_pictures_are_flattened_row_by_row():
    network = ts.network.parse("5", (2, 4), N_OUTPUTS)
    supernet, params, form = inside(network)
    outputs, _ = member_of(supernet, params, samples().reshape(7, 2, 4), None, form)
    assert_near(outputs, network.predict(unpad(supernet, network, params), samples()))


# Dropout

DROPOUTS = {"inputs": (0.3, None), "hidden": (None, 0.4), "both": (0.2, 0.5)}


def dropout_of(name, key=KEY):
    return None if name == "none" else Training(key, *DROPOUTS[name])


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("", "both"),
        ("16-r16-16-r16", "hidden"),
        ("16-r16-16-16 silu", "both"),
    ],
)
def test_a_member_that_fills_its_supernet_drops_what_its_network_drops(spec, name):
    assert_member_is_its_network(network_of(spec), dropout_of(name))


@pytest.mark.parametrize("spec", ["5-5-5-5", "16-16"])
def test_a_member_that_does_not_fill_its_supernet_drops_what_its_network_drops(spec):
    assert_member_is_its_network(network_of(spec), dropout_of("hidden"))


@pytest.mark.parametrize("spec", ["5", "13-3-7", "7-r7-5-r5"])
def test_any_member_drops_inputs_as_its_network_does(spec):
    assert_member_is_its_network(network_of(spec), dropout_of("inputs"))


@pytest.mark.parametrize("spec", ["", "5", "9-16 silu", "7-r7-5-r5"])
@pytest.mark.parametrize("name", ["hidden", "both"])
def test_values_and_gradients_are_those_of_a_plain_program(spec, name):
    supernet, params, form = inside(network_of(spec))
    member = (supernet, params, samples(), dropout_of(name), form)
    assert_near(member_of(*member), plainly(*member))


def test_dropout_of_nothing_changes_nothing():
    supernet, params, form = inside(network_of("7-r7-5-r5"))
    dropped, plain = (
        member_of(supernet, params, samples(), dropout, form) for dropout in (Training(KEY, 0.0, 0.0), None)
    )
    assert_near(dropped, plain)


@pytest.mark.parametrize("name", ["inputs", "hidden"])
def test_the_key_alone_says_what_is_dropped(name):
    supernet, params, form = inside(network_of("9-16 silu"))
    once, again, other = (
        member_of(supernet, params, samples(), dropout_of(name, key), form)[0]
        for key in (KEY, KEY, jax.random.key(4))
    )
    assert_equal(once, again)
    assert (np.asarray(once) != np.asarray(other)).any()


def test_dropout_keeps_the_mean_in_every_layer_of_a_member():
    network = Network((N_INPUTS,), (Dense(5, "linear"), Dense(9, "linear"), Dense(1, "linear")))
    supernet = supernet_of(network)
    ones = jax.tree.map(lambda leaf: np.full_like(leaf, leaf.ndim == 2), network.init(0))
    params, form = pad(supernet, network, ones), form_of(supernet, network)
    n = 20_000
    x, dropout = np.ones((n, N_INPUTS), np.float32), Training(KEY, None, 0.5)
    sums = np.float64(member_of(supernet, params, x, dropout, form)[0][:, 0]) / N_INPUTS
    assert sums.mean() == pytest.approx(45, abs=5 * sums.std() / n**0.5)
    # the sum of 5 neurons, then of 9, each there half the time and then twice as large
    assert sums.var() == pytest.approx((25 + 5) * (81 + 9) - 45**2, rel=0.05)


# Padding

PADDED = [
    *[(spec, name) for spec in ("5", "13-3-7", "7-r7-5-r5", "9-16 silu") for name in ("none", "both")],
    *[(spec, "none") for spec in ("9-16-4-r4-2-2", "11-r11-5 gelu", "5-9 sigmoid", "5-r5 softplus")],
]


@pytest.mark.parametrize(("spec", "dropout"), PADDED)
def test_gradient_of_padding_is_zero(spec, dropout):
    network = network_of(spec)
    supernet, params, form = inside(network)
    _, gradient = member_of(supernet, params, samples(), dropout_of(dropout), form)
    own = own_places(supernet, network)
    for part, is_own in zip(jax.tree.leaves(gradient), jax.tree.leaves(own), strict=True):
        np.testing.assert_array_equal(np.asarray(part)[is_own == 0], 0)


@pytest.mark.parametrize(("spec", "dropout"), PADDED)
def test_numbers_in_the_padding_change_nothing(spec, dropout):
    network, dropout = network_of(spec), dropout_of(dropout)
    supernet, params, form = inside(network)
    own, garbage = own_places(supernet, network), np.random.default_rng(5)
    dirty = jax.tree.map(
        lambda part, is_own: np.where(is_own == 1, part, np.float32(100 * garbage.normal(size=part.shape))),
        params,
        own,
    )
    one, other = (member_of(supernet, each, samples(), dropout, form) for each in (dirty, params))
    assert_near(one[0], other[0])
    for ours, theirs in zip(*(unpad(supernet, network, each) for each in (one[1], other[1])), strict=True):
        assert_near(ours, theirs)


@pytest.mark.parametrize("spec", ["5", "13-3-7", "7-r7-5-r5-r5"])
def test_layers_that_a_member_does_not_have_are_never_looked_into(spec):
    network, x = network_of(spec), samples()
    supernet, params, form = inside(network)
    absent = [
        jax.tree.map(lambda part, used=used: part if used else np.full_like(part, np.nan), own)
        for own, used in zip(params, supernet.in_use(form), strict=True)
    ]
    assert np.isnan(absent[len(network.hidden)]["weight"]).all()
    assert_equal(
        member_of(supernet, tuple(absent), x, None, form), member_of(supernet, params, x, None, form)
    )


def classes(n_samples=40):
    x = np.random.default_rng(1).normal(size=(n_samples, N_INPUTS)).astype(np.float32)
    return x, x[:, :N_OUTPUTS].argmax(axis=1)


def test_padding_is_zero_after_descent():
    member = ts.pick.Member(network_of("9-5-r5 silu"), learning_rate=0.02, weight_decay=0.1, dropout=0.3)
    settings = ts.Descent(batch_size=16, epochs=4)
    goodness = ts.goodness.Goodness("cross_entropy")
    population = ts.pick.Population(goodness, classes(), classes(20), settings)
    recipe = population._recipe(member)
    varied, state = population._one(recipe, ts.pick.Job(member, 4))
    data = population._shared.samples(population._devices[0], member.network.n_inputs)
    task = Task(recipe, varied.rates, varied.seed, varied.form, *data)
    population.close()
    descended, _ = jax.jit(run_block, compiler_options=QUICKLY)(task, population._shared.orders(0, 4), state)
    own = unpad(recipe.network, member.network, descended.params)
    assert_equal(descended.params, pad(recipe.network, member.network, own))
    for new, old in zip(jax.tree.leaves(own), jax.tree.leaves(member.network.init(0)), strict=True):
        assert (new != old).any()


@pytest.mark.parametrize("name", RULES)
def test_every_optimizer_leaves_zeros_alone(name):
    zeros = {"weight": jnp.zeros((2, 3)), "bias": jnp.zeros(3)}
    moments = {part: (own,) * RULES[name].n_moments for part, own in zeros.items()}
    pace = row_of(Pace(*jnp.float32([0.1, 0.01, 10, 30])))
    for leaf in jax.tree.leaves(updated(name, pace, zeros, moments, zeros)):
        np.testing.assert_array_equal(leaf, 0)


@given(networks(ACTIVATION_NAMES, widest=70), st.integers(0, 1000))
def test_unpad_undoes_pad(network, seed):
    supernet, params = supernet_of(network), some_params(network, seed)
    padded = pad(supernet, network, params)
    assert [own["weight"].shape for own in padded] == list(supernet.sizes)
    assert [own["bias"].shape for own in padded] == [(width,) for _, width in supernet.sizes]
    assert {leaf.dtype for leaf in jax.tree.leaves(padded)} == {np.dtype(np.float32)}
    assert_equal(unpad(supernet, network, padded), params)
    n_not_zero = sum(np.count_nonzero(leaf) for leaf in jax.tree.leaves(padded))
    assert n_not_zero == sum(np.count_nonzero(leaf) for leaf in jax.tree.leaves(params))


def test_what_is_unpadded_is_a_copy():
    network = network_of("5-7")
    supernet, params, _ = inside(network)
    own = unpad(supernet, network, params)
    own[0]["weight"][:] = own[0]["bias"][:] = 9
    assert not any((leaf == 9).any() for leaf in jax.tree.leaves(params))


# Which supernet


@pytest.mark.parametrize(
    ("spec", "width", "depth", "names"),
    [
        ("", 0, 0, ()),
        ("1", 16, 4, ("relu", "silu")),
        ("16-16-16-16 silu", 16, 4, ("relu", "silu")),
        ("17", 32, 4, ("relu", "silu")),
        ("8-32-8 tanh", 32, 4, ("tanh",)),
        ("8-8-8-8-8", 16, 8, ("relu", "silu")),
        ("1000-8-8-8-8-8-8-8 mish", 1024, 8, ("mish",)),
    ],
)
def test_supernet_of_a_network(spec, width, depth, names):
    assert supernet_of(network_of(spec)) == Supernet(N_INPUTS, width, depth, N_OUTPUTS, names)


def test_up_to_sixteen_inputs_count_as_eight_or_sixteen():
    sizes = {1: 8, 2: 8, 8: 8, 9: 16, 16: 16, 17: 20, 32: 32, 33: 40}
    assert {n: padded_inputs(n) for n in sizes} == sizes


@given(networks(ACTIVATION_NAMES, widest=300))
@example(network_of("5", output="sigmoid"))
def test_supernet_is_the_smallest_that_holds_the_network(network):
    supernet = supernet_of(network)
    assert supernet == supernet_of(Network(network.input_shape, tuple(network.layers)))
    widest = max((layer.width for layer in network.hidden), default=0)
    depth = len(network.hidden)
    assert depth <= supernet.n_hidden <= {0: 0, **dict.fromkeys(range(1, 5), 4)}.get(depth, 8)
    assert supernet.width.bit_count() == (depth > 0)
    assert widest <= supernet.width < max(2 * widest, 17)
    assert {layer.activation for layer in network.hidden} <= set(supernet.activations)
    assert (supernet.n_inputs, supernet.n_outputs) == (padded_inputs(network.n_inputs), network.n_outputs)
    assert supernet.output == network.layers[-1].activation


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (network_of("-".join(["8"] * 9)), "got 9 hidden layers, expected at most 8"),
        (network_of("r8-6"), "residual first layer, expected a plain one"),
        (
            Network((N_INPUTS,), (Dense(5, "tanh"), Dense(5, "relu"), Dense(3, "linear"))),
            r"\['relu', 'tanh'\], expected one",
        ),
    ],
)
def test_a_network_that_has_no_supernet_is_refused(network, message):
    with pytest.raises(ValueError, match=message):
        supernet_of(network)


@given(networks(ACTIVATION_NAMES, widest=70))
def test_form_says_which_layers_there_are(network):
    supernet = supernet_of(network)
    form, n_hidden = form_of(supernet, network), len(network.hidden)
    assert len(form) == supernet.n_hidden
    for own, layer in zip(form, network.hidden, strict=False):
        assert supernet.activations[own.branch - 1] == layer.activation
        assert (own.width, own.residual) == (layer.width, layer.residual)
    assert all(tuple(own) == (0, 0, 0) for own in form[n_hidden:])
    assert all(leaf.shape == () for leaf in jax.tree.leaves(form))
    assert {tuple(leaf.dtype.name for leaf in own) for own in form} <= {("int32", "int32", "float32")}
    assert sum(map(bool, supernet.in_use(form))) == max(1, n_hidden + 1)


@given(networks(), networks())
def test_forms_of_one_supernet_are_all_alike_but_in_their_numbers(one, other):
    supernet = max(supernet_of(one), supernet_of(other), key=lambda each: each.n_hidden)
    if min(len(one.hidden), len(other.hidden)) > 0:
        kinds = [
            jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), form)
            for form in (form_of(supernet, one), form_of(supernet, other), no_form(supernet))
        ]
        assert kinds[0] == kinds[1] == kinds[2]


@pytest.mark.parametrize("spec", ["", "5", "5-5-5-5-5"])
def test_nobody_gives_zeros_and_moves_nothing(spec):
    supernet = supernet_of(network_of(spec))
    form, params = no_form(supernet), zero_params(supernet)
    assert len(form) == supernet.n_hidden
    assert not any(map(np.any, jax.tree.leaves((form, params))))
    outputs, (*hidden, last) = member_of(supernet, params, samples(), None, form)
    np.testing.assert_array_equal(outputs, 0)
    assert not any(map(np.any, jax.tree.leaves(hidden)))
    assert np.isfinite(last["bias"]).all()


# Many members in one program

CROWD = ["5", "13-3-7", "16-r16-9-2 silu", "7-r7-r7", "1-2-3-4 silu"]


@pytest.mark.parametrize("how", ["vmap", "map"])
def test_members_beside_each_other_are_as_if_alone(how):
    crowd = [inside(network_of(spec), seed) for seed, spec in enumerate(CROWD)]
    ((supernet,), x) = {supernet for supernet, _, _ in crowd}, samples()
    members = jax.tree.map(lambda *leaves: np.stack(leaves), *(own for _, *own in crowd))

    def one(own):
        params, form = own
        return member_of.__wrapped__(supernet, params, x, dropout_of("both"), form)

    many = jax.vmap(one) if how == "vmap" else partial(lax.map, one)
    together = jax.jit(many, compiler_options=QUICKLY)(members)
    for place, (_, *own) in enumerate(crowd):
        alone = member_of(supernet, own[0], x, dropout_of("both"), own[1])
        assert_near(jax.tree.map(lambda leaf, at=place: leaf[at], together), alone)


def test_members_of_one_supernet_cost_one_compile(compiles):
    (supernet, *one), *others = [inside(network_of(spec)) for spec in CROWD]
    member_of(supernet, one[0], samples(11), None, one[1])
    before = len(compiles)
    for supernet, params, form in others:
        member_of(supernet, params, samples(11), None, form)
    assert len(compiles) == before
