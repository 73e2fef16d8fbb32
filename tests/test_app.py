"""The command line: what it prints, where it writes, how it refuses."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import threestep as ts
from threestep import described
from threestep.app import main, options, work
from threestep.app.checkup import tell_facts
from threestep.app.scores import tell_scores
from threestep.app.telling import Teller


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A quick run on iris."""
    folder = tmp_path_factory.mktemp("run") / "iris"
    assert main(["fit", "iris", "--network", "8", "--epochs", "20", "--out", str(folder), "--json"]) == 0
    return folder


def test_an_option_that_is_given_twice_is_refused(capsys):
    """The later one would hide the earlier."""
    words = ["fit", "iris", "--column", "a=ignore", "--column", "b=ignore"]
    assert main(words) == 2
    complained = capsys.readouterr().err
    assert "--column is given twice" in complained
    assert "hint: give all of it at once" in complained


def test_fit_tells_the_three_steps_and_writes_the_run_folder(here, capsys):
    assert main(["fit", "iris", "--network", "8 tanh", "--epochs", "5", "--seed", "3"]) == 0
    said = capsys.readouterr()
    for words in (
        "step 1  the function set: 4 → 8 tanh → 3",
        "67 params",
        "step 2  goodness",
        "step 3  the pick",
    ):
        assert words in said.out
    assert "total loss" in said.out
    assert said.err == ""  # no progress bar where nobody watches
    folder = here / "runs" / "iris-001"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.toml", "journal.jsonl", "model.safetensors", "report.html",
    ]  # fmt: skip
    settings = tomllib.loads((folder / "config.toml").read_text())
    assert settings["seed"] == 3
    assert settings["network"] == "8 tanh"
    assert settings["batch_size"] == 16


def test_a_second_run_gets_the_next_folder(here, capsys):
    for _ in range(2):
        assert main(["fit", "iris", "--network", "", "--epochs", "1", "--json"]) == 0
    assert [path.name for path in sorted((here / "runs").iterdir())] == ["iris-001", "iris-002"]


def test_json_is_one_object_with_scores(here, capsys):
    assert main(["fit", "diabetes", "--network", "4", "--epochs", "2", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    n_inputs = int(summary["network"].split()[0])
    assert summary["n_params"] == (n_inputs + 1) * 4 + 5
    assert summary["n_networks"] == 1
    assert set(summary["scores"]) == {"train", "valid", "test"}
    assert summary["scores"]["test"]["rmse"] > 0


def test_predict_writes_class_and_confidences_per_sample(run_folder, here, capsys):
    assert main(["predict", str(run_folder), "iris", "--out", "out.csv"]) == 0
    with open("out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 150
    confidences = [
        [float(row[f"confidence_{name}"]) for name in ("setosa", "versicolor", "virginica")] for row in rows
    ]
    np.testing.assert_allclose(np.sum(confidences, axis=1), 1, atol=2e-6)
    names = np.array(["setosa", "versicolor", "virginica"])
    assert [row["class"] for row in rows] == names[np.argmax(confidences, axis=1)].tolist()


def predicted(folder, data) -> list[list[str]]:
    """What `predict` writes."""
    assert main(["predict", str(folder), str(data), "--out", "out.csv"]) == 0
    with open("out.csv", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Samples with two numbers and two labels."""
    folder = tmp_path_factory.mktemp("several")
    a, b = np.random.default_rng(0).normal(size=(2, 200)).round(3)
    columns = {
        "a": a,
        "b": b,
        "p": a + b,
        "q": a - b,
        "yes": (a > 0).astype(int),
        "no": (b > 0.5).astype(int),
    }
    rows = zip(*(column.tolist() for column in columns.values()))
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    (folder / "all.csv").write_text("\n".join(lines))
    return folder / "all.csv"


def test_predict_writes_several_numbers(several, here, capsys):
    run = ts.fit(several, target="p, q", column=("yes=ignore", "no=ignore"), network="4", epochs=3, out="run")
    header, *rows = predicted("run", several)
    assert header == ["p", "q"]
    np.testing.assert_allclose(np.array(rows, float), run.model.predict(several), rtol=1e-6)


def test_predict_writes_labels_and_how_sure_it_is(several, here, capsys):
    run = ts.fit(several, target="yes,no", column=("p=ignore", "q=ignore"), network="4", epochs=3, out="run")
    header, *rows = predicted("run", several)
    assert header == ["yes", "no", "confidence_yes", "confidence_no"]
    found = np.array(rows, float)
    np.testing.assert_array_equal(found[:, :2], run.model.predict(several))
    np.testing.assert_allclose(found[:, 2:], run.model.predict_proba(several), atol=1e-6)


def test_predict_writes_quantiles(several, here, capsys):
    run = ts.fit(several, target="p", quantiles=(0.1, 0.9), network="4", epochs=3, out="run")
    header, *rows = predicted("run", several)
    assert header == ["p_0.1", "p_0.9"]
    np.testing.assert_allclose(np.array(rows, float), run.model.predict(several), rtol=1e-6)


def test_predict_answers_by_the_threshold(several, here, capsys):
    run = ts.fit(several, target="no", network="4", epochs=3)
    replace(run.model, threshold=0.1).save("m.safetensors")
    _, *rows = predicted("m.safetensors", several)
    assert [row[0] for row in rows] == [str(int(float(row[2]) >= 0.1)) for row in rows]


def test_predict_says_what_the_model_does_not_know(here, capsys):
    Path("t.csv").write_text(
        "a,c,y\n" + "".join(f"{i},{'red' if i % 3 else 'blue'},{i % 2}\n" for i in range(60))
    )
    assert main(["fit", "t.csv", "--network", "4", "--epochs", "1", "--out", "run"]) == 0
    Path("new.csv").write_text("a,c\n1,red\n2,violet\n")
    capsys.readouterr()
    assert main(["predict", "run", "new.csv"]) == 0
    said = capsys.readouterr()
    assert (
        said.err
        == "note: column 'c': 1 of 2 cells are words that the model does not know, such as 'violet'\n"
    )
    assert len(said.out.splitlines()) == 3


def test_predict_prints_to_the_terminal(run_folder, here, capsys):
    header = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)"
    Path("new.csv").write_text(f"{header}\n5.1,3.5,1.4,0.2\n")
    assert main(["predict", str(run_folder / "model.safetensors"), "new.csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0][0] == "class"
    assert rows[1][0] == "setosa"


def test_evaluate_gives_the_same_scores_on_text_and_json(run_folder, here, capsys):
    assert main(["evaluate", str(run_folder), "iris", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["n_samples"] == 150
    assert main(["evaluate", str(run_folder), "iris"]) == 0
    assert f"{scores['accuracy']:.4f}" in capsys.readouterr().out


def test_evaluate_takes_the_models_own_target_column(here, capsys):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 80))
    lines = ["outcome,a,b", *(f"{'yes' if x > 0 else 'no'},{x},{y}" for x, y in zip(a, b))]
    Path("table.csv").write_text("\n".join(lines))
    assert main(["fit", "table.csv", "--target", "outcome", "--epochs", "2", "--out", "r", "--json"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "r", "table.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_samples"] == 80


def test_example_shows_every_number_of_the_worked_example(capsys):
    assert main(["example"]) == 0
    said = capsys.readouterr().out
    for words in ("0.9820", "0.1192", "0.8635", "0.1107", "0.6177", "0.8291", "layer 3 neuron 2", "gradient"):
        assert words in said


def test_doctor_says_what_works(capsys):
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["works"] == {"gradient": True, "cache": True}
    assert facts["cores"] >= 1
    assert main(["doctor"]) == 0
    assert "compile_cache" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["fit", "nowhere.csv"], "nowhere.csv", "known: digits"),
        (["fit", "digitz"], "digitz", "did you mean `digits`"),
        (["fit", "iris", "--target", "clas"], "clas", ""),
        (["fit", "iris", "species"], "two words", "--target species"),
        (["fit", "table.csv", "text.csv"], "two words", "into one file"),
        (["fit", "table.csv", "--target", "outcom"], "outcom", "did you mean `outcome`"),
        (["fit", "table.csv", "--target", "hole"], "20 of 20 samples", "another column"),
        (["fit", "text.csv"], "abc", "empty"),
        (["fit", "ragged.csv"], "line 3", "quotes"),
        (["fit", "empty.csv"], "empty", "header"),
        (["fit", "iris", "--network", "12--8"], "12--8", "128-64"),
        (["fit", "iris", "--network", "12 reluu"], "reluu", "did you mean `relu`"),
        (["fit", "iris", "--epochs", "0"], "epochs", "--help"),
        (["fit", "iris", "--learning-rate", "-1"], "learning_rate", "--help"),
        (["predict", "nowhere", "iris"], "nowhere", "run folder"),
        (["predict", "table.csv", "iris"], "table.csv", ""),
        (["evaluate", "nowhere", "iris"], "nowhere", "run folder"),
    ],
)  # fmt: skip
def test_bad_input_gives_error_and_hint_and_writes_nothing(here, capsys, words, error, hint):
    Path("table.csv").write_text("outcome,a,hole\n" + "yes,1,\nno,2,\n" * 10)
    Path("text.csv").write_text("a,b\n" + "1,2\n" * 10 + "abc,3\n")
    Path("ragged.csv").write_text("a,b\n1,2\n1,2,3\n")
    Path("empty.csv").write_text("")
    before = sorted(here.iterdir())
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0].startswith("error: ")
    assert error in said.err
    assert hint in said.err
    assert "Traceback" not in said.err
    assert sorted(here.iterdir()) == before


def test_a_taken_folder_is_refused(run_folder, capsys):
    assert main(["fit", "iris", "--out", str(run_folder)]) == 2
    assert "holds a run already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["fitt"], ["fit"], ["fit", "iris", "--epochs", "many"], ["fit", "iris", "--sed", "1"]]
)
def test_words_that_are_no_command_leave_with_code_2(words, capsys):
    try:
        code = main(words)
    except SystemExit as left:
        code = left.code
    assert code == 2
    said = capsys.readouterr()
    assert said.out == ""
    message, hint = said.err.splitlines()
    assert message.startswith("error: ")
    assert hint.startswith("hint: ")
    assert len(message) > len("error: ") < len(hint)


def test_help_has_a_group_of_options_per_record_and_says_what_each_setting_means(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    said = capsys.readouterr().out
    for title in ("question options", "files options", "search options", "descent options"):
        assert title in said
    for field in fields(ts.Settings):
        assert re.search(rf"(?m)^\W*--(no-)?{field.name.replace('_', '-')}\s", said)
    assert said.index("--budget") < said.index("--depths")
    assert "None}" not in said
    assert "default: None" not in said
    plain = " ".join(said.replace("│", " ").split())
    assert (
        "Neurons of a hidden layer, 8 to 1024; by default 64, and more for many samples, up to 512." in plain
    )
    meanings = described.docstrings(ts.Settings)
    assert meanings.keys() == {field.name for field in fields(ts.Settings)}
    assert all(meaning in plain for meaning in meanings.values())


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["fitt", "x.csv"], "no command 'fitt'", "did you mean `fit`?"),
        (["fit", "x.csv", "--targt", "a"], "`threestep fit` has no option --targt", "did you mean --target?"),
        (["study", "depth", "x.csv", "--depth", "1"], "has no option --depth", "did you mean --depths?"),
        (
            ["predict", "m", "x.csv", "--row", "1"],
            "`threestep predict` has no option --row",
            "predict --help",
        ),
        (["fit"], "`threestep fit` needs DATA", "threestep fit --help"),
        (["predict", "m"], "`threestep predict` needs DATA", "threestep predict --help"),
        (["fit", "x.csv", "price"], "expected one: the data", "--target price"),
        (
            ["fit", "x.csv", "--learning-rate", "fast"],
            "--learning-rate is 'fast'; must be FLOAT",
            "hint: threestep fit --help",
        ),
        (
            ["fit", "x.csv", "--widths", "64,128"],
            "--widths is '64,128'; must be INT INT, with a space between",
            "--help",
        ),
        (["fit", "x.csv", "--learning_rate=fast"], "--learning-rate is 'fast'; must be FLOAT", "--help"),
    ],
)
def test_words_that_nobody_knows_are_refused_with_the_nearest_known_one(words, said, hint, capsys):
    with suppress(SystemExit):
        assert main(words) == 2
    complained = capsys.readouterr().err
    assert said in complained.splitlines()[0]
    assert hint in complained.splitlines()[1]


def test_records_are_described_without_their_source_too(monkeypatch):
    def without(_):
        raise OSError

    monkeypatch.setattr(described.inspect, "getsource", without)
    described._classes_in.cache_clear()
    assert described.docstrings(ts.Settings) == {}
    assert options.as_options(ts.Settings)(epochs=3).epochs == 3
    described._classes_in.cache_clear()


def test_what_is_said_on_the_command_line_reaches_the_settings(monkeypatch):
    given = []
    monkeypatch.setattr(
        work, "fit_steps", lambda data, settings, *_, **__: given.append(settings) or iter(())
    )
    monkeypatch.setattr(work, "_summary", lambda run: {})
    words = [
        "--target",
        "y",
        "--epochs",
        "3",
        "--depths",
        "1",
        "2",
        "--no-calibrate",
        "--flip",
        "true",
        "--picture-size",
        "9",
        "12",
        "--strict",
    ]
    main(["fit", "x.csv", "--json", *words])
    assert given == [
        ts.Settings(
            target="y", epochs=3, depths=(1, 2), calibrate=False, flip=True, picture_size=(9, 12), strict=True
        )
    ]


def test_help_and_version_need_no_jax():
    code = (
        "import sys; from threestep.app import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as left: assert left.code == 0\n"
        "assert 'jax' not in sys.modules and 'sklearn' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "predict" in done.stdout


def test_a_closed_pipe_is_no_crash(run_folder):
    command = f"{sys.executable} -m threestep predict {run_folder} iris | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("class,")
    assert "Traceback" not in done.stderr


def test_a_run_whose_reader_goes_is_not_lost(tmp_path):
    command = f"{sys.executable} -m threestep fit iris --network 4 --epochs 2 --out run | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr.count(b"Broken")) == (0, 0)
    assert len(done.stdout.splitlines()) == 1
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"model.safetensors", "report.html"}


def test_a_folder_with_a_users_own_file_is_left_alone(here, capsys):
    Path("config.toml").write_text("mine")
    assert main(["fit", "iris", "--epochs", "1", "--out", "."]) == 2
    assert "config.toml" in capsys.readouterr().err
    assert Path("config.toml").read_text() == "mine"
    assert [path.name for path in here.iterdir()] == ["config.toml"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(here, capsys):
    Path("file").write_text("")
    assert main(["fit", "iris", "--epochs", "1", "--out", "file/run"]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError("Unable to initialize backend 'foo': not known"),
            "error: JAX has no such device: Unable",
        ),
        (OSError(28, "No space left on device"), "error: the output cannot be written (No space left"),
    ],
)
def test_what_is_wrong_with_the_machine_is_told_and_a_bug_is_not_hidden(error, said, capsys, monkeypatch):
    def failing():
        raise error

    monkeypatch.setattr("threestep.app.work.check_up", failing)
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err.startswith(said)
    error = type(error)("a bug")
    with pytest.raises(type(error), match="a bug"):
        main(["doctor"])


def test_doctor_counts_one_core_as_a_number(capsys):
    tell_facts({"cores": 1, "works": {"gradient": True}, "torch": None})
    assert [line.split()[1:] for line in capsys.readouterr().out.splitlines()] == [
        ["1"], [], ["yes"], ["not", "installed"],
    ]  # fmt: skip


def test_config_names_the_data_as_it_was_asked_for(here):
    Path("folder").mkdir()
    lines = ["a,b", *(f"{index},{index % 2}" for index in range(40))]
    Path("folder/table.csv").write_text("\n".join(lines))
    assert main(["fit", "folder/table.csv", "--epochs", "1", "--out", "run", "--json"]) == 0
    assert tomllib.loads(Path("run/config.toml").read_text())["data"] == "folder/table.csv"


@pytest.mark.shared
def test_usps_trains_as_an_idx_pair_from_the_command_line(here, capsys):
    folder = Path(__file__).resolve().parents[2] / "shared" / "data" / "usps"
    if not folder.is_dir():
        pytest.skip("../shared/data is not there")
    train, test = (
        f"{folder}/usps-{part}-images-idx3-ubyte.gz,{folder}/usps-{part}-labels-idx1-ubyte.gz"
        for part in ("train", "test")
    )
    assert main(["fit", train, "--network", "128", "--epochs", "8", "--out", "run", "--json"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "run", test, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["n_samples"] == 2007
    assert scores["accuracy"] > 0.9


# Memory that is kept


def started_again(monkeypatch, words, environment=None, has_glibc=True):
    """What `keep_memory` starts in place of the process; None: nothing."""
    from threestep.app import allocator

    calls = []
    monkeypatch.setattr(allocator, "_has_glibc", lambda: has_glibc)
    monkeypatch.setattr(allocator.os, "execve", lambda *call: calls.append(call))
    monkeypatch.setattr(allocator.sys, "orig_argv", ["python", "-m", "threestep", *words])
    allocator.keep_memory(words, {} if environment is None else environment)
    return calls[0] if calls else None


@pytest.mark.parametrize("word", ["fit", "study"])
def test_what_trains_starts_again_once_with_memory_that_is_kept(monkeypatch, word):
    program, words, environment = started_again(monkeypatch, [word, "iris"])
    assert program == sys.executable
    assert words == [sys.executable, "-m", "threestep", word, "iris"]
    assert "mmap_threshold" in environment["GLIBC_TUNABLES"]
    assert started_again(monkeypatch, [word, "iris"], environment) is None


def test_what_does_not_train_or_was_set_by_hand_or_has_another_library_does_not_start_again(monkeypatch):
    for words in ([], ["--version"], ["predict", "m", "d"], ["doctor"]):
        assert started_again(monkeypatch, words) is None
    assert started_again(monkeypatch, ["fit", "iris"], {"GLIBC_TUNABLES": ""}) is None
    assert started_again(monkeypatch, ["fit", "iris"], has_glibc=False) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_a_process_that_trains_has_the_settings(tmp_path):
    """Seen from outside, as the operating system shows it."""
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    words = [
        sys.executable,
        "-m",
        "threestep",
        "fit",
        "iris",
        "--budget",
        "20s",
        "--out",
        str(tmp_path / "run"),
    ]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 15
        seen = b""
        while b"GLIBC_TUNABLES" not in seen and time.monotonic() < deadline:
            time.sleep(0.1)
            seen = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert b"GLIBC_TUNABLES=glibc.malloc" in seen
    finally:
        process.kill()
        process.wait()


# ---------------------------------------------------------------- tables and counts in the terminal


NUMBERS = {"n_samples": 1, "r2": 0.5, "rmse": 16310.5, "mae": 632577064.73, "loss": 0.25, "total_loss": 0.25}


@pytest.mark.parametrize("scale", [1.0, 1e5, 1e9, 1e15, 1e300])
def test_columns_of_the_table_of_scores_never_touch(scale, capsys):
    row = {name: value * scale for name, value in NUMBERS.items()} | {"n_samples": 123456789012}
    tell_scores({"train": row, "a long name of a part": NUMBERS})
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split("  ")[-1] == "mae"
    for line, own in ((first, row), (second, NUMBERS)):
        cells = re.split(" {2,}", line)
        assert len(cells) == 7
        assert [float(cell.replace(",", "")) for cell in cells[1:3]] == [own["n_samples"], own["loss"]]
        assert len(line) == len(head)


@pytest.mark.parametrize("loss", [0.5, 123456.7, 1e12])
def test_columns_of_the_leaderboard_never_touch(loss, capsys):
    row = {"number": 12, "network": "64-64 relu", "n_params": 10**11, "parent": None, "change": "random"}
    row |= {"valid_loss": loss, "valid_score": -loss, "valid_rmse": loss}
    Teller().tell({"event": "leaderboard", "rows": [row], "n_tried": 1, "picked": [12]})
    line = capsys.readouterr().out.splitlines()[-1]
    assert len(re.split(" {2,}", line.strip())) == 5


def test_samples_of_one_class_have_no_auc_and_it_is_said_why(here, capsys):
    x, y = np.arange(100.0), np.r_[np.arange(80) % 2, np.ones(20, int)]
    run = ts.fit({"a": x, "y": y}, target="y", order="a", network="4", epochs=1, out=here / "run")
    teller = Teller()
    for event in run.events:
        teller.tell(event)
    said = capsys.readouterr().out
    assert "AUC – (the test samples have one class only)" in said
    assert "nan" not in said
    page = (here / "run" / "report.html").read_text(encoding="utf-8")
    assert "No AUC: the test samples have one class only." in page
    assert "No AUC: the train" not in page
    (here / "ones.csv").write_text("a,y\n" + "".join(f"{value},1\n" for value in range(9)))
    assert main(["evaluate", str(here / "run"), str(here / "ones.csv")]) == 0
    assert "AUC – (these samples have one class only)" in capsys.readouterr().out


def test_one_thing_is_counted_as_one(here, capsys):
    run = ts.fit(
        {"a": [1.0, 2.0, 3.0, 4.5, 6.5], "y": [0.5, 1.0, 1.5, 2.5, 4.5]},
        network="",
        epochs=1,
        out=here / "run",
    )
    assert run.scores["test"]["n_samples"] == 1
    teller = Teller()
    for event in (*run.events, {"event": "check", "n_contradictions": 0, "n_seen": 1}):
        teller.tell(event)
    page = (here / "run" / "report.html").read_text(encoding="utf-8")
    for text in (capsys.readouterr().out, re.sub("<[^>]*>", "", page)):
        assert not re.search(r"\b1 (test |training )?(samples|inputs|epochs|times)\b", text)
    assert "1 test sample" in page
