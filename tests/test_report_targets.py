"""What a report says of each kind of target, and of runs that ended early."""

import html
import re

import numpy as np
import pytest

import threestep as ts
from threestep.report import report_html
from threestep.report.confusion import confusion
from threestep.report.function_set import _drawing
from threestep.report.goodness import _importance, _spread
from threestep.report.numbers import written
from threestep.report.samples import label_errors, worst
from threestep.report.tried import what_was_tried

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 3)).astype(np.float32)
COLUMNS = {"u": X[:, 0], "v": X[:, 1], "w": X[:, 2]}
QUICK = {"network": "4", "epochs": 3, "seed": 0}


def english(markup):
    """What is read in English."""
    markup = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", markup, flags=re.DOTALL)
    while (shorter := re.sub(r'<span class="t" lang="zh-TW">((?!<span).)*?</span>', "", markup)) != markup:
        markup = shorter
    text = re.sub(r"</(?:p|h\d|tr|li)>", "\n", markup).replace("</th>", " | ").replace("</td>", " | ")
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def by_name(run):
    return {event["event"]: event for event in run.events}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4839830.4, "4,839,800"),
        (1397530000.0, "1,397,530,000"),
        (999999.6, "1,000,000"),
        (9999.96, "10000"),
        (20141013.0, "20,141,013"),
        (1998.0, "1998"),
        (-0.5, "−0.5"),
        (0.0, "0"),
        (1e-5, "0.00001"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, text):
    assert written(value) == text


@pytest.fixture(scope="module")
def classes():
    return ts.fit({**COLUMNS, "target": np.where(X[:, 0] > 0.4, "few", "many").astype(object)}, **QUICK)


def test_always_the_most_common_class_stands_beside_the_accuracy(classes):
    details, counts = by_name(classes)["details"], np.array(by_name(classes)["details"]["confusion"])
    share = counts[1].sum() / counts.sum()
    assert details["guess"] == {"class": "many", "accuracy": pytest.approx(share)}
    text = english(report_html(classes.events))
    assert f"always the most common class (many): {100 * share:.1f} %" in text
    assert "F1 of many" in text


def test_a_run_that_learned_nothing_says_so_first_and_no_more_than_it_knows(classes):
    why = "there was no time to train, give a longer budget; this network only knows which answer is most common"
    events = [each for each in classes.events if each["event"] != "epoch"]
    pick = {"best_epoch": 0, "n_epochs": 0, "outcome": "out_of_time", "why": "the budget was spent"}
    events = [each | pick if each["event"] == "pick" else each for each in events]
    board = {"event": "leaderboard", "rows": [], "picked": [], "n_tried": 0, "text": why}
    text = english(report_html([*events, board]))
    assert text.index(f"Nothing was learned: {why}.") < text.index("240 samples")
    for left_out in (
        "Labels that may be wrong",
        "columns that matter",
        "divided by",
        "is \\ taken for",
        "worst of",
        "No epoch was finished",
        " 0 times",
        "What each hidden layer adds",
        "This is the one that was picked",
    ):
        assert left_out not in text
    assert text.count(why) == 1


def test_an_interrupted_run_says_so_near_the_head(classes):
    events = [
        each | {"outcome": "interrupted"} if each["event"] == "pick" else each for each in classes.events
    ]
    text = english(report_html(events))
    assert text.index("The run was interrupted") < text.index("240 samples")
    assert "The run was interrupted" not in english(report_html(classes.events))


def test_one_number_is_compared_with_always_the_mean():
    y = 3e6 + 1e6 * X[:, 0]
    run = ts.fit({**COLUMNS, "target": y}, **QUICK)
    details, row = by_name(run)["details"], run.scores["test"]
    text = english(report_html(run.events))
    assert details["guess"]["rmse"] == [pytest.approx(1e6, rel=0.3)]
    assert f"always the mean: {written(details['guess']['rmse'][0])}" in text
    assert f"typical error (RMSE) {written(row['rmse'])}" in text
    assert "e+0" not in text
    assert "half the square of the error in standard deviations" in text
    assert ("worse than always saying the mean" in text) == (row["r2"] < 0)
    below = [
        each | {"scores": {"test": row | {"r2": -0.2}}} if each["event"] == "scores" else each
        for each in run.events
    ]
    assert "worse than always saying the mean" in english(report_html(below))


def test_several_numbers_have_scores_of_their_own_in_their_own_units():
    y = np.column_stack([1000 * X[:, 0], 3e6 + 4e6 * X[:, 1]])
    run = ts.fit({**COLUMNS, "a": y[:, 0], "b": y[:, 1]}, target="a,b", **QUICK)
    known = by_name(run)["details"]["by_target"]
    assert [each["name"] for each in known] == ["a", "b"]
    assert np.mean([each["r2"] for each in known]) == pytest.approx(run.scores["test"]["r2"])
    assert known[1]["rmse"] > 100 * known[0]["rmse"]
    text = english(report_html(run.events))
    assert "a, b are 2 numbers" in text
    assert "typical error" not in text
    assert f"b | {known[1]['r2']:.4f}".replace("-", "−") in text
    assert written(known[0]["rmse"]) in text
    assert re.search(r"a:\u00a0−?[\d.]+; b:\u00a0−?[\d,]+", text)


def test_several_labels_are_all_right_or_not_and_each_has_scores_of_its_own():
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 1, X[:, 2] > 0]).astype(int)
    data = {**COLUMNS, "red": y[:, 0], "green": y[:, 1], "blue": y[:, 2]}
    run = ts.fit(data, target="red,green,blue", effort="quick", depths=(0, 1), widths=(8, 8), seed=0)
    known, row = by_name(run)["details"]["by_target"], run.scores["test"]
    rows = [each["row"] for each in by_name(run)["details"]["worst"]]
    assert [each["name"] for each in known] == ["red", "green", "blue"]
    assert known[1]["n_samples"] < known[0]["n_samples"]
    text = english(report_html(run.events))
    assert "red, green, blue are 3 labels" in text
    assert f"{100 * row['accuracy']:.1f} %all 3 labels right" in text
    assert f"of single labels {100 * row['label_accuracy']:.1f} % are right" in text
    assert "loss | accuracy of single labels | seconds" in text
    there = [name for name, own in zip(("red", "green", "blue"), y[rows[0]], strict=True) if own]
    assert f"{rows[0]} | {', '.join(there) or 'none'} | " in text


def test_quantiles_are_told_by_their_coverage_and_by_name():
    data = {**COLUMNS, "target": X[:, 0] + RNG.normal(size=240)}
    run = ts.fit(data, loss="quantile", quantiles=(0.05, 0.5, 0.95), **QUICK)
    row = run.scores["test"]
    text = english(report_html(run.events))
    lie = "of the targets lie between the 5 % and the 95 % quantile (90 % wanted)"
    assert f"{100 * row['coverage']:.1f} %{lie}" in text
    assert "RMSE of the 50 % quantile" in text
    assert re.search(r"5\u00a0%:\u00a0[\d.−]+; 50\u00a0%:\u00a0[\d.−]+; 95\u00a0%:\u00a0[\d.−]+", text)


SPACE = {
    "depths": (0, 4),
    "widths": (64, 64),
    "activations": ["relu"],
    "residual": False,
    "searcher": "random",
}
RUNG = {"event": "rung", "n_tried": 2, "n_trained": 2, "seconds_left": 0.0}


@pytest.mark.parametrize(
    ("rungs", "outcome", "said"),
    [
        ([RUNG], "out_of_time", "2 were trained within the budget."),
        ([RUNG | {"seconds_left": None}], "finished", "2 were trained."),
        ([RUNG], "interrupted", "2 were trained until Ctrl-C ended the search."),
        ([RUNG | {"n_tried": 0}], "out_of_time", "None was trained."),
    ],
)
def test_what_could_be_tried_is_not_what_was(rungs, outcome, said):
    pick = {"best_epoch": 1, "outcome": outcome}
    final = {"event": "final", "n_trained": 3, "n_alive": 3, "n_longer": 0, "best_loss": 0.1}
    final |= {"n_folds": 4, "epochs": 116}
    text = english(what_was_tried({"space": SPACE, "pick": pick}, [*rungs, final]))
    assert "What could be tried were networks of 0 to 4 hidden layers" in text
    assert said in text
    assert "Then the best began anew, 3 times, each in 4 folds, for at most 116 epochs." in text


def test_folds_are_told_as_structures_times_folds():
    data = {**COLUMNS, "target": (X[:, 0] > 0).astype(int)}
    options = {"folds": 3, "effort": "quick", "depths": (0, 1), "widths": (8, 8), "ensemble": 2}
    run = ts.fit(data, seed=0, **options)
    text = english(report_html(run.events))
    assert "with those of 5 more, 2 structures × 3 folds" in text
    assert "each was trained in 3 folds, which makes 6 networks" in text
    assert "Losses are those of each network alone" in text


def _sample(target, predicted):
    return {"row": 3, "target": target, "predicted": predicted, "loss": 0.1}


def test_samples_that_are_answered_rightly_are_hard_and_not_bad():
    target = {"kind": "classes", "classes": ["a", "b"]}
    right = {"part": "test", "worst": [_sample("a", "a")] * 20}
    assert "The 20 hardest of the test samples; all are answered rightly" in english(worst(right, target, 90))
    wrong = {"part": "test", "worst": [_sample("a", "b")] * 20}
    assert "The 20 worst of the test samples" in english(worst(wrong, target, 90))
    assert "The test samples, the worst first" in english(worst(wrong, target, 20))


def test_many_labels_that_may_be_wrong_are_rather_mistakes_of_the_network():
    each = {"row": 3, "name": "b/3.png", "target": "a", "own": 0.1, "better": "b", "confidence": 0.9}
    few, many = (
        english(label_errors({"label_errors": {"n": n, "n_samples": 100, "worst": [each]}})) for n in (5, 50)
    )
    assert "mistakes of the network" in many
    assert "mistakes of the network" not in few
    assert "file | label | confidence in the label | looks like | confidence in that" in few


def test_few_samples_say_nothing_of_tails():
    quantiles = {"0.05": -2.0, "0.25": -1.0, "0.5": 0.0, "0.75": 1.0, "0.95": 2.0}
    assert _spread(quantiles, 2) is None
    assert "nine in ten" not in str(_spread(quantiles, 10))
    assert "nine in ten from −2 to 2" in str(_spread(quantiles, 20))


def test_columns_without_any_effect_are_not_listed():
    rows = [{"column": "a", "gain": 0.3, "spread": 0.1}, {"column": "odd", "gain": 0.0, "spread": 0.0}]
    shown = _importance({"part": "test", "importance": rows})
    assert ">a<" in shown
    assert "odd" not in shown
    assert _importance({"part": "test", "importance": rows[1:]}) == ""


def test_of_many_classes_the_largest_confusions_are_listed():
    counts = np.diag([10] * 40)
    counts[3, 5], counts[7, 8] = 4, 6
    text = english(confusion(list(range(100, 140)), {"part": "test", "confusion": counts.tolist()}))
    assert "107 | 108 | 6 | 37.5 %" in text
    assert text.index("107 | 108") < text.index("103 | 105")
    none = {"part": "test", "confusion": np.diag([10] * 40).tolist()}
    assert confusion(list(range(40)), none) == ""


def test_a_network_that_is_too_deep_to_draw_says_so():
    layer = {"what": "8 relu", "shape_in": (8,), "shape_out": (8,), "n_params": 72}
    assert "Of 9 layers there is no drawing" in _drawing({"layers": [layer] * 9})
    assert "<svg" in _drawing({"layers": [layer] * 8})
