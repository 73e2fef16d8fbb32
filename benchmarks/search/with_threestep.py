"""Ours: many networks at a time by `threestep.pick.Population`."""

import time
from collections.abc import Sequence

from benchmarks.search.records import Data, Structure, Train

_N_VALID = 64  # as few as possible: the peers judge nothing
_LONGEST = 1_000_000  # epochs without a better one: never stop early
_LOOK_SECONDS = 0.01


def trainer(data: Data, batch_size: int) -> Train:
    """`Population.train`; judging on the way and keeping the best params are in it."""
    import threestep as ts

    population = ts.pick.Population(
        ts.goodness.Goodness("cross_entropy"),
        (data.x_train, data.y_train),
        (data.x_valid[:_N_VALID], data.y_valid[:_N_VALID]),
        ts.Descent(batch_size=batch_size, patience=_LONGEST),
    )

    def train(structures: Sequence[Structure], n_epochs: int) -> float:
        began = time.perf_counter()
        members = [_member(structure, data, seed) for seed, structure in enumerate(structures)]
        population.compile(members)
        while not all(population.is_ready(member) for member in members):
            time.sleep(_LOOK_SECONDS)
        compile_seconds = time.perf_counter() - began
        trained = ts.pick.ended(population.train([ts.pick.Job(member, n_epochs) for member in members]))
        if any(each is None or len(each.history) < n_epochs for each in trained):
            raise RuntimeError("a network was not trained to the end")
        return compile_seconds

    return train


def _member(structure: Structure, data: Data, seed: int):
    """The network as ours takes it."""
    import threestep as ts

    spec = f"{'-'.join(map(str, structure.hidden))} {structure.activation}"
    network = ts.network.parse(spec, data.x_train.shape[1:], data.n_classes)
    rates = structure.learning_rate, 0.01, structure.dropout
    return ts.pick.Member(network, *rates, seed=seed)
