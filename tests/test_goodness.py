"""Step 2: losses, metrics and intervals against scikit-learn, SciPy and PyTorch."""

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from scipy import special, stats
from sklearn import metrics

import threestep as ts

good = ts.goodness
seeds = st.integers(0, 2**32 - 1)


def _classes(seed, n_samples=60, n_classes=5, size=3.0):
    rng = np.random.default_rng(seed)
    logits = (size * rng.normal(size=(n_samples, n_classes))).astype(np.float32)
    return logits, rng.integers(0, n_classes, n_samples).astype(np.int32)


@given(seeds)
def test_cross_entropy_is_log_loss_of_scikit_learn(seed):
    logits, classes = _classes(seed)
    ours = np.asarray(good.cross_entropy(logits, classes), np.float64).mean()
    confidences = special.softmax(logits.astype(np.float64), axis=1)
    assert ours == pytest.approx(metrics.log_loss(classes, confidences, labels=range(5)), rel=1e-5)


@given(seeds, st.floats(0.01, 0.95))
def test_label_smoothing_is_cross_entropy_against_the_mixed_target(seed, smoothing):
    logits, classes = _classes(seed)
    target = (1 - smoothing) * np.eye(5)[classes] + smoothing / 5
    expected = -(target * special.log_softmax(logits.astype(np.float64), axis=1)).sum(axis=1)
    np.testing.assert_allclose(good.cross_entropy(logits, classes, smoothing), expected, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.05, 0.3])
def test_cross_entropy_and_its_gradient_are_pytorchs(smoothing):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
    logits, classes = _classes(1)
    theirs_in = torch.tensor(logits, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        theirs_in, torch.tensor(classes).long(), label_smoothing=smoothing, reduction="none"
    )
    theirs.sum().backward()
    ours = good.cross_entropy(logits, classes, smoothing)
    gradient = jax.grad(lambda logits: good.cross_entropy(logits, classes, smoothing).sum())(
        jnp.asarray(logits)
    )
    np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, theirs_in.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("size", [1e3, 1e6, 1e30])
def test_cross_entropy_of_huge_logits_is_finite_with_finite_gradient(size, smoothing):
    logits = jnp.asarray([[size, 0, -size], [-size, 0, size], [size, size, size]], jnp.float32)
    classes = jnp.asarray([0, 0, 1])

    def total(logits):
        return good.cross_entropy(logits, classes, smoothing).sum()

    assert np.isfinite(good.cross_entropy(logits, classes, smoothing)).all()
    assert np.isfinite(jax.grad(total)(logits)).all()


@given(seeds)
def test_cross_entropy_is_never_negative_and_least_for_the_surest_right_answer(seed):
    logits, classes = _classes(seed, size=20.0)
    losses = np.asarray(good.cross_entropy(logits, classes))
    assert (losses >= 0).all()
    surer = logits + 5 * np.eye(5, dtype=np.float32)[classes]
    assert (np.asarray(good.cross_entropy(surer, classes)) <= losses + 1e-5).all()


def test_a_constant_added_to_all_logits_changes_no_loss():
    logits, classes = _classes(2)
    np.testing.assert_allclose(
        good.cross_entropy(logits + 7, classes), good.cross_entropy(logits, classes), rtol=1e-4, atol=1e-5
    )


@given(seeds)
def test_squared_error_is_half_of_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    outputs, targets = rng.normal(size=(40, 1)).astype(np.float32), rng.normal(size=40).astype(np.float32)
    ours = np.asarray(good.squared_error(outputs, targets)).mean()
    assert 2 * ours == pytest.approx(metrics.mean_squared_error(targets, outputs[:, 0]), rel=1e-5)


def test_gradient_of_squared_error_is_the_difference():
    outputs, targets = jnp.asarray([[1.0], [-2.0]]), jnp.asarray([3.0, 4.0])
    gradient = jax.grad(lambda outputs: good.squared_error(outputs, targets).sum())(outputs)
    np.testing.assert_allclose(gradient[:, 0], outputs[:, 0] - targets)


@given(seeds)
def test_binary_cross_entropy_is_the_sum_of_log_losses(seed):
    rng = np.random.default_rng(seed)
    confidences = rng.uniform(0.01, 0.99, (30, 3)).astype(np.float32)
    targets = rng.integers(0, 2, (30, 3)).astype(np.float32)
    expected = sum(
        metrics.log_loss(targets[:, k], confidences[:, k].astype(np.float64), labels=[0, 1]) for k in range(3)
    )
    ours = np.asarray(good.binary_cross_entropy(confidences, targets)).mean()
    assert ours == pytest.approx(expected, rel=1e-4)


def test_binary_cross_entropy_of_a_sure_and_right_answer_is_zero():
    np.testing.assert_array_equal(
        good.binary_cross_entropy(jnp.asarray([[1.0, 0.0]]), jnp.asarray([[1.0, 0.0]])), [0]
    )


def test_binary_cross_entropy_of_a_sure_and_wrong_answer_is_infinite_not_nan():
    losses = good.binary_cross_entropy(jnp.asarray([[0.0], [1.0]]), jnp.asarray([[1.0], [0.0]]))
    np.testing.assert_array_equal(losses, [np.inf, np.inf])


@given(seeds)
def test_goodness_dispatches_to_its_loss(seed):
    logits, classes = _classes(seed)
    numbers = classes.astype(np.float32)
    smooth = good.Goodness("cross_entropy", 0.1)
    np.testing.assert_array_equal(smooth.losses(logits, classes), good.cross_entropy(logits, classes, 0.1))
    np.testing.assert_array_equal(
        smooth.for_judging.losses(logits, classes), good.cross_entropy(logits, classes)
    )
    np.testing.assert_array_equal(
        good.Goodness("squared_error").losses(logits[:, :1], numbers),
        good.squared_error(logits[:, :1], numbers),
    )
    accuracy = metrics.accuracy_score(classes, logits.argmax(axis=1))
    assert np.asarray(smooth.hits(logits, classes)).mean() == pytest.approx(accuracy)
    error = metrics.mean_squared_error(numbers, logits[:, 0])
    assert -np.asarray(good.Goodness("squared_error").hits(logits[:, :1], numbers)).mean() == pytest.approx(
        error, rel=1e-5
    )


def test_predictions_are_confidences_or_the_number_itself():
    logits, _ = _classes(3)
    confidences = good.Goodness("cross_entropy").predict(logits)
    np.testing.assert_allclose(confidences, special.softmax(logits, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(good.Goodness("squared_error").predict(logits), logits)


def test_unknown_loss_is_answered_with_the_nearest():
    with pytest.raises(ts.SettingsError, match="did you mean `cross_entropy`"):
        good.Goodness("crossentropy")


# Metrics


@given(seeds)
def test_accuracy_and_confusion_are_scikit_learns(seed):
    logits, classes = _classes(seed, n_samples=30, n_classes=4)
    predicted = logits.argmax(axis=1)
    assert good.class_metrics(logits, classes)["accuracy"] == pytest.approx(
        metrics.accuracy_score(classes, predicted)
    )
    np.testing.assert_array_equal(
        good.confusion_matrix(predicted, classes, 4),
        metrics.confusion_matrix(classes, predicted, labels=range(4)),
    )


def test_confusion_matrix_has_room_for_classes_that_do_not_occur():
    counts = good.confusion_matrix(np.array([0, 1]), np.array([0, 0]), 3)
    np.testing.assert_array_equal(counts, [[1, 1, 0], [0, 0, 0], [0, 0, 0]])


@given(seeds)
def test_number_metrics_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    targets = 100 + 7 * rng.normal(size=50)
    predictions = targets + rng.normal(size=50)
    ours = good.number_metrics(predictions, targets)
    assert ours["r2"] == pytest.approx(metrics.r2_score(targets, predictions))
    assert ours["rmse"] == pytest.approx(metrics.root_mean_squared_error(targets, predictions))
    assert ours["mae"] == pytest.approx(metrics.mean_absolute_error(targets, predictions))


def test_number_metrics_of_float32_are_computed_in_float64():
    targets = (3e7 + 2 * (np.arange(1000) % 2)).astype(np.float32)  # the mean is no float32
    predictions = np.full(1000, 3e7, np.float32)
    assert good.number_metrics(predictions, targets)["r2"] == pytest.approx(
        metrics.r2_score(targets.astype(np.float64), predictions.astype(np.float64)), rel=1e-9
    )


def test_r2_of_targets_that_are_all_equal_is_zero():
    assert good.number_metrics(np.array([1.0, 2.0]), np.array([3.0, 3.0]))["r2"] == 0


# Intervals


@given(st.integers(1, 5000), st.floats(0, 1))
def test_interval_is_wilsons(n_samples, share):
    n_right = round(share * n_samples)
    expected = stats.binomtest(n_right, n_samples).proportion_ci(0.95, method="wilson")
    low, high = good.share_interval(n_right / n_samples, n_samples)
    assert low == pytest.approx(expected.low, abs=1e-12)
    assert high == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= low <= n_right / n_samples + 1e-12
    assert n_right / n_samples - 1e-12 <= high <= 1


# Other losses


def _torch_free(seed, shape=(40, 3)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).astype(np.float32), rng.normal(size=shape).astype(np.float32)


@given(seeds)
def test_losses_for_numbers_are_their_formulas(seed):
    outputs, targets = _torch_free(seed)
    distance = outputs - targets
    expected = {
        "squared_error": 0.5 * distance**2,
        "absolute_error": np.abs(distance),
        "huber": np.where(np.abs(distance) < 1, 0.5 * distance**2, np.abs(distance) - 0.5),
    }
    for name, each in expected.items():
        np.testing.assert_allclose(
            good.Goodness(name).losses(outputs, targets), each.mean(axis=1), rtol=1e-4, atol=1e-6
        )


@given(seeds)
def test_the_quantile_loss_is_scikit_learns(seed):
    outputs, targets = _torch_free(seed)
    goodness = good.Goodness("quantile", quantiles=(0.1, 0.5, 0.8))
    losses = np.asarray(goodness.losses(outputs, targets[:, 0]))
    each = [
        metrics.mean_pinball_loss(targets[:, 0], outputs[:, k], alpha=q)
        for k, q in enumerate((0.1, 0.5, 0.8))
    ]
    assert losses.mean() == pytest.approx(np.mean(each), rel=1e-4)


@given(seeds)
def test_the_loss_of_labels_is_the_log_loss_of_each(seed):
    outputs, targets = _torch_free(seed)
    labels = (targets > 0).astype(np.float32)
    confidences = special.expit(outputs.astype(np.float64))
    expected = -(labels * np.log(confidences) + (1 - labels) * np.log1p(-confidences)).mean(axis=1)
    ours = good.Goodness("sigmoid_cross_entropy").losses(outputs, labels)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


@given(seeds)
def test_focal_loss_without_focus_is_cross_entropy_and_else_smaller(seed):
    logits, classes = _classes(seed)
    plain = np.asarray(good.cross_entropy(logits, classes))
    np.testing.assert_allclose(good.focal(logits, classes, 0.0), plain, rtol=1e-5)
    doubt = -np.expm1(-plain.astype(np.float64))
    np.testing.assert_allclose(good.focal(logits, classes, 2.0), doubt**2 * plain, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("name", good.LOSS_NAMES)
def test_losses_of_numpy_s_arrays_are_those_of_jax_s_and_need_no_program(name, smoothing):
    goodness = good.Goodness(name, smoothing, quantiles=(0.2, 0.5, 0.9) if name == "quantile" else ())
    outputs, numbers = _torch_free(7)
    classes = np.arange(len(outputs), dtype=np.int32) % 3
    kinds = {"classes": classes, "labels": (numbers > 0).astype(np.float32), "number": numbers}
    targets = numbers[:, 0] if name == "quantile" else kinds[goodness.kind]
    compiled = jax.jit(goodness.losses)(outputs, targets)
    ours = goodness.losses(outputs, targets)
    assert type(ours) is np.ndarray
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, compiled, rtol=1e-4, atol=1e-6)
    hits = goodness.hits(jnp.asarray(outputs), targets)
    np.testing.assert_allclose(goodness.hits(outputs, targets), hits, rtol=1e-5)


@pytest.mark.parametrize("name", good.LOSS_NAMES)
def test_losses_of_what_exploded_are_told_without_a_warning(name, recwarn):
    goodness = good.Goodness(name, quantiles=(0.2, 0.5, 0.9) if name == "quantile" else ())
    outputs = np.array([[np.inf, 1.0, 2.0], [np.nan, 1.0, 2.0], [3e38, -3e38, 1.0]], np.float32)
    targets = {"classes": np.zeros(3, np.int32), "labels": np.eye(3, dtype=np.float32)}
    given = np.zeros(3 if name == "quantile" else (3, 3), np.float32)
    losses = goodness.losses(outputs, targets.get(goodness.kind, given))
    assert not np.isfinite(losses[:2]).any()
    assert [str(each.message) for each in recwarn] == []


@pytest.mark.parametrize("name", good.LOSS_NAMES)
def test_every_loss_has_a_finite_gradient_also_far_off(name):
    goodness = good.Goodness(name, quantiles=(0.2, 0.5, 0.9) if name == "quantile" else ())
    outputs = jnp.asarray([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0], [50.0, -50.0, 3.0]])
    targets = {"classes": jnp.array([0, 1, 0]), "labels": jnp.eye(3), "number": jnp.zeros((3, 3))}[
        goodness.kind
    ]
    targets = jnp.zeros(3) if name == "quantile" else targets
    gradient = jax.grad(lambda o: goodness.losses(o, targets).sum())(outputs)
    assert np.isfinite(gradient).all()
    assert np.isfinite(goodness.losses(outputs, targets)).all()


def test_several_networks_for_labels_give_their_mean_confidence():
    goodness = good.Goodness("sigmoid_cross_entropy")
    each = [np.array([[0.0, 3.0]], np.float32), np.array([[2.0, -5.0]], np.float32)]
    mean = np.mean([special.expit(outputs) for outputs in each], axis=0)
    np.testing.assert_allclose(special.expit(goodness.averaged(each)), mean, rtol=1e-5)


# Metrics


@given(seeds, st.sampled_from([2, 5]))
def test_metrics_of_classes_are_scikit_learns(seed, n_classes):
    rng = np.random.default_rng(seed)
    confidences = rng.dirichlet(np.ones(n_classes), 80)
    classes = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, 80 - n_classes)])
    ours, predicted = good.class_metrics(confidences, classes), confidences.argmax(axis=1)
    two = n_classes == 2
    auc = metrics.roc_auc_score(classes, confidences[:, 1] if two else confidences, multi_class="ovr")
    expected = {
        "accuracy": metrics.accuracy_score(classes, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(classes, predicted),
        "f1": metrics.f1_score(classes, predicted, average="binary" if two else "macro"),
        "auc": auc,
        "log_loss": metrics.log_loss(classes, confidences),
    }
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-9), name
    assert 0 <= ours["ece"] <= 1


def test_the_auc_passes_over_a_class_that_does_not_occur():
    confidences = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.3, 0.6, 0.1]])
    assert good.class_metrics(confidences, np.array([0, 1, 1]))["auc"] == 1.0
    assert np.isnan(good.class_metrics(confidences, np.array([1, 1, 1]))["auc"])


def test_the_calibration_error_is_zero_where_confidences_are_what_they_say():
    confidences = np.array([[0.75, 0.25]] * 4)
    assert good.class_metrics(confidences, np.array([0, 0, 0, 1]))["ece"] == pytest.approx(0)
    assert good.class_metrics(confidences, np.array([1, 1, 1, 1]))["ece"] == pytest.approx(0.75)


def test_the_calibration_error_is_of_what_was_said():
    rng = np.random.default_rng(0)
    yes = rng.beta(1, 4, 20_000)
    classes = (rng.random(20_000) < yes).astype(int)
    confidences, said = np.stack([1 - yes, yes], axis=1), (yes >= 0.25).astype(int)
    assert good.class_metrics(confidences, classes, said)["ece"] < 0.02
    bins = good.calibration_bins(confidences[np.arange(20_000), said], said == classes)
    assert all(abs(each["confidence"] - each["accuracy"]) < 0.05 for each in bins if each["n_samples"] > 500)
    assert min(each["confidence"] for each in bins) < 0.4


def test_equal_targets_have_no_r2_whatever_their_mean_is_rounded_to():
    assert good.number_metrics(np.array([0.2] * 3), np.array([0.1] * 3))["r2"] == 0.0


@given(seeds)
def test_metrics_of_several_numbers_are_scikit_learns(seed):
    predictions, targets = _torch_free(seed)
    ours = good.number_metrics(predictions, targets)
    assert ours["r2"] == pytest.approx(metrics.r2_score(targets, predictions), rel=1e-5)
    assert ours["rmse"] == pytest.approx(metrics.root_mean_squared_error(targets, predictions), rel=1e-5)
    assert ours["mae"] == pytest.approx(metrics.mean_absolute_error(targets, predictions), rel=1e-5)
