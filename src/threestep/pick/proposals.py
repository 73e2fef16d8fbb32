"""What a search may try, what is proposed to it, what became of that, and by whom it is proposed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from threestep.network import Dense, Network, Params
from threestep.pick.members import Member, Trained
from threestep.settings import Space

ANEW = "trained anew"
"""The change of what the finals begin again; in folds, more words follow."""
LONGER = "trained longer"
"""The change of what goes on from its params where there is no time to begin again."""
DESIGNED = "as people design them"
"""The change of the networks with convolutions that are proposed first."""
FOUNDER = "good on many tables"
"""The change of the networks of neurons that evolution begins with."""


@dataclass(frozen=True)
class Field:
    """What may be proposed.

    Parameters
    ----------
    space : Space
        No default left open.
    input_shape : tuple of int
    n_outputs : int
    max_params : int or None
    seed : int
    few_inputs : int or None
        A network may also see only so many of the first inputs.
    designed : tuple of Member
        Networks with convolutions that are proposed first; then all others have some, too.
    most_products : int or None
        Multiplications for one sample, of a network with convolutions.
    """

    space: Space
    input_shape: tuple[int, ...]
    n_outputs: int
    max_params: int | None = None
    seed: int = 0
    few_inputs: int | None = None
    designed: tuple[Member, ...] = ()
    most_products: int | None = None

    def allows(self, network: Network) -> bool:
        """Whether a network is small enough; where there is no limit, the linear one always is."""
        is_linear = network.is_dense and not network.hidden
        is_quick = is_linear or self.most_products is None or network.n_products <= self.most_products
        return is_quick and (self.max_params is None or network.n_params <= self.max_params)

    @property
    def linear(self) -> Network:
        """The network without a hidden layer, which is tried first; of few inputs where that of all is too
        large."""
        of_all, *of_few = (
            Network(shape, (Dense(self.n_outputs, "linear"),))
            for shape in (self.input_shape, *([] if self.few_inputs is None else [(self.few_inputs,)]))
        )
        return of_few[0] if of_few and not self.allows(of_all) else of_all


@dataclass(frozen=True, eq=False)
class Proposal:
    """A member to try.

    Parameters
    ----------
    member : Member
    params : Params or None
        Inherited; None: a random start.
    parent : int or None
        Number of the tried member it comes from.
    change : str
        How it differs from its parent, in words.
    """

    member: Member
    params: Params | None = field(default=None, repr=False)
    parent: int | None = None
    change: str = "random"


@dataclass(frozen=True, eq=False)
class Tried:
    """What became of a proposal.

    Parameters
    ----------
    number : int
        From 0, in the order of proposing.
    proposal : Proposal
    trained : Trained
        By its longest training.
    epochs, seconds : int, float
        Spent on it.
    """

    number: int
    proposal: Proposal
    trained: Trained
    epochs: int
    seconds: float

    @cached_property
    def loss(self) -> float:
        """Mean validation loss; infinite if descent never came to a finite one."""
        return float(self.trained.losses.mean()) if self.trained.is_sound else math.inf

    def without_params(self) -> "Tried":
        """The same, but for the functions themselves: those that it began from and ended with."""
        proposal, trained = replace(self.proposal, params=None), replace(self.trained, params=())
        return replace(self, proposal=proposal, trained=trained)


class Searcher(NamedTuple):
    """Who proposes: three pure functions; see `threestep.pick.searchers`."""

    init: Callable[[Field], Any]
    ask: Callable[[Any, int], tuple[Any, list[Proposal]]]
    tell: Callable[[Any, Sequence[Tried]], Any]
