"""Train, valid and test: disjoint, complete, each class in the same shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import Table, split, understand_target


def numbered(n_samples: int, y=None) -> Table:
    """A table whose one input is the sample's own number."""
    y = np.arange(n_samples) % 3 if y is None else np.asarray(y)
    return Table("numbered", np.arange(n_samples)[:, None], y)


def rows(part: Table) -> list[int]:
    return part.x[:, 0].tolist()


fractions = st.tuples(st.floats(0.01, 0.8), st.floats(0.0, 0.8)).filter(lambda pair: sum(pair) <= 0.9)


@given(
    n_samples=st.integers(5, 300), shares=fractions, seed=st.integers(0, 2**32 - 1), by_class=st.booleans()
)
def test_the_parts_are_disjoint_complete_and_never_empty(n_samples, shares, seed, by_class):
    valid_fraction, test_fraction = shares
    parts = split(numbered(n_samples), valid_fraction, test_fraction, seed, by_class)
    assert sorted(rows(parts.train) + rows(parts.valid) + rows(parts.test)) == list(range(n_samples))
    assert parts.train.n_samples >= 1
    assert parts.valid.n_samples >= 1
    assert (parts.test.n_samples >= 1) == (test_fraction > 0)
    for part in parts:
        np.testing.assert_array_equal(part.y, np.array(rows(part)) % 3)


@given(n_samples=st.integers(50, 300), shares=fractions)
def test_the_parts_have_the_shares_asked_for(n_samples, shares):
    parts = split(numbered(n_samples), *shares, 0, True)
    for part, share in zip((parts.valid, parts.test), shares, strict=True):
        assert part.n_samples == pytest.approx(share * n_samples, abs=1)


@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=8),
    shares=fractions,
    seed=st.integers(0, 1000),
    kind=st.sampled_from(["words", "whole", "floats"]),
)
def test_each_class_has_its_share_of_each_part_to_within_two_samples(counts, shares, seed, kind):
    y = np.repeat(np.arange(len(counts)), counts)
    y = {"words": np.array([f"w{code}" for code in y], dtype=object), "whole": y, "floats": y / 2}[kind]
    table = numbered(len(y), y)
    if len(y) < 5:
        return
    parts = split(table, *shares, seed, True)
    for part in parts:
        for label, count in zip(*np.unique(y, return_counts=True), strict=True):
            assert (part.y == label).sum() == pytest.approx(count * part.n_samples / len(y), abs=2)


def test_without_classes_the_split_does_not_look_at_the_target():
    one = split(numbered(100), 0.2, 0.2, 0, by_class=False)
    other = split(numbered(100, np.zeros(100)), 0.2, 0.2, 0, by_class=False)
    assert [rows(part) for part in one] == [rows(part) for part in other]


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (split(numbered(100), 0.2, 0.2, seed, True) for seed in (7, 7, 8))
    assert [rows(part) for part in first] == [rows(part) for part in again]
    assert rows(first.test) != rows(other.test)


def test_named_columns_and_pictures_stay_with_their_target():
    y = np.arange(20) % 2
    columns = {"n": np.arange(20.0), "w": np.array([f"w{row}" for row in range(20)], dtype=object)}
    for part in split(Table("columns", columns, y), 0.2, 0.2, 0, True):
        assert part.columns()["w"].tolist() == [f"w{row:.0f}" for row in part.columns()["n"]]
        np.testing.assert_array_equal(part.y, part.columns()["n"] % 2)


@pytest.mark.parametrize("n_samples", [0, 1, 4])
def test_too_few_samples_are_a_clear_error(n_samples):
    with pytest.raises(ts.DataError, match=rf"got {n_samples} sample\(s\), expected at least 5"):
        split(numbered(n_samples), 0.15, 0.2, 0, True)


def test_the_fewest_samples_fill_every_part():
    assert [part.n_samples for part in split(numbered(5), 0.1, 0.8, 0, True)] == [1, 1, 3]
    assert [part.n_samples for part in split(numbered(6), 0.45, 0.45, 0, True)] == [1, 2, 3]


def test_one_sample_is_a_clear_error_from_the_front_door():
    with pytest.raises(ts.DataError):
        ts.fit(([[1.0, 2.0]], [1]))


def test_one_class_is_a_clear_error():
    with pytest.raises(ts.DataError, match="all 20 samples have the one value 'a'"):
        understand_target(np.array(["a"] * 20, dtype=object), "y")
    with pytest.raises(ts.DataError, match="the one value 1"):
        ts.fit((np.zeros((20, 2)), np.ones(20)))


def test_splitting_by_long_words_does_not_pad_them_all_to_the_longest():
    import tracemalloc

    y = np.array(["a", "b"] * 5000 + ["c" * 100_000], dtype=object)
    tracemalloc.start()
    try:
        split(numbered(len(y), y), 0.2, 0.2, 0, True)
        understand_target(y, "y")
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
