"""The choice of a loss, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.errors import SettingsError, did_you_mean
from threestep.goodness.losses import cross_entropy, squared_error

LOSS_NAMES = ("cross_entropy", "squared_error")
"""Losses a network can be trained on."""


@dataclass(frozen=True)
class Goodness:
    """How good one function is.

    Parameters
    ----------
    loss : {"cross_entropy", "squared_error"}
        What descent lowers; the first for classes, the second for numbers.
    label_smoothing : float
        For cross-entropy, during training only.

    Raises
    ------
    SettingsError
        An unknown loss.

    Examples
    --------
    >>> import jax.numpy as jnp, threestep as ts
    >>> goodness = ts.goodness.Goodness("squared_error")
    >>> print(goodness.losses(jnp.array([[1.0], [3.0]]), jnp.array([1.0, 1.0])))
    [0. 2.]
    """

    loss: str = "cross_entropy"
    label_smoothing: float = 0.0

    def __post_init__(self):
        if self.loss not in LOSS_NAMES:
            raise SettingsError(f"no loss {self.loss!r}", did_you_mean(self.loss, LOSS_NAMES))

    @property
    def is_for_classes(self) -> bool:
        """Whether targets are class indices rather than numbers."""
        return self.loss == "cross_entropy"

    def losses(self, outputs: Array, targets: Array) -> Array:
        """Loss of each sample, shape (n_samples,)."""
        if self.is_for_classes:
            return cross_entropy(outputs, targets, self.label_smoothing)
        return squared_error(outputs, targets)

    def hits(self, outputs: Array, targets: Array) -> Array:
        """What the score averages, shape (n_samples,): 1 where the class is right; for numbers
        minus the squared error."""
        if self.is_for_classes:
            return (outputs.argmax(axis=-1) == targets).astype(jnp.float32)
        return -2.0 * squared_error(outputs, targets)

    def predict(self, outputs: Array) -> Array:
        """Outputs as people read them: confidences of classes (softmax), or the number itself."""
        return jax.nn.softmax(outputs, axis=-1) if self.is_for_classes else outputs

    def averaged(self, outputs: Sequence[NDArray]) -> NDArray:
        """What several networks say together, as outputs of one: (n_samples, n_outputs) each.

        For classes the logarithm of their mean confidence, which softmax turns back; else the mean
        number. One network's outputs stay as they are.
        """
        if len(outputs) == 1:
            return outputs[0]
        if not self.is_for_classes:
            return np.stack(outputs).mean(axis=0)
        logs = [each - _log_sum(each) for each in outputs]
        return _log_sum(np.stack(logs, axis=-1))[..., 0] - np.float32(np.log(len(outputs)))

    @property
    def for_judging(self) -> "Goodness":
        """The same loss without what only helps training."""
        return replace(self, label_smoothing=0.0)


def _log_sum(logs: NDArray) -> NDArray:
    """Logarithm of the sum of exponentials over the last axis, which stays as one of length 1."""
    most = logs.max(axis=-1, keepdims=True)
    return most + np.log(np.exp(logs - most).sum(axis=-1, keepdims=True))
