"""Losses: one number per sample, lower is better; sums and means are the caller's.

Of NumPy's arrays they are NumPy's: what is asked once, of so many samples as there are, needs no program.
"""

import jax
import numpy as np
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
    of = logits.__array_namespace__()
    logits = logits - _constant(logits.max(axis=-1, keepdims=True))
    log_total = of.log(of.exp(logits).sum(axis=-1))
    # by comparing, not by index: on a CPU a lookup, and its gradient even more, costs more than the sum
    right = of.where(of.arange(logits.shape[-1]) == classes[:, None], logits, 0.0).sum(axis=-1)
    if label_smoothing == 0.0:
        return log_total - right
    target = (1 - label_smoothing) * right + label_smoothing * logits.mean(axis=-1)
    return log_total - target


def focal(logits: Array, classes: Array, gamma: float = 2.0) -> Array:
    """Cross-entropy that counts less where the confidence is high already (Lin et al. 2017,
    arXiv:1708.02002).

    Parameters
    ----------
    logits : Array of shape (n_samples, n_classes)
    classes : Array of shape (n_samples,), int32
    gamma : float
        0 is cross-entropy; the larger, the less easy samples count.

    Returns
    -------
    Array of shape (n_samples,)
    """
    losses = cross_entropy(logits, classes)
    of = losses.__array_namespace__()
    doubt = -of.expm1(-losses)  # one minus the confidence
    if gamma == 0.0:
        return losses
    # a doubt of exactly 0 has no slope of its own for a gamma below 1
    return of.maximum(doubt, 1e-7) ** gamma * losses


def sigmoid_cross_entropy(logits: Array, targets: Array, label_smoothing: float = 0.0) -> Array:
    """Cross-entropy of several yes-or-no questions, their mean.

    Parameters
    ----------
    logits : Array of shape (n_samples, n_labels)
        Outputs before the sigmoid.
    targets : Array of shape (n_samples, n_labels)
        0 or 1 each.
    label_smoothing : float
        How far a target is moved towards one half.

    Returns
    -------
    Array of shape (n_samples,)
        In nats, from 0 up.
    """
    of = logits.__array_namespace__()
    targets = targets * (1 - label_smoothing) + 0.5 * label_smoothing
    return (of.maximum(logits, 0) - logits * targets + of.log1p(of.exp(-of.abs(logits)))).mean(axis=-1)


def squared_error(outputs: Array, targets: Array) -> Array:
    """Half the squared distance, so that its gradient is the plain difference; of several numbers the mean.

    Parameters
    ----------
    outputs : Array of shape (n_samples, n_numbers)
    targets : Array of shape (n_samples,), or as the outputs

    Returns
    -------
    Array of shape (n_samples,)
    """
    return _mean(0.5 * _distance(outputs, targets) ** 2)


def absolute_error(outputs: Array, targets: Array) -> Array:
    """The distance; of several numbers the mean. Its best constant is the median.

    Shapes as in `squared_error`.
    """
    return _mean(abs(_distance(outputs, targets)))


def huber(outputs: Array, targets: Array, delta: float = 1.0) -> Array:
    """Squared error near the target, absolute error farther off than `delta` (Huber 1964).

    Shapes as in `squared_error`; `delta` is in standard deviations of the target.
    """
    distance = abs(_distance(outputs, targets))
    near = distance.__array_namespace__().minimum(distance, delta)
    return _mean(near * (distance - 0.5 * near))


def pinball(outputs: Array, targets: Array, quantiles: tuple[float, ...]) -> Array:
    """Quantile loss (Koenker & Bassett 1978), the mean over the quantiles.

    Parameters
    ----------
    outputs : Array of shape (n_samples, n_quantiles)
    targets : Array of shape (n_samples,)
    quantiles : tuple of float
        Between 0 and 1, one per output.

    Returns
    -------
    Array of shape (n_samples,)
    """
    over = targets[:, None] - outputs
    of = outputs.__array_namespace__()
    shares = of.array(quantiles, outputs.dtype)
    return of.maximum(shares * over, (shares - 1) * over).mean(axis=-1)


def _distance(outputs: Array, targets: Array) -> Array:
    return outputs - targets.reshape(outputs.shape)


def _mean(losses: Array) -> Array:
    """Over the numbers of each sample."""
    return losses[:, 0] if losses.shape[1] == 1 else losses.mean(axis=-1)


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


def _constant(array: Array) -> Array:
    """To a gradient."""
    return array if isinstance(array, np.ndarray) else jax.lax.stop_gradient(array)
