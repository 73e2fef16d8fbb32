"""Step 2: two functions on the same samples, and several functions as one, against NumPy and SciPy."""

import math
import warnings

import hypothesis.strategies as st
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from scipy.special import logsumexp, softmax

import threestep as ts
from threestep.goodness import paired_difference, share_interval

CROSS, SQUARED = ts.goodness.Goodness("cross_entropy"), ts.goodness.Goodness("squared_error")
LOSSES = st.lists(st.floats(0, 1e3, width=32), min_size=2, max_size=40)


# Paired differences


def test_mean_and_standard_error_by_hand():
    mean, error = paired_difference(np.array([3.0, 1.0, 4.0, 2.0]), np.array([1.0, 1.0, 0.0, 4.0]))
    assert mean == 1.0  # of 2, 0, 4, -2
    assert error == pytest.approx(math.sqrt((1 + 1 + 9 + 9) / 3) / 2)


@given(LOSSES, st.randoms(use_true_random=False))
def test_mean_over_error_is_scipys_paired_t(first, random):
    first = np.array(first, np.float32)
    second = np.array([random.random() for _ in first], np.float32)
    mean, error = paired_difference(first, second)
    difference = first.astype(np.float64) - second
    assert mean == pytest.approx(difference.mean(), rel=1e-12, abs=1e-12)
    assert error == pytest.approx(stats.sem(difference), rel=1e-9, abs=1e-12)
    if error > 1e-9:
        wanted = stats.ttest_rel(first.astype(np.float64), second.astype(np.float64)).statistic
        assert mean / error == pytest.approx(wanted, rel=1e-6)


@given(LOSSES, st.randoms(use_true_random=False))
def test_exchanged_functions_differ_by_the_other_sign(first, random):
    second = [random.uniform(0, 100) for _ in first]
    mean, error = paired_difference(np.array(first), np.array(second))
    back, same = paired_difference(np.array(second), np.array(first))
    assert (back, same) == pytest.approx((-mean, error), rel=1e-12)


def test_what_both_find_hard_cancels_out():
    """A difference of a thousandth is seen beside losses that spread by a thousand times as much."""
    rng = np.random.default_rng(0)
    hard = rng.exponential(1.0, 400)
    better, worse = hard + rng.normal(0, 1e-4, 400), hard + 1e-3
    mean, error = paired_difference(worse, better)
    assert mean > 20 * error
    assert abs(worse.mean() - better.mean()) < 0.1 * math.hypot(stats.sem(worse), stats.sem(better))


@pytest.mark.parametrize("n_samples", [1, 2, 100])
def test_a_function_does_not_differ_from_itself(n_samples):
    losses = np.random.default_rng(n_samples).exponential(1, n_samples).astype(np.float32)
    assert paired_difference(losses, losses) == (0.0, 0.0)


def test_one_sample_has_a_mean_and_no_error():
    assert paired_difference(np.array([3.0]), np.array([1.0])) == (2.0, 0.0)


def test_a_loss_that_is_no_number_gives_no_number():
    mean, error = paired_difference(np.array([1.0, np.nan, 2.0]), np.array([1.0, 1.0, 1.0]))
    assert math.isnan(mean)
    assert math.isnan(error)
    assert not mean > error  # so that it never counts as better, nor as worse
    assert not mean < error


def test_single_precision_is_summed_in_double():
    first, second = np.full(100_001, 1e4, np.float32), np.full(100_001, 1e4 - 0.5, np.float32)
    second[0] = 1e4
    mean, error = paired_difference(first, second)
    assert mean == pytest.approx(0.5 * 100_000 / 100_001, rel=1e-12)
    assert error == pytest.approx(stats.sem(first.astype(np.float64) - second), rel=1e-9)


def test_plain_numbers_come_back():
    for value in paired_difference(jnp.ones(3), [0.0, 1.0, 2.0]):
        assert type(value) is float


@pytest.mark.parametrize(("first", "second"), [(3, 2), (1, 2)])
def test_a_standard_error_covers_the_truth_as_often_as_it_should(first, second):
    """Of many pairs with a known difference about 68 % are within one standard error of it."""
    rng = np.random.default_rng(first * 10 + second)
    within = 0
    for _ in range(500):
        shared = rng.exponential(1, 200)
        mean, error = paired_difference(
            first + shared + rng.normal(size=200), second + shared + rng.normal(size=200)
        )
        within += abs(mean - (first - second)) < error
    assert 0.61 < within / 500 < 0.75


# The interval of a share


@given(st.integers(1, 5000), st.data())
def test_the_interval_of_a_share_is_wilsons(n_samples, data):
    n_hits = data.draw(st.integers(0, n_samples))
    low, high = share_interval(n_hits / n_samples, n_samples)
    wanted = stats.binomtest(n_hits, n_samples).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert 0 <= low <= n_hits / n_samples + 1e-12
    assert n_hits / n_samples - 1e-12 <= high <= 1


# Several networks as one


def outputs_of(n_networks, n_samples=7, n_outputs=3, seed=0, scale=3.0):
    rng = np.random.default_rng(seed)
    return list((scale * rng.normal(size=(n_networks, n_samples, n_outputs))).astype(np.float32))


@pytest.mark.parametrize("n_networks", [2, 3, 10])
def test_confidences_of_an_ensemble_are_the_mean_of_its_confidences(n_networks):
    outputs = outputs_of(n_networks)
    together = CROSS.averaged(outputs)
    assert (together.shape, together.dtype) == ((7, 3), np.float32)
    wanted = np.mean([softmax(each, axis=-1) for each in outputs], axis=0)
    np.testing.assert_allclose(CROSS.predict(together), wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.exp(together), wanted, rtol=1e-5, atol=1e-7)  # they are its logarithm


def test_the_loss_of_an_ensemble_is_that_of_its_mean_confidence():
    outputs, y = outputs_of(4), np.array([0, 1, 2, 0, 1, 2, 0])
    confidences = np.mean([softmax(each.astype(np.float64), axis=-1) for each in outputs], axis=0)
    losses = np.asarray(CROSS.losses(CROSS.averaged(outputs), y))
    np.testing.assert_allclose(losses, -np.log(confidences[np.arange(7), y]), rtol=1e-5, atol=1e-6)
    mean_of_losses = np.mean([np.asarray(CROSS.losses(each, y)) for each in outputs], axis=0)
    assert (losses <= mean_of_losses + 1e-5).all()  # by Jensen, never worse than the networks' mean


def test_numbers_of_an_ensemble_are_the_mean_number():
    outputs = outputs_of(5, n_outputs=1)
    together = SQUARED.averaged(outputs)
    assert (together.shape, together.dtype) == ((7, 1), np.float32)
    np.testing.assert_allclose(together, np.mean(outputs, axis=0), rtol=1e-6)


@pytest.mark.parametrize("goodness", [CROSS, SQUARED])
def test_one_network_alone_stays_as_it_is(goodness):
    (only,) = outputs_of(1, n_outputs=1)
    assert goodness.averaged([only]).tobytes() == only.tobytes()


@pytest.mark.parametrize("goodness", [CROSS, SQUARED])
@pytest.mark.parametrize("n_networks", [2, 7])
def test_equal_networks_predict_as_one_of_them(goodness, n_networks):
    (only,) = outputs_of(1, n_outputs=1 if goodness is SQUARED else 3)
    together = goodness.averaged([only] * n_networks)
    np.testing.assert_allclose(goodness.predict(together), goodness.predict(only), rtol=2e-6, atol=1e-7)


@given(st.integers(2, 6), st.integers(0, 1000), st.sampled_from([1e-3, 1.0, 100.0, 1e5]))
def test_averaging_neither_overflows_nor_depends_on_the_order(n_networks, seed, scale):
    outputs = outputs_of(n_networks, seed=seed, scale=scale)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together, turned = CROSS.averaged(outputs), CROSS.averaged(outputs[::-1])
    assert np.isfinite(together).all()
    np.testing.assert_allclose(together, turned, rtol=1e-5, atol=1e-5)
    exact = np.stack([each - logsumexp(each.astype(np.float64), axis=-1, keepdims=True) for each in outputs])
    wanted = logsumexp(exact, axis=0) - np.log(n_networks)
    np.testing.assert_allclose(together, wanted, rtol=1e-4, atol=1e-5)


def test_what_is_added_to_all_outputs_of_a_network_changes_nothing():
    outputs = outputs_of(3)
    moved = [each + np.float32(add) for each, add in zip(outputs, (0.0, 5.0, -7.0), strict=True)]
    np.testing.assert_allclose(CROSS.averaged(moved), CROSS.averaged(outputs), rtol=1e-4, atol=1e-5)


def test_no_samples_have_no_outputs():
    assert CROSS.averaged(outputs_of(3, n_samples=0)).shape == (0, 3)
    assert SQUARED.averaged(outputs_of(3, n_samples=0, n_outputs=1)).shape == (0, 1)
