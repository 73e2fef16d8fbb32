"""The processes of one peer, warm, that train networks when asked."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.search.peers import TRAINERS
from benchmarks.search.processes import answer, processes
from benchmarks.search.records import Data, Structure

_WARM_UP_LIMIT = 300.0
_WORK_LIMIT = 3600.0


class Took(NamedTuple):
    """Seconds of a training; `train_seconds` are without compiling."""

    train_seconds: float
    compile_seconds: float


class Team:
    """A peer that is ready to train.

    Parameters
    ----------
    peer : str
        One of `TRAINERS`.
    data : Data
        Its training part is used; ours also looks at a few samples of the validation part.
    batch_size : int

    Raises
    ------
    MissingError
        The peer cannot run here.
    """

    def __init__(self, peer: str, data: Data, batch_size: int):
        self._exits = ExitStack()
        trainer = TRAINERS[peer]
        trainer.require()
        works = [(peer, data, batch_size)] * trainer.n_processes
        try:
            self._pipes = self._exits.enter_context(processes(_serve, works, trainer.environment))
            for pipe in self._pipes:
                answer(pipe, _WARM_UP_LIMIT)
        except BaseException:
            self.stop()
            raise

    def train(self, structures: Sequence[Structure], n_epochs: int) -> Took:
        """Train all the networks to the end, nothing pruned, as much work in each process.

        Raises
        ------
        MissingError
            A process failed.
        """
        shares = shares_of(structures, len(self._pipes))
        began = time.perf_counter()
        for pipe, share in zip(self._pipes, shares):
            pipe.send((share, n_epochs))
        compile_seconds = max(answer(pipe, _WORK_LIMIT) for pipe in self._pipes)
        return Took(time.perf_counter() - began - compile_seconds, compile_seconds)

    def stop(self) -> None:
        """End the processes."""
        self._exits.close()


def _serve(pipe: Connection, peer: str, data: Data, batch_size: int) -> None:
    """In the process: get warm on a tiny network, then train what is asked for."""
    train = TRAINERS[peer].run(data, batch_size)
    train([Structure((8,), 1e-3)], 2)
    pipe.send(True)
    while True:
        share, n_epochs = pipe.recv()
        pipe.send(train(share, n_epochs))


def shares_of(structures: Sequence[Structure], n_shares: int) -> list[list[Structure]]:
    """As many networks, and about as much work, in each share."""
    ordered = sorted(structures, key=lambda structure: _n_weights(structure.hidden), reverse=True)
    shares: list[list[Structure]] = [[] for _ in range(n_shares)]
    for first in range(0, len(ordered), n_shares):
        for share, structure in zip(shares, ordered[first : first + n_shares]):
            share.append(structure)
        shares.reverse()  # the first of each round gets the biggest: take turns at that
    return shares


def _n_weights(hidden: tuple[int, ...]) -> int:
    """About how much work a network is; about as many inputs as in a small image."""
    return sum(fan * width for fan, width in pairwise((256, *hidden)))
