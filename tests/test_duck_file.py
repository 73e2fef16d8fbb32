"""Parquet, JSON lines, gzipped and large CSV files by DuckDB: the same tables as by the other ways."""

import numpy as np
import pandas as pd
import pytest

import threestep as ts
from threestep.data import csv_file, duck_file, read

FRAME = pd.DataFrame(
    {
        "size": [1.5, None, -3.0, 2e9],
        "count": [1, 2, 3, 4],
        "yes": [True, False, True, True],
        "color": ["red", None, 'größer, "x"', "7"],
        "when": pd.to_datetime(["2020-01-31", "2021-02-01", None, "1999-12-31"]),
        "code": ["01", "2", None, "30"],
    }
)


def assert_same(one, other):
    assert list(one.columns()) == list(other.columns())
    for name, column in one.columns().items():
        assert column.tolist() == pytest.approx(other.columns()[name].tolist(), nan_ok=True), name


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_a_file_gives_what_the_frame_gives(ending, tmp_path):
    path = tmp_path / f"t{ending}"
    frame = FRAME.drop(columns="when") if ending == ".jsonl" else FRAME
    write = {".parquet": frame.to_parquet, ".jsonl": lambda p: frame.to_json(p, orient="records", lines=True)}
    write[ending](path)
    found, expected = read(path), read(frame)
    assert list(found.columns()) == list(expected.columns())
    for name, column in found.columns().items():
        wanted = expected.columns()[name]
        if name == "code":  # text that is all numbers: a file does not say that it is not
            assert column.astype(float)[[0, 1, 3]].tolist() == [1, 2, 30]
        else:
            np.testing.assert_array_equal(column, wanted, err_msg=name)


def test_a_gzipped_csv_is_read(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.5], "b": ["x", "y"]})
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    table = read(tmp_path / "t.csv.gz")
    assert table.columns()["a"].tolist() == [1.0, 2.5]
    assert table.columns()["b"].tolist() == ["x", "y"]


CONTENTS = {
    "plain": "a,b,c\n1,x,2.5\n-3,?,NA\n,z,1e3\n",
    "semicolons, quotes": 'a;b\n"1";"x; y"\n2;"q"\n',
    "no header": "1,2,x\n3,4,y\n",
    "a header of numbers in a row": "0,1,2,y\n5,6,7,a\n8,9,1,b\n",
    "tabs and a name that is empty": "a\t\n1\tx\n2\ty\n",
    "windows": "a,b\r\n1,x\r\n2,y\r\n",
    "blanks": "a, b\n1, x\n2, y\n",
    "an empty line": "a,b\n1,x\n\n2,y\n",
    "yes and no": "a,b\ntrue,1\nfalse,2\n",
    "dates": "a,b\n2020-01-31,1\n2020-02-01,2\n",
    "commas between thousands": 'a,b\n"1,002.5",1\n12,2\n"1,000,000",3\n',
    "large numbers": "a,b\n123456789012345678901234567890,1\n2,2\n",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_large_csv_is_read_as_a_small_one(name, tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_bytes(CONTENTS[name].encode())
    small = read(path)
    monkeypatch.setattr(csv_file, "_LARGE", 1)
    monkeypatch.setattr(csv_file, "_rows", lambda path: pytest.fail("it was read the slow way"))
    assert_same(small, read(path))


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n3\n", "a,a\n1,2\n", "a,b\n" + "1,2\n" * 60 + "x,2\n", "a,b\n1,inf\n"]
)
def test_what_is_wrong_in_a_large_csv_is_told_as_in_a_small_one(content, tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(ts.DataError) as small:
        read(path)
    monkeypatch.setattr(csv_file, "_LARGE", 1)
    with pytest.raises(ts.DataError) as large:
        read(path)
    assert str(large.value) == str(small.value)


def test_without_duckdb_the_error_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ts.DataError, match="cannot be read"):
        read(tmp_path / "t.parquet")
    monkeypatch.setattr(duck_file, "has_duckdb", lambda: False)
    with pytest.raises(ts.DataError, match="needs DuckDB") as caught:
        read(tmp_path / "t.parquet")
    assert "threestep[tables]" in caught.value.hint


def test_columns_of_lists_are_left_out_and_told(tmp_path):
    pd.DataFrame({"a": [[1, 2], [3]], "b": [1.0, 2.0]}).to_parquet(tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert list(table.columns()) == ["b"]
    assert "'a' is left out" in table.notes[0]


# openml.org


class Recorded:
    """What scikit-learn's loader gave for a small data set."""

    frame = pd.DataFrame({"x": [1.0, 2.0], "w": pd.Categorical(["a", "b"]), "class": ["p", "q"]})
    target, target_names = frame["class"], ["class"]


def test_a_data_set_of_openml_is_read_by_name_or_number(monkeypatch):
    from sklearn import datasets

    asked = []
    monkeypatch.setattr(datasets, "fetch_openml", lambda **given: asked.append(given) or Recorded)
    table = read("openml:credit-g")
    assert (table.name, table.y_name, table.y.tolist()) == ("credit-g", "class", ["p", "q"])
    assert list(table.columns()) == ["x", "w"]
    read("openml:31")
    assert [{key: each[key] for key in each if key in ("name", "data_id")} for each in asked] == [
        {"name": "credit-g"},
        {"data_id": 31},
    ]


def test_no_such_data_set_is_an_error_with_a_hint(monkeypatch):
    from sklearn import datasets

    def fails(**given):
        raise ValueError("No known OpenML data set of the name nothing")

    monkeypatch.setattr(datasets, "fetch_openml", fails)
    with pytest.raises(ts.DataError, match="openml:nothing: cannot be fetched"):
        read("openml:nothing")


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [("1", "1.5", 1.5), ("01", "x", "x"), ("1.25", "-3e400", None), ("", "word", "word"), ("", "2", 2.0)],
)
def test_what_stands_far_down_a_large_file_is_read_as_it_is(early, late, expected, tmp_path, monkeypatch):
    """DuckDB looks at the first 20,480 lines to see what a column is."""
    monkeypatch.setattr(csv_file, "_LARGE", 0)
    n_early = 30_000
    lines = ["a,b", *[f"{early},0"] * n_early, *[f"{late},1"] * n_early]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    if expected is None:
        with pytest.raises(ts.UserError, match="finite"):
            read(tmp_path / "t.csv")
        return
    column = read(tmp_path / "t.csv").columns()["a"]
    assert column[-1] == expected
    assert len(column) == 2 * n_early
    assert (
        set(column[:n_early].tolist()) == {early}
        if isinstance(expected, str)
        else column[n_early] == expected
    )
