"""`Classifier` and `Regressor`: scikit-learn's rules, few compiles, what users of estimators do."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import threestep as ts
from threestep.data import Table
from threestep.estimators.samples import in_own_order
from threestep.pick import compiled

IRIS, DIABETES = load_iris(return_X_y=True), load_diabetes(return_X_y=True)
QUICK = {"network": "16", "epochs": 60, "learning_rate": 0.01, "random_state": 0}


def mixed_frame(n_samples=120, seed=0):
    """Numbers with gaps, words with gaps, and classes that depend on both."""
    rng = np.random.default_rng(seed)
    size, color = rng.normal(size=n_samples), rng.choice(["red", "green", "blue"], n_samples)
    y = np.where((size > 0) ^ (color == "red"), "yes", "no")
    size[::17] = np.nan
    frame = pd.DataFrame({"size": size, "color": pd.Series(color, dtype=object)})
    frame.loc[::13, "color"] = None
    return frame, y


# The rules


@pytest.mark.parametrize(
    "estimator",
    [
        ts.Regressor(network="32", epochs=30),
        *(
            pytest.param(each, marks=pytest.mark.slow)  # minutes: a search for each kind of data
            for each in (ts.Classifier(network="32", epochs=30), ts.Classifier(), ts.Regressor())
        ),
    ],
    ids=["Regressor-given", "Classifier-given", "Classifier", "Regressor"],
)
def test_every_rule_of_scikit_learn_is_kept(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert [each["check_name"] for each in results if each["status"] in ("failed", "xfail")] == []
    assert sum(each["status"] == "passed" for each in results) > 50


def test_parameters_are_kept_as_they_are_and_cloned():
    given = {"network": "8-8 tanh", "budget": "5s", "ensemble": 3, "class_weight": "balanced", "verbose": 1}
    again = clone(ts.Classifier(**given))
    assert {name: again.get_params()[name] for name in given} == given
    assert "Classifier(" in repr(again)
    assert "<" in again._repr_html_()


def test_an_estimator_goes_through_pickle_a_pipeline_and_a_grid():
    x, y = IRIS
    fitted = ts.Classifier(**QUICK).fit(x, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(x), fitted.predict_proba(x))
    pipeline = make_pipeline(StandardScaler(), ts.Classifier(**QUICK)).fit(x, y)
    assert pipeline.score(x, y) > 0.9
    grid = GridSearchCV(ts.Classifier(**QUICK), {"learning_rate": [1e-5, 1e-2]}, cv=3).fit(x, y)
    assert grid.best_params_ == {"learning_rate": 1e-2}


# What is learned


def test_classes_are_given_back_as_they_came():
    x, y = IRIS
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    classifier = ts.Classifier(**QUICK).fit(x, names)
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert classifier.score(x, names) > 0.9
    confidences = classifier.predict_proba(x)
    np.testing.assert_allclose(confidences.sum(axis=1), 1)
    assert (classifier.classes_[confidences.argmax(axis=1)] == classifier.predict(x)).all()
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 60
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]
    assert classifier.n_features_in_ == 4


def test_a_search_is_the_default_and_tells_what_was_tried():
    x, y = IRIS
    classifier = ts.Classifier(random_state=0).fit(x, y)
    assert classifier.score(x, y) > 0.9
    assert len(classifier.leaderboard_) > 5
    assert classifier.settings_.network == "auto"


def test_of_few_samples_several_networks_are_averaged_unless_one_is_asked_for():
    x, y = IRIS
    assert 1 + len(ts.Classifier(random_state=0).fit(x, y).model_.others) in (4, 8)  # of each fold one or two
    assert ts.Classifier(ensemble=1, random_state=0).fit(x, y).model_.others == ()
    assert ts.Classifier("8", epochs=2, random_state=0).fit(x, y).model_.others == ()


def test_equal_random_states_give_equal_networks_and_others_others():
    x, y = DIABETES
    one, same, other = (
        ts.Regressor(**{**QUICK, "random_state": seed}).fit(x, y).predict(x) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_frames_with_words_and_gaps_are_taken(library):
    frame, y = mixed_frame()
    frame = library(frame.to_dict("list"))
    classifier = ts.Classifier("16-16", epochs=150, random_state=0).fit(frame, y)
    assert classifier.feature_names_in_.tolist() == ["size", "color"]
    assert classifier.score(frame, y) > 0.85
    strange = library({"size": [0.5, None], "color": ["purple", None]})
    assert set(classifier.predict(strange)) <= {"yes", "no"}


def test_all_frames_give_the_same_bits():
    frame, y = mixed_frame()
    columns = frame.to_dict("list")
    fits = [ts.Classifier(**QUICK).fit(library(columns), y) for library in (pd.DataFrame, pl.DataFrame)]
    np.testing.assert_array_equal(*(fit.predict_proba(frame) for fit in fits))


@pytest.mark.parametrize("as_frame", [True, False])
def test_codes_are_categories_where_it_is_said(as_frame):
    random = np.random.default_rng(0)
    code, noise = random.integers(0, 6, 400), random.normal(size=400)
    x = pd.DataFrame({"code": code, "noise": noise}) if as_frame else np.column_stack([code, noise])
    name = "code" if as_frame else "x0"
    classifier = ts.Classifier("8", epochs=30, random_state=0, column=(f"{name}=category",))
    assert classifier.fit(x, code % 2).score(x, code % 2) > 0.95
    assert classifier.model_.prep.layout.words == ((name, tuple("012345")),)
    assert ts.Classifier("8", epochs=30, random_state=0).fit(x, code % 2).score(x, code % 2) < 0.9
    with pytest.raises(ValueError, match="no column 'cod'"):
        ts.Classifier("8", column=("cod=category",)).fit(x, code)


def test_several_numbers_at_once():
    x, y = DIABETES
    both = np.column_stack([y, -10 * y])
    regressor = ts.Regressor("32", epochs=100, random_state=0).fit(x, both)
    predicted = regressor.predict(x)
    assert predicted.shape == both.shape
    assert np.corrcoef(predicted.T)[0, 1] < -0.9
    assert 5 < -predicted[:, 1].mean() / predicted[:, 0].mean() < 15
    assert regressor.score(x, both) > 0.4


def test_several_labels_at_once():
    x, y = IRIS
    labels = np.column_stack([y == 0, y > 0]).astype(int)
    classifier = ts.Classifier(**QUICK).fit(x, labels)
    assert (classifier.predict(x) == labels).mean() > 0.95
    assert classifier.predict_proba(x).shape == (150, 2)


def test_quantiles_cover_what_they_should():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 1))
    y = x[:, 0] + (0.2 + np.abs(x[:, 0])) * rng.normal(size=2000)
    regressor = ts.Regressor("32-32", quantiles=(0.1, 0.5, 0.9), epochs=40, random_state=0).fit(x, y)
    low, middle, high = regressor.predict(x).T
    assert 0.75 < np.mean((low <= y) & (y <= high)) < 0.85
    assert 0.45 < np.mean(y <= middle) < 0.55
    wide = high - low
    assert wide[np.abs(x[:, 0]) > 0.8].mean() > 1.5 * wide[np.abs(x[:, 0]) < 0.2].mean()


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses_pass_over_wild_targets(loss):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 1))
    clean = 3 * x[:, 0]
    wild = clean + 40 * (rng.random(400) < 0.1)
    errors = [
        np.abs(
            ts.Regressor("16", epochs=60, loss=each, random_state=0).fit(x, wild).predict(x) - clean
        ).mean()
        for each in (loss, "squared_error")
    ]
    assert errors[0] < 0.6 * errors[1]


def test_focal_loss_learns_classes():
    x, y = IRIS
    assert ts.Classifier(**QUICK, loss="focal").fit(x, y).score(x, y) > 0.9


@pytest.mark.parametrize(
    ("kind", "parameters", "match"),
    [
        (ts.Classifier, {"network": "64 reluu"}, "did you mean"),
        (ts.Classifier, {"loss": "squared_error"}, "is for number"),
        (ts.Regressor, {"loss": "cross_entropy"}, "is for classes"),
        (ts.Regressor, {"quantiles": (0.5, 1.5)}, "between 0 and 1"),
        (ts.Regressor, {"quantiles": (0.5, 0.5)}, "different numbers between 0 and 1"),
        (ts.Classifier, {"epochs": 0}, "`epochs` is 0"),
        (ts.Classifier, {"class_weight": "even"}, "balanced"),
    ],
)
def test_wrong_parameters_are_value_errors_with_a_hint(kind, parameters, match):
    x, y = IRIS
    with pytest.raises(ValueError, match=match):
        kind(**parameters).fit(x, y)


def test_an_estimator_that_learned_nothing_says_so():
    with pytest.raises(NotFittedError):
        ts.Classifier().predict(IRIS[0])


# Weights


def test_balanced_classes_find_the_rare_one():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    y = (x[:, 0] + rng.normal(size=600) > 2.2).astype(int)
    plain, balanced = (
        ts.Classifier("8", epochs=60, class_weight=weight, random_state=0).fit(x, y).predict(x)
        for weight in (None, "balanced")
    )
    assert (balanced[y == 1] == 1).mean() > (plain[y == 1] == 1).mean() + 0.2


def test_few_equal_samples_are_one_with_more_weight_in_an_order_of_their_own():
    x = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0], [5.0, 5.0], [1.0, 2.0]])
    y = np.array([0, 1, 0, 1, 1])
    one = in_own_order(Table("t", x, y, weight=np.array([1.0, 2.0, 3.0, 0.0, 1.0])))
    rows = {
        (tuple(sample), int(target)): float(weight)
        for sample, target, weight in zip(one.x.tolist(), one.y, one.weight, strict=True)
    }
    assert rows == {((1.0, 2.0), 0): 4.0, ((0.0, 1.0), 1): 2.0, ((1.0, 2.0), 1): 1.0}
    other = in_own_order(Table("t", x[::-1], y[::-1], weight=np.array([1.0, 0.0, 3.0, 2.0, 1.0])))
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.weight, other.weight)


def test_many_equal_samples_stay_apart_but_those_without_weight_go():
    x = np.repeat(np.arange(50.0), 3).reshape(-1, 1)
    weight = np.tile([1.0, 2.0, 0.0], 50)
    table = in_own_order(Table("t", x, np.arange(150) % 2, weight=weight))
    assert table.n_samples == 100
    assert np.unique(table.x).tolist() == np.arange(50.0).tolist()
    assert sorted(table.weight.tolist()) == [1.0] * 50 + [2.0] * 50


def test_what_is_learned_does_not_depend_on_the_order_of_the_samples():
    x, y = IRIS
    order = np.random.default_rng(0).permutation(len(y))
    one, other = ts.Classifier(**QUICK).fit(x, y), ts.Classifier(**QUICK).fit(x[order], y[order])
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))


# A little at a time


def test_partial_fit_learns_on():
    x, y = IRIS
    classifier = ts.Classifier("16", learning_rate=0.01, random_state=0)
    for _ in range(40):
        classifier.partial_fit(x, y, classes=[0, 1, 2])
    assert classifier.score(x, y) > 0.85
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 40
    regressor = ts.Regressor("16", random_state=0).partial_fit(*DIABETES)
    before = regressor.score(*DIABETES)
    assert regressor.partial_fit(*DIABETES).score(*DIABETES) != before


def test_partial_fit_remembers_what_the_optimizer_did_and_a_fit_forgets_it():
    x, y = IRIS
    own = ts.Classifier("16", random_state=0, epochs=2).partial_fit(x, y, classes=[0, 1, 2])
    for at in range(0, 150, 16):
        own.partial_fit(x[at : at + 16], y[at : at + 16])
    assert own._begun.n_steps == 10
    again = pickle.loads(pickle.dumps(own)).partial_fit(x, y)
    own.partial_fit(x, y)
    assert np.array_equal(again.predict_proba(x), own.predict_proba(x))
    forgetful = pickle.loads(pickle.dumps(own))
    forgetful._begun = None
    assert not np.array_equal(
        forgetful.partial_fit(x, y).predict_proba(x), own.partial_fit(x, y).predict_proba(x)
    )
    assert own.fit(x, y)._begun is None


def test_the_first_partial_fit_must_name_the_classes():
    with pytest.raises(ValueError, match="classes must be passed"):
        ts.Classifier().partial_fit(*IRIS)
    classifier = ts.Classifier("4").partial_fit(*IRIS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="has the class 7"):
        classifier.partial_fit(IRIS[0], IRIS[1] + 7)


def test_a_weighted_batch_of_one_class_is_learned_from_too():
    x, y = IRIS
    classifier = ts.Classifier("4").partial_fit(x, y, classes=[0, 1, 2])
    assert classifier.partial_fit(x[:10], y[:10], sample_weight=np.ones(10)).n_iter_ == 2
    assert classifier.model_.temperature == 1.0
    with pytest.raises(ValueError, match="no `partial_fit`"):
        ts.Classifier("-".join(["4"] * 9)).partial_fit(x, y, classes=[0, 1, 2])


def test_labels_of_another_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent"):
        ts.Classifier("4").fit(IRIS[0], np.eye(2, dtype=int)[(IRIS[1][:90] > 0).astype(int)])


# Compiles


def test_folds_grids_and_other_row_counts_share_two_programs_at_most(compiles):
    compiled._compiled.cache_clear()
    x, y = load_breast_cancer(return_X_y=True)
    before = len(compiles)
    cross_val_score(ts.Classifier("32-32", epochs=3, random_state=0), x, y, cv=5)
    depths = ["32", "32-32", "32-32-32", "20-32 silu", "32-r32-r32-r32"]
    grid = {"network": depths, "learning_rate": [1e-3, 1e-2], "random_state": [0, 1]}
    GridSearchCV(ts.Classifier(epochs=3), grid, cv=5).fit(x, y)
    for n_samples in (440, 447, 452):
        ts.Classifier("32", epochs=2, random_state=0).fit(x[:n_samples], y[:n_samples])
    assert len(compiles) - before <= 2


def test_the_default_search_on_few_samples_shares_two_programs_at_most(compiles):
    compiled._compiled.cache_clear()
    before = len(compiles)
    cross_val_score(ts.Classifier(random_state=0), *IRIS, cv=5)
    assert len(compiles) - before <= 2


def test_tricks_for_tables_can_be_switched_off():
    x = np.random.default_rng(0).normal(size=(400, 2))
    x[::100, 1] = 1e3
    off = {"bins": 0, "clip": 0.0, "input_scaling": 0.0}
    classifier = ts.Classifier("4", epochs=2, random_state=0, label_smoothing=0.0, **off)
    classifier.fit(x, x[:, 0] > 0)
    assert {name: getattr(classifier.settings_, name) for name in off} == off
    assert classifier.settings_.label_smoothing == 0.0
    layout = classifier.model_.prep.layout
    assert (layout.bins, layout.clip) == ((), 0.0)
    regressor = ts.Regressor("4", epochs=2, random_state=0).fit(x, x[:, 0])
    assert regressor.settings_.input_scaling == 1.0
    assert regressor.model_.prep.layout.clip == 3.0
    assert regressor.model_.prep.layout.bins


def test_an_estimator_that_was_pickled_before_there_were_these_tricks_is_still_one():
    old = ts.Classifier("4", epochs=2, random_state=0)
    for name in ("bins", "clip", "input_scaling", "label_smoothing"):
        delattr(old, name)
    assert old.get_params()["clip"] is None
    assert "Classifier" in repr(old)
    x = np.random.default_rng(0).normal(size=(60, 2))
    assert old.fit(x, x[:, 0] > 0).settings_.input_scaling == 1.0
