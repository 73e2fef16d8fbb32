"""How long a population's jobs take: counted by the work they are, and measured on those before."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock

from threestep.network import Supernet, supernet_of
from threestep.pick.members import Job, Member
from threestep.pick.program import Section
from threestep.pick.step import Recipe

_JOB_SECONDS = 5e-3  # of a job beside its steps


class Pace:
    """What jobs are counted to take, and how much of that they took.

    Parameters
    ----------
    n_steps, batch_size : int
        Of an epoch.
    n_workers : int
        Calls at the same time.
    one_by_one : bool
        Whether a call trains its members one after the other.
    step_seconds : function
        What a step of the deepest and widest member of a supernet is counted to take.

    Attributes
    ----------
    of_counted : float
        Seconds that a counted core second took, in the fastest round of jobs so far: less than one, with
        several cores.
    """

    def __init__(
        self,
        n_steps: int,
        batch_size: int,
        n_workers: int,
        one_by_one: bool,
        step_seconds: Callable[[Supernet], float],
    ):
        self.of_counted = 1.0 / n_workers
        self._n_together = n_workers  # jobs that were trained at the same time at that pace
        self._n_steps, self._batch_size, self._n_workers = n_steps, batch_size, n_workers
        self._one_by_one, self._step_seconds = one_by_one, step_seconds
        self._n_rounds = 0
        self._quickest = dict[Recipe, float]()  # seconds of a call, of each that it was counted to take
        self._lock = Lock()

    def core_seconds(self, job: Job) -> float:
        """What a job costs on one middling core, by count, never by the clock: the same everywhere."""
        return _JOB_SECONDS + job.epochs * self._n_steps * self._seconds_per_step(job)

    def seconds(self, job: Job) -> float:
        """About what a job adds to a round of many."""
        return self.of_counted * self.core_seconds(job)

    def seconds_alone(self, job: Job) -> float:
        """About what a job takes that is trained alone: what could be trained at the same time does not make
        it quicker."""
        return self._n_together * self.seconds(job)

    def seconds_of_call(
        self, recipe: Recipe, jobs: Sequence[Job], epochs: Sequence[int], section: Section | None
    ) -> float:
        """What a call takes at least, by the quickest one of that program; 0 before there was one."""
        return self._quickest.get(recipe, 0.0) * self._counted(jobs, epochs, section)

    def seconds_to_say(self, recipe: Recipe, member: Member) -> float:
        """About what a network's outputs for one sample take one core: a third of its part of a step, as fast
        as the quickest call of its program so far, or the slowest of the others."""
        of_counted = self._quickest.get(recipe, max(self._quickest.values(), default=1.0))
        return of_counted * self._seconds_per_step(Job(member, 1)) / (3 * self._batch_size)

    def keep_round(self, seconds: float, jobs: Sequence[Job]) -> None:
        """Remember how fast these were, unless others were faster; one that ended early counts in full."""
        counted = sum(map(self.core_seconds, jobs))
        if counted > 0:
            of_counted = seconds / counted
            if self._n_rounds == 0 or of_counted < self.of_counted:
                self.of_counted = of_counted
                self._n_together = min(len(jobs), self._n_workers) if self._one_by_one else len(jobs)
            self._n_rounds += 1

    def keep_call(
        self,
        recipe: Recipe,
        seconds: float,
        jobs: Sequence[Job],
        epochs: Sequence[int],
        section: Section | None,
    ) -> None:
        """Remember how fast this call was, with so many epochs of each job, unless another of that program
        was faster."""
        counted = self._counted(jobs, epochs, section)
        if counted > 0:
            with self._lock:
                own = seconds / counted
                self._quickest[recipe] = min(self._quickest.get(recipe, own), own)

    def _counted(self, jobs: Sequence[Job], epochs: Sequence[int], section: Section | None) -> float:
        """Core seconds that a call with so many epochs of each job is counted to take."""
        n_steps = self._n_steps if section is None else int(section.last) - int(section.first)
        return n_steps * sum(n * self._seconds_per_step(job) for job, n in zip(jobs, epochs, strict=True))

    def _seconds_per_step(self, job: Job) -> float:
        """About what a step of that member takes, of its own depth."""
        supernet, depth = supernet_of(job.member.network), len(job.member.network.hidden)
        return self._step_seconds(replace(supernet, n_hidden=depth))
