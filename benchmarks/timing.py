"""Time several programs side by side.

Each program lives in a process of its own, so that no library's threads, allocator or flags touch
another's; only one of them works at a time, and each may use all cores. Rounds go around all of
them (ours, peer A, peer B, ours, …), so that a slow minute of the machine hits all alike.
"""

import multiprocessing
import os
import platform
import signal
import statistics
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from benchmarks.rows import note

Run = Callable[[int], int]
"""Does at least so many units of work (epochs, products, …) and says how many it did."""

Prepare = Callable[[], Run]
"""Makes a `Run`, in the process where it will be timed; must be picklable."""


class MissingError(Exception):
    """A program that cannot be measured here, and why."""


def interleaved(programs: Mapping[str, Prepare], n_rounds: int, seconds: float) -> dict[str, float]:
    """Median seconds per unit of work of each program that can run here.

    Parameters
    ----------
    programs : mapping of str to Prepare
        By name; names and reasons of those that fail go to stderr, the others go on.
    n_rounds : int
        Measurements per program.
    seconds : float
        About how long each measurement takes; at least one unit of work.
    """
    workers: dict[str, Worker] = {}
    try:
        for name, prepare in programs.items():
            try:
                workers[name] = Worker(prepare, seconds)
                note(f"  {name}: {workers[name].warm_up_seconds:.1f} s until warm")
            except MissingError as why:
                note(f"  {name}: left out: {why}")
        rounds = [measured(workers) for _ in range(n_rounds)]
    finally:
        for worker in workers.values():
            worker.stop()
    return {name: statistics.median(each[name] for each in rounds) for name in workers}


def measured(workers: "dict[str, Worker]") -> dict[str, float]:
    """One round; a program that dies is left out from now on."""
    seconds = {}
    for name, worker in list(workers.items()):
        try:
            seconds[name] = worker.measure()
        except MissingError as why:
            note(f"  {name}: left out: {why}")
            workers.pop(name).stop()
    return seconds


class Worker:
    """A process that holds one warm program and times it when asked.

    Parameters
    ----------
    prepare : Prepare
    seconds : float
        About how long one measurement takes.

    Attributes
    ----------
    warm_up_seconds : float
        Import, data, compile and the first unit of work.

    Raises
    ------
    MissingError
        The program cannot run here.
    """

    def __init__(self, prepare: Prepare, seconds: float):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(prepare, seconds, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.warm_up_seconds = self._answer()

    def measure(self) -> float:
        """Seconds per unit of work, once."""
        self._pipe.send(True)
        return self._answer()

    def stop(self) -> None:
        """End the process: politely, or at once where it is still busy."""
        with suppress(OSError):
            self._pipe.send(False)
        self._process.join(timeout=5)
        self._process.terminate()
        self._process.join()
        self._pipe.close()

    def _answer(self) -> float:
        try:
            answer = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise MissingError(f"its process ended with code {self._process.exitcode}") from None
        if isinstance(answer, str):
            self.stop()
            raise MissingError(answer)
        return answer


def _serve(prepare: Prepare, seconds: float, pipe: Connection) -> None:
    """In the process: warm up, then measure as often as asked."""
    os.dup2(2, 1)  # whatever a library prints is not a row
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    began = perf_counter()
    try:
        run = prepare()
        run(1)
        warm_up_seconds = perf_counter() - began
        n_units = max(1, round(seconds / _seconds_each(run, 1)))
    except Exception as why:
        pipe.send(f"{type(why).__name__}: {str(why).strip().partition(chr(10))[0]}")
        return
    pipe.send(warm_up_seconds)
    while pipe.recv():
        pipe.send(_seconds_each(run, n_units))


def _seconds_each(run: Run, n_units: int) -> float:
    """Seconds per unit of work."""
    began = perf_counter()
    n_done = run(n_units)
    return (perf_counter() - began) / n_done


def machine() -> str:
    """Processor, cores, system and commit, for the head of a table of results."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_processor()}, {n_cores} cores, {system}, {_commit()}"


def _processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _commit() -> str:
    """The commit that is checked out, and whether files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "commit unknown"
    return f"commit {answer.stdout.strip()}"
