"""What kind of thing the target is, and that labels survive the way there and back."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import (
    Table,
    encode_target,
    fit_prep,
    label,
    labelled,
    notes_on_classes,
    read,
    understand_target,
)


def array(items, dtype=None):
    return np.array(items, dtype=dtype)


def objects(*items) -> np.ndarray:
    made = np.empty(len(items), dtype=object)
    made[:] = items
    return made


def prep_for(y: np.ndarray, task: str = "auto"):
    table = Table("t", np.arange(len(y), dtype=float)[:, None], y)
    return fit_prep(table, understand_target(y, "y", task)), table


# ---------------------------------------------------------------- classes or a number


@pytest.mark.parametrize(
    ("y", "kind", "classes"),
    [
        (objects("b", "a", "b", "a"), "classes", ("a", "b")),
        (array(["b", "a", "b"]), "classes", ("a", "b")),
        (array([b"b", b"a", b"b"]), "classes", ("a", "b")),
        (array([True, False, True]), "classes", (False, True)),
        (objects(True, False, True), "classes", (False, True)),
        (array([3, 1, 3, 1, 1]), "classes", (1, 3)),
        (array([1.0, 0.0, 1.0, 0.0]), "classes", (0, 1)),
        (array([0, 1, 0, 1], np.uint8), "classes", (0, 1)),
        (objects(2, 1.0, np.int64(2), 1), "classes", (1, 2)),
        (objects("1", 1, "2", 2), "classes", ("1", "2")),
        (array([0.5, 1.5, 0.5, 1.5]), "number", ()),
        (array([0.5, 1.5], np.longdouble), "number", ()),
        (objects(Decimal("0.5"), Decimal("1.5")), "number", ()),
        (objects(10**30, 1, 2), "number", ()),
        (array([2**63, 3] * 2, np.uint64), "classes", (3, 2**63)),
        (np.arange(30), "number", ()),
        (np.repeat(np.arange(30), 10), "classes", tuple(range(30))),
        (np.repeat(np.arange(30) * 2, 10), "number", ()),
    ],
)
def test_the_kind_of_the_target_is_seen_from_its_values(y, kind, classes):
    target = understand_target(y, "y")
    assert (target.kind, target.classes) == (kind, classes)
    assert [type(item) for item in target.classes] == [type(item) for item in classes]
    assert target.reason


def test_the_task_asked_for_overrides_the_values():
    assert understand_target(array([0, 1, 0, 1]), "y", "number").kind == "number"
    assert understand_target(array([0.5, 1.0, 0.5]), "y", "classes").classes == (0.5, 1)
    with pytest.raises(ts.DataError, match="got text such as 'a', expected numbers"):
        understand_target(objects("a", "b"), "y", "number")


@pytest.mark.parametrize(
    ("y", "row"),
    [
        (array([1.0, np.nan, 2.0]), 2),
        (array([1.0, 2.0, np.inf]), 3),
        (objects("a", None, "b"), 2),
        (objects("a", "b", ""), 3),
        (array(["a", "", "b"]), 2),
        (objects(1, float("nan")), 2),
        (objects("a", float("nan")), 2),
    ],
)
def test_a_missing_target_is_named_by_its_sample(y, row):
    with pytest.raises(ts.DataError, match=rf"target 'y', sample {row}: got .* \(1 such\)"):
        understand_target(y, "y")


def test_missing_values_of_pandas_are_missing_targets():
    pd = pytest.importorskip("pandas")
    for y in (
        pd.array([1, None, 2], dtype="Int64"),
        pd.Series(["a", pd.NA, "b"]),
        pd.Categorical(["a", None]),
    ):
        table = read((np.zeros((len(y), 1)), y))
        with pytest.raises(ts.DataError, match="sample 2"):
            understand_target(table.y, "y")


def test_words_beside_nan_in_a_list_do_not_become_a_class_called_nan():
    table = read((np.zeros((3, 1)), ["a", float("nan"), "b"]))
    with pytest.raises(ts.DataError, match="sample 2"):
        understand_target(table.y, "y")


@pytest.mark.parametrize("y", [array(["2020-01-01"] * 3, "M8[D]"), array([1j, 2j])])
def test_targets_of_other_types_are_refused(y):
    with pytest.raises(ts.DataError, match="expected numbers or text"):
        understand_target(y, "y")


@pytest.mark.parametrize("make", [list, lambda y: {"a": range(len(y)), "y": y}, "pandas"])
def test_whole_numbers_that_floats_do_not_tell_apart_stay_what_they_are(make):
    y = [3, 2**63 + 1, 2**63 + 2] * 4
    if make == "pandas":

        def make(y):
            return pytest.importorskip("pandas").DataFrame({"a": range(len(y)), "y": y}, dtype=object)

    table = label(read((np.zeros((len(y), 1)), y) if make is list else make(y)))
    target = understand_target(table.y, "y")
    assert target.classes == (3, 2**63 + 1, 2**63 + 2)
    assert target.labels.dtype == np.uint64
    assert target.labels.tolist() == [*target.classes]


def test_whole_numbers_that_no_type_holds_are_never_mixed_up():
    y = [-1, 2**63 + 1, 2**63 + 2] * 4
    with pytest.raises(ts.DataError, match=r"too large to be told apart[\s\S]*as text"):
        understand_target(read((np.zeros((len(y), 1)), y)).y, "y")
    table = label(read({"a": range(len(y)), "y": y}))
    assert understand_target(table.y, "y").classes == ("-1", str(2**63 + 1), str(2**63 + 2))


@pytest.mark.parametrize(
    ("levels", "classes"),
    [
        ([1, 2], (1, 2)),
        ([True, False], (False, True)),
        (["1", "2"], ("1", "2")),
        ([1, None, 2], (1, 2)),
        ([1.5, 2.5], ("1.5", "2.5")),
        (range(30), tuple(sorted(map(str, range(30))))),
    ],
)
def test_a_category_of_numbers_is_one_of_classes_by_these(levels, classes):
    pd = pytest.importorskip("pandas")
    y = pd.Series([*levels] * 4, dtype="category")
    frame = pd.DataFrame({"a": np.arange(len(y)) / 7, "c": y, "y": y})
    for source in (frame, (frame[["a"]], y), (frame[["a"]].to_numpy(), y)):
        table = labelled(read(source))
        assert understand_target(table.y, "y").classes == classes
    assert read(frame).columns()["c"].dtype == object  # as a feature it is a category


def test_a_whole_number_too_large_is_refused():
    with pytest.raises(ts.DataError, match="expected a number"):
        understand_target(objects(10**400, 1), "y")


@pytest.mark.parametrize("y", [array([1, 1, 1]), array([0.5] * 4), objects("a", "a"), array([True] * 2)])
def test_one_value_only_is_a_clear_error(y):
    with pytest.raises(ts.DataError, match=f"all {len(y)} samples have the one value"):
        understand_target(y, "y")


def test_no_samples_and_too_many_classes_are_refused():
    with pytest.raises(ts.DataError, match="no samples"):
        understand_target(np.zeros(0), "y")
    with pytest.raises(ts.DataError, match="got 1001 different classes"):
        understand_target(array([f"w{row}" for row in range(1001)]), "y")


# ---------------------------------------------------------------- labels there and back

labels = (
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5), min_size=2, max_size=40
    )
    | st.lists(st.integers(-(2**60), 2**60), min_size=2, max_size=40)
    | st.lists(st.booleans(), min_size=2, max_size=40)
    | st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=40)
)


@given(labels)
def test_class_labels_of_any_kind_come_back(items):
    y = objects(*items) if isinstance(items[0], str) else array(items)
    if len(set(items)) == 1:
        with pytest.raises(ts.DataError, match="the one value"):
            prep_for(y, "classes")
        return
    prep, table = prep_for(y, "classes")
    codes = encode_target(prep, table)
    assert codes.dtype == np.int32
    back = [prep.target.classes[code] for code in codes]
    assert back == items
    assert all(type(item) in (type(items[0]), int) for item in back)


@pytest.mark.parametrize(
    "y", [array([1.0, 2.0, 1.0]), array([1, 2, 1]), array(["1", "2", "1"]), objects(1, "2", 1)]
)
def test_readers_may_differ_in_the_type_of_a_label(y):
    for trained in (array([1, 2, 2, 1]), array([1.0, 2.0, 2.0, 1.0]), objects("1", "2", "2", "1")):
        prep, _ = prep_for(trained)
        assert encode_target(prep, Table("t", np.zeros((3, 1)), y)).tolist() == [0, 1, 0]


def test_truth_values_are_the_same_in_a_frame_and_in_a_csv(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n1,True\n2,False\n")
    trained = label(read({"a": [1.0, 2.0, 3.0], "y": [False, True, False]}))
    prep = fit_prep(trained, understand_target(trained.y, "y"))
    assert prep.target.classes == (False, True)
    assert encode_target(prep, label(read(tmp_path / "t.csv"))).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("yes", "no"), [("yes", "no"), ("TRUE", "False"), ("y", "n"), ("yes", 0), (True, False)]
)
def test_labels_may_be_words_of_yes_and_no(yes, no):
    column = np.array([yes, no, yes, no], object)
    y = np.column_stack([column, np.array([0, 1, 1, 0])])
    target = ts.data.understand_target(y, "hot,wet")
    assert (target.kind, target.n_columns) == ("labels", 2)
    table = ts.data.Table("t", {"a": np.arange(4.0)}, y, "hot,wet")
    prep = ts.data.fit_prep(table, target)
    np.testing.assert_array_equal(ts.data.encode_target(prep, table), [[1, 0], [0, 1], [1, 1], [0, 0]])


def test_labels_of_other_words_are_refused():
    with pytest.raises(ts.errors.DataError, match="yes and no"):
        ts.data.understand_target(np.array([["yes", "maybe"], ["no", "no"]], object), "hot,wet")


def test_labels_not_seen_in_training_are_named_with_did_you_mean():
    prep, _ = prep_for(objects("cat", "dog", "cat"))
    with pytest.raises(ts.DataError, match=r"'dogg', not seen in training[\s\S]*did you mean `dog`"):
        encode_target(prep, Table("t", np.zeros((2, 1)), objects("dogg", "cat")))


@pytest.mark.parametrize("y", [objects("cat", ""), objects(None, "cat"), array([1.0, np.nan])])
def test_a_missing_label_is_missing_and_not_an_unseen_class(y):
    prep, _ = prep_for(objects("cat", "dog", "cat"))
    with pytest.raises(ts.DataError, match="expected a known value"):
        encode_target(prep, Table("t", np.zeros((2, 1)), y))


def test_words_where_numbers_were_learned_are_refused_with_a_way_on():
    prep, table = prep_for(array([0.5, 1.5, 3.0]))
    with pytest.raises(
        ts.DataError, match=r"'y', sample 1: got 'cat', expected a number[\s\S]*of these classes"
    ):
        encode_target(prep, Table("t", table.x, objects("cat", "dog", "cat")))


def test_evaluation_without_a_target_is_refused():
    prep, table = prep_for(objects("cat", "dog", "cat"))
    with pytest.raises(ts.DataError, match="has no target 'y'"):
        encode_target(prep, Table("t", table.x))


# ---------------------------------------------------------------- numbers


def test_a_number_is_standardised_by_the_training_samples():
    y = array([1.5, 2.5, 6.5])
    prep, table = prep_for(y)
    encoded = encode_target(prep, table)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, (y - y.mean()) / y.std(), rtol=1e-6)
    np.testing.assert_allclose(encoded.astype(float) * prep.target_scale + prep.target_center, y, rtol=1e-6)


def test_a_number_that_is_constant_in_training_is_not_divided_by_its_rounding():
    y = np.full(10, 0.1)
    target = understand_target(array([0.1, 0.2, 0.35]), "y")
    prep = fit_prep(Table("t", np.arange(10.0)[:, None], y), target)
    assert prep.target_scale == 1.0
    assert np.abs(encode_target(prep, Table("t", np.zeros((10, 1)), y))).max() < 1e-6


@pytest.mark.parametrize(("offset", "size"), [(0.0, 1e-100), (0.0, 1e-149), (1e14, 1.0)])
def test_tiny_numbers_and_small_differences_are_told_apart(offset, size):
    y = offset + size * np.array([0.0, 1.0, 4.0, 7.0])
    prep, table = prep_for(y, "number")
    encoded = encode_target(prep, table)
    np.testing.assert_allclose([encoded.mean(), encoded.std()], [0, 1], atol=1e-6)
    np.testing.assert_allclose(
        encoded.astype(float) * prep.target_scale + prep.target_center, y, rtol=1e-6, atol=1e-6 * size
    )


def test_numbers_whose_squares_are_nothing_are_refused():
    with pytest.raises(ts.DataError, match=r"too near to each other.*\n.*scale the column up"):
        prep_for(array([1e-200, 2e-200, 3.5e-200]), "number")


def test_numbers_too_large_are_refused_in_training_and_in_evaluation():
    with pytest.raises(ts.DataError, match="too large"):
        prep_for(array([1e300, -1e300, 1.5]))
    prep, _ = prep_for(array([0.5, 1.5, 2.5]))
    with pytest.raises(ts.DataError, match="too large"):
        encode_target(prep, Table("t", np.zeros((1, 1)), array([1e300])))


def test_a_missing_number_and_text_are_refused_in_evaluation():
    prep, _ = prep_for(array([0.5, 1.5, 2.5]))
    with pytest.raises(ts.DataError, match="sample 2"):
        encode_target(prep, Table("t", np.zeros((2, 1)), array([1.0, np.nan])))
    with pytest.raises(ts.DataError, match="target 'y', sample 1: got 'many'"):
        encode_target(prep, Table("t", np.zeros((2, 1)), objects("many", 1)))


def test_one_sample_alone_has_one_value():
    with pytest.raises(ts.DataError, match="the only sample has the one value 'a'"):
        understand_target(objects("a"), "y")


# ---------------------------------------------------------------- what does not look like classes


@pytest.mark.parametrize(
    ("n_single", "n_double", "is_odd"),
    [(244, 0, True), (21, 0, True), (20, 0, False), (11, 11, True), (10, 11, False), (10, 30, False)],
)
def test_classes_of_one_sample_each_are_noted(n_single, n_double, is_odd):
    words = [f"word {number}" for number in range(n_single + n_double)]
    y = objects(*words, *words[n_single:])
    notes = notes_on_classes(understand_target(y, "who"), y)
    assert len(notes) == is_odd
    if is_odd:
        assert f"{n_single} of {n_single + n_double} classes have one sample only" in notes[0]


def test_numbers_and_labels_have_no_classes_to_note():
    for y in (np.linspace(0, 1, 50), np.arange(100).reshape(50, 2) // 2 % 2):
        assert notes_on_classes(understand_target(y, "y"), y) == []


def test_a_note_says_that_labels_may_be_classes():
    y = np.eye(4, dtype=int)[np.arange(20) % 4]
    (note,) = notes_on_classes(understand_target(y, "y"), y)
    assert "exactly one of the 4 labels" in note
    with pytest.raises(ts.DataError, match="got 4 columns") as caught:
        understand_target(y, "y", "classes")
    assert "y.argmax(1)" in caught.value.hint


def test_columns_are_no_classes_of_a_model():
    x = np.random.default_rng(0).normal(size=(60, 2))
    model = ts.fit((x, np.arange(60) % 3), network="4", epochs=1).model
    table = ts.data.read((x, np.eye(3, dtype=int)[np.arange(60) % 3]))
    with pytest.raises(ts.DataError, match="got 3 columns, expected one of classes"):
        ts.data.encode_target(model.prep, table)


def test_a_run_tells_of_a_target_that_looks_like_an_id():
    frame = {"a": np.arange(60.0) ** 2, "who": objects(*(f"person {number}" for number in range(60)))}
    run = ts.fit(frame, target="who", network="4", epochs=1)
    (note,) = (note for note in run.events[0]["notes"] if "looks like an id or free text" in note)
    assert note.startswith("target 'who'")
    assert "--target NAME" in note
