"""Frames as people have them: words, gaps, odd and equal names, one row, none, ten thousand columns."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import threestep as ts

FAST = {"network": "4", "epochs": 1, "random_state": 0}
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=0, max_size=8)
WORDS = st.sampled_from(["a", "b", "", "NA", "?", " x ", "ü", "12"])
NUMBERS = st.sampled_from([0.0, -1.5, 3.0, 1e30, -1e-30, float("nan")])


@st.composite
def frames(draw, fewest=8, most=30):
    """A frame and a target of two classes."""
    n_rows = draw(st.integers(fewest, most))
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(["number", "word", "int", "bool", "mixed"]))
        cells = {
            "number": NUMBERS,
            "word": st.one_of(WORDS, st.none()),
            "int": st.integers(-5, 5),
            "bool": st.booleans(),
            "mixed": st.one_of(WORDS, NUMBERS, st.none()),
        }[kind]
        columns[name] = draw(st.lists(cells, min_size=n_rows, max_size=n_rows))
    y = np.arange(n_rows) % 2
    return pd.DataFrame(columns), y


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames(), st.data())
def test_what_was_learned_answers_any_rows_of_the_same_columns(pair, data):
    frame, y = pair
    try:
        classifier = ts.Classifier(**FAST).fit(frame, y)
    except ValueError as error:
        note(str(error))  # nothing to learn from, in words
        return
    rows = data.draw(st.lists(st.integers(0, len(frame) - 1), min_size=1, max_size=3))
    new = frame.iloc[rows].copy()
    for name in frame.columns:
        if frame[name].dtype.kind == "O" and data.draw(st.booleans()):
            new[name] = "a level that was never seen"
        elif data.draw(st.booleans()):
            new[name] = None if frame[name].dtype.kind == "O" else np.nan
    sure = classifier.predict_proba(new)
    assert sure.shape == (len(rows), 2)
    np.testing.assert_allclose(sure.sum(axis=1), 1.0, atol=1e-5)


def mixed(n=60, seed=0):
    rng = np.random.default_rng(seed)
    color = rng.choice(["red", "green"], n)
    frame = pd.DataFrame({"size": rng.normal(size=n), "color": color, "count": rng.integers(0, 9, n)})
    return frame, (color == "red").astype(int)


@pytest.mark.parametrize("kind", [pd.DataFrame, lambda frame: pl.from_pandas(frame)])
def test_no_rows_are_a_clear_error(kind):
    frame, y = mixed()
    classifier = ts.Classifier(**FAST).fit(kind(frame), y)
    with pytest.raises(ValueError, match=r"0 (row|sample)"):
        classifier.predict(kind(frame.iloc[:0]))
    with pytest.raises(ValueError, match=r"0 (row|sample)"):
        ts.Classifier(**FAST).fit(kind(frame.iloc[:0]), y[:0])


def test_one_row_is_predicted_as_among_others():
    frame, y = mixed()
    classifier = ts.Classifier(**FAST).fit(frame, y)
    np.testing.assert_allclose(
        classifier.predict_proba(frame.iloc[[3]]), classifier.predict_proba(frame)[[3]], rtol=1e-6
    )


def test_equal_names_of_columns_are_refused_by_name():
    frame, y = mixed()
    frame.columns = ["size", "color", "size"]
    with pytest.raises(ValueError, match="size"):
        ts.Classifier(**FAST).fit(frame, y)


def test_ten_thousand_columns_are_learned_from():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.normal(size=(60, 10_000)).astype(np.float32)
    x[:, 7] += 4 * y
    frame = pd.DataFrame(x, columns=[f"column {place}" for place in range(x.shape[1])])
    classifier = ts.Classifier("4", epochs=2, random_state=0).fit(frame, y)
    assert classifier.n_features_in_ == 10_000
    assert classifier.predict_proba(frame).shape == (60, 2)


def test_numbers_in_another_order_of_columns_are_the_same_by_name():
    frame, y = mixed()
    regressor = ts.Regressor(**FAST).fit(frame, frame["size"] + y)
    with pytest.raises(ValueError, match="feature names"):
        regressor.predict(frame[["count", "size", "color"]])  # scikit-learn's rule
    model = regressor.model_  # which goes by name
    np.testing.assert_array_equal(model.predict(frame), model.predict(frame[["count", "size", "color"]]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_the_prep_learned_from_train_never_looks_at_valid_or_test(seed):
    """Whatever the other samples hold, the prep is the same."""
    frame, y = mixed(seed=seed)
    from threestep.data import fit_prep, label, read, split, understand_target

    table = label(read(frame.assign(y=y)), "y")
    target = understand_target(table.y, "y")
    parts = split(table, 0.2, 0.2, seed, True)
    prep = fit_prep(parts.train, target)
    changed = {name: np.array(column, copy=True) for name, column in table.columns().items()}
    in_train = {tuple(map(str, row)) for row in zip(*parts.train.columns().values(), strict=True)}
    for row, cells in enumerate(zip(*changed.values(), strict=True)):
        if tuple(map(str, cells)) not in in_train:
            changed["size"][row] = 1e9
            changed["color"][row] = "never seen"
    from dataclasses import replace

    again = split(replace(table, x=changed), 0.2, 0.2, seed, True)
    other = fit_prep(again.train, target)
    assert other.layout == prep.layout
    np.testing.assert_array_equal(other.center, prep.center)
    np.testing.assert_array_equal(other.scale, prep.scale)


@pytest.mark.parametrize("target", [1, np.int64(1), "1"])
def test_columns_named_by_numbers_are_asked_for_by_these(target):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)))
    frame[3] = np.arange(60) // 6
    run = ts.fit(frame, target=target, groups=3, network="4", epochs=1)
    assert run.settings.target == "1"
    assert set(run.model.prep.layout.numbers) == {"0", "2"}
    assert run.model.predict(frame).shape == (60,)


@pytest.mark.parametrize("target", [True, (1, 2), b"1"])
def test_what_names_no_column_is_refused(target):
    with pytest.raises(ts.SettingsError, match="`target` is"):
        ts.fit(pd.DataFrame(np.eye(8)), target=target, network="4", epochs=1)


def test_a_comparison_takes_a_number_as_the_name_of_a_column():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)))
    found = ts.compare("depth", frame, target=0, depths=(1, 2), params=(100,), seeds=2, epochs=1)
    assert len(found.outcomes) == 2


def test_durations_times_periods_and_sparse_columns_are_read():
    frame = pd.DataFrame(
        {
            "took": pd.to_timedelta([1.5, None, 3.0], unit="s"),
            "month": pd.PeriodIndex(["2020-01", "2020-02", None], freq="M"),
            "year": pd.period_range("2020", periods=3, freq="Y"),
            "rare": pd.arrays.SparseArray([0.0, 0.0, 2.0]),
        }
    )
    columns = ts.data.read(frame).columns()
    np.testing.assert_array_equal(columns["took"], [1.5, np.nan, 3.0])
    np.testing.assert_array_equal(columns["rare"], [0, 0, 2])
    assert columns["month"].tolist() == ["2020-01-01T00:00:00", "2020-02-01T00:00:00", ""]
    assert columns["year"].tolist() == [f"{year}-01-01T00:00:00" for year in (2020, 2021, 2022)]
    others = pl.DataFrame({"took": [1500, None], "at": [3_600_000_000_000, 0]}).select(
        pl.col("took").cast(pl.Duration("ms")), pl.col("at").cast(pl.Time)
    )
    columns = ts.data.read(others).columns()
    np.testing.assert_array_equal(columns["took"], [1.5, np.nan])
    assert columns["at"].tolist() == ["01:00:00", "00:00:00"]


def test_targets_whose_names_begin_with_a_space_are_found_among_several():
    frame = pd.DataFrame({"a": [1.0, 2.0], " p": [3.0, 4.0], "q": [5.0, 6.0]})
    for names in (" p,q", "q, p"):
        table = ts.data.label(ts.data.read(frame), names)
        assert list(table.columns()) == ["a"]
        assert table.y.shape == (2, 2)


def test_what_is_no_kind_of_column_is_left_out_with_a_note():
    table = ts.data.read(pd.DataFrame({"a": [1.0, 2.0], "c": [1j, 2j]}))
    assert list(table.columns()) == ["a"]
    assert table.notes[0].startswith("column 'c' is left out")
