"""The lecture's example: its numbers, and its gradients by three other ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from threestep.study import work_example
from threestep.study.worked_example import NEURONS, example_loss, example_params

CASES = [  # outputs of the three layers as the lecture gives them
    ((1.0, -1.0), [(0.98, 0.12), (0.86, 0.11), (0.62, 0.83)]),
    ((0.0, 0.0), [(0.73, 0.50), (0.72, 0.12), (0.51, 0.85)]),
]
TARGETS = [(1.0, 0.0), (0.0, 1.0)]
WRITTEN = [  # the lecture's own numbers, once more: each row of W is one neuron
    ([[1, -2], [-1, 1]], [1, 0]),
    ([[2, -1], [-2, -1]], [0, 0]),
    ([[3, -1], [-1, 4]], [-2, 2]),
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def numpy_loss(neurons, x, target):
    """The example in float64: rows of W are neurons, a column vector goes through."""
    a = np.asarray(x, np.float64)
    for weight, bias in neurons:
        a = sigmoid(weight @ a + bias)
    t = np.asarray(target)
    return -(t * np.log(a) + (1 - t) * np.log(1 - a)).sum()


def float64_neurons():
    return [(np.array(weight, np.float64), np.array(bias, np.float64)) for weight, bias in WRITTEN]


def test_the_example_is_the_lectures():
    for (weight, bias), (rows, biases) in zip(NEURONS, WRITTEN, strict=True):
        np.testing.assert_array_equal(weight, rows)
        np.testing.assert_array_equal(bias, biases)


@pytest.mark.parametrize(("x", "expected"), CASES)
def test_every_layers_output_to_two_decimals(x, expected):
    worked = work_example(x)
    assert len(worked.layers) == 3
    for layer, outputs in zip(worked.layers, expected, strict=True):
        assert [round(float(a), 2) for a in layer.a] == list(outputs)


@pytest.mark.parametrize(("x", "expected"), CASES)
def test_every_neurons_sum_and_output_in_float64(x, expected):
    a = np.array(x)
    for layer, (weight, bias) in zip(work_example(x).layers, float64_neurons(), strict=True):
        z = [sum(w * i for w, i in zip(row, a)) + b for row, b in zip(weight, bias)]  # neuron by neuron
        np.testing.assert_allclose(layer.z, z, rtol=1e-5, atol=1e-6)
        a = sigmoid(np.array(z))
        np.testing.assert_allclose(layer.a, a, rtol=1e-5)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("x", "_"), CASES)
def test_loss_is_cross_entropy(x, _, target):
    assert work_example(x, target).loss == pytest.approx(numpy_loss(float64_neurons(), x, target), rel=1e-5)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("x", "_"), CASES)
def test_every_gradient_agrees_with_central_differences_in_float64(x, _, target):
    with jax.enable_x64(True):
        params = example_params(np.float64)
        gradient = jax.grad(example_loss)(params, jnp.asarray(x), jnp.asarray(target))
        assert {leaf.dtype for leaf in jax.tree.leaves(gradient)} == {jnp.dtype("float64")}
    shown = work_example(x, target).gradient
    neurons, step, n_checked = float64_neurons(), 1e-5, 0
    for index, arrays in enumerate(neurons):
        exact = (np.asarray(gradient[index]["weight"]).T, np.asarray(gradient[index]["bias"]))
        single = (np.asarray(shown[index]["weight"]).T, np.asarray(shown[index]["bias"]))
        for array, by_jax, printed in zip(arrays, exact, single, strict=True):
            for place in np.ndindex(array.shape):
                kept = array[place]
                array[place] = kept + step
                above = numpy_loss(neurons, x, target)
                array[place] = kept - step
                below = numpy_loss(neurons, x, target)
                array[place] = kept
                slope = (above - below) / (2 * step)
                assert by_jax[place] == pytest.approx(slope, rel=1e-7, abs=1e-10)
                assert printed[place] == pytest.approx(slope, rel=1e-4, abs=1e-6)
                n_checked += 1
    assert n_checked == 18  # 12 weights and 6 biases


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("x", "_"), CASES)
def test_every_gradient_agrees_with_pytorchs_autograd(x, _, target):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra `torch`)")
    tensors = [
        (torch.tensor(weight, requires_grad=True), torch.tensor(bias, requires_grad=True))
        for weight, bias in float64_neurons()
    ]
    a = torch.tensor(x, dtype=torch.float64)
    for weight, bias in tensors:
        a = torch.sigmoid(weight @ a + bias)
    loss = torch.nn.functional.binary_cross_entropy(
        a, torch.tensor(target, dtype=torch.float64), reduction="sum"
    )
    loss.backward()
    worked = work_example(x, target)
    assert worked.loss == pytest.approx(loss.item(), rel=1e-5)
    for own, (weight, bias) in zip(worked.gradient, tensors, strict=True):
        np.testing.assert_allclose(np.asarray(own["weight"]).T, weight.grad, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(own["bias"], bias.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("x", "_"), CASES)
def test_one_step_goes_against_the_gradient_and_lowers_the_loss(x, _, target):
    worked = work_example(x, target)
    jax.tree.map(
        lambda before, slope, after: np.testing.assert_allclose(
            after, before - worked.learning_rate * slope, rtol=1e-6
        ),
        worked.params,
        worked.gradient,
        worked.stepped,
    )
    assert worked.loss_after < worked.loss
    stepped = [
        (np.asarray(own["weight"], np.float64).T, np.asarray(own["bias"], np.float64))
        for own in worked.stepped
    ]
    assert worked.loss_after == pytest.approx(numpy_loss(stepped, x, target), rel=1e-5)
