"""Fresh processes that do a peer's work, and their end.

Libraries are imported in them only, so that no library's threads, allocator or flags touch
another's. What a process says is a result; text is the reason why it failed.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from unittest.mock import patch

from benchmarks.timing import MissingError


@contextmanager
def processes(
    serve: Callable, works: Sequence[tuple], environment: dict[str, str]
) -> Iterator[list[Connection]]:
    """A fresh process per work, ended with all its children on the way out."""
    context = multiprocessing.get_context("spawn")
    started, pipes = [], []
    try:
        with patch.dict(os.environ, environment):
            for _ in works:
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs,))
                process.start()
                theirs.close()
                started.append(process)
                pipes.append(ours)
        for pipe, work in zip(pipes, works):  # only now, so that all of them start at the same time
            with suppress(OSError):  # it has ended already: `answer` will say so
                pipe.send((serve, work))
        yield pipes
    finally:
        for process in started:
            _end(process)
        for pipe in pipes:
            pipe.close()


def _end(process: SpawnProcess) -> None:
    """At once, with all that it started: a search does not stop in the middle by itself."""
    if hasattr(os, "killpg") and process.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)  # not SIGKILL: joblib's janitor shall tidy up
    process.terminate()
    process.join(timeout=5)
    process.kill()
    process.join()


def answer(pipe: Connection, seconds: float = inf):
    """What a process says next.

    Raises
    ------
    MissingError
        It failed, ended, or said nothing in that time.
    """
    if seconds < inf and not pipe.poll(seconds):
        raise MissingError(f"no answer in {seconds:g} s")
    try:
        said = pipe.recv()
    except EOFError:
        raise MissingError("its process ended") from None
    if isinstance(said, str):
        raise MissingError(said)
    return said


def _serve(pipe: Connection) -> None:
    """In the process: do the work, or say why not."""
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own, to be ended as one
    os.dup2(2, 1)  # whatever a library prints is not a row
    try:
        serve, work = pipe.recv()
        serve(pipe, *work)
    except Exception as why:
        pipe.send(f"{type(why).__name__}: {str(why).strip().partition(chr(10))[0]}")
