"""Confidences that are what they say."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

import threestep as ts
from threestep.goodness import some_of, temperature_of


def samples(n_samples=4000, scale=3.0, seed=0):
    """Outputs that are `scale` times too large."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n_samples, 4))
    shares = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    classes = (shares.cumsum(axis=1) < rng.random((n_samples, 1))).sum(axis=1)
    return scale * true, classes


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_is_how_much_too_large_the_outputs_are(scale):
    outputs, classes = samples(scale=scale)
    assert temperature_of("classes", outputs, classes) == pytest.approx(scale, rel=0.08)


def test_it_is_the_one_with_the_lowest_loss():
    outputs, classes = samples()

    def loss(temperature):
        powers = np.exp(outputs / temperature)
        return log_loss(classes, powers / powers.sum(axis=1, keepdims=True))

    best = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert temperature_of("classes", outputs, classes) == pytest.approx(best, rel=0.015)


def test_labels_have_one_too():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(5000, 3))
    labels = (rng.random((5000, 3)) < 1 / (1 + np.exp(-true))).astype(float)
    assert temperature_of("labels", 2 * true, labels) == pytest.approx(2, rel=0.06)


def test_few_samples_hardly_move_it():
    outputs = np.array([[5.0, 0.0]] * 3)
    assert 0.5 < temperature_of("classes", outputs, np.zeros(3, int)) <= 1
    assert temperature_of("classes", np.array([[9.0, 0.0]] * 40), np.zeros(40, int)) > 0.5


def test_weights_count():
    outputs, classes = samples(scale=1.0)
    right = outputs.argmax(axis=1) == classes
    sure = temperature_of("classes", outputs, classes, np.where(right, 5.0, 1.0))
    assert sure < temperature_of("classes", outputs, classes)


def test_a_run_calibrates_its_model_and_may_be_told_not_to(tmp_path):
    given = {"network": "16", "epochs": 40, "seed": 0}
    plain, calibrated = (
        ts.fit("wine", calibrate=False, **given),
        ts.fit("wine", out=tmp_path / "run", **given),
    )
    assert plain.model.temperature == 1.0 != calibrated.model.temperature
    assert calibrated.scores["valid"]["loss"] <= plain.scores["valid"]["loss"]
    assert calibrated.scores["test"]["accuracy"] == plain.scores["test"]["accuracy"]
    assert ts.load(tmp_path / "run").temperature == calibrated.model.temperature


def test_samples_that_lie_there_in_turns_are_not_looked_at_in_turns():
    """Every second one is of class 1, as of matched pairs: half of those are not known as such."""
    rng = np.random.default_rng(0)
    classes = np.arange(40_002) % 2
    shown = classes * (rng.random(len(classes)) < 0.5)
    yes = rng.normal(size=len(classes)) + 3.0 * shown - 1.0
    outputs = np.stack([np.zeros(len(classes)), yes], axis=1)
    in_turns = temperature_of("classes", outputs, classes)
    order = rng.permutation(len(classes))
    assert in_turns == pytest.approx(temperature_of("classes", outputs[order], classes[order]), rel=0.05)
    assert some_of(5, 5) == slice(None)
    rows = some_of(100, 7)
    assert len(set(rows.tolist())) == 7
    assert (np.diff(rows) > 0).all()
