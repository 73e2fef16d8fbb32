"""Seconds until something is there, as whole processes, beside what we allow ourselves.

`cold` has an empty compile cache, `warm` the one that the run before has filled.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.rows import lower_is_better, show

ROOT = Path(__file__).resolve().parents[1]

LIMITS = {
    "import threestep": 0.15,
    "threestep --help": 0.5,
    "./run beyond threestep": 0.3,
    "fit digits, cold": 12.0,
    "fit digits, warm": 6.0,
}
"""Seconds on two cores."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """How often."""
    parser.add_argument("--repeat", type=int, default=5, help="rounds; medians are printed")


def main(options: argparse.Namespace) -> None:
    """Print a row per case."""
    rounds = [one_round() for _ in range(options.repeat)]
    for case, limit in LIMITS.items():
        seconds = statistics.median(each[case] for each in rounds)
        show(lower_is_better(case, "limit", seconds, limit, "s"))


def one_round() -> dict[str, float]:
    """Every case once, in an empty folder with an empty cache; the bare interpreter's start taken off
    the import, which is not ours."""
    with tempfile.TemporaryDirectory() as folder:
        bare = seconds_of(["-c", ""], folder)
        version = seconds_of(["-m", "threestep", "--version"], folder)
        return {
            "import threestep": seconds_of(["-c", "import threestep"], folder) - bare,
            "threestep --help": seconds_of(["-m", "threestep", "--help"], folder),
            "./run beyond threestep": max(0.001, seconds_of_run(folder) - version),
            "fit digits, cold": seconds_of(["-m", "threestep", "fit", "digits"], folder),
            "fit digits, warm": seconds_of(["-m", "threestep", "fit", "digits"], folder),
        }


def seconds_of_run(folder: str) -> float:
    """Wall seconds of `./run --version` in a checkout that is set up."""
    begun = perf_counter()
    subprocess.run([ROOT / "run", "--version"], cwd=folder, check=True, capture_output=True)
    return perf_counter() - begun


def seconds_of(words: list[str], folder: str) -> float:
    """Wall seconds of one Python process."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(Path(folder, "cache"))}
    begun = perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, env=environment, check=True, capture_output=True)
    return perf_counter() - begun
