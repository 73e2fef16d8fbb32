"""Step 3: optimizer steps against NumPy and PyTorch, and the laws of descent."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from scipy.special import logsumexp

import threestep as ts
from threestep.errors import DataError
from threestep.network import RUNNING, Network, supernet_of
from threestep.pick import EpochRow, Outcome, compiled, descent, program
from threestep.pick.optimizers import rate_at
from threestep.pick.program import judge
from threestep.pick.samples import judged_in_blocks, rates_of
from threestep.pick.step import Rates, Recipe, Task, _norm, look_ahead
from threestep.settings import Descent

SQUARED, CROSS = ts.goodness.Goodness("squared_error"), ts.goodness.Goodness("cross_entropy")


@pytest.fixture(autouse=True)
def _one_epoch_per_block(monkeypatch):
    """Any number of epochs is then the same program, compiled once for many tests.

    `test_how_epochs_are_cut_into_blocks_changes_no_bit` shows that this changes nothing.
    """
    monkeypatch.setattr(descent, "_MOST_EPOCHS_PER_BLOCK", 1)


@pytest.fixture
def cut_blocks(monkeypatch):
    """Cut epochs into blocks of about so many steps."""

    def cut(steps_per_block):
        monkeypatch.setattr(descent, "_MOST_EPOCHS_PER_BLOCK", 50)
        monkeypatch.setattr(descent, "_STEPS_PER_BLOCK", steps_per_block)

    return cut


def numbers(n_samples=12, n_inputs=3, seed=0):
    """x and a target that is nearly linear in it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_inputs)).astype(np.float32)
    slopes = rng.normal(size=n_inputs)
    return x, (x @ slopes + 0.5 + 0.1 * rng.normal(size=n_samples)).astype(np.float32)


def classes(n_samples=96, n_inputs=6, n_classes=3, seed=0):
    """x and classes that depend on it, with some noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_inputs)).astype(np.float32)
    y = (x[:, :n_classes] + 0.7 * rng.normal(size=(n_samples, n_classes))).argmax(axis=1)
    return x, y.astype(np.int32)


def net(spec, data, n_outputs) -> Network:
    return ts.network.parse(spec, input_shape=data[0].shape[1:], n_outputs=n_outputs)


def train(spec="8", data=None, valid=None, goodness=CROSS, seed=0, **settings) -> ts.pick.Picked:
    data = classes() if data is None else data
    n_outputs = 3 if goodness is CROSS else 1
    valid = classes(seed=1) if valid is None else valid
    settings.setdefault("batch_size", 20)
    return ts.pick.train(net(spec, data, n_outputs), goodness, data, valid, ts.Descent(**settings), seed)


def start_of(spec, data, goodness, optimizer="adamw"):
    """The random start of seed 0."""
    network = net(spec, data, 3 if goodness is CROSS else 1)
    return network.init(0)


def digest(tree) -> str:
    return hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree))).hexdigest()


def assert_finite(params):
    for leaf in jax.tree.leaves(params):
        assert np.isfinite(leaf).all()


# Optimizer steps


def numpy_rate(step, n_steps, peak, warmup):
    n_warmup = max(warmup * n_steps, 1)
    done = min(max((step - n_warmup) / max(n_steps - n_warmup, 1), 0), 1)
    return peak * min((step + 1) / n_warmup, 1, 0.5 * (1 + np.cos(np.pi * done)))


def numpy_descent(update, params, batches, n_steps, peak=0.1, warmup=0.05):
    """Linear regression by hand: half the mean squared error, gradients written out."""
    weight, bias = (np.asarray(params[0][name], np.float64).ravel() for name in ("weight", "bias"))
    memory = {}
    for step, (x, y) in enumerate(batches):
        error = x.astype(np.float64) @ weight + bias - y
        gradients = {"weight": x.T.astype(np.float64) @ error / len(y), "bias": np.array([error.mean()])}
        rate = numpy_rate(step, n_steps, peak, warmup)
        weight = update("weight", weight, gradients["weight"], rate, step + 1, memory)
        bias = update("bias", bias, gradients["bias"], rate, step + 1, memory)
    return weight, bias


def adamw(name, p, g, rate, step, memory, decay=0.3):
    m, v = memory.get(name, (0, 0))
    m, v = memory[name] = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    direction = (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return p - rate * (direction + (decay * p if name == "weight" else 0))


def adam(*arguments):
    return adamw(*arguments, decay=0)


def sgd(name, p, g, rate, step, memory):
    return p - rate * g


def momentum(name, p, g, rate, step, memory):
    memory[name] = 0.9 * memory.get(name, 0) + g
    return p - rate * memory[name]


def rmsprop(name, p, g, rate, step, memory):
    memory[name] = 0.9 * memory.get(name, 0) + 0.1 * g**2
    return p - rate * g / np.sqrt(memory[name] + 1e-8)


def lion(name, p, g, rate, step, memory, decay=0.3):
    m = memory.get(name, 0)
    memory[name] = 0.99 * m + 0.01 * g
    return p - rate * (np.sign(0.9 * m + 0.1 * g) + (decay * p if name == "weight" else 0))


UPDATES = {"adamw": adamw, "adam": adam, "sgd": sgd, "momentum": momentum, "rmsprop": rmsprop, "lion": lion}


@pytest.mark.parametrize("n_steps", [1, 3])
@pytest.mark.parametrize("name", UPDATES)
def test_steps_are_those_of_ten_lines_of_numpy(name, n_steps):
    data = numbers()
    start = start_of("", data, SQUARED, name)
    weight, bias = numpy_descent(UPDATES[name], start, [data] * n_steps, n_steps)
    picked = train("", data, data, SQUARED, optimizer=name, learning_rate=0.1, weight_decay=0.3,
                   epochs=n_steps, batch_size=len(data[1]))  # fmt: skip
    assert picked.best_epoch == n_steps
    np.testing.assert_allclose(picked.params[0]["weight"][:, 0], weight, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(picked.params[0]["bias"], bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("n_samples", "batch_size"), [(10, 4), (5, 4)])
def test_last_batch_counts_each_of_its_samples_once_and_no_filler(n_samples, batch_size):
    data = numbers(n_samples)
    start = start_of("", data, SQUARED, "sgd")
    orders = [
        rows for block in descent._orders(0, n_samples, batch_size, 2) for epoch in block for rows in epoch
    ]
    batches = [(data[0][rows[rows >= 0]], data[1][rows[rows >= 0]]) for rows in orders]
    weight, bias = numpy_descent(sgd, start, batches, len(batches))
    picked = train(
        "", data, data, SQUARED, optimizer="sgd", learning_rate=0.1, epochs=2, batch_size=batch_size
    )
    assert picked.best_epoch == 2
    np.testing.assert_allclose(picked.params[0]["weight"][:, 0], weight, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(picked.params[0]["bias"], bias, rtol=1e-5, atol=1e-6)


def test_adamw_is_pytorchs_with_decay_of_weights_only():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
    data = classes()
    network = net("7 tanh", data, 3)
    start = start_of("7 tanh", data, CROSS)
    n_steps = 20
    picked = ts.pick.train(network, CROSS, data, data, ts.Descent(
        learning_rate=0.05, weight_decay=0.5, epochs=n_steps, batch_size=len(data[1])))  # fmt: skip
    assert picked.best_epoch == n_steps

    layers = [torch.nn.Linear(6, 7), torch.nn.Linear(7, 3)]
    for layer, own in zip(layers, start, strict=True):
        layer.weight.data = torch.tensor(np.array(own["weight"]).T.copy())
        layer.bias.data = torch.tensor(np.array(own["bias"]))
    theirs = torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1])
    groups = [
        {"params": [layer.weight for layer in layers], "weight_decay": 0.5},
        {"params": [layer.bias for layer in layers], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0)
    x, y = torch.tensor(data[0]), torch.tensor(data[1]).long()
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = numpy_rate(step, n_steps, 0.05, 0.05)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(x), y)
        loss.backward()
        assert picked.history[step].train_loss == pytest.approx(loss.item(), rel=1e-4)
        optimizer.step()
    for layer, own in zip(layers, picked.params, strict=True):
        np.testing.assert_allclose(own["weight"].T, layer.weight.detach(), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(own["bias"], layer.bias.detach(), rtol=1e-3, atol=1e-4)


# Learning rate over time


RATES = jax.jit(lambda *arguments: rate_at(jnp.arange(5000), *arguments))


@given(st.integers(20, 5000), st.floats(0, 0.9), st.floats(1e-5, 10))
def test_rate_rises_to_its_peak_then_falls_to_nearly_zero(n_steps, warmup, peak):
    rates = np.asarray(RATES(n_steps, peak, warmup), np.float64)[:n_steps] / peak
    expected = [numpy_rate(step, n_steps, 1.0, warmup) for step in range(n_steps)]
    np.testing.assert_allclose(rates, expected, atol=2e-5)
    top = int(rates.argmax())
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) <= 1e-6).all()
    assert rates.max() == pytest.approx(1, abs=0.1)  # the last rise may fall between two steps
    n_left = n_steps - max(warmup * n_steps, 1)
    assert 0 <= rates[-1] <= (np.pi / 2 / n_left) ** 2 + 1e-6
    assert (rates >= 0).all()


@pytest.mark.parametrize("warmup", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("n_steps", [1, 2, 3])
def test_rate_of_very_short_descents_is_sound(n_steps, warmup):
    rates = np.asarray(rate_at(jnp.arange(n_steps), n_steps, 1.0, warmup))
    assert rates[0] > 0
    assert np.isfinite(rates).all()
    assert rates.max() <= 1


def test_rate_of_descents_too_long_for_int32_does_not_vanish():
    data = numbers(4000)
    seen = ts.pick.descend(
        net("", data, 1), SQUARED, data, data,
        ts.Descent(epochs=1_000_000, batch_size=1, warmup_fraction=0.0, learning_rate=1e-4))  # fmt: skip
    assert next(rows for rows in seen if rows)[0].learning_rate == pytest.approx(1e-4)
    assert next(rows for rows in seen if rows)[0].learning_rate == pytest.approx(1e-4)


# Every sample, once


def test_a_learning_rate_of_zero_leaves_the_random_start():
    data = classes()
    assert digest(train(data=data, learning_rate=0.0, epochs=1).params) == digest(start_of("8", data, CROSS))


@given(st.integers(1, 300), st.integers(1, 64), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_each_epoch_has_every_row_once(n_samples, batch_size, n_epochs, seed):
    batch_size = min(batch_size, n_samples)
    for orders in descent._orders(seed, n_samples, batch_size, n_epochs):
        assert orders.shape[1:] == (-(-n_samples // batch_size), batch_size)
        for epoch in orders:
            rows = epoch.ravel()
            np.testing.assert_array_equal(np.sort(rows[rows >= 0]), np.arange(n_samples))
            assert (epoch >= 0).any(axis=1).all()  # no step without a sample: its mean would be 0 / 0


def test_each_epoch_has_an_order_of_its_own():
    orders = [order for seed in (3, 4) for block in descent._orders(seed, 50, 10, 6) for order in block]
    assert len({order.tobytes() for order in orders}) == 12


def test_every_row_is_learned_from():
    x, y = np.eye(10, dtype=np.float32), np.ones(10, np.float32)  # row k moves weight k and no other
    start = start_of("", (x, y), SQUARED, "sgd")
    picked = train("", (x, y), (x, y), SQUARED, optimizer="sgd", learning_rate=0.1, epochs=1, batch_size=4)
    assert picked.best_epoch == 1
    assert (picked.params[0]["weight"] != start[0]["weight"]).all()


def test_losses_of_the_history_are_means_over_all_samples():
    data, valid = classes(10), classes(2500, seed=1)  # the valid samples take three blocks
    start = start_of("8", data, CROSS)
    picked = train("8", data, valid, learning_rate=0.0, epochs=1, batch_size=4)
    network = net("8", data, 3)
    (row,) = picked.history
    for mean, samples in ((row.train_loss, data), (row.valid_loss, valid)):
        outputs = network.apply(start, samples[0])
        assert mean == pytest.approx(float(CROSS.losses(outputs, samples[1]).mean()), rel=1e-5)
    outputs = np.asarray(network.apply(start, valid[0]))
    assert row.valid_score == pytest.approx((outputs.argmax(axis=1) == valid[1]).mean(), rel=1e-6)


def test_gradient_norm_is_that_of_the_last_step():
    data = numbers()
    start = start_of("", data, SQUARED)
    picked = train("", data, data, SQUARED, learning_rate=0.0, epochs=1, batch_size=12)
    error = data[0] @ start[0]["weight"][:, 0] + start[0]["bias"] - data[1]
    gradient = np.append(data[0].T @ error / 12, error.mean())
    assert picked.history[0].gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


def test_how_far_running_statistics_are_off_is_no_part_of_the_gradients_norm():
    own = {"weight": np.ones((2, 3)), "bias": np.ones(3), RUNNING[0]: np.full(3, 100.0)}
    assert float(_norm((own, {"weight": np.ones((4, 4))}))) == pytest.approx(5)
    assert float(_norm(({"weight": np.full((3, 3, 1, 1), 2.0)},))) == pytest.approx(6)


def test_history_has_one_row_of_plain_numbers_per_epoch():
    picked = train(epochs=7)
    assert [row.epoch for row in picked.history] == list(range(1, 8))
    rates = [numpy_rate(5 * epoch, 35, 3e-3, 0.05) for epoch in range(7)]
    np.testing.assert_allclose([row.learning_rate for row in picked.history], rates, rtol=1e-4)
    for row in picked.history:
        assert isinstance(row, EpochRow)
        assert [type(value) for value in row] == [int] + [float] * 5


# Dropout, smoothing: only in training


def test_validation_knows_neither_dropout_nor_smoothing():
    data = classes()
    plain = train(data=data, learning_rate=0.0, epochs=1)
    dropped = train(data=data, learning_rate=0.0, epochs=1, dropout=0.5, input_dropout=0.5)
    assert dropped.history[0].valid_loss == plain.history[0].valid_loss
    assert dropped.history[0].train_loss != plain.history[0].train_loss
    smooth = ts.pick.train(
        net("8", data, 3), ts.goodness.Goodness("cross_entropy", 0.5), data, classes(seed=1),
        ts.Descent(learning_rate=0.0, epochs=1, batch_size=20))  # fmt: skip
    assert smooth.history[0].valid_loss == plain.history[0].valid_loss
    assert smooth.history[0].train_loss != plain.history[0].train_loss


def test_dropout_differs_from_step_to_step():
    """All samples equal and nothing learned: only what is left out can change the loss."""
    x, y = np.ones((96, 6), np.float32), np.zeros(96, np.int32)
    picked = train(data=(x, y), learning_rate=0.0, epochs=4, dropout=0.3, input_dropout=0.3)
    assert len({row.train_loss for row in picked.history}) == 4
    assert len({row.valid_loss for row in picked.history}) == 1


# Laws


def as_it_is(network):
    return network


@pytest.mark.parametrize(
    ("spec", "set_of"),
    [
        *((spec, each) for spec in ("", "8", "16-16-r16") for each in (as_it_is, supernet_of)),
        ("conv4-16-8", as_it_is),
    ],
)
def test_the_keys_worked_out_ahead_are_those_folded_in_each_step(spec, set_of):
    inputs = (6, 6, 1) if "conv" in spec else (6,)
    network = set_of(ts.network.parse(spec, input_shape=inputs, n_outputs=3))
    recipe = Recipe(network, CROSS, "adamw", True, False)
    rates = Rates(*jnp.ones(len(Rates._fields)))
    task = Task(recipe, rates, np.uint32(7), None, None, None, None, None)
    keys = look_ahead(task, jnp.int32(20), jnp.zeros((3, 4))).keys
    assert keys is not None
    assert len(network.places) == keys.shape[1]
    for at, own in enumerate(np.asarray(keys)):
        of_step = jax.random.fold_in(jax.random.key(7), 20 + at)
        for place, key in zip(network.places, own, strict=True):
            np.testing.assert_array_equal(key, jax.random.key_data(jax.random.fold_in(of_step, place)))
    without = replace(task, recipe=replace(recipe, has_dropout=False))
    assert look_ahead(without, jnp.int32(20), jnp.zeros((3, 4))).keys is None


def test_same_seed_same_bits_and_another_seed_others():
    settings = {"epochs": 5, "dropout": 0.3, "input_dropout": 0.1, "batch_size": 20}
    once, again, other = (train(seed=seed, **settings) for seed in (5, 5, 6))
    assert digest(once.params) == digest(again.params)
    assert once.history == again.history
    assert digest(once.params) != digest(other.params)
    assert once.history != other.history


FRESH = """
import hashlib, jax, numpy as np, threestep as ts
rng = np.random.default_rng(0)
x, y = rng.normal(size=(300, 20)).astype(np.float32), rng.integers(0, 4, 300)
picked = ts.pick.train(ts.network.parse("32-16", (20,), 4), ts.goodness.Goodness(), (x[:200], y[:200]),
                       (x[200:], y[200:]), ts.Descent(epochs=6, dropout=0.2, input_dropout=0.1), seed=3)
leaves = jax.tree.leaves(picked.params)
print(hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in leaves)).hexdigest(), picked.history)
"""


def test_same_seed_same_bits_in_processes_of_their_own(fresh_python, tmp_path):
    compiled = fresh_python(FRESH, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert any((tmp_path / "cache").rglob("*-cache")), "nothing was kept"
    from_cache = fresh_python(FRESH, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert compiled == from_cache


@pytest.mark.parametrize("steps_per_block", [15, 1_000_000])
def test_how_epochs_are_cut_into_blocks_changes_no_bit(cut_blocks, steps_per_block):
    settings = {"epochs": 11, "dropout": 0.2, "input_dropout": 0.1}
    usual = train(**settings)
    cut_blocks(steps_per_block)
    other = train(**settings)
    assert digest(usual.params) == digest(other.params)
    assert usual.history == other.history


def train_in_sections(monkeypatch, most_steps, **settings):
    """Five steps in an epoch, fetched two ahead, and not more than so many in a call."""
    monkeypatch.setattr(program, "_BYTES_AHEAD", 2 * 20 * 6 * 4)
    monkeypatch.setattr(descent, "_STEPS_PER_BLOCK", most_steps)
    calls = []

    def counted(*arguments):
        calls.append(arguments[-1])
        return run_block(*arguments)

    run_block = jax.jit(lambda *arguments: program.run_block(*arguments))
    monkeypatch.setattr(descent, "_run_block", counted)
    return train(**settings), calls


@pytest.mark.parametrize(("most_steps", "n_sections"), [(1, 3), (3, 3), (4, 2)])
def test_how_an_epoch_is_cut_into_sections_changes_no_bit(monkeypatch, most_steps, n_sections):
    settings = {"epochs": 4, "dropout": 0.2, "input_dropout": 0.1, "optimizer": "momentum"}
    usual, calls = train_in_sections(monkeypatch, 5, **settings)
    assert calls == [None] * 4
    other, calls = train_in_sections(monkeypatch, most_steps, **settings)
    assert len(calls) == 4 * n_sections
    assert digest(usual.params) == digest(other.params)
    assert usual.history == other.history


def test_a_deadline_in_the_first_epoch_keeps_what_was_learned_by_then(monkeypatch):
    data = classes()
    monkeypatch.setattr(program, "_BYTES_AHEAD", 2 * 20 * 6 * 4)
    monkeypatch.setattr(descent, "_STEPS_PER_BLOCK", 2)
    monkeypatch.setattr(descent, "_run_block", jax.jit(lambda *arguments: program.run_block(*arguments)))
    steps = ts.pick.descend(
        net("8", data, 3), CROSS, data, data, ts.Descent(epochs=4, batch_size=20), deadline=0.0
    )
    picked = descent.picked_of(steps)
    assert (picked.outcome, picked.best_epoch, picked.history) == (Outcome.OUT_OF_TIME, 0, [])
    assert digest(picked.params) != digest(start_of("8", data, CROSS))
    assert_finite(picked.params)


@pytest.mark.parametrize("n_ahead", [1, 2])
def test_how_far_ahead_samples_are_fetched_changes_rounding_at_most(monkeypatch, n_ahead):
    settings = {"epochs": 3, "dropout": 0.2, "input_dropout": 0.1}  # five steps: 1 + 1 + ... or 2 + 2 + 1
    usual = train(**settings)
    monkeypatch.setattr(program, "_BYTES_AHEAD", n_ahead * 20 * 6 * 4)
    monkeypatch.setattr(descent, "_run_block", jax.jit(lambda *arguments: program.run_block(*arguments)))
    other = train(**settings)
    for own, theirs in zip(jax.tree.leaves(usual.params), jax.tree.leaves(other.params), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-5, atol=1e-6)
    for row, other_row in zip(usual.history, other.history, strict=True):
        # a loop of one step is another program, which adds up the losses of a batch, and the squares of a
        # gradient, in another order
        for name in ("train_loss", "gradient_norm"):
            assert getattr(row, name) == pytest.approx(getattr(other_row, name), rel=3e-7)
        summed = {"train_loss": 0, "gradient_norm": 0}
        assert row._replace(**summed) == other_row._replace(**summed)


def test_rows_come_block_by_block_and_add_up_to_the_history(cut_blocks):
    cut_blocks(15)
    data = classes()
    blocks, seen = (
        ts.pick.descend(net("8", data, 3), CROSS, data, data, ts.Descent(epochs=8, batch_size=20)),
        [],
    )
    while True:
        try:
            seen.append(next(blocks))
        except StopIteration as end:
            picked = end.value
            break
    assert [len(block) for block in seen if block] == [3, 3, 2]  # none while it is compiled
    assert [row for block in seen for row in block] == picked.history


@pytest.mark.parametrize(("seconds", "n_blocks"), [(3.5, 3), (4.5, 4), (0.5, 1), (2.9, 2)])
def test_a_block_that_would_end_behind_the_deadline_does_not_begin(
    seconds, n_blocks, monkeypatch, cut_blocks
):
    cut_blocks(10)
    clock, run_block = [0.0], descent._run_block

    def slow(*arguments):
        clock[0] += 1.0
        return run_block(*arguments)

    monkeypatch.setattr(descent, "_run_block", slow)
    monkeypatch.setattr(descent, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    data = classes()
    how = ts.Descent(epochs=50, batch_size=20)
    blocks = ts.pick.descend(net("8", data, 3), CROSS, data, data, how, deadline=seconds)
    assert ts.pick.picked_of(blocks).outcome is Outcome.OUT_OF_TIME
    assert clock[0] == n_blocks


def test_an_epoch_compiles_once_for_all_blocks_rates_and_seeds(cut_blocks, compiles):
    cut_blocks(10)
    settings = {"epochs": 12, "batch_size": 20, "dropout": 0.2}
    compiled._compiled_function.cache_clear()
    assert train("8", **settings).outcome is Outcome.FINISHED  # six blocks
    assert compiled._compiled_function.cache_info().misses == 1
    before = len(compiles)
    for other in (
        {"learning_rate": 0.1},
        {"weight_decay": 0.3, "warmup_fraction": 0.5},
        {"dropout": 0.6},
        {"epochs": 14, "patience": 3},
        {"seed": 9},
    ):
        train("8", **{**settings, **other})
    assert compiled._compiled_function.cache_info().misses == 1
    assert len(compiles) == before


def test_the_count_of_compiles_can_count(compiles):
    before = len(compiles)
    jax.jit(lambda x: x * 3 + 1)(jnp.ones(7))
    assert len(compiles) > before


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_picked_params_are_those_of_the_best_epoch_exactly(optimizer):
    data, valid = classes(40), classes(60, seed=1)
    picked = train("32", data, valid, epochs=40, learning_rate=0.05, optimizer=optimizer, batch_size=8)
    losses = [row.valid_loss for row in picked.history]
    assert picked.best_epoch == int(np.argmin(losses)) + 1
    assert picked.best_epoch < len(losses)  # or this test would show nothing
    network = net("32", data, 3)
    recipe = descent.Recipe(network, CROSS, optimizer, False, False)
    rates = rates_of(ts.Descent(), 40, 5)
    task = Task(
        recipe,
        rates,
        np.uint32(0),
        None,
        *data,
        np.ones(len(data[1]), np.float32),
        judged_in_blocks(ts.pick.Samples(*valid)),
    )
    loss = jax.jit(lambda task, params: judge(task, params)[0].sum() / 60)(task, picked.params)
    assert float(loss) == pytest.approx(min(losses), rel=3e-7)  # another program sums in another order
    ours = ts.pick.losses_of(CROSS, ts.pick.outputs_of(network, picked.params, valid[0]), valid[1])
    assert ours.mean() == pytest.approx(min(losses), rel=1e-5)


def test_a_longer_descent_of_equal_epochs_passes_through_the_picked_params():
    """What came after the best epoch left no trace in what is returned."""
    data, valid = classes(40), classes(60, seed=1)
    settings = {"learning_rate": 0.05, "batch_size": 8, "warmup_fraction": 0.0}
    picked = train("32", data, valid, epochs=40, patience=40, **settings)
    stopped = train("32", data, valid, epochs=40, patience=1, **settings)
    upto = len(stopped.history)
    assert stopped.history == picked.history[:upto]
    assert digest(stopped.params) != digest(picked.params) or stopped.best_epoch == picked.best_epoch


# How descent ends


def test_all_epochs_done():
    picked = train(epochs=5)
    assert (picked.outcome, len(picked.history)) == (Outcome.FINISHED, 5)


@pytest.mark.parametrize("patience", [1, 3, 10])
def test_early_stopping_waits_its_patience_then_says_so(patience):
    settings = {"epochs": 300, "learning_rate": 0.05, "batch_size": 8}
    picked = train("32", classes(40), classes(60, seed=1), patience=patience, **settings)
    assert picked.outcome is Outcome.STOPPED_EARLY
    assert len(picked.history) == picked.best_epoch + patience < 300
    assert "stopped falling" in picked.outcome.sentence


def test_a_learning_rate_of_zero_stops_after_its_patience():
    picked = train(learning_rate=0.0, epochs=50, patience=4)
    assert (picked.outcome, picked.best_epoch, len(picked.history)) == (Outcome.STOPPED_EARLY, 1, 5)


@pytest.mark.parametrize(("spec", "optimizer"), [("", "sgd"), ("8", "momentum")])
def test_exploding_loss_is_an_outcome_and_the_best_so_far_is_kept(spec, optimizer):
    x, y = numbers(60)
    data = (1e3 * x, y)
    picked = train(spec, data, data, SQUARED, optimizer=optimizer, learning_rate=100.0, epochs=50)
    assert picked.outcome is Outcome.DIVERGED
    assert len(picked.history) < 50
    assert_finite(picked.params)
    assert "learning rate" in picked.outcome.sentence


@pytest.mark.parametrize("poison", [1e38, 3e38])
def test_loss_that_is_nan_from_the_first_epoch_leaves_the_random_start(poison):
    x, y = classes()
    bad = x.copy()
    bad[::7] = poison
    picked = train("8", (bad, y), (bad, y), epochs=9)
    assert (picked.outcome, picked.best_epoch, len(picked.history)) == (Outcome.DIVERGED, 0, 1)
    assert digest(picked.params) == digest(start_of("8", (x, y), CROSS))


def test_poison_in_the_training_samples_alone_never_reaches_the_params():
    x, y = classes()
    bad = x.copy()
    bad[50] = 3e38
    picked = train("8", (bad, y), (x, y), epochs=9, batch_size=20)
    assert picked.outcome is Outcome.DIVERGED
    assert_finite(picked.params)


def _interrupt_at(monkeypatch, name, n_calls):
    """The n-th call of that part of descent is interrupted."""
    usual, calls = getattr(descent, name), []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == n_calls:
            raise KeyboardInterrupt
        return usual(*arguments)

    monkeypatch.setattr(descent, name, interrupted)


@pytest.mark.parametrize("part", ["_run_block", "_rows_on_host"])
@pytest.mark.parametrize("n_calls", [1, 3])
def test_interrupt_gives_the_best_so_far(monkeypatch, part, n_calls):
    settings = {"epochs": 20}
    whole = train(**settings)
    _interrupt_at(monkeypatch, part, n_calls)
    picked = train(**settings)
    assert picked.outcome is Outcome.INTERRUPTED
    assert picked.history == whole.history[: n_calls - 1]
    assert picked.best_epoch == len(picked.history)  # the loss still falls
    assert_finite(picked.params)
    assert "interrupted" in picked.outcome.sentence


def test_interrupt_while_the_order_is_drawn_gives_the_best_so_far(monkeypatch):
    usual = descent._orders

    def orders(*arguments):
        for index, block in enumerate(usual(*arguments)):
            if index == 4:
                raise KeyboardInterrupt
            yield block

    monkeypatch.setattr(descent, "_orders", orders)
    picked = train(epochs=20)
    assert (picked.outcome, picked.best_epoch, len(picked.history)) == (Outcome.INTERRUPTED, 4, 4)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_sentence(outcome):
    assert outcome.sentence


# Samples that do not fit


@pytest.mark.parametrize(("kind", "scale"), [(np.float32, 1.0), (np.uint8, 0.0), (np.uint8, np.nan)])
def test_a_scale_is_for_whole_numbers_of_8_bits(kind, scale):
    samples = ts.pick.Samples(np.zeros((20, 6), kind), np.arange(20) % 3, None, scale)
    with pytest.raises(DataError, match="got a scale") as caught:
        ts.pick.train(net("8", classes(), 3), CROSS, samples, samples, ts.Descent(epochs=1))
    assert "uint8" in caught.value.hint


@pytest.mark.parametrize(
    ("x", "y", "part"),
    [
        (np.zeros((5, 6)), np.zeros(4, int), "shape"),
        (np.zeros((0, 6)), np.zeros(0, int), "shape"),
        (np.zeros(6), np.zeros(6, int), "shape"),
        (np.zeros((5, 6)), np.zeros((5, 1), int), "shape"),
        (np.zeros((5, 7)), np.zeros(5, int), "7 inputs"),
        (np.zeros((5, 6)), np.full(5, 3), "0 to 2"),
        (np.zeros((5, 6)), np.full(5, -1), "from 0, got -1"),
        (np.zeros((5, 6)), np.full(5, 0.5), "class indices"),
        (np.zeros((5, 6)), np.full(5, "a"), "class indices"),
    ],
)
def test_samples_that_do_not_fit_are_refused(x, y, part):
    with pytest.raises(ts.DataError, match=part):
        train(data=classes(), valid=(x, y))


def test_settings_out_of_range_are_refused_before_anything_runs():
    with pytest.raises(ts.SettingsError, match="epochs"):
        train(epochs=0)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, None])
def test_seed_out_of_range_is_refused(seed):
    with pytest.raises(ts.SettingsError, match="seed"):
        train(seed=seed, epochs=1)


def test_largest_seed_works():
    assert train(seed=2**32 - 1, epochs=1).outcome is Outcome.FINISHED


def test_one_training_sample_and_one_valid_sample_work():
    x, y = classes(1)
    assert len(train(data=(x, y), valid=(x, y), epochs=3).history) == 3


# Outputs of many samples


@pytest.mark.parametrize("n_samples", [0, 1, 2, 33, 1024, 1025, 2500])
def test_outputs_and_losses_in_blocks_are_those_of_the_whole(n_samples):
    x, y = classes(max(n_samples, 1))
    x, y = x[:n_samples], y[:n_samples]
    network = net("8", (x, y), 3)
    params = network.init(0)
    outputs = ts.pick.outputs_of(network, params, x)
    assert outputs.shape == (n_samples, 3)
    first, last = ({name: np.asarray(own[name]) for name in own} for own in params)
    hidden = np.maximum(x @ first["weight"] + first["bias"], 0)
    np.testing.assert_allclose(outputs, hidden @ last["weight"] + last["bias"], rtol=1e-5, atol=1e-6)
    losses = logsumexp(outputs, axis=1) - outputs[np.arange(n_samples), y]
    np.testing.assert_allclose(ts.pick.losses_of(CROSS, outputs, y), losses, rtol=1e-5, atol=1e-6)


def test_training_works_where_jax_counts_in_double_precision():
    code = (
        "import numpy as np, threestep as ts\n"
        "run = ts.fit('iris', network='4', epochs=2)\n"
        "assert run.picked.params[0]['weight'].dtype == np.float32\n"
        "found = ts.fit('iris', effort='quick', widths=(8, 8), depths=(0, 2), epochs=4, folds=1)\n"
        "assert len(found.leaderboard) > 2\n"
    )
    environment = {**os.environ, "JAX_ENABLE_X64": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_samples_that_are_not_finite_are_refused_before_training():
    network = ts.network.parse("2", input_shape=(1,), n_outputs=1)
    good, bad = (np.ones((4, 1)), np.ones(4)), (np.full((4, 1), np.nan), np.ones(4))
    with pytest.raises(ts.DataError, match="finite"):
        ts.pick.train(network, ts.goodness.Goodness("squared_error"), bad, good)
    with pytest.raises(ts.DataError, match="1 for squared_error"):
        ts.pick.train(
            ts.network.parse("2", input_shape=(1,), n_outputs=2),
            ts.goodness.Goodness("squared_error"),
            good,
            good,
        )


# The share of the rate that weights of the inputs learn with

ENTROPY = ts.goodness.Goodness("cross_entropy")


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_weights_of_the_inputs_learn_with_their_share_of_the_rate(optimizer):
    x = np.random.default_rng(0).normal(size=(32, 6)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)
    network = ts.network.parse("8", input_shape=(6,), n_outputs=2)
    moved = []
    for share in (1.0, 0.25):
        how = Descent(epochs=1, batch_size=32, optimizer=optimizer, learning_rate=0.01, input_rate=share)
        picked = ts.pick.train(network, ENTROPY, (x, y), (x, y), how)
        start = network.init(0)
        moved.append([picked.params[at]["weight"] - start[at]["weight"] for at in (0, 1)])
    (first, last), (slow_first, same_last) = moved
    np.testing.assert_allclose(slow_first, 0.25 * first, rtol=1e-3, atol=1e-7)
    np.testing.assert_array_equal(same_last, last)


@pytest.mark.slow
def test_members_of_a_population_learn_from_their_inputs_as_slowly_as_alone():
    x = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)
    network = ts.network.parse("64-64", input_shape=(8,), n_outputs=2)
    how = Descent(epochs=3, batch_size=32, learning_rate=0.01, weight_decay=0.01, input_rate=0.1)
    alone = ts.pick.train(network, ENTROPY, (x, y), (x, y), how)
    members = [ts.pick.Member(network, 0.01, 0.01, 0.0, 0)]
    (among,) = ts.pick.train_members(members, ENTROPY, (x, y), (x, y), how)
    for at in (0, 1):
        np.testing.assert_allclose(among.params[at]["weight"], alone.params[at]["weight"], atol=1e-5)


# A factor of each input, at a rate of its own


def noisy(n=200, n_useless=30):
    """Two inputs say what is asked, the others nothing."""
    x = np.random.default_rng(0).normal(size=(n, 2 + n_useless)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(np.int32)


def test_a_step_with_factors_is_one_of_weights_and_of_factors():
    (x, y), network = noisy(32, 4), ts.network.parse("8 tanh", input_shape=(6,), n_outputs=2)
    how = Descent(
        epochs=1, batch_size=32, optimizer="sgd", learning_rate=0.1, warmup_fraction=1, input_scaling=5
    )
    picked = ts.pick.train(network, ENTROPY, (x, y), (x, y), how)

    def loss(params, factors):
        first, *others = params
        own = ({**first, "weight": factors[:, None] * first["weight"]}, *others)
        return ENTROPY.losses(network.apply(own, x), y).mean()

    params = jax.tree.map(jnp.asarray, network.init(0))
    by_params, by_factors = jax.grad(loss, (0, 1))(params, jnp.ones(6))
    first = params[0]["weight"] - 0.1 * by_params[0]["weight"]
    factors = 1 - 0.5 * by_factors
    np.testing.assert_allclose(picked.params[0]["weight"], factors[:, None] * first, rtol=1e-4, atol=1e-6)
    second = params[1]["weight"] - 0.1 * by_params[1]["weight"]
    np.testing.assert_allclose(picked.params[1]["weight"], second, rtol=1e-4, atol=1e-6)
    assert {part for own in picked.params for part in own} == {"weight", "bias"}


def test_with_factors_inputs_that_say_nothing_are_heard_less():
    (x, y), network = noisy(), ts.network.parse("16", input_shape=(32,), n_outputs=2)

    def share(times):
        how = Descent(epochs=30, batch_size=32, learning_rate=0.003, input_scaling=times)
        weights = ts.pick.train(network, ENTROPY, (x[:150], y[:150]), (x[150:], y[150:]), how)
        sizes = np.abs(weights.params[0]["weight"]).sum(axis=1)
        return sizes[:2].sum() / sizes.sum()

    assert share(6.0) > 1.2 * share(0.0)


def test_members_of_a_population_have_factors_as_alone_and_the_linear_one_none():
    (x, y), specs = noisy(64, 6), ("64-64", "")
    how = Descent(epochs=3, batch_size=32, learning_rate=0.01, weight_decay=0.01, input_scaling=4.0)
    networks = [ts.network.parse(spec, input_shape=(8,), n_outputs=2) for spec in specs]
    members = [ts.pick.Member(network, 0.01, 0.01, 0.0, 0) for network in networks]
    among = ts.pick.train_members(members, ENTROPY, (x, y), (x, y), how)
    for network, own in zip(networks, among, strict=True):
        alone = ts.pick.train(network, ENTROPY, (x, y), (x, y), how)
        for one, other in zip(own.params, alone.params, strict=True):
            np.testing.assert_allclose(one["weight"], other["weight"], atol=1e-5)
    without = ts.pick.train_members(members, ENTROPY, (x, y), (x, y), replace(how, input_scaling=0.0))
    assert not np.array_equal(without[0].params[0]["weight"], among[0].params[0]["weight"])
    np.testing.assert_array_equal(without[1].params[0]["weight"], among[1].params[0]["weight"])


def test_tables_of_numbers_have_factors_by_default_pictures_and_words_none():
    x, y = noisy(60, 2)
    words = {"color": np.array(["red", "blue", "green"] * 20, object)}
    pixels = np.random.default_rng(0).random((60, 8, 8)).astype(np.float32)
    used = [
        ts.study.prepare_run(ts.data.Table("t", each, y), ts.Settings(**asked)).settings
        for each, asked in ((x, {}), (pixels, {}), (words, {}), (x, {"input_scaling": 0.0}))
    ]
    assert [settings.input_scaling for settings in used] == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.slow
def test_large_pictures_are_learned_by_neurons():
    """With the whole rate for the inputs descent stays where it began."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 400).astype(np.int32)
    light = generator.normal(0, 1, (400, 1, 1, 1))
    x = light + 0.3 * generator.normal(size=(400, 48, 48, 3))
    x[:, :24] += 0.4 * (2 * y - 1)[:, None, None, None]
    run = ts.fit((x.astype(np.float32), y), network="64-64", epochs=12, seed=0)
    assert run.scores["test"]["accuracy"] > 0.9
    assert run.settings.input_rate == pytest.approx((1024 / 6912) ** 1.5)
