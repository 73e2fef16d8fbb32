"""The choice of a loss, as plain data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.errors import SettingsError, did_you_mean
from threestep.goodness import losses

_LOSSES: dict[str, tuple[str, Callable[["Goodness", Array, Array], Array]]] = {
    "cross_entropy": ("classes", lambda own, o, t: losses.cross_entropy(o, t, own.label_smoothing)),
    "focal": ("classes", lambda own, o, t: losses.focal(o, t, own.gamma)),
    "sigmoid_cross_entropy": (
        "labels",
        lambda own, o, t: losses.sigmoid_cross_entropy(o, t, own.label_smoothing),
    ),
    "squared_error": ("number", lambda _, o, t: losses.squared_error(o, t)),
    "absolute_error": ("number", lambda _, o, t: losses.absolute_error(o, t)),
    "huber": ("number", lambda own, o, t: losses.huber(o, t, own.delta)),
    "quantile": ("number", lambda own, o, t: losses.pinball(o, t, own.quantiles)),
}
"""Of each loss: what kind of target it is for, and its formula."""

LOSS_NAMES = tuple(_LOSSES)
"""Losses a network can be trained on."""


@dataclass(frozen=True)
class Goodness:
    """How good one function is.

    Parameters
    ----------
    loss : str
        What descent lowers, one of `LOSS_NAMES`: for classes `cross_entropy` or `focal`, for several
        yes-or-no labels `sigmoid_cross_entropy`, for numbers `squared_error`, `absolute_error`, `huber` or
        `quantile`.
    label_smoothing : float
        For cross-entropy, during training only.
    gamma : float
        Of `focal`: how much less easy samples count.
    delta : float
        Of `huber`: from where on it is linear, in standard deviations of the target.
    quantiles : tuple of float
        Of `quantile`: one output each, between 0 and 1.

    Raises
    ------
    SettingsError
        An unknown loss, or quantiles that are none.

    Examples
    --------
    >>> import jax.numpy as jnp, threestep as ts
    >>> goodness = ts.goodness.Goodness("squared_error")
    >>> print(goodness.losses(jnp.array([[1.0], [3.0]]), jnp.array([1.0, 1.0])))
    [0. 2.]
    """

    loss: str = "cross_entropy"
    label_smoothing: float = 0.0
    gamma: float = 2.0
    delta: float = 1.0
    quantiles: tuple[float, ...] = ()

    def __post_init__(self):
        if self.loss not in _LOSSES:
            raise SettingsError(f"no loss {self.loss!r}", did_you_mean(self.loss, LOSS_NAMES))
        if (self.loss == "quantile") != bool(self.quantiles) or not all(0 < q < 1 for q in self.quantiles):
            raise SettingsError(
                f"loss {self.loss!r} with quantiles {self.quantiles}",
                "quantiles are numbers between 0 and 1, and only the loss `quantile` has them",
            )

    @property
    def kind(self) -> str:
        """What kind of target it is for: classes (indices), labels (0 or 1 each) or number."""
        return _LOSSES[self.loss][0]

    @property
    def is_for_classes(self) -> bool:
        """Whether targets are class indices rather than numbers."""
        return self.kind == "classes"

    @overload
    def losses(self, outputs: NDArray, targets: NDArray) -> NDArray: ...
    @overload
    def losses(self, outputs: Array, targets: Array) -> Array: ...
    def losses(self, outputs: Any, targets: Any) -> Any:
        """Loss of each sample, shape (n_samples,); of NumPy's arrays by NumPy, without a program."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told where it is asked for
            return _LOSSES[self.loss][1](self, outputs, targets)

    @overload
    def hits(self, outputs: NDArray, targets: NDArray) -> NDArray: ...
    @overload
    def hits(self, outputs: Array, targets: Array) -> Array: ...
    def hits(self, outputs: Any, targets: Any) -> Any:
        """What the score averages, shape (n_samples,): 1 where the class is right, the share of labels that
        are; for numbers minus the squared error, for quantiles minus the loss. Of NumPy's arrays by NumPy."""
        if self.kind == "classes":
            return (outputs.argmax(axis=-1) == targets).astype(jnp.float32)
        if self.kind == "labels":
            return ((outputs > 0) == (targets > 0.5)).mean(axis=-1, dtype=jnp.float32)
        if self.loss == "quantile":
            return -self.losses(outputs, targets)
        with np.errstate(over="ignore", invalid="ignore"):
            return -2.0 * losses.squared_error(outputs, targets)

    def predict(self, outputs: Array) -> Array:
        """Outputs as people read them: confidences of classes (softmax) or labels (sigmoid), or the numbers
        themselves."""
        if self.kind == "labels":
            return jax.nn.sigmoid(outputs)
        return jax.nn.softmax(outputs, axis=-1) if self.kind == "classes" else outputs

    def averaged(self, outputs: Sequence[NDArray]) -> NDArray:
        """What several networks say together, as outputs of one: (n_samples, n_outputs) each.

        For classes and labels the logarithm of their mean confidence, which softmax or sigmoid turns back;
        else the mean number. One network's outputs stay as they are.
        """
        if len(outputs) == 1:
            return outputs[0]
        if self.kind == "number":
            return np.stack(outputs).mean(axis=0)
        if self.kind == "labels":
            stacked = np.stack(outputs)
            yes, no = (_log_mean(-np.logaddexp(0, sign * stacked)) for sign in (-1, 1))
            return yes - no
        stacked = np.stack(outputs)
        return _log_mean(stacked - _log_sum(stacked))

    @property
    def for_judging(self) -> "Goodness":
        """The same loss without what only helps training."""
        return replace(self, label_smoothing=0.0)


def _log_mean(logs: NDArray) -> NDArray:
    """Logarithm of the mean of exponentials over the first axis."""
    together = np.ascontiguousarray(np.moveaxis(logs, 0, -1))
    return _log_sum(together)[..., 0] - np.float32(np.log(len(logs)))


def _log_sum(logs: NDArray) -> NDArray:
    """Logarithm of the sum of exponentials over the last axis, which stays as one of length 1."""
    most = logs.max(axis=-1, keepdims=True)
    return most + np.log(np.exp(logs - most).sum(axis=-1, keepdims=True))
