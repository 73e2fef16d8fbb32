"""`Classifier` and `Regressor`: what they are given, what they refuse, and what they say."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.exceptions import NotFittedError
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import threestep as ts
from threestep.estimators import base, samples
from threestep.model import Model

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 2))
Z = (X[:, 0] > 0).astype(int)
LABELS = (X > 0).astype(int)


def quick(**parameters):
    return ts.Classifier("16", epochs=5, random_state=0, **parameters)


def said_in(call):
    """All warnings of a call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [str(each.message) for each in found]


# The target


def test_labels_are_zero_or_one():
    assert quick().fit(X, LABELS.astype(bool)).predict(X).shape == (400, 2)
    wrong = 2 * LABELS - 1
    for learn in (quick().fit, quick().partial_fit, quick().partial_fit(X, LABELS).partial_fit):
        with pytest.raises(ValueError, match=r"labels must be 0 or 1, got \[-1, 1\]"):
            learn(X, wrong)


def test_a_batch_has_a_target_of_the_kind_of_those_before():
    of_classes, of_labels = quick().partial_fit(X, Z, classes=[0, 1]), quick().partial_fit(X, LABELS)
    with pytest.raises(ValueError, match="several labels for each sample, expected one class"):
        of_classes.partial_fit(X, LABELS)
    with pytest.raises(ValueError, match="one class for each sample, expected several labels"):
        of_labels.partial_fit(X, Z)
    with pytest.raises(ValueError, match="has the class 'b', expected one of"):
        of_classes.partial_fit(X, np.array(["b", "c"] * 200, dtype=object))
    with pytest.raises(ValueError, match="got no class"):
        quick().partial_fit(X, np.where(Z, "b", None))
    with pytest.raises(ValueError, match="3 labels for each sample, expected 2"):
        of_labels.partial_fit(X, LABELS[:, [0, 0, 1]])


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.where(Z, "b", None), "sample 2: got no class"),
        (pd.Series(np.where(Z, "b", None), dtype="string"), "sample 2: got no class"),
        (np.array(["b" if each else 1 for each in Z], dtype=object), "text and others that are not"),
    ],
)
def test_classes_that_are_missing_or_mixed_are_refused(y, match):
    y = y.copy()
    y[0] = "b"
    y[1] = None if "no class" in match else 1
    with pytest.raises(ValueError, match=match):
        quick().fit(X, y)


# Weights of classes


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        ({0: -1}, "of class 0 is -1; must be a number of 0 or more"),
        ({0: float("nan")}, "of class 0 is nan"),
        ({0: "x"}, "of class 0 is 'x'"),
        ({"0": 5}, r"names the class '0', but the classes are \[0, 1\]"),
        ({2: 5}, "names the class 2"),
        ({0: 0, 1: 0}, "0 for all classes"),
        ({0: 0}, "weight on at least 2 classes"),
        ([1, 2], "must be a dict"),
        (5, "must be a dict"),
    ],
)
def test_weights_of_classes_are_checked(weight, match):
    with pytest.raises(ValueError, match=match):
        quick(class_weight=weight).fit(X, Z)


def test_weights_may_name_a_class_that_a_fold_lacks_and_leave_others_out():
    assert quick(class_weight={0: 1, 1: 2, 5: 1}).fit(X, Z).classes_.tolist() == [0, 1]
    often = quick(class_weight={np.int64(0): 9}).fit(X, Z).predict_proba(X)[:, 0].mean()
    assert often > quick().fit(X, Z).predict_proba(X)[:, 0].mean() + 0.05


@pytest.mark.parametrize("weight", ["foo", "balanced", {0: 2}])
def test_labels_have_no_weights_of_classes(weight):
    with pytest.raises(ValueError, match="several labels for each sample"):
        quick(class_weight=weight).fit(X, LABELS)


# Parameters


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"valid_fraction": "x"}, "`valid_fraction` is 'x'"),
        ({"valid_fraction": None}, "`valid_fraction` is None; must be given"),
        ({"learning_rate": "fast"}, "must be 'auto' or a number"),
        ({"ensemble": "x"}, "must be 'auto' or a number"),
        ({"dropout": 3}, r"in Python by `help\(threestep.Settings\)`"),
    ],
)
def test_wrong_parameters_say_what_they_may_be(parameters, match):
    with pytest.raises(ValueError, match=match):
        quick(**parameters).fit(X, Z)


def test_estimators_are_not_told_to_set_what_they_do_not_have():
    with pytest.raises(ValueError, match="is for classes") as raised:
        ts.Regressor("8", loss="cross_entropy").fit(X, X[:, 0])
    assert "`task`" not in str(raised.value)
    with pytest.raises(ts.SettingsError, match="or set `task`"):
        ts.fit((X, X[:, 0]), loss="cross_entropy")


def test_settings_are_as_they_were_used():
    settings = quick().fit(X, Z).settings_
    assert (settings.task, settings.loss, settings.precision) == ("classes", "cross_entropy", "float32")
    settings = ts.fit((X, X[:, 0]), network="8", epochs=2).settings
    assert (settings.loss, settings.precision) == ("squared_error", "float32")


def test_what_is_printed_says_which_rung_of_which_round(capsys):
    small = {"max_params": 100, "bins": 0, "folds": 1}  # one program to compile
    ts.Classifier(epochs=5, effort="quick", random_state=0, verbose=1, **small).fit(X, Z)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("round 1, rung 1 of ")
    beginnings = [line.split(":")[0] for line in lines]
    assert len(set(beginnings)) == len(beginnings)


# Quantiles


def test_quantiles_may_be_an_array():
    y = X[:, 0]
    given = ts.Regressor("4", epochs=1, quantiles=np.array([0.1, 0.9]), random_state=0).fit(X, y)
    usual = ts.Regressor("4", epochs=1, quantiles=(0.1, 0.9), random_state=0).fit(X, y)
    assert given.score(X, y) == usual.score(X, y)


def test_quantiles_have_a_score():
    y = X[:, 0] + 0.1 * RNG.normal(size=400)
    regressor = ts.Regressor("8", epochs=20, learning_rate=0.02, quantiles=(0.1, 0.9), random_state=0)
    low, high = regressor.fit(X, y).predict(X).T
    expected = (d2_pinball_score(y, low, alpha=0.1) + d2_pinball_score(y, high, alpha=0.9)) / 2
    assert regressor.score(X, y) == pytest.approx(expected)
    assert 0.3 < expected < 1
    weight = np.where(y > 0, 3.0, 1.0)
    assert regressor.score(X, y, weight) != pytest.approx(expected)
    assert np.isfinite(cross_val_score(regressor, X, y, cv=2)).all()
    median = ts.Regressor("8", epochs=5, quantiles=(0.5,), random_state=0).fit(X, y)
    assert median.score(X, y) == pytest.approx(d2_pinball_score(y, median.predict(X), alpha=0.5))


# A little at a time


def test_a_first_batch_of_too_few_samples_is_warned_of():
    said = said_in(lambda: quick().partial_fit(X[:1], Z[:1], classes=[0, 1]))
    assert any("first `partial_fit` has one sample" in each for each in said)
    later = quick().partial_fit(X, Z, classes=[0, 1])
    assert not [each for each in said_in(lambda: later.partial_fit(X[:1], Z[:1])) if "first" in each]


def test_later_batches_are_of_the_same_classes_and_what_has_no_weight_is_not_there():
    begun = quick().partial_fit(X, Z, classes=[0, 1])
    begun.partial_fit(X, Z, classes=[1, 0])
    with pytest.raises(ValueError, match="is not the same as before"):
        begun.partial_fit(X, Z, classes=[0, 2])
    weight = np.zeros(400)
    weight[17] = 1.0
    for first in (0, 1, 2):  # whatever would choose, if those without weight were divided, too
        one = ts.Classifier("4", epochs=1, random_state=first).partial_fit(X, Z, [0, 1], sample_weight=weight)
        assert one.predict(X).shape == (400,)


def test_what_was_averaged_and_partial_fit_drops_is_said_once():
    averaged = quick(folds=2).fit(X, Z)
    said = said_in(lambda: averaged.partial_fit(X, Z))
    assert any("goes on with one network; 1 other network(s)" in each for each in said)
    assert averaged.model_.others == ()
    assert said_in(lambda: averaged.partial_fit(X, Z)) == []


# The features


def test_an_array_is_asked_about_without_scikit_learns_checks_only_where_they_would_let_it_pass():
    x = X.copy()
    x[0, 0] = np.nan
    classifier = quick().fit(x, Z)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "validate_data", None)
        usual = classifier.predict_proba(x)
        assert usual.shape == (400, 2)
        assert classifier.predict_proba(x[:1].astype(np.float32)).shape == (1, 2)
    np.testing.assert_allclose(classifier.predict_proba(x.tolist()), usual, rtol=1e-6)
    np.testing.assert_allclose(classifier.predict_proba(np.asfortranarray(x)), usual, rtol=1e-6)
    for wrong, match in (
        (np.where(np.isnan(x), np.inf, x), "infinity"),
        (x[:, :1], "1 features"),
        (x[0], "2D array"),
        (x[:0], "0 sample"),
        (x.astype(complex), "Complex"),
    ):
        with pytest.raises(ValueError, match=match):
            classifier.predict(wrong)
    with pytest.raises(NotFittedError):
        quick().predict(x)


def test_only_small_networks_answer_in_double_precision():
    """A sample's last digits must not depend on its company, but many params would take twice as long."""
    small, large = (ts.Classifier(spec, epochs=1, random_state=0).fit(X, Z) for spec in ("16", "512-512"))
    asked = []
    usual = Model.outputs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "outputs", lambda *given, **how: asked.append(how) or usual(*given, **how))
        small.predict(X), large.predict(X)
    assert asked == [{"precise": True}, {"precise": False}]


FRAME = pd.DataFrame(X * [1, 50], columns=["b", "a"])


def test_a_model_finds_columns_of_numbers_by_their_names(tmp_path):
    classifier = quick().fit(FRAME, Z)
    same = quick().fit(FRAME.to_numpy(), Z)  # what is learned does not depend on names
    np.testing.assert_array_equal(classifier.predict_proba(FRAME), same.predict_proba(FRAME.to_numpy()))
    classifier.model_.save(tmp_path / "m")
    model = ts.load(tmp_path / "m")
    proba = model.predict_proba(FRAME)
    np.testing.assert_allclose(proba, classifier.predict_proba(FRAME), atol=1e-6)
    np.testing.assert_array_equal(model.predict_proba(FRAME[["a", "b"]]), proba)
    np.testing.assert_array_equal(model.predict_proba(FRAME.to_numpy()), proba)
    with pytest.raises(ts.DataError, match="missing: b"):
        model.predict(FRAME[["a"]])
    batches = quick().partial_fit(FRAME, Z, classes=[0, 1]).partial_fit(FRAME, Z)
    assert batches.model_.prep.layout.numbers == ("b", "a")
    assert quick().fit(pd.DataFrame(X), Z).model_.prep.layout.numbers == ()


def test_a_file_of_another_format_has_an_input_for_each_named_column(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    path = ts.to_onnx(quick().fit(FRAME, Z).model_, tmp_path / "m.onnx")
    inputs = onnxruntime.InferenceSession(path).get_inputs()
    assert [each.name for each in inputs] == ["b", "a"]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_model_that_learned_by_names_takes_any_frame_and_array():
    polars, pyarrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    frames = [FRAME, polars.from_pandas(FRAME), pyarrow.Table.from_pandas(FRAME)]
    for learned in frames:
        classifier = quick().fit(learned, Z)
        expected = classifier.predict(FRAME)
        for given in (*frames, FRAME.to_numpy()):
            np.testing.assert_array_equal(classifier.predict(given), expected)


def test_tables_of_pyarrow_may_have_dates_and_words():
    pyarrow = pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {"when": pd.date_range("2020-01-01", periods=400), "word": np.where(Z, "p", "q"), "n": X[:, 1]}
    )
    classifier = quick().fit(pyarrow.Table.from_pandas(frame), Z)
    layout = classifier.model_.prep.layout
    assert (layout.dates, layout.words) == ((("when", "ymd"),), (("word", ("p", "q")),))
    np.testing.assert_array_equal(classifier.predict(frame), quick().fit(frame, Z).predict(frame))


def test_arrays_of_pictures_and_words_are_refused_with_a_way_on():
    for words in (np.array([["a", 1.0]] * 40, dtype=object), np.array([["a", "1"]] * 40), [["a", 1]] * 40):
        with pytest.raises(ValueError, match="give text columns as a data frame"):
            quick().fit(words, [0, 1] * 20)
    with pytest.raises(ValueError, match=r"`threestep\.fit"):
        quick().fit(RNG.normal(size=(40, 3, 3)), [0, 1] * 20)


def test_a_list_of_whole_numbers_of_which_numpy_makes_floats():
    y = [3 if code else 2**63 + 1 for code in Z]
    classifier = ts.Classifier("4", epochs=1, random_state=0).fit(X, y)
    assert classifier.classes_.tolist() == [3, 2**63 + 1]
    assert set(classifier.predict(X).tolist()) <= {3, 2**63 + 1}


def test_whole_numbers_of_a_frame_that_a_float_would_not_tell_apart_are_classes(tmp_path):
    frame = pd.DataFrame({"a": X[:, 0], "y": Z + 2**60})
    run = ts.fit(frame, target="y", network="8", epochs=3)
    assert run.model.prep.target.classes == (2**60, 2**60 + 1)
    run.model.save(tmp_path / "m")
    assert set(ts.load(tmp_path / "m").predict(frame).tolist()) <= {2**60, 2**60 + 1}


# The answers


def test_confidences_have_logarithms():
    for y in (Z, LABELS):
        classifier = quick().fit(X, y)
        logarithms = classifier.predict_log_proba(X)
        np.testing.assert_allclose(np.exp(logarithms), classifier.predict_proba(X), rtol=1e-6)
    assert np.isfinite(quick().fit(X, Z).predict_log_proba(1e9 * X)).all()


def test_only_a_model_is_written_for_other_programs(tmp_path):
    pytest.importorskip("onnxruntime")
    classifier, path = quick().fit(X, Z), tmp_path / "m.onnx"
    with pytest.raises(ts.DataError, match="give its `model_`, whose classes are places in `classes_`"):
        ts.to_onnx(classifier, path)
    with pytest.raises(ts.DataError, match="got NoneType, expected a model"):
        ts.to_onnx(None, path)
    with pytest.raises(ts.ModelFileError, match="no-such"):
        ts.to_onnx(str(tmp_path / "no-such"), path)
    classifier.model_.save(tmp_path / "m")
    assert ts.to_onnx(tmp_path / "m", path).exists()


# Groups


@pytest.mark.parametrize("kind", [ts.Classifier, ts.Regressor])
def test_samples_of_a_group_learn_or_choose_together(kind, monkeypatch):
    divided, groups = [], RNG.permutation(np.repeat(np.arange(40), 10))
    prepare = base.prepare_parts
    monkeypatch.setattr(base, "prepare_parts", lambda *given: divided.append(given[2]) or prepare(*given))
    estimator = kind("8", epochs=2, random_state=0).fit(X, Z, groups=groups)
    (parts,) = divided
    train, valid = set(groups[parts.train.rows]), set(groups[parts.valid.rows])
    assert not train & valid
    assert len(train) + len(valid) == 40
    assert estimator.settings_.folds == 1
    with pytest.raises(ValueError, match="inconsistent"):
        kind("8").fit(X, Z, groups=groups[:9])
    with pytest.raises(ValueError, match="1 group"):
        kind("8").fit(X, Z, groups=np.zeros(400))
    with pytest.raises(ValueError, match="`folds` is 4 and `groups` is given"):
        kind("8", folds=4).fit(X, Z, groups=groups)


def test_groups_are_routed_to_an_estimator():
    groups = np.repeat(np.arange(40), 10)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = ts.Classifier("8", epochs=2, random_state=0).set_fit_request(groups=True)
        assert len(cross_val_score(estimator, X, Z, cv=2, params={"groups": groups})) == 2
        assert make_pipeline(StandardScaler(), estimator).fit(X, Z, groups=groups).predict(X).shape == (400,)


def test_groups_are_kept_where_few_samples_differ():
    x, y, groups = (
        np.tile(np.arange(25.0)[:, None], (20, 1)),
        np.tile(np.arange(25) % 2, 20),
        np.repeat(np.arange(20), 25),
    )
    found = []
    usual = base.parts_of

    def noted(table, *how):
        found.append(np.bincount(how[-1]))
        return usual(table, *how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "parts_of", noted)
        ts.Classifier("4", epochs=2).fit(x, y, groups=groups)
    assert found[0].tolist() == [25] * 20


def test_many_samples_of_few_kinds_are_learned_as_many():
    random = np.random.default_rng(0)
    x = random.integers(0, 2, (3000, 3))
    y = (random.random(3000) < np.where(x[:, 0] ^ x[:, 1], 0.9, 0.1)).astype(int)
    model = ts.Classifier("16", epochs=30, random_state=0).fit(x, y)
    assert abs(model.predict_proba([[1, 0, 0]])[0, 1] - 0.9) < 0.05
    weighted, counts = np.unique(np.c_[x, y], axis=0, return_counts=True)
    again = ts.Classifier("16", epochs=30, random_state=0)
    again.fit(weighted[:, :3], weighted[:, 3], sample_weight=counts)
    assert again.predict_proba(x[:9]).tobytes() == model.predict_proba(x[:9]).tobytes()


def test_a_warning_says_what_is_left_out():
    frame = pd.DataFrame({"id": [f"u{row:05d}" for row in range(300)], "a": RNG.normal(size=300)})
    with pytest.warns(UserWarning, match="column 'id' is left out: looks like an id or free text"):
        ts.Regressor("4", epochs=2).fit(frame, frame["a"])
