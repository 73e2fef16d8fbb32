"""Networks for pictures: convolutions, normalization, residual blocks; described, trained, saved."""

import re
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import threestep as ts
from threestep.network import Blocks, Conv, Dense, Network, Training, parse, spec_of
from threestep.network.layers import path_factors
from threestep.network.normalization import groups_of, normalize, remember

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)


def pictures(n, *shape):
    return np.random.default_rng(1).normal(size=(n, *shape)).astype(np.float32)


# What a line of text describes


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnet18", 11.69),
        ("resnet34", 21.80),
        ("resnet50", 25.56),
        ("resnet101", 44.55),
        ("resnet152", 60.19),
    ],
)
def test_resnets_have_as_many_params_as_published(name, millions):
    network = parse(name, input_shape=(224, 224, 3), n_outputs=1000)
    assert round(network.n_params / 1e6, 2) == millions
    assert spec_of(network) == f"{name} relu"


def test_resnet_152_has_152_layers_with_weights():
    layers = parse("resnet152", (224, 224, 3), 1000).layers
    n_of_blocks = sum(layer.count * 3 for layer in layers if isinstance(layer, Blocks))
    assert n_of_blocks + sum(isinstance(layer, Conv | Dense) for layer in layers) == 152


@pytest.mark.parametrize(
    ("spec", "shape", "printed"),
    [
        ("conv8-dense16", (16, 16), "16×16 → 8 × 3×3 relu → max of 2×2 → 16 relu → 3"),
        ("conv8+4k5 tanh", (9, 8, 3), "9×8×3 → 8 × 5×5 tanh → 4 × 5×5 tanh → max of 2×2 → 3"),
        ("conv8s2-globalpool", (8, 8, 1), "8×8×1 → 8 × 3×3 /2 relu → mean of all → 3"),
        ("conv8", (3, 3), "3×3 → 8 × 3×3 relu → 3"),
        ("conv4s1-res4x2-plain8x3s2", (8, 8), "8×8 → 4 × 3×3 relu → 2 residual blocks of 4 relu"
         " → 1 plain block of 8 /2 relu → 2 plain blocks of 8 relu → 3"),
    ],
)  # fmt: skip
def test_specs_of_pictures_are_read(spec, shape, printed):
    network = parse(spec, shape, 3)
    assert str(network) == printed
    assert parse(spec_of(network), shape, 3) == network


WORDS = st.one_of(
    st.builds("conv{}".format, st.integers(1, 99)),
    st.builds("conv{}+{}k5".format, st.integers(1, 99), st.integers(1, 99)),
    st.builds("conv{}s{}".format, st.integers(1, 99), st.integers(1, 3)),
    st.builds("res{}x{}s{}".format, st.integers(1, 9), st.integers(1, 4), st.integers(1, 2)),
    st.builds("plain{}x{}".format, st.integers(1, 9), st.integers(1, 4)),
    st.sampled_from(["globalpool"]),
)


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.sampled_from(["", "-dense7", "-dense7-r7"]),
       st.sampled_from(["relu", "tanh group", "gelu none"]))  # fmt: skip
def test_spec_of_a_picture_network_is_read_as_that_network(words, ending, style):
    style = style if set(words) - {"globalpool"} else style.split(" ")[0]  # nothing is normalized there
    text = "-".join(words) + ending
    network = parse(f"{text.removeprefix('-')} {style}", (16, 20, 3), 4)
    assert parse(spec_of(network), (16, 20, 3), 4) == network


@pytest.mark.parametrize(
    ("spec", "shape", "said"),
    [
        ("conv8", (20,), "needs a picture"),
        ("64-conv8", (8, 8), "needs a picture"),
        ("conv8k4", (8, 8), "even"),
        ("conv8s17", (8, 8), "stride"),
        ("resnet19", (8, 8), "no layer or activation 'resnet19'"),
        ("conv8 tanh foo", (8, 8), "no activation 'foo'"),
        ("conv8 tanh relu", (8, 8), "two activations"),
        ("conv8-", (8, 8), "where a width belongs"),
        ("convx", (8, 8), "no layer or activation"),
        ("maxpool-maxpool-maxpool-maxpool", (8, 8), "leaves nothing"),
        ("res4x0", (8, 8), "count"),
    ],
)
def test_bad_specs_of_pictures_are_refused_with_a_hint(spec, shape, said):
    with pytest.raises(ts.SpecError, match=re.escape(said)) as caught:
        parse(spec, shape, 3)
    assert caught.value.hint


@pytest.mark.parametrize(
    "spec", ["conv3+4-dense5", "conv4s1-res4x3-res6x3s2-globalpool group", "conv3-5 tanh none"]
)
def test_the_shapes_of_params_are_those_of_a_start(spec):
    network = parse(spec, (8, 8, 2), 3)
    params = network.init(0)
    assert [{name: array.shape for name, array in own.items()} for own in params] == [*network.param_shapes]
    x = pictures(5, 8, 8, 2)
    trace = network.trace(params, jnp.asarray(x))
    assert [output.a.shape[1:] for output in trace] == [*network.shapes[1:]]
    assert network.apply(params, x.reshape(5, -1)).shape == (5, 3)


# Normalization


@pytest.mark.parametrize("channels", [1, 6, 7, 32, 48, 64])
def test_groups_divide_the_channels(channels):
    assert channels % groups_of(channels) == 0
    assert groups_of(channels) <= 32


@pytest.mark.parametrize("norm", ["group", "layer"])
def test_a_sample_is_normalized_by_itself(norm):
    x = jnp.asarray(pictures(4, 5, 5, 8)) * 3 + 1
    params = {"scale": jnp.ones(8), "shift": jnp.zeros(8)}
    y = normalize(norm, params, x, None)
    n_groups = 1 if norm == "layer" else groups_of(8)
    parts = y.reshape(4, 5, 5, n_groups, -1)
    np.testing.assert_allclose(parts.mean(axis=(1, 2, 4)), 0, atol=1e-5)
    np.testing.assert_allclose(parts.var(axis=(1, 2, 4)), 1, atol=1e-3)
    np.testing.assert_allclose(y[:1], normalize(norm, params, x[:1], None), rtol=1e-4, atol=1e-5)


def test_what_fills_a_batch_up_is_not_normalized_by():
    params = {"scale": jnp.ones(3), "shift": jnp.zeros(3), "mean": jnp.zeros(3), "variance": jnp.ones(3)}
    x = jnp.asarray(pictures(6, 4, 4, 3))
    present = jnp.array([1.0, 1, 1, 1, 0, 0])
    filled = normalize("batch", params, x, present)[:4]
    np.testing.assert_allclose(filled, normalize("batch", params, x[:4], jnp.ones(4)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(filled.mean(axis=(0, 1, 2)), 0, atol=1e-5)


def test_a_running_statistic_has_the_distance_to_the_batch_as_its_gradient():
    gradient = jax.grad(lambda kept: 7 * remember(jnp.ones(2), kept, jnp.array([3.0, 5.0])).sum())
    np.testing.assert_array_equal(gradient(jnp.array([1.0, 1.0])), [-2, -4])


def test_running_statistics_become_those_of_the_samples():
    """With a rate of zero nothing else moves, and they end near the mean of all batches."""
    x = (pictures(320, 6, 6, 2) * [2, 0.5] + [1, -3]).reshape(320, -1).astype(np.float32)
    y = RNG.integers(0, 2, 320)
    network = Network((6, 6, 2), (Conv(3, 1), Dense(2, "linear")))
    found = ts.pick.train(
        network, ts.goodness.Goodness("cross_entropy"), (x, y), (x, y),
        ts.settings.Descent(epochs=4, batch_size=32, learning_rate=0.0),
    )  # fmt: skip
    z = x.reshape(320, 6, 6, 2) @ np.asarray(found.params[0]["weight"][0, 0])
    np.testing.assert_array_equal(found.params[0]["weight"], network.init(0)[0]["weight"])
    np.testing.assert_allclose(found.params[0]["mean"], z.mean(axis=(0, 1, 2)), atol=0.15)
    np.testing.assert_allclose(found.params[0]["variance"], z.var(axis=(0, 1, 2)), rtol=0.1)


# Residual blocks


@pytest.mark.parametrize("kind", ["basic", pytest.param("bottleneck", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "training", [None, pytest.param(Training(KEY), marks=pytest.mark.slow), Training(KEY, paths=0.6)]
)
def test_blocks_in_a_row_are_one_block_after_the_other(kind, training):
    """The loop over equal blocks computes what the blocks written out do."""
    several = Network((6, 6, 8), (Blocks(8, kind, count=3), Dense(2, "linear")))
    alone = Network((6, 6, 8), (*[Blocks(8, kind)] * 3, Dense(2, "linear")))
    params = jax.tree.map(lambda leaf: leaf + RNG.random(leaf.shape, np.float32) / 4, several.init(0))
    each = [{name: array[index] for name, array in params[0].items()} for index in range(3)]
    x = jnp.asarray(pictures(5, 6, 6, 8))
    np.testing.assert_allclose(
        several.apply(params, x, training), alone.apply((*each, params[1]), x, training), rtol=2e-4, atol=2e-4
    )


# Some samples skip some blocks


def test_blocks_are_skipped_more_often_the_deeper_they_are():
    factors = np.asarray(path_factors(Training(KEY, paths=0.8, blocks=(1, 4)), 3, 20_000))
    np.testing.assert_allclose((factors == 0).mean(axis=1), [0.4, 0.6, 0.8], atol=0.02)
    np.testing.assert_allclose(factors.max(axis=1), [1 / 0.6, 1 / 0.4, 1 / 0.2], rtol=1e-6)
    np.testing.assert_allclose(factors.mean(axis=1), 1, atol=0.05)
    assert abs(np.corrcoef(factors)[np.triu_indices(3, 1)]).max() < 0.03
    np.testing.assert_array_equal(factors, path_factors(Training(KEY, paths=0.8, blocks=(1, 4)), 3, 20_000))
    other = path_factors(Training(jax.random.key(1), paths=0.8, blocks=(1, 4)), 3, 20_000)
    assert (np.asarray(other) == factors).mean() < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["res6x2", "conv6-res6-res8s2-res8x2"])
def test_what_is_expected_of_a_block_stays_where_samples_skip_it(spec):
    """Linear blocks: the mean over many equal samples is what the network says when it predicts."""
    network = parse(f"{spec}-meanpool-dense3 linear", (6, 6, 6), 2)
    layers = [
        replace(layer, activation="linear", norm="none") if isinstance(layer, Conv | Blocks) else layer
        for layer in network.layers
    ]
    network = replace(network, layers=tuple(layers))
    params = jax.tree.map(
        lambda leaf: leaf + RNG.normal(size=leaf.shape).astype(np.float32) / 9, network.init(0)
    )
    x = np.repeat(pictures(1, 6, 6, 6), 6000, axis=0)
    plain = np.asarray(network.apply(params, x[:1]))[0]
    outputs = np.asarray(network.apply(params, x, Training(KEY, paths=0.5)))
    assert outputs.std(axis=0).min() > 0.05
    assert (abs(outputs.mean(axis=0) - plain) < 4 * outputs.std(axis=0) / 6000**0.5).all()
    np.testing.assert_allclose(
        network.apply(params, x[:3], Training(KEY, paths=0.0)), network.apply(params, x[:3]), rtol=1e-6
    )


def test_what_is_added_to_nothing_is_never_skipped():
    plain = Network((6, 6, 4), (Blocks(4, residual=False, count=2), Dense(2)))
    params, x = plain.init(0), pictures(5, 6, 6, 4)
    assert plain.n_blocks == 0
    np.testing.assert_array_equal(
        plain.apply(params, x, Training(KEY, paths=0.9)), plain.apply(params, x, Training(KEY))
    )


@pytest.mark.slow
def test_skipping_follows_from_seed_and_step():
    x, y = stripes(90)
    network = parse("conv4-res4x2-res8s2-globalpool", (12, 12), 2)
    assert network.n_blocks == 3
    goodness, parts = ts.goodness.Goodness("cross_entropy"), ((x[:70], y[:70]), (x[70:], y[70:]))
    one, same, other, none = (
        ts.pick.train(network, goodness, *parts, ts.settings.Descent(epochs=2, batch_size=16, drop_path=share), seed)
        for share, seed in ((0.5, 0), (0.5, 0), (0.5, 1), (0.0, 0))
    )  # fmt: skip
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(same.params), strict=True):
        np.testing.assert_array_equal(a, b)
    losses = [[row.train_loss for row in each.history] for each in (one, other, none)]
    assert losses[0] != losses[1]
    assert losses[0] != losses[2]


@pytest.mark.parametrize("spec", ["8", "conv4-dense8"])
def test_where_there_is_no_block_none_can_be_skipped(spec):
    with pytest.raises(ts.SettingsError, match="without residual blocks"):
        ts.fit(stripes(60), network=spec, epochs=1, drop_path=0.2)
    with pytest.raises(ts.SettingsError, match="`drop_path`, but no network with convolutions"):
        ts.fit("iris", drop_path=0.2)


def test_a_residual_block_begins_as_if_it_were_not_there():
    network = parse("res4x3", (6, 6, 4), 2)
    x = np.abs(pictures(5, 6, 6, 4))
    np.testing.assert_allclose(network.trace(network.init(0), x)[0].a, x, rtol=1e-5)


def test_of_plain_blocks_nothing_is_added():
    with_it, without = (Network((6, 6, 4), (Blocks(4, residual=each), Dense(2))) for each in (True, False))
    params, x = without.init(0), pictures(5, 6, 6, 4)
    plain = without.trace(params, x)[0].a
    sums = with_it.trace(params, x)[0].a
    assert not np.allclose(plain, sums)
    positive = np.asarray(plain) > 0
    np.testing.assert_allclose(
        np.asarray(sums)[positive & (x > 0)], (plain + x)[positive & (x > 0)], rtol=1e-4
    )


# Beside PyTorch


def torch_block(torch, layer, own, channels):
    """torch.nn's layers with our params: a function of NCHW."""
    nn = torch.nn
    parts, modules = layer.parts(channels), {}
    for name, (size, n_in, n_out, stride) in parts.items():
        conv = nn.Conv2d(n_in, n_out, size, stride, (size - 1) // 2, bias=False)
        norm = nn.BatchNorm2d(n_out)
        load(torch, conv, norm, {key.removeprefix(f"{name}."): value for key, value in own.items()
                                 if key.startswith(f"{name}.")})  # fmt: skip
        modules[name] = nn.Sequential(conv, norm)
    names = [name for name in parts if name != "skip"]

    def apply(x):
        h = x
        for name in names[:-1]:
            h = torch.relu(modules[name](h))
        h = modules[names[-1]](h)
        return torch.relu(h + (modules["skip"](x) if "skip" in modules else x))

    return apply, modules


def load(torch, conv, norm, own):
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(np.asarray(own["weight"]).transpose(3, 2, 0, 1).copy()))
        for ours, theirs in {"scale": norm.weight, "shift": norm.bias, "mean": norm.running_mean,
                             "variance": norm.running_var}.items():  # fmt: skip
            theirs.copy_(torch.tensor(np.asarray(own[ours]).copy()))


@pytest.mark.parametrize("is_training", [False, True])
@pytest.mark.parametrize(
    "layer",
    [
        Blocks(16, "bottleneck", stride=2),
        *(
            pytest.param(layer, marks=pytest.mark.slow)
            for layer in (Blocks(8), Blocks(12, stride=2), Blocks(8, "bottleneck"))
        ),
    ],
)
def test_blocks_and_their_gradients_equal_pytorch(layer, is_training):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
    network = Network((7, 7, 8), (layer, Dense(2)))
    rng = np.random.default_rng(3)
    own = {
        name: (array + rng.random(array.shape).astype(np.float32) / 2).astype(np.float32)
        for name, array in network.init(0)[0].items()
    }
    x = pictures(5, 7, 7, 8)
    apply, modules = torch_block(torch, layer, own, 8)
    for module in modules.values():
        module.train(is_training)
    training = Training(KEY) if is_training else None

    def ours(own, x):
        return network.trace((own, network.init(0)[1]), x, training)[0].a

    out, back = jax.vjp(ours, own, jnp.asarray(x))
    leaf = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    theirs = apply(leaf)
    np.testing.assert_allclose(out.transpose(0, 3, 1, 2), theirs.detach(), rtol=1e-4, atol=1e-4)
    g = rng.normal(size=out.shape).astype(np.float32)
    theirs.backward(torch.tensor(g.transpose(0, 3, 1, 2).copy()))
    params, inputs = back(jnp.asarray(g))
    np.testing.assert_allclose(inputs.transpose(0, 3, 1, 2), leaf.grad, rtol=1e-3, atol=1e-4)
    for name, module in modules.items():
        weight = np.asarray(params[f"{name}.weight"]).transpose(3, 2, 0, 1)
        np.testing.assert_allclose(weight, module[0].weight.grad, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(params[f"{name}.scale"], module[1].weight.grad, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(params[f"{name}.shift"], module[1].bias.grad, rtol=1e-3, atol=1e-3)


# Trained


def stripes(n, seed=0):
    """Pictures of vertical or horizontal stripes somewhere, in noise: no single pixel tells them apart."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 12, 12)).astype(np.float32)
    for row, (is_upright, at) in enumerate(zip(y, rng.integers(0, 10, n), strict=True)):
        part = x[row, :, at : at + 2] if is_upright else x[row, at : at + 2]
        part += 2
    return x, y


@pytest.mark.slow
def test_convolutions_learn_what_pixels_alone_do_not_tell():
    x, y = stripes(900)
    found, plain = (ts.fit((x, y), network=spec, epochs=12) for spec in ("conv8-conv16-globalpool", ""))
    assert found.scores["test"]["accuracy"] > 0.9
    assert plain.scores["test"]["accuracy"] < 0.75


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    x, y = stripes(200)
    runs = [ts.fit((x, y), network="conv4-res6-dense8", epochs=3, seed=seed) for seed in (0, 0, 1)]
    one, same, other = ([*jax.tree.leaves(run.model.params)] for run in runs)
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("norm", "optimizer"),
    [(norm, optimizer) for norm in ("batch", "group", "layer", "none") for optimizer in ("adamw", "sgd")],
)
def test_every_norm_and_optimizer_lowers_the_loss(norm, optimizer):
    x, y = stripes(300)
    run = ts.fit(
        (x, y), network=f"conv6-res6x2-globalpool relu {norm}", epochs=6, optimizer=optimizer,
        learning_rate=0.05 if optimizer == "sgd" else 0.01,
    )  # fmt: skip
    losses = [row.train_loss for row in run.picked.history]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    "spec",
    [
        "conv4-plain4 tanh group",
        pytest.param("conv4-dense6", marks=pytest.mark.slow),
        pytest.param("conv4s1-res4x2-res6x2s2-globalpool gelu", marks=pytest.mark.slow),
    ],
)
def test_a_saved_network_answers_as_before(spec, tmp_path):
    x, y = stripes(120)
    model = ts.fit((x, y), network=spec, epochs=1).model
    model.save(tmp_path / "m.safetensors")
    again = ts.load(tmp_path / "m.safetensors")
    assert again.network == model.network
    np.testing.assert_array_equal(again.outputs(x), model.outputs(x))
    assert ts.model.model_bytes(again) == ts.model.model_bytes(model)


def test_answers_do_not_depend_on_how_many_are_asked_for():
    x, y = stripes(300)
    model = ts.fit((x, y), network="conv4-dense6", epochs=1).model
    together = model.outputs(x)
    np.testing.assert_allclose(
        np.concatenate([model.outputs(x[:1]), model.outputs(x[1:40])]), together[:40], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("wish", [{"ensemble": 2}, {"folds": 3}, {"refit": True}])
def test_what_only_dense_networks_can_is_refused(wish):
    with pytest.raises(ts.SettingsError, match="fully connected"):
        ts.fit(stripes(60), network="conv4", epochs=1, **wish)


def test_convolutions_need_pictures():
    with pytest.raises(ts.SpecError, match="needs a picture"):
        ts.fit("iris", network="conv8")


def test_a_picture_with_missing_pixels_is_one_with_black_ones():
    x, y = stripes(60)
    x[0, 0, 0], black = np.nan, x.copy()
    black[0, 0, 0] = 0.0
    found, known = (ts.fit((each, y), network="conv2-globalpool", epochs=2).model for each in (x, black))
    assert found.outputs(x).tobytes() == known.outputs(black).tobytes()


# Published weights


def torch_resnet(torch, counts, kind, n_outputs, widths=(64, 128, 256, 512)):  # noqa: C901
    """A ResNet in torchvision's names, for small pictures."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, n_in, middle, stride):
            super().__init__()
            n_out = middle if kind == "basic" else 4 * middle
            sizes = [(3, n_in, middle, stride), (3, middle, middle, 1)]
            if kind == "bottleneck":
                sizes = [(1, n_in, middle, 1), (3, middle, middle, stride), (1, middle, n_out, 1)]
            for number, (size, first, last, own) in enumerate(sizes, 1):
                setattr(self, f"conv{number}", nn.Conv2d(first, last, size, own, (size - 1) // 2, bias=False))
                setattr(self, f"bn{number}", nn.BatchNorm2d(last))
            self.n = len(sizes)
            self.downsample = None
            if stride != 1 or n_in != n_out:
                self.downsample = nn.Sequential(
                    nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
                )

        def forward(self, x):
            h = x
            for number in range(1, self.n + 1):
                h = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(h))
                h = torch.relu(h) if number < self.n else h
            return torch.relu(h + (x if self.downsample is None else self.downsample(x)))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64)
            n_in = 64
            for stage, (count, middle) in enumerate(zip(counts, widths, strict=True), 1):
                blocks = []
                for place in range(count):
                    blocks.append(Block(n_in, middle, 2 if stage > 1 and place == 0 else 1))
                    n_in = middle if kind == "basic" else 4 * middle
                setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            self.fc = nn.Linear(n_in, n_outputs)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            for stage in range(1, 5):
                x = getattr(self, f"layer{stage}")(x)
            return self.fc(x.mean(dim=(2, 3)))

    return ResNet()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "counts", "kind"), [("resnet18", (2, 2, 2, 2), "basic"), ("resnet50", (3, 4, 6, 3), "bottleneck")])  # fmt: skip
def test_published_weights_give_the_same_answers(name, counts, kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
    torch.manual_seed(0)
    module = torch_resnet(torch, counts, kind, 7)
    x = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype(np.float32)
    pictures = torch.tensor(x.transpose(0, 3, 1, 2).copy())
    module.train()
    with torch.no_grad():
        module(pictures)  # running statistics of their own
    module.eval()
    network = parse(name, (32, 32, 3), 7)
    params = ts.network.from_torch_state(network, module.state_dict())
    with torch.no_grad():
        wanted = module(pictures).numpy()
    np.testing.assert_allclose(
        ts.pick.outputs_of(network, params, x.reshape(4, -1)), wanted, rtol=1e-3, atol=1e-4
    )


def state_of(network):
    """A state in torchvision's names that the network's own start could be."""
    rng, state = np.random.default_rng(0), {}
    stage, place = 0, 0
    norm = {"weight": 1, "bias": 1, "running_mean": 1, "running_var": 1}

    def conv(name, norm_name, size, n_in, n_out):
        state[f"{name}.weight"] = rng.normal(size=(n_out, n_in, size, size)).astype(np.float32)
        for part in norm:
            state[f"{norm_name}.{part}"] = rng.random(n_out).astype(np.float32)
        state[f"{norm_name}.num_batches_tracked"] = np.int64(3)

    conv("conv1", "bn1", 3, 3, 64)
    for layer, shape in zip(network.layers, network.shapes, strict=False):
        if not isinstance(layer, Blocks):
            continue
        if layer.stride != 1 or shape[2] != layer.width or stage == 0:
            stage, place = stage + 1, 0
        for block in range(layer.count):
            start = f"layer{stage}.{place + block}"
            for part, (size, n_in, n_out, _) in layer.parts(shape[2] if block == 0 else layer.width).items():
                number = {"first": 1, "second": 2, "third": 3}.get(part)
                names = (f"conv{number}", f"bn{number}") if number else ("downsample.0", "downsample.1")
                conv(f"{start}.{names[0]}", f"{start}.{names[1]}", size, n_in, n_out)
        place += layer.count
    state["fc.weight"] = rng.normal(size=(5, network.shapes[-2][-1])).astype(np.float32)
    state["fc.bias"] = rng.normal(size=5).astype(np.float32)
    return state


@pytest.mark.parametrize("name", ["resnet34", "resnet101"])
def test_every_published_array_is_taken_once(name):
    network = parse(name, (32, 32, 3), 5)
    state = state_of(network)
    params = ts.network.from_torch_state(network, state)
    n_read = sum(value.size for name, value in state.items() if not name.endswith("tracked"))
    assert sum(array.size for own in params for array in own.values()) == n_read
    np.testing.assert_array_equal(params[0]["weight"], state["conv1.weight"].transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(params[-1]["weight"], state["fc.weight"].T)


def test_a_state_that_does_not_fit_is_refused():
    network = parse("resnet18", (32, 32, 3), 5)
    state = state_of(network)
    with pytest.raises(ts.SpecError, match=r"layer1\.1\.conv2"):
        ts.network.from_torch_state(
            network, {name: value for name, value in state.items() if name != "layer1.1.conv2.weight"}
        )
    with pytest.raises(ts.SpecError, match="more than the network"):
        ts.network.from_torch_state(network, {**state, "other.weight": np.zeros(3)})
    with pytest.raises(ts.SpecError, match="of shape"):
        ts.network.from_torch_state(network, {**state, "fc.bias": np.zeros(6)})
    with pytest.raises(ts.SpecError, match="no such arrays"):
        ts.network.from_torch_state(parse("conv64s1 relu none", (32, 32, 3), 5), state)


def test_the_gradient_by_hand_of_batch_normalization_is_jax_s_own_where_a_batch_is_not_full():
    from threestep.network import normalization

    rng = np.random.default_rng(0)
    x, back = (jnp.asarray(rng.normal(3, 2, (5, 4, 3, 6)).astype(np.float32)) for _ in range(2))
    scale, shift = (jnp.asarray(rng.normal(size=6).astype(np.float32)) for _ in range(2))
    share = jnp.array([1, 1, 1, 0, 0], jnp.float32) / 3

    def plain(x, scale, shift):
        return normalization._by_batch_forward(x, scale, shift, share)[0][0]

    def ours(x, scale, shift):
        return normalization._by_batch(x, scale, shift, share)[0]

    wanted, got = (jax.vjp(function, x, scale, shift)[1](back) for function in (plain, ours))
    for own, theirs in zip(got, wanted, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-4, atol=1e-5)
