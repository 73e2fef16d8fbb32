"""Columns that say how to treat the samples: weights, groups, order; several targets."""

import numpy as np
import pandas as pd
import pytest

import threestep as ts
from threestep.data import label, read, split

N = 240
QUICK = {"network": "4", "epochs": 2}


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": rng.normal(size=N),
            "patient": rng.integers(0, 30, N),
            "when": pd.date_range("2020-01-01", periods=N).astype(str)[rng.permutation(N)],
            "importance": rng.integers(0, 4, N).astype(float),
            "color": rng.choice(["red", "blue"], N),
            "y": rng.choice(["a", "b"], N),
        }
    )


def prepared(frame, **settings):
    return ts.study.prepare_run(frame, ts.Settings(target="y", **QUICK, **settings))


def test_groups_stay_together(frame):
    parts = prepared(frame, groups="patient").parts
    seen = [set(frame["patient"][frame["x"].isin(part.columns()["x"])]) for part in parts]
    assert not seen[0] & seen[1]
    assert not seen[1] & seen[2]
    assert not seen[0] & seen[2]
    assert sum(part.n_samples for part in parts) == N
    assert 0.1 < parts.valid.n_samples / N < 0.3
    assert 0.15 < parts.test.n_samples / N < 0.35
    assert "patient" not in parts.train.columns()


@pytest.mark.parametrize("n_groups", [3, 4, 6])
def test_each_part_has_a_group_also_if_there_are_few(n_groups):
    table = label(read({"x": np.arange(60.0), "y": np.arange(60) % 2}), "y")
    for seed in range(10):
        parts = split(table, 0.15, 0.2, seed, True, groups=np.arange(60) % n_groups)
        assert all(part.n_samples >= 60 // n_groups for part in parts)


def test_too_few_groups_are_refused(frame):
    with pytest.raises(ts.DataError, match="2 group"):
        prepared(frame.assign(patient=np.arange(N) % 2), groups="patient")


def test_the_last_samples_are_for_the_test(frame):
    parts = prepared(frame, order="when").parts
    first, middle, last = ([*part.columns()["when"]] for part in parts)
    assert max(first) < min(middle) <= max(middle) < min(last)
    assert (len(middle), len(last)) == (36, 48)


def test_weights_are_taken_and_samples_without_weight_left_out(frame):
    own = prepared(frame, weight="importance")
    n_known = int((frame["importance"] > 0).sum())
    assert sum(part.n_samples for part in own.parts) == n_known
    assert "importance" not in own.parts.train.columns()
    by_x = dict(zip(frame["x"], frame["importance"]))
    assert [by_x[x] for x in own.parts.train.columns()["x"]] == own.parts.train.weight.tolist()
    assert ts.fit(frame, target="y", weight="importance", **QUICK).scores["test"]["n_samples"] > 20


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"groups": "patent"}, "did you mean `patient`"),
        ({"order": "color"}, "expected a date or a number"),
        ({"weight": "color"}, "expected a number"),
        ({"weight": "x"}, "must not be negative"),
        ({"groups": "patient", "order": "when"}, "one of them"),
    ],
)
def test_columns_of_the_wrong_kind_are_refused(frame, settings, match):
    with pytest.raises(ts.UserError, match=match):
        prepared(frame, **settings)


def test_several_columns_may_be_the_target(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 2))
    frame = pd.DataFrame({"u": x[:, 0], "v": x[:, 1], "a": x.sum(axis=1), "b": x[:, 0] - x[:, 1]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    run = ts.fit(tmp_path / "t.csv", target="a, b", network="16", epochs=60, out=tmp_path / "run")
    assert run.scores["test"]["r2"] > 0.9
    again = ts.load(tmp_path / "run")
    assert again.predict(frame).shape == (N, 2)
    labels = frame.assign(a=(frame["a"] > 0).astype(int), b=(frame["b"] > 0).astype(int))
    run = ts.fit(labels, target="a,b", network="16", epochs=60)
    assert run.model.prep.target.kind == "labels"
    assert run.scores["test"]["label_accuracy"] > 0.85
