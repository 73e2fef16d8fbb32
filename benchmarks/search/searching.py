"""A peer's search, and when it found what."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait

from benchmarks.rows import note
from benchmarks.search.peers import SEARCHES
from benchmarks.search.processes import answer, processes
from benchmarks.search.records import Data, Errand, Found, Space
from benchmarks.timing import MissingError


def search_until(peer: str, data: Data, seconds: float, seed: int, space: Space = Space()) -> list[Found]:
    """What a peer's search finds in a time that includes process starts and imports.

    Parameters
    ----------
    peer : str
        One of `SEARCHES`.
    data : Data
        Networks train on the first part and are chosen by accuracy on the second; the third is
        looked at only for the result.
    seconds : float
        From the call of this function on; then the search is stopped at once.
    seed : int
        Of the search. Two processes that share a study finish in no fixed order, so that Optuna's
        result can still differ from run to run.
    space : Space

    Returns
    -------
    list of Found
        One each time that the best accuracy on valid improved; empty if nothing was found in time.

    Raises
    ------
    MissingError
        The peer cannot run here.
    """
    search = SEARCHES[peer]
    search.require()
    began, ends_at = time.perf_counter(), time.time() + seconds
    with tempfile.TemporaryDirectory(dir=search.folder, ignore_cleanup_errors=True) as folder:
        indices = range(search.n_processes)
        works = [(peer, Errand(data, space, seed, ends_at, folder, index)) for index in indices]
        with processes(_serve, works, search.environment) as pipes:
            results = list(_until(peer, pipes, began, seconds))
    note(f"  {peer}: {len(results)} results in {seconds:g} s")
    return improvements(results)


def improvements(results: Sequence[Found]) -> list[Found]:
    """Those better on valid than all before."""
    found: list[Found] = []
    for result in results:
        if not found or result.valid_score > found[-1].valid_score:
            found.append(result)
    return found


def incumbent(found: Sequence[Found], seconds: float) -> Found | None:
    """The best that was there after so many seconds; None if nothing was."""
    there = [each for each in found if each.elapsed_seconds <= seconds]
    return there[-1] if there else None


def _until(peer: str, pipes: Sequence[Connection], began: float, seconds: float) -> Iterator[Found]:
    """Results as they come in, until the time is over or all processes are done.

    Raises
    ------
    MissingError
        All processes failed before there was a result.
    """
    waiting, n_found, failure = list(pipes), 0, None
    while waiting and (left := began + seconds - time.perf_counter()) > 0:
        for pipe in wait(waiting, left):
            try:
                scores = answer(pipe, 0)  # pyright: ignore[reportArgumentType]
            except MissingError as why:
                scores, failure = None, why
                note(f"  {peer}: a process failed after {time.perf_counter() - began:.0f} s: {why}")
            if scores is None:
                waiting.remove(pipe)  # pyright: ignore[reportArgumentType]
            else:
                n_found += 1
                yield Found(time.perf_counter() - began, *scores)
    if failure is not None and not waiting and not n_found:
        raise failure


def _serve(pipe: Connection, peer: str, errand: Errand) -> None:
    """In the process: search, report, and say when all is done."""
    SEARCHES[peer].run(errand, lambda valid, test: pipe.send((float(valid), float(test))))
    pipe.send(None)
