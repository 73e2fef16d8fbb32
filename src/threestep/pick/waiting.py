"""Jobs that wait for a compiled program and a free device, in chunks that one call takes each."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from threading import Event, Lock
from typing import Any, NamedTuple

from threestep.pick.compiled import Program
from threestep.pick.members import Job
from threestep.pick.pace import Pace
from threestep.pick.programs import Programs
from threestep.pick.step import Recipe

_LOOK_SECONDS = 0.01  # how often the clock and the stop are looked at while programs are compiled


class Chunk(NamedTuple):
    """Jobs that one call takes: what their program is made of, and their places in the list of all."""

    recipe: Recipe
    places: list[int]


class Waiting:
    """The chunks that nobody trains yet, the largest first; one thread per device takes them.

    Parameters
    ----------
    jobs : sequence of Job
    recipes : sequence of Recipe
        Of each job: what its program is made of. All are promised.
    programs : Programs
    pace : Pace
    stop : Event
        Once it is set, nothing is handed out.
    """

    def __init__(
        self, jobs: Sequence[Job], recipes: Sequence[Recipe], programs: Programs, pace: Pace, stop: Event
    ):
        self._jobs, self._programs, self._pace, self._stop = jobs, programs, pace, stop
        self._chunks = _dealt(jobs, recipes, programs)
        self._lock = Lock()

    def next_for(self, device: Any) -> tuple[Chunk, Program] | None:
        """The largest chunk whose program is compiled, and that; waits for one if there is none.

        A program that is none, or whose first call would end late, is not waited for.
        """
        while not self._programs.is_late() and not self._stop.is_set():
            with self._lock:
                compiling = []
                for place, chunk in enumerate(self._chunks):
                    future = self._programs.promised[chunk.recipe, device]
                    if not future.done():
                        compiling.append(future)
                        continue
                    program = future.result()
                    if program is not None and not self._would_be_late(chunk, program):
                        return self._taken(place, program), program
            if not compiling:
                return None
            wait(compiling, _LOOK_SECONDS, FIRST_COMPLETED)
        return None

    def put_back(self, chunk: Chunk) -> None:
        """What could not be trained waits again, before all others."""
        with self._lock:
            self._chunks.insert(0, chunk)

    def _taken(self, place: int, program: Program) -> Chunk:
        """The chunk at that place, or as much of it as its program takes; the rest goes on waiting."""
        chunk = self._chunks.pop(place)
        n_members = program.shape.n_members
        now, later = chunk.places[:n_members], chunk.places[n_members:]
        if later:
            self._chunks.insert(place, Chunk(chunk.recipe, later))
        return Chunk(chunk.recipe, now)

    def _would_be_late(self, chunk: Chunk, program: Program) -> bool:
        """Whether its first call would end behind the deadline."""
        own = [self._jobs[place] for place in chunk.places[: program.shape.n_members]]
        epochs = [min(job.epochs, program.shape.n_epochs) for job in own]
        return self._programs.is_late(
            self._pace.seconds_of_call(chunk.recipe, own, epochs, program.sections[0])
        )


def _dealt(jobs: Sequence[Job], recipes: Sequence[Recipe], programs: Programs) -> list[Chunk]:
    """The jobs by program, large ones first, so that all devices end at about the same time."""
    by_program: dict[tuple[Recipe, int], list[int]] = {}  # other inputs may have the same padded number
    for place, (job, recipe) in enumerate(zip(jobs, recipes, strict=True)):
        by_program.setdefault((recipe, job.member.network.n_inputs), []).append(place)
    chunks = list[Chunk]()
    for (recipe, _), places in by_program.items():
        places.sort(key=lambda place: -_work(jobs[place]))
        # a last round in which only some devices have a chunk is a waste: smaller chunks then
        size = min(programs.chunk_size(recipe)[0], -(-len(places) // programs.n_devices))
        chunks += [Chunk(recipe, places[at : at + size]) for at in range(0, len(places), size)]
    return sorted(chunks, key=lambda chunk: -sum(_work(jobs[place]) for place in chunk.places))


def _work(job: Job) -> int:
    return job.member.network.n_products * job.epochs
