"""Step 1: layers, activations, starts and dropout against independent references."""

import equinox as eqx
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from scipy import special, stats

import threestep as ts
from threestep.network import ACTIVATION_NAMES, Dense, Network, Training
from threestep.network.activations import ACTIVATIONS
from threestep.network.layers import drop

KEY = jax.random.key(7)
SEED = 7
APPLY, TRACE = (jax.jit(part, static_argnums=0) for part in (Network.apply, Network.trace))
DROP = jax.jit(drop)


def normal(shape):
    """Random inputs."""
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


FORMULAS = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z >= 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z * special.expit(z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "softplus": lambda z: np.logaddexp(0, z),
    "selu": lambda z: (
        1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0)))
    ),
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "linear": lambda z: z,
}
VARIANCE = {  # of the starting weights, from n_inputs and width
    **dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus"), lambda n, _: 2 / n),
    "selu": lambda n, _: 1 / n,
    **dict.fromkeys(("sigmoid", "tanh", "softsign", "linear"), lambda n, width: 2 / (n + width)),
}


def numpy_outputs(network: Network, params, x):
    """Ten lines of NumPy that do the same, in float64."""
    h = np.asarray(x, np.float64).reshape(len(x), -1)
    for layer, own in zip(network.layers, params):
        z = h @ np.asarray(own["weight"], np.float64) + np.asarray(own["bias"], np.float64)
        a = FORMULAS[layer.activation](z)
        h = a + h if layer.residual else a
    return h


def some_params(network: Network):
    """Params with biases that are not zero."""
    shapes = network.init(SEED)
    return jax.tree.map(lambda leaf: jnp.asarray(0.4 * normal(leaf.shape)), shapes)


specs = st.builds(
    lambda widths, activation: "-".join(map(str, widths)) + " " + activation,
    st.lists(st.integers(1, 300), max_size=5),
    st.sampled_from(ACTIVATION_NAMES),
)


def test_every_activation_has_a_formula_and_a_start_here():
    assert set(FORMULAS) == set(VARIANCE) == set(ACTIVATION_NAMES)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_activation_is_its_formula(name):
    z = np.concatenate([np.linspace(-20, 20, 4001), [-80.0, -1e-6, 0.0, 1e-6, 80.0]])
    ours = ACTIVATIONS[name].function(jnp.asarray(z, jnp.float32))
    np.testing.assert_allclose(ours, FORMULAS[name](z), rtol=3e-6, atol=3e-6)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_activation_and_slope_stay_finite_far_out(name):
    z = jnp.asarray([-1e6, -1e3, -100.0, 0.0, 100.0, 1e3, 1e6])
    function = ACTIVATIONS[name].function
    assert np.isfinite(function(z)).all()
    assert np.isfinite(jax.jit(jax.vmap(jax.grad(function)))(z)).all()


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_network_equals_ten_lines_of_numpy(name):
    network = ts.network.parse(f"16-8 {name}", input_shape=(5,), n_outputs=3)
    params = some_params(network)
    x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    np.testing.assert_allclose(
        APPLY(network, params, x), numpy_outputs(network, params, x), rtol=2e-5, atol=2e-5
    )


def test_layers_may_each_have_their_own_activation():
    layers = (Dense(7, "tanh"), Dense(6, "relu"), Dense(4, "sigmoid"))
    network = Network((3,), layers)
    params = some_params(network)
    x = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    np.testing.assert_allclose(
        APPLY(network, params, x), numpy_outputs(network, params, x), rtol=1e-5, atol=1e-6
    )


def test_dense_layer_equals_equinox_linear():
    linear = eqx.nn.Linear(6, 4, key=KEY)
    network = Network((6,), (Dense(4, "linear"),))
    params = ({"weight": linear.weight.T, "bias": linear.bias},)
    x = normal((11, 6))
    np.testing.assert_allclose(APPLY(network, params, x), jax.vmap(linear)(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_values_and_gradients_equal_equinox(name):
    mlp = eqx.nn.MLP(5, 3, width_size=8, depth=3, activation=getattr(jnp, name, jax.nn.relu), key=KEY)
    network = ts.network.parse(f"8-8-8 {name}", input_shape=(5,), n_outputs=3)
    params = tuple({"weight": layer.weight.T, "bias": layer.bias} for layer in mlp.layers)
    x = normal((12, 5))

    def our_total(params):
        return jnp.sin(APPLY(network, params, x)).sum()

    def their_total(mlp):
        return jnp.sin(jax.vmap(mlp)(x)).sum()

    ours, gradient = jax.jit(jax.value_and_grad(our_total))(params)
    theirs, reference = eqx.filter_jit(eqx.filter_value_and_grad(their_total))(mlp)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    for own, layer in zip(gradient, reference.layers, strict=True):
        np.testing.assert_allclose(own["weight"], layer.weight.T, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(own["bias"], layer.bias, rtol=1e-4, atol=1e-5)


def test_last_layer_of_trace_is_the_output():
    network = ts.network.parse("9-8 tanh", input_shape=(4,), n_outputs=2)
    params = some_params(network)
    x = normal((6, 4))
    outputs = TRACE(network, params, x)
    assert [output.z.shape for output in outputs] == [(6, 9), (6, 8), (6, 2)]
    np.testing.assert_array_equal(outputs[-1].a, APPLY(network, params, x))
    np.testing.assert_array_equal(outputs[0].a, jnp.tanh(outputs[0].z))


def test_pictures_are_flattened_row_by_row():
    flat = ts.network.parse("5", input_shape=(12,), n_outputs=2)
    square = ts.network.parse("5", input_shape=(3, 4), n_outputs=2)
    params = some_params(flat)
    x = normal((7, 3, 4))
    np.testing.assert_array_equal(APPLY(square, params, x), APPLY(flat, params, x.reshape(7, 12)))


def test_a_sample_does_not_depend_on_its_neighbours():
    network = ts.network.parse("16", input_shape=(4,), n_outputs=3)
    params = some_params(network)
    x = normal((8, 4))
    together = APPLY(network, params, x)
    alone = jnp.concatenate([network.apply(params, row[None]) for row in x])
    np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-6)


@given(specs, st.integers(1, 40), st.integers(1, 12))
def test_n_params_is_the_number_of_params(spec, n_inputs, n_outputs):
    network = ts.network.parse(spec, input_shape=(n_inputs,), n_outputs=n_outputs)
    params = network.init(SEED)
    assert network.n_params == sum(leaf.size for leaf in jax.tree.leaves(params))
    assert network.n_products == sum(own["weight"].size for own in params)
    assert network.fans == tuple(own["weight"].shape[0] for own in params)
    output = jax.eval_shape(network.apply, params, jax.ShapeDtypeStruct((3, n_inputs), jnp.float32))
    assert output.shape == (3, n_outputs) == (3, network.n_outputs)
    assert output.dtype == jnp.float32


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_start_has_the_variance_of_its_rule_and_no_bias(name):
    n_inputs, width = 300, 700
    network = Network((n_inputs,), (Dense(width, name),))
    (own,) = network.init(SEED)
    weight = np.asarray(own["weight"], np.float64)
    assert weight.var() == pytest.approx(VARIANCE[name](n_inputs, width), rel=0.02)
    assert abs(weight.mean()) < 5 * weight.std() / weight.size**0.5
    assert stats.kstest(weight[:, 0] / weight.std(), "norm").pvalue > 1e-3
    np.testing.assert_array_equal(own["bias"], np.zeros(width))


@pytest.mark.parametrize("name", ["relu", "selu"])
def test_start_keeps_the_size_of_signals_through_thirty_layers(name):
    network = ts.network.parse("-".join(["256"] * 30) + f" {name}", input_shape=(256,), n_outputs=2)
    x = normal((64, 256))
    last_hidden = TRACE(network, network.init(SEED), x)[-2]
    assert 0.1 < float((last_hidden.a**2).mean()) < 10


def test_start_follows_from_the_seed_alone():
    network = ts.network.parse("32-32", input_shape=(32,), n_outputs=32)
    once, again, other = (network.init(seed) for seed in (1, 1, 2))
    jax.tree.map(np.testing.assert_array_equal, once, again)
    for own, different in zip(once, other, strict=True):
        assert (own["weight"] != different["weight"]).mean() > 0.99


def test_layers_of_equal_shape_start_differently():
    network = ts.network.parse("64-64 relu", input_shape=(64,), n_outputs=64)
    first, second, _ = network.init(SEED)
    correlation = np.corrcoef(np.ravel(first["weight"]), np.ravel(second["weight"]))[0, 1]
    assert abs(correlation) < 5 / 64


def test_network_is_plain_data():
    one, same, other = (ts.network.parse(spec, (4,), 2) for spec in ("8-4", "8-4 relu", "8-5"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


# Predicting, by NumPy


@pytest.mark.parametrize(
    ("spec", "name"),
    [("", "relu"), ("16-8", "relu"), ("r5-r5", "tanh"), *(("9-r9-r9-4", name) for name in ACTIVATION_NAMES)],
)
def test_predict_equals_apply(spec, name):
    network = ts.network.parse(f"{spec} {name}", input_shape=(5,), n_outputs=3, output=name)
    params, x = some_params(network), 3 * normal((40, 5))
    predicted = network.predict(params, x)
    assert isinstance(predicted, np.ndarray)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, APPLY(network, params, x), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
@pytest.mark.parametrize("size", [1e-6, 1, 30, 1e3, 1e6, 1e12, 1e20, 1e30])
def test_predict_of_inputs_of_any_size_equals_apply_and_warns_of_nothing(name, size):
    network = Network((1,), (Dense(1, name),))
    params = ({"weight": np.ones((1, 1), np.float32), "bias": np.zeros(1, np.float32)},)
    x = np.float32([[size], [-size], [size / 3], [-size / 3]])
    expected = network.apply(params, jnp.asarray(x))
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(network.predict(params, x), expected, rtol=1e-5, atol=1e-7 * min(size, 30))


@given(specs, st.integers(1, 20), st.integers(0, 9))
def test_predict_is_within_rounding_of_float64(spec, n_samples, seed):
    network = ts.network.parse(spec, input_shape=(4,), n_outputs=2)
    params = network.init(seed)
    x = np.random.default_rng(seed).normal(size=(n_samples, 4)).astype(np.float32)
    expected = numpy_outputs(network, params, x)
    near = 1e-4 * max(1e-2, np.abs(expected).max())
    np.testing.assert_allclose(network.predict(params, x), expected, rtol=0, atol=near)


@pytest.mark.parametrize("spec", ["", "8", "8-r8 tanh", "8-8 softplus"])
def test_no_samples_give_no_outputs(spec):
    network = ts.network.parse(spec, input_shape=(2, 3), n_outputs=4)
    params, x = some_params(network), np.zeros((0, 2, 3), np.float32)
    assert network.predict(params, x).shape == APPLY(network, params, x).shape == (0, 4)


def test_predict_takes_pictures_and_any_numbers():
    network = ts.network.parse("5", input_shape=(3, 4), n_outputs=2)
    params = some_params(network)
    x = np.random.default_rng(0).integers(0, 10, (7, 3, 4))
    expected = APPLY(network, params, x.astype(np.float32))
    for same in (x, x.astype(np.uint8), x.astype(float), x.tolist(), np.asfortranarray(x), jnp.asarray(x)):
        predicted = network.predict(params, same)
        assert predicted.dtype == np.float32
        np.testing.assert_allclose(predicted, expected, rtol=2e-5, atol=2e-5)


def test_predict_compiles_nothing(compiles):
    network = ts.network.parse("11-r11 mish", input_shape=(5,), n_outputs=3)
    params, before = some_params(network), len(compiles)
    network.predict(jax.tree.map(np.asarray, params), normal((13, 5)))
    assert len(compiles) == before


# Residual layers


def test_a_residual_layer_adds_its_input_to_its_output():
    network = ts.network.parse("6-r6-4 tanh", input_shape=(5,), n_outputs=3)
    params, x = some_params(network), normal((9, 5))
    first, second, third, _ = TRACE(network, params, x)
    np.testing.assert_allclose(second.a, jnp.tanh(second.z) + first.a, rtol=1e-6)
    np.testing.assert_allclose(
        third.z, second.a @ params[2]["weight"] + params[2]["bias"], rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(third.a, jnp.tanh(third.z))


def test_a_residual_layer_adds_what_dropout_left_of_its_input():
    network = Network((40,), (Dense(40, "linear"), Dense(40, "linear", residual=True)))
    plain = (
        {"weight": jnp.eye(40), "bias": jnp.zeros(40)},
        {"weight": jnp.zeros((40, 40)), "bias": jnp.zeros(40)},
    )
    outputs = network.apply(plain, jnp.ones((50, 40)), Training(KEY, hidden=0.5))
    assert set(np.unique(outputs)) == {0, 2}


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 3)), max_size=5),
    st.sampled_from(ACTIVATION_NAMES),
    st.sampled_from(ACTIVATION_NAMES),
)
def test_spec_of_a_network_is_read_as_that_network(blocks, name, output):
    hidden = [
        Dense(width, name, place > 0) for width, n_residual in blocks for place in range(1 + n_residual)
    ]
    network = Network((4,), (*hidden, Dense(3, output)))
    spec = ts.network.spec_of(network)
    assert ts.network.parse(spec, (4,), 3, output) == network
    assert ts.network.spec_of(ts.network.parse(f"  {spec} ", (4,), 3)) == spec


@pytest.mark.parametrize(
    ("spec", "printed", "said"),
    [
        ("64-r64 tanh", "8 → 64 tanh → 64 tanh + input → 3", "64-r64 tanh"),
        ("16-r16-r16-4", "8 → 16 relu → 16 relu + input → 16 relu + input → 4 relu → 3", "16-r16-r16-4 relu"),
        ("r8 gelu", "8 → 8 gelu + input → 3", "r8 gelu"),
        ("16-r016", "8 → 16 relu → 16 relu + input → 3", "16-r16 relu"),
        ("", "8 → 3", ""),
    ],
)
def test_residual_specs_are_read_and_printed(spec, printed, said):
    network = ts.network.parse(spec, input_shape=(2, 4), n_outputs=3)
    assert str(network) == printed
    assert ts.network.spec_of(network) == said


@pytest.mark.parametrize(
    "spec", ["r", "r-8", "8-r", "8-rr8", "8-R8", "8-r 8", "8-8r", "r0", "8-r-8", "r8r relu"]
)
def test_bad_residual_spec_is_refused_with_a_hint(spec):
    with pytest.raises(ts.SpecError) as caught:
        ts.network.parse(spec, input_shape=(8,), n_outputs=3)
    assert caught.value.hint


@pytest.mark.parametrize(("spec", "width", "fan"), [("r16", 16, 8), ("64-r32", 32, 64), ("8-r8-r9", 9, 8)])
def test_a_residual_layer_has_as_many_neurons_as_inputs(spec, width, fan):
    message = f"a residual layer of width {width} has {fan} inputs, expected as many"
    with pytest.raises(ts.SpecError, match=message) as caught:
        ts.network.parse(spec, input_shape=(8,), n_outputs=3)
    assert f"`{width}-r{width}`" in caught.value.hint


# Dropout


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.95])
def test_dropout_leaves_out_the_asked_share_and_keeps_the_mean(share):
    n = 400_000
    dropped = np.asarray(DROP(KEY, share, jnp.ones(n)))
    tolerance = 5 * (share * (1 - share) / n) ** 0.5
    assert (dropped == 0).mean() == pytest.approx(share, abs=tolerance)
    assert dropped.mean() == pytest.approx(1, abs=tolerance / (1 - share))
    np.testing.assert_allclose(dropped[dropped > 0], 1 / (1 - share), rtol=1e-6)


def test_dropout_of_nothing_changes_nothing():
    network = ts.network.parse("16-16", input_shape=(8,), n_outputs=3)
    params = some_params(network)
    x = normal((10, 8))
    plain = APPLY(network, params, x)
    np.testing.assert_array_equal(APPLY(network, params, x, Training(KEY, 0.0, 0.0)), plain)
    np.testing.assert_array_equal(APPLY(network, params, x, Training(KEY)), plain)


def test_dropout_of_inputs_and_of_hidden_neurons_are_apart():
    network = Network((50,), (Dense(40, "linear"), Dense(30, "linear")))
    ones = tuple({"weight": jnp.eye(*shape), "bias": jnp.zeros(shape[1])} for shape in ((50, 40), (40, 30)))
    x = jnp.ones((20, 50))
    inputs = TRACE(network, ones, x, Training(KEY, inputs=0.5))
    assert (inputs[0].z == 0).mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(inputs[1].z, inputs[0].a[:, :30])
    hidden = TRACE(network, ones, x, Training(KEY, hidden=0.5))
    np.testing.assert_array_equal(hidden[0].z, jnp.ones((20, 40)))
    assert (hidden[1].z == 0).mean() == pytest.approx(0.5, abs=0.1)


def test_layers_leave_out_neurons_independently():
    network = Network((64,), (Dense(64, "linear"),) * 3)
    plain = ({"weight": jnp.eye(64), "bias": jnp.zeros(64)},) * 3
    outputs = TRACE(network, plain, jnp.ones((100, 64)), Training(KEY, 0.5, 0.5))
    left = [float((np.asarray(output.z) != 0).mean()) for output in outputs]
    assert left == pytest.approx([0.5, 0.25, 0.125], abs=0.04)  # with one mask for all: 0.5 each time


def _masks(keys, n=60_000):
    return [np.asarray(DROP(key, 0.5, jnp.ones(n)) > 0, float) for key in keys]


def _correlation(one, other):
    return abs(np.corrcoef(one, other)[0, 1])


def test_dropout_differs_by_step_layer_and_seed():
    n = 60_000
    by_step = [jax.random.fold_in(KEY, step) for step in range(6)]
    by_layer = [jax.random.fold_in(by_step[0], layer) for layer in range(6)]
    by_seed = [jax.random.fold_in(jax.random.key(seed), 0) for seed in range(6)]  # as layers fold it
    for keys in (by_step, by_layer, by_seed):
        masks = _masks(keys, n)
        for index, one in enumerate(masks):
            for other in masks[index + 1 :]:
                assert _correlation(one, other) < 5 / n**0.5


def test_dropout_of_one_key_is_the_same_every_time():
    np.testing.assert_array_equal(*_masks([KEY, KEY]))


def test_dropout_has_no_pattern_over_places():
    n = 60_000
    for mask in _masks([jax.random.fold_in(KEY, step) for step in range(5)], n):
        for lag in (1, 2, 3, 8, 16, 64, 100, 128, 256, 1024):
            assert _correlation(mask[:-lag], mask[lag:]) < 5 / (n - lag) ** 0.5
        runs = 1 + (np.diff(mask) != 0).sum()  # Wald & Wolfowitz: n / 2 of them
        assert abs(runs - n / 2) < 5 * (n / 4) ** 0.5
        per_block = mask.reshape(-1, 100).sum(axis=1)  # binomial: neither more even nor more clumped
        assert per_block.var() == pytest.approx(25, rel=0.25)


def test_each_place_is_left_out_equally_often_over_steps():
    n_steps, share = 4000, 0.2
    keys = jax.vmap(lambda step: jax.random.fold_in(KEY, step))(jnp.arange(n_steps))
    masks = np.asarray(jax.vmap(lambda key: DROP(key, share, jnp.ones(256)))(keys) == 0, float)
    often = masks.mean(axis=0)
    assert np.abs(often - share).max() < 5 * (share * (1 - share) / n_steps) ** 0.5
    assert _correlation(masks[:-1].ravel(), masks[1:].ravel()) < 5 / masks.size**0.5


def test_dropout_takes_keys_of_any_generator():
    for name in ("threefry2x32", "rbg", "unsafe_rbg"):
        dropped = DROP(jax.random.key(3, impl=name), 0.25, jnp.ones(40_000))
        assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_gradient_flows_only_through_what_was_kept():
    def total(x):
        return DROP(KEY, 0.3, x).sum()

    x = jnp.linspace(1, 2, 1000)
    kept = DROP(KEY, 0.3, x) > 0
    np.testing.assert_allclose(jax.grad(total)(x), kept / 0.7, rtol=1e-6)
