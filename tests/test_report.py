"""The report: self-contained, true to the journal, safe whatever the data are called."""

from html.parser import HTMLParser

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import threestep as ts
from threestep.report import report_html
from threestep.report.charts import Curve, Point, curves_chart, falls_chart, points_chart
from threestep.report.leaderboard import lineage_table
from threestep.report.numbers import written
from threestep.report.ticks import log_ticks, nice_ticks
from threestep.report.tried import falls_of, space_in_words
from threestep.settings import Searcher
from threestep.study import read_journal

VOID = {"meta", "link", "input", "img", "br"}


class Reader(HTMLParser):
    """Collects tags and text; complains about tags that do not match."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.links = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read_html(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def digits_run():
    return ts.fit("digits", network="16", epochs=4, seed=1)


def test_the_page_needs_nothing_from_outside_and_is_small(digits_run):
    text = report_html(digits_run.events)
    reader = read_html(text)
    assert all(link.startswith(("data:", "#")) for link in reader.links)
    assert "script" not in reader.tags
    assert "url(" not in text
    assert "@import" not in text
    assert len(text) < 200_000


def test_every_score_on_the_page_is_the_journals(digits_run):
    text = " ".join(read_html(report_html(digits_run.events)).text)
    for row in digits_run.scores.values():
        assert f"{row['loss']:.4f}" in text
        assert f"{row['total_loss']:,.2f}" in text
        assert f"{row['accuracy']:.4f}" in text
    assert f"{digits_run.model.network.n_params:,}" in text
    assert f"epoch {digits_run.picked.best_epoch}" in text


def test_the_page_made_of_the_journal_file_is_the_one_that_was_written(tmp_path):
    ts.fit("iris", network="4", epochs=3, out=tmp_path / "run")
    events = list(read_journal(tmp_path / "run" / "journal.jsonl"))
    assert report_html(events) == (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_names_are_shown_and_never_run():
    evil = "<script>alert(1)</script>"
    rng = np.random.default_rng(0)
    columns = {f"{evil}&\"'": rng.normal(size=60), "y": np.array([evil, "b"] * 30, dtype=object)}
    run = ts.fit(columns, network="2", epochs=1)
    reader = read_html(report_html(run.events))
    assert "script" not in reader.tags
    assert evil in reader.text


def test_every_class_and_its_confidence_is_the_journals(digits_run):
    text = " ".join(read_html(report_html(digits_run.events)).text)
    (details,) = (event for event in digits_run.events if event["event"] == "details")
    assert sum(own["n_samples"] for own in details["by_class"]) == digits_run.scores["test"]["n_samples"]
    for own in details["by_class"]:
        assert f"{own['precision']:.3f}" in text
        assert f"{own['f1']:.3f}" in text
    for bins in details["calibration"].values():
        assert sum(own["n_samples"] for own in bins) == digits_run.scores["test"]["n_samples"]
    after, n_samples = details["calibration"]["after"], digits_run.scores["test"]["n_samples"]
    gaps = sum(own["n_samples"] * abs(own["confidence"] - own["accuracy"]) for own in after)
    assert gaps / n_samples == pytest.approx(digits_run.scores["test"]["ece"])
    assert f"divided by {details['temperature']:.3g}" in text


def test_classes_are_measured_as_scikit_learn_measures_them():
    from sklearn.metrics import precision_recall_fscore_support

    rng = np.random.default_rng(0)
    classes, predicted = rng.integers(4, size=200), rng.integers(3, size=200)
    found = ts.goodness.metrics_by_class(ts.goodness.confusion_matrix(predicted, classes, 4))
    theirs = precision_recall_fscore_support(classes, predicted, labels=range(4), zero_division=0)  # pyright: ignore[reportArgumentType]
    for name, own in zip(("precision", "recall", "f1", "n_samples"), theirs, strict=True):
        np.testing.assert_allclose([each[name] for each in found], np.asarray(own))


def test_a_number_target_has_its_own_scores():
    run = ts.fit("diabetes", network="4", epochs=2)
    text = " ".join(read_html(report_html(run.events)).text)
    assert "R²" in text
    assert written(run.scores["test"]["rmse"]) in text
    assert "taken for what" not in text


def test_a_diverged_run_still_has_a_page():
    rng = np.random.default_rng(0)
    run = ts.fit(
        (rng.normal(size=(60, 3)), rng.normal(size=60)),
        network="8",
        optimizer="sgd",
        learning_rate=100.0,
        epochs=5,
    )
    assert run.picked.outcome == ts.pick.Outcome.DIVERGED
    assert "exploded" in " ".join(read_html(report_html(run.events)).text)


def test_a_run_without_a_usable_epoch_says_so():
    run = ts.fit("iris", network="4", epochs=2)
    events = [{**event, "best_epoch": 0} if event["event"] == "pick" else event for event in run.events]
    text = " ".join(read_html(report_html(events)).text)
    assert "no epoch ended with a finite validation loss" in text
    assert "have the lowest" not in text


def test_a_curve_with_gaps_is_drawn_without_them():
    chart = curves_chart([Curve("train", [1.0, None, 3.0])], "loss")
    assert chart.count(",") >= 2
    assert "None" not in chart
    assert "nan" not in chart


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.03, 2.4), (-5, 5), (1e-9, 1e-7), (3, 3), (0, 0), (1e6, 5e9)]
)
def test_ticks_span_the_values_with_few_round_numbers(low, high):
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 1 <= len(ticks) <= 8


def test_pictures_with_gaps_are_drawn_and_the_model_is_kept(tmp_path):
    x = np.random.default_rng(0).random((80, 4, 4))
    x[::7, 0, 0] = np.nan
    run = ts.fit((x, np.arange(80) % 2), network="2", epochs=1, out=tmp_path / "run")
    assert len(run.events[-2]["pictures"][0]) == 4
    assert (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize("shape", [(64, 64), (100, 60), (64, 64, 3)])
def test_large_pictures_are_shown_smaller(shape):
    x = np.random.default_rng(0).random((40, *shape))
    run = ts.fit((x, np.arange(40) % 2), network="2", epochs=1)
    shown = np.array(run.events[-2]["pictures"])
    assert max(shown.shape[1:3]) <= 40
    assert shown.ndim == 1 + len(shape)
    html = report_html(run.events)
    n_in_cells = sum(len(cell["pictures"]) for cell in run.events[-2]["confused"])
    assert read_html(html).tags.count("img") == len(shown) + n_in_cells
    assert len(html) < 500_000


def test_a_right_answer_is_no_miss_whatever_type_the_label_has():
    rng = np.random.default_rng(0)
    y = (np.arange(80) % 2).astype(np.float32) * 1000001
    run = ts.fit((np.stack([y, rng.normal(size=80)], axis=1), y), network="8", epochs=200)
    assert run.scores["test"]["accuracy"] == 1.0
    assert all(sample["target"] == sample["predicted"] for sample in run.events[-2]["worst"])


# A search


@pytest.fixture(scope="module")
def searched():
    return ts.fit("iris", effort="quick", ensemble=2, seed=1)


def test_a_search_shows_what_was_tried_and_from_whom_it_came(searched):
    text = " ".join(read_html(report_html(searched.events)).text)
    (rows,) = (event["rows"] for event in searched.events if event["event"] == "leaderboard")
    assert f"of {len(rows)} tried" in text
    for row in rows[:10]:
        assert (row["network"] or "linear") in text
        assert f"{row['valid_loss']:.4f}" in text
        assert f"{row['score_low']:.3f} to {row['score_high']:.3f}" in text
    assert "hidden layers with" in text
    assert "averaged with those of 1 more" in text
    assert "The first 2 are the ones whose answers are averaged." in text


def test_typical_errors_of_numbers_are_in_their_own_unit_and_the_finalists_are_counted():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 3)).astype(np.float32)
    y = 5000 + 300 * x[:, 0] + 100 * rng.normal(size=300)
    run = ts.fit((x, y), folds=3, effort="quick", depths=(0, 1), widths=(8, 8), ensemble=1, seed=0)
    by_name = {event["event"]: event for event in run.events}
    rows = by_name["leaderboard"]["rows"]
    assert rows == run.leaderboard
    assert rows[0]["valid_rmse"] == pytest.approx(run.scores["valid"]["rmse"], rel=0.02)
    text = " ".join(read_html(report_html(run.events)).text)
    assert "typical error (RMSE)" in text
    assert written(rows[0]["valid_rmse"]) in text
    n, n_all = by_name["luck"]["n_tried"], by_name["leaderboard"]["n_tried"]
    assert f"picked the best of {n} that were trained in folds, of {n_all} tried, which" in text


def test_what_is_listed_first_is_what_picks():
    run = ts.fit(
        "iris", effort="quick", folds=1, ensemble=1, score_metric="accuracy", seed=0, convolutions=False
    )
    rows = [row["valid_score"] for row in run.leaderboard][:5]
    assert rows == sorted(rows, reverse=True)


def test_the_best_loss_falls_by_what_comes_after_a_search_too():
    rung = {"event": "rung", "seconds": 2.0, "best_loss": None}
    events = [rung, rung | {"seconds": 3.0, "best_loss": 0.5}]
    events += [
        {"event": "designed", "seconds": 4.0, "loss": 0.2},
        {"event": "designed", "seconds": 1.0, "loss": None},
    ]
    final = {"event": "final", "seconds": 2.0, "n_folds": 1, "best_loss": 0.3}
    assert falls_of([*events, final]) == [(3.0, 0.5), (7.0, 0.2), (8.0, 0.2), (10.0, 0.2)]
    assert falls_of([*events[:2], final | {"n_folds": 4, "best_loss": 0.1}]) == [(3.0, 0.5)]


def test_every_tried_network_is_a_point_and_the_front_is_joined(searched):
    html = report_html(searched.events)
    (told,) = (event for event in searched.events if event["event"] == "leaderboard")
    rows, picked = told["rows"], told["picked"]
    assert html.count('class="dot ') == len(rows)
    assert html.count('class="dot picked"') == len(picked) == 2
    front = {row["number"] for row in rows if row["on_front"]}
    assert html.count('class="dot front"') == len(front - set(picked))


def test_what_a_search_does_not_measure_is_not_drawn(searched):
    sizes = [event["gradient_norm"] for event in searched.events if event["event"] == "epoch"]
    assert sizes
    assert set(sizes) == {None}
    assert "gradient size" not in report_html(searched.events)


def test_the_forebears_of_the_winner_are_listed_from_the_oldest_on():
    rows = [
        {"number": 9, "parent": 4, "network": "8", "valid_loss": 0.1, "gain": 0.2, "change": "wider"},
        {"number": 5, "parent": None, "network": "2", "valid_loss": 0.2, "gain": None, "change": "random"},
        {"number": 4, "parent": 0, "network": "4", "valid_loss": 0.3, "gain": 0.1, "change": "deeper"},
        {"number": 0, "parent": None, "network": "", "valid_loss": 0.4, "gain": None, "change": "random"},
    ]
    text = " ".join(read_html(lineage_table(rows, [9])).text)
    assert text.index("linear") < text.index("deeper") < text.index("wider")
    assert "+0.2000" in text
    assert lineage_table(rows[1:2], [5]) == lineage_table([], []) == ""


@given(st.floats(1e-6, 1e6), st.floats(1, 1e4))
def test_ticks_of_a_logarithmic_axis_span_it_and_are_few(low, factor):
    ticks = log_ticks(low, low * factor)
    assert ticks[0] <= low
    assert ticks[-1] >= low * factor
    assert ticks == sorted(set(ticks))
    assert 1 <= len(ticks) <= 8


def test_a_chart_of_one_point_and_a_fall_of_one_value_are_drawn():
    one = points_chart(
        [Point(10.0, 0.5, "only", "picked", True)], ("params", "loss"), "size", {"picked": "picked"}
    )
    fall = falls_chart([(2.0, 0.5)], "best", "loss")
    assert "nan" not in one + fall
    read_html(one + fall)


def test_whoever_proposed_is_named():
    space = {"depths": [0, 2], "widths": [16, 64], "activations": ["relu"], "residual": False}
    for name in Searcher.__args__:
        assert "proposed by" in space_in_words({**space, "searcher": name})
