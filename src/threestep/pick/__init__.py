"""Step 3: pick the best function.

`train` picks the params inside one set of functions by gradient descent (backpropagation by
`jax.grad`, optimizers by optax). Many epochs are one compiled program; one row of numbers per
epoch comes back. `descend` is the same, a block of epochs at a time.
"""

from threestep.pick.descent import Picked, Samples, descend, losses_of, outputs_of, picked_of, train
from threestep.pick.outcome import Outcome
from threestep.pick.program import EpochRow

__all__ = [
    "EpochRow",
    "Outcome",
    "Picked",
    "Samples",
    "descend",
    "losses_of",
    "outputs_of",
    "picked_of",
    "train",
]
