"""A descent that goes on, an epoch at a time, on other samples each time, as `partial_fit` does."""

from typing import NamedTuple

import jax
import numpy as np

from threestep.network import Network, Params, Supernet, pad, unpad
from threestep.pick.optimizers import RULES
from threestep.pick.program import State
from threestep.pick.step import Rates

_NO_END = 1 << 30  # epochs: the rate neither rises nor comes down, for nobody knows the end


class Begun(NamedTuple):
    """What is to be known of a descent, beside the params, to go on with it.

    Parameters
    ----------
    moments : tuple of Params
        What the optimizer remembers, each of the shapes of the params; see `RULES`.
    n_steps : int
        That were done.
    """

    moments: tuple[Params, ...]
    n_steps: int


def before_the_first_step(optimizer: str, params: Params) -> Begun:
    """A descent from these params of which nothing is done."""
    zeros = jax.tree.map(np.zeros_like, params)
    return Begun((zeros,) * RULES[optimizer].n_moments, 0)


def put_back(
    begun: Begun, supernet: Supernet, network: Network, rates: Rates, state: State
) -> tuple[Rates, State]:
    """Rates and state of a descent at its start, as those of one that goes on for one epoch."""
    padded = [pad(supernet, network, each) for each in begun.moments]
    moments = tuple(
        {part: tuple(each[index][part] for each in padded) for part in own}
        for index, own in enumerate(state.params)
    )
    n_epochs = -(-begun.n_steps // int(rates.n_steps))  # calls may have other numbers of steps
    rates = rates._replace(n_epochs=np.int32(_NO_END), patience=np.int32(0), warmup_fraction=np.float32(0))
    return rates, state._replace(moments=moments, epoch=np.int32(n_epochs))


def taken_out(state: State, at: int, supernet: Supernet, network: Network, n_steps: int) -> Begun:
    """What the `at`-th member of a chunk goes on with, after so many steps in all."""
    n_moments = len(next(iter(state.moments[0].values())))

    def moment(number: int) -> Params:
        return tuple(
            {part: np.asarray(each[number][at]) for part, each in own.items()} for own in state.moments
        )

    return Begun(tuple(unpad(supernet, network, moment(number)) for number in range(n_moments)), n_steps)
