"""Many different networks, each trained as if alone, by a few compiled programs.

A member is a network with its rates and its seed. Members whose networks lie in one supernet share
a program that takes a chunk of fixed size; it is called again and again, so how many members there
are never causes a compile. On a CPU the members of a chunk are trained one after the other, so that
a member's params stay in the cache of one core, and one host thread per core calls the same
program; other devices take the members of a chunk all at once, with one host thread per device.

What comes of a member follows from itself, the samples and the settings alone: not from its place,
its company, or the number of devices and threads.
"""

import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import product
from threading import Event
from typing import Any, TypeVar

import jax
import numpy as np

from threestep.devices import is_cpu, prepare, workplaces
from threestep.goodness import Goodness
from threestep.limits import check_settings
from threestep.network import Supernet, padded_size, supernet_of, unpad
from threestep.pick.compiled import Program, Shape, Varied, nobody, somebody, supernet_in
from threestep.pick.going_on import Begun, put_back, taken_out
from threestep.pick.input_scale import folded, scales_inputs
from threestep.pick.members import Job, Member, Trained
from threestep.pick.outcome import Outcome
from threestep.pick.pace import Pace
from threestep.pick.program import EpochRow, State
from threestep.pick.programs import Programs
from threestep.pick.samples import (
    Samples,
    check_fit,
    checked,
    judged_in_blocks,
    padded,
    rates_of,
)
from threestep.pick.shared import Shared
from threestep.pick.step import Recipe
from threestep.pick.waiting import Waiting
from threestep.settings import Descent

_Ended = TypeVar("_Ended")
_LOOK_SECONDS = 0.1
_FEW_TOGETHER = 64  # samples of a batch: of tables that small no step takes long
_FEWEST_ROWS, _FEW_ROWS = 1 << 7, 1 << 14
_LOOKS = 4
"""Epochs of a descent among which the best one is looked for. Every look at the validation samples is a
chance to be lucky: children that inherit the luck of hundreds of looks each end at a validation loss of
zero and the worst test loss of all (measured on iris, wine and diabetes)."""
_MOST_STEPS_UNSEEN = 2000
"""A descent so long that it may be cut off before the next look has more of them."""


class Population:
    """Samples, devices and compiled programs that members share.

    Parameters
    ----------
    goodness : Goodness
    train, valid : Samples or (x, y)
    settings : Descent
        Batch size, optimizer, warm-up, patience and input dropout are every member's.
    seed : int
        The order of the samples follows from it.
    deadline : float
        On the clock of `time.perf_counter`: no call starts, and no compile, that would end later, by what
        the quickest call of that program took.
    room : (int, int)
        The programs are compiled for at least so many samples that are learned from, and that choose: then
        populations of a few more or fewer share them.

    Attributes
    ----------
    deadline : float
        The same; it may be put off while the population lives.
    n_diverged : int
        Jobs so far whose loss exploded.
    pace : Pace
        What jobs are counted to take, and how much of that they took so far.
    """

    def __init__(
        self,
        goodness: Goodness,
        train: Samples | tuple,
        valid: Samples | tuple,
        settings: Descent = Descent(),
        seed: int = 0,
        deadline: float = float("inf"),
        room: tuple[int, int] = (0, 0),
    ):
        check_settings(settings, seed)
        prepare()
        self.goodness, self.settings, self.seed = goodness, settings, seed
        self._learn, self._choose = checked(goodness, train), checked(goodness, valid)
        self.n_samples, self.n_valid = len(self._learn.y), len(self._choose.y)
        self.batch_size = min(settings.batch_size or 64, self.n_samples)
        self.n_steps = -(-self.n_samples // self.batch_size)
        self._devices = workplaces()  # one per worker; a CPU stands there once per core
        n_samples = _padded_rows(max(self.n_samples, room[0]))
        batch_size = padded_size(self.batch_size, few=_FEW_TOGETHER)
        n_steps = -(-n_samples // (batch_size if self.n_steps == 1 else self.batch_size))
        learn, judged = padded(self._learn, n_samples), judged_in_blocks(self._choose, room[1])
        self._shape = Shape(
            1, 1, n_steps, batch_size, n_samples, judged.weight.shape, learn.y.shape[1:], False, is_cpu()
        )
        self._programs = Programs(self._shape, self.n_steps, self.batch_size, self._devices, deadline)
        self.pace = Pace(self.n_steps, self.batch_size, self.n_workers, is_cpu(), self._programs.step_seconds)
        self._shared = Shared(learn, judged, self._shape, self.n_samples, self.batch_size, seed)
        self.n_diverged = 0

    def __enter__(self) -> "Population":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def compile(self, members: Iterable[Member]) -> None:
        """Begin to compile what these members need, in the background, in this order."""
        self._programs.promise(map(self._recipe, members))

    def is_ready(self, member: Member) -> bool:
        """Whether what this member needs is compiled."""
        return self._programs.are_ready(self._recipe(member))

    def train(
        self, jobs: Sequence[Job], stop: Event | None = None
    ) -> Generator[int, None, list[Trained | None]]:
        """Train each job's member: yields, about ten times a second, how many jobs are done.

        Parameters
        ----------
        jobs : sequence of Job
        stop : Event or None
            Once it is set, no call starts.

        Returns
        -------
        list of Trained or None
            In the order of the jobs; None for one that was not begun.

        Raises
        ------
        DataError
            A network that does not fit the samples.
        """
        for job in jobs:
            check_fit(job.member.network, self.goodness, self._learn, self._choose, may_see_fewer=True)
        ended, began = stop or Event(), time.perf_counter()
        self.compile(job.member for job in jobs)
        recipes, results = [self._recipe(job.member) for job in jobs], dict[int, Trained]()
        waiting = Waiting(jobs, recipes, self._programs, self.pace, ended)

        def work(device: Any) -> None:
            while (next_one := waiting.next_for(device)) is not None:
                chunk, program = next_one
                own = [jobs[place] for place in chunk.places]
                try:
                    trained = self._train_chunk(chunk.recipe, program, own, device, ended)
                except jax.errors.JaxRuntimeError as error:
                    self._programs.make_smaller(chunk.recipe, program, device, error)
                    self._shared.forget_moments(device, chunk.recipe, program.shape.n_members)
                    waiting.put_back(chunk)
                else:
                    results.update(zip(chunk.places, trained, strict=True))

        with ThreadPoolExecutor(len(self._devices), thread_name_prefix="train") as workers:
            busy = [workers.submit(work, device) for device in self._devices]
            try:
                while wait(busy, _LOOK_SECONDS).not_done:
                    yield len(results)
            except BaseException:
                ended.set()
                raise
        for each in busy:
            each.result()
        self.n_diverged += sum(each.outcome is Outcome.DIVERGED for each in results.values())
        self.pace.keep_round(time.perf_counter() - began, [jobs[place] for place in results])
        return [results.get(place) for place in range(len(jobs))]

    def seconds_to_say(self, member: Member) -> float:
        """About what a network's outputs for one sample take one core, by the pace so far."""
        return self.pace.seconds_to_say(self._recipe(member), member)

    @property
    def deadline(self) -> float:
        """When training must end."""
        return self._programs.deadline

    @deadline.setter
    def deadline(self, deadline: float) -> None:
        self._programs.deadline = deadline

    @property
    def n_workers(self) -> int:
        """Chunks that are trained at the same time."""
        return len(self._devices)

    @property
    def judged(self) -> Samples:
        """Those that choose."""
        return self._choose

    def close(self) -> None:
        """Begin no more compiles. Nobody waits for those that go on, but the end of the process."""
        self._programs.close()
        self._shared.clear()

    def _train_chunk(
        self, recipe: Recipe, program: Program, jobs: list[Job], device: Any, stop: Event
    ) -> list[Trained]:
        """Train the members of one chunk, a block of epochs at a time."""
        nobody = [None] * (program.shape.n_members - len(jobs))
        varied, state = self._on(device, recipe, [*jobs, *nobody])
        n_epochs = program.shape.n_epochs
        histories: list[list[EpochRow]] = [[] for _ in jobs]
        samples = self._shared.samples(device, jobs[0].member.network.n_inputs)
        calls = product(range(0, max(job.epochs for job in jobs), n_epochs), program.sections)
        running, cut = np.ones(len(jobs), bool), Outcome.INTERRUPTED
        for number, (first, section) in enumerate(calls):
            ahead = [
                max(0, min(n_epochs, job.epochs - first)) if runs else 0
                for job, runs in zip(jobs, running, strict=True)
            ]
            is_late = number > 0 and self._programs.is_late(
                self.pace.seconds_of_call(recipe, jobs, ahead, section)
            )
            if is_late or (number > 0 and stop.is_set()):
                cut = Outcome.OUT_OF_TIME if is_late else cut
                break
            began = time.perf_counter()
            orders = jax.device_put(self._shared.orders(first, n_epochs), device)
            state, rows = program.call(samples, orders, section, varied, state)
            ended = _rows_by_member(rows)[: len(jobs)]
            for history, own in zip(histories, ended, strict=True):
                history.extend(own)
            done = ahead if section is not None else [len(own) for own in ended]  # fewer where one stopped
            self.pace.keep_call(recipe, time.perf_counter() - began, jobs, done, section)
            running = np.asarray(state.outcome)[: len(jobs)] == Outcome.RUNNING
            if not running.any():
                break
        return self._trained(recipe, jobs, state, histories, cut)

    def _trained(
        self,
        recipe: Recipe,
        jobs: list[Job],
        state: State,
        histories: list[list[EpochRow]],
        cut: Outcome,
    ) -> list[Trained]:
        """What came of the members of a chunk; `cut`: of those that were still running."""
        supernet = supernet_in(recipe)
        params = folded(jax.tree.map(np.asarray, state.best_params))
        losses, hits = np.asarray(state.best_losses), np.asarray(state.best_hits)
        epochs, outcomes = np.asarray(state.best_epoch), np.asarray(state.outcome)
        return [
            Trained(
                job.member,
                unpad(supernet, job.member.network, jax.tree.map(lambda leaf, at=at: leaf[at], params)),
                int(epochs[at]),
                losses[at].reshape(-1)[: self.n_valid],
                hits[at].reshape(-1)[: self.n_valid],
                histories[at],
                Outcome(int(outcomes[at]) or cut),
                self._begun(job, at, supernet, state),
            )
            for at, job in enumerate(jobs)
        ]

    def _begun(self, job: Job, at: int, supernet: Supernet, state: State) -> Begun | None:
        """What a job that goes on may go on with again."""
        if job.begun is None:
            return None
        n_steps = job.begun.n_steps + self.n_steps
        return taken_out(state, at, supernet, job.member.network, n_steps)

    def _on(self, device: Any, recipe: Recipe, jobs: Sequence[Job | None]) -> tuple[Varied, State]:
        """The members of a chunk as arrays on a device; where there is none, one that is done already.

        Three quarters of a state are zeros, or what it begins with once more: that is not carried there. On a
        CPU nothing need be: its program takes NumPy's arrays, and quicker.
        """
        each = [self._one(recipe, job) for job in jobs]
        moments = [state.moments for _, state in each]
        if all(job is None or job.begun is None for job in jobs):
            moments = self._shared.no_moments(device, recipe, moments)
        else:
            moments = jax.tree.map(lambda *leaves: np.stack(leaves), *moments)
        carried = [(varied, state._replace(moments=(), best_params=())) for varied, state in each]
        stack = jax.tree.map(lambda *leaves: np.stack(leaves), *carried)
        varied, state = stack if self._shape.one_by_one else jax.device_put(stack, device)
        return varied, state._replace(moments=moments, best_params=state.params)

    def _one(self, recipe: Recipe, job: Job | None) -> tuple[Varied, State]:
        """One member as arrays."""
        if job is None:
            return nobody(recipe, rates_of(self.settings, 1, self.n_steps), self._shape)
        member = job.member
        params = member.network.init(member.seed) if job.params is None else job.params
        own = {name: getattr(member, name) for name in ("learning_rate", "weight_decay", "dropout")}
        keep_every = min(-(-job.epochs // _LOOKS), max(1, _MOST_STEPS_UNSEEN // self.n_steps))
        rates = rates_of(self.settings, job.epochs, self.n_steps, keep_every, **own)
        varied, state = somebody(recipe, rates, self._shape, (member.network, params, member.seed))
        if job.begun is not None:
            rates, state = put_back(job.begun, supernet_in(recipe), member.network, rates, state)
        return varied._replace(rates=rates), state

    def _recipe(self, member: Member) -> Recipe:
        """What the member's program is made of; it follows from the member and the settings alone."""
        return Recipe(
            supernet_of(member.network),
            self.goodness,
            self.settings.optimizer,
            has_dropout=member.dropout > 0,
            has_input_dropout=bool(self.settings.input_dropout),
            has_input_rate=self.settings.input_rate not in (None, 1),
            has_input_scaling=scales_inputs(member.network, self.settings),
            watches_gradient=False,
        )


def train_members(
    members: Sequence[Member],
    goodness: Goodness,
    train: Samples | tuple,
    valid: Samples | tuple,
    settings: Descent = Descent(),
    seed: int = 0,
) -> list[Trained]:
    """Train many networks, each for `settings.epochs` (80 if None); see `Population`.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    >>> members = [
    ...     ts.pick.Member(ts.network.parse(spec, input_shape=(2,), n_outputs=2), learning_rate=0.01)
    ...     for spec in ("", "16", "16-16 tanh")
    ... ]
    >>> trained = ts.pick.train_members(
    ...     members, ts.goodness.Goodness("cross_entropy"), (x[:150], y[:150]), (x[150:], y[150:])
    ... )
    >>> bool(trained[0].losses.mean() > trained[2].losses.mean())
    True
    """
    with Population(goodness, train, valid, settings, seed) as population:
        trained = ended(population.train([Job(member, settings.epochs or 80) for member in members]))
    return [each for each in trained if each is not None]  # without a deadline none is


def _padded_rows(n_samples: int) -> int:
    """Of samples that no order names only the memory is wasted: coarser sizes while that is little."""
    if n_samples > _FEW_ROWS:
        return padded_size(n_samples)
    return max(_FEWEST_ROWS, 1 << (n_samples - 1).bit_length())


def ended(steps: Generator[Any, None, _Ended]) -> _Ended:
    """Go through steps, such as those of `Population.train`, without looking on."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _rows_by_member(rows: EpochRow) -> list[list[EpochRow]]:
    """Each member's epochs that ran, as Python numbers."""
    columns = [np.asarray(column).tolist() for column in rows]
    members = zip(*columns, strict=True)
    return [[EpochRow(*row) for row in zip(*own, strict=True) if row[0] > 0] for own in members]
