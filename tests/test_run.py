"""Whole runs: what they say, what they write, and that odd data work or say why not."""

import hashlib
import json
import os
import tomllib
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import threestep as ts
from threestep.data import label, read
from threestep.job import fit_steps
from threestep.pick import Outcome, descent
from threestep.study import RunFolder, check_page_folder, new_folder, page_folder, read_journal, score_samples

KINDS = ["start", "check", "function_set", "goodness", "epoch", "pick", "scores", "details", "end"]
OF_A_SEARCH = {"space", "rung", "final", "leaderboard", "luck", "note"}
OF_THE_SPACE = {"depths", "widths", "dropouts", "weight_decays"}
QUICK = {"network": "8", "epochs": 3}


def arrays(n_samples=60, n_columns=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_columns))
    return x, (x[:, 0] > 0).astype(int)


def kinds(events):
    """Kinds of events in order; epochs in a row count once."""
    names = [event["event"] for event in events]
    return [name for index, name in enumerate(names) if index == 0 or name != names[index - 1]]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# What a run says


@pytest.mark.parametrize(("data", "kind"), [("iris", "classes"), ("diabetes", "number")])
def test_events_come_in_the_documented_order_and_hold_the_truth(data, kind):
    run = ts.fit(data, **QUICK)
    assert kinds(run.events) == KINDS
    by_kind = {event["event"]: event for event in run.events}
    assert by_kind["start"]["target"]["kind"] == kind
    assert by_kind["function_set"]["n_params"] == run.model.network.n_params
    epochs = [event for event in run.events if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2, 3]
    assert [event["valid_loss"] for event in epochs] == [row.valid_loss for row in run.picked.history]
    assert by_kind["pick"]["best_epoch"] == run.picked.best_epoch
    assert by_kind["scores"]["scores"] == run.scores == run.model.scores
    assert set(by_kind["end"]["seconds"]) == {"read", "prepare", "check", "train", "measure"}
    n_samples = by_kind["start"]["n_samples"]
    assert n_samples == {part: scores["n_samples"] for part, scores in run.scores.items()}
    assert sum(n_samples.values()) == read(data).n_samples


def test_every_kind_of_event_is_documented():
    from threestep.study import run

    documented = [line.split()[0] for line in run.__doc__.splitlines() if line.startswith("    ")]
    assert [name for name in documented if name not in OF_A_SEARCH] == KINDS
    assert set(documented) > OF_A_SEARCH


def test_events_are_yielded_as_they_happen():
    steps = fit_steps("iris", ts.Settings(**QUICK), None)
    seen, run = [], None
    while run is None:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            run = end.value
    assert run.events == seen
    assert kinds(seen) == KINDS


def test_scores_are_those_of_the_models_own_predictions():
    from sklearn.metrics import accuracy_score, log_loss

    from threestep.data import split

    run = ts.fit("wine", network="16", epochs=20)
    table = label(read("wine"), None)
    test = split(table, run.settings.valid_fraction, run.settings.test_fraction, 0, by_class=True).test
    scores = run.scores["test"]
    known = np.asarray(test.y).astype(str)
    assert scores["accuracy"] == pytest.approx(accuracy_score(known, run.model.predict(test).astype(str)))
    confidences = run.model.predict_proba(test).astype(np.float64)
    confidences /= confidences.sum(axis=1, keepdims=True)
    assert scores["loss"] == pytest.approx(log_loss(known, confidences), rel=1e-4)
    assert scores["total_loss"] == pytest.approx(scores["loss"] * scores["n_samples"])
    assert scores["accuracy_low"] < scores["accuracy"] <= scores["accuracy_high"]


def test_valid_loss_of_the_scores_is_the_lowest_of_the_history():
    run = ts.fit("iris", network="8", epochs=30, calibrate=False)
    assert run.scores["valid"]["loss"] == pytest.approx(
        min(r.valid_loss for r in run.picked.history), rel=1e-5
    )


@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_a_shuffle_of_rows_changes_no_metric(data):
    run = ts.fit(data, **QUICK)
    table = label(read(data), None)
    order = np.random.default_rng(1).permutation(table.n_samples)
    scores, losses = score_samples(run.model, table)
    shuffled, shuffled_losses = score_samples(run.model, table.take(order))
    assert shuffled == pytest.approx(scores, abs=1e-6, rel=1e-6)
    np.testing.assert_allclose(shuffled_losses, losses[order], rtol=1e-5, atol=1e-6)


def test_metrics_of_numbers_far_from_zero_keep_their_digits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    run = ts.fit((x, 1e9 + 3 * x[:, 0]), task="number", network="", epochs=60, learning_rate=0.05)
    assert run.scores["test"]["r2"] > 0.999
    assert run.scores["test"]["rmse"] < 0.1


# What a run writes


def test_run_folder_holds_model_journal_and_every_setting(tmp_path):
    out = tmp_path / "deep" / "run"
    run = ts.fit("iris", out=out, **QUICK)
    assert {"config.toml", "journal.jsonl", "model.safetensors"} <= set(files(out))
    assert [event["event"] for event in read_journal(out / "journal.jsonl")] == [
        e["event"] for e in run.events
    ]
    config = tomllib.loads((out / "config.toml").read_text(encoding="utf-8"))
    assert config.pop("data") == "iris"
    used = {name: value for name, value in asdict(run.settings).items() if value is not None}
    assert {
        name: tuple(value) if isinstance(value, list) else value for name, value in config.items()
    } == used
    open_ones = {field.name for field in fields(ts.Settings)} - set(used)
    assert open_ones == {
        "budget",
        "channels",
        "picture_size",
        "sound_bands",
        "sound_hop",
        "sound_window",
        "max_params",
        "max_latency_ms",
        "weight",
        "groups",
        "order",
        "bins",
        *OF_THE_SPACE,
    }
    loaded = ts.load(out / "model.safetensors")
    x = read("iris")
    np.testing.assert_array_equal(loaded.predict_proba(x), run.model.predict_proba(x))


def test_the_written_settings_give_the_same_run_again(tmp_path):
    ts.fit("iris", out=tmp_path / "one", **QUICK)
    config = tomllib.loads((tmp_path / "one" / "config.toml").read_text(encoding="utf-8"))
    ts.fit(config.pop("data"), out=tmp_path / "two", **config)
    for name in ("model.safetensors", "config.toml"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_equal_runs_write_equal_bytes_and_another_seed_writes_others(tmp_path):
    def written(name, seed):
        ts.fit(arrays(), out=tmp_path / name, seed=seed, dropout=0.2, **QUICK)
        return hashlib.sha256((tmp_path / name / "model.safetensors").read_bytes()).hexdigest()

    assert written("one", 4) == written("two", 4) != written("three", 5)


def test_without_out_nothing_is_written(in_tmp):
    ts.fit(arrays(), **QUICK)
    assert files(in_tmp) == []


BAD = {
    "no such data": ("no-such-data", {}),
    "one sample": (arrays(1), {}),
    "one class": ((np.zeros((20, 2)), np.ones(20, int)), {"task": "classes"}),
    "no column": ((np.zeros((20, 0)), np.arange(20) % 2), {}),
    "NaN in the target": ((np.zeros((20, 2)), np.full(20, np.nan)), {}),
    "words as a number": ((np.zeros((20, 2)), np.array(["a", "b"] * 10)), {"task": "number"}),
    "another length of y": ((np.zeros((20, 2)), np.zeros(19)), {}),
    "spec": ("iris", {"network": "12--8"}),
    "setting": ("iris", {"epochs": -1}),
    "target": ("iris", {"target": "colour"}),
    "one number": ((np.zeros((20, 2)), np.full(20, 3.5)), {}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_user_error_and_writes_nothing(name, tmp_path):
    data, settings = BAD[name]
    with pytest.raises(ts.UserError) as caught:
        ts.fit(data, out=tmp_path / "run", **settings)
    assert caught.value.message
    assert files(tmp_path) == []


@pytest.mark.parametrize("n_samples", [1, 2, 3, 4])
def test_too_few_samples_are_a_data_error(n_samples):
    with pytest.raises(ts.DataError):
        ts.fit(arrays(n_samples))


def test_a_file_is_no_folder_to_write_to(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(ts.DataError, match="is a file, expected a folder"):
        ts.fit(arrays(), out=file, network="8", epochs=1)
    assert file.read_text(encoding="utf-8") == "a,b\n"


def test_a_folder_that_holds_a_run_is_left_alone(tmp_path):
    ts.fit(arrays(), out=tmp_path, **QUICK)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ts.DataError, match="holds a run already"):
        ts.fit(arrays(), out=tmp_path, seed=3, **QUICK)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# Odd data


def test_constant_columns_work():
    x, y = arrays()
    x[:, 1], x[:, 2] = 7.5, 0
    run = ts.fit((x, y), network="8", epochs=40)
    assert run.picked.outcome is not Outcome.DIVERGED
    assert run.scores["train"]["accuracy"] > 0.8


def test_nothing_but_constant_columns_works():
    x, y = arrays()
    run = ts.fit((np.ones_like(x), y), **QUICK)
    assert np.isfinite(run.scores["test"]["loss"])


def test_one_column_works():
    run = ts.fit(arrays(n_columns=1), network="8", epochs=300)
    assert run.scores["train"]["accuracy"] > 0.8


@pytest.mark.parametrize("y", [[0, 1, 0, 1, 0], ["a", "a", "a", "a", "b"]])
def test_five_samples_of_two_classes_work(y):
    run = ts.fit((np.arange(10.0).reshape(5, 2), np.array(y)), task="classes", **QUICK)
    assert [scores["n_samples"] for scores in run.scores.values()] == [3, 1, 1]
    assert set(run.model.predict(np.zeros((4, 2)))) <= set(y)


def test_something_is_always_left_to_learn_from():
    run = ts.fit(
        (np.arange(10.0).reshape(5, 2), [0, 1, 0, 1, 0]),
        task="classes",
        valid_fraction=0.8,
        test_fraction=0.1,
        **QUICK,
    )
    assert all(run.scores[part]["n_samples"] >= 1 for part in ("train", "valid", "test"))


@pytest.mark.slow
def test_a_hundred_thousand_rows_work():
    run = ts.fit(arrays(100_000, 5), network="8", epochs=2)
    assert run.scores["test"]["accuracy"] > 0.9
    assert sum(scores["n_samples"] for scores in run.scores.values()) == 100_000


def test_no_test_samples_are_needed():
    run = ts.fit(arrays(), test_fraction=0.0, **QUICK)
    assert set(run.scores) == {"train", "valid"}


def test_a_run_that_diverges_says_so_and_still_gives_a_model(tmp_path):
    run = ts.fit(
        "diabetes", out=tmp_path / "run", network="8", optimizer="sgd", learning_rate=100.0, epochs=20
    )
    pick = next(event for event in run.events if event["event"] == "pick")
    assert pick["outcome"] == "diverged"
    assert np.isfinite(run.model.predict(read("diabetes"))).all()
    for line in (tmp_path / "run" / "journal.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line, parse_constant=pytest.fail)  # NaN is no JSON
    assert ts.load(tmp_path / "run" / "model.safetensors").network == run.model.network


def test_an_interrupted_run_still_gives_a_model_and_scores(monkeypatch, tmp_path):
    usual, calls = descent._run_block, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return usual(*arguments)

    monkeypatch.setattr(descent, "_MOST_EPOCHS_PER_BLOCK", 1)
    monkeypatch.setattr(descent, "_run_block", interrupted)
    run = ts.fit(arrays(), out=tmp_path / "run", network="8", epochs=50)
    assert run.picked.outcome is Outcome.INTERRUPTED
    assert kinds(run.events) == KINDS
    assert len(run.picked.history) == 2
    assert (tmp_path / "run" / "model.safetensors").is_file()


# The main job


@pytest.mark.slow
def test_digits_reach_their_accuracy_by_default():
    run = ts.fit("digits")
    assert run.model.network.n_inputs == 256
    assert run.model.network.n_outputs == 10
    assert run.scores["test"]["n_samples"] >= 350
    assert run.scores["test"]["accuracy"] >= 0.96
    assert run.picked.outcome in (Outcome.FINISHED, Outcome.STOPPED_EARLY)


def test_an_interrupt_before_the_first_epoch_keeps_nothing(monkeypatch, tmp_path):
    from threestep.pick import descent

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(descent, "_run_block", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ts.fit("iris", network="4", epochs=2, out=tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_run_and_its_model_show_themselves_in_one_line():
    run = ts.fit("iris", network="4", epochs=2)
    accuracy = run.scores["test"]["accuracy"]
    best = run.picked.best_epoch
    assert repr(run) == f"<Run: 4 → 4 relu → 3; epoch {best} picked; test accuracy {accuracy:.4f}>"
    assert repr(run.model) == "<Model: 4 → 4 relu → 3, predicts 'class'>"


# What fails once the model is there


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("threestep.job.write_report", OSError(28, "No space left on device")),
        ("threestep.study.measuring.details_of", ZeroDivisionError()),
    ],
)
def test_a_model_outlives_what_fails_after_it(place, error, tmp_path, monkeypatch, capsys):
    from threestep.app import main

    monkeypatch.setattr(place, failing(error))
    quick, out = {"network": "4", "epochs": 2}, tmp_path / "run"
    with pytest.raises(ts.ReportError, match=type(error).__name__) as caught:
        ts.fit("iris", **quick, out=out)
    assert caught.value.__cause__ is error
    assert caught.value.run.model.predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1,)
    assert ts.load(out).network == caught.value.run.model.network
    words = ["fit", "iris", "--network", "4", "--epochs", "2", "--out", str(tmp_path / "told")]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert f"error: the report failed: {type(error).__name__}: " in said
    assert f"hint: the model is saved: threestep predict {tmp_path / 'told'} DATA" in said
    assert ("Traceback" in said) == isinstance(error, ZeroDivisionError)
    assert main(["predict", str(tmp_path / "told"), "iris"]) == 0
    if isinstance(error, ZeroDivisionError):
        with pytest.raises(ts.ReportError, match=r"run\.model"):
            ts.fit("iris", **quick)


def test_a_model_that_cannot_be_saved_is_in_the_error(tmp_path, monkeypatch, capsys):
    from threestep.app import main

    error = ts.ModelFileError("model.safetensors: cannot be written", "make room")
    monkeypatch.setattr("threestep.model.Model.save", failing(error))
    with pytest.raises(ts.ReportError, match="the model could not be saved") as caught:
        ts.fit("iris", network="4", epochs=1, out=tmp_path / "run")
    assert caught.value.run.model.predict([[5.1, 3.5, 1.4, 0.2]]).shape == (1,)
    assert main(["fit", "iris", "--network", "4", "--epochs", "1", "--out", str(tmp_path / "told")]) == 1
    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert "Traceback" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_lines_of_the_journal_wait_while_the_disk_is_full(tmp_path):
    folder = RunFolder(tmp_path)
    folder.journal_path.symlink_to("/dev/full")
    folder.append({"event": "one"})
    folder.append({"event": "two"})
    with pytest.raises(OSError, match="No space left"):
        folder.finish()
    folder.journal_path.unlink()
    folder.append({"event": "three"})
    folder.finish()
    assert [event["event"] for event in read_journal(folder.journal_path)] == ["one", "two", "three"]


def test_what_fails_before_there_is_a_model_is_told_as_ever(monkeypatch):
    monkeypatch.setattr("threestep.study.run.check_event", failing(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        ts.fit("iris", network="4", epochs=1)


def test_layers_are_not_looked_at_behind_the_end_of_a_budget(monkeypatch):
    from threestep.study import measuring as module

    def layers(budget):
        run = ts.fit("iris", network="4", epochs=2, budget=budget)
        return next(event["layers"] for event in run.events if event["event"] == "details")

    assert layers("60s") is not None
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: 1e18))
    assert layers("60s") is None
    assert layers(None) is not None


# Where a run is written


def test_a_folder_may_be_below_the_home_folder_and_has_a_name(in_tmp, monkeypatch):
    monkeypatch.setenv("HOME", str(in_tmp))
    assert new_folder("~/here", "t").path == in_tmp / "here"
    assert page_folder("~/page", "t") == in_tmp / "page"
    for claim in (new_folder, page_folder):
        with pytest.raises(ts.DataError, match="name is empty"):
            claim("", "t")
        with pytest.raises(ts.DataError, match="cannot be written"):
            claim("x" * 300, "t")
    (in_tmp / "t.csv").write_text("a,y\n1,0\n2,1\n")
    assert ts.data.read("~/t.csv").n_samples == 2


def test_a_page_needs_its_folder_before_the_work_for_it(in_tmp, monkeypatch):
    monkeypatch.setattr("threestep.job.explain_model", failing(ZeroDivisionError()))
    monkeypatch.setattr("threestep.job.compare_steps", failing(ZeroDivisionError()))
    monkeypatch.setattr("threestep.job.health_steps", failing(ZeroDivisionError()))
    (in_tmp / "file").write_text("")
    for out, said in (("file", "is a file"), ("file/below", "cannot be written"), ("", "name is empty")):
        for work in (partial(ts.explain, "m"), partial(ts.compare, "depth"), ts.health):
            with pytest.raises(ts.DataError, match=said):
                work("digits", out=out)
    with pytest.raises(ZeroDivisionError):
        ts.compare("depth", "digits", out="page")
    assert files(in_tmp) == ["file"]  # nothing is made before there is something to write


def test_what_was_broken_off_is_told_as_such(tmp_path):
    new_folder(tmp_path / "run", "t").append({"event": "start"})
    with pytest.raises(ts.DataError, match=r"broken off or still goes on \(journal\.jsonl\)") as caught:
        new_folder(tmp_path / "run", "t")
    assert "may be deleted" in caught.value.hint


def test_folders_are_numbered_and_none_is_had_twice(in_tmp):
    names = [new_folder(None, "t").path.name, page_folder(None, "t").name, new_folder(None, "t").path.name]
    assert names == ["t-001", "t-002", "t-003"]  # though nothing was written there yet


def test_a_link_to_a_disk_that_is_not_there_is_told(in_tmp):
    (in_tmp / "runs").symlink_to(in_tmp / "nowhere")
    for claim in (lambda: new_folder(None, "t"), lambda: check_page_folder(None)):
        with pytest.raises(ts.DataError, match=r"cannot be written|link to nothing"):
            claim()


def test_a_name_that_is_no_utf8_is_told_readably(in_tmp):
    path = Path(os.fsdecode(b"b\xff.csv"))
    path.write_text("a,y\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(40)))
    run = ts.fit(str(path), network="2", epochs=1, out="there")
    assert run.events[0]["data"] == "b\\xff"
    assert (in_tmp / "there" / "report.html").exists()
