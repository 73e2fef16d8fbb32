"""What a notebook shows of a model and of what was found: short, and no name is run."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import threestep as ts
from threestep.card import card, score_rows
from threestep.study import Health
from threestep.study.health import Stack
from threestep.study.verdict import ArmOutcome, Comparison

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(0)
    columns = {EVIL: rng.normal(size=60), "b": rng.normal(size=60)}
    classes = np.array([EVIL, "other"] * 30, dtype=object)
    return ts.fit({**columns, "<y>": classes}, target="<y>", network="2", epochs=1)


class Tags(HTMLParser):
    """That each tag is closed in its turn."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.seen, self.text = list[str](), set[str](), ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


def shown(result) -> str:
    """The text of what a notebook shows, once it is known to be plain."""
    html = result._repr_html_()
    tags = Tags(html)
    assert tags.seen <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    for own in ("color:", "background:#", "href", "src="):  # as light or dark as the notebook
        assert own not in html
    return tags.text


def test_a_model_says_what_it_reads_and_how_good_it_is(run):
    said = shown(run.model)
    assert "Model that predicts <y>" in said
    assert f"reads 2 columns: {EVIL}, b" in said
    assert f"{run.scores['test']['accuracy']:.4f}" in said
    assert str(run.model.network) in said


def test_a_run_says_its_scores_too(run):
    assert f"{run.scores['valid']['loss']:.4f}" in shown(run)
    assert "report:" not in shown(run)


def test_an_explanation_shows_each_layer_and_the_sample(run):
    found = ts.explain(run.model, {EVIL: [0.5, 0.1, 0.3], "b": [1.0, 2.0, 3.0]}, row=1)
    said = shown(found)
    assert all(f"{view.name} {view.n_outputs} {view.probe:.4f}" in said for view in found.views)
    assert "sample 1 (from 0)" in said
    assert EVIL in said


def test_a_comparison_begins_with_its_verdict():
    own = ArmOutcome("1 × 8", "8", 1234, 0, 0.01, (), 0.04, 0.03, 0.05)
    found = Comparison("depth", EVIL, "wrong answers", (own,), "No difference that matters.", {}, Path("x"))
    said = shown(found)
    assert said.index("No difference that matters.") < said.index("1,234")
    assert "4.00 % 3.00 % to 5.00 %" in said
    assert "report: x/report.html" in said.replace("\\", "/")


def test_health_is_a_table_of_kinds_and_depths():
    stacks = tuple(
        Stack(kind, depth, "conv8", (1.0,), (0.1,), (0.5,), depth / 100) for kind in "ab" for depth in (8, 20)
    )
    said = shown(Health(EVIL, 2.3, stacks, ("A sentence & more.",), 1.0, 80, 20, 6))
    assert "8 layers 20 layers a 8.0% 20.0% b 8.0% 20.0%" in said
    assert "A sentence & more." in said


def test_scores_that_a_file_does_not_hold_are_a_dash():
    rows = score_rows({"test": {"n_samples": 1, "loss": 0.5, "r2": None, "rmse": 1.0}})
    assert rows[1] == ["test", "1", "0.5000", "–", "", "1", "–"]
    assert score_rows({}) == []
    assert "<table" not in card("nothing else")
