"""What the terminal shows: lines that are not longer than it is, tables, what is said of an order."""

import re
import sys
from dataclasses import replace

import pytest

from threestep.app import main
from threestep.app.findings import tell_comparison
from threestep.app.lines import cells_of, in_columns, say
from threestep.app.telling import Teller
from threestep.settings import Settings
from threestep.study import Comparison
from threestep.study.leaderboard import order_of
from threestep.study.verdict import ArmOutcome

ROW = {"number": 12, "network": "128-r128-r128-r128 silu", "n_params": 67210, "valid_loss": 0.11651}
ROW |= {"valid_score": 0.9667, "score_low": 0.93, "parent": 4, "change": "trained anew in 4 folds"}
BOARD = {"event": "leaderboard", "n_tried": 30, "picked": [12], "order": []}


def watch(monkeypatch, width):
    """A terminal of so many columns."""
    monkeypatch.setattr("threestep.app.lines._is_watched", lambda stream: True)
    monkeypatch.setenv("COLUMNS", str(width))


@pytest.fixture
def narrow(monkeypatch):
    watch(monkeypatch, 80)


def told(capsys, *events) -> list[str]:
    teller = Teller()
    for event in events:
        teller.tell(event)
    return capsys.readouterr().out.splitlines()


def test_a_line_is_broken_between_words_where_the_terminal_ends_and_only_there(capsys, monkeypatch):
    text = "note: " + "words of a note " * 20
    say(text)
    assert len(capsys.readouterr().out.splitlines()) == 1  # nobody watches
    watch(monkeypatch, 40)
    say(text, "  ")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(" ".join(lines).split()) == text.strip()
    assert lines[0].startswith("  note")
    assert lines[1].startswith(" " * 8 + "words")


def test_chinese_characters_count_as_two(capsys, monkeypatch):
    watch(monkeypatch, 20)
    say("損失 損失 損失 損失 損失")
    assert all(cells_of(line) <= 20 for line in capsys.readouterr().out.splitlines())
    first, second = in_columns([["損失", "1"], ["loss", "2"]])
    assert cells_of(first) == cells_of(second)


def test_a_run_of_80_columns_has_no_longer_line(tmp_path, narrow, capsys):
    """The data, the steps, the table of what is tried, the leaderboard, the scores, the worked example."""
    words = ["--network", "8", "--ensemble", "2", "--epochs", "3", "--out", str(tmp_path / "run")]
    assert main(["fit", "iris", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    assert sum(line.startswith("step") for line in lines) == 3
    assert main(["evaluate", str(tmp_path / "run"), "iris"]) == 0
    assert main(["example"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_leaderboard_tells_origins_where_the_lines_are_wide_enough(capsys, monkeypatch):
    event = BOARD | {"rows": [ROW]}
    assert "from 4: trained anew in 4 folds" in told(capsys, event)[-1]
    watch(monkeypatch, 80)
    assert told(capsys, event)[-1].split() == [
        "12",
        "67,210",
        "0.1165",
        "0.9667",
        "128-r128-r128-r128",
        "silu",
    ]


def test_an_order_that_the_losses_do_not_explain_is_explained_and_no_other(capsys):
    rows = [ROW | {"number": number, "valid_loss": loss} for number, loss in enumerate([0.3, 0.1, 0.2])]
    event = BOARD | {"rows": rows, "picked": [0], "order": ["by accuracy"]}
    assert "order: by accuracy" in told(capsys, event)[-1]
    assert "order" not in "".join(told(capsys, event | {"rows": [rows[1], rows[2], rows[0]]}))
    assert "* picked; their answers are averaged" in told(capsys, event | {"picked": [0, 1]})[-2]


CALIBRATED = "what was trained anew by the loss it has once it is as sure as it should be"


@pytest.mark.parametrize(
    ("losses", "n_chosen", "n_calibrated", "given", "said"),
    [
        ([0.1, 0.2], 1, 2, {}, ""),
        ([0.2, 0.1], 1, 2, {}, CALIBRATED),
        ([0.2, 0.1], 1, 1, {}, f"{CALIBRATED}; then the rest by the loss"),
        ([0.2, 0.1], 1, 0, {}, "by the loss, what was trained anew before the rest"),
        ([0.1, 0.3, 0.2], 2, 3, {}, "the picked ones first, for their averaged answers have a better loss"),
        ([0.1, 0.3, 0.2], 2, 3, {"ensemble": 2}, "the picked ones first"),
        ([0.1, 0.3, 0.2, 0.15], 2, 0, {"ensemble": 2}, "the picked ones first; then by the loss, what"),
        ([0.1, 0.2], 1, 0, {"score_metric": "balanced_accuracy"}, "by balanced accuracy"),
    ],
)
def test_the_journal_says_by_what_the_leaderboard_is_in_order(losses, n_chosen, n_calibrated, given, said):
    found = "; then ".join(order_of(losses, n_chosen, n_calibrated, Settings(**given)))
    assert found.startswith(said)
    assert bool(found) == bool(said)
    assert ("the rest" in found) == ("the rest" in said or "trained anew before" in found)


def test_what_more_time_may_bring_stands_once_behind_the_search(capsys):
    rung = {"event": "rung", "n_rungs": 3, "epochs": 27, "n_tried": 36, "n_trained": 12, "n_alive": 12}
    rung |= {"n_diverged": 0, "best_network": "64 silu", "best_loss": 0.5, "seconds": 3.2}
    gains = [rung | {"minute_gain": gain} for gain in (None, 0.02, 0.0123)]
    said = "\n".join(told(capsys, *gains, BOARD | {"rows": [ROW]}))
    assert re.findall(r"a minute more[^\n]*", said) == [
        "a minute more of searching may lower the best loss by 0.0123"
    ]


def test_a_comparison_tells_differences_of_shares_in_points(narrow, capsys):
    first = ArmOutcome("1 × 1,024", "1024", 20000, 0, 0.01, (), 0.04, 0.0312, 0.1234)
    second = replace(first, name="2 × 1,024 residual", gain=-0.0333)
    facts = {"notes": [], "n_divisions": 10, "n_train": 98000, "n_valid": 22000, "n_test": 30000}
    facts |= {"epochs": 60, "seconds": 1.0}
    found = Comparison("depth", "iris", "wrong answers", (first, second), "a verdict " * 12, facts)
    tell_comparison(found)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"{second.name}: 3.33 points above {first.name}, p = " in "\n".join(lines)
    tell_comparison(replace(found, outcomes=(first, replace(second, gain=0.0))))
    assert f"{second.name}: as good as {first.name}" in capsys.readouterr().out


def test_an_error_and_its_hint_are_broken_into_lines_too(narrow, in_tmp, capsys):
    (in_tmp / "t.csv").write_text("a,b\n1,2\n3,4\n")
    (in_tmp / "odd").write_text("")
    assert main(["fit", "t.odd" + "d" * 60]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 2
    assert max(map(len, lines[1:])) <= 80


@pytest.mark.parametrize("wish", ["", "1"])
def test_who_wants_no_colours_has_none(wish, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", wish)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    said = capsys.readouterr().out
    assert "predict" in said
    assert ("\x1b[" in said) == (wish == "")


def test_lines_stay_whole_where_nobody_watches_whatever_the_columns_are(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    say("a line of more than twenty characters")
    assert capsys.readouterr().out == "a line of more than twenty characters\n"
