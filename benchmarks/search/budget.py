"""How well `threestep fit --budget` keeps its time, over many short runs on small tables.

Each run is a fresh process of the command line, timed from outside, with a budget and a table that
are drawn. Each adds a line to a log, so that many can be done in parts: the next call draws others
and shows the sum. A model is valid if it loads and says something sound about every sample.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rows import note
from benchmarks.search.results import Results, Row, collect
from benchmarks.search.samples import BUILT_IN, SMALL, TABLES, table_of

_GRACE_SECONDS, _GRACE_SHARE = 1.0, 0.02


def add_options(parser: ArgumentParser) -> None:
    """How many, how long, where they are written down."""
    add = parser.add_argument
    add("--runs", type=int, default=20, metavar="N", help="runs to add (default 20); 0 only sums the log")
    add("--log", metavar="FILE", help="one JSON line per run; is added to")
    add("--low", type=float, default=5.0, metavar="S", help="lowest budget (default 5)")
    add("--high", type=float, default=20.0, metavar="S", help="highest budget (default 20)")
    add("--seed", type=int, default=0, metavar="N", help="of what is drawn")
    add(
        "--tables", nargs="+", choices=[*BUILT_IN, *SMALL], metavar="NAME", help="default: all that are there"
    )
    add("--cold", action="store_true", help="no compiled programs of earlier runs")


def main(options: Namespace) -> None:
    """Run; show what was kept, by table and in all."""
    results = Results("budget", options)
    results.put({"runs": _logged(options.log)})
    collect(results, lambda: _measure(options, results), lambda: summary_of(results.rows("runs")))


def _logged(path: str | None) -> list[Row]:
    """The runs of a log; a line that was cut short is left out."""
    runs = []
    lines = Path(path).read_text().splitlines() if path and Path(path).exists() else []
    for line in lines:
        try:
            runs.append(json.loads(line))
        except json.JSONDecodeError:
            note(f"{path}: left out: {line[:60]}")
    return runs


def _measure(options: Namespace, results: Results) -> None:
    """So many runs more."""
    names = options.tables or [*BUILT_IN, *(name for name in SMALL if TABLES[name].is_there)]
    for _ in range(options.runs):
        case = drawn((options.seed, len(results.rows("runs"))), names, (options.low, options.high))
        run = _run(*case, options.cold)
        results.add("runs", run)
        if options.log:
            with Path(options.log).open("a") as log:
                log.write(json.dumps(run) + "\n")
        said = "kept" if run["is_kept"] else "NOT kept"
        note(
            f"  {run['table']} {run['budget']:g} s: {run['wall']:.2f} s, {said}; {run['problem'] or 'valid'}"
        )


def drawn(
    place: tuple[int, int], names: Sequence[str], between: tuple[float, float]
) -> tuple[str, float, int]:
    """Table, budget and seed of a run; they follow from the seed and the number of runs before."""
    draws = random.Random(repr(place))
    return draws.choice(names), round(draws.uniform(*between), 2), draws.randrange(1000)


def _run(name: str, budget: float, seed: int, is_cold: bool) -> Row:
    """One process of the command line, and what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        environment = {**os.environ, **({"XDG_CACHE_HOME": folder} if is_cold else {})}
        words = [*_words(name), "--budget", f"{budget}s", "--seed", str(seed), "--out", str(out)]
        began = time.perf_counter()
        problem = _problem_of_process(words, environment, 10 * budget + 120)
        wall = time.perf_counter() - began
        problem = problem or _problem_of_model(out / "model.safetensors", name)
    row = {"table": name, "budget": budget, "seed": seed, "wall": wall, "over": wall - budget}
    return {**row, "is_kept": is_kept(wall, budget), "problem": problem, "is_cold": is_cold}


def is_kept(wall: float, budget: float) -> bool:
    """Within one second or 2 %, whichever is more; ending early counts like ending late."""
    return abs(wall - budget) <= max(_GRACE_SECONDS, _GRACE_SHARE * budget)


def _words(name: str) -> list[str]:
    """The data as the command line takes them."""
    if name not in TABLES:
        return [name]
    source = TABLES[name]
    return [source.name, *(["--target", source.target] if source.target else [])]


def _problem_of_process(words: Sequence[str], environment: dict[str, str], most_seconds: float) -> str:
    """Why it failed; empty if it did not."""
    command = [sys.executable, "-m", "threestep", "fit", *words]
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, who end it
            timeout=most_seconds,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {most_seconds:g} s"
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return f"exit code {done.returncode}: {last}" if done.returncode else ""


def _problem_of_model(path: Path, name: str) -> str:
    """What is wrong with the model; empty if nothing is."""
    import numpy as np

    import threestep as ts

    try:
        table = table_of(name)
        outputs = np.asarray(ts.load(path).outputs(table))
    except (ts.UserError, OSError) as why:
        return f"no valid model: {why}"
    is_sound = len(outputs) == table.n_samples and np.isfinite(outputs).all()
    return "" if is_sound else "no valid model: outputs that are not finite"


def summary_of(runs: Sequence[Row]) -> Mapping[str, list[Row]]:
    """By table, and in all."""
    names = sorted({row["table"] for row in runs})
    tables = [(name, [row for row in runs if row["table"] == name]) for name in names]
    return {"kept": [kept_row(*each) for each in (*tables, ("all", runs)) if each[1]]}


def kept_row(name: str, runs: Sequence[Row]) -> Row:
    """How many were kept and valid, and the farthest off in both directions."""
    over = [row["over"] for row in runs]
    return {
        "of": name,
        "runs": len(runs),
        "kept": sum(row["is_kept"] for row in runs),
        "valid": sum(not row["problem"] for row in runs),
        "most_early_s": max(0.0, *(-seconds for seconds in over)),
        "most_late_s": max(0.0, *over),
        "mean_over_s": sum(over) / len(over),
    }
