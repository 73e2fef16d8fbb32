"""Data of which the name says that they cannot be read as they are: the hint says what to do."""

import pytest

import threestep as ts


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("-", "write it to a file first"),
        ("/dev/fd/9999", "write it to a file first"),
        ("https://example.org/table.csv", "curl -O https://example.org/table.csv"),
        ("s3://bucket/table.csv", "copy it to this machine"),
        ("table.csv.bz2", "unpack it first"),
        ("table.zip", "unpack it first"),
        ("table.xlsx", "pandas.read_excel"),
        ("table.json", "save it as .jsonl"),
        ("table.pkl", "load it in Python"),
        ("table", "the ending .csv"),
        ("table.odd", "save a table as CSV; expected a built-in name"),
    ],
)
def test_the_hint_says_what_to_do(in_tmp, name, hint):
    if "/" not in name and name != "-":
        (in_tmp / name).write_text("a,y\n1,2\n")
    with pytest.raises(ts.DataError) as caught:
        ts.data.read(name)
    assert hint in caught.value.hint
    assert name in caught.value.message
