"""The law of prep: learned from the training samples only, the same for every stranger's row."""

import math
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import (
    Prep,
    Table,
    encode,
    encode_target,
    fit_prep,
    label,
    read,
    read_anew,
    split,
    understand_target,
    without_bins,
)
from threestep.data import prep as prep_module


def words(*cells: str) -> np.ndarray:
    return np.array(cells, dtype=object)


def prep_of(x, y=None) -> Prep:
    n_samples = Table("t", x).n_samples
    y = np.arange(n_samples) % 2 if y is None else y
    return fit_prep(Table("t", x, y), understand_target(y, "y"))


def encoded(prep: Prep, x) -> np.ndarray:
    return encode(prep, Table("t", x))


def assert_same_prep(one: Prep, other: Prep) -> None:
    assert (one.layout, one.target) == (other.layout, other.target)
    np.testing.assert_array_equal(one.center, other.center)
    np.testing.assert_array_equal(one.scale, other.scale)
    assert (one.target_center, one.target_scale) == (other.target_center, other.target_scale)


MIXED = {
    "wide": np.array([1.0, 2.0, np.nan, 5.0]),
    "flag": np.array([0.0, 1.0, 1.0, 0.0]),
    "colour": words("red", "blue", "", "red"),
    "same": np.full(4, 0.1),
}


# ---------------------------------------------------------------- what becomes of a column


def test_columns_become_inputs_as_the_docstring_says():
    inputs = encoded(prep_of(MIXED), MIXED)
    known = np.array([1.0, 2.0, 5.0])
    wide = (np.array([1, 2, known.mean(), 5]) - known.mean()) / known.std()
    expected = np.column_stack(
        [wide, [0, 1, 1, 0], np.zeros(4), [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1]]  # ..., gap, blue, red
    )
    assert inputs.dtype == np.float32
    np.testing.assert_allclose(inputs, expected, atol=1e-6)


def test_a_missing_value_becomes_the_mean_and_raises_its_flag():
    prep = prep_of({"a": np.array([1.0, 3.0, np.nan, 8.0]), "b": np.array([1.0, 2.0, 3.0, 4.0])})
    inputs = encoded(prep, {"a": np.array([np.nan, 4.0]), "b": np.array([2.5, np.nan])})
    np.testing.assert_allclose(inputs, [[0, 0, 1], [0, 0, 0]], atol=1e-7)  # 4 and 2.5 are the means


def test_a_gap_in_a_column_of_zeros_and_ones_becomes_its_mean_too():
    column = np.array([0.0, 1.0, 1.0, 1.0, np.nan])
    inputs = encoded(prep_of({"a": column}), {"a": column})[:, 0]
    assert inputs[4] == 0
    assert np.nanmean(inputs[:4]) == pytest.approx(0, abs=1e-6)


def test_a_word_not_seen_in_training_is_all_zeros():
    inputs = encoded(prep_of({"colour": words("red", "blue", "red")}), {"colour": words("green", "", "blue")})
    assert inputs.tolist() == [[0, 0], [0, 0], [1, 0]]


def test_a_constant_column_stays_at_zero():
    for value in (0.1, 7.0, 1e6 + 0.1, -3e-5):
        column = {"a": np.full(1000, value), "b": np.arange(1000.0)}
        assert np.abs(encoded(prep_of(column), column)[:, 0]).max() < 1e-6


def test_another_value_of_a_constant_column_says_nothing():
    for constant in (0.0, 5.0, -3e5):
        prep = prep_of({"a": np.full(10, constant), "b": np.arange(10.0)})
        strange = encoded(prep, {"a": np.array([50000.0, 1e6]), "b": np.array([1.0, 2.0])})
        assert np.abs(strange[:, 0]).max() < 1e-5


def test_one_column_is_enough():
    assert encoded(prep_of({"a": np.array([1.0, 2.0, 3.0])}), {"a": np.array([2.0])}).tolist() == [[0.0]]
    assert encoded(prep_of(np.array([[1.0], [2.0], [3.0]])), np.array([[2.0]])).tolist() == [[0.0]]


def test_no_usable_column_is_refused():
    many = words(*(f"word {row}" for row in range(101)))
    with pytest.raises(ts.DataError, match="no usable feature column"):
        prep_of({"name": many})
    prep = prep_of({"name": many, "a": np.arange(101.0)})
    assert prep.layout.left_out == ("name",)
    assert prep.layout.n_inputs == 1


def test_seconds_since_1970_keep_their_last_digits():
    seconds = 1.7e9 + np.arange(60.0)
    inputs = encoded(prep_of({"at": seconds}), {"at": seconds})[:, 0]
    np.testing.assert_allclose(inputs, (np.arange(60) - 29.5) / np.arange(60).std(), rtol=1e-5)


@pytest.mark.parametrize(
    ("offset", "size"), [(1e12, 1.0), (3e13, 1.0), (0.0, 1e-100), (0.0, 1e-300), (-1e-80, 1e-90)]
)
def test_numbers_are_told_apart_where_float64_can(offset, size):
    steps = np.arange(32.0)
    column = offset + size * steps
    x = {"a": column, "b": np.append(column[:-1], np.nan)}
    inputs = encoded(prep_of(x), x)
    np.testing.assert_allclose(inputs[:, 0], (steps - steps.mean()) / steps.std(), atol=1e-5)
    np.testing.assert_allclose(inputs[:-1, 1], (steps[:-1] - steps[:-1].mean()) / steps[:-1].std(), atol=1e-5)


@pytest.mark.parametrize(
    "column",
    [np.where(np.arange(20) % 2, 0.3, 0.1 + 0.2), 100 * (1 + 1e-14 * np.cos(np.arange(20.0)))],
)
def test_what_only_rounding_makes_different_says_nothing(column):
    """Else what differs a little more in a new sample would be a million standard deviations away."""
    prep = prep_of({"a": column, "b": np.arange(20.0)})
    assert np.abs(encoded(prep, {"a": column * (1 + 1e-9), "b": column})[:, 0]).max() < 1e-9


def test_pictures_are_divided_by_the_brightest_training_pixel():
    pictures = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    prep = prep_of(pictures)
    np.testing.assert_allclose(encoded(prep, pictures), pictures.reshape(4, 6) / 23, rtol=1e-6)
    np.testing.assert_allclose(encoded(prep, np.full((1, 2, 3), 46)), np.full((1, 6), 2.0), rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "fits"),
    [
        ((3, 6, 4), True),
        ((3, 6, 4, 1), True),
        ((3, 24), True),
        ((3, 1, 24), False),
        ((3, 4, 6), False),
        ((3, 12, 2), False),
    ],
)
def test_pictures_of_another_shape_are_refused(shape, fits):
    dim = np.random.default_rng(0).uniform(size=(10, 6, 4))
    prep = prep_of(dim)
    if fits:
        assert encoded(prep, np.ones(shape)).shape == (3, 24)
        return
    with pytest.raises(ts.DataError, match=r"expected \(6, 4\) as in training") as caught:
        encoded(prep, np.ones(shape))
    assert ("another order" in caught.value.hint) == (shape == (3, 4, 6))


def test_pictures_with_their_channels_first_are_taken_with_them_last():
    pictures = np.random.default_rng(0).integers(0, 255, (6, 3, 9, 8)).astype(np.uint8)
    table = ts.data.labelled(ts.data.read((pictures, np.arange(6) % 2)))
    np.testing.assert_array_equal(table.x, np.moveaxis(pictures, 1, -1))
    assert table.notes == ("arrays of 3 × 9 × 8 are taken for pictures with their channels first",)
    for other in (np.zeros((6, 3, 4, 9)), np.zeros((6, 9, 8, 3)), np.zeros((6, 8, 9))):
        assert ts.data.labelled(ts.data.read((other, np.arange(6)))).x.shape == other.shape
    prep = prep_of(table.x)
    assert encoded(prep, pictures).tobytes() == encoded(prep, table.x).tobytes()
    old = prep_of(pictures)  # as it was learned from before
    assert encoded(old, pictures).shape == (6, 3 * 9 * 8)


def test_a_pixel_that_is_missing_makes_no_row_of_numbers_of_a_picture():
    pictures = np.random.default_rng(0).uniform(size=(20, 9, 8))
    pictures[3, 2, 1] = np.nan
    run = ts.fit((pictures, np.arange(20) % 2), network="conv2-dense4", epochs=1)
    assert run.notes == ["1 of 1,440 pixels are missing and count as 0"]


def test_a_table_is_refused_where_pictures_were_learned_from():
    prep = prep_of(np.random.default_rng(0).uniform(size=(20, 8, 8)))
    with pytest.raises(
        ts.DataError, match="is a table with the columns a, b, but the model takes arrays of 8 × 8"
    ):
        read_anew(prep, {"a": [1, 2], "b": [3, 4]})
    pixels = {f"pixel {place}": [0.0, 1.0] for place in range(64)}
    assert encode(prep, read_anew(prep, pixels)).shape == (2, 64)  # which may have names


def test_values_on_another_scale_are_told_of():
    pictures = np.random.default_rng(0).integers(0, 256, (30, 9, 8))
    model = ts.fit((pictures, np.arange(30) % 2), network="4", epochs=1).model
    divided = ts.fit((pictures / 255, np.arange(30) % 2), network="4", epochs=1).model

    def noted(model, samples):
        return ts.data.notes_on_strangers(model.prep, ts.data.read(samples))

    assert noted(model, pictures) == noted(divided, pictures / 255) == []
    assert noted(divided, pictures) == [
        "values are up to 255 times as large as in training: are they on another scale?"
    ]
    assert "at most 0.0039 times as large" in noted(model, pictures / 255)[0]


def test_pictures_with_gaps_and_black_pictures():
    dim = np.full((4, 2, 2), 0.25)
    dim[0, 0, 0] = np.nan
    inputs = encoded(prep_of(dim), dim)
    assert inputs.tolist() == [[0, 1, 1, 1], *3 * [[1, 1, 1, 1]]]
    for black in (np.zeros((4, 2, 2)), np.full((4, 2, 2), np.nan)):
        assert not encoded(prep_of(black), black)[:, :4].any()


# ---------------------------------------------------------------- learned from training only


@given(st.integers(0, 50), st.sampled_from(["number", "gap", "word", "huge"]))
def test_other_values_in_valid_and_test_leave_the_prep_as_it_is(seed, change):
    random = np.random.default_rng(seed)
    y = np.arange(40) % 3
    columns = {
        "a": random.normal(size=40),
        "b": random.normal(size=40),
        "w": random.choice(["u", "v"], 40).astype(object),
    }
    row_column = {"row": np.arange(40.0)}
    target = understand_target(y, "y")
    parts = split(Table("t", columns | row_column, y), 0.2, 0.2, seed, True)
    strangers = np.concatenate([parts.valid.columns()["row"], parts.test.columns()["row"]]).astype(int)
    changed = {name: column.copy() for name, column in columns.items()}
    column, value = {"number": ("a", 99.0), "gap": ("b", np.nan), "word": ("w", "new"), "huge": ("a", 1e300)}[
        change
    ]
    changed[column][strangers] = value
    after = split(Table("t", changed | row_column, y), 0.2, 0.2, seed, True)
    assert_same_prep(fit_prep(parts.train, target), fit_prep(after.train, target))
    changed_in_training = dict(changed)
    changed_in_training["a"] = changed["a"].copy()
    changed_in_training["a"][parts.train.columns()["row"].astype(int)[0]] += 1
    other = split(Table("t", changed_in_training | row_column, y), 0.2, 0.2, seed, True)
    assert fit_prep(other.train, target).center[0] != fit_prep(parts.train, target).center[0]


def test_order_of_training_samples_changes_nothing_but_rounding():
    order = np.array([2, 0, 3, 1])
    one, other = prep_of(MIXED), prep_of({name: column[order] for name, column in MIXED.items()})
    assert one.layout == other.layout
    np.testing.assert_allclose(one.center, other.center)
    np.testing.assert_allclose(one.scale, other.scale)


# ---------------------------------------------------------------- one row or many, in any order

cells = st.one_of(
    st.floats(-1e12, 1e12), st.just(math.nan), st.sampled_from([0.0, 1.0, 1e300, -1e300, 5e-324])
)


@given(
    trained=st.lists(
        st.tuples(st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0, math.nan])), min_size=2, max_size=20
    ),
    strangers=st.lists(
        st.tuples(cells, cells, st.sampled_from(["red", "", "new", "1"])), min_size=1, max_size=12
    ),
)
def test_one_row_is_encoded_to_the_same_bits_as_many(trained, strangers):
    a, b = (np.array(column) for column in zip(*trained, strict=True))
    colour = words(*("red" if row % 2 else "1" for row in range(len(a))))
    prep = prep_of({"a": a, "b": b, "colour": colour}, np.arange(len(a)) % 2)
    a, b, colour = zip(*strangers, strict=True)
    columns = {"a": np.array(a), "b": np.array(b), "colour": words(*colour)}
    many = encoded(prep, columns)
    assert np.isfinite(many).all()
    one = [
        encoded(prep, {name: column[[row]] for name, column in columns.items()})[0] for row in range(len(a))
    ]
    np.testing.assert_array_equal(many, one)


def test_columns_are_found_by_name_in_any_order_and_more_may_be_there():
    prep = prep_of(MIXED)
    turned = {name: MIXED[name] for name in reversed(MIXED)} | {"more": words("?", "?", "?", "?")}
    np.testing.assert_array_equal(encoded(prep, turned), encoded(prep, MIXED))


def test_an_array_without_names_is_taken_in_the_order_of_training():
    columns = {"b": np.array([1.0, 2.0, 4.0]), "a": np.array([5.0, 3.0, 0.0])}
    prep = prep_of(columns)
    np.testing.assert_array_equal(
        encoded(prep, np.column_stack(list(columns.values()))), encoded(prep, columns)
    )
    with pytest.raises(ts.DataError, match=r"shape \(3, 3\), expected columns b, a"):
        encoded(prep, np.zeros((3, 3)))
    with pytest.raises(ts.DataError, match="expected columns"):
        encoded(prep_of(MIXED), np.zeros((3, 4)))


def test_samples_of_another_shape_are_refused():
    prep = prep_of(np.zeros((4, 2, 3)))
    with pytest.raises(ts.DataError, match=r"got samples of shape \(3, 3\), expected \(2, 3\)"):
        encoded(prep, np.zeros((1, 3, 3)))
    assert encoded(prep, np.zeros((1, 6))).shape == (1, 6)


def test_missing_columns_are_one_clear_error():
    with pytest.raises(ts.DataError) as caught:
        encoded(prep_of(MIXED), {"Wide": MIXED["wide"], "flag": MIXED["flag"]})
    assert caught.value.message == "t: column(s) missing: wide, same, colour"
    assert "did you mean `Wide`?" in caught.value.hint


def test_text_where_training_had_numbers_names_the_cell():
    with pytest.raises(ts.DataError, match="column 'wide', sample 3: got text such as 'broad'"):
        encoded(prep_of(MIXED), MIXED | {"wide": words("", "1.5", "broad", "2")})


def test_words_that_look_like_numbers_now_are_the_words_of_training(tmp_path):
    code = words("01", "2", "x9", "30.50")
    prep = prep_of({"code": code, "a": np.arange(4.0)})
    whole = encoded(prep, {"code": code, "a": np.arange(4.0)})
    for row, cell in enumerate(code):
        (tmp_path / "one.csv").write_text(f"code,a\n{cell},{row}\n")
        np.testing.assert_array_equal(encode(prep, read(tmp_path / "one.csv"))[0], whole[row], err_msg=cell)


def test_words_that_are_the_same_number_keep_apart_where_text_tells():
    prep = prep_of({"code": words("01", "1", "x")})
    assert encoded(prep, {"code": words("01", "1")}).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert encoded(prep, {"code": np.array([1.0])}).tolist() == [[0, 1, 0]]


def test_truth_values_are_found_among_words():
    prep = prep_of({"yes": words("True", "False", "True")})
    assert encoded(prep, {"yes": np.array([True, False])}).tolist() == [[0, 1], [1, 0]]


def test_columns_of_which_nothing_is_known_are_all_gaps():
    pl = pytest.importorskip("polars")
    prep = prep_of(MIXED)
    frame = pl.DataFrame({"wide": [None], "flag": [1], "colour": [None], "same": [0.1]})
    assert encode(prep, read(frame))[0].tolist() == [0, 1, 0, 1, 0, 0]


# ---------------------------------------------------------------- values too large, words too long


@pytest.mark.parametrize("value", [1e300, -1e300, 1.7e308, 1e39])
def test_a_strangers_huge_value_is_finite(value):
    for x in ({"a": np.array([1.0, 2.0, 4.0])}, {"a": np.array([0.0, 1.0, 0.0])}):
        inputs = encoded(prep_of(x), {"a": np.array([value])})
        assert np.isfinite(inputs).all()
        assert abs(inputs[0, 0]) == 1e6
    assert np.isfinite(encoded(prep_of(np.ones((3, 2, 2), np.uint8)), np.full((1, 2, 2), value))).all()


def test_huge_values_in_training_are_an_error_naming_the_column():
    with pytest.raises(ts.DataError, match="'b': has values too large"):
        prep_of({"a": np.arange(3.0), "b": np.array([1e300, -1e300, 0.0])})
    with pytest.raises(ts.DataError, match="'input 2': has values too large"):
        prep_of(np.array([[0, 1.7e308], [1, 1.7e308], [2, 0]]))


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.longdouble, np.int64, np.uint64, bool]
)
def test_extreme_values_of_every_type_give_an_error_or_finite_inputs(dtype):
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None if dtype is bool else np.finfo(dtype)
    ends = [0, 1] if info is None else [info.max, info.min]
    smallest = [] if info is None or info.dtype.kind in "iu" else [info.smallest_subnormal]
    x = np.array([[0], *([end] for end in ends), *([value] for value in smallest)], dtype)
    for samples in (x, x[[0, 0, -1]]):
        try:
            table = read(samples)
            inputs = encoded(prep_of(table.x), table.x)
        except ts.DataError:
            continue
        assert inputs.dtype == np.float32
        assert np.isfinite(inputs).all()


def test_one_long_word_does_not_pad_all_the_others():
    column = words(*["a", "b"] * 5000, "c" * 100_000)
    tracemalloc.start()
    try:
        encoded(prep_of({"w": column}), {"w": column})
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- any frame at all

any_number = st.floats(allow_infinity=False, allow_nan=True, width=64) | st.sampled_from(
    [0.0, 1.0, 1e300, 5e-324]
)
any_word = st.sampled_from(["", "red", "blue", "1", "01", "nan", "None", "ü", "\0", "x" * 300])
any_cell = {
    "numbers": any_number | st.none(),
    "small": st.floats(-100, 100) | st.none(),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "words": any_word | st.none(),
    "truth": st.booleans() | st.none(),
    "nothing": st.none(),
    "odd": st.none() | st.integers(-5, 5) | st.floats(-5, 5) | any_word | st.booleans(),
}


@st.composite
def any_columns(draw) -> dict[str, list]:
    n_samples = draw(st.integers(4, 20))
    kinds = draw(st.lists(st.sampled_from(sorted(any_cell)), min_size=1, max_size=4))
    columns = {
        f"{kind}_{index}": draw(st.lists(any_cell[kind], min_size=n_samples, max_size=n_samples))
        for index, kind in enumerate(kinds)
    }
    if draw(st.integers(0, 4)):  # mostly a good target, so that the features get their turn
        columns["target"] = draw(
            st.sampled_from([["a", "b"] * n_samples, [True, False] * n_samples, list(range(n_samples))])
        )[:n_samples]
    return columns


def go_through(source: object, seed: int) -> None:
    """From the source to arrays for every part: finite, of the right shape; or a UserError on the way."""
    table = label(read(source))
    target = understand_target(table.y, table.y_name)
    parts = split(table, 0.2, 0.2, seed, target.kind == "classes")
    prep = fit_prep(parts.train, target)
    for part in parts:
        inputs = encode(prep, part)
        assert inputs.dtype == np.float32
        assert inputs.shape == (part.n_samples, prep.layout.n_inputs)
        assert np.isfinite(inputs).all()
        goal = encode_target(prep, part)
        assert goal.shape == (part.n_samples,)
        assert goal.dtype == (np.int32 if target.kind == "classes" else np.float32)
        assert np.isfinite(goal).all()


@pytest.mark.parametrize("make", ["mapping", "pandas", "polars"])
@given(columns=any_columns(), seed=st.integers(0, 9))
def test_any_columns_give_finite_arrays_or_a_user_error(make, columns, seed):
    if make == "polars":
        module = pytest.importorskip("polars")
        source: object = module.DataFrame(columns, strict=False)
    else:
        source = columns if make == "mapping" else pytest.importorskip("pandas").DataFrame(columns)
    with suppress(ts.UserError):
        go_through(source, seed)


def test_a_good_frame_goes_all_the_way_through():
    go_through({"a": list(range(20)), "w": ["u", None] * 10, "y": ["p", "q"] * 10}, 0)


# Bins


def binned(n_samples=700, **columns):
    """A prep with bins: 700 samples are enough for 8."""
    rng = np.random.default_rng(0)
    columns = columns or {"a": rng.normal(size=n_samples), "b": rng.integers(0, 6, n_samples).astype(float)}
    table = Table("t", columns, np.arange(n_samples) % 2)
    return fit_prep(table, understand_target(table.y, "y")), table


def test_a_number_has_one_input_per_bin_between_its_quantiles():
    prep, table = binned()
    assert prep.layout.bins == (8, 5)  # b has six values: a bin between each two
    inputs = encode(prep, table)
    assert inputs.shape == (700, prep.layout.n_inputs) == (700, 2 + 13)
    a, b = (np.asarray(table.columns()[name]) for name in "ab")
    edges = np.quantile(a, np.linspace(0, 1, 9))
    expected = np.clip((a[:, None] - edges[:-1]) / np.diff(edges), 0, 1)
    np.testing.assert_allclose(inputs[:, 2:10], expected, atol=1e-6)
    np.testing.assert_array_equal(inputs[:, 10:], b[:, None] > np.arange(5))


def test_bins_are_between_0_and_1_whatever_a_stranger_brings():
    prep, _ = binned()
    stranger = Table("s", {"a": np.array([1e300, -1e300, np.nan]), "b": np.array([np.nan, 9.0, -9.0])})
    through = encode(prep, stranger)[:, 2:]
    np.testing.assert_array_equal(through[0], [1.0] * 8 + [0.0] * 5)
    np.testing.assert_array_equal(through[1], [0.0] * 8 + [1.0] * 5)
    np.testing.assert_array_equal(through[2], [0.0] * 13)


def test_a_frequent_value_leaves_the_bins_to_the_others():
    rng = np.random.default_rng(0)
    gains = np.where(rng.random(4000) < 0.9, 0.0, rng.lognormal(8, 1, 4000))
    prep, _ = binned(4000, gains=gains)
    starts, widths = prep.bins
    ends = np.append(starts, starts[-1] + widths[-1])
    assert ends[0] == 0
    assert ends[-1] == pytest.approx(gains.max())
    inside = np.histogram(gains[gains > 0], ends)[0]
    assert len(inside) == prep.layout.bins[0] >= 20  # five, were they quantiles of all
    assert inside[1:].min() >= 10
    assert inside.max() <= 30


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2, 3.5, *range(9, 60)]), min_size=30), st.integers(2, 48))
def test_ends_of_bins_rise_from_the_least_to_the_most(column, most):
    values, counts = np.unique(np.array(column, float), return_counts=True)
    ends = prep_module._quantiles(values, counts, most)
    assert (np.diff(ends) > 0).all()
    assert (ends[0], ends[-1]) == (values[0], values[-1])
    assert len(ends) <= most + 3  # both extremes may lie outside of the others' quantiles
    frequent = counts * 4 > len(column)
    assert set(values[frequent]) <= set(ends)
    if not frequent.any():
        assert set(ends) == set(np.quantile(column, np.linspace(0, 1, most + 1)))


def test_few_samples_pictures_and_yes_or_no_have_no_bins():
    assert binned(200, a=np.random.default_rng(0).normal(size=200))[0].layout.bins == ()
    assert binned(700, a=(np.arange(700) % 3 > 0).astype(float))[0].layout.bins == ()
    pictures = Table("p", np.random.default_rng(0).uniform(size=(700, 4, 4)), np.arange(700) % 2)
    assert fit_prep(pictures, understand_target(pictures.y, "y")).layout.bins == ()


def test_arrays_have_bins_as_columns_do():
    x = np.random.default_rng(0).normal(size=(700, 2))
    array = Table("t", x, np.arange(700) % 2)
    columns = Table("t", {"a": x[:, 0], "b": x[:, 1]}, np.arange(700) % 2)
    target = understand_target(array.y, "y")
    by_array, by_columns = fit_prep(array, target), fit_prep(columns, target)
    np.testing.assert_array_equal(encode(by_array, array), encode(by_columns, columns))


# Numbers of which a few are very far out


def clipped(x, clip=3.0) -> tuple[Prep, Table]:
    table = Table("t", x, np.arange(len(x["a"])) % 2)
    return fit_prep(table, understand_target(table.y, "y"), most_bins=0, clip=clip), table


BELL = np.random.default_rng(0).normal(5.0, 2.0, 1000)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_few_numbers_very_far_out_do_not_make_the_scale_and_are_clipped(kind):
    wild, table = clipped({"a": np.concatenate([BELL, [1e6, np.nan, -1e5]]).astype(kind)})
    assert (wild.layout.with_tails, wild.layout.clip) == ((0,), 3.0)
    np.testing.assert_allclose(wild.scale[:1], 3 * BELL.std(), rtol=0.1)
    np.testing.assert_allclose(wild.center[:1], np.median(BELL), rtol=0.02)
    inputs, z = encode(wild, table)[:, 0], (BELL - wild.center[0]) / wild.scale[0]
    np.testing.assert_allclose(inputs[:1000], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(inputs[1000:], [3.0, 0.0, -3.0], atol=1e-3)
    drowned, _ = clipped({"a": table.columns()["a"]}, clip=0.0)
    assert encode(drowned, table)[:1000, 0].std() < 1e-3


def test_a_bell_is_scaled_as_ever_and_its_inputs_stay_linear():
    usual, table = clipped({"a": BELL, "b": np.arange(1000) % 2, "c": BELL.round().astype(int)})
    plain, _ = clipped(table.columns(), clip=0.0)
    assert usual.layout == plain.layout
    np.testing.assert_array_equal(encode(usual, table), encode(plain, table))


def test_only_columns_with_tails_are_clipped():
    both, table = clipped({"a": BELL, "b": np.concatenate([BELL[1:], [1e6]])})
    plain, _ = clipped(table.columns(), clip=0.0)
    assert both.layout.with_tails == (1,)
    np.testing.assert_array_equal(encode(both, table)[:, 0], encode(plain, table)[:, 0])


NEARLY_A_THIRD = 1 / 3 * (1 + 1e-15 * np.arange(1000))


@pytest.mark.parametrize(
    "column",
    [
        np.concatenate([np.zeros(990), np.arange(10.0)]),  # both quartiles are 0
        np.concatenate([NEARLY_A_THIRD[:990], np.arange(10.0, 20.0)]),  # or differ in the last digits
        np.concatenate([1e-3 * BELL[:900], np.exp(BELL[:100])]),  # one of ten is no longer a few
    ],
)
def test_where_the_quartiles_say_nothing_the_standard_deviation_is_the_scale(column):
    prep, table = clipped({"a": column})
    assert prep.layout.with_tails == (0,)
    np.testing.assert_allclose(prep.scale, [column.std()], rtol=1e-6)
    assert np.abs(encode(prep, table)).max() < 3


def test_columns_with_gaps_only_or_dates_can_be_clipped_too():
    days = words(*["2020-01-01", "2020-01-02", "2020-01-03"] * 100, "1900-01-01")
    gaps = np.where(np.arange(301) > 299, 1e9, np.nan)
    prep, table = clipped({"a": np.concatenate([BELL[:300], [np.nan]]), "when": days, "gaps": gaps})
    assert [prep.layout.numbers[place] for place in prep.layout.with_tails] == ["when: days"]
    assert np.isfinite(encode(prep, table)).all()


def test_pixels_are_not_clipped():
    pixels = np.random.default_rng(0).uniform(size=(50, 4, 4))
    pixels[0] *= 1e6
    pictures = Table("p", pixels, np.arange(50) % 2)
    prep = fit_prep(pictures, understand_target(pictures.y, "y"), clip=3.0)
    assert (prep.layout.clip, prep.layout.with_tails) == (0.0, ())


@given(st.lists(st.floats(-1e30, 1e30), min_size=3, max_size=50), st.floats(0.1, 100.0))
def test_any_numbers_with_tails_stay_within_the_clip_and_in_order(column, clip):
    column = np.concatenate([np.array(column), BELL, [1e31]])
    prep, table = clipped({"a": column}, clip)
    inputs = encode(prep, table)[:, 0]
    assert (np.abs(inputs) <= clip * 1.00001).all()
    assert (np.diff(inputs[np.argsort(column, kind="stable")]) >= 0).all()


def test_bins_that_nothing_looks_at_are_dropped():
    prep, table = binned()
    few = without_bins(prep)
    assert (few.layout.bins, few.bins.shape) == ((), (2, 0))
    np.testing.assert_array_equal(encode(few, table), encode(prep, table)[:, :2])


# Several numbers, labels, weights


def test_several_numbers_are_each_standardised():
    y = np.random.default_rng(0).normal(size=(50, 3)) * [1, 10, 100] + [0, 5, -7]
    table = Table("t", np.random.default_rng(1).normal(size=(50, 2)), y)
    target = understand_target(y, "y")
    assert (target.kind, target.n_columns, target.n_outputs) == ("number", 3, 3)
    prep = fit_prep(table, target)
    encoded = encode_target(prep, table)
    assert (encoded.shape, encoded.dtype) == ((50, 3), np.float32)
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(encoded.std(axis=0), 1, atol=1e-6)


def test_columns_of_0_and_1_are_labels():
    y = np.random.default_rng(0).integers(0, 2, (50, 3))
    target = understand_target(y, "y")
    assert (target.kind, target.n_outputs) == ("labels", 3)
    table = Table("t", np.random.default_rng(1).normal(size=(50, 2)), y)
    np.testing.assert_array_equal(encode_target(fit_prep(table, target), table), y)
    assert understand_target(y, "y", "number").kind == "number"


def test_several_columns_of_classes_are_refused():
    with pytest.raises(ts.DataError, match="3 columns"):
        understand_target(np.array([["a", "b", "c"]] * 4, dtype=object), "y")


def test_another_number_of_targets_than_in_training_is_refused():
    y = np.random.default_rng(0).normal(size=(50, 3))
    table = Table("t", np.random.default_rng(1).normal(size=(50, 2)), y)
    prep = fit_prep(table, understand_target(y, "y"))
    with pytest.raises(ts.DataError, match="got 2 columns, expected 3"):
        encode_target(prep, Table("t", table.x, y[:, :2]))


@pytest.mark.parametrize("most", [1, 7, 1000, None])
def test_encoded_in_parts_it_is_the_same(most):
    rng = np.random.default_rng(0)
    x = {
        "a": np.where(rng.random(900) < 0.1, np.nan, rng.normal(size=900)),
        "b": np.round(rng.normal(size=900)),
        "c": rng.choice(np.array(["x", "y", ""], object), 900),
    }
    prep = prep_of(x)
    assert sum(prep.layout.bins) > 0
    parts = [part.copy() for part in ts.data.encoded(prep, Table("t", x), most)]
    np.testing.assert_array_equal(np.concatenate(parts), encoded(prep, x))
    assert len(parts) == {1: 900, 7: 129}.get(most, 1)


def test_no_samples_are_no_inputs():
    prep = prep_of(MIXED)
    assert encoded(prep, {name: column[:0] for name, column in MIXED.items()}).shape == (
        0,
        prep.layout.n_inputs,
    )
