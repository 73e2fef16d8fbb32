"""What pages are made of: names beside bars, long cells, small pictures."""

import base64
import re
import struct
from importlib.resources import files

import pytest

from threestep.goodness import LOSS_NAMES
from threestep.report.bars import bars_chart
from threestep.report.charts import Curve, Interval, Point, curves_chart, intervals_chart, points_chart
from threestep.report.comparison_page import _difference
from threestep.report.confusion import confusion
from threestep.report.data_check import data_check
from threestep.report.explanation_page import _looked_at, _weights
from threestep.report.function_set import _drawing
from threestep.report.goodness import _reliability
from threestep.report.html import table
from threestep.report.leaderboard import _order
from threestep.report.pictures import picture, png, signed_picture
from threestep.report.plane import scatter_chart
from threestep.report.scores import luck, scores_table
from threestep.report.tried import search_charts, what_was_tried
from threestep.report.words import Text, in_title, network_in_words, plain, say, shortened, translated


def test_a_long_name_keeps_its_beginning_and_letters_of_chinese_take_twice_the_room():
    assert shortened("the average monthly household income", 29) == "the average monthly househol…"
    assert shortened("每月家庭平均收入（包括所有家庭成員的收入）", 29) == "每月家庭平均收入（包括所有家…"
    assert shortened("short", 29) == "short"
    chart = bars_chart([("the average monthly household income", 0.5)], "bars")
    assert "<title>the average monthly household income</title>the average monthly househol…" in chart


def test_only_long_texts_have_several_lines():
    page = table(("row", "what was said"), [("1", "x" * 41), ("2", "0.123")])
    assert page.count('class="long') == 1
    assert f'<td class="long text">{"x" * 41}</td>' in page
    assert 'tabindex="0"' in page  # it may be scrolled by keys


def test_large_pictures_of_weights_are_pixels_not_shapes():
    small = signed_picture([[1.0, -0.5]], "a")
    assert small.count("<rect") == 2
    rows = [[(x - y) / 40 for x in range(40)] for y in range(30)]
    large = signed_picture(rows, "a")
    assert "<rect" not in large
    (source,) = re.findall(r"base64,([^\"]+)", large)
    header = struct.unpack(">IIBB", base64.b64decode(source)[16:26])
    assert header == (40, 30, 8, 6)  # of colours, and how opaque they are
    assert len(png([[(1, 2, 3)]])) > len(png([[7]]))


def test_a_long_text_is_shortened_in_each_language():
    name = say("layer {n}: {what}", n=1, what="64 neurons that are normalized <i>")
    short = shortened(name, 12)
    assert isinstance(short, Text)
    assert short.own == {"en": "layer 1: 64…", "zh-TW": "第 1 層：64…"}
    assert plain(short) == "layer 1: 64…"
    assert in_title(say("others")) == "others / 其他"


CURVES = [Curve("train", [0.5]), Curve("valid", [0.25])]


def test_what_would_be_a_chart_of_single_dots_is_words():
    chart = curves_chart(CURVES, "loss", mark=1)
    assert "<svg" not in chart
    assert "train 0.5" in chart
    assert "valid 0.25" in chart
    assert "<svg" not in _reliability([(0.99, 1.0, 30)], say("confidence and accuracy"))
    assert "<svg" in _reliability([(0.5, 1.0, 3), (0.99, 1.0, 30)], say("confidence and accuracy"))
    rung = {"event": "rung", "seconds": 1.0, "best_loss": 0.5}
    assert search_charts([rung], [], []) == []
    assert len(search_charts([rung, rung | {"seconds": 2.0}], [], [])) == 1


def test_a_legend_names_only_what_is_shown():
    keys = {"usual": "tried", "front": "none smaller is better", "picked": "picked"}
    names = ("params", "loss")
    picked, usual = Point(10.0, 0.5, "a", "picked", True), Point(20.0, 0.6, "b", "usual", False)
    chart = points_chart([picked, usual], names, "by size", keys)
    assert "tried" in chart
    assert "picked" in chart
    assert "none smaller is better" not in chart
    assert "polyline" not in chart
    joined = points_chart([picked, picked._replace(x=20.0, y=0.4)], names, "by size", keys)
    assert "none smaller is better" in joined  # what the line says
    plane = scatter_chart([[0, 1], [1, 0]], [0, 2], ["low", "middle", "high"], "plane")
    assert "middle" not in plane
    assert "key-group-2" in plane


def test_who_hears_a_page_hears_it_in_its_language():
    interval = Interval(say("others"), 2.0, 1.0, 3.0, "usual")
    drawn = [
        intervals_chart([interval], say("loss")),
        points_chart([Point(1.0, 2.0, "a", "usual", False)], ("params", "loss"), say("loss"), {}),
        picture([[1, 2]]),
        picture([[0] * 30] * 30),
        signed_picture([[1.0, -2.0]]),
        bars_chart([(say("inputs"), -0.5)], say("loss")),
    ]
    for each in drawn:
        assert "aria-label" not in each  # English only: the caption beside says it in both
        assert 'alt=""' in each or "aria-hidden" in each or "<text" in each
    assert "輸入" in drawn[-1]
    assert "\u22120.500" in drawn[-1]
    assert "others / 其他: 2 (1 – 3)" in drawn[0]


def test_words_of_a_table_begin_at_the_left_and_numbers_end_at_the_right():
    page = table(
        ("row", "kind", "loss"), [("1", "conv8", "0.1"), ("2", "8 relu", "\u22120.2"), ("3", "", "")]
    )
    assert '<th scope="col" class="text">kind</th><th scope="col">loss</th>' in page
    assert '<td class="text">8 relu</td><td>\u22120.2</td>' in page
    empty = table(("row", "kind"), [])
    assert '<th scope="col">kind</th>' in empty


@pytest.mark.parametrize(("n", "names", "class_"), [(3, "a", "matrix"), (26, "a", "matrix many")])
def test_a_matrix_of_many_classes_is_drawn_smaller(n, names, class_):
    counts = [[int(row == column) for column in range(n)] for row in range(n)]
    page = confusion([names] * n, {"confusion": counts, "part": "test"})
    assert f'class="{class_}"' in page
    long = confusion(["a long name"] * n, {"confusion": counts, "part": "test"})
    assert ('class="matrix many upright"' in long) == (n == 26)


def test_one_is_not_told_as_many():
    rung = {"event": "rung", "n_tried": 1, "n_trained": 1, "seconds_left": 0.0}
    final = {"event": "final", "n_trained": 67, "n_alive": 67, "n_longer": 1, "best_loss": 0.2}
    final |= {"n_folds": 1, "epochs": 80}
    space = {"depths": [0, 0], "searcher": "random"}
    by_name = {"space": space, "pick": {"best_epoch": 1, "outcome": "out_of_time"}}
    text = plain_of(what_was_tried(by_name, [rung, {"event": "designed"}, final]))
    assert "One was trained within the budget. Beside that, one with convolutions" in text
    assert (
        "Then the best began anew, 66 times, for at most 80 epochs. Then one of the best was trained" in text
    )
    one = plain_of(what_was_tried(by_name, [rung, final | {"n_alive": 2, "n_folds": 4}]))
    assert "Then one of the best began anew, in 4 folds, for at most 80 epochs." in one
    check = {"missing": [], "classes": [], "n_copies": 1, "n_contradictions": 0, "n_without_target": 1}
    start = {"n_samples": {}, "columns": [], "target": {"classes": []}, "notes": []}
    found = plain_of(data_check(start, check | {"n_seen": 0, "n_with_gaps": 0}))
    assert "one; it is left out" in found
    assert "one sample repeats another one" in found


def test_all_that_were_trained_in_folds_are_counted_not_only_those_that_were_kept():
    valid = {"n_folds": 4, "loss": 0.2, "corrected_loss": 0.3}
    by_name = {"luck": {"n_tried": 50}, "final": {"n_alive": 59}, "leaderboard": {"n_tried": 77}}
    assert "picked the best of 59 that were trained in folds, of 77 tried" in plain_of(luck(by_name, valid))


def test_rows_that_are_not_in_the_order_of_their_losses_say_why():
    rows = [{"valid_loss": loss, "change": "random"} for loss in (0.1, 0.3, 0.2)]
    assert "Their order: the picked ones first; by accuracy." in plain_of(
        _order(rows, ["the picked ones first", "by accuracy"])
    )
    assert _order(rows[:2], ["by accuracy"]) == ""
    assert _order(rows, []) == ""  # a journal of before


def test_colours_that_say_something_are_printed():
    style = files("threestep.report").joinpath("style.css").read_text(encoding="utf-8")
    printed = style[style.rindex("@media print") :]
    for kind in (".matrix td", ".number", ".key::before"):
        assert kind in printed.split("print-color-adjust: exact")[0]


def test_zero_has_no_sign_and_one_input_is_not_called_inputs():
    table_of = scores_table({"test": {"n_samples": 3, "r2": -1e-9}}, {"kind": "number", "classes": []})
    assert ">0.0000<" in table_of
    layer = {"shape_in": [1], "shape_out": [1], "what": "1 linear", "n_params": 2}
    drawn = _drawing({"layers": [layer]})
    assert ">input<" in drawn
    assert ">output<" in drawn
    assert "inputs" not in drawn


def test_networks_losses_and_columns_are_named_in_the_language_of_the_page():
    network = network_in_words("16×16 → 32 × 3×3 relu → max of 2×2 → 8 relu + input → 2")
    assert network.plain == "16×16 → 32 × 3×3 relu → max of 2×2 → 8 relu + input → 2"
    losses = [name.replace("_", "-") for name in LOSS_NAMES]
    for each in (network, *map(translated, ("linear", "number", "date", "category", *losses))):
        assert set(re.findall("[A-Za-z]+", each.own["zh-TW"])) <= {"relu", "sigmoid", "Huber"}, each.plain


def test_the_names_of_bars_have_the_room_that_they_need():
    short, long = (bars_chart([(name, 0.5)], "bars") for name in ("a", "a much longer name"))
    widths = [int(found) for each in (short, long) for found in re.findall(r"max-width: (\d+)px", each)]
    assert widths[0] < widths[1] - 100


def test_no_difference_has_no_sign():
    for gain, said in ((1e-6, "0.00 points"), (0.01, "\u22121.00 points"), (-0.01, "+1.00 points")):
        assert plain(_difference({"gain": gain}, is_share=True)) == said


def test_an_explanation_says_what_was_looked_at():
    facts = {"n_samples": 2000, "n_given": 5000}
    text = "".join(map(plain, _looked_at(facts, 300)))
    assert "2,000 of 5,000 samples are looked at, drawn at random. 300 of them are shown as points." in text
    assert "Those that the network learned from, if there are any, are not left out" in text
    assert "All 20 samples" in "".join(map(plain, _looked_at({"n_samples": 20, "n_given": 20}, 20)))


def test_weights_of_sounds_stand_as_their_spectrograms_do():
    pictures = [[[1.0, 0.0], [0.0, 0.0], [0.0, -0.5]]]  # three moments, two bands
    facts = {"pictured": [4], "is_sound": False}
    assert 'viewBox="0 0 2 3"' in _weights(pictures, facts)
    page = str(_weights(pictures, facts | {"is_sound": True}))
    assert 'viewBox="0 0 3 2"' in page
    assert '<rect x="0" y="1" width="1" height="1" opacity="1.00" class="above"' in page
    assert '<rect x="2" y="0" width="1" height="1" opacity="0.50" class="below"' in page
    assert "<figcaption>5</figcaption>" in page
    assert "high frequencies are above" in page


def plain_of(html):
    """What is read in English."""
    html = re.sub(r'<span class="t" lang="zh-TW">.*?</span>', "", html)
    return re.sub("<[^>]*>", "", html)
