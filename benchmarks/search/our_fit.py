"""One search of ours, as whole processes.

`fit_for` starts `python -m benchmarks.search.our_fit`, which calls `threestep.fit` with the time
that is left and prints what came of it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.timing import MissingError

_ROOT = Path(__file__).resolve().parents[2]
_SHORTEST = 0.5  # seconds; what is asked for if a process starts so slowly that less is left
_EXIT_SECONDS = 0.2  # Python's, after the last result


class OurFit(NamedTuple):
    """What came of a search.

    Parameters
    ----------
    wall_seconds : float
        Of the process, from its start to its end.
    valid_score, test_score : float
        Accuracy, or R² where the target is a number.
    valid_loss, test_loss : float
        Mean over the samples.
    network : str
    n_tried : int
    """

    wall_seconds: float
    valid_score: float
    test_score: float
    valid_loss: float
    test_loss: float
    network: str
    n_tried: int


def fit_for(name: str, seed: int, seconds: float, cache: str, searcher: str = "evolution") -> OurFit:
    """Search in a fresh process, which gets this time from its start to its end.

    Parameters
    ----------
    name : str
        As `samples.table_of` takes it.
    seed : int
    seconds : float
    cache : str
        A folder for compiled programs.
    searcher : str

    Raises
    ------
    MissingError
        It failed.
    """
    began, ends_at = time.perf_counter(), time.time() + seconds
    errand = {"data": name, "seed": seed, "ends_at": ends_at, "searcher": searcher}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.search.our_fit", json.dumps(errand)],
            cwd=_ROOT,
            env={**os.environ, "XDG_CACHE_HOME": cache},
            capture_output=True,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, who end it
            timeout=10 * seconds + 120,
        )
    except subprocess.TimeoutExpired:
        raise MissingError(f"ours: no end after {10 * seconds + 120:g} s") from None
    wall_seconds = time.perf_counter() - began
    if done.returncode:
        raise MissingError(f"ours: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return OurFit(wall_seconds, **json.loads(done.stdout.splitlines()[-1]))


def _fit(data: str, seed: int, ends_at: float, searcher: str) -> dict[str, Any]:
    """In the process: the whole search."""
    import threestep as ts
    from benchmarks.search.samples import table_of

    table = table_of(data)
    budget = max(_SHORTEST, ends_at - time.time() - _EXIT_SECONDS)
    run = ts.fit(table, seed=seed, searcher=searcher, budget=budget)
    metric = "accuracy" if run.model.is_classifier else "r2"
    return {
        **{f"{part}_score": run.scores[part][metric] for part in ("valid", "test")},
        **{f"{part}_loss": run.scores[part]["loss"] for part in ("valid", "test")},
        "network": str(run.model.network),
        "n_tried": len(run.tried),
    }


if __name__ == "__main__":
    print(json.dumps(_fit(**json.loads(sys.argv[1]))), flush=True)
    os._exit(0)  # as the command line ends: without waiting for a compile that nobody needs any more
