"""The score of the best of many, without its luck; and how sure errors of numbers are."""

import numpy as np
import pytest
from scipy.stats import norm

import threestep as ts
from threestep.goodness import error_intervals, picked_again, worth_looking_at
from threestep.study.luck import corrected_scores

N_FUNCTIONS, N_SAMPLES, N_WORLDS = 300, 200, 60


def hits_of(rng, accuracies):
    """Hits of functions that find much the same samples hard."""
    shared, own = rng.normal(size=N_SAMPLES), rng.normal(size=(len(accuracies), N_SAMPLES))
    return (np.sqrt(0.5) * (shared + own) < norm.ppf(accuracies)[:, None]).astype(float)


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_the_best_of_many_is_overrated_and_the_corrected_score_is_not(spread):
    naive, corrected = [], []
    for seed in range(N_WORLDS):
        rng = np.random.default_rng(seed)
        accuracies = 0.9 - spread * rng.random(N_FUNCTIONS)
        hits = hits_of(rng, accuracies)
        best = int((-hits).mean(axis=1).argmin())
        error = np.sqrt(accuracies[best] * (1 - accuracies[best]) / N_SAMPLES)
        (again,) = picked_again(-hits, hits[None], seed=seed)
        naive.append((hits[best].mean() - accuracies[best]) / error)
        corrected.append((again - accuracies[best]) / error)
    assert np.mean(naive) > 1.5
    assert abs(np.mean(corrected)) < 0.3


def test_one_that_is_best_beyond_doubt_loses_nothing():
    losses = np.array([np.linspace(0, 1, 100), np.full(100, 5.0)])
    (again,) = picked_again(losses, losses[None])
    assert again == pytest.approx(0.5, abs=0.01)


def test_another_rule_picks_another():
    losses = np.array([np.zeros(50), np.ones(50)])
    (again,) = picked_again(losses, losses[None], rule=lambda means: np.ones(len(means), int))
    assert again == 1.0


def test_few_of_very_many_are_looked_at_where_samples_are_many():
    assert worth_looking_at(1000, 3000) == 1000
    assert 2 <= worth_looking_at(1000, 10_000_000) < 10


def test_a_correction_never_makes_a_score_better():
    luck = {"loss": 0.5, "corrected_loss": 0.4, "score": 0.8, "corrected_score": 0.9}
    assert corrected_scores({"loss": 0.3, "accuracy": 0.85}, luck) == {
        "corrected_loss": 0.3,
        "corrected_accuracy": 0.85,
    }


def test_the_luck_of_an_accuracy_and_of_an_r2_is_taken_off():
    classes = {"loss": 0.5, "corrected_loss": 0.6, "score": 0.9, "corrected_score": 0.88}
    scores = corrected_scores({"loss": 0.3, "accuracy": 0.95}, classes)
    assert scores["corrected_accuracy"] == pytest.approx(0.93)
    assert scores["corrected_loss"] == pytest.approx(0.4)
    numbers = {"loss": 0.1, "corrected_loss": 0.11, "score": -0.2, "corrected_score": -0.22}
    assert corrected_scores({"loss": 0.1, "r2": 0.8}, numbers)["corrected_r2"] == pytest.approx(0.78)


@pytest.mark.parametrize("name", [pytest.param("breast_cancer", marks=pytest.mark.slow), "wine"])
def test_luck_is_of_what_was_compared_to_pick(monkeypatch, name):
    """In folds by losses of surer answers: the least of all samples is that of the picked one."""
    from threestep.study import luck, picking

    seen = []
    monkeypatch.setattr(picking, "luck_of", lambda *a: seen.append(a) or luck.luck_of(*a))
    run = ts.fit(name, effort="quick", seed=1)
    ((_, picked, _, surer),) = seen
    places = [place for place, each in enumerate(surer.tried) if each is picked]
    assert len(surer.tried) > 1
    assert places == [int(surer.losses.mean(axis=1).argmin())]
    (event,) = (event for event in run.events if event["event"] == "luck")
    assert event["loss"] == pytest.approx(float(surer.losses[places[0]].mean()))
    assert event["score"] == pytest.approx(float(picked.trained.hits.mean()))


def test_a_search_says_how_lucky_it_was_and_the_page_says_so():
    from threestep.report import report_html

    run = ts.fit("iris", effort="quick", seed=1)
    valid = run.scores["valid"]
    assert valid["corrected_accuracy"] <= valid["accuracy"]
    assert valid["corrected_loss"] >= valid["loss"]
    html = report_html(run.events)
    for name in ("accuracy", "準確率"):
        assert f"{name} {valid['accuracy']:.4f}" in html
        assert f"{name} {valid['corrected_accuracy']:.4f}" in html
    (luck,) = (event for event in run.events if event["event"] == "luck")
    assert luck["n_tried"] >= 2


def test_a_notebook_shows_a_run_in_short_and_runs_no_name():
    evil = "<script>alert(1)</script>"
    rng = np.random.default_rng(0)
    run = ts.fit(
        {"a": rng.normal(size=60), "y": np.array([evil, "b"] * 30, dtype=object)}, network="2", epochs=1
    )
    html = run._repr_html_()
    assert "<script" not in html
    assert f"{run.scores['test']['accuracy']:.4f}" in html
    assert f"{run.scores['test']['accuracy_low']:.3f} to" in html
    assert str(run.model.network) in html
    assert "R²" in ts.fit("diabetes", network="2", epochs=1)._repr_html_()


def test_a_run_says_what_was_noticed():
    run = ts.fit(
        {"a": [1.0, 2.0] * 150, "<id>": [f"u{row}" for row in range(300)], "y": [0, 1] * 150},
        network="2",
        epochs=1,
    )
    assert any("column '<id>' is left out" in note for note in run.notes)
    assert f"{len(run.notes)} notes in `notes`" in repr(run)
    assert "<li>column &#x27;&lt;id&gt;&#x27; is left out" in run._repr_html_()
    assert ts.fit("iris", network="2", epochs=1).notes == []


def test_one_given_network_had_no_luck_to_take_off():
    run = ts.fit("iris", network="4", epochs=2)
    assert all(event["event"] != "luck" for event in run.events)
    assert "corrected_loss" not in run.scores["valid"]


def test_no_luck_of_one_measure_is_taken_off_another():
    luck = {"loss": 0.5, "corrected_loss": 0.6, "score": 0.9, "corrected_score": 0.8}
    assert corrected_scores({"loss": 0.5, "accuracy": 0.7}, luck)["corrected_accuracy"] == pytest.approx(0.6)
    assert corrected_scores({"loss": 0.5, "accuracy": 0.7}, luck, False) == {
        "corrected_loss": pytest.approx(0.6)
    }


# Errors of numbers


def test_intervals_of_errors_hold_the_truth_about_as_often_as_they_say():
    hits, n_worlds = np.zeros(2), 200
    for seed in range(n_worlds):
        rng = np.random.default_rng(seed)
        error = rng.normal(size=300)
        y = 2 * rng.normal(size=300)
        found = error_intervals(y + error, y, seed)
        hits += [found.r2_low < 0.75 < found.r2_high, found.rmse_low < 1 < found.rmse_high]
    assert (hits / n_worlds >= 0.9).all()
    assert (hits / n_worlds < 1).all()


@pytest.mark.parametrize("n_samples", [100, 5000])
def test_intervals_surround_the_value_and_know_the_unit(n_samples):
    rng = np.random.default_rng(0)
    y = rng.normal(size=(n_samples, 2))
    said = y + 0.3 * rng.normal(size=y.shape)
    found, value = error_intervals(said, y), ts.goodness.number_metrics(said, y)
    assert found.r2_low < value["r2"] < found.r2_high
    assert found.rmse_low < value["rmse"] < found.rmse_high
    tenfold = error_intervals(10 * said, 10 * y)
    assert tenfold.r2_low == pytest.approx(found.r2_low)
    assert tenfold.rmse_high == pytest.approx(10 * found.rmse_high)


@pytest.mark.parametrize("targets", [[1.0, 1.0, 1.0], [1.0, 2.0], [1.0, 2.0, 3.0]])
def test_nothing_is_said_where_nothing_can_be_said(targets):
    assert np.isnan(error_intervals(np.array([1.0, 2.0, 3.0])[: len(targets)], np.array(targets))).all()


def test_a_number_of_equal_targets_still_has_a_page():
    from threestep.report import report_html

    rng = np.random.default_rng(0)
    y = np.r_[rng.normal(size=80), np.zeros(20)]
    order = np.arange(100)
    run = ts.fit(
        {"a": rng.normal(size=100), "t": order, "y": y}, target="y", order="t", network="2", epochs=1
    )
    assert "r2_low" not in run.scores["test"]
    assert "nan" not in report_html(run.events)
