"""Samples as the training programs take them: checked, in blocks, in order."""

from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from threestep.errors import DataError
from threestep.goodness import Goodness
from threestep.network import Network, padded_size
from threestep.pick.step import Judged, Rates
from threestep.settings import DEFAULT_LEARNING_RATE, DEFAULT_WEIGHT_DECAY, Descent, usual_patience

_SMALLEST_BLOCK, _JUDGE_BLOCK = 64, 1024
_FEW_SAMPLES, _ORDERS_KEPT = 2000, 1024
_AXES = {"classes": (1,), "number": (1, 2), "labels": (2,)}


class Samples(NamedTuple):
    """Encoded samples.

    Parameters
    ----------
    x : array of shape (n_samples, n_inputs), float32
    y : array of shape (n_samples,)
        int32 class indices or float32 numbers; float32 of shape (n_samples, n) for several numbers or
        labels.
    weight : array of shape (n_samples,), float32, or None
        How much each counts; None: all the same.
    scale : float or None
        What x, then of whole numbers of 8 bits, is still to be divided by: a quarter of the memory, and where
        it lies in a file, none of it.
    """

    x: NDArray
    y: NDArray
    weight: NDArray | None = None
    scale: float | None = None


_Some = TypeVar("_Some", Samples, Judged)


def checked(goodness: Goodness, samples: Samples | tuple, may_be_whole: bool = False) -> Samples:
    """Samples in the programs' own dtype, flat, once they are sound; with weights whose mean is 1. Those of
    whole numbers are divided by their scale, unless they may stay as they are.

    Raises
    ------
    DataError
        Shapes or types that no network can learn from.
    """
    samples = samples if isinstance(samples, Samples) else Samples(*samples)
    if samples.scale is not None and (np.asarray(samples.x).dtype != np.uint8 or not samples.scale > 0):
        raise DataError(
            f"samples: got a scale of {samples.scale} and x of type {np.asarray(samples.x).dtype}",
            "a scale above 0 is for x of type uint8; leave it out for others",
        )
    scale = samples.scale if may_be_whole else None
    x, y = np.asarray(samples.x, np.float32 if scale is None else np.uint8), np.asarray(samples.y)
    if scale is None and samples.scale is not None:
        x = x / np.float32(samples.scale)
    if x.ndim < 2 or len(x) == 0 or len(x) != len(y) or y.ndim not in _AXES[goodness.kind]:
        raise DataError(
            f"samples: got x of shape {x.shape} and y of shape {y.shape}, "
            "expected (n_samples, n_inputs) and (n_samples,)"
        )
    x = x.reshape(len(x), -1)
    if y.dtype.kind not in ("biu" if goodness.is_for_classes else "biuf"):
        wanted = "class indices (int)" if goodness.is_for_classes else "numbers"
        raise DataError(f"samples: got y of type {y.dtype}, expected {wanted}")
    if not ((scale is not None or np.isfinite(x).all()) and np.isfinite(y).all()):
        raise DataError(
            "samples: got NaN or infinite numbers, expected finite ones", "fill or drop them first"
        )
    if goodness.is_for_classes and y.min() < 0:
        raise DataError(f"samples: y must be class indices from 0, got {y.min()}")
    weight = _even_weight(samples.weight, len(y))
    return Samples(x, y.astype(np.int32 if goodness.is_for_classes else np.float32), weight, scale)


def _even_weight(weight: NDArray | None, n_samples: int) -> NDArray:
    """Weights whose mean is 1.

    Raises
    ------
    DataError
        Not one per sample, negative, not finite, or all zero.
    """
    if weight is None:
        return np.ones(n_samples, np.float32)
    weight = np.asarray(weight, np.float64)
    if weight.shape != (n_samples,):
        raise DataError(f"samples: got weights of shape {weight.shape}, expected ({n_samples},)")
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.max() <= 0:
        raise DataError("samples: weights must be finite, not negative, and not all zero")
    return (weight / weight.mean()).astype(np.float32)


def check_fit(network: Network, goodness: Goodness, *parts: Samples, may_see_fewer: bool = False) -> None:
    """Refuse samples that do not fit a network; which may see only the first of their inputs.

    Raises
    ------
    DataError
    """
    for x, y, *_ in parts:
        if x.shape[1] != network.n_inputs and not (may_see_fewer and network.n_inputs < x.shape[1]):
            raise DataError(f"samples: got {x.shape[1]} inputs, the network has {network.n_inputs}")
        if goodness.is_for_classes and y.max() >= network.n_outputs:
            raise DataError(
                f"samples: y must be class indices from 0 to {network.n_outputs - 1}, "
                f"got {y.min()} to {y.max()}"
            )
    if not goodness.is_for_classes:
        n_outputs = len(goodness.quantiles) or (parts[0].y.shape[1] if parts[0].y.ndim > 1 else 1)
        if network.n_outputs != n_outputs:
            raise DataError(
                f"network: got {network.n_outputs} outputs, expected {n_outputs} for {goodness.loss}"
            )


def rates_of(settings: Descent, n_epochs: int, n_steps: int, keep_every: int = 1, **own: float) -> Rates:
    """The settings that tune the program, as NumPy scalars; `own` ones instead of the settings'."""
    tuned = {
        "learning_rate": DEFAULT_LEARNING_RATE if settings.learning_rate is None else settings.learning_rate,
        "weight_decay": DEFAULT_WEIGHT_DECAY if settings.weight_decay is None else settings.weight_decay,
        "warmup_fraction": settings.warmup_fraction,
        "dropout": settings.dropout or 0.0,
        "input_dropout": settings.input_dropout or 0.0,
        "input_rate": 1.0 if settings.input_rate is None else settings.input_rate,
        "input_scaling": settings.input_scaling or 0.0,
        **own,
    }
    return Rates(
        **{name: np.float32(value) for name, value in tuned.items()},
        n_epochs=np.int32(n_epochs),
        n_steps=np.int32(n_steps),
        patience=np.int32(settings.patience or usual_patience(n_epochs)),
        keep_every=np.int32(keep_every),
    )


def judged_in_blocks(
    samples: Samples, at_least: int = 0, fewest: int = _SMALLEST_BLOCK, most: int = _JUDGE_BLOCK
) -> Judged:
    """Samples in equal blocks of padded sizes, each of so many, with room for at least so many in all, filled
    up with weightless zeros."""
    n_samples = max(at_least, len(samples.y))
    size = min(most, max(fewest, 1 << (n_samples - 1).bit_length()))
    shape = (padded_size(-(-n_samples // size)), size)
    weight = np.ones(len(samples.y), np.float32) if samples.weight is None else samples.weight
    x, y, weight = (filled(np.asarray(array), shape[0] * size) for array in (samples.x, samples.y, weight))
    return Judged(x.reshape(*shape, -1), y.reshape(*shape, *y.shape[1:]), weight.reshape(shape))


def padded(samples: Samples, n_samples: int) -> Samples:
    """The samples filled up with zeros, which no order ever names."""
    x, y, weight = (filled(np.asarray(array), n_samples) for array in samples[:3])
    return Samples(x, y, weight)


def filled(array: NDArray, n_rows: int) -> NDArray:
    """The array with rows of zeros up to that number."""
    short = n_rows - len(array)
    return np.concatenate([array, np.zeros((short, *array.shape[1:]), array.dtype)]) if short else array


def with_inputs(samples: _Some, n_inputs: int, width: int) -> _Some:
    """The samples with the first so many inputs, and inputs of zero up to a width."""
    if samples.x.shape[-1] == n_inputs == width:
        return samples
    none = [(0, 0)] * (samples.x.ndim - 1)
    return samples._replace(x=np.pad(samples.x[..., :n_inputs], [*none, (0, width - n_inputs)]))


def epoch_order(seed: int, epoch: int, n_samples: int, batch_size: int) -> NDArray:
    """Row numbers of one epoch's steps, (n_steps, batch_size) int32, not to be written to; -1 fills the last
    step up.

    A pure function of (seed, epoch), so a resumed run needs no iterator state. It is drawn on the
    host: XLA sorts about twenty times slower than NumPy shuffles on a CPU. Orders of few samples are kept:
    those of one fold are those of the next, and there drawing takes as long as a step.
    """
    draw = _order_of_few if n_samples <= _FEW_SAMPLES else _drawn_order
    return draw(seed, epoch, n_samples, batch_size)


def _drawn_order(seed: int, epoch: int, n_samples: int, batch_size: int) -> NDArray:
    order = np.full(-(-n_samples // batch_size) * batch_size, -1, np.int32)
    order[:n_samples] = np.random.default_rng([seed, epoch]).permutation(n_samples)
    order.flags.writeable = False
    return order.reshape(-1, batch_size)


_order_of_few = lru_cache(maxsize=_ORDERS_KEPT)(_drawn_order)
