"""Why deep is hard: gradients layer by layer, training curves, sentences that say what is there."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import threestep as ts
from threestep.app import main
from threestep.network import Blocks, Conv, Dense, Network
from threestep.pick import Samples
from threestep.report import health_html
from threestep.report.words import translated
from threestep.study import plain_health
from threestep.study.health import KINDS, gradient_sizes

RNG = np.random.default_rng(0)
GOODNESS = ts.goodness.Goodness("cross_entropy")


def some(n=32):
    return Samples(RNG.normal(size=(n, 64)).astype(np.float32), RNG.integers(0, 3, n).astype(np.int32))


def test_gradient_sizes_are_those_of_each_convolution():
    blocks = Blocks(4, count=2, norm="none")
    network = Network((8, 8), (Conv(4, norm="none"), blocks, Dense(3, "linear")))
    params, samples = network.init(0), some()

    def loss(params):
        return GOODNESS.losses(network.apply(params, jnp.asarray(samples.x)), jnp.asarray(samples.y)).mean()

    gradient = jax.grad(loss)(params)
    wanted = [gradient[0]["weight"]]
    for block in range(2):
        wanted += [gradient[1][f"{name}.weight"][block] for name in ("first", "second")]
    wanted.append(gradient[2]["weight"])
    sizes = gradient_sizes(network, GOODNESS, params, samples)
    np.testing.assert_allclose(sizes, [float(jnp.sqrt((each**2).mean())) for each in wanted], rtol=1e-4)


@pytest.fixture(scope="module")
def found():
    return ts.health("digits", depths=(8, 16), epochs=2)


@pytest.mark.slow
def test_there_is_a_number_for_each_layer_and_kind(found):
    assert [(each.kind, each.depth) for each in found.stacks] == [
        (kind.name, depth) for kind in KINDS for depth in (8, 16)
    ]
    for each in found.stacks:
        assert len(each.at_start) == len(each.in_the_end) == each.depth
        assert len(each.losses) <= 2
    assert found.guess_loss == pytest.approx(np.log(10), rel=1e-3)
    assert found.guess_loss < np.log(10)  # some classes are more frequent


@pytest.mark.slow
def test_sigmoids_lose_the_gradient_and_residuals_keep_it(found):
    by_name = {(each.kind, each.depth): each for each in found.stacks}
    sigmoid, residual = by_name["sigmoid, plain", 16], by_name["relu, normalized, residual", 16]
    assert sigmoid.at_start[0] < 1e-7 * sigmoid.at_start[-2]
    assert 0.1 < residual.at_start[0] / residual.at_start[-2] < 100
    assert sigmoid.accuracy < 0.2
    assert residual.accuracy > sigmoid.accuracy
    assert "no depth learns" in found.sentences[0]
    assert len(found.sentences) == len(KINDS)


@pytest.mark.slow
def test_the_page_and_the_numbers_are_written(found, tmp_path, capsys):
    from threestep.app import main

    page = health_html(plain_health(found))
    for each in found.stacks:
        assert f"{100 * each.accuracy:.1f} %" in page
    assert "<script" not in page
    assert all(translated(sentence).own["zh-TW"] in page for sentence in found.sentences)
    words = ["study", "health", "digits", "--depths", "4", "--epochs", "1", "--out", str(tmp_path / "one")]
    assert main([*words, "--lang", "zh-TW"]) == 0
    assert "4 layers" in capsys.readouterr().out
    plain = json.loads((tmp_path / "one" / "health.json").read_text())
    assert len(plain["stacks"]) == len(KINDS)
    assert '<html lang="zh-TW">' in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")


def test_it_needs_pictures_and_possible_depths():
    with pytest.raises(ts.DataError, match="needs pictures") as caught:
        ts.health("iris")
    assert "digits" in caught.value.hint
    for depths in ((), (7,), (2,)):
        with pytest.raises(ts.SettingsError, match="depths"):
            ts.health("digits", depths=depths)
    with pytest.raises(ts.SettingsError, match="lang"):
        ts.health("digits", lang="fr")


def test_what_says_nothing_to_it_is_refused(capsys):
    assert main(["study", "health", "digits", "--budget", "20s"]) == 2
    said = capsys.readouterr().err
    assert "`budget` says nothing to `study health`" in said
    assert "depths, epochs, seed" in said
