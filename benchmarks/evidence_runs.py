"""Whole runs whose truth is known: scores of searches on the letter table, verdicts of studies on coins."""

import statistics
from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np

from benchmarks.rows import note
from benchmarks.search.samples import table_of

_N_FEW = 1000
_SEARCHES: dict[str, dict[str, Any]] = {
    "one division": {"folds": 1, "ensemble": 1, "budget": "5s"},
    "as by default": {"budget": "8s"},
}


def show_searches(n_runs: int) -> None:
    """By how many standard errors the validation accuracy of a search is too high, by its own rule."""
    for name, options in _SEARCHES.items():
        biases = list(_biases_of_searches(n_runs, options))
        for at, what in enumerate(("naive", "corrected")):
            own = [each[at] for each in biases]
            error = statistics.stdev(own) / sqrt(len(own))
            print(f"  search, {name}: {what} {statistics.mean(own):+.2f} ± {error:.2f}", flush=True)


def _biases_of_searches(n_runs: int, options: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """A search on 1,000 letters; the others are the truth."""
    import threestep as ts

    table = table_of("letter")
    for seed in range(n_runs):
        order = np.random.default_rng(seed).permutation(table.n_samples)
        few, rest = table.take(order[:_N_FEW]), table.take(order[_N_FEW:])
        run = ts.fit(few, test_fraction=0.0, seed=seed, **options)
        scores = run.scores["valid"]
        if "corrected_accuracy" not in scores:
            note(f"  {seed}: there was no choice")
            continue
        answers = run.model.predict(ts.data.Table("rest", rest.x))
        truth = float((answers.astype(str) == np.asarray(rest.y).astype(str)).mean())
        error = sqrt(truth * (1 - truth) / scores["n_samples"])
        yield tuple((scores[key] - truth) / error for key in ("accuracy", "corrected_accuracy"))


def show_studies(n_runs: int) -> None:
    """How often `study depth` sees a difference: of coins, where there is none, and of linear data."""
    import threestep as ts

    for name in ("coins", "linear"):
        verdicts = [ts.compare("depth", _samples(name, seed), seed=seed).verdict for seed in range(n_runs)]
        said = [verdict for verdict in verdicts if not verdict.startswith("No difference")]
        n_worse = sum(verdict.startswith("No,") for verdict in said)
        print(
            f"  study depth of {name}: {len(said)} of {n_runs} see a difference, "
            f"{n_worse} that deeper is worse",
            flush=True,
        )


def _samples(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 8)).astype(np.float32)
    if name == "coins":  # every function is wrong as often
        return x, rng.integers(0, 2, len(x))
    return x, (x @ rng.normal(size=8) + rng.normal(size=len(x)) > 0).astype(int)
