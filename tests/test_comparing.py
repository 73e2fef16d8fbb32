"""By what found networks are compared, and how much a class counts."""

import numpy as np
import pytest
from sklearn import metrics

import threestep as ts
from threestep.goodness import metric_score, sigmoid, softmax
from threestep.pick import Samples
from threestep.study.picking import _score_of

SMALL = {"effort": "quick", "epochs": 10, "widths": (8, 8), "depths": (0, 1)}


def rare(n=400, seed=0):
    """Two classes, one of them rare and hard to tell."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.15).astype(int)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    x[:, 0] += y
    return x, y


def test_scores_are_scikit_learns_and_higher_is_better():
    rng = np.random.default_rng(1)
    outputs, y = rng.normal(size=(200, 2)), rng.integers(0, 2, 200)
    said, sure = outputs.argmax(axis=1), softmax(outputs)
    wanted = {
        "accuracy": metrics.accuracy_score(y, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, said),
        "f1": metrics.f1_score(y, said),
        "auc": metrics.roc_auc_score(y, sure[:, 1]),
        "log_loss": -metrics.log_loss(y, sure),
    }
    for name, value in wanted.items():
        assert metric_score("classes", name, outputs, y) == pytest.approx(value)
    numbers = rng.normal(size=(50, 1)), rng.normal(size=50)
    assert metric_score("number", "r2", *numbers) == pytest.approx(metrics.r2_score(numbers[1], numbers[0]))
    mae = metrics.mean_absolute_error(numbers[1], numbers[0])
    assert metric_score("number", "mae", *numbers) == pytest.approx(-mae)


def test_samples_count_as_much_as_they_weigh():
    rng = np.random.default_rng(2)
    outputs, y, weight = rng.normal(size=(80, 3)), rng.integers(0, 3, 80), rng.integers(1, 5, 80)
    two = outputs[:, :2], y % 2
    numbers = outputs + rng.normal(size=(80, 3))
    labels = (numbers > 0.3).astype(int)
    for kind, name, own, targets in (
        *(
            ("classes", name, *two)
            for name in ("accuracy", "balanced_accuracy", "f1", "auc", "log_loss", "ece")
        ),
        ("classes", "auc", outputs, y),
        *(("labels", name, outputs, labels) for name in ("accuracy", "label_accuracy")),
        *(("number", name, outputs, numbers) for name in ("r2", "rmse", "mae")),
    ):
        often = metric_score(kind, name, np.repeat(own, weight, axis=0), np.repeat(targets, weight, axis=0))
        assert metric_score(kind, name, own, targets, weight=weight) == pytest.approx(often), (kind, name)
        assert metric_score(kind, name, own, targets) != pytest.approx(often, rel=1e-6), (kind, name)
    auc = metrics.roc_auc_score(y % 2, softmax(two[0])[:, 1], sample_weight=weight)
    assert metric_score("classes", "auc", *two, weight=weight) == pytest.approx(auc)


def test_a_metric_that_is_not_defined_is_the_worst():
    assert metric_score("classes", "auc", np.zeros((3, 2)), np.zeros(3, int)) == -np.inf


def test_confidences_of_labels_are_those_of_a_yes():
    labels, outputs = np.array([[0, 1], [1, 1]]), np.array([[-9.0, 9.0], [9.0, -9.0]])
    assert metric_score("labels", "label_accuracy", outputs, labels) == 0.75
    np.testing.assert_allclose(sigmoid(outputs), 1 / (1 + np.exp(-outputs)))


def test_networks_are_compared_by_the_answers_a_model_would_give():
    """Both rank the samples alike, one is far too sure, and neither says yes to any where half would do."""
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.2).astype(int)
    yes = (rng.normal(size=2000) + 2 * y - 4).astype(np.float32)
    sure, unsure = (np.stack([np.zeros_like(yes), scale * yes], axis=1) for scale in (8, 1))
    samples, goodness = Samples(np.zeros((2000, 1), np.float32), y), ts.goodness.Goodness("cross_entropy")

    def score(outputs, name, **how):
        return _score_of(outputs, goodness, samples, ts.Settings(score_metric=name, **how))

    for name in ("log_loss", "ece"):
        assert score(sure, name, calibrate=True) == pytest.approx(
            score(unsure, name, calibrate=True), abs=3e-3
        )
        assert score(sure, name, calibrate=False) < score(unsure, name, calibrate=False) - 0.01
    best = max(metrics.f1_score(y, yes >= edge) for edge in np.unique(yes))
    assert score(unsure, "f1", decide_by="f1", calibrate=True) == pytest.approx(best)
    assert score(unsure, "f1", calibrate=True) < best - 0.2


@pytest.mark.slow
@pytest.mark.parametrize("folds", [1, 3])
def test_what_is_picked_is_the_best_by_the_metric(folds):
    run = ts.fit(rare(), score_metric="auc", ensemble=1, folds=folds, calibrate=False, seed=2, **SMALL)
    known = [each for each in run.leaderboard if each["change"].startswith("trained anew in") == (folds > 1)]
    assert len(known) >= 1
    assert run.settings.score_metric == "auc"
    by_loss = ts.fit(rare(), ensemble=1, folds=folds, calibrate=False, seed=2, **SMALL)
    assert run.scores["valid"]["auc"] >= by_loss.scores["valid"]["auc"]


@pytest.mark.parametrize(
    ("name", "given"),
    [("r2", {}), ("auc", {"task": "number"}), ("mae", {"task": "number", "quantiles": (0.5,)})],
)
def test_a_metric_of_another_kind_of_target_is_refused(name, given):
    with pytest.raises(ts.SettingsError, match="`score_metric`"):
        ts.fit(rare(), score_metric=name, **given)


def test_an_unknown_metric_is_refused():
    with pytest.raises(ts.SettingsError, match="`score_metric` is 'acuracy'"):
        ts.fit(rare(), score_metric="acuracy")


def test_balanced_classes_count_the_same():
    plain, balanced = (
        ts.fit(rare(), network="", epochs=60, seed=0, calibrate=False, class_weight=name)
        for name in ("even", "balanced")
    )
    x, y = rare(2000, seed=9)
    recalls = [(run.model.predict(x)[y == 1] == 1).mean() for run in (plain, balanced)]
    assert recalls[0] < 0.35 < 0.6 < recalls[1]


def test_there_is_nothing_to_balance_among_numbers():
    with pytest.raises(
        ts.SettingsError, match="`class_weight` is 'balanced', but the target 'target' is number"
    ):
        ts.fit(rare(), task="number", class_weight="balanced")


@pytest.mark.slow
def test_estimators_compare_by_a_metric_too():
    classifier = ts.Classifier(score_metric="balanced_accuracy", epochs=5, effort="quick", random_state=0)
    x, y = rare()
    assert classifier.fit(x, y).settings_.score_metric == "balanced_accuracy"
    with pytest.raises(ValueError, match="`score_metric` is 'r2'"):
        ts.Classifier(score_metric="r2").fit(x, y)
