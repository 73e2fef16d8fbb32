"""Members of a population: what each is, what is asked of it, what came of it."""

from dataclasses import dataclass, field

from numpy.typing import NDArray

from threestep.network import Network, Params
from threestep.pick.going_on import Begun
from threestep.pick.outcome import Outcome
from threestep.pick.program import EpochRow


@dataclass(frozen=True)
class Member:
    """One network of a population, with what may differ beside its structure.

    Parameters
    ----------
    network : Network
        Up to 8 hidden layers of one activation.
    learning_rate, weight_decay, dropout : float
    seed : int
        Its start and its dropout follow from it.
    """

    network: Network
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    dropout: float = 0.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Job:
    """A member to train, for how long, and from where.

    Parameters
    ----------
    member : Member
    epochs : int
    params : Params or None
        Where descent starts; None: at the random start of the member's seed.
    begun : Begun or None
        Of a descent that goes on, by one epoch, whatever `epochs` says, at the member's rate.
    """

    member: Member
    epochs: int
    params: Params | None = None
    begun: Begun | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """What came of a job.

    Parameters
    ----------
    member : Member
    params : Params
        Of the epoch with the lowest validation loss.
    best_epoch : int
        0: no epoch ended with a finite loss; these are the params of the start.
    losses, hits : ndarray of shape (n_valid,)
        Loss and score of each validation sample by these params.
    history : list of EpochRow
    outcome : Outcome
    begun : Begun or None
        With which a descent that goes on may do so again.
    """

    member: Member
    params: Params = field(repr=False)
    best_epoch: int
    losses: NDArray = field(repr=False)
    hits: NDArray = field(repr=False)
    history: list[EpochRow] = field(repr=False)
    outcome: Outcome
    begun: Begun | None = field(default=None, repr=False)

    @property
    def is_sound(self) -> bool:
        """Whether there is a function worth keeping."""
        return self.best_epoch > 0
