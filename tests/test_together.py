"""Members that take each step at once, as on a GPU, and steps in bfloat16: computed here on the CPU."""

import numpy as np
import pytest

import threestep as ts
from threestep.network import supernet
from threestep.pick import descent, population, programs


def _on_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members are trained as on a GPU: all of a chunk take each step at once."""
    monkeypatch.setattr(population, "is_cpu", lambda: False)
    monkeypatch.setattr(supernet, "is_cpu", lambda: False)
    monkeypatch.setitem(programs._MOST_TOGETHER, False, 8)


def _trained_members(specs: tuple[str, ...], numbers: tuple[int, ...]) -> list:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(260, 12)).astype(np.float32)
    y = ((x[:, 0] * x[:, 1] > 0).astype(np.int32) + (x[:, 2] > 1)).astype(np.int32)
    members = [
        ts.pick.Member(
            ts.network.parse(specs[at], (12,), 3),
            learning_rate=0.01,
            dropout=0.2 * (at % 2),
            seed=at,
        )
        for at in numbers
    ]
    parts = (x[:200], y[:200]), (x[200:], y[200:])
    settings = ts.Descent(batch_size=32, input_scaling=2.0)
    with ts.pick.Population(ts.goodness.Goodness("cross_entropy"), *parts, settings) as everyone:
        jobs = [ts.pick.Job(member, 4 + member.seed) for member in members]
        return ts.pick.ended(everyone.train(jobs))


_SPECS = ("", "16", "16-16 tanh", "24-r24-r24", "20-12 relu", "16-16-16-16 gelu")


@pytest.mark.slow
def test_all_at_once_as_one_by_one(monkeypatch: pytest.MonkeyPatch):
    """Some end while others go on."""
    numbers = tuple(range(len(_SPECS)))
    alone = _trained_members(_SPECS, numbers)
    _on_another_device(monkeypatch)
    together = _trained_members(_SPECS, numbers)
    assert len({len(each.history) for each in alone}) > 1  # they end at different epochs
    for one, other in zip(alone, together, strict=True):
        assert (one.best_epoch, one.outcome) == (other.best_epoch, other.outcome)
        assert len(one.history) == len(other.history)
        np.testing.assert_allclose(one.losses, other.losses, atol=1e-4)
        rows = [[row.train_loss for row in each.history] for each in (one, other)]
        np.testing.assert_allclose(*rows, rtol=1e-4)


@pytest.mark.slow
def test_all_at_once_same_bits_in_another_company(monkeypatch: pytest.MonkeyPatch):
    _on_another_device(monkeypatch)
    everyone = _trained_members(_SPECS, tuple(range(len(_SPECS))))
    for one, at in zip(_trained_members(_SPECS, (4, 2)), (4, 2), strict=True):
        assert np.array_equal(one.losses, everyone[at].losses)
        assert np.array_equal(one.params[0]["weight"], everyone[at].params[0]["weight"])


@pytest.mark.slow
def test_all_at_once_samples_are_fetched_once(monkeypatch: pytest.MonkeyPatch):
    """A batch that every member had a copy of would cost more than the step."""
    _on_another_device(monkeypatch)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 24)).astype(np.float32), rng.integers(0, 2, 64).astype(np.int32)
    member = ts.pick.Member(ts.network.parse("16", (24,), 2))
    settings = ts.Descent(batch_size=32)
    with ts.pick.Population(ts.goodness.Goodness("cross_entropy"), (x, y), (x, y), settings) as members:
        ts.pick.ended(members.train([ts.pick.Job(member, 1)]))
        (program,) = (future.result() for future in members._programs.promised.values())
    assert program is not None
    assert program.shape.n_members == 8
    text = program.call.compiled.as_text()
    assert "f32[32,24]" in text
    assert "f32[8,32,24]" not in text


def _pictures() -> tuple:
    rng = np.random.default_rng(0)
    x = rng.random((200, 64), np.float32)
    return x, (x[:, :32].sum(1) > x[:, 32:].sum(1)).astype(np.int32)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["conv8-dense16", "res8x2-globalpool", "plain8x2", "conv8 group"])
def test_bfloat16_learns_as_float32_does(spec: str):
    """The losses differ by what bfloat16 leaves out, 3 digits are the same; params stay float32."""
    x, y = _pictures()
    network = ts.network.parse(spec, (8, 8), 2)
    picked = {
        precision: ts.pick.train(
            network,
            ts.goodness.Goodness("cross_entropy"),
            (x[:160], y[:160]),
            (x[160:], y[160:]),
            ts.Descent(epochs=2, batch_size=32, dropout=0.1, precision=precision),
        )
        for precision in ("float32", "bfloat16")
    }
    losses = [[row.train_loss for row in each.history] for each in picked.values()]
    np.testing.assert_allclose(*losses, rtol=0.05)
    assert losses[0] != losses[1]
    kinds = {array.dtype for own in picked["bfloat16"].params for array in own.values()}
    assert kinds == {np.dtype(np.float32)}


def test_bfloat16_where_it_pays(monkeypatch: pytest.MonkeyPatch):
    """By itself for convolutions on a GPU only."""
    convolutions, dense = (ts.network.parse(spec, (8, 8), 2) for spec in ("conv8", "16"))
    usual = ts.Descent()
    assert not descent.is_in_bfloat16(convolutions, usual)
    monkeypatch.setattr(descent, "is_cpu", lambda: False)
    assert descent.is_in_bfloat16(convolutions, usual)
    assert not descent.is_in_bfloat16(dense, usual)
    assert not descent.is_in_bfloat16(convolutions, ts.Descent(precision="float32"))
    assert descent.is_in_bfloat16(dense, ts.Descent(precision="bfloat16"))
