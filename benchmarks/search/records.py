"""What the programs of this benchmark hand to each other: plain data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import NDArray

N_CORES = 2
"""Of everyone: two processes of one thread each, or the threads of one process."""

JUDGED_AT_ONCE = 4096
"""Rows in a chunk of predictions."""


class Data(NamedTuple):
    """Standardized samples in three parts: x float32 (n_samples, n_features), y int32 (n_samples,)."""

    x_train: NDArray
    y_train: NDArray
    x_valid: NDArray
    y_valid: NDArray
    x_test: NDArray
    y_test: NDArray

    @property
    def n_classes(self) -> int:
        """Labels are counted from 0."""
        return int(self.y_train.max()) + 1


class Structure(NamedTuple):
    """One dense network and its learning rate."""

    hidden: tuple[int, ...]
    learning_rate: float
    activation: str = "relu"
    dropout: float = 0.0


class Space(NamedTuple):
    """What is searched: all hidden layers of a network have the same width.

    Pairs are the lowest and the highest value; rates and `alphas` are drawn on a log scale.
    scikit-learn has no dropout: it searches `alphas`, the weight of its penalty, in its place.
    """

    depths: tuple[int, int] = (1, 4)
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    learning_rates: tuple[float, float] = (3e-4, 1e-2)
    activations: tuple[str, ...] = ("relu", "tanh")
    dropouts: tuple[float, float] = (0.0, 0.3)
    alphas: tuple[float, float] = (1e-6, 1e-2)
    n_epochs: int = 60
    batch_size: int = 64


class Found(NamedTuple):
    """The best network so far: seconds since the search began, accuracy on valid and test."""

    elapsed_seconds: float
    valid_score: float
    test_score: float


@dataclass(frozen=True)
class Errand:
    """What a process of a search gets.

    Parameters
    ----------
    data : Data
    space : Space
    seed : int
    ends_at : float
        `time.time()` at which the process will be ended, whatever it is doing.
    folder : str
        An empty folder that all processes of this search share.
    index : int
        Which of the processes this is.
    """

    data: Data
    space: Space
    seed: int
    ends_at: float
    folder: str
    index: int


Report = Callable[[float, float], None]
"""Takes valid and test accuracy of a network that can be had from now on."""

Train = Callable[[Sequence[Structure], int], float]
"""Trains networks for so many epochs; gives the seconds of that in which it only compiled."""
