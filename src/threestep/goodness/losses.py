"""Losses: one number per sample, lower is better; sums and means are the caller's."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import xlog1py, xlogy


def cross_entropy(logits: Array, classes: Array, label_smoothing: float = 0.0) -> Array:
    """Minus the log of the confidence given to the right class.

    Parameters
    ----------
    logits : Array of shape (n_samples, n_classes)
        Outputs before softmax.
    classes : Array of shape (n_samples,), int32
        Index of the right class.
    label_smoothing : float
        Share of the target spread over all classes (Szegedy et al. 2016, arXiv:1512.00567).

    Returns
    -------
    Array of shape (n_samples,)
        In nats, from 0 up.

    Examples
    --------
    >>> import jax.numpy as jnp, threestep as ts
    >>> print(ts.goodness.cross_entropy(jnp.zeros((1, 4)), jnp.array([2])).round(4))
    [1.3863]
    """
    logits = logits - jax.lax.stop_gradient(logits.max(axis=-1, keepdims=True))
    log_total = jnp.log(jnp.exp(logits).sum(axis=-1))
    # by comparing, not by index: on a CPU a lookup, and its gradient even more, costs more than the sum
    right = jnp.where(jnp.arange(logits.shape[-1]) == classes[:, None], logits, 0.0).sum(axis=-1)
    if label_smoothing == 0.0:
        return log_total - right
    target = (1 - label_smoothing) * right + label_smoothing * logits.mean(axis=-1)
    return log_total - target


def squared_error(outputs: Array, targets: Array) -> Array:
    """Half the squared distance, so that its gradient is the plain difference.

    Parameters
    ----------
    outputs : Array of shape (n_samples, 1)
    targets : Array of shape (n_samples,)

    Returns
    -------
    Array of shape (n_samples,)
    """
    return 0.5 * (outputs[:, 0] - targets) ** 2


def binary_cross_entropy(probabilities: Array, targets: Array) -> Array:
    """Cross-entropy of sigmoid outputs, summed over them.

    Parameters
    ----------
    probabilities, targets : Array of shape (n_samples, n_outputs)
        Each output is the confidence of a yes; targets are 0 or 1.

    Returns
    -------
    Array of shape (n_samples,)
        In nats; 0 for sure and right, infinite for sure and wrong.
    """
    return -(xlogy(targets, probabilities) + xlog1py(1 - targets, -probabilities)).sum(axis=-1)
