"""The real data sets beside the repository: read as their own documentation says they are."""

import collections
import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

import threestep as ts
from threestep.data import Table, encode, encode_target, fit_prep, label, read, split, understand_target

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="the real data sets are not beside the repository (../shared/data)"
    ),
]


def missing(column: np.ndarray) -> int:
    """How many cells of a column are not known."""
    return int((column == "").sum() if column.dtype.kind == "O" else np.isnan(column).sum())


def n_missing(table: Table) -> dict[str, int]:
    """How many cells are not known, for columns where some are not."""
    counts = {name: missing(column) for name, column in table.columns().items()}
    return {name: count for name, count in counts.items() if count}


def word_columns(table: Table) -> set[str]:
    return {name for name, column in table.columns().items() if column.dtype.kind == "O"}


def class_counts(table: Table) -> dict:
    return dict(sorted(collections.Counter(np.asarray(table.y).tolist()).items()))


def go_through(table: Table):
    """Split, prep and encode; all finite. Gives the prep."""
    target = understand_target(table.y, table.y_name)
    parts = split(table, 0.15, 0.2, 0, target.kind == "classes")
    prep = fit_prep(parts.train, target)
    for part in parts:
        assert np.isfinite(encode(prep, part)).all()
        assert np.isfinite(encode_target(prep, part)).all()
    return prep


# ---------------------------------------------------------------- tables

TITANIC_WORDS = {"Name", "Sex", "Ticket", "Cabin", "Embarked"}
MUSHROOM = {"e": 4208, "p": 3916}
RED = {3.0: 10, 4.0: 53, 5.0: 681, 6.0: 638, 7.0: 199, 8.0: 18}
WHITE = {3.0: 20, 4.0: 163, 5.0: 1457, 6.0: 2198, 7.0: 880, 8.0: 175, 9.0: 5}


@pytest.mark.parametrize(
    ("path", "n_rows", "n_columns", "target", "classes", "gaps", "n_words"),
    [
        ("adult/adult.data", 32561, 15, None, {"<=50K": 24720, ">50K": 7841}, 4262, 8),
        ("titanic/titanic.csv", 891, 12, "Survived", {0.0: 549, 1.0: 342}, 177 + 687 + 2, 5),
        ("wine-quality/winequality-red.csv", 1599, 12, None, RED, 0, 0),
        ("wine-quality/winequality-white.csv", 4898, 12, None, WHITE, 0, 0),
        ("letter/letter-recognition.data", 20000, 17, "column_1", None, 0, 0),
        (
            "heart-cleveland/processed.cleveland.csv",
            *(303, 14, None, {0.0: 164, 1.0: 55, 2.0: 36, 3.0: 35, 4.0: 13}, 6, 0),
        ),
        ("mushroom/agaricus-lepiota.csv", 8124, 23, "edible", MUSHROOM, 2480, 22),
        ("pima-diabetes/pima-indians-diabetes.csv", 768, 9, None, {0.0: 500, 1.0: 268}, 0, 0),
        (
            "penguins/penguins.csv",
            *(344, 7, "species", {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}, 4 * 2 + 11, 2),
        ),
    ],
)
def test_tables_of_classes_are_read_as_documented(path, n_rows, n_columns, target, classes, gaps, n_words):
    table = label(read(DATA / path), target)
    assert (table.n_samples, len(table.columns()) + 1) == (n_rows, n_columns)
    if classes is not None:
        assert class_counts(table) == classes
    assert sum(n_missing(table).values()) == gaps
    assert len(word_columns(table)) == n_words
    prep = go_through(table)
    assert prep.target.kind == "classes"
    assert len(prep.target.classes) == len(class_counts(table))


@pytest.mark.parametrize(
    ("path", "n_rows", "n_columns", "target", "low", "high", "gaps", "words"),
    [
        (
            "california-housing/housing.csv",
            *(20640, 10, "median_house_value", 14999, 500001, {"total_bedrooms": 207}, {"ocean_proximity"}),
        ),
        ("bike-sharing/hour.csv", 17379, 17, "cnt", 1, 977, {}, {"dteday"}),
    ],
)
def test_tables_of_numbers_are_read_as_documented(path, n_rows, n_columns, target, low, high, gaps, words):
    table = label(read(DATA / path), target)
    assert (table.n_samples, len(table.columns()) + 1) == (n_rows, n_columns)
    assert (table.y.min(), table.y.max()) == (low, high)
    assert n_missing(table) == gaps
    assert word_columns(table) == words
    assert go_through(table).target.kind == "number"


def test_adult_has_its_gaps_and_words_in_the_documented_columns():
    table = read(DATA / "adult/adult.data")
    assert set(n_missing(table)) == {"column_2", "column_7", "column_14"}
    expected = {f"column_{number}" for number in (2, 4, 6, 7, 8, 9, 10, 14, 15)}
    assert word_columns(table) == expected
    assert table.columns()["column_2"][0] == "State-gov"  # without the blank before it


def test_the_test_part_of_adult_fits_the_prep_of_its_training_part(tmp_path):
    with pytest.raises(ts.DataError, match="not known"):
        read(DATA / "adult/adult.test")
    shutil.copyfile(DATA / "adult/adult.test", tmp_path / "test.csv")
    train, test = label(read(DATA / "adult/adult.data")), label(read(tmp_path / "test.csv"))
    assert (test.n_samples, sum(n_missing(test).values())) == (16281, 2203)
    assert class_counts(test) == {"<=50K.": 12435, ">50K.": 3846}
    prep = fit_prep(train, understand_target(train.y, train.y_name))
    assert encode(prep, test).shape == (16281, prep.layout.n_inputs)
    with pytest.raises(ts.DataError, match="not seen in training"):  # its labels end in a dot
        encode_target(prep, test)


def test_titanic_keeps_quoted_names_whole_and_leaves_words_without_end_out():
    table = label(read(DATA / "titanic/titanic.csv"), "Survived")
    assert table.columns()["Name"][0] == "Braund, Mr. Owen Harris"
    assert n_missing(table) == {"Age": 177, "Cabin": 687, "Embarked": 2}
    assert word_columns(table) == TITANIC_WORDS
    assert set(go_through(table).layout.left_out) >= {"Name", "Ticket"}


def test_penguins_and_heart_have_their_gaps_where_documented():
    assert n_missing(read(DATA / "heart-cleveland/processed.cleveland.csv")) == {"NOMV": 4, "Thal": 2}
    gaps = n_missing(read(DATA / "penguins/penguins.csv"))
    assert gaps.pop("sex") == 11
    assert list(gaps.values()) == [2, 2, 2, 2]


def test_letters_are_26_and_their_features_codes_from_0_to_15():
    table = label(read(DATA / "letter/letter-recognition.data"), "column_1")
    assert "".join(class_counts(table)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    values = np.unique(np.concatenate(list(table.columns().values())))
    np.testing.assert_array_equal(values, np.arange(16))


def test_bike_sharing_counts_add_up():
    columns = read(DATA / "bike-sharing/hour.csv").columns()
    np.testing.assert_array_equal(columns["casual"] + columns["registered"], columns["cnt"])
    assert columns["cnt"].mean() == pytest.approx(189.5, abs=0.05)


def test_pima_hides_its_gaps_as_zeros_in_the_documented_columns():
    columns = read(DATA / "pima-diabetes/pima-indians-diabetes.csv").columns()
    assert [int((columns[f"column_{number}"] == 0).sum()) for number in range(2, 7)] == [5, 35, 227, 374, 11]


def test_repeated_wine_rows_are_kept():
    for colour, n_repeated in (("red", 240), ("white", 937)):
        table = read(DATA / f"wine-quality/winequality-{colour}.csv")
        rows = np.column_stack(list(table.columns().values()))
        assert len(rows) - len(np.unique(rows, axis=0)) == n_repeated


@pytest.mark.parametrize(
    ("path", "target"), [("titanic/titanic.csv", "Survived"), ("penguins/penguins.csv", "species")]
)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_of_the_same_file_gives_the_same_inputs(path, target, library):
    module = pytest.importorskip(library)
    ours = label(read(DATA / path), target)
    theirs = label(read(module.read_csv(DATA / path)), target)
    prep = fit_prep(ours, understand_target(ours.y, target))
    np.testing.assert_array_equal(encode(prep, theirs), encode(prep, ours))
    np.testing.assert_array_equal(encode_target(prep, theirs), encode_target(prep, ours))


# ---------------------------------------------------------------- pictures

USPS_TRAIN = [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
USPS_TEST = [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]
FASHION_TRAIN = [1122, 1220, 1201, 1212, 1181, 1204, 1244, 1192, 1195, 1229]
FASHION_TEST = [200, 203, 214, 190, 219, 195, 197, 200, 194, 188]


@pytest.mark.parametrize(
    ("start", "side", "counts"),
    [
        ("usps/usps-train", 16, USPS_TRAIN),
        ("usps/usps-test", 16, USPS_TEST),
        ("fashion-mnist-12k/train", 28, FASHION_TRAIN),
        ("fashion-mnist-12k/t10k", 28, FASHION_TEST),
    ],
)
def test_idx_pairs_are_read_as_documented(start, side, counts):
    table = read(f"{DATA / start}-images-idx3-ubyte.gz,{DATA / start}-labels-idx1-ubyte.gz")
    assert table.x.shape == (sum(counts), side, side)
    assert table.x.dtype == np.uint8
    assert table.x.max() == 255
    assert np.bincount(table.y).tolist() == counts
    assert go_through(table).layout.is_picture


@pytest.mark.parametrize(("part", "n_rows"), [("train", 7291), ("test", 2007)])
def test_the_idx_pictures_of_usps_are_those_of_its_text_file(part, n_rows):
    start = DATA / "usps" / f"usps-{part}"
    table = read(f"{start}-images-idx3-ubyte.gz,{start}-labels-idx1-ubyte.gz")
    with gzip.open(DATA / "usps" / f"zip.{part}.gz", "rt") as file:
        text = np.loadtxt(file)
    assert len(text) == n_rows
    np.testing.assert_array_equal(table.y, text[:, 0])
    np.testing.assert_allclose(
        table.x.reshape(n_rows, 256), (text[:, 1:] + 1) / 2 * 255, rtol=0, atol=0.5 + 1e-6
    )


def test_a_gzipped_text_is_not_taken_for_pictures():
    with pytest.raises(ts.DataError, match="does not start like the MNIST files"):
        read(DATA / "usps" / "zip.test.gz")


def test_semeion_as_arrays_is_256_pixels_of_ink_or_no_ink():
    rows = np.loadtxt(DATA / "semeion" / "semeion.data")
    assert rows.shape == (1593, 266)
    table = read((rows[:, :256], rows[:, 256:].argmax(axis=1)))
    assert np.bincount(table.y).tolist() == [161, 162, 159, 159, 161, 159, 161, 158, 155, 158]
    prep = go_through(table)
    assert prep.target.classes == tuple(range(10))
    np.testing.assert_array_equal(encode(prep, table), rows[:, :256])  # 0 and 1 are left as they are


def test_blank_separated_text_is_a_clear_error_and_not_one_wide_column():
    with pytest.raises(ts.DataError):
        label(read(DATA / "semeion" / "semeion.data"))
