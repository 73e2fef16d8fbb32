"""Readers: whatever the user names becomes a Table, or one clear UserError."""

import csv as csv_module
import gzip
import io
import os
import re
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import BUILTIN_NAMES, Table, label, labelled, read
from threestep.data.builtin import small_digits
from threestep.settings import Files


def read_text(tmp_path: Path, text: str | bytes, name: str = "table.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def columns(table: Table) -> dict[str, list]:
    return {name: column.tolist() for name, column in table.columns().items()}


def refused(source: object) -> str:
    """The message and hint of the DataError that reading gives."""
    with pytest.raises(ts.DataError) as caught:
        read(source)
    assert caught.value.hint, "every message says what to do next"
    return str(caught.value)


def refused_text(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ts.DataError) as caught:
        read_text(tmp_path, text)
    return str(caught.value)


# ---------------------------------------------------------------- built-in names


def test_digits_are_load_digits_enlarged_by_cubic_splines_and_cut_at_0_4_of_full_ink():
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    table = read("digits")
    bunch = load_digits()
    large = np.stack([zoom(picture, 2, order=3) for picture in bunch.images])
    assert table.x.shape == (1797, 16, 16)
    assert set(np.unique(table.x)) == {0, 1}
    np.testing.assert_array_equal(table.x, large >= 0.4 * 16)
    np.testing.assert_array_equal(table.y, bunch.target)


def test_small_digits_are_load_digits():
    from sklearn.datasets import load_digits

    pictures, classes = small_digits()
    bunch = load_digits()
    np.testing.assert_array_equal(pictures, bunch.images)
    np.testing.assert_array_equal(classes, bunch.target)


def test_small_digits_come_from_scikit_learn_itself_where_its_file_is_not_found(monkeypatch):
    from threestep.data import builtin

    from_file = small_digits()
    monkeypatch.setattr(builtin, "find_spec", lambda name: None)
    for ours, theirs in zip(builtin.small_digits(), from_file, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "n_samples", "n_columns", "first_target"),
    [
        ("iris", 150, 4, "setosa"),
        ("wine", 178, 13, "class_0"),
        ("breast_cancer", 569, 30, "malignant"),
        ("diabetes", 442, 10, 151.0),
    ],
)
def test_built_in_tables_have_names_and_word_classes(name, n_samples, n_columns, first_target):
    table = read(name)
    assert (table.n_samples, len(table.columns())) == (n_samples, n_columns)
    assert table.y[0] == first_target
    assert all(column.dtype == np.float64 for column in table.columns().values())


def test_every_built_in_name_reads():
    for name in BUILTIN_NAMES:
        table = read(name)
        assert table.n_samples == len(table.y) > 100


# ---------------------------------------------------------------- names that are nothing


def test_a_misspelt_built_in_name_gets_did_you_mean():
    assert "did you mean `digits`?" in refused("digit")


def test_a_missing_file_gets_did_you_mean_of_its_neighbours(tmp_path):
    (tmp_path / "customers.csv").write_text("a,b\n1,2\n")
    message = refused(tmp_path / "custmers.csv")
    assert "custmers.csv" in message
    assert f"did you mean `{tmp_path / 'customers.csv'}`?" in message
    (tmp_path / "photos").mkdir()
    assert f"did you mean `{tmp_path / 'photos'}`?" in refused(tmp_path / "photo")


def test_a_missing_part_of_an_idx_pair_is_named(tmp_path):
    (tmp_path / "images.gz").write_bytes(b"")
    assert "no file" in refused(f"{tmp_path / 'images.gz'},{tmp_path / 'labels.gz'}")


@pytest.mark.parametrize("name", ["a" * 5000, "a" * 5000 + ",b", "a\0b", "a\0/b", ","])
def test_names_no_file_can_have_are_refused(name):
    assert "no " in refused(name)


def test_a_folder_an_empty_name_and_an_unknown_kind_of_file_are_refused(tmp_path):
    assert "no folder of samples" in refused(str(tmp_path))
    assert "empty name" in refused("")
    (tmp_path / "table.docx").write_text("a,b\n1,2\n")
    assert "not known" in refused(tmp_path / "table.docx")


@pytest.mark.parametrize("source", [None, 3, 2.5, object(), (1, 2, 3), {1, 2}])
def test_other_objects_are_refused_by_their_type(source):
    assert type(source).__name__ in refused(source)


def test_a_file_one_may_not_read_is_a_data_error(tmp_path, monkeypatch):
    for name in ("table.csv", "table.npz", "table.gz"):
        (tmp_path / name).write_bytes(b"a,b\n1,2\n")

    def forbidden(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(io, "open", forbidden)
    monkeypatch.setattr(Path, "open", forbidden)
    monkeypatch.setattr(zipfile.ZipFile, "__init__", forbidden)
    for name in ("table.csv", "table.npz", "table.gz"):
        assert "Permission denied" in refused(tmp_path / name)


# ---------------------------------------------------------------- csv


def test_csv_with_a_header(tmp_path):
    table = read_text(tmp_path, "width,colour\n1,red\n2.5,blue\n")
    assert columns(table) == {"width": [1.0, 2.5], "colour": ["red", "blue"]}
    assert table.name == "table"


def test_csv_without_a_header_counts_its_columns(tmp_path):
    assert columns(read_text(tmp_path, "1,red\n2,blue\n")) == {
        "column_1": [1.0, 2.0],
        "column_2": ["red", "blue"],
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters(tmp_path, delimiter):
    table = read_text(tmp_path, f"a{delimiter}b\n1{delimiter}x y\n")
    assert columns(table) == {"a": [1.0], "b": ["x y"]}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_csv_line_endings_and_blank_lines(tmp_path, ending):
    table = read_text(tmp_path, ending.join(["", "  ", "a;b", "1;2", "", " ", "3;4", "", ""]))
    assert columns(table) == {"a": [1.0, 3.0], "b": [2.0, 4.0]}


def test_csv_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    assert list(columns(read_text(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n"))) == ["a", "b"]


def test_csv_quotes_keep_delimiters_line_breaks_and_quotes(tmp_path):
    table = read_text(tmp_path, 'name,n\n"Braund, Mr. ""Owen""",1\n"two\nlines",2\n')
    assert columns(table) == {"name": ['Braund, Mr. "Owen"', "two\nlines"], "n": [1.0, 2.0]}


def test_csv_delimiter_is_not_looked_for_inside_quotes(tmp_path):
    assert columns(read_text(tmp_path, '"a;b;c;d",e\n1,2\n')) == {"a;b;c;d": [1.0], "e": [2.0]}


def test_csv_blanks_around_cells_do_not_count(tmp_path):
    assert columns(read_text(tmp_path, "a, b\n1 , x\n 2, x \n")) == {"a": [1.0, 2.0], "b": ["x", "x"]}


@pytest.mark.parametrize("token", ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None"])
def test_csv_missing_tokens(tmp_path, token):
    table = read_text(tmp_path, f"n,word,k\n1,x,0\n{token},{token},0\n3,y,0\n")
    assert np.isnan(table.columns()["n"]).tolist() == [False, True, False]
    assert table.columns()["word"].tolist() == ["x", "", "y"]


def test_csv_a_sample_of_which_nothing_is_known_is_still_a_sample(tmp_path):
    assert read_text(tmp_path, "a,b\n1,2\n,\n3,4\n").n_samples == 3


def test_csv_a_column_named_nan_is_a_header(tmp_path):
    assert list(columns(read_text(tmp_path, "a,nan,NA\n1,2,3\n"))) == ["a", "nan", "NA"]


def test_csv_a_nameless_column_gets_its_number(tmp_path):
    assert list(columns(read_text(tmp_path, ",b\n0,2\n1,3\n"))) == ["column_1", "b"]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "  \r\n \t\n"])
def test_csv_empty_file(tmp_path, text):
    assert "the file is empty" in refused_text(tmp_path, text)


def test_csv_header_only(tmp_path):
    assert "a header and no samples" in refused_text(tmp_path, "a,b\n")


def test_csv_ragged_rows_are_named_by_the_line_on_which_they_start(tmp_path):
    message = refused_text(tmp_path, 'a,b\n1,2\n\n"x\ny",2\n1,2,3\n')
    assert "line 6: got 3 cells, expected 2" in message
    assert "line 3: got 1 cells" in refused_text(tmp_path, 'a,b\n1,2\n"3,4\n5,6\n7,8\n')


def test_csv_duplicate_names_are_all_named(tmp_path):
    assert "given twice: a, b" in refused_text(tmp_path, "a,b,a,b,c\n1,2,3,4,5\n")


@pytest.mark.parametrize("content", [b"a,b\n\xff\xfe,2\n", "a,b\n1,2\n".encode("utf-16"), b"a,b\n1\0,2\n"])
def test_csv_that_is_not_utf8_text_is_refused(tmp_path, content):
    assert "not a text file" in refused_text(tmp_path, content)


def test_csv_text_where_a_number_belongs_is_named_by_column_and_sample(tmp_path):
    message = refused_text(tmp_path, "a,width\n1,2\n1,twelve\n1,4\n1,5\n")
    assert "column 'width', sample 2: got 'twelve', expected a number" in message


def test_csv_a_column_with_many_words_is_words(tmp_path):
    table = read_text(tmp_path, "a,b\n1,1\nx,2\n2,3\ny,4\n")
    assert columns(table)["a"] == ["1", "x", "2", "y"]


def test_csv_digits_with_underscores_are_text(tmp_path):
    assert "1_000" in refused_text(tmp_path, "a\n1_000\n2\n3\n")


@pytest.mark.parametrize("n_rows", [3, 300_000])
def test_between_semicolons_numbers_may_have_decimal_commas(tmp_path, n_rows):
    file = tmp_path / "europe.csv"
    body = "0,5;1.234,5;Rome, Italy;2.5\n1,000;?;Bonn;3\n-2;7;Oslo;4\n" * (n_rows // 3)
    file.write_text("a;b;place;dotted\n" + body, encoding="utf-8")
    table = ts.data.read(file)
    np.testing.assert_array_equal(table.x["a"][:3], [0.5, 1.0, -2.0])
    np.testing.assert_array_equal(table.x["b"][:3], [1234.5, np.nan, 7.0])
    assert list(table.x["place"][:2]) == ["Rome, Italy", "Bonn"]
    np.testing.assert_array_equal(table.x["dotted"][:3], [2.5, 3.0, 4.0])
    assert table.notes == ("commas in column 'a', 'b' are taken for decimal points",)


def test_words_with_points_do_not_hide_decimal_commas(tmp_path):
    file = tmp_path / "europe.csv"
    body = "".join(f"{'k.A.' if i % 10 == 0 else f'{i},25'};{i}\n" for i in range(100))
    file.write_text(f"a;y\n{body}", encoding="utf-8")
    column = ts.data.read(file).x["a"]
    assert column[0] == "k.A."
    assert column[1] == "1.25"


def test_a_first_line_of_numbers_with_decimal_commas_is_no_header(tmp_path):
    file = tmp_path / "europe.csv"
    file.write_text("0,5;Rome;a\n1,25;Bonn;b\n", encoding="utf-8")
    table = ts.data.read(file)
    assert list(table.x) == ["column_1", "column_2", "column_3"]
    assert table.x["column_1"].tolist() == [0.5, 1.25]
    file.write_text("0,5b;a.b;c\n1,25;3;4\n", encoding="utf-8")
    assert list(ts.data.read(file).x) == ["0,5b", "a.b", "c"]


def test_csv_numbers_may_have_commas_between_thousands(tmp_path):
    table = read_text(tmp_path, 'price,b\n"1,002.5",1\n12,2\n"-1,234,567",3\n,4\n')
    np.testing.assert_array_equal(table.columns()["price"], [1002.5, 12.0, -1234567.0, np.nan])


@pytest.mark.parametrize("cell", ["12,34.5", "1,23,456", "1,2,3"])
def test_csv_other_commas_make_text(tmp_path, cell):
    table = read_text(tmp_path, f'price,b\n"{cell}",1\n"{cell}",2\n')
    assert columns(table)["price"] == [cell, cell]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
@pytest.mark.parametrize(("cell", "number"), [("0,123", 0.123), ("1,23", 1.23), ("1234,567", 1234.567)])
def test_decimal_commas_are_seen_between_any_delimiters(tmp_path, delimiter, cell, number):
    quoted = f'"{cell}"'
    table = read_text(tmp_path, f"price{delimiter}b\n{quoted}{delimiter}1\n{quoted}{delimiter}2\n")
    assert columns(table)["price"] == [number, number]
    assert table.notes == ("commas in column 'price' are taken for decimal points",)


@pytest.mark.parametrize(
    ("rows", "numbers"),
    [
        (["1.29;4,733", "0.3;987"], [4733, 987]),  # the other column has decimal points
        (["1,29;4.733", "0,3;987"], [4733, 987]),  # and here decimal commas
        (["a;4,733", "b;987"], [4733, 987]),  # whole numbers beside it
        (["a;4,733", "b;9,871"], [4.733, 9.871]),  # the custom between semicolons
        (["a;4.733", "b;9.871"], [4.733, 9.871]),
        (["0.5;0,5", "1;1.5"], None),  # no sense in the second
    ],
)
def test_thousands_are_told_from_decimals_by_the_other_columns(tmp_path, rows, numbers):
    table = read_text(tmp_path, "\n".join(["a;b", *rows]) + "\n")
    assert columns(table)["b"] == (numbers or ["0,5", "1.5"])


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["$1.01", "-$2,300.50", "($3)", "$ 4"], [1.01, -2300.5, -3, 4]),
        (["1.699,00 €", "12,5 €", "0 €", ""], [1699, 12.5, 0, np.nan]),
        (["61.5%", "7 %", "100%", "?"], [61.5, 7, 100, np.nan]),
        (["3.95 mm", "4 mm", "12mm", "1e3 mm"], [3.95, 4, 12, 1000]),
        (["16 990", "1\u00a0699", "5", "2\u202f000,5"], [16990, 1699, 5, 2000.5]),
        (["16'990", "\u22125", "7-", "+3"], [16990, -5, -7, 3]),
        (["987", "1.2K", "15k", "2M"], [987, 1200, 15000, 2e6]),
        (["EUR 5", "EUR 1,200", "EUR 1.5", "EUR 0"], [5, 1200, 1.5, 0]),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_are_read_however_they_are_written(tmp_path, kind, cells, numbers):
    import pandas as pd

    path = tmp_path / f"a.{kind}"
    frame = pd.DataFrame({"a": cells, "y": [1, 2, 3, 4]})
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    np.testing.assert_array_equal(columns(read(path))["a"], numbers)


@pytest.mark.parametrize(
    "cells",
    [
        ["A11", "A12", "A13", "A14"],
        ["1A", "1B", "2A", "2B"],
        ["10-19", "20-29", "30-39", "40-49"],
        [">50K", "<=50K", ">50K", "<=50K"],
        ["$5", "5 €", "6 €", "$7"],
        ["5 kg", "500 g", "1 kg", "20 g"],
        ["1.2.3", "1.2.4", "2.0.0", "2.0.1"],
        ["192.168.0.1", "192.168.0.2", "10.0.0.1", "10.0.0.2"],
        ["30", "40", "1 h", "2 h"],
        ["1", "1½", "2", "2½"],
        ["1st", "2nd", "3rd", "4th"],
        ["(5", "6)", "7", "8"],
    ],
)
def test_words_with_digits_stay_words(tmp_path, cells):
    table = read_text(tmp_path, "a;y\n" + "".join(f"{cell};{row}\n" for row, cell in enumerate(cells)))
    assert columns(table)["a"] == cells


@pytest.mark.parametrize(("unit", "kind"), [(" stars", "O"), ("A", "O"), ("%", "f"), (" EUR", "f")])
def test_few_numbers_with_a_word_are_names(tmp_path, unit, kind):
    often = read_text(tmp_path, "a,y\n" + "".join(f"{row % 5}{unit},{row}\n" for row in range(60)))
    assert often.columns()["a"].dtype.kind == kind
    once = read_text(tmp_path, "a,y\n" + "".join(f"{row}{unit},{row}\n" for row in range(6)))
    assert once.columns()["a"].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_note_says_what_was_left_out_beside_numbers(tmp_path):
    lines = [f"{'k.A.' if row % 10 == 0 else f'${row}'};{row} mm;{row % 2}" for row in range(20)]
    table = read_text(tmp_path, "\n".join(["a;b;y", *lines]) + "\n")
    assert table.notes == (
        "'$' beside the numbers of column 'a' is left out",
        "'mm' beside the numbers of column 'b' is left out",
    )
    assert columns(table)["a"][:3] == ["k.A.", "1", "2"]


@pytest.mark.parametrize("cells", [("(3)", "4", "5"), ("3-", "4", "5")])
def test_a_note_says_that_brackets_are_taken_for_a_minus(tmp_path, cells):
    table = read_text(tmp_path, "a;y\n" + "".join(f"{cell};x\n" for cell in cells))
    assert columns(table)["a"] == [-3, 4, 5]
    assert "'a' with brackets, or a minus behind them" in table.notes[0]


def test_one_cell_that_is_written_otherwise_is_named(tmp_path):
    body = "".join(f"${number};{number},5\n" for number in range(99))
    message = refused_text(tmp_path, f"a;b\n{body}€5;1,5\n")
    assert "column 'a', sample 100: got '€5', expected a number (99 other cells" in message
    assert columns(read_text(tmp_path, f"a;b\n{body}$5;0.25\n"))["b"][-2:] == [98.5, 0.25]


@pytest.mark.parametrize(
    ("header", "line", "numbers"),
    [
        ("a,b", lambda row: f'"{row % 9},{row % 89 + 11}","{row % 8 + 1},{row % 899 + 100}"', (1.12, 2.101)),
        (
            "a;b",
            lambda row: f"{row % 8 + 1}.{row % 899 + 100}.{row % 799 + 100};{row % 8 + 1}.{row % 899 + 100}",
            (2101101, 2101),
        ),
        ("a;b", lambda row: f"{row % 9},5;{row % 8 + 1}.{row % 899 + 100},5", (1.5, 2101.5)),
        ("a;b", lambda row: f"{row % 9}.5;{row % 8 + 1},{row % 899 + 100}", (1.5, 2101)),
    ],
)
def test_a_large_file_is_read_as_a_small_one(tmp_path, header, line, numbers):
    tables = []
    for n_rows in (60, 120_000):
        body = "\n".join(f"{line(row)}{header[1]}{'word' * 8}" for row in range(n_rows))
        gaps = header[1] * 2 + "\n"
        tables.append(read_text(tmp_path, f"{header}{header[1]}c\n" + 120 * gaps + body + "\n"))
    small, large = tables
    for name, number in zip("ab", numbers, strict=True):
        assert small.columns()[name][121] == pytest.approx(number)
        np.testing.assert_array_equal(large.columns()[name][:180], small.columns()[name])
    assert large.notes == small.notes
    assert large.forms == small.forms


@pytest.mark.parametrize("cell", ["1" * 100_000 + "x", "1" * 100_000 + ",5,6", "." * 100_000 + "1"])
def test_a_long_cell_of_digits_takes_no_time(cell):
    from threestep.data.written import as_python_writes

    began = time.process_time()
    assert as_python_writes({"a": [cell, "2"]}).columns["a"] == [cell, "2"]
    assert time.process_time() - began < 5.0  # where each digit looks at all others it is minutes


def test_a_first_line_of_very_long_numbers_is_no_crash(tmp_path):
    assert "expected a finite number" in refused_text(tmp_path, "1" * 5000 + ",2,3\n1,2,3\n")


# ---------------------------------------------------------------- new samples, written as those of a model

WRITTEN = {
    "size": (lambda number: f"{number:.3f}".replace(".", ","), "decimal commas"),
    "price": (lambda number: f"{int(1000 * number):,} €".replace(",", "."), "points between thousands"),
    "weight": (lambda number: f"{number:.1f} kg".replace(".", ","), "a unit"),
}


@pytest.fixture(scope="module")
def written_model(tmp_path_factory):
    """A model of numbers as people write them, which it predicts, too."""
    numbers = np.random.default_rng(0).uniform(1, 9, (200, 3))
    lines = [
        ";".join(form(number) for (form, _), number in zip(WRITTEN.values(), row, strict=True))
        for row in numbers
    ]
    path = tmp_path_factory.mktemp("written") / "a.csv"
    goal = numbers.sum(1) / 3
    rows = [f"{line};{f'{y:.3f}'.replace('.', ',')}" for line, y in zip(lines, goal, strict=True)]
    path.write_text("\n".join([";".join([*WRITTEN, "goal"]), *rows]) + "\n", encoding="utf-8")
    model = ts.fit(path, network="8", epochs=5, seed=0).model
    return ts.model.model_of_bytes(ts.model.model_bytes(model), "model")


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_new_samples_are_read_as_those_a_model_learned_from(tmp_path, written_model, delimiter):
    path = tmp_path / "new.csv"
    cells = ['"1,234"', '"8.500"', '"2"', '"4,123"']  # that alone tell nothing
    path.write_text(
        delimiter.join([*WRITTEN, "goal"]) + "\n" + delimiter.join(cells) + "\n", encoding="utf-8"
    )
    table = ts.data.read_anew(written_model.prep, path)
    assert columns(table) == {"size": [1.234], "price": [8500.0], "weight": [2.0], "goal": [4.123]}


def test_a_frame_is_read_as_the_file_a_model_learned_from(written_model):
    import pandas as pd

    texts = pd.DataFrame({"size": ["1,234"], "price": ["8.500 €"], "weight": ["2 kg"]})
    numbers = pd.DataFrame({"size": [1.234], "price": [8500.0], "weight": [2.0]})
    assert written_model.predict(texts).tolist() == written_model.predict(numbers).tolist()
    assert written_model.predict(dict(texts)).tolist() == written_model.predict(numbers).tolist()


def test_what_can_be_read_in_one_way_only_is_read_so(tmp_path, written_model):
    path = tmp_path / "new.csv"
    path.write_text("size,price,weight\n1.5,8500.25,2.0\n", encoding="utf-8")
    assert columns(ts.data.read_anew(written_model.prep, path)) == {
        "size": [1.5],
        "price": [8500.25],
        "weight": [2],
    }


def test_a_model_of_before_reads_its_own_file_as_it_always_did(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"8.{row:03};-0,{row:03};6,{row:03};{row % 2}" for row in range(100, 160)]
    path.write_text("\n".join(["p;w;q;y", *rows]) + "\n", encoding="utf-8")
    model = ts.fit(path, network="4", epochs=1).model
    old = replace(model, prep=model.prep._replace(layout=replace(model.prep.layout, written=None)))
    assert columns(ts.data.read_anew(old.prep, path)) == columns(read(path))
    assert model.predict(path).tolist() == old.predict(path).tolist()


def test_a_sparse_matrix_is_refused_with_a_way_on():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ts.DataError, match=r"sparse matrix, expected an array\s*hint: give x.toarray"):
        read((sparse.csr_matrix(np.eye(4)), [0, 1, 0, 1]))


def test_words_among_numbers_stay_words_when_they_are_read_anew(tmp_path):
    path = tmp_path / "a.csv"
    cells = ["7 kg" if row % 8 == 0 else f"{row}.5" for row in range(400)]
    path.write_text(
        "\n".join(["a,b,y", *(f"{cell},{row},{row % 2}" for row, cell in enumerate(cells))]), encoding="utf-8"
    )
    model = ts.fit(path, network="4", epochs=1).model
    assert model.prep.layout.with_strays == ("a",)
    assert columns(ts.data.read_anew(model.prep, path))["a"] == columns(read(path))["a"]


def test_text_of_a_frame_is_read_anew_as_it_was():
    cells = ["$5" if row % 50 == 0 else f"{row}.5" for row in range(400)]
    frame = {"a": np.array(cells, object), "b": np.arange(400.0), "y": np.arange(400) % 2}
    model = ts.fit(frame, target="y", network="4", epochs=1).model
    assert columns(ts.data.read_anew(model.prep, frame))["a"] == cells


def test_thousands_are_told_by_k_in_every_row(tmp_path):
    path, new = tmp_path / "a.csv", tmp_path / "new.csv"
    path.write_text("\n".join(["a,y", *(f"{row}.3K,{row % 2}" for row in range(60))]), encoding="utf-8")
    new.write_text("a\n1.2K\n987\n1M\n", encoding="utf-8")
    model = ts.fit(path, network="4", epochs=1).model
    assert columns(ts.data.read_anew(model.prep, new))["a"] == [1200, 987, 1e6]


def test_a_very_long_word_is_no_unit(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(["a,y", *(f"{row} {'x' * 1100},{row % 2}" for row in range(60))]), encoding="utf-8"
    )
    assert columns(read(path))["a"][1] == "1 " + "x" * 1100


def test_classes_that_are_numbers_are_read_as_they_were(tmp_path):
    path, new = tmp_path / "a.csv", tmp_path / "new.csv"
    path.write_text(
        "\n".join(["w,v,y", *(f'{row},{row % 7},"{row % 3 + 1},000"' for row in range(90))]), encoding="utf-8"
    )
    new.write_text("w;v;y\n1;2;1,000\n3;4;2,000\n", encoding="utf-8")
    model = ts.fit(path, task="classes", network="4", epochs=1).model
    table = ts.data.labelled(ts.data.read_anew(model.prep, new), "y")
    assert ts.data.encode_target(model.prep, table).tolist() == [0, 1]


def test_another_unit_is_no_number(tmp_path, written_model):
    path = tmp_path / "new.csv"
    path.write_text("size;price;weight\n1,5;8.500 €;2 kg\n1,5;8.500 €;2000 g\n", encoding="utf-8")
    with pytest.raises(ts.DataError, match="column 'weight', sample 2: got text such as '2000 g'"):
        written_model.predict(path)


def test_classes_that_begin_with_numbers_stay_classes(tmp_path):
    path, part = tmp_path / "stars.csv", tmp_path / "part.csv"
    lines = [f"{row % 4}.{row % 10},{row % 4 + 1} stars" for row in range(200)]
    path.write_text("\n".join(["x,y", *lines]) + "\n", encoding="utf-8")
    part.write_text("\n".join(["x,y", *lines[:7]]) + "\n", encoding="utf-8")
    model = ts.fit(path, network="4", epochs=2).model
    table = ts.data.labelled(ts.data.read_anew(model.prep, part), "y")
    assert ts.data.encode_target(model.prep, table).tolist() == [0, 1, 2, 3, 0, 1, 2]


@pytest.mark.parametrize("n_rows", [4, 400_000])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_packed_file_is_read_as_it_is_unpacked(tmp_path, n_rows, delimiter):
    body = "Yes;0,5;2020-01-02;t\nNo;?;2021-03-04;f\n".replace(";", delimiter)
    body = body.replace("0,5", "0.5") if delimiter == "," else body
    text = delimiter.join(["smoker", "n", "when", "flag"]) + "\n" + body * (n_rows // 2)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    plain, packed = read(tmp_path / "a.csv"), read(tmp_path / "a.csv.gz")
    assert plain.name == packed.name == "a"
    assert plain.notes == packed.notes
    for name, column in plain.columns().items():
        np.testing.assert_array_equal(column, packed.columns()[name])


def test_a_packed_file_that_is_cut_off_is_named(tmp_path):
    whole = gzip.compress(b"a,b\n1,2\n" * 1000)
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "a.csv.gz: cannot be read" in refused(tmp_path / "a.csv.gz")
    (tmp_path / "a.csv.gz").write_bytes(b"a,b\n1,2\n")
    assert "a.csv.gz: cannot be read" in refused(tmp_path / "a.csv.gz")


def test_a_note_says_that_numbers_may_be_codes(tmp_path):
    table = read_text(tmp_path, "zip,n,word,y\n01234,0,01,1\n12345,0.5,x,0\n,10,y,1\n")
    (note,) = table.notes
    assert "'zip' such as 01234 begin with 0" in note
    (tmp_path / "t.csv").write_text("zip,y\n01234,1\n12345,0\n")
    kept = read(tmp_path / "t.csv", how=Files(column=("zip=category",)))
    assert kept.notes == ()


def test_other_kinds_of_tables_are_to_be_saved_as_csv(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    assert "save a table as CSV" in refused(tmp_path / "t.xlsx")


def test_years_may_be_names_of_columns(tmp_path):
    assert list(columns(read_text(tmp_path, "2000,2001,2002,y\n5,7,6,1\n8,3,2,0\n"))) == [
        "2000",
        "2001",
        "2002",
        "y",
    ]
    assert "column_1" in columns(read_text(tmp_path, "5,6,7,y\n1,2,3,x\n"))


def test_words_that_come_again_in_their_columns_are_no_names(tmp_path):
    body = "y,n,rep\nn,n,dem\ny,y,rep\ny,n,dem\n"
    table = read_text(tmp_path, body)
    assert list(columns(table)) == ["column_1", "column_2", "column_3"]
    assert table.n_samples == 4
    assert "the first line is taken for a sample" in table.notes[0]
    assert list(columns(read_text(tmp_path, "a,b,class\n" + body))) == ["a", "b", "class"]


@pytest.mark.parametrize("n_rows", [1, 1_200_000])
def test_a_first_line_that_only_says_the_delimiter_is_passed_over(tmp_path, n_rows):
    table = read_text(tmp_path, "sep=;\na;b\n" + "1;2\n" * n_rows)
    assert list(table.columns()) == ["a", "b"]
    assert table.n_samples == n_rows
    assert (table.columns()["b"] == 2).all()


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_csv_infinite_numbers_are_named(tmp_path, cell):
    assert "'b', sample 2" in refused_text(tmp_path, f"a,b\n1,2\n1,{cell}\n")


def test_csv_a_cell_too_long_is_a_short_message(tmp_path):
    assert len(refused_text(tmp_path, "a,b\n1,2\n1,3\n1," + "x" * 100_000 + "\n")) < 500
    assert "cannot be read as CSV" in refused_text(tmp_path, "a,b\n" + "x" * 200_000 + ",2\n")


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "data", "CSV"])
def test_csv_endings(tmp_path, ending):
    assert columns(read_text(tmp_path, "a,b\n1,2\n", f"t.{ending}")) == {"a": [1.0], "b": [2.0]}


# ---------------------------------------------------------------- npz


def npz(tmp_path: Path, **arrays) -> Path:
    path = tmp_path / "arrays.npz"
    np.savez(path, **arrays)
    return path


def test_npz_gives_its_arrays_back(tmp_path):
    x, y = np.arange(24, dtype=np.float32).reshape(4, 2, 3), np.array([0, 1, 0, 1])
    table = read(npz(tmp_path, x=x, y=y))
    np.testing.assert_array_equal(table.x, x)
    np.testing.assert_array_equal(table.y, y)
    assert table.x.dtype == np.float32


def test_npz_compressed_in_column_order_and_with_words(tmp_path):
    x = np.asfortranarray(np.arange(6.0).reshape(3, 2))
    np.savez_compressed(tmp_path / "a.npz", x=x, y=np.array(["u", "v", "u"]))
    table = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(table.x, x)
    assert table.y.tolist() == ["u", "v", "u"]


def test_npz_without_y_has_no_target(tmp_path):
    table = read(npz(tmp_path, x=np.zeros((3, 2))))
    assert table.y is None
    with pytest.raises(ts.DataError, match="has no target"):
        label(table)


def test_npz_without_x_gets_did_you_mean(tmp_path):
    message = refused(npz(tmp_path, inputs=np.zeros((3, 2)), labels=np.zeros(3)))
    assert "has no array `x`, but inputs, labels" in message


@pytest.mark.parametrize(
    ("x", "y"), [("X", "Y"), ("x_train", "y_train"), ("images", "labels"), ("arr_0", "arr_1")]
)
def test_arrays_of_an_npz_may_have_other_usual_names(tmp_path, x, y):
    table = read(npz(tmp_path, **{x: np.ones((3, 2)), y: np.arange(3)}))
    assert table.n_samples == 3
    assert table.y.tolist() == [0, 1, 2]


def test_samples_and_target_may_be_an_npy_file_each(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 4, 5)))
    np.save(tmp_path / "b.npy", np.array(["u", "v", "u"]))
    table = read(f"{tmp_path}/a.npy,{tmp_path}/b.npy")
    assert table.x.shape == (3, 4, 5)
    assert table.y.tolist() == ["u", "v", "u"]
    assert read(tmp_path / "a.npy").y is None
    np.save(tmp_path / "c.npy", np.array([{}, 1, 2], dtype=object))
    assert "Python objects" in refused(tmp_path / "c.npy")
    (tmp_path / "d.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-3])
    assert "cannot be read as npy" in refused(tmp_path / "d.npy")


def test_a_pair_that_is_no_idx_gets_a_hint_at_what_a_pair_is(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"GIF89a")
    with pytest.raises(ts.DataError) as caught:
        read(f"{tmp_path}/a.jpg,{tmp_path}/b.jpg")
    assert "x.npy,y.npy" in caught.value.hint


def test_a_picture_alone_is_no_table(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ts.DataError, match="one picture or sound, expected samples"):
        read(tmp_path / "a.png")


def test_samples_for_the_test_in_an_npz_are_for_the_test(tmp_path):
    parts = {
        "x_train": np.ones((6, 2)),
        "y_train": np.arange(6),
        "x_test": np.zeros((3, 2)),
        "y_test": np.arange(3),
    }
    table = read(npz(tmp_path, **parts))
    assert table.n_samples == 9
    assert np.flatnonzero(table.is_test).tolist() == [6, 7, 8]
    assert "of shapes (2,) and (4,)" in refused(npz(tmp_path, **{**parts, "x_test": np.zeros((3, 4))}))


def test_npz_of_objects_is_refused_and_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    assert "Python objects" in refused(npz(tmp_path, x=np.array([[Bomb()]], dtype=object)))
    assert "Python objects" in refused(npz(tmp_path, x=np.zeros((1, 2)), y=np.array([Bomb()], dtype=object)))


def test_npz_cut_anywhere_is_refused(tmp_path):
    path = npz(tmp_path, x=np.arange(6.0).reshape(3, 2), y=np.arange(3))
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        assert "cannot be read as npz" in refused(path)


def test_npz_lengths_that_differ_are_refused(tmp_path):
    assert "got shape (2,), expected (3,)" in refused(npz(tmp_path, x=np.zeros((3, 2)), y=np.zeros(2)))


def npz_of_header(path: Path, shape: tuple, dtype: str = "<f8", values: bytes = b"\0" * 64) -> Path:
    """An npz file whose x has an honest zip entry and a header that may lie."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": dtype, "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", member.getvalue() + values)
    return path


def test_the_hand_made_npz_is_read_where_its_header_is_right(tmp_path):
    assert read(npz_of_header(tmp_path / "a.npz", (4, 2))).x.shape == (4, 2)


@pytest.mark.parametrize(
    "shape",
    [
        (1 << 40,),
        (1 << 28, 2),
        (1 << 40, 0),
        (1 << 62, 1 << 62),
        (-1, 8),
        (-4, -2),
        (1,) * 65,
        (5, 2),
        (3, 2),
    ],
)
def test_npz_header_that_lies_about_its_shape_is_refused_before_allocation(tmp_path, shape):
    path = npz_of_header(tmp_path / "a.npz", shape)
    tracemalloc.start()
    try:
        assert "cannot be read as npz" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_npz_sizes_that_lie_in_the_zip_entry_too_are_refused_before_allocation(tmp_path):
    path = npz_of_header(tmp_path / "a.npz", (1 << 30, 1), "|u1")
    content, true_size = path.read_bytes(), 128 + 64
    lie = (128 + (1 << 30)).to_bytes(4, "little")
    assert content.count(true_size.to_bytes(4, "little")) == 2
    path.write_bytes(content.replace(true_size.to_bytes(4, "little"), lie))
    tracemalloc.start()
    try:
        assert "cannot be read as npz" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY\x01\0", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_npz_of_another_format_is_refused(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert "cannot be read as npz" in refused(path)


# ---------------------------------------------------------------- idx


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.tobytes()


PICTURES = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)
LABELS = np.array([3, 1, 4, 1, 5], dtype=np.uint8)


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_pairs_plain_and_gzipped(tmp_path, zipped):
    pack = gzip.compress if zipped else bytes
    images, labels = tmp_path / "a-images-idx3-ubyte", tmp_path / "a-labels-idx1-ubyte"
    images.write_bytes(pack(idx(PICTURES)))
    labels.write_bytes(pack(idx(LABELS)))
    table = read(f"{images},{labels}")
    np.testing.assert_array_equal(table.x, PICTURES)
    np.testing.assert_array_equal(table.y, LABELS)
    assert read(images).y is None


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(0x08, ">u1"), (0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")],
)
def test_idx_of_every_type_of_number(tmp_path, kind, dtype):
    array = np.array([[1, 2, 3], [4, 5, 100]], dtype)
    (tmp_path / "a.idx").write_bytes(idx(array, kind))
    table = read(tmp_path / "a.idx")
    np.testing.assert_array_equal(table.x, array)
    assert table.x.dtype == np.dtype(dtype).newbyteorder("=")


def refused_idx(tmp_path: Path, content: bytes) -> str:
    (tmp_path / "a.idx").write_bytes(content)
    return refused(tmp_path / "a.idx")


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_cut_anywhere_is_refused(tmp_path, zipped):
    content = idx(PICTURES)
    for length in range(len(content)):
        cut = gzip.compress(content[:length]) if zipped else content[:length]
        assert "cannot be read as idx" in refused_idx(tmp_path, cut)


def test_idx_gzip_cut_anywhere_is_refused(tmp_path):
    content = gzip.compress(idx(PICTURES))
    for length in range(len(content)):
        assert "cannot be read as idx" in refused_idx(tmp_path, content[:length])


def test_idx_with_bytes_left_over_is_refused(tmp_path):
    assert "got more bytes" in refused_idx(tmp_path, idx(PICTURES) + b"\0")


@pytest.mark.parametrize(
    "start", [b"\1\0\x08\x02", b"\0\0\x07\x02", b"\0\0\x08\0", b"\x1f\x8b\x08\0", b"P5 3"]
)
def test_idx_of_wrong_magic_is_refused(tmp_path, start):
    assert "cannot be read as idx" in refused_idx(tmp_path, start + b"\0\0\0\1" * 2 + b"\0")


def test_idx_pair_of_different_lengths_is_refused(tmp_path):
    (tmp_path / "x.idx").write_bytes(idx(PICTURES))
    (tmp_path / "y.idx").write_bytes(idx(LABELS[:4]))
    assert "got shape (4,), expected (5,)" in refused(f"{tmp_path / 'x.idx'},{tmp_path / 'y.idx'}")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    "header",
    [
        b"\0\0\x08\x03" + b"\xff" * 12,
        b"\0\0\x08\x01" + b"\xff" * 4,
        b"\0\0\x08\x03" + b"\0" * 4 + b"\xff" * 8,
        b"\0\0\x08\xff" + b"\0\0\0\1" * 255,
        b"\0\0\x0e\x02" + b"\x10\0\0\0" + b"\0\0\0\1",
    ],
)
def test_idx_header_that_claims_too_much_is_refused_before_allocation(tmp_path, header, zipped):
    content = header + b"\0"
    tracemalloc.start()
    try:
        refused_idx(tmp_path, gzip.compress(content) if zipped else content)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_idx_that_unpacks_to_more_than_it_claims_is_not_unpacked_further(tmp_path):
    content = gzip.compress(idx(LABELS) + bytes(200_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        assert "got more bytes" in refused_idx(tmp_path, content)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- arrays


def test_arrays_are_taken_as_they_are():
    x, y = np.arange(6.0).reshape(3, 2), ["a", "b", "a"]
    table = read((x, y))
    np.testing.assert_array_equal(table.x, x)
    assert table.y.tolist() == y
    assert read(x).y is None
    np.testing.assert_array_equal(read(x.tolist()).x, x)


def test_a_target_of_one_column_is_a_target():
    assert read((np.zeros((3, 2)), np.array([[1], [2], [3]]))).y.tolist() == [1, 2, 3]


@pytest.mark.parametrize("x", [[1.0, 2.0], np.zeros(3), np.array(3.0), np.array(np.inf), []])
def test_arrays_without_two_axes_are_refused(x):
    with pytest.raises(ts.DataError):
        read(x)


def test_a_1d_x_is_refused_with_the_way_out():
    assert "x.reshape(-1, 1)" in refused(([1, 2, 3], [1, 2, 3]))


def test_samples_without_features_are_refused():
    assert "without a feature" in refused((np.zeros((3, 0)), np.zeros(3)))


def test_ragged_lists_are_refused():
    assert "different lengths" in refused([[1, 2], [3]])
    assert "y: got rows of different lengths" in refused((np.zeros((3, 2)), [[1], [1, 2], 3]))


def test_object_arrays_are_numbers_or_an_error_naming_the_sample():
    table = read((np.array([[1, None], ["2.5", True]], dtype=object), [0, 1]))
    np.testing.assert_array_equal(table.x, [[1, np.nan], [2.5, 1]])
    assert "sample 2: got 'red'" in refused(([[1, 2], [3, "red"]], [0, 1]))
    assert "sample 2: got [1]" in refused(np.array([[1, 2], [3, [1]]], dtype=object))
    assert "sample 1: got 1000" in refused([[10**400, 1]])


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[s]", "complex128"])
def test_arrays_of_other_types_are_refused(kind):
    assert "expected numbers" in refused(np.zeros((2, 2), kind))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_inputs_are_named(value):
    x = np.zeros((4, 3))
    x[2, 1] = value
    assert "sample 3, input 2" in refused((x, np.zeros(4)))


def test_missing_inputs_are_kept_as_nan():
    assert np.isnan(read([[1, None], [np.nan, 2]]).x).tolist() == [[False, True], [True, False]]


def test_x_and_y_of_different_lengths_are_refused():
    assert "got shape (2,), expected (3,)" in refused((np.zeros((3, 2)), [0, 1]))
    assert "one target per sample" in refused((np.zeros((3, 2)), np.zeros((3, 2, 2))))


def test_a_table_is_passed_through():
    table = read("iris")
    assert read(table) is table


# ---------------------------------------------------------------- mappings


def test_a_mapping_is_named_columns():
    table = read({"n": [1, None], "word": ["x", None], "also": np.array(["u", "v"]), 3: [True, False]})
    assert table.columns()["word"].tolist() == ["x", ""]
    assert table.columns()["also"].tolist() == ["u", "v"]
    np.testing.assert_array_equal(table.columns()["n"], [1, np.nan])
    assert table.columns()["3"].tolist() == [True, False]


def test_nan_beside_words_is_missing_and_no_word():
    assert read({"a": ["x", float("nan"), None]}).columns()["a"].tolist() == ["x", "", ""]
    assert read({"a": np.array([b"x", b"y"])}).columns()["a"].tolist() == ["x", "y"]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"a": 1},
        {"a": [1, 2], "b": [1]},
        {"a": [[1, 2], [3, 4]]},
        {"a": [[1], [1, 2]]},
        {1: [1], "1": [2]},
        {"a": [1.0, np.inf]},
        {"a": np.zeros(2, complex)},
    ],
)
def test_mappings_that_are_no_table_are_refused(bad):
    refused(bad)


# ---------------------------------------------------------------- data frames

MIXED = {
    "whole": [1, 2, 3],
    "gap": [0.5, None, 2.5],
    "word": ["u", None, "v"],
    "yes": [True, False, True],
    "maybe": [True, None, False],
    "nothing": [None, None, None],
}


def frames() -> dict[str, object]:
    made: dict[str, object] = {}
    for name in ("pandas", "polars", "pyarrow"):
        try:
            library = __import__(name)
        except ImportError:
            continue
        made[name] = library.table(MIXED) if name == "pyarrow" else library.DataFrame(MIXED)
    return made


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_every_frame_library_gives_the_same_arrays(library):
    pytest.importorskip(library)
    table = read(frames()[library])
    assert list(table.columns()) == list(MIXED)
    expected = read(MIXED).columns()
    for name, column in table.columns().items():
        np.testing.assert_array_equal(column, expected[name], err_msg=name)
        assert (column.dtype.kind == "O") == (name == "word")
    assert table.columns()["gap"].dtype == np.float64
    assert table.notes == ()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_beside_its_target(library):
    module = pytest.importorskip(library)
    table = read((module.DataFrame({"a": [1, 2]}), module.Series(["u", "v"])))
    assert table.y.tolist() == ["u", "v"]
    assert columns(table) == {"a": [1.0, 2.0]}
    with pytest.raises(ts.DataError, match=r"got shape \(3,\)"):
        read((module.DataFrame({"a": [1, 2]}), [1, 2, 3]))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_infinite_cells_and_empty_frames_are_refused(library):
    module = pytest.importorskip(library)
    assert "'a', sample 2" in refused(module.DataFrame({"a": [1.0, float("inf")]}))
    assert "0 rows" in refused(module.DataFrame({"a": []}))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_dates_are_read_as_words_and_durations_in_seconds(library):
    module = pytest.importorskip(library)
    import datetime

    days = [datetime.datetime(2020, 1, 1), None]
    table = read(module.DataFrame({"day": days, "b": [1, 2], "long": [datetime.timedelta(1)] * 2}))
    assert table.columns()["day"].tolist() == ["2020-01-01T00:00:00", ""]
    assert table.columns()["long"].tolist() == [86400.0, 86400.0]
    assert not table.notes


def test_pandas_own_types_and_missing_values():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "s": pd.array(["x", None], dtype="string"),
            "c": pd.Categorical([3, None]),
            "o": pd.Series([1, None], dtype=object),
            "m": pd.Series(["x", pd.NaT], dtype=object),
        }
    )
    table = read(frame)
    np.testing.assert_array_equal(table.columns()["i"], [1, np.nan])
    np.testing.assert_array_equal(table.columns()["o"], [1, np.nan])
    assert [table.columns()[name].tolist() for name in "scm"] == [["x", ""], ["3", ""], ["x", ""]]


def test_pandas_column_names_need_not_be_text():
    pd = pytest.importorskip("pandas")
    assert columns(read(pd.DataFrame([[1, 2]]))) == {"0": [1.0], "1": [2.0]}
    levels = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
    assert list(columns(read(pd.DataFrame([[1, 2]], columns=levels)))) == ["('a', 'b')", "('a', 'c')"]
    assert label(read(pd.DataFrame([[1, 2]])), target=0).y_name == "0"


def test_pandas_column_names_given_twice_are_refused():
    pd = pytest.importorskip("pandas")
    assert "twice" in refused(pd.DataFrame([[1, 2]], columns=[1, "1"]))
    refused(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_lazy_frame_is_refused():
    pl = pytest.importorskip("polars")
    assert "LazyFrame" in refused(pl.LazyFrame({"a": [1]}))


# ---------------------------------------------------------------- which column is the target


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "target", "b"], "target"),
        (["label", "a"], "label"),
        (["y", "Class", "a"], "Class"),
        (["Y", "a"], "Y"),
        (["a", "b"], "b"),
    ],
)
def test_the_usual_target_else_the_last_column(names, expected):
    table = label(read({name: [1.0, 2.0] for name in names}))
    assert table.y_name == expected
    assert list(table.columns()) == [name for name in names if name != expected]


def test_a_target_of_a_kind_that_is_left_out_says_so():
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, 2.0], "long": [1j, 2j]})
    with pytest.raises(ts.DataError, match=r"'long' in frame that can be used .Unknown"):
        label(read(frame), "long")
    with pytest.raises(ts.DataError, match="0 usable columns") as caught:
        read(frame[["long"]])
    assert "column 'long' is left out" in caught.value.hint


@pytest.mark.parametrize("role", ["weight", "groups", "order"])
def test_a_target_is_nothing_else_as_well(role):
    with pytest.raises(ts.DataError, match="column 'y' is the target"):
        ts.fit({"a": [1.0, 2.0, 3.0], "y": [0, 1, 0]}, target="y", **{role: "y"})


def test_a_wrong_target_name_gets_did_you_mean():
    with pytest.raises(ts.DataError, match=r"no column 'speceis'[\s\S]*did you mean `species`\?"):
        label(read({"width": [1, 2], "species": ["a", "b"]}), "speceis")
    with pytest.raises(ts.DataError, match="the target of iris is 'class'"):
        label(read("iris"), "sepal length (cm)")


def test_a_target_without_features_is_refused():
    with pytest.raises(ts.DataError, match="no features"):
        label(read({"a": [1, 2]}))


# ---------------------------------------------------------------- any bytes at all


def table_or_user_error(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with suppress(ts.UserError):
            assert isinstance(read(path), Table)


@pytest.fixture(scope="module")
def folder():
    """A folder for thousands of small files: in memory where that is to be had."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


csv_alphabet = st.sampled_from([*'abé_01.5e-,;\t|"\n\r ', "nan", "inf", "NA", "1e400", "\n1,2", '""', "\x00"])


@given(text=st.lists(csv_alphabet, max_size=60).map("".join))
def test_any_csv_text_is_a_table_or_a_user_error(folder, text):
    (folder / "text.csv").write_bytes(text.encode())
    table_or_user_error(folder / "text.csv")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_user_error_whatever_the_ending(folder, content):
    for ending in ("csv", "npz", "gz", "idx"):
        path = folder / f"bytes.{ending}"
        path.write_bytes(content)
        table_or_user_error(path)


cell = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.floats(
    allow_infinity=False
).map(repr)


@given(rows=st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(cell, min_size=n, max_size=n), min_size=2)))
def test_any_well_formed_csv_keeps_its_number_of_samples(folder, rows):
    names = [f"c{index}" for index in range(len(rows[0]) + 1)]
    path = folder / "formed.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv_module.writer(file).writerows([names, *([*row, "w"] for row in rows)])
    try:
        table = read(path)
    except ts.DataError as error:
        message = str(error)
        assert re.search(r"expected a (finite )?number", message)  # nothing else can be wrong
        return
    assert list(table.columns()) == names
    assert table.n_samples == len(rows)


def mutated(content: bytes, random: Random) -> bytes:
    """Some bytes changed, and perhaps the end cut or a stretch repeated."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] = random.choice(
            [0, 1, 8, 48, 127, 255, random.randrange(256)]
        )
    at, how = random.randint(0, len(changed)), random.randrange(5)
    return bytes(changed[:at] if how == 0 else changed + changed[at:] if how == 1 else changed)


def valid_npz(compressed: bool) -> bytes:
    file = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(file, x=np.arange(12.0).reshape(4, 3), y=np.array(["a", "b", "a", "b"]))
    return file.getvalue()


VALID = {
    "csv": b'width,colour,y\r\n1.5,"red, dark",0\r\n,blue,1\r\n2e3,red,0\r\n',
    "idx": idx(PICTURES),
    "f4.idx": idx(np.array([[1.5, 2.5]], ">f4"), 0x0D),
    "idx.gz": gzip.compress(idx(PICTURES), mtime=0),
    "stored.npz": valid_npz(False),
    "deflated.npz": valid_npz(True),
}


@pytest.mark.parametrize("ending", VALID)
def test_2000_mutated_files_never_crash_and_where_summed_are_never_silently_different(folder, ending):
    random = Random(0)
    path = folder / f"a.{ending}"
    path.write_bytes(VALID[ending])
    before = read(path)
    n_refused = 0
    for _ in range(2000):
        path.write_bytes(mutated(VALID[ending], random))
        try:
            after = read(path)
        except ts.UserError:
            n_refused += 1
            continue
        if ending.endswith(("npz", "gz")):  # these carry a checksum
            np.testing.assert_array_equal(after.x, before.x)
            assert after.y is None or after.y.tolist() == before.y.tolist()
    assert 100 < n_refused < 2000


@given(header=st.binary(max_size=80), data=st.data())
def test_any_npy_header_is_a_table_or_a_user_error(folder, header, data):
    text = data.draw(
        st.sampled_from(
            [
                header,
                b"{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2), }",
                b"{'descr': '<U9', 'fortran_order': True, 'shape': (True, 2), }",
                b"{'descr': '|V8', 'fortran_order': True, 'shape': (1, 2), }",
                b"{'descr': '<M8[s]', 'fortran_order': True, 'shape': (4, 2), }",
                b"{'descr': [('a', '<f8')], 'fortran_order': True, 'shape': (4, 2), }",
                b"{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2), }" + header,
                b"((((((((",
                b"[" * 9000,
            ]
        )
    )
    version = data.draw(st.sampled_from([b"\x01\0", b"\x02\0", b"\x03\0", b"\x09\0"]))
    path = folder / "header.npz"
    with zipfile.ZipFile(path, "w") as archive:
        magic = b"\x93NUMPY" + version + len(text).to_bytes(2, "little")
        archive.writestr("x.npy", magic + text + b"\0" * 64)
    table_or_user_error(path)


def test_a_header_of_counted_columns_is_a_header(tmp_path):
    path = tmp_path / "frame.csv"
    path.write_text("0,1,2,label\n" + "5,6,7,a\n" * 3)
    assert list(read(path).columns()) == ["0", "1", "2", "label"]
    path.write_text("0,1,2\n" + "5,6,7\n" * 3)
    assert read(path).n_samples == 3
    path.write_text("0,1,5\n" + "5,6,7\n" * 3)
    assert read(path).n_samples == 4


def test_a_gzipped_table_is_read(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    assert read(path).columns()["b"].tolist() == [2, 4]


def test_what_a_masked_array_hides_is_missing():
    numbers = np.ma.masked_array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    np.testing.assert_array_equal(read((numbers, [0, 1])).x, [[1, np.nan], [3, 4]])
    words = np.ma.masked_array(["a", "b"], mask=[1, 0])
    assert read({"word": words, "y": [0, 1]}).columns()["word"].tolist() == ["", "b"]


def test_large_labels_with_gaps_beside_them_stay_themselves():
    labels = [2**63 + 1, 2**63 + 2, 5] * 8
    hidden = np.ma.masked_array(np.array([*labels, 0], np.uint64), mask=[*[0] * 24, 1])
    x = np.arange(25.0)[:, None]
    for y in (hidden, [*labels, None]):
        assert sorted(set(labelled(read((x, y))).y.tolist())) == sorted(set(labels))


def test_a_unit_behind_a_point_is_one_and_an_ending_of_a_file_is_not(tmp_path):
    (tmp_path / "t.csv").write_text(
        "share,euro,name,y\n" + "".join(f"{n}.%,{n}.€,{n}.png,{n}\n" for n in range(60))
    )
    columns = read(tmp_path / "t.csv").columns()
    assert [columns[name].dtype.kind for name in ("share", "euro", "name")] == ["f", "f", "O"]


@pytest.mark.parametrize("name", ["t.tar.gz", "t.json.gz"])
def test_packed_files_of_other_kinds_are_no_arrays(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ts.DataError, match="a kind of file that is not known"):
        read(tmp_path / name)
