"""Each library's own way to train a dense network, all behind one interface.

A function takes the case and gives a `Run`: it trains at least so many epochs and says how many.
Libraries are imported inside, in the process where they are timed. All use their default threads.
"""

import os
import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Run

LEARNING_RATE = 1e-4
"""Small, so that no network learns the made-up rows by heart while it is timed: dead neurons would
give denormal numbers, which slow down whoever computes with them."""
WEIGHT_DECAY = 0.01
SGEMM_SIZE = 4096
SGEMM_FLOPS = 2 * SGEMM_SIZE**3

_N_ROWS = 8192
_N_VALID = 64
_LONGEST = 1_000_000  # epochs: never reached


@dataclass(frozen=True)
class Case:
    """One network and batch size.

    Parameters
    ----------
    widths : tuple of int
        Inputs, hidden layers, classes.
    batch : int
        Samples per step.
    """

    widths: tuple[int, ...]
    batch: int

    @property
    def n_rows(self) -> int:
        """Training samples: whole steps only."""
        return self.n_steps * self.batch

    @property
    def n_steps(self) -> int:
        """Steps per epoch."""
        return _N_ROWS // self.batch

    @property
    def flops(self) -> int:
        """Of one step's matrix products: forward, gradient of inputs, gradient of weights."""
        return 6 * self.batch * sum(fan * width for fan, width in pairwise(self.widths))

    def samples(self, n_rows: int) -> tuple[NDArray, NDArray]:
        """Made-up samples, the same in every process: x float32, y int32."""
        random = np.random.default_rng(0)
        x = random.standard_normal((n_rows, self.widths[0]), np.float32)
        return x, random.integers(0, self.widths[-1], n_rows).astype(np.int32)

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.widths))} batch {self.batch}"


def ours(case: Case) -> Run:
    """`ts.pick.descend`, block of epochs by block; the smallest validation set, no early stop."""
    import threestep as ts

    blocks = ts.pick.descend(
        ts.network.parse("-".join(map(str, case.widths[1:-1])), case.widths[:1], case.widths[-1]),
        ts.goodness.Goodness("cross_entropy"),
        train=case.samples(case.n_rows),
        valid=case.samples(_N_VALID),
        settings=ts.Descent(
            epochs=_LONGEST,
            batch_size=case.batch,
            learning_rate=LEARNING_RATE,
            weight_decay=WEIGHT_DECAY,
            warmup_fraction=0.0,
            patience=_LONGEST,
        ),
    )

    def run(n_epochs: int) -> int:
        n_done = 0
        while n_done < n_epochs:
            n_done += len(next(blocks))
        return n_done

    return run


def pytorch(case: Case) -> Run:
    """PyTorch, eager."""
    return _torch(case, is_compiled=False)


def torch_compile(case: Case) -> Run:
    """PyTorch, with forward, loss and backward under `torch.compile`."""
    return _torch(case, is_compiled=True)


def _torch(case: Case, is_compiled: bool) -> Run:
    """The usual loop, without a `DataLoader`: that would cost more than a small network's step."""
    import torch

    torch.manual_seed(0)
    x, y = (torch.from_numpy(array) for array in case.samples(case.n_rows))
    y = y.long()
    layers = [part for sizes in pairwise(case.widths) for part in (torch.nn.Linear(*sizes), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    # fused: the fastest AdamW that PyTorch has on a CPU
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)

    def loss(x, y):
        return torch.nn.functional.cross_entropy(model(x), y)

    if is_compiled:
        loss = torch.compile(loss)  # its backward as well; the whole step with the update is slower

    def run(n_epochs: int) -> int:
        for _ in range(n_epochs):
            order = torch.randperm(case.n_rows)
            for batch in zip(x[order].split(case.batch), y[order].split(case.batch)):
                optimizer.zero_grad()
                loss(*batch).backward()
                optimizer.step()
        return n_epochs

    return run


def keras(case: Case) -> Run:
    """Keras' own `fit` on its JAX backend, many steps per compiled call."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(width, activation="relu") for width in case.widths[1:-1]]
    model = keras.Sequential([keras.Input(case.widths[:1]), *hidden, keras.layers.Dense(case.widths[-1])])
    model.compile(
        optimizer=keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
        steps_per_execution=min(case.n_steps, 16),
    )
    x, y = case.samples(case.n_rows)

    def run(n_epochs: int) -> int:
        model.fit(x, y, batch_size=case.batch, epochs=n_epochs, shuffle=True, verbose=0)
        return n_epochs

    return run


def scikit_learn(case: Case) -> Run:
    """scikit-learn's `MLPClassifier` with its Adam; its weight decay is a term of the loss."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)  # it is told to stop before the end
    x, y = case.samples(case.n_rows)
    model = MLPClassifier(
        case.widths[1:-1],
        batch_size=case.batch,
        learning_rate_init=LEARNING_RATE,
        alpha=WEIGHT_DECAY,
        n_iter_no_change=_LONGEST,
        warm_start=True,
        random_state=0,
    )

    def run(n_epochs: int) -> int:
        model.set_params(max_iter=n_epochs).fit(x, y)
        return n_epochs

    return run


PEERS = {
    "pytorch": pytorch,
    "torch.compile": torch_compile,
    "keras": keras,
    "scikit-learn": scikit_learn,
}
"""By the name in the rows and on the command line."""


def jax_sgemm() -> Run:
    """The machine's matrix product, by JAX; a unit of work is one product."""
    import jax

    a, b = (jax.numpy.asarray(matrix) for matrix in _matrices())
    product = jax.jit(jax.numpy.matmul)

    def run(n_products: int) -> int:
        for _ in range(n_products):
            product(a, b).block_until_ready()
        return n_products

    return run


def numpy_sgemm() -> Run:
    """The machine's matrix product, by NumPy."""
    a, b = _matrices()

    def run(n_products: int) -> int:
        for _ in range(n_products):
            np.matmul(a, b)
        return n_products

    return run


def _matrices() -> tuple[NDArray, NDArray]:
    """Two square matrices."""
    random = np.random.default_rng(0)
    shape = (SGEMM_SIZE, SGEMM_SIZE)
    return random.standard_normal(shape, np.float32), random.standard_normal(shape, np.float32)
