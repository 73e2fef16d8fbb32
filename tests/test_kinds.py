"""What each column is: numbers, categories, dates, ids; and columns that give the target away."""

import time
from collections import Counter
from html import unescape

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import (
    Table,
    encode,
    fit_prep,
    kinds_of,
    label,
    leaks_of,
    notes_on_strangers,
    overrides_of,
    read,
    understand_target,
)
from threestep.data import levels as levels_module
from threestep.data.dates import DATE_PARTS, date_order_of, date_parts_of
from threestep.report.words import translated
from threestep.study.events import _notes_on_network

N = 200
RNG = np.random.default_rng(0)


def words(*cells):
    return np.array(cells, dtype=object)


COLUMNS = {
    "price": RNG.normal(size=N),
    "count": RNG.integers(0, 9, N).astype(float),
    "flag": RNG.random(N) < 0.5,
    "color": words(*RNG.choice(["red", "green", ""], N)),
    "row": RNG.permutation(N) + 1000.0,
    "name": words(*(f"person {number}" for number in range(N))),
    "when": words(*(f"{1 + number % 28}.{1 + number % 12}.2020" for number in range(N))),
    "empty": np.full(N, np.nan),
    "none": words(*[""] * N),
    "same": np.full(N, 7.0),
}


def test_kinds_are_seen_from_the_values():
    kinds = {name: each.kind for name, each in kinds_of(COLUMNS, {}).items()}
    assert kinds == {
        "price": "number",
        "count": "number",
        "flag": "number",
        "color": "category",
        "row": "ignore",
        "name": "ignore",
        "when": "date",
        "empty": "ignore",
        "none": "ignore",
        "same": "number",
    }
    reasons = {name: each.reason for name, each in kinds_of(COLUMNS, {}).items()}
    assert "id" in reasons["row"]
    assert "id or free text" in reasons["name"]
    assert "missing" in reasons["empty"]


def test_a_row_number_is_kept_where_there_is_nothing_else():
    assert kinds_of({"row": COLUMNS["row"], "same": COLUMNS["same"]}, {})["row"].kind == "number"


def test_what_the_user_says_wins():
    kinds = kinds_of(COLUMNS, {"row": "number", "count": "category", "price": "ignore"})
    assert [kinds[name].kind for name in ("row", "count", "price")] == ["number", "category", "ignore"]
    assert kinds["row"].reason == "as asked"


def test_kinds_of_the_user_are_checked():
    assert overrides_of(["a=b=category", "c=ignore"], ["a=b", "c"]) == {"a=b": "category", "c": "ignore"}
    with pytest.raises(ts.SettingsError, match="NAME=KIND"):
        overrides_of(["c"], ["c"])
    with pytest.raises(ts.SettingsError, match="NAME=KIND"):
        overrides_of(["c=colour"], ["c"])
    with pytest.raises(ts.DataError, match="no column 'd'"):
        overrides_of(["d=number"], ["c"])


def with_words(numbers, share, word="unknown"):
    """Numbers as text, of which every so many-th is a word."""
    every = round(1 / share)
    return words(*(word if place % every == 0 else f"{each:.3f}" for place, each in enumerate(numbers)))


def test_words_among_numbers_are_gaps_where_nearly_all_are_numbers():
    numbers = RNG.normal(size=N)
    columns = {
        "some": with_words(numbers, 0.1),
        "many": with_words(numbers, 0.25),
        "hardly": words(*(f"{place:.3f}" if place % 3 == 0 else f"word {place}" for place in range(N))),
        "codes": words(*("none" if place % 10 == 0 else str(place % 12) for place in range(N))),
        "zip": words(*("none" if place % 10 == 0 else f"{place:05}" for place in range(N))),
        "text": words(*(f"{place % 30}" for place in range(N))),  # a frame says that it is text
    }
    kinds = {name: each.kind for name, each in kinds_of(columns, {}).items()}
    assert kinds == {
        "some": "number",
        "many": "number",  # too many different words to be a category
        "hardly": "ignore",
        "codes": "category",
        "zip": "ignore",
        "text": "category",
    }
    prep = fit_prep(table_of(columns), understand_target(np.arange(N) % 2, "y"))
    assert prep.layout.with_strays == ("some", "many")
    inputs = encode(prep, table_of(columns))
    numeric = np.array([np.nan if cell == "unknown" else float(cell) for cell in columns["some"]])
    np.testing.assert_array_equal(inputs[:, 0] == 0, np.isnan(numeric))
    np.testing.assert_array_equal(inputs[:, 2], np.isnan(numeric))  # the flag of a gap
    asked = fit_prep(table_of(columns), prep.target, {"many": "number", "some": "category", "zip": "number"})
    assert asked.layout.with_strays == ("many", "zip")


@pytest.mark.parametrize("large", [False, True])
def test_a_few_words_among_numbers_are_a_mistake_until_it_is_said_what_they_are(large, tmp_path, monkeypatch):
    if large:
        pytest.importorskip("duckdb")
        monkeypatch.setattr("threestep.data.csv_file._LARGE", 1)
    path = tmp_path / "t.csv"
    a = with_words(RNG.normal(size=N), 0.01)
    path.write_text("a,b,y\n" + "".join(f"{cell},{place % 7},{place % 2}\n" for place, cell in enumerate(a)))
    with pytest.raises(ts.DataError, match=r"sample 1: got 'unknown'.*\n.*--column a=number"):
        ts.fit(path, network="4", epochs=1)
    run = ts.fit(path, network="4", epochs=1, column=("a=number",))
    said = [note for note in run.events[0]["notes"] if "'a'" in note]
    assert said == [
        "column 'a' is numbers; 2 of 200 cells are words such as 'unknown' and count as missing; "
        "--column a=category takes all of it as words"
    ]
    assert "視為缺失" in str(translated(said[0]))
    answers = run.model.predict(path)
    one = tmp_path / "one.csv"
    one.write_text("a,b\nunknown,0\n")  # no number that would show what the column is
    assert run.model.predict(one).tolist() == answers[:1].tolist()
    assert run.model.predict({"a": ["never seen"], "b": [0]}).tolist() == answers[:1].tolist()
    with pytest.raises(ts.DataError, match="column 'b', sample 1: got text such as 'x'"):
        run.model.predict({"a": [1.0], "b": ["x"]})


@pytest.mark.parametrize(
    "kind",
    [
        "category",
        pytest.param("ignore", marks=pytest.mark.slow),
        pytest.param("number", marks=pytest.mark.slow),
    ],
)
def test_a_column_is_to_a_model_what_it_was_when_new_samples_are_read(kind, tmp_path):
    path = tmp_path / "t.csv"
    a = with_words(RNG.normal(size=N).round(1), 0.01)
    path.write_text("a,b,y\n" + "".join(f"{cell},{i % 7},{i % 2}\n" for i, cell in enumerate(a)))
    run = ts.fit(path, network="4", epochs=1, column=(f"a={kind}",))
    assert len(run.model.predict(path)) == N
    found = ts.compare("width", path, widths=(8, 16), seeds=2, epochs=1, column=(f"a={kind}",))
    assert len(found.outcomes) == 2


def test_codes_and_ids_with_words_among_them_are_no_numbers():
    columns = {
        "stock": words(*(f"{20000 + i}{'A' if i % 9 == 0 else ''}" for i in range(N))),
        "id": words(*(f"{1000 + i}" if i % 20 else "none" for i in range(N))),
        "inf": with_words(RNG.normal(size=N), 0.1, "inf"),
    }
    kinds = {name: each.kind for name, each in kinds_of(columns, {}).items()}
    assert kinds == {"stock": "ignore", "id": "ignore", "inf": "number"}
    with pytest.raises(ts.DataError, match=r"'inf'.*finite"):
        fit_prep(table_of(columns), understand_target(np.arange(N) % 2, "y"))


def test_words_among_numbers_are_missing_in_the_check_and_hide_no_leak(tmp_path):
    y = RNG.normal(size=N).round(3)
    run = ts.fit(
        {"a": with_words(y, 0.1), "b": RNG.normal(size=N), "y": y}, target="y", network="4", epochs=1
    )
    (check,) = [event for event in run.events if event["event"] == "check"]
    assert check["missing"] == [{"column": "a", "share": 0.1}]
    assert any("'a' may give the target away" in note for note in run.events[0]["notes"])


def test_what_a_model_does_not_know_is_noted():
    names = ("color", "price", "when")
    columns = {"a": with_words(RNG.normal(size=N), 0.1)} | {name: COLUMNS[name] for name in names}
    prep = fit_prep(table_of(columns), understand_target(np.arange(N) % 2, "y"))
    few = {
        "a": words("1", "broken", ""),
        "color": words("red", "violet", "violet"),
        "price": np.array([0.0, -1e9, np.nan]),
        "when": words("3.4.2020", "2020-04-03", "tomorrow"),
    }
    assert notes_on_strangers(prep, Table("t", few)) == [
        "column 'color': 2 of 3 cells are words that the model does not know, such as 'violet'",
        "column 'a': 1 of 3 cells are words that count as missing, such as 'broken'",
        "column 'when': 1 of 3 cells are no dates as in training (day month year) and count as missing, such as "
        "'tomorrow'",
        "column 'price': 1 of 3 cells are far from all that was learned from, such as -1e+09",
    ]
    known = {
        "a": np.array([1.0, np.nan]),
        "color": words("", "green"),
        "price": np.ones(2),
        "when": words("", "1.1.2021"),
    }
    assert notes_on_strangers(prep, Table("t", known)) == []


def test_where_some_were_very_far_out_in_training_others_may_be():
    price = np.random.default_rng(0).lognormal(0.0, 3.0, N)
    table = table_of({"price": price})
    plain, clipped = (fit_prep(table, understand_target(table.y, "y"), clip=clip) for clip in (0.0, 3.0))
    far = Table("t", {"price": np.array([0.5 * price.max(), 10 * price.max()])})
    assert clipped.layout.with_tails == (0,)
    assert notes_on_strangers(clipped, table) == notes_on_strangers(clipped, far) == []
    assert len(notes_on_strangers(plain, far)) == 1


def table_of(columns, y=None):
    return Table("t", columns, np.arange(N) % 2 if y is None else y)


def prep_of(columns, kinds=None):
    table = table_of(columns)
    return fit_prep(table, understand_target(table.y, "y"), kinds), table


def test_numbers_may_be_asked_for_as_a_category_and_the_other_way():
    prep, table = prep_of({"count": COLUMNS["count"], "price": COLUMNS["price"]}, {"count": "category"})
    assert prep.layout.words == (("count", tuple("012345678")),)
    np.testing.assert_array_equal(encode(prep, table)[:, 1:].argmax(axis=1), COLUMNS["count"])
    cells = words(*(f"{number}" for number in range(N)))
    prep, table = prep_of({"row": cells, "price": COLUMNS["price"]}, {"row": "number"})
    assert prep.layout.numbers == ("row", "price")
    np.testing.assert_allclose(np.diff(encode(prep, table)[:, 0]), 12 / np.sqrt(12 * (N**2 - 1)), rtol=1e-3)


def many(n_levels, n=2000, often=0.5):
    """Words, at least once each of so many, but that a share of the samples has one of them."""
    rng = np.random.default_rng(n_levels)
    codes = rng.permutation(np.arange(n) % n_levels)
    return words(*("often" if rng.random() < often else f"w{code}" for code in codes))


def test_columns_of_many_levels_share_the_inputs_there_are(monkeypatch):
    monkeypatch.setattr(levels_module, "_MOST_LEVELS_IN_ALL", 500)
    columns = {"a": many(150, often=0), "b": many(400), "c": many(900), "few": many(20, often=0)}
    table = Table("t", columns, np.arange(2000) % 2)
    prep = fit_prep(table, understand_target(table.y, "y"))
    levels = dict(prep.layout.words)
    assert {name: len(own) for name, own in levels.items()} == {"a": 150, "b": 166, "c": 166, "few": 20}
    assert "often" in levels["b"]
    counts = Counter(columns["b"].tolist())
    assert min(counts[level] for level in levels["b"]) >= max(
        counts[level] for level in set(counts) - set(levels["b"])
    )
    monkeypatch.setattr(levels_module, "_MOST_LEVELS_IN_ALL", 50)
    least = fit_prep(table, understand_target(table.y, "y")).layout
    assert [len(own) for _, own in least.words] == [100, 100, 100, 20]


@pytest.mark.parametrize("n_classes", [2, 20])
def test_words_that_have_no_input_are_told_of(n_classes, monkeypatch):
    monkeypatch.setattr(levels_module, "_MOST_LEVELS_IN_ALL", 50)
    run = ts.fit(
        {"w": many(150, often=0), "x": np.arange(2000) % 7, "y": np.arange(2000) % n_classes},
        network="4",
        epochs=1,
    )
    (said,) = [note for note in run.events[0]["notes"] if "'w'" in note]
    known = "all say what the target usually is there"
    which = known if n_classes == 2 else "the others count as unknown"
    assert said == (f"column 'w' has 150 different words; the 100 most frequent are inputs, {which}")


@pytest.mark.parametrize(("n_levels", "value"), [(3, 1.0), (100, 1.0), (400, 0.5), (900, 1 / 3)])
def test_an_input_of_one_level_among_many_is_less_than_one(n_levels, value):
    table = Table("t", {"w": many(n_levels, often=0)}, np.arange(2000) % 2)
    prep = fit_prep(table, understand_target(table.y, "y"))
    inputs = encode(prep, table)
    assert inputs.shape == (2000, n_levels)
    np.testing.assert_allclose(inputs.max(axis=1), value, rtol=1e-6)
    assert ((inputs > 0).sum(axis=1) == 1).all()
    assert not encode(prep, Table("t", {"w": words("new", "")})).any()


def test_what_each_of_many_levels_says_is_learned():
    """Three hundred towns with a price level of their own, about eight samples each."""
    rng = np.random.default_rng(0)
    town, size = rng.integers(0, 300, 2400), rng.normal(size=2400)
    price = rng.normal(size=300)[town] + 0.5 * size + 0.2 * rng.normal(size=2400)
    frame = {"town": words(*(f"town {each}" for each in town)), "size": size, "price": price}
    run = ts.fit(frame, target="price", network="32", epochs=30, seed=0)
    assert run.scores["test"]["r2"] > 0.85  # by the hundred most frequent ones alone 0.34


# Dates


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["2020-01-31", "1999-12-01"], "ymd"),
        (["2020-01-31T10:30:00", "2020-02-01 00:00"], "ymd"),
        (["31/1/2020", "1/2/2020"], "dmy"),
        (["1/31/2020", "1/2/2020"], "mdy"),
        (["3/4/20"], "mdy"),
        (["3.4.20"], "dmy"),
        (["2020-13-01"], None),
        (["2020-02-30"], None),
        (["red", "2020-01-01"], None),
        (["12", "13"], None),
        ([], None),
    ],
)
def test_dates_are_told_from_other_words(cells, order):
    assert date_order_of(cells) == order


def test_a_category_stays_one_where_new_cells_look_like_numbers(tmp_path):
    lines = [f"{('5 kg', '500 g')[row % 2]},{row % 2}" for row in range(60)]
    (tmp_path / "t.csv").write_text("size,y\n" + "\n".join(lines) + "\n")
    run = ts.fit(tmp_path / "t.csv", network="8", epochs=30)
    (tmp_path / "new.csv").write_text("size\n5 kg\n5 kg\n")
    probabilities = run.model.predict_proba(tmp_path / "new.csv")
    assert (probabilities[:, 0] > 0.5).all()


def test_yes_and_no_of_a_parquet_file_are_found_again_in_a_csv_file(tmp_path):
    frame = pd.DataFrame({"flag": [True, False] * 30, "y": [1, 0] * 30})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    run = ts.fit(tmp_path / "t.parquet", network="8", epochs=5)
    np.testing.assert_array_equal(
        run.model.predict_proba(tmp_path / "t.parquet"), run.model.predict_proba(tmp_path / "t.csv")
    )


def test_a_column_of_words_alone_cannot_be_numbers():
    columns = {"a": np.array(["red", "blue"] * 20, object)}
    with pytest.raises(ts.DataError, match="'a': got 'red' and 1 other words, expected numbers"):
        kinds_of(columns, {"a": "number"})


@pytest.mark.parametrize(
    ("cell", "same"),
    [
        ("Mar 23, 2019", "2019-03-23"),
        ("March 23rd, 2019 8:21 PM", "2019-03-23T20:21:00"),
        ("Sat, 23 Mar 2019 20:21:09", "2019-03-23T20:21:09"),
        ("23-Mar-2019", "2019-03-23"),
        ("2019-03", "2019-03-01"),
        ("20:21:09", "1970-01-01T20:21:09"),
        ("12:05 am", "1970-01-01T00:05:00"),
        ("2019-03-23 12:05 p.m.", "2019-03-23T12:05:00"),
        ("2019-03-23 20:21:09.125+02:00", "2019-03-23T20:21:09"),
        ("2009-06-15 17:26:21 UTC", "2009-06-15T17:26:21"),
        ("2009-06-15 17:26:21 +0000", "2009-06-15T17:26:21"),
        ("2009-06-15 17:26:21,093", "2009-06-15T17:26:21"),
        ("2009-06-15T17:26Z", "2009-06-15T17:26:00"),
        ("20141013T172621", "2014-10-13T17:26:21"),
    ],
)
def test_dates_may_be_written_out_and_be_months_or_times_alone(cell, same):
    assert date_order_of([cell]) == "ymd"
    written, expected = date_parts_of([cell], "ymd"), date_parts_of([same], "ymd")
    assert {name: values[0] for name, values in written.items()} == {
        name: values[0] for name, values in expected.items()
    }


@pytest.mark.parametrize(
    "cell",
    [
        "20141313T000000",
        "2019-03-23 20:21 and so on",
        "32:15",
        "20:61",
        "16:9",
        "13:05 pm",
        "2019-13",
        "1234-05",
        "Mai 23, 2019",
        "Mark 7, 1999x",
        "May",
    ],
)
def test_what_is_like_a_date_is_none(cell):
    assert date_order_of([cell]) is None


def test_a_note_says_that_dates_may_be_read_in_two_ways(tmp_path):
    lines = [
        f"{row % 12 + 1:02}/{row % 11 + 1:02}/2019,{row % 31 + 1}/01/2020,{row % 2}" for row in range(60)
    ]
    (tmp_path / "t.csv").write_text("open,clear,y\n" + "\n".join(lines) + "\n")
    run = ts.fit(tmp_path / "t.csv", network="8", epochs=2)
    notes = [note for note in run.events[0]["notes"] if "two ways" in note]
    assert len(notes) == 1
    assert "'open'" in notes[0]
    assert "month first" in notes[0]


@given(st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")))
def test_parts_of_a_date_are_those_of_pandas(moment):
    moment = moment.replace(microsecond=0)
    parts = {name: float(values[0]) for name, values in date_parts_of([moment.isoformat()], "ymd").items()}
    stamp = pd.Timestamp(moment)
    assert parts["month"] == stamp.month
    assert parts["day of month"] == stamp.day
    assert parts["weekday"] == stamp.weekday()
    assert parts["hour"] == pytest.approx(stamp.hour + stamp.minute / 60 + stamp.second / 3600)
    assert parts["days"] == pytest.approx((stamp - pd.Timestamp(0)) / pd.Timedelta("1D"))


def test_dates_become_numbers_and_a_strange_one_is_missing(tmp_path):
    frame = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=N, freq="7h"), "x": COLUMNS["price"]})
    prep, _ = prep_of(dict(read(frame).columns()))
    assert prep.layout.dates == (("when", "ymd"),)
    assert prep.layout.numbers == ("x", *(f"when: {part}" for part in DATE_PARTS))
    inputs = encode(prep, read(pd.DataFrame({"x": [0.0, 0.0], "when": ["2020-01-03", "someday"]})))
    assert np.isfinite(inputs).all()
    frame.assign(y=np.arange(N) % 2).to_csv(tmp_path / "t.csv", index=False)
    from_file = label(read(str(tmp_path / "t.csv")), "y")
    again = fit_prep(from_file, understand_target(from_file.y, "y"))
    np.testing.assert_array_equal(encode(again, from_file), encode(prep, read(frame)))


def test_a_column_that_should_be_dates_and_is_not_is_refused():
    with pytest.raises(ts.DataError, match="got no dates"):
        prep_of({"color": COLUMNS["color"], "x": COLUMNS["price"]}, {"color": "date"})


def test_some_words_among_dates_are_missing():
    days = [str(np.datetime64("2010-01-01") + day) for day in range(150)]
    for row in (0, 74, 75, 149):
        assert date_order_of([*days[:row], "unknown", *days[row + 1 :]]) == "ymd"
    assert date_order_of([*days[:100], *(f"word {place}" for place in range(50))]) is None
    frame = pd.DataFrame({"when": days, "x": COLUMNS["price"][:150], "y": np.arange(150) % 2})
    frame.loc[[5, 6], "when"] = "unknown"
    for seed in range(2):
        run = ts.fit(frame, target="y", network="2", epochs=1, seed=seed)
        assert run.model.prep.layout.dates == (("when", "ymd"),)
        said = "column 'when' is dates; 2 of 150 cells are words such as 'unknown' and count as missing; --column when=category takes all of it as words"
        assert said in run.events[0]["notes"]


def test_a_column_that_is_asked_for_as_dates_may_have_more_words():
    days = [str(np.datetime64("2010-01-01") + day) for day in range(N)]
    cells = np.where(np.arange(N) % 3 == 0, [f"word {row}" for row in range(N)], days).astype(object)
    columns = {"when": cells, "x": COLUMNS["price"]}
    assert kinds_of(columns, {})["when"].kind != "date"
    prep, _ = prep_of(columns, {"when": "date"})
    assert prep.layout.dates == (("when", "ymd"),)
    cells[N // 2 :] = [f"word {row}" for row in range(N // 2)]
    with pytest.raises(
        ts.DataError, match=r"'when': got no dates .* cells, such as 'word 0'\s.*--column when=category"
    ):
        prep_of(columns, {"when": "date"})


@pytest.mark.parametrize("written", ["%d.%m.%Y", "%m/%d/%Y"])
def test_a_date_of_another_form_is_understood_where_it_can_only_be_one(written):
    days = pd.Series(pd.date_range("2015-01-05", periods=N, freq="7D"))
    prep, table = prep_of({"when": words(*days.dt.strftime(written)), "x": COLUMNS["price"]})
    for same in (days, days.astype(str), days.dt.strftime("%Y/%m/%d"), days.dt.strftime("%b %d, %Y")):
        new = read(pd.DataFrame({"when": same, "x": COLUMNS["price"]}))
        np.testing.assert_array_equal(encode(prep, new), encode(prep, table))
        assert notes_on_strangers(prep, new) == []


def test_dates_are_seen_soon_in_any_order():
    stamps = [str(np.datetime64("2010-01-01T00:00:00") + 61 * row) for row in range(100_000)]
    others = [f"{stamp[8:10]}.{stamp[5:7]}.{stamp[:4]} {stamp[11:]}" for stamp in stamps]
    took = {}
    for order, cells in (("ymd", stamps), ("dmy", others)):
        began = time.perf_counter()
        assert date_order_of(cells) == order
        took[order] = time.perf_counter() - began
    assert took["dmy"] < 5 * took["ymd"] + 0.5
    assert date_order_of(["1.1.2019"] * 99 + ["13.1.2019"]) == "dmy"


def test_a_model_with_dates_comes_back_from_its_file(tmp_path):
    frame = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=N), "x": COLUMNS["price"]})
    run = ts.fit(frame.assign(y=np.arange(N) % 2), network="4", epochs=2, out=tmp_path / "run")
    again = ts.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict_proba(frame), run.model.predict_proba(frame))


# What gives the target away


def test_a_column_that_says_the_target_is_found():
    y = words(*RNG.choice(["yes", "no"], N))
    columns = {
        "honest": RNG.normal(size=N),
        "code": np.where(y == "yes", 1.0, 0.0),
        "word": words(*np.where(y == "yes", "ja", "nein")),
        "several": np.where(y == "yes", RNG.integers(0, 5, N), RNG.integers(5, 9, N)).astype(float),
        "nearly": np.where(RNG.random(N) < 0.03, 0.5, np.where(y == "yes", 1.0, 0.0)),
    }
    found = dict(leaks_of(columns, y))
    assert set(found) == {"code", "word", "several"}
    assert "determine" in found["several"]


def test_numbers_that_add_up_to_the_target_are_found():
    casual, registered, other = RNG.integers(0, 99, (3, N)).astype(float)
    columns = {"casual": casual, "other": other, "registered": registered}
    found = dict(leaks_of(columns, casual + registered))
    assert set(found) == {"casual", "registered"}
    assert "casual, registered add up" in found["casual"]
    assert leaks_of({"other": other, "x": COLUMNS["price"]}, casual + registered) == []
    assert [name for name, _ in leaks_of({"x": other, "y": casual}, 2.54 * casual + 1)] == ["y"]


def test_a_leak_is_told_before_training_and_may_be_left_out():
    y = np.arange(N) % 2
    frame = pd.DataFrame({"leak": y * 3, "x": COLUMNS["price"], "y": y})
    run = ts.fit(frame, target="y", network="2", epochs=1)
    assert any("'leak' may give the target away" in note for note in run.events[0]["notes"])
    run = ts.fit(frame, target="y", network="2", epochs=1, column=("leak=ignore",))
    assert run.model.prep.layout.numbers == ("x",)
    assert run.events[0]["notes"] == ["column 'leak' is left out: as asked"]


def test_what_is_the_target_by_itself_is_said_in_words_of_its_own():
    y = RNG.integers(0, 60, N).astype(float)
    columns = {
        "copy": y.copy(),
        "factor": y * 0.425,
        "constant": y + 3,
        "both": 5 - 2 * y,
        "word": words(*(f"{each:.0f} miles" for each in y)),
        "other": RNG.normal(size=N),
    }
    assert dict(leaks_of(columns, y)) == {
        "copy": "equals the target",
        "factor": "equals the target, but for a factor",
        "constant": "equals the target, but for a factor and a constant",
        "both": "equals the target, but for a factor and a constant",
        "word": "says the same as the target, in other words",
    }
    columns["copy"][::9] = np.nan  # a gap hides nothing
    assert dict(leaks_of(columns, y))["copy"] == "equals the target"
    assert dict(leaks_of({"two": np.where(y > 9, 2.0, 1.0)}, np.where(y > 9, 8, 3))) == {
        "two": "says the same as the target, in other words"
    }


def test_numbers_that_order_the_samples_as_the_target_does_are_found():
    rng = np.random.default_rng(1)
    y = rng.lognormal(size=N)
    noisy = y * (1 + 0.001 * rng.normal(size=N))
    mended = np.where(np.arange(N) % 50 == 0, rng.permutation(noisy), noisy)
    columns = {
        "rounded": y.round(1),
        "log": np.log(y).astype(np.float32),
        "square": np.where(np.arange(N) % 9 == 0, np.nan, y**2),
        "noisy": noisy,
        "inverse": 1 / y,
        "wrong cells": mended,
        "predictor": y * (1 + 0.2 * rng.normal(size=N)),
        "few": np.where(y > np.median(y) * 1.0001, 2.0, np.where(rng.random(N) < 0.1, 2.0, 1.0)),
        "hardly known": np.where(np.arange(N) < 19, y**2, np.nan),
    }
    found = dict(leaks_of(columns, y))
    assert set(found) == {"rounded", "log", "square", "noisy", "inverse", "wrong cells"}
    assert found["log"] == "orders the samples as the target does (rank correlation 1.000)"
    assert found["inverse"] == "orders the samples as the target does, in reverse (rank correlation -1.000)"
    assert found["wrong cells"].startswith("orders 97.5 % of the samples as the target does (rank")
    many = np.tile(y, 20) + np.arange(20 * N) * 1e-9
    assert [name for name, _ in leaks_of({"log": np.log(many), "z": rng.normal(size=20 * N)}, many)] == [
        "log"
    ]


def test_to_tell_which_targets_are_zero_is_not_to_order_the_others():
    rng = np.random.default_rng(2)
    is_zero = rng.random(2000) < 0.9
    cost, days = (np.where(is_zero, 0.0, rng.lognormal(size=2000)) for _ in range(2))
    columns = {"days": days, "log": np.log1p(cost)}
    assert [name for name, _ in leaks_of(columns, cost)] == ["log"]
    days[np.flatnonzero(cost)[0]] = 0
    assert [name for name, _ in leaks_of(columns, cost)] == ["log"]


def test_numbers_on_which_classes_lie_apart_are_found():
    rng = np.random.default_rng(3)
    code = np.arange(N) % 2
    touching = np.where(code == 1, 2.0, 1.0) + rng.random(N)
    touching[:2] = 2.0  # one of each
    columns = {
        "apart": np.where(code == 1, 2.0, 1.0) + 0.9 * rng.random(N),
        "touching": touching,
        "one wrong": np.where(np.arange(N) == 7, 0.5, code + 1.0) + 0.9 * rng.random(N),
        "of one class": np.where(code == 1, rng.random(N), np.nan),
    }
    for y in (words(*np.where(code == 1, "yes", "no")), code, code == 1):
        assert leaks_of(columns, y) == [("apart", "one threshold on it separates the classes")]
    assert leaks_of(columns, np.where(np.arange(N) < 4, 1 - code, code)) == []
    assert leaks_of({"x": np.append(np.zeros(30), np.ones(4)) + rng.random(34)}, np.arange(34) > 29) == []

    three = np.array([1, 2, 0])[np.arange(N) % 3]
    columns = {
        "in any order": np.array([0, 5, 1])[three] + 0.9 * rng.random(N),
        "two": three % 2 + rng.random(N),
    }
    how = "each value of the target has an interval of it for itself"
    assert leaks_of(columns, words(*"abc")[three]) == [("in any order", how)]


@pytest.mark.parametrize("n_wrong", [0, 1])
def test_all_samples_are_looked_at_before_classes_are_said_to_lie_apart(n_wrong):
    rng = np.random.default_rng(4)
    is_rare = rng.random(50_000) < 0.001
    x = is_rare + 0.9 * rng.random(50_000)
    x[np.flatnonzero(~is_rare)[12_345 : 12_345 + n_wrong]] = 1.5
    assert [name for name, _ in leaks_of({"x": x}, is_rare)] == ["x"] * (1 - n_wrong)


def test_values_that_nearly_always_go_with_a_class_are_found():
    code = np.arange(N) % 2
    wrong = {share: np.arange(N) % round(1 / share) == 0 for share in (0.02, 0.03)}
    columns = {
        "nearly": words(*np.where((code == 1) ^ wrong[0.02], "ja", "nein")),
        "with gaps": words(*np.where(np.arange(N) % 67 == 0, "", np.where(code == 1, "ja", "nein"))),
        "less": np.where(wrong[0.03], 1 - code, code).astype(float),
        "many": words(*(f"{each}{place % 3}" for place, each in enumerate(code ^ wrong[0.02]))),
    }
    how = "goes with the target in 98.0 % of the samples"
    y = words(*np.where(code == 1, "yes", "no"))
    assert leaks_of(columns, y) == [("nearly", how), ("with gaps", how.replace("98.0", "98.5"))]
    assert [name for name, _ in leaks_of(columns, code)] == ["nearly", "with gaps"]


def test_what_always_says_the_frequent_class_does_not_agree():
    y = np.arange(1000) % 50 == 0
    almost = y.copy()
    almost[:100] = False  # two of twenty are missed
    worse = y.copy()
    worse[:200] = False
    constant = np.arange(1000) == 500
    columns = {"almost": almost, "worse": worse, "constant": constant}
    assert leaks_of(columns, y) == [("almost", "goes with the target in 99.8 % of the samples")]


def test_values_that_are_intervals_of_a_number_are_found():
    rng = np.random.default_rng(5)
    y = rng.normal(size=N)
    size = np.digitize(y, [-0.5, 0.5])
    columns = {
        "low": y < -0.4,
        "size": words("small", "middle", "large", "")[np.where(np.arange(N) % 9 == 0, 3, size)],
        "top": y >= np.sort(y)[-4],
        "other": rng.random(N) < 0.5,
        "nearly": (y + 0.2 * rng.normal(size=N)) < 0,
    }
    assert leaks_of(columns, y) == [
        ("low", "its 2 values are intervals of the target"),
        ("size", "its 3 values are intervals of the target"),
    ]


@pytest.mark.parametrize("n_samples", [20, 41, 300])
@pytest.mark.parametrize("seed", range(3))
def test_chance_gives_nothing_away(n_samples, seed):
    rng = np.random.default_rng(seed)
    columns = {f"n{place}": rng.normal(size=n_samples) for place in range(60)}
    columns |= {f"b{place}": rng.integers(0, 2, n_samples) for place in range(20)}
    columns |= {f"w{place}": words(*"abc")[rng.integers(0, 3, n_samples)] for place in range(20)}
    for y in (
        rng.normal(size=n_samples),
        rng.integers(0, 12, n_samples),
        rng.permutation(n_samples) % 2,
        words(*"abc")[rng.permutation(n_samples) % 3],
    ):
        assert leaks_of(columns, y) == []


def names_of_leaks(columns, y):
    return [name for name, _ in leaks_of(columns, y)]


def test_what_is_seen_once_beside_a_frequent_value_determines_nothing():
    rng = np.random.default_rng(7)
    amount = np.where(rng.random(5000) < 0.6, 0, rng.lognormal(5, 1, 5000).round(4))
    fraud = (amount > 0) & (rng.random(5000) < 0.3)
    assert leaks_of({"amount": amount, "word": words(*map(str, amount))}, fraud) == []


@pytest.mark.parametrize(("n_samples", "n_values", "n_others"), [(12, 6, 6), (20, 9, 3)])
def test_few_samples_prove_nothing(n_samples, n_values, n_others):
    for seed in range(50):
        rng = np.random.default_rng(seed)
        columns = {f"c{place}": rng.integers(0, n_values, n_samples) for place in range(20)}
        assert leaks_of(columns, rng.permutation(n_samples) < n_others) == []


def test_copies_of_rows_prove_nothing():
    rng = np.random.default_rng(8)
    once = {f"x{place}": rng.normal(size=300) for place in range(3)} | {
        "word": words(*(f"w{code}" for code in rng.permutation(300)))
    }
    y = rng.integers(0, 2, 300)
    for many in (np.tile(np.arange(300), 2), np.repeat(np.arange(300), 5)):
        columns = {name: column[many] for name, column in once.items()}
        assert leaks_of(columns, y[many]) == []
        assert names_of_leaks(columns | {"leak": 3 - y[many]}, y[many]) == ["leak"]
    few = {f"c{place}": np.tile(rng.integers(0, 6, 12), 2) for place in range(10)}
    assert leaks_of(few, np.tile(rng.permutation(12) % 2, 2)) == []


def test_what_is_the_same_in_a_group_proves_nothing():
    rng = np.random.default_rng(9)
    patient = np.repeat(np.arange(40), 10)
    own = {"bmi": rng.normal(25, 3, 40)[patient], "height": rng.normal(170, 9, 40).round(1)[patient]}
    columns = own | {"pulse": rng.normal(size=400)}
    assert leaks_of(columns, (np.arange(40) % 2)[patient]) == []
    assert leaks_of(columns, rng.normal(size=40)[patient]) == []


def test_words_that_determine_the_target_are_found_beside_their_own_codes():
    country = np.random.default_rng(10).integers(0, 30, 500)
    columns = {"country": words(*(f"land {each}" for each in country)), "code": country}
    columns["size"] = np.random.default_rng(11).normal(size=500)
    continent = words(*"NESW")[country % 4]
    assert dict(leaks_of(columns, continent))["country"] == "its 30 values determine the target"
    assert names_of_leaks({"code": country, "size": columns["size"]}, continent) == ["code"]


def test_gaps_hide_no_leak():
    rng = np.random.default_rng(12)
    state = rng.integers(0, 30, 1000)
    y = words(*"NESW")[state % 4]
    named = words(*(f"s{each}" for each in state))
    numbered = state.astype(float)
    for column, gap in ((named, ""), (numbered, np.nan)):
        column[[0, 3]] = gap
        how = "where it is known, its 30 values determine the target"
        assert leaks_of({"s": column}, y) == [("s", how)]
    copied = words(*np.where(state % 2, "ja", "nein"))
    copied[::20] = ""
    how = "where it is known, its 2 values determine the target"
    assert leaks_of({"copied": copied}, state % 2) == [("copied", how)]
    cause = words(*np.where(state < 6, [f"cause {each}" for each in state], ""))
    assert leaks_of({"cause": cause}, state < 6) == [
        ("cause", "its 6 values and its gaps determine the target")
    ]


def test_gaps_in_others_hide_no_sum():
    rng = np.random.default_rng(13)
    a, b = rng.integers(0, 99, (2, 1000)).astype(float)
    others = {
        f"g{place}": np.where(rng.random(1000) < 0.3, np.nan, rng.normal(size=1000)) for place in range(20)
    }
    others["rare"] = np.where(np.arange(1000) % 200 == 0, np.arange(1000.0), np.nan)
    assert names_of_leaks({"a": a, "b": b} | others, a + b) == ["a", "b"]
    a[::20] = np.nan
    assert names_of_leaks({"a": a, "b": b} | others, np.where(np.isnan(a), 7, a + b)) == ["a", "b"]


def test_nothing_adds_up_to_a_target_that_is_nearly_always_zero():
    rng = np.random.default_rng(14)
    y = np.zeros(20_000)
    rows = rng.choice(len(y), 60, replace=False)
    y[rows] = rng.lognormal(7, 1, 60).round(2)
    columns = {"age": rng.integers(18, 90, len(y)).astype(float)}
    for name in ("claims", "injured", "witnesses"):
        columns[name] = np.zeros(len(y))
        columns[name][rows] = rng.integers(1, 9, 60)
    assert leaks_of(columns, y) == []
    parts = {"a": np.zeros(len(y)), "age": columns["age"]}
    parts["a"][rows] = y[rows] * rng.random(60)
    parts["b"] = y - parts["a"]
    assert names_of_leaks(parts, y) == ["a", "b"]


@pytest.mark.parametrize("n_wrong", [0, 5000])
def test_all_samples_are_looked_at_before_a_number_is_said_to_equal_the_target(n_wrong):
    rng = np.random.default_rng(15)
    y, a = rng.normal(50, 10, (2, 200_000))
    wrong = np.setdiff1d(np.arange(200_000), np.linspace(0, 199_999, 2000).astype(int))[:n_wrong]
    copied, b = y.copy(), y - a
    copied[wrong] = b[wrong] = 0
    hows = [how for _, how in leaks_of({"copied": copied}, y) + leaks_of({"a": a, "b": b}, y)]
    exact = ["equals the target", "a, b add up to the target", "a, b add up to the target"]
    assert [how for how in hows if how in exact] == ([] if n_wrong else exact)


def test_a_sum_of_many_columns_is_found_soon_and_said_once():
    items = np.random.default_rng(16).integers(1, 6, (2500, 250)).astype(float)
    frame = {f"q{place}": column for place, column in enumerate(items.T)}
    began = time.perf_counter()
    found = leaks_of(frame, items.sum(axis=1))
    assert time.perf_counter() - began < 30  # one decomposition per column took minutes
    assert set(found) == {(name, "q0, q1, q2, q3, q4, … add up to the target") for name in frame}
    few = {name: frame[name][:200] for name in ("q0", "q1", "q2")}
    run = ts.fit(few | {"y": sum(few.values())}, target="y", network="2", epochs=1)
    said = [note for note in run.events[0]["notes"] if "add up" in note]
    assert said == [
        "column 'q0' may give the target away: q0, q1, q2 add up to the target; --column q0=ignore leaves it out"
    ]


def test_among_very_many_columns_some_separate_few_samples_by_chance():
    y = np.arange(20) < 5
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=(20, 5000))
        assert leaks_of({f"g{place}": column for place, column in enumerate(x.T)}, y) == []
    y = np.arange(60) < 20
    assert names_of_leaks({"x": y + 0.9 * np.random.default_rng(0).random(60)}, y) == ["x"]


def test_a_year_does_not_give_away_what_grows():
    rng, month = np.random.default_rng(17), np.arange(120)
    people = 1e6 * np.exp(0.01 * month) * (1 + 0.0005 * rng.normal(size=120))
    era = words(*np.where(month < 70, "old", "new"))
    assert leaks_of({"year": 2000 + month // 12, "since": month * 30.0, "era": era}, people) == []
    mixed = rng.permutation(120)
    columns = {"size": 2000 + month[mixed] // 12, "rank": month[mixed] * 30.0}
    assert names_of_leaks(columns, people[mixed]) == ["size", "rank"]


def test_years_in_a_row_are_a_number():
    rng = np.random.default_rng(6)
    columns = {"year": np.arange(1950, 2020), "row": np.arange(70), "x": rng.normal(size=70)}
    kinds = kinds_of(columns, {})
    assert [kinds[name].kind for name in columns] == ["number", "ignore", "number"]
    assert kinds_of({"a": np.arange(2160.0, 2240), "x": rng.normal(size=80)}, {})["a"].kind == "ignore"


def test_how_to_keep_what_looks_like_an_id_is_said():
    frame = {"id": COLUMNS["row"], "name": COLUMNS["name"], "empty": COLUMNS["none"], "x": COLUMNS["price"]}
    run = ts.fit({**frame, "y": np.arange(N) % 2}, target="y", network="2", epochs=1)
    assert run.events[0]["notes"] == [
        "column 'id' is left out: looks like an id: whole numbers in a row, each of them once; "
        "--column id=number keeps it",
        "column 'name' is left out: looks like an id or free text: 130 different words; "
        "--column name=category keeps it",
        "column 'empty' is left out: every value is missing",
    ]
    kept = ts.fit(
        {**frame, "y": np.arange(N) % 2},
        target="y",
        network="2",
        epochs=1,
        column=("id=number", "name=category"),
    )
    assert kept.model.prep.layout.left_out == ("empty",)


# Nothing breaks


cell = st.one_of(st.none(), st.floats(allow_infinity=False, width=32), st.text(max_size=3), st.booleans())
column = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=12, max_size=12),
    st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=12, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.lists(st.dates().map(str), min_size=12, max_size=12),
)


@given(st.lists(column, min_size=1, max_size=4), st.lists(column, min_size=4, max_size=4))
def test_samples_of_the_same_columns_are_always_encoded(learned, strange):
    def frame(columns):
        return pd.DataFrame(
            {f"c{place}": pd.Series(values, dtype=object) for place, values in enumerate(columns)}
        )

    try:
        table = read(frame(learned))
        table = Table("t", table.x, np.arange(12) % 2)
        prep = fit_prep(table, understand_target(table.y, "y"))
    except ts.DataError:
        return  # there was no usable column
    inputs = encode(prep, table)
    assert inputs.shape == (12, prep.layout.n_inputs)
    assert np.isfinite(inputs).all()
    new = frame([[*values] for values in learned])
    for name in new:
        new[name] = new[name].sample(frac=1, random_state=0).to_numpy()
    assert np.isfinite(encode(prep, read(new))).all()


def test_numbers_that_never_come_twice_are_no_leak_of_such():
    columns = {"x": RNG.normal(size=N), "z": RNG.normal(size=N)}
    assert leaks_of(columns, RNG.normal(size=N)) == []


@pytest.mark.parametrize("n_samples", [40, 9000])
def test_a_value_with_two_targets_far_down_is_no_leak(n_samples):
    x = np.repeat(np.arange(4.0), n_samples // 4)
    y = x.astype(int) % 2
    assert [name for name, _ in leaks_of({"x": x}, y)] == ["x"]
    y[-1] = 1 - y[-1]
    assert leaks_of({"x": x}, y) == []


def test_a_block_that_may_be_meant_as_a_whole_resnet_is_noted():
    (note,) = _notes_on_network("res18")
    assert "a whole ResNet is `resnet18`" in note
    assert (
        unescape(translated(note).own["zh-TW"]) == "網路 'res18' 是一個殘差區塊；完整的 ResNet 是 `resnet18`"
    )
    assert [_notes_on_network(spec) for spec in ("res64x3", "resnet18", "18", "auto")] == [[]] * 4


def test_many_columns_are_looked_at_in_no_time():
    random = np.random.default_rng(0)
    table = {f"g{place}": np.round(random.normal(0, 300, 72)) for place in range(1500)}
    y = np.array(["ALL"] * 47 + ["AML"] * 25, object)[random.permutation(72)]
    began = time.process_time()
    leaks_of(table, y)
    assert time.process_time() - began < 5.0  # of so many against each other it would be 15


def test_numbers_that_a_frame_has_as_text_are_numbers_where_they_were_no_names():
    numbers = [f"{number / 7:.4f}" for number in range(200)]
    few = [str(number % 30) for number in range(200)]
    kinds = kinds_of({"many": words(*numbers), "few": words(*few)}, {})
    assert kinds["many"].kind == "number"
    assert kinds["few"].kind == "category"


def test_a_table_that_is_sorted_hides_no_leak():
    random = np.random.default_rng(0)
    weight = random.normal(2900, 700, 190)
    weight = np.concatenate([weight[weight >= 2500], weight[weight < 2500]])
    found = dict(leaks_of({"low": (weight < 2500) * 1.0, "age": random.normal(size=190)}, weight))
    assert found == {"low": "its 2 values are intervals of the target"}
