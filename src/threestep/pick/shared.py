"""Arrays that all chunks of a population share, made when they are first asked for."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from threestep.network import padded_inputs
from threestep.pick.compiled import Shape
from threestep.pick.samples import Samples, epoch_order, with_inputs
from threestep.pick.step import Judged, Moments, Recipe

_MOST_ORDERS = 50  # of blocks of epochs, kept


class Shared:
    """Samples on each device, orders of epochs, moments before the first step.

    Parameters
    ----------
    learn : Samples
        Padded.
    judged : Judged
    shape : Shape
        Of the programs that take them.
    n_samples, batch_size : int
        As they are, not padded.
    seed : int
        The order of the samples follows from it.
    """

    def __init__(
        self, learn: Samples, judged: Judged, shape: Shape, n_samples: int, batch_size: int, seed: int
    ):
        self._learn, self._judged, self._shape = learn, judged, shape
        self._n_samples, self._batch_size, self._seed = n_samples, batch_size, seed
        self._samples: dict[tuple[Any, int], tuple] = {}  # by device and number of inputs
        self._zeros: dict[tuple[Any, Recipe, int], Moments] = {}
        self._orders: dict[tuple[int, int], NDArray] = {}
        self._lock = Lock()

    def samples(self, device: Any, n_inputs: int) -> tuple:
        """The samples as a program takes them, on a device, with so many of their inputs."""
        with self._lock:
            if (device, n_inputs) not in self._samples:
                width = padded_inputs(n_inputs)
                learn = with_inputs(self._learn, n_inputs, width)
                own = (*learn[:3], with_inputs(self._judged, n_inputs, width))
                self._samples[device, n_inputs] = jax.device_put(own, device)
            return self._samples[device, n_inputs]

    def orders(self, first: int, n_epochs: int) -> NDArray:
        """The orders of a block of epochs, filled up to the padded sizes: (n_epochs, n_steps, batch_size)."""
        with self._lock:
            if (first, n_epochs) not in self._orders:
                if len(self._orders) >= _MOST_ORDERS:
                    self._orders.clear()
                block = np.full((n_epochs, self._shape.n_steps, self._shape.batch_size), -1, np.int32)
                for place, epoch in enumerate(range(first, first + n_epochs)):
                    order = epoch_order(self._seed, epoch, self._n_samples, self._batch_size)
                    block[place, : order.shape[0], : order.shape[1]] = order
                self._orders[first, n_epochs] = block
            return self._orders[first, n_epochs]

    def no_moments(self, device: Any, recipe: Recipe, each: Sequence[Moments]) -> Moments:
        """A chunk's moments before the first step, all zero; never written to, so that all share them."""
        key = device, recipe, len(each)
        if key not in self._zeros:  # made twice at worst
            stack = jax.tree.map(lambda *leaves: np.stack(leaves), *each)
            self._zeros[key] = jax.device_put(stack, device)
        return self._zeros[key]

    def forget_moments(self, device: Any, recipe: Recipe, n_members: int) -> None:
        """Of chunks of so many members, which did not fit in memory."""
        self._zeros.pop((device, recipe, n_members), None)

    def clear(self) -> None:
        """Let go of what lies on the devices, but for the samples."""
        self._zeros.clear()
