"""The programs of a population: promised, compiled in the background, in chunks that fit in memory."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from threading import Lock
from typing import Any

from threestep.devices import free_bytes, is_cpu, workplaces
from threestep.network import Supernet
from threestep.pick.compiled import Program, Shape, compiled, supernet_in
from threestep.pick.program import Section, sections_of, steps_ahead
from threestep.pick.step import Recipe

_CALL_SECONDS = 0.1  # about as long as a call should take: clock and interrupt are heard between calls
_STEP_SECONDS = 2e-5  # of a step beside its products
_PRODUCTS_PER_SECOND = 2.5e10  # of one core, forward and twice that backward
_MOST_TOGETHER = {True: 4, False: 128}  # members of a chunk on a CPU, on other devices
_MOST_EPOCHS = 50
_STATE_BYTES = {True: 256 << 20, False: 4 << 30}
_COMPILE_SECONDS = 0.3  # until it was measured: what a cached one takes; nobody waits for a late one


class Programs:
    """Programs by recipe and device, or the promises of them.

    Parameters
    ----------
    shape : Shape
        Of samples and steps, padded; members and epochs of a call follow from the recipe.
    n_steps, batch_size : int
        Of an epoch, as they are.
    devices : sequence
        One per worker.
    deadline : float
        On the clock of `time.perf_counter`: no compile begins that would end later.

    Attributes
    ----------
    promised : dict of (Recipe, device) to Future of Program or None
        None: there was no time to compile it; with a later deadline there may be.
    """

    def __init__(self, shape: Shape, n_steps: int, batch_size: int, devices: Sequence[Any], deadline: float):
        self.shape, self.deadline = shape, deadline
        self.promised: dict[tuple[Recipe, Any], Future[Program | None]] = {}
        self._n_steps, self._batch_size, self._devices = n_steps, batch_size, devices
        self._compile_seconds = _COMPILE_SECONDS
        self._most_members = dict[Recipe, int]()  # of recipes whose chunks did not fit in memory
        self._compilers = ThreadPoolExecutor(len(devices), thread_name_prefix="compile")
        self._is_closed = False
        self._lock = Lock()

    def promise(self, recipes: Iterable[Recipe]) -> None:
        """Begin to compile these, unless they are promised, in the background, in this order."""
        for recipe, device in product(dict.fromkeys(recipes), dict.fromkeys(self._devices)):
            with self._lock:
                known = self.promised.get((recipe, device))
                if known is None or (_was_refused(known) and not self._is_too_late()):
                    self._promise(recipe, device)

    def are_ready(self, recipe: Recipe) -> bool:
        """Whether those of the recipe are compiled."""
        with self._lock:
            own = [future for (each, _), future in self.promised.items() if each == recipe]
        return bool(own) and all(future.done() for future in own)

    def make_smaller(self, recipe: Recipe, used: Program, device: Any, error: Exception) -> None:
        """Have a program that did not fit in memory compiled anew for half as many members.

        Raises
        ------
        JaxRuntimeError
            It is not for want of memory, or there is only one member.
        """
        n_members = used.shape.n_members
        if n_members == 1 or "RESOURCE_EXHAUSTED" not in str(error):
            raise error
        with self._lock:
            if n_members <= self._most_members.get(recipe, n_members):  # or another has seen to it
                self._most_members[recipe] = n_members // 2
            current = self.promised[recipe, device]
            if current.done() and current.result() is used:
                self._promise(recipe, device)

    def close(self) -> None:
        """Begin no more compiles. Nobody waits for those that go on, but the end of the process."""
        with self._lock:
            self._is_closed = True
        self._compilers.shutdown(wait=False)

    def is_late(self, seconds: float = 0.0) -> bool:
        """Whether the deadline is over, or will be in so many seconds."""
        return time.perf_counter() + seconds >= self.deadline

    @property
    def n_devices(self) -> int:
        """One per worker."""
        return len(self._devices)

    def chunk_size(self, recipe: Recipe) -> tuple[int, int]:
        """Members of a chunk and epochs of a call, so that a call takes about `_CALL_SECONDS`."""
        supernet = supernet_in(recipe)
        n_params = sum((fan + 1) * width for fan, width in supernet.sizes)
        at_once = max(1, self._steps_at_once(supernet) // self.shape.n_steps)
        in_memory = _STATE_BYTES[self.shape.one_by_one] // (20 * n_params)
        if not self.shape.one_by_one:
            return max(1, min(_MOST_TOGETHER[False], in_memory)), max(1, min(_MOST_EPOCHS, at_once))
        n_members = max(1, min(_MOST_TOGETHER[True], at_once // 4, in_memory))
        return n_members, max(1, min(_MOST_EPOCHS, at_once // n_members))

    def step_seconds(self, supernet: Supernet) -> float:
        """About what a step of the deepest and widest member takes."""
        n_products = sum(fan * width for fan, width in supernet.sizes)
        return _STEP_SECONDS + self._batch_size * n_products / _PRODUCTS_PER_SECOND

    def _is_too_late(self) -> bool:
        return self._is_closed or self.is_late(self._compile_seconds)

    def _promise(self, recipe: Recipe, device: Any) -> None:
        """Have a program compiled after those promised before, none if closed; the caller holds the lock."""
        if not self._is_closed:
            self.promised[recipe, device] = self._compilers.submit(self._compiled_in_time, recipe, device)
            return
        self.promised[recipe, device] = Future()
        self.promised[recipe, device].set_result(None)

    def _compiled_in_time(self, recipe: Recipe, device: Any) -> Program | None:
        """A program, unless they were closed or the deadline would come before it is compiled."""
        return None if self._is_too_late() else self._compiled(recipe, device)

    def _compiled(self, recipe: Recipe, device: Any) -> Program:
        """Compile a program, in chunks that fit in memory."""
        began = time.perf_counter()
        n_members, n_epochs = self.chunk_size(recipe)
        n_members = min(n_members, self._most_members.get(recipe, n_members))
        while True:
            sections = self._sections(recipe, n_members)
            shape = self.shape._replace(
                n_members=n_members, n_epochs=n_epochs, in_sections=sections != [None]
            )
            call = compiled(recipe, shape, device)
            if n_members == 1 or len(self._devices) * call.n_bytes <= free_bytes():
                self._compile_seconds = time.perf_counter() - began
                return Program(call, shape, sections)
            n_members //= 2

    def _sections(self, recipe: Recipe, n_members: int) -> list[Section | None]:
        """What of an epoch is a call of its own, where so many members train together."""
        supernet, n_steps = supernet_in(recipe), self.shape.n_steps
        n_ahead = steps_ahead(self.shape.batch_size, n_steps, supernet.n_inputs)
        together = n_members if self.shape.one_by_one else 1
        sections = sections_of(n_steps, self._steps_at_once(supernet) // together, n_ahead)
        return [each for each in sections if each is None or each.first < self._n_steps]

    def _steps_at_once(self, supernet: Supernet) -> int:
        """About how many steps of one member a call takes."""
        return int(_CALL_SECONDS / self.step_seconds(supernet))


def members_at_once() -> int:
    """How many members all the devices train at a time."""
    return len(workplaces()) * (1 if is_cpu() else _MOST_TOGETHER[False])


def _was_refused(promised: Future[Program | None]) -> bool:
    """Whether there was no time to compile it; with a later deadline there may be."""
    return promised.done() and promised.result() is None
