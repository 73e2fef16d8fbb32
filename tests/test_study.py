"""Comparisons: equal params, fair rates, verdicts that chance rarely makes."""

import json
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from scipy import stats

import threestep as ts
from threestep.goodness import holm, resampled_interval, resampled_probability
from threestep.limits import check_study
from threestep.pick import Samples
from threestep.report import comparison_html
from threestep.report.comparison_page import _difference
from threestep.report.words import plain
from threestep.settings import Study
from threestep.study import plain_of, shown
from threestep.study.arms import DEPTHS, depth_arms, network_of_params, residual_arms, width_arms
from threestep.study.comparing import Division, _error, _outcomes
from threestep.study.verdict import verdict_of

QUICK = {"seeds": 4, "epochs": 8, "rates": (0.003, 0.01)}


# Networks


@pytest.mark.parametrize(
    ("n_inputs", "n_params"), [(2, 600), (2, 10_000), (4, 1_000), (16, 5_000), (256, 25_000), (784, 60_000)]
)
def test_networks_of_all_depths_have_equal_params(n_inputs, n_params):
    for arm in depth_arms((n_inputs, 10), DEPTHS, (n_params,), "relu"):
        assert abs(arm.network.n_params - n_params) <= 0.02 * n_params
        assert arm.rival == 0
        first, *_, last = (layer.width for layer in arm.network.layers[:-1] * 2)
        assert first / 2 <= last <= 2 * first


@pytest.mark.parametrize(("depth", "n_params"), [(1, 10), (3, 5), (1, 10_000_000)])
def test_what_no_network_has_is_refused_with_a_hint(depth, n_params):
    with pytest.raises(ts.SettingsError, match="no network with") as caught:
        network_of_params((64, 10), depth, n_params, "relu")
    assert "params" in caught.value.hint


def test_several_numbers_of_params_are_compared_each_with_its_own():
    arms = depth_arms((16, 3), (1, 2), (500, 5000), "tanh")
    assert [arm.rival for arm in arms] == [0, 0, 2, 2]


def test_residual_stacks_are_compared_with_their_plain_ones():
    arms = residual_arms((5, 2), (2, 4), 16, "relu")
    assert [arm.rival for arm in arms] == [0, 0, 2, 2]
    assert arms[0].network.n_params == arms[1].network.n_params
    assert [layer.residual for layer in arms[3].network.hidden] == [False, True, True, True]


def test_widths_are_compared_with_the_narrowest():
    arms = width_arms((5, 2), (4, 8, 16), "relu")
    assert [arm.rival for arm in arms] == [0, 0, 0]
    assert [arm.network.hidden[0].width for arm in arms] == [4, 8, 16]


# What is chance


def test_without_shared_samples_it_is_the_usual_t_test():
    values = np.random.default_rng(0).normal(0.4, 1, 12)
    assert resampled_probability(values, 0.0) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    mean, low, high = resampled_interval(values, 0.0)
    usual = stats.ttest_1samp(values, 0).confidence_interval()
    assert (low, high) == pytest.approx((usual.low, usual.high))
    assert mean == pytest.approx(values.mean())


def test_shared_samples_widen_the_interval():
    values = np.random.default_rng(0).normal(size=10)
    _, low, high = resampled_interval(values, 0.0)
    _, wide_low, wide_high = resampled_interval(values, 0.25)
    assert (wide_high - wide_low) / (high - low) == pytest.approx(((1 / 10 + 0.25) / (1 / 10)) ** 0.5)


def test_equal_errors_are_no_difference():
    assert resampled_probability(np.zeros(5), 0.2) == 1.0
    assert resampled_probability(np.full(5, 0.1), 0.2) == 0.0


def test_holm_is_as_published():
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_chance_rarely_makes_a_difference():
    """Errors of five networks that are the same, over divisions that share their samples' luck."""
    rng, n_false = np.random.default_rng(0), 0
    for _ in range(400):
        shared = rng.normal(size=(10, 1))
        errors = shared + rng.normal(size=(10, 6))
        chances = [resampled_probability(errors[:, 0] - errors[:, place], 0.3) for place in range(1, 6)]
        n_false += min(holm(chances)) < 0.05
    assert n_false <= 0.05 * 400


# Verdicts on data whose answer is known


def linear(n=600, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    return x, (x @ rng.normal(size=6) + rng.normal(size=n) > 0).astype(int)


@pytest.mark.slow
def test_on_linear_data_depth_makes_no_difference():
    found = ts.compare("depth", linear(), depths=(1, 2, 4), params=(800,), **QUICK)
    assert found.verdict.startswith(("No difference that matters", "Not known yet"))
    assert all(outcome.probability >= 0.05 for outcome in found.outcomes)


def test_divisions_of_a_table_with_rare_words_and_gaps_have_the_same_inputs():
    """Words of one sample each, at the edge of being left out, and one gap: not in every training part."""
    import pandas as pd

    rng = np.random.default_rng(0)
    y = rng.integers(2, size=200)
    rare = [f"w{place}" if place < 96 else f"v{place % 3}" for place in range(200)]
    x = pd.DataFrame({"a": y + rng.normal(size=200), "rare": rare, "gap": rng.normal(size=200), "y": y})
    x.loc[7, "gap"] = np.nan
    found = ts.compare("depth", x, target="y", depths=(1, 2), params=(3000,), seeds=6, epochs=2)
    assert found.facts["n_divisions"] == 6


@pytest.mark.slow
def test_wider_is_better_where_one_neuron_is_too_few():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (500, 1))
    found = ts.compare("width", (x, np.sin(2 * x[:, 0])), widths=(1, 64), **{**QUICK, "epochs": 40})
    assert found.verdict.startswith("Yes, wider is better")
    assert found.error == "RMSE"
    narrow, wide = found.outcomes
    assert wide.mean < narrow.mean
    assert wide.gain_low > 0


@pytest.mark.slow
def test_deeper_is_better_where_it_is_planted():
    """Two spirals: few neurons in a row fold the plane more often than many side by side."""
    rng = np.random.default_rng(0)
    turn, y = rng.uniform(0.5, 3.5, 2000) * np.pi, rng.integers(0, 2, 2000)
    x = np.c_[turn * np.cos(turn + np.pi * y), turn * np.sin(turn + np.pi * y)]
    x += rng.normal(size=x.shape) * 0.25
    settings = {"params": (600,), "seeds": 5, "epochs": 40, "rates": (0.003, 0.01)}
    found = ts.compare("depth", (x, y), depths=(1, 2, 4), **settings)
    assert found.verdict.startswith("Yes, deeper is better")
    assert min(outcome.probability for outcome in found.outcomes) < 0.01


@pytest.mark.slow
def test_a_comparison_is_the_same_again_and_differs_by_seed():
    settings = {"depths": (1, 2), "params": (300,), "seeds": 2, "epochs": 3, "rates": (0.01,)}
    one, same, other = (ts.compare("depth", linear(200), seed=seed, **settings) for seed in (0, 0, 1))
    assert one.outcomes == same.outcomes
    assert one.outcomes != other.outcomes


def test_errors_are_those_of_the_test_samples():
    found = ts.compare("depth", linear(300), depths=(1, 2), params=(300,), **QUICK)
    assert found.facts["n_test"] == 60
    for outcome in found.outcomes:
        assert len(outcome.errors) == 4
        np.testing.assert_allclose(
            np.array(outcome.errors) * 60, np.round(np.array(outcome.errors) * 60), atol=1e-9
        )
        assert outcome.mean == pytest.approx(np.mean(outcome.errors))
    first, second = found.outcomes
    assert second.gain == pytest.approx(np.mean(np.subtract(first.errors, second.errors)))


@pytest.mark.slow
def test_several_labels_and_numbers_are_compared_too():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    for y in ((x[:, :2] > 0).astype(int), x[:, :2] * 3):
        found = ts.compare("depth", (x, y), depths=(1, 2), params=(300,), **QUICK)
        assert all(0 <= outcome.mean < 5 for outcome in found.outcomes)


# The page, the command, mistakes


def test_the_page_says_what_was_found_and_shows_no_script(tmp_path):
    found = ts.compare("residual", linear(), depths=(2, 3), widths=(8,), out=tmp_path / "study", **QUICK)
    page = (tmp_path / "study" / "report.html").read_text()
    plain = json.loads((tmp_path / "study" / "comparison.json").read_text())
    assert plain["verdict"] == found.verdict
    assert [each["mean"] for each in plain["outcomes"]] == [each.mean for each in found.outcomes]
    for each in found.outcomes:
        assert each.name in page
        assert shown(each.mean, found.error) in page
    assert "<script" not in page
    facts = plain_of(found)
    facts["data"] = "<script>alert(1)</script>"
    assert "<script>alert" not in comparison_html(facts)
    with pytest.raises(ts.DataError, match="already"):
        ts.compare("depth", linear(), depths=(1, 2), params=(300,), out=tmp_path / "study", **QUICK)


def test_the_command_line_compares(tmp_path, capsys):
    from threestep.app import main

    words = [
        "study",
        "depth",
        "iris",
        "--depths",
        "1",
        "2",
        "--params",
        "200",
        "--seeds",
        "3",
        "--epochs",
        "4",
    ]
    assert main([*words, "--out", str(tmp_path / "one")]) == 0
    out = capsys.readouterr().out
    assert "1 × 25" in out
    assert "divisions" in out
    assert main([*words, "--out", str(tmp_path / "two"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by"] == "depth"
    with pytest.raises(SystemExit) as left:
        main(["study", "height", "iris"])
    assert left.value.code == 2


@pytest.mark.parametrize(
    ("ratio", "margin", "differs"), [(1.02, 0, True), (1.02, 0.05, False), (0.8, 0.05, True)]
)
def test_a_difference_must_be_larger_than_the_margin(ratio, margin, differs):
    first = 10 + np.random.default_rng(0).normal(size=20)
    errors = np.stack([first, ratio * first + 0.01 * np.random.default_rng(1).normal(size=20)])
    arms = depth_arms((4, 2), (1, 2), (200,), "relu")
    outcomes = _outcomes(arms, [0.01, 0.01], errors, (0.3, 0), margin)
    assert (outcomes[1].probability < 0.05) == differs
    verdict = verdict_of("depth", outcomes, "RMSE", margin, 20)
    assert verdict.startswith("No difference that matters") != differs
    assert f"by more than {100 * margin:g} % of its errors" in verdict or differs


def test_what_so_few_divisions_do_not_rule_out_is_not_denied():
    errors = np.array([[0.10, 0.22, 0.12], [0.20, 0.11, 0.13]])
    arms = depth_arms((4, 2), (1, 2), (200,), "relu")
    outcomes = _outcomes(arms, [0.01, 0.01], errors, (0.3, 40), 0.05)
    verdict = verdict_of("depth", outcomes, "wrong answers", 0.05, 3)
    assert verdict.startswith("Not known yet: 3 divisions do not rule out that 2 × ")
    assert "points, which would matter" in verdict
    wild = _outcomes(arms, [0.01, 0.01], np.array([[0.0, 1.0], [1.0, 0.0]]), (0.3, 40), 0.05)
    assert (wild[1].gain_low, wild[1].gain_high) == (-1.0, 1.0)  # shares differ by no more
    worse = {"gain": -0.0123, "shown": {"gain": shown(-0.0123, "wrong answers")}}
    assert plain(_difference(worse, True)) == "+1.23 points"
    better = {"gain": 12.3456, "shown": {"gain": shown(12.3456, "RMSE")}}
    assert _difference(better, False) == "\u221212.35"


def test_two_divisions_that_agree_by_chance_are_no_proof():
    """Six networks that err equally often, measured by 30 samples on each of two divisions."""
    rng, found = np.random.default_rng(0), 0
    arms = width_arms((4, 2), (1, 2, 3, 4, 5, 6), "relu")
    for _ in range(200):
        errors = rng.binomial(30, 0.03, (6, 2)) / 30
        outcomes = _outcomes(arms, [0.01] * 6, errors, (0.3, 30), 0.05)
        found += any(each.probability < 0.05 for each in outcomes[1:])
    assert found <= 10  # of 200; without the variance of so few answers 18 %
    same = _outcomes(arms[:2], [0.01] * 2, np.array([[1 / 30] * 2, [0.0] * 2]), (0.3, 30), 0.05)[1]
    assert same.gain_low < same.gain < same.gain_high


def test_several_numbers_are_each_measured_in_their_own_unit():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(300, 2)).astype(np.float32)
    trained = SimpleNamespace(member=SimpleNamespace(network=ts.network.parse("", (1,), 2)))
    trained.params = jax.tree.map(np.zeros_like, trained.member.network.init(0))
    none = Samples(np.zeros((300, 1), np.float32), y)
    error = _error(trained, Division(none, none, none, np.array([1.0, 1000.0])), "number")
    assert error == pytest.approx(np.sqrt((y**2).mean(axis=0)) @ [1, 1000] / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seeds": 1}, "seeds"),
        ({"margin": 1.0}, "margin"),
        ({"margin": "5%"}, "margin"),
        ({"rates": ()}, "rates"),
        ({"depths": (0,)}, "depths"),
        ({"widths": (5000,)}, "widths"),
        ({"test_fraction": 0.0}, "test_fraction"),
        ({"epochs": 0}, "epochs"),
        ({"budget": "soon"}, "budget"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, said):
    with pytest.raises(ts.SettingsError, match=said):
        check_study(Study(**settings))


def test_mistakes_are_told_with_hints():
    with pytest.raises(ts.SettingsError, match="no comparison") as caught:
        ts.compare("dept", "iris")
    assert "depth" in caught.value.hint
    with pytest.raises(ts.SettingsError, match="activation") as caught:
        ts.compare("depth", "iris", activation="rel")
    assert "relu" in caught.value.hint
    with pytest.raises(ts.SettingsError, match="no setting"):
        ts.compare("depth", "iris", depth=(1, 2))
    with pytest.raises(ts.DataError, match="at least 30"):
        ts.compare("depth", (np.zeros((10, 2)) + np.arange(10)[:, None], np.arange(10) % 2))
    with pytest.raises(ts.SettingsError, match="fewer than two divisions"):
        ts.compare("depth", linear(), depths=(1, 2), params=(300,), budget=0.01)


def test_one_network_alone_is_no_comparison():
    for settings in ({"by": "depth", "depths": (3,)}, {"by": "width", "widths": (8,)}):
        with pytest.raises(ts.SettingsError, match="nothing to be compared with"):
            ts.compare(data=linear(100), params=(300,), **settings)


@pytest.mark.slow
def test_divisions_that_happen_to_agree_are_not_sure_of_it():
    """Three divisions, each with no wrong answer of 30, still leave room for some."""
    x = np.repeat([[0.0], [10.0]], 75, axis=0) + np.random.default_rng(0).normal(size=(150, 1))
    found = ts.compare("depth", (x, (x[:, 0] > 5).astype(int)), depths=(1, 2), params=(200,), **QUICK)
    for outcome in found.outcomes:
        assert len(set(outcome.errors)) == 1
        assert outcome.high > outcome.mean + 0.02
    narrow, wide = (resampled_interval(np.zeros(4), 0.3, least) for least in (0.001, 0.004))
    assert wide[2] == pytest.approx(2 * narrow[2])


def test_data_in_the_place_of_what_to_compare_by_are_refused():
    x, y = np.zeros((20, 2)), np.arange(20) % 2
    with pytest.raises(ts.SettingsError, match="what to compare by"):
        ts.compare((x, y), "depth")  # pyright: ignore[reportArgumentType]
