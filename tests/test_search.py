"""A whole search: what it says and writes, what bounds it, and that a valid network always comes out."""

import io
import itertools
import json
import math
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from contextlib import contextmanager
from dataclasses import asdict, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import threestep as ts
from threestep.app import main
from threestep.app.progress import Progress
from threestep.app.scores import tell_scores
from threestep.app.telling import Teller
from threestep.data import Layout, encode, encode_target, label, read, split
from threestep.goodness import share_interval
from threestep.job import fit_steps
from threestep.limits import seconds_of
from threestep.network import spec_of
from threestep.pick import Outcome, Population, outputs_of
from threestep.report import report_html
from threestep.report.traditional_chinese import JOURNAL
from threestep.study import picking, read_journal, score_samples, searching
from threestep.study.choices import choose_settings

SMALL = {
    "effort": "quick",
    "ensemble": 1,
    "calibrate": False,
    "epochs": 6,
    "widths": (8, 16),
    "depths": (0, 2),
}
NEWCOMERS = ("random", "good on many tables")
LINEAR = {**SMALL, "depths": (0, 0)}
FEW = {**SMALL, "widths": (8, 8), "depths": (0, 1)}  # of few programs
WORDS = [
    "--effort",
    "quick",
    "--ensemble",
    "1",
    "--no-calibrate",
    "--epochs",
    "6",
    "--widths",
    "8",
    "16",
    "--depths",
    "0",
    "2",
]
KINDS = [
    "start",
    "check",
    "space",
    "goodness",
    "rung",
    "final",
    "leaderboard",
    "luck",
    "function_set",
    "epoch",
    "pick",
    "scores",
]
KINDS += ["details", "end"]
COMMAND = """import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
from threestep.app import main
sys.exit(main())"""
SHAPES = ("x", "y", "cx", "cy", "r", "d", "points", "x1", "x2", "y1", "y2", "width", "height", "viewbox")
SLACK = 5.0  # seconds by which a loaded machine may be late


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """One searched run on iris, with its folder."""
    return ts.fit("iris", out=tmp_path_factory.mktemp("search") / "found", **SMALL)


@pytest.fixture(scope="module")
def trio(tmp_path_factory):
    """Three networks of a search, averaged."""
    return ts.fit("iris", out=tmp_path_factory.mktemp("search") / "trio", **{**SMALL, "ensemble": 3})


def without_luck(scores):
    """Scores as they are measured; what the luck of the best of many leaves of them is said beside."""
    return {name: score for name, score in scores.items() if not name.startswith("corrected")}


def of_kind(run, kind):
    return [event for event in run.events if event["event"] == kind]


def only(run, kind):
    (event,) = of_kind(run, kind)
    return event


def parts_of(run, data="iris"):
    """The same train, valid and test as the run's."""
    table, settings = label(read(data), run.settings.target), run.settings
    return split(
        table, settings.valid_fraction, settings.test_fraction, settings.seed, run.model.is_classifier
    )


def same(params, others) -> bool:
    """Whether two networks' params are the same bits."""
    pairs = zip(params, others, strict=True)
    return all(np.array_equal(one[name], other[name]) for one, other in pairs for name in one)


def assert_sound(run, data="iris"):
    """The model predicts every sample by finite numbers, and its scores are finite."""
    outputs = run.model.outputs(read(data))
    assert np.isfinite(outputs).all()
    assert all(math.isfinite(value) for scores in run.scores.values() for value in scores.values())


# What a search says


def test_a_network_is_searched_for_by_default(found):
    assert ts.Settings().network == found.settings.network == "auto"
    names = [event["event"] for event in found.events]
    assert [name for name, _ in itertools.groupby(names)] == KINDS
    assert len(found.tried) > 20
    assert_sound(found)


def test_the_leaderboard_says_all_about_each_network_best_first(found):
    rows, n_valid = found.leaderboard, found.scores["valid"]["n_samples"]
    assert only(found, "leaderboard")["rows"] == rows
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    fronts = list(itertools.takewhile(lambda row: row["change"].startswith("trained anew"), rows))
    for part in (fronts, rows[len(fronts) :]):
        assert [row["valid_loss"] for row in part] == sorted(row["valid_loss"] for row in part)
    assert len({row["number"] for row in rows}) == len(rows)
    for row in rows:
        network = ts.network.parse(row["network"], (4,), 3)
        assert row["n_params"] == network.n_params
        assert row["n_products"] == network.n_products
        assert (row["score_low"], row["score_high"]) == share_interval(row["valid_score"], n_valid)
        assert row["score_low"] <= row["valid_score"] <= row["score_high"]
        assert row["seconds"] > 0
        assert row["epochs"] >= 1
        assert (row["parent"] is None) == (row["gain"] is None) == (row["change"] in NEWCOMERS)


def test_a_frame_of_the_leaderboard_has_a_row_per_network(found):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(found.leaderboard)
    assert len(frame) == len(found.tried)
    assert {"network", "n_params", "n_products", "valid_loss", "valid_score", "seconds", "parent"} < set(
        frame.columns
    )
    searched = frame[~frame["change"].str.startswith("trained anew")]  # those come first, as what is picked
    assert searched["valid_loss"].is_monotonic_increasing


def test_the_picked_one_is_the_best_of_the_leaderboard(found):
    best, told = found.leaderboard[0], only(found, "function_set")
    assert best["network"] == spec_of(found.model.network)
    assert told["network"] == str(found.model.network)
    assert (told["n_params"], told["n_products"]) == (best["n_params"], best["n_products"])
    assert found.scores["valid"]["loss"] == pytest.approx(best["valid_loss"], rel=1e-5)
    assert found.scores["valid"]["accuracy"] == pytest.approx(best["valid_score"])
    assert found.picked.outcome is Outcome.FINISHED


def test_epoch_rows_are_those_of_the_winners_last_descent(found):
    epochs, pick = of_kind(found, "epoch"), only(found, "pick")
    assert [event["epoch"] for event in epochs] == list(range(1, len(epochs) + 1))
    assert len(epochs) == pick["n_epochs"]
    at_best = epochs[pick["best_epoch"] - 1]
    assert at_best["valid_loss"] == pytest.approx(found.leaderboard[0]["valid_loss"], rel=1e-5)


def test_rungs_tell_how_the_best_loss_fell(found):
    rungs = of_kind(found, "rung")
    losses = [rung["best_loss"] for rung in rungs]
    assert losses == sorted(losses, reverse=True)
    of_rungs = [row for row in found.leaderboard if row["change"] != "trained anew"]
    best = min(of_rungs, key=lambda row: row["valid_loss"])
    assert (rungs[-1]["best_loss"], rungs[-1]["best_number"]) == (best["valid_loss"], best["number"])
    assert rungs[-1]["n_tried"] == len(of_rungs)
    assert len(found.tried) - len(of_rungs) == only(found, "final")["n_alive"] > 0
    assert all(0 < rung["n_alive"] <= rung["n_trained"] <= rung["n_tried"] for rung in rungs)
    assert [rung["seconds"] for rung in rungs] == sorted(rung["seconds"] for rung in rungs)
    assert sum(row["seconds"] for row in of_rungs) <= rungs[-1]["seconds"] * 1.01
    assert all(rung["seconds_left"] is None for rung in rungs)  # there is no budget


# What it writes


def test_the_journal_is_strict_json_and_holds_the_events(found):
    lines = found.folder.journal_path.read_text(encoding="utf-8").splitlines()
    told = [json.loads(line, parse_constant=pytest.fail) for line in lines]  # NaN is no JSON
    assert told == json.loads(json.dumps(found.events, allow_nan=False))


def test_the_winner_can_be_followed_to_its_root(found):
    (board,) = (e for e in read_journal(found.folder.journal_path) if e["event"] == "leaderboard")
    by_number = {row["number"]: row for row in board["rows"]}
    assert any(row["parent"] is not None for row in board["rows"])
    for row in board["rows"]:
        assert row["parent"] is None or row["parent"] in by_number
    row, seen = board["rows"][0], set()
    while row["parent"] is not None:
        assert row["parent"] < row["number"]
        parent = by_number[row["parent"]]
        assert row["gain"] == pytest.approx(parent["valid_loss"] - row["valid_loss"])
        seen.add(row["number"])
        row = parent
    assert row["change"] in NEWCOMERS


def test_the_written_settings_are_those_of_the_search(found):
    config = tomllib.loads(found.folder.config_path.read_text(encoding="utf-8"))
    assert config.pop("data") == "iris"
    known = {name: value for name, value in asdict(found.settings).items() if value is not None}
    assert config == json.loads(json.dumps(known))
    assert config["depths"] == [0, 2]
    space = only(found, "space")
    assert {name: config[name] for name in space if name in config} == json.loads(
        json.dumps({name: value for name, value in space.items() if name in config})
    )


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(found, tmp_path):
    config = tomllib.loads(found.folder.config_path.read_text(encoding="utf-8"))
    ts.fit(config.pop("data"), out=tmp_path / "again", **config)  # from the settings that were written
    ts.fit("iris", out=tmp_path / "other", seed=1, **SMALL)
    wanted = found.folder.model_path.read_bytes()
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == wanted
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != wanted


class Seen(HTMLParser):
    """What a reader sees of a page: its text, and where its shapes are; complains about open tags."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.shapes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open += [tag] * (tag not in ("meta", "link", "br", "input"))
        self.shapes += [value for name, value in attrs if name in SHAPES]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


@pytest.mark.parametrize("name", ["found", "trio", "exploded"])
def test_the_report_of_a_search_is_whole_and_without_holes(name, request):
    seen = Seen()
    seen.feed(request.getfixturevalue(name).folder.report_path.read_text(encoding="utf-8"))
    seen.close()
    assert seen.open == []
    assert seen.shapes
    assert not re.search(r"\b(nan|inf|infinity|none|null|undefined)\b", " ".join(seen.shapes), re.IGNORECASE)
    text = " ".join(seen.text)
    for sentence in (Outcome.DIVERGED.sentence, JOURNAL[Outcome.DIVERGED.sentence]):  # they speak of NaN
        text = text.replace(sentence, "")
    assert not re.search(r"\b(NaN|nan|inf|None|null|undefined)\b", text)


# A budget


@pytest.mark.parametrize(
    ("budget", "seconds"), [("5s", 5.0), ("1m", 60.0), ("1.5h", 5400.0), (6, 6.0), (6.5, 6.5), (" 7 S ", 7.0)]
)
def test_a_budget_is_understood(budget, seconds):
    assert seconds_of(budget) == seconds


@pytest.mark.parametrize(
    "budget", ["soon", "", "s", "5d", "-1s", 0, -3, "0s", "nan", "inf", True, [5], "1e999"]
)
def test_a_budget_that_is_no_time_is_refused(budget, tmp_path):
    with pytest.raises(ts.SettingsError, match="such as 60s, 2m or 1h") as caught:
        ts.fit("iris", budget=budget, out=tmp_path / "run")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_search_keeps_its_budget():
    began = time.perf_counter()
    run = ts.fit("iris", budget="4s", **SMALL)
    assert time.perf_counter() - began < 4 + SLACK
    assert len(run.tried) > 0
    assert all(0 <= rung["seconds_left"] <= 4 for rung in of_kind(run, "rung"))


@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_without_time_for_anything_a_valid_linear_network_comes_out(data, tmp_path):
    run = ts.fit(data, budget=0.01, out=tmp_path / "run")
    assert run.model.network.hidden == ()
    assert run.leaderboard == []
    assert_sound(run, data)
    loaded = ts.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.outputs(read(data)), run.model.outputs(read(data)))


def test_without_time_for_anything_the_outcome_says_so():
    run = ts.fit("iris", budget=0.01)
    assert run.picked.outcome is Outcome.OUT_OF_TIME


# Nothing can be trained


@pytest.fixture(scope="module")
def exploded(tmp_path_factory):
    """A search in which every loss explodes."""
    out = tmp_path_factory.mktemp("search") / "exploded"
    return ts.fit("diabetes", out=out, optimizer="sgd", learning_rate=100.0, **FEW)


def test_where_everything_diverges_a_valid_linear_network_comes_out_and_says_so(exploded):
    assert exploded.picked.outcome is Outcome.DIVERGED
    assert only(exploded, "pick")["outcome"] == "diverged"
    assert exploded.model.network.hidden == ()
    assert only(exploded, "leaderboard")["rows"] == exploded.leaderboard == []
    assert only(exploded, "function_set")["network"] == str(exploded.model.network)
    assert_sound(exploded, "diabetes")
    rungs = of_kind(exploded, "rung")
    assert rungs
    assert all(rung["n_alive"] == 0 for rung in rungs)
    assert all(rung[name] is None for rung in rungs for name in ("best_number", "best_loss", "best_score"))


def test_what_knows_nothing_predicts_the_mean(exploded):
    y = parts_of(exploded, "diabetes").train.y
    predicted = exploded.model.predict(read("diabetes"))
    np.testing.assert_allclose(predicted, np.mean(y), rtol=1e-6)


def test_where_everything_diverges_the_journal_and_the_report_are_whole(exploded, capsys):
    text = exploded.folder.journal_path.read_text(encoding="utf-8")
    for line in text.splitlines():
        json.loads(line, parse_constant=pytest.fail)
    assert ts.load(exploded.folder.path).network == exploded.model.network
    page = exploded.folder.report_path.read_text(encoding="utf-8")
    assert "nothing could be trained; this network always says the mean" in page
    assert "沒有網路能夠訓練；這個網路總是回答平均值" in page
    teller = Teller()
    for event in exploded.events:
        teller.tell(event)
    said = capsys.readouterr().out
    assert "nothing could be trained; this network always says the mean" in said
    assert "no epoch ended with a finite validation loss" in said
    assert "no time" not in said


@pytest.mark.parametrize(
    ("data", "given", "instead"),
    [
        ("iris", {}, "this network only knows which answer is most common"),
        ("diabetes", {"network": "8", "ensemble": 2}, "this network always says the mean"),
        (
            (np.arange(80.0)[:, None], np.arange(160).reshape(80, 2) // 3 % 2),
            {},
            "this network takes yes and no for equally likely",
        ),
    ],
)
def test_where_there_was_no_time_to_train_all_say_so(data, given, instead, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("threestep.pick.programs.Programs.is_late", lambda *_: True)
    run = ts.fit(data, budget="1s", out=tmp_path / "run", **given)
    page = unescape((tmp_path / "run" / "report.html").read_text(encoding="utf-8"))
    teller = Teller()
    for event in run.events:
        teller.tell(event)
    said = capsys.readouterr().out
    for text in (page, said):
        assert f"there was no time to train, give a longer budget; {instead}" in text
        assert "there was no time for a whole epoch" in text
        assert "the budget was spent before an epoch was done" in text
        assert "finite" not in text
        assert "the best so far is kept" not in text
    assert "沒有時間訓練" in page


# What may be tried


def structures(run):
    return [each.trained.member.network for each in run.tried]


def test_no_network_has_more_params_than_allowed():
    run = ts.fit("iris", max_params=150, **SMALL)
    sizes = [row["n_params"] for row in run.leaderboard]
    assert max(sizes) <= 150
    assert any(network.hidden for network in structures(run))
    assert run.model.network.n_params <= 150


def test_where_no_other_is_small_enough_the_linear_network_remains():
    run = ts.fit("iris", max_params=15, **SMALL)
    assert {network.hidden for network in structures(run)} == {()}
    assert run.model.network.n_params == 15


@pytest.mark.parametrize(
    ("given", "most", "words"),
    [
        ({"network": "64", "epochs": 3}, 514, "`max_params` is 514; 4 → 64 relu → 3 has 515 params"),
        (
            {"network": "64", "epochs": 3, "ensemble": 2},
            1,
            "`max_params` is 1; 4 → 64 relu → 3 has 515 params",
        ),
        (SMALL, 14, "`max_params` is 14; the smallest network that is tried, 4 → 3, has 15 params"),
    ],
)
def test_a_limit_of_params_that_none_keeps_is_refused_before_training(given, most, words, monkeypatch):
    monkeypatch.setattr(searching, "Population", None)
    monkeypatch.setattr("threestep.study.finding.descend", None)
    with pytest.raises(ts.SettingsError, match=re.escape(words)) as caught:
        ts.fit("iris", max_params=most, **given)
    assert "allow more" in caught.value.hint
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    others = {name: value for name, value in given.items() if name in ("network", "epochs", "ensemble")}
    with pytest.raises(ValueError, match=re.escape(words)):
        ts.Classifier(max_params=most, **others).fit(x, y)


def test_a_given_network_may_have_as_many_params_as_the_limit():
    assert ts.fit("iris", network="64", epochs=1, max_params=515).model.network.n_params == 515


def test_where_the_linear_network_of_all_inputs_is_too_large_that_of_few_remains():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2))
    usual = ts.fit((x, (x[:, 0] > 0).astype(int)), **LINEAR)
    n_of_all = max(network.n_params for network in structures(usual))
    assert n_of_all > 6  # it has bins
    run = ts.fit((x, (x[:, 0] > 0).astype(int)), max_params=n_of_all - 1, **LINEAR)
    assert {network.n_params for network in structures(run)} == {6}


def test_only_networks_with_few_enough_params_are_picked(found):
    settings = ts.Settings(max_params=min(each.trained.member.network.n_params for each in found.tried))
    kept = picking.fast_enough(found.tried, settings)
    assert {each.trained.member.network.n_params for each in kept if each.trained.params} == {
        settings.max_params
    }
    assert picking._too_slow(settings).startswith("none that was trained keeps `max_params` = 15")


def test_the_picked_network_is_the_best_of_those_that_are_fast_enough(found, monkeypatch):
    too_slow = min(found.leaderboard, key=lambda row: row["valid_loss"])["n_params"]
    monkeypatch.setattr(
        picking, "_latency_ms", lambda network, *_: 2.0 if network.n_params == too_slow else 0.5
    )
    run = ts.fit("iris", max_latency_ms=1.0, **SMALL)
    fast = [row for row in run.leaderboard if row["n_params"] != too_slow]
    best = min(run.leaderboard, key=lambda row: row["valid_loss"])
    assert best["n_params"] == too_slow  # the best of all
    assert spec_of(run.model.network) == fast[0]["network"]
    assert run.scores["valid"]["loss"] == pytest.approx(fast[0]["valid_loss"], rel=1e-5)
    told = only(run, "function_set")
    assert (told["network"], told["n_params"]) == (str(run.model.network), fast[0]["n_params"])


def test_all_of_an_ensemble_are_fast_enough(monkeypatch):
    monkeypatch.setattr(picking, "_latency_ms", lambda network, *_: network.n_params / 100)
    run = ts.fit("iris", max_latency_ms=1.0, **{**SMALL, "ensemble": 3})
    networks = [run.model.network, *(network for network, _ in run.model.others)]
    assert sum(network.n_params for network in networks) <= 100


def test_networks_of_all_folds_are_fast_enough_together(monkeypatch):
    monkeypatch.setattr(picking, "_latency_ms", lambda network: network.n_params / 100)
    with pytest.raises(
        ts.SettingsError,
        match=r"`max_latency_ms` is 1; 2 networks such as 4 → 8 relu → 3.* take 1\.34 for one sample",
    ):
        ts.fit("iris", network="8", folds=2, max_latency_ms=1.0)
    each = ts.Settings(max_latency_ms=1.0, ensemble=3, folds=4)
    assert picking._n_asked(each) == 12


def test_a_latency_that_all_keep_changes_nothing(found):
    run = ts.fit("iris", max_latency_ms=1e6, **SMALL)
    assert same(run.model.params, found.model.params)


@pytest.mark.parametrize(("given", "slow"), [({}, "4 → 3"), ({"network": "64"}, "4 → 64 relu → 3")])
def test_a_latency_that_none_can_keep_is_refused_before_training(given, slow, monkeypatch):
    monkeypatch.setattr(searching, "Population", None)
    with pytest.raises(ts.SettingsError, match=f"`max_latency_ms` is 0; {slow} takes") as caught:
        ts.fit("iris", max_latency_ms=0.0, **(given or SMALL))
    assert "allow more" in caught.value.hint


def test_where_none_keeps_the_latency_after_all_the_fastest_is_picked(monkeypatch):
    measured = []

    def latency(network):
        measured.append(network)
        return 0.5 if len(measured) == 1 else 2.0 + network.n_params  # the machine became slow

    monkeypatch.setattr(picking, "_latency_ms", latency)
    run = ts.fit("iris", max_latency_ms=1.0, **SMALL)
    assert run.model.network.hidden == ()
    assert only(run, "note")["text"].startswith("none that was trained keeps `max_latency_ms` = 1")


def test_a_refit_without_time_is_told(monkeypatch):
    def begun(goodness, train, valid, settings, seed, deadline=float("inf"), *room):
        deadline = 0.0 if train is valid else deadline  # a refit learns from all
        return Population(goodness, train, valid, settings, seed, deadline, *room)

    monkeypatch.setattr(searching, "Population", begun)
    run = ts.fit("iris", refit=True, **SMALL)
    assert only(run, "note")["text"].startswith("refit: no time was left for the picked network")
    assert same(run.model.params, run.tried[0].trained.params)
    assert "learned_from" not in run.scores["valid"]


def test_an_ensemble_that_lost_members_is_told_as_it_is(monkeypatch):
    usual = Population.train

    def one_diverges(self, jobs, stop=None):
        trained = yield from usual(self, jobs, stop)
        return [replace(trained[0], best_epoch=0), *trained[1:]]

    monkeypatch.setattr(Population, "train", one_diverges)
    run = ts.fit("iris", network="8", ensemble=3, epochs=2)
    assert len(run.model.others) == 1
    assert len([each for each in run.events if each["event"] == "function_set"][-1]["others"]) == 1


def test_where_nothing_could_be_trained_python_says_so(monkeypatch):
    monkeypatch.setattr("threestep.pick.programs.Programs.is_late", lambda *_: True)
    assert "nothing learned; test accuracy" in repr(ts.fit("iris", **SMALL))
    x = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.warns(UserWarning, match="no time to train, .*; this network only knows which answer"):
        ts.Classifier(effort="quick").fit(x, (x[:, 0] > 0).astype(int))
    with pytest.warns(UserWarning, match="no time to train, .*; this network always says the mean"):
        ts.Regressor(effort="quick").fit(x, x[:, 0])


def test_a_limit_below_the_usual_widths_leaves_hidden_layers_to_try():
    run = ts.fit("iris", max_params=100, epochs=2, effort="quick")
    assert any(network.hidden for network in structures(run))


def test_the_report_says_of_the_picked_network_that_it_is_picked(monkeypatch, tmp_path):
    monkeypatch.setattr(picking, "_latency_ms", lambda network, *_: network.n_params / 100)
    run = ts.fit("iris", max_latency_ms=1.0, out=tmp_path / "run", **SMALL)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    (title,) = re.findall(r'class="dot picked"[^>]*>\s*<title>([^<]*)<', page)
    assert f"({run.model.network.n_params:,}; " in title


def test_without_hidden_layers_only_linear_ones_are_tried():
    run = ts.fit("iris", **LINEAR)
    assert {network.hidden for network in structures(run)} == {()}
    assert len(run.tried) > 1
    assert run.model.network.hidden == ()


def test_depths_and_widths_are_kept():
    run = ts.fit("iris", **{**SMALL, "depths": (1, 2), "widths": (12, 16)})
    deep = [network for network in structures(run) if network.hidden]  # the linear one is always tried
    assert {len(network.hidden) for network in deep} == {1, 2}
    assert {layer.width for network in deep for layer in network.hidden} == {12, 16}


@pytest.mark.slow
def test_activations_and_residual_layers_are_as_allowed():
    run = ts.fit("iris", activations=("tanh",), residual=False, **FEW)
    layers = [layer for network in structures(run) for layer in network.hidden]
    assert {layer.activation for layer in layers} == {"tanh"}
    assert not any(layer.residual for layer in layers)


@pytest.mark.parametrize(
    ("name", "value"), [("learning_rate", 0.0071), ("weight_decay", 0.05), ("dropout", 0.13)]
)
def test_a_rate_that_is_given_is_not_searched(name, value):
    run = ts.fit("iris", **{name: value}, **LINEAR)
    for each in ("learning_rate", "weight_decay", "dropout"):
        values = {row[each] for row in run.leaderboard}
        assert values == {value} if each == name else len(values) > 10


@pytest.mark.parametrize("name", ["weight_decay", "dropout"])
def test_a_rate_of_zero_can_be_given(name):
    run = ts.fit("iris", **{name: 0.0}, **LINEAR)
    assert {row[name] for row in run.leaderboard} == {0.0}


def test_rates_stay_in_their_ranges():
    ranges = {"learning_rates": (0.002, 0.02), "weight_decays": (0.01, 0.02), "dropouts": (0.1, 0.2)}
    run = ts.fit("iris", **ranges, **LINEAR)
    for name, (low, high) in ranges.items():
        values = [row[name[:-1]] for row in run.leaderboard]
        assert low * (1 - 1e-9) <= min(values) < max(values) <= high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("n_train", "asked", "wanted"),
    [
        (1_999, {}, (0.001, 0.5)),
        (2_000, {}, (0.001, 0.1)),
        (500, {"convolutions": True}, (0.001, 0.1)),
        (500, {"weight_decays": (0.01, 0.02)}, (0.01, 0.02)),
        (500, {"weight_decay": 0.0}, (0.0, 0.0)),
    ],
)
def test_stronger_decays_are_tried_where_a_table_is_small(n_train, asked, wanted):
    layout = Layout(shape=(16, 16) if asked.get("convolutions") else (6,))
    settings = choose_settings(ts.Settings(**asked), n_train, True, layout, "y")
    assert settings.weight_decays == wanted


@pytest.mark.parametrize(
    ("n_train", "asked", "widest"),
    [
        (10_000, {}, 256),
        (25_000, {}, 128),
        (10_000, {"effort": "quick"}, 128),
        (25_000, {"effort": "thorough"}, 512),
        (25_000, {"convolutions": True}, 512),
        (25_000, {"convolutions": True, "budget": "60s"}, 128),
        (25_000, {"budget": "60s"}, 256),
        (25_000, {"budget": "50s", "depths": (0, 1)}, 512),
        (25_000, {"budget": "10m"}, 512),
        (25_000, {"budget": "50s"}, 256),
        (25_000, {"budget": "20s"}, 128),
        (5_000_000, {"budget": "20s"}, 128),
        (25_000, {"budget": "20s", "widths": (64, 512)}, 512),
        (25_000, {"budget": "20s", "epochs": 1}, 512),
        (1_000, {"budget": "20s"}, 128),
        (100, {"budget": "20s"}, 64),
    ],
)
def test_where_the_widest_would_hardly_be_trained_narrower_ones_are_tried(n_train, asked, widest):
    layout = Layout(shape=(15, 20) if asked.get("convolutions") else (300,))
    settings = choose_settings(ts.Settings(**asked), n_train, True, layout, "y")
    assert settings.widths == (64, widest)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("activations", ("reluu",), "did you mean `relu`"),
        ("activations", (), "names such as"),
        ("activations", "relu", "names such as"),
        ("depths", (3, 1), "the lower one first"),
        ("depths", (0, 9), "from 0 to 8"),
        ("depths", 2, "two whole numbers"),
        ("widths", (4, 16), "from 8 to 1,024"),
        ("widths", (16, 8), "the lower one first"),
        ("learning_rates", (0.0, 0.1), "must be two numbers"),
        ("dropouts", (0.5, 1.0), "from 0.0 to 0.95"),
        ("residual", "no", "True or False"),
        ("refit", 1, "True or False"),
        ("effort", "little", "quick, normal, thorough"),
        ("searcher", "annealing", "evolution, random, optuna"),
        ("max_params", 0, "from 1 to"),
        ("max_latency_ms", -1.0, "from 0.0 to"),
        ("ensemble", 0, "from 1 to 100"),
        ("ensemble", 101, "from 1 to 100"),
        ("ensemble", True, "a whole number"),
        ("ensemble", "3", "a whole number"),
        ("ensemble", 2.0, "a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(tmp_path, name, value, words):
    with pytest.raises(ts.SettingsError, match=f"`{name}`") as caught:
        ts.fit("iris", out=tmp_path / "run", **{**SMALL, name: value})
    assert words in str(caught.value)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("searcher", ["evolution", "random"])
def test_who_proposes_can_be_chosen(searcher):
    run = ts.fit("iris", searcher=searcher, **LINEAR)
    assert only(run, "space")["searcher"] == searcher
    inherited = [row for row in run.leaderboard if row["change"] not in ("random", "trained anew")]
    assert bool(inherited) == (searcher == "evolution")


# Several networks, averaged


def mean_confidence(run, x):
    """The mean of what each network of a model says by itself."""
    functions = [(run.model.network, run.model.params), *run.model.others]
    powers = [np.exp(outputs_of(*each, encode(run.model.prep, x)).astype(np.float64)) for each in functions]
    return np.mean([each / each.sum(axis=1, keepdims=True) for each in powers], axis=0)


def test_an_ensemble_of_a_search_is_averaged(trio):
    x = read("iris")
    assert len(trio.model.others) == 2
    np.testing.assert_allclose(trio.model.predict_proba(x), mean_confidence(trio, x), atol=1e-6)
    told = only(trio, "function_set")
    assert told["others"] == [str(network) for network, _ in trio.model.others]
    sizes = [trio.model.network.n_params, *(network.n_params for network, _ in trio.model.others)]
    assert told["n_params"] == sum(sizes)


def test_an_ensemble_of_a_search_is_led_by_the_best_and_holds_no_family(trio):
    by_number = {row["number"]: row for row in trio.leaderboard}
    functions = [(trio.model.network, trio.model.params), *trio.model.others]
    numbers = [
        next(each.number for each in trio.tried if same(each.trained.params, params) and each.trained.member.network == network)
        for network, params in functions
    ]  # fmt: skip
    assert numbers[0] == trio.leaderboard[0]["number"]
    assert not {by_number[number]["parent"] for number in numbers} & set(numbers)
    for is_anew in (True, False):  # what was trained anew comes first
        rows = [by_number[number] for number in numbers]
        losses = [row["valid_loss"] for row in rows if (row["change"] == "trained anew") == is_anew]
        assert losses == sorted(losses)


@pytest.fixture(scope="module")
def starts(tmp_path_factory):
    """A given network from three starts, averaged."""
    out = tmp_path_factory.mktemp("search") / "starts"
    return ts.fit("iris", out=out, network="8", epochs=20, ensemble=3, calibrate=False)


def test_a_given_network_is_averaged_over_its_starts(starts):
    x, eight = read("iris"), ts.network.parse("8", (4,), 3)
    assert [starts.model.network, *(network for network, _ in starts.model.others)] == [eight] * 3
    assert not same(starts.model.params, starts.model.others[0][1])
    assert not same(starts.model.others[0][1], starts.model.others[1][1])
    np.testing.assert_allclose(starts.model.predict_proba(x), mean_confidence(starts, x), atol=1e-6)
    assert only(starts, "function_set")["n_params"] == 3 * eight.n_params
    assert len(starts.leaderboard) == 3


@pytest.mark.parametrize("name", ["trio", "starts"])
def test_an_ensemble_is_loaded_as_it_was_saved(name, request, tmp_path):
    run = request.getfixturevalue(name)
    x, loaded = read("iris"), ts.load(run.folder.path)
    assert len(loaded.others) == 2
    np.testing.assert_array_equal(loaded.outputs(x), run.model.outputs(x))
    np.testing.assert_array_equal(loaded.predict(x), run.model.predict(x))
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == run.folder.model_path.read_bytes()


@pytest.mark.parametrize("name", ["trio", "starts"])
def test_an_ensemble_is_measured_as_a_whole(name, request, capsys):
    run = request.getfixturevalue(name)
    for part, samples in parts_of(run)._asdict().items():
        assert without_luck(run.scores[part]) == score_samples(run.model, samples)[0]
    assert main(["evaluate", str(run.folder.path), "iris", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["accuracy"] == np.mean(run.model.predict(read("iris")) == label(read("iris"), None).y)


def test_an_ensemble_of_numbers_is_their_mean():
    run = ts.fit("diabetes", network="8", epochs=5, ensemble=2)
    x, prep = read("diabetes"), run.model.prep
    functions = [(run.model.network, run.model.params), *run.model.others]
    mean = np.mean([outputs_of(*each, encode(prep, x))[:, 0] for each in functions], axis=0)
    np.testing.assert_allclose(run.model.predict(x), mean * prep.target_scale + prep.target_center, rtol=1e-5)


def test_a_given_network_that_cannot_be_averaged_is_refused_with_a_hint(tmp_path):
    with pytest.raises(ts.SettingsError, match="`ensemble` is 2, but `network`") as caught:
        ts.fit("iris", network="-".join(["8"] * 9), ensemble=2, out=tmp_path / "run")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_given_network_stays_what_it_is_also_without_time_for_it():
    run = ts.fit("iris", network="8", ensemble=3, budget=0.01)
    asked, told = of_kind(run, "function_set")
    assert asked["network"] == told["network"] == str(run.model.network)
    assert (len(asked["others"]), told["others"]) == (2, [])  # there was time for none
    assert run.model.network == ts.network.parse("8", (4,), 3)


# Learning on from all samples


def test_a_refit_learns_on_from_the_best_of_the_search(found, capsys):
    run = ts.fit("iris", refit=True, **SMALL)
    assert run.model.network == found.model.network
    assert run.leaderboard == [
        {**row, "seconds": own["seconds"]}
        for row, own in zip(found.leaderboard, run.leaderboard, strict=True)
    ]
    assert not same(run.model.params, found.model.params)
    both = [found.scores[part]["n_samples"] for part in ("train", "valid")]
    total = [sum(r.scores[part]["total_loss"] for part in ("train", "valid")) for r in (run, found)]
    assert sum(both) == 120
    assert total[0] < total[1]  # it has learned from both
    assert "learned_from" in run.scores["valid"]
    assert not any(name.startswith("corrected") for name in run.scores["valid"])
    assert "has learned from the validation samples, too" in report_html(run.events)
    assert "has learned from the validation samples" not in report_html(found.events)
    tell_scores(run.scores)
    assert "valid: learned from, too (refit)" in capsys.readouterr().out


def test_all_of_an_ensemble_are_refitted_on_train_and_valid(trio, monkeypatch):
    sizes, usual = [], searching.Population

    def counted(goodness, train, valid, *others):
        sizes.append((len(train.y), len(valid.y)))
        return usual(goodness, train, valid, *others)

    monkeypatch.setattr(searching, "Population", counted)
    run = ts.fit("iris", refit=True, **{**SMALL, "ensemble": 3})
    n_train, n_valid = (run.scores[part]["n_samples"] for part in ("train", "valid"))
    assert sizes == [(n_train, n_valid), (n_train + n_valid, n_train + n_valid)]
    assert [network for network, _ in run.model.others] == [network for network, _ in trio.model.others]
    assert not same(run.model.params, trio.model.params)
    for (_, params), (_, before) in zip(run.model.others, trio.model.others, strict=True):
        assert not same(params, before)


def test_a_given_network_is_refitted():
    given = {"network": "8", "epochs": 10}
    once, again = ts.fit("iris", **given), ts.fit("iris", refit=True, **given)
    assert not same(once.model.params, again.model.params)


def test_a_refit_keeps_the_budget(monkeypatch):
    monkeypatch.setattr(
        "threestep.study.ends._REFIT_FRACTION", 0.6
    )  # a fifth of so little is too short to compile
    began = time.perf_counter()
    run = ts.fit("iris", refit=True, budget="6s", **SMALL)
    assert time.perf_counter() - began < 6 + SLACK
    assert_sound(run)
    assert not same(run.model.params, run.tried[0].trained.params)


# A given network with a budget


def test_a_given_network_stops_when_its_budget_is_spent():
    began = time.perf_counter()
    run = ts.fit("iris", network="8", epochs=1_000_000, patience=1_000_000, budget="2s")
    assert time.perf_counter() - began < 2 + SLACK
    assert run.picked.outcome is Outcome.OUT_OF_TIME
    assert only(run, "pick")["outcome"] == "out_of_time"
    assert 0 < run.picked.best_epoch <= len(run.picked.history) < 1_000_000
    assert run.model.network == ts.network.parse("8", (4,), 3)
    assert run.leaderboard == []
    assert_sound(run)


def test_a_given_ensemble_stops_when_its_budget_is_spent():
    began = time.perf_counter()
    run = ts.fit("iris", network="8", epochs=1_000_000, patience=1_000_000, budget="4s", ensemble=2)
    assert time.perf_counter() - began < 4 + SLACK
    assert run.picked.outcome is Outcome.OUT_OF_TIME
    assert run.model.network == ts.network.parse("8", (4,), 3)
    assert_sound(run)


# Other data


def test_a_number_is_searched_for():
    run = ts.fit("diabetes", **FEW)
    assert run.scores["test"]["r2"] > 0.2
    row = run.leaderboard[0]
    assert (row["score_low"], row["score_high"]) == (None, None)
    valid = parts_of(run, "diabetes").valid
    scaled = run.model.outputs(valid)[:, 0], encode_target(run.model.prep, valid)
    assert row["valid_score"] == pytest.approx(-np.mean((scaled[0] - scaled[1]) ** 2), rel=1e-4)
    assert_sound(run, "diabetes")


@pytest.mark.slow
def test_two_classes_are_searched_for():
    run = ts.fit("breast_cancer", **FEW)
    assert run.model.network.n_outputs == 2
    assert run.scores["test"]["accuracy"] > 0.9
    assert_sound(run, "breast_cancer")


# Ctrl-C


def interrupted_at(kind, **settings):
    """A run that hears Ctrl-C at its first event of that kind."""
    steps, is_heard = fit_steps("iris", ts.Settings(**settings), None), False
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if event["event"] == kind and not is_heard:
            is_heard = True
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_a_search_with_the_best_so_far(trio):
    before = signal.getsignal(signal.SIGINT)
    run = interrupted_at("rung", **{**SMALL, "ensemble": 3, "refit": True})
    assert signal.getsignal(signal.SIGINT) is before
    assert run.picked.outcome is Outcome.INTERRUPTED
    assert 0 < len(run.tried) < len(trio.tried)
    assert len(run.model.others) == 2
    assert spec_of(run.model.network) == run.leaderboard[0]["network"]
    assert same(run.model.params, run.tried[0].trained.params)  # there is no refit any more
    assert_sound(run)


def test_a_search_runs_beside_the_main_thread(found):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(ts.fit("iris", **SMALL)))
    thread.start()
    thread.join()
    assert same(runs[0].model.params, found.model.params)


@contextmanager
def running_process(out, words, kind):
    """A fit by the command line that has told of its first event of that kind."""
    words = ["fit", *words, "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    journal = out / "journal.jsonl"
    told = f'"event":"{kind}"'.encode()
    try:
        while not (journal.exists() and told in journal.read_bytes()):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_on_the_command_line_keeps_model_and_report(tmp_path):
    words = ["iris", "--effort", "thorough", "--epochs", "3000", *WORDS[5:]]
    with running_process(tmp_path / "run", words, "rung") as process:
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (0, "")
    assert Outcome.INTERRUPTED.sentence in said
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    events = {event["event"]: event for event in read_journal(tmp_path / "run" / "journal.jsonl")}
    assert events["pick"]["outcome"] == "interrupted"
    loaded = ts.load(tmp_path / "run")
    assert str(loaded.network) == events["function_set"]["network"]
    assert np.isfinite(loaded.outputs(read("iris"))).all()


def _interrupted(folder: Path) -> str:
    """What an interrupt says that left no model: what lies in the folder."""
    left = f"{folder} has no model; its journal.jsonl and config.toml may be deleted"
    return f"error: interrupted\nhint: {left}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_while_a_given_network_is_compiled_is_heard_at_once(tmp_path):
    """A compile goes on in another thread, which nobody waits for and which must not end in a crash."""
    with running_process(tmp_path / "run", ["digits", "--network", "resnet18"], "function_set") as process:
        process.send_signal(signal.SIGINT)
        began = time.perf_counter()
        _, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (130, _interrupted(tmp_path / "run"))
    assert time.perf_counter() - began < 5  # seconds; the compile takes longer
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_twice_ends_at_once(tmp_path, monkeypatch, capsys):
    def impatient(_, event):
        if event["event"] == "rung":  # in the middle of a search; from outside, it may have ended between
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Teller, "tell", impatient)
    words = ["fit", "iris", "--effort", "quick", "--out", str(tmp_path / "run")]
    assert main(words) == 130
    assert capsys.readouterr().err == _interrupted(tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_the_first_ctrl_c_sets_an_event_and_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    stop = threading.Event()
    with searching.interruptible(stop):
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


# What the terminal shows


RUNG = {
    "event": "rung",
    "round": 2,
    "rung": 1,
    "n_rungs": 3,
    "epochs": 27,
    "n_tried": 36,
    "n_trained": 12,
    "n_alive": 10,
    "n_diverged": 2,
    "best_number": 7,
    "best_network": "64-r64 silu",
    "best_loss": 0.12344,
    "best_score": 0.95,
    "seconds": 3.2,
    "seconds_left": 41.6,
    "minute_gain": 0.0123,
}


def told(capsys, *events) -> list[str]:
    """The lines that are printed of events, without the spaces between columns."""
    teller = Teller()
    for event in events:
        teller.tell(event)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_a_rung_that_nobody_climbed_is_not_told_of(capsys):
    assert told(capsys, {**RUNG, "n_trained": 0, "n_alive": 0, "n_diverged": 0}) == []


def test_a_rung_is_one_line_of_what_was_tried_and_the_title_of_the_step_stands_once(capsys):
    nothing = dict.fromkeys(("best_network", "best_loss", "seconds_left", "minute_gain"))
    later = {**RUNG, **nothing, "n_alive": 12, "n_diverged": 0}
    assert told(capsys, RUNG, later) == [
        "",
        "step 3 the pick: train a little, keep the better, vary the best",
        "tried trained epochs loss after best so far",
        "36 10 27 0.1234 3 s 64-r64 silu, 2 diverged",
        "36 12 27 – 3 s none yet",
    ]
    assert told(capsys, {**RUNG, "n_rungs": 1})[1] == "step 3 the pick: train each to its end"


class Terminal(io.StringIO):
    """As somebody watches."""

    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_a_bar_follows_the_networks_of_a_rung_where_somebody_watches(stream):
    tick = {"event": "tick", "round": 2, "rung": 1, "epochs": 27, "n": 18, "n_done": 5}
    tick |= {"best_loss": 0.25, "seconds": 3.0, "seconds_left": 41.6}
    with Progress(stream) as progress:
        for event in ({"event": "goodness"}, tick, {**tick, "n_done": 12}, RUNG):
            progress.show(event)
        shown = stream.getvalue()
        progress.show({**tick, "best_loss": None, "seconds_left": None})
    for words in ("round 2, 27 epochs", " 5/18 ", " 12/18 networks", "best loss 0.25"):
        assert (words in shown) == stream.isatty()
    assert stream.isatty() or stream.getvalue() == ""


def test_beside_the_bar_stands_one_time_that_of_the_whole_budget():
    """Not that of a part of it, nor the bar's own."""
    stream, spec = Terminal(), "conv32-conv64-conv64-conv128-globalpool-dense128 relu"
    tick = {"event": "tick", "round": None, "what": spec, "epochs": 28, "n": 28, "n_done": 5}
    with Progress(stream, until=time.perf_counter() + 41.6) as progress:
        progress.show({**tick, "best_loss": 0.25, "seconds_left": 9.0})
        last = stream.getvalue().split("\r")[-1]
    assert re.search(r"conv32-conv64-conv64-conv128-gl….* 5/28 epochs, 4[12] s left, best loss 0.25", last)
    assert len(last) - 10 < 80  # the bar itself takes what room there is
    assert "9 s" not in last
    assert "<" not in last


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "finals: the best trained anew, 3 times 80 epochs; best loss 0.1000"),
        ({"n_longer": 1}, "2 times 80 epochs; some of the best trained longer; best loss"),
        ({"n_longer": 3}, "finals: some of the best trained longer, by 80 epochs; best loss"),
        ({"n_longer": 3, "epochs": 1}, "some of the best trained longer, by 1 epoch; best loss"),
        ({"n_folds": 4}, "3 times 80 epochs in each of 4 folds; best loss"),
        ({"n_alive": 0, "best_loss": None}, "no further training came to its end"),
        ({"n_trained": 0, "n_alive": 0, "best_loss": None}, "no time was left to train the best anew"),
        ({"n_trained": 0, "n_alive": 0, "best_loss": None, "n_planned": 1}, None),
    ],
)
def test_the_terminal_says_what_the_finals_were(facts, words, capsys):
    event = {"event": "final", "n_planned": 4, "n_trained": 3, "n_alive": 3, "n_folds": 1, "epochs": 80}
    Teller().tell(event | {"n_longer": 0, "best_number": 9, "best_loss": 0.1, "seconds": 1.0} | facts)
    said = capsys.readouterr().out
    assert said == "" if words is None else words in said


def test_the_command_line_tells_every_rung_and_finds_the_same_network(found, tmp_path, capsys):
    assert main(["fit", "iris", *WORDS, "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == found.folder.model_path.read_bytes()
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert (
        "step 1 the function sets: 0 to 2 hidden layers of 8 to 16 neurons, relu or silu"
        in said.out.replace("  ", " ")
    )
    for rung in of_kind(found, "rung"):
        counts = f"{rung['n_tried']} {rung['n_alive']} {rung['epochs']} {rung['best_loss']:.4f}"
        assert any(line.startswith(counts) and line.endswith(rung["best_network"]) for line in lines)
    for row in found.leaderboard[:5]:
        row_said = f"{row['number']} {row['n_params']:,} {row['valid_loss']:.4f} {row['valid_score']:.4f}"
        assert any(f"{row_said} {row['network'] or 'linear'}" in line for line in lines)
    assert f"picked: {found.model.network}" in lines
    for step in ("step 1", "step 2", "step 3"):
        assert sum(line.startswith(step) for line in lines) == 1


@pytest.mark.parametrize("words", [["--budget", "soon"], ["--ensemble", "0"], ["--activations", "reluu"]])
def test_the_command_line_refuses_what_makes_no_sense(in_tmp, capsys, words):
    assert main(["fit", "iris", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: `" + words[0][2:])
    assert "hint: " in said.err
    assert list(in_tmp.iterdir()) == []


def test_a_search_of_neurons_says_with_what_it_computed():
    assert ts.fit("iris", **{**SMALL, "precision": "bfloat16"}).settings.precision == "float32"
