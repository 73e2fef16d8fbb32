"""Where to say yes, and how far intervals must reach."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import threestep as ts
from threestep.goodness import conformal_shifts, threshold_for

SCORE = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": metrics.f1_score,
}


def rare(n_samples=500, seed=0):
    """Confidences that know something, and few ones."""
    rng = np.random.default_rng(seed)
    classes = (rng.random(n_samples) < 0.15).astype(int)
    return np.clip(0.25 * classes + rng.uniform(0, 0.5, n_samples), 0, 1).round(2), classes


@pytest.mark.parametrize("metric", SCORE)
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(metric, seed):
    confidences, classes = rare(seed=seed)
    threshold = threshold_for(metric, confidences, classes)
    best = max(SCORE[metric](classes, confidences >= each) for each in np.linspace(0, 1.001, 1002))
    assert SCORE[metric](classes, confidences >= threshold) == pytest.approx(best)


def test_one_half_is_kept_where_nothing_is_better_or_known():
    assert threshold_for("accuracy", np.array([0.1, 0.9]), np.array([0, 1])) == 0.5
    assert threshold_for("f1", np.array([0.1, 0.9]), np.array([1, 1])) == 0.5


def test_a_run_decides_by_the_metric_that_was_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 2))
    y = np.where(x[:, 0] + 1.2 * rng.normal(size=1500) > 2.3, "yes", "no")
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y})
    given = {"target": "y", "network": "8", "epochs": 30}
    usual = ts.fit(frame, **given)
    other = ts.fit(frame, decide_by="balanced_accuracy", out=tmp_path / "run", **given)
    assert other.model.threshold < 0.5 == usual.model.threshold
    assert other.scores["test"]["balanced_accuracy"] > usual.scores["test"]["balanced_accuracy"] + 0.05
    again = ts.load(tmp_path / "run")
    assert again.threshold == other.model.threshold
    said = again.predict(frame) == "yes"
    np.testing.assert_array_equal(said, again.predict_proba(frame)[:, 1] >= again.threshold)


@pytest.mark.parametrize(
    ("data", "given", "what"),
    [
        ("diabetes", {}, "'progression' is number"),
        ("iris", {}, "'class' is 3 classes"),
        (
            (np.arange(40.0)[:, None], np.arange(80).reshape(40, 2) % 2),
            {"task": "labels"},
            "'target' is labels",
        ),
    ],
)
def test_where_there_are_no_two_classes_there_is_nothing_to_decide(data, given, what):
    with pytest.raises(ts.SettingsError, match=f"`decide_by` is 'f1', .* {what}") as caught:
        ts.fit(data, decide_by="f1", network="8", epochs=1, **given)
    assert caught.value.hint.startswith("leave it out")
    ts.fit(data, decide_by="accuracy", network="8", epochs=1, **given)


def test_shifted_intervals_cover_what_they_say_on_new_samples():
    rng = np.random.default_rng(0)
    outputs = np.column_stack([np.full(4000, -0.5), np.zeros(4000), np.full(4000, 0.5)])  # far too narrow
    targets = rng.normal(size=4000)
    shifts = conformal_shifts((0.1, 0.5, 0.9), outputs[:2000], targets[:2000])
    assert shifts[1] == 0.0
    assert shifts[0] == -shifts[2]
    low, _, high = (outputs[2000:] + shifts).T
    assert np.mean((low <= targets[2000:]) & (targets[2000:] <= high)) == pytest.approx(0.8, abs=0.03)


def test_quantiles_without_a_counterpart_and_too_few_samples_are_left_alone():
    outputs = np.zeros((5, 2))
    assert conformal_shifts((0.1, 0.5), outputs, np.ones(5)) == (0.0, 0.0)
    assert conformal_shifts((0.01, 0.99), outputs, np.ones(5)) == (0.0, 0.0)


def test_a_model_of_quantiles_is_shifted_and_comes_back_from_its_file(tmp_path):
    run = ts.fit("diabetes", quantiles=(0.1, 0.9), network="8", epochs=20, out=tmp_path / "run")
    assert len(run.model.shifts) == 2
    for part, row in run.scores.items():
        assert row["coverage_wanted"] == pytest.approx(0.8)
        assert row["coverage_low"] < row["coverage"] < row["coverage_high"], part
        assert row["interval_width"] > 0
    assert run.scores["test"]["coverage"] == pytest.approx(0.8, abs=0.15)
    assert "between the outer quantiles" in (tmp_path / "run" / "report.html").read_text("utf-8")
    again = ts.load(tmp_path / "run")
    assert again.shifts == run.model.shifts
    assert again.goodness.quantiles == (0.1, 0.9)


def test_a_weight_of_two_is_the_sample_twice():
    random = np.random.default_rng(0)
    classes, weight = random.integers(0, 2, 90), random.integers(0, 4, 90)
    sure = np.clip(0.3 * classes + random.uniform(0, 0.7, 90), 0, 1)
    outputs, targets = np.sort(random.normal(size=(90, 2)), axis=1), random.normal(size=90)
    twice = np.repeat(np.arange(90), weight)
    for metric in ("accuracy", "balanced_accuracy", "f1"):
        assert threshold_for(metric, sure, classes, weight) == threshold_for(
            metric, sure[twice], classes[twice]
        )
    shifts = conformal_shifts((0.1, 0.9), outputs, targets, 2 * weight)
    np.testing.assert_allclose(
        shifts, conformal_shifts((0.1, 0.9), outputs[twice], targets[twice]), atol=0.05
    )
    even = conformal_shifts((0.1, 0.9), outputs, targets, np.full(90, 0.3))
    assert even == conformal_shifts((0.1, 0.9), outputs, targets)


def test_samples_that_hardly_count_do_not_widen_intervals():
    random = np.random.default_rng(1)
    rare = random.uniform(size=4000) < 0.5
    targets = np.where(rare, 10.0, 1.0) * random.normal(size=4000)
    outputs = np.zeros((4000, 2))
    _, high = conformal_shifts((0.1, 0.9), outputs, targets, np.where(rare, 0.001, 1.0))
    assert 1.1 < high < 1.5
