"""Convolutions and pooling: the values and gradients of XLA's own, for every stride, size and channel."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from threestep.network.convolution import convolve, pool, side_after

SIZES = st.sampled_from([1, 3, 5, 7])


def reference(x, kernel, stride):
    pad = (len(kernel) - 1) // 2
    axes = ("NHWC", "HWIO", "NHWC")
    padding = ((pad, pad), (pad, pad))
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=axes)


@partial(jax.jit, static_argnums=(0, 1))
def with_gradients(function, stride, x, kernel, g):
    """What it gives, and what comes back of g to x and to the kernel."""
    out, back = jax.vjp(lambda x, kernel: function(x, kernel, stride), x, kernel)
    return out, *back(g)


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


@settings(max_examples=10, deadline=None)
@given(
    n=st.integers(1, 9),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.integers(1, 9),
    filters=st.integers(1, 6),
    size=SIZES,
    stride=st.integers(1, 3),
)
def test_values_and_gradients_are_those_of_xla(n, height, width, channels, filters, size, stride):
    x, kernel = normal(0, n, height, width, channels), normal(1, size, size, channels, filters)
    shape = n, side_after(height, size, stride), side_after(width, size, stride), filters
    (out, *back), (wanted, *wanted_back) = (
        with_gradients(function, stride, x, kernel, normal(2, *shape)) for function in (convolve, reference)
    )
    assert out.shape == shape
    np.testing.assert_allclose(out, wanted, rtol=1e-4, atol=1e-4)
    for ours, theirs in zip(back, wanted_back, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_the_kernel_s_gradient_is_the_same_in_parts(monkeypatch):
    from threestep.network import convolution

    x, kernel = normal(0, 12, 8, 8, 16), normal(1, 3, 3, 16, 8)
    whole = jax.grad(lambda kernel: (convolve(x, kernel) ** 2).sum())(kernel)
    monkeypatch.setattr(convolution, "_MOVED_BYTES", 3 * 8 * 8 * 9 * 16 * 4)
    parts = jax.grad(lambda kernel: (convolve(x, kernel) ** 2).sum())(kernel)
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-3)


def test_where_there_is_no_cpu_xla_s_own_gradient_is_taken(monkeypatch):
    from threestep.network import convolution

    monkeypatch.setattr(convolution, "is_cpu", lambda: False)
    monkeypatch.setattr(convolution, "_convolve", lambda *_: pytest.fail("our own was taken"))
    x, kernel = normal(0, 2, 6, 6, 8), normal(1, 3, 3, 8, 4)
    np.testing.assert_allclose(convolve(x, kernel, 2), reference(x, kernel, 2), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1), (3, 3)])
@pytest.mark.parametrize("kind", ["max", "mean"])
@pytest.mark.parametrize("side", [3, 7, 8])
def test_pools_are_those_of_xla(kind, size, stride, side):
    x, pad = normal(0, 3, side, side + 1, 4), (size - 1) // 2
    start, function = (-jnp.inf, lax.max) if kind == "max" else (0.0, lax.add)
    padding = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    wanted = lax.reduce_window(x, start, function, (1, size, size, 1), (1, stride, stride, 1), padding)
    wanted = wanted if kind == "max" else wanted / size**2
    np.testing.assert_allclose(pool(x, kind, size, stride), wanted, rtol=1e-5, atol=1e-6)


def test_a_pool_of_all_is_one_place():
    x = normal(0, 3, 5, 4, 2)
    np.testing.assert_allclose(pool(x, "mean", 0, 1)[:, 0, 0], x.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(pool(x, "max", 0, 1)[:, 0, 0], x.max(axis=(1, 2)))


def test_the_gradient_of_a_largest_value_goes_where_it_is():
    x = jnp.array([[1.0, 5.0], [2.0, 3.0]]).reshape(1, 2, 2, 1)
    found = jax.grad(lambda x: pool(x, "max", 2, 2).sum())(x)
    np.testing.assert_array_equal(found[0, :, :, 0], [[0, 1], [0, 0]])
