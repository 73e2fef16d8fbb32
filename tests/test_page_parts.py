"""What pages are made of: names beside bars, long cells, small pictures."""

import base64
import re
import struct

from threestep.report.bars import _shortened, bars_chart
from threestep.report.html import table
from threestep.report.pictures import png, signed_picture


def test_a_long_name_keeps_its_beginning_and_letters_of_chinese_take_twice_the_room():
    assert _shortened("the average monthly household income") == "the average monthly househol…"
    assert _shortened("每月家庭平均收入（包括所有家庭成員的收入）") == "每月家庭平均收入（包括所有家…"
    assert _shortened("short") == "short"
    chart = bars_chart([("the average monthly household income", 0.5)], "bars")
    assert "<title>the average monthly household income</title>the average monthly househol…" in chart


def test_only_long_texts_have_several_lines():
    page = table(("row", "what was said"), [("1", "x" * 41), ("2", "0.123")])
    assert page.count('class="long"') == 1
    assert f'<td class="long">{"x" * 41}</td>' in page
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
