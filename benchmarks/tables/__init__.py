"""Tables: ours with no settings beside other libraries with theirs, on identical splits.

Each fit is a process of its own: seconds of fit and predict, peak memory, and how good it is on the test
samples. `--json FILE` keeps all numbers.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.rows import note
from benchmarks.search.results import Results, Row, collect
from benchmarks.search.samples import names_there
from benchmarks.tables.libraries import LIBRARIES, OURS
from benchmarks.tables.one_fit import fit_alone
from benchmarks.timing import MissingError


def add_options(parser: argparse.ArgumentParser) -> None:
    """On what, who."""
    add = parser.add_argument
    add("--data", nargs="+", metavar="NAME", help="tables (default: all that are there)")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="of the split and the fit")
    add("--rows", type=int, default=10_000, metavar="N", help="at most, test samples not among them")
    add("--libraries", nargs="+", default=[*LIBRARIES], choices=[*LIBRARIES], help="default: all")
    add("--json", metavar="FILE", help="write all numbers there, after each row anew")


def main(options: argparse.Namespace) -> None:
    """Measure; show each fit, the means, and who wins where."""
    results = Results("tables", options)
    collect(results, lambda: _measure(options, results), lambda: summary_of(results.rows("fits")))


def _measure(options: argparse.Namespace, results: Results) -> None:
    """Table by table, seed by seed, the libraries in turn."""
    for name in options.data or names_there():
        for seed in options.seeds:
            for library in options.libraries:
                try:
                    fit = fit_alone(library, name, seed, options.rows)
                except MissingError as why:
                    note(f"  {library} on {name}: left out: {why}")
                    continue
                row = {"data": name, "seed": seed, "library": library, **fit}
                note(
                    "  "
                    + "  ".join(
                        f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()
                    )
                )
                results.add("fits", row)


def summary_of(fits: Sequence[Row]) -> Mapping[str, list[Row]]:
    """Means over the seeds by table and library, and on how many tables ours is ahead of each."""
    means: list[Row] = []
    for name in dict.fromkeys(row["data"] for row in fits):
        for library in dict.fromkeys(row["library"] for row in fits):
            own = [row for row in fits if (row["data"], row["library"]) == (name, library)]
            if own:
                numbers = [key for key, value in own[0].items() if isinstance(value, float)]
                means.append(
                    {"data": name, "library": library}
                    | {key: statistics.mean(row[key] for row in own) for key in numbers}
                )
    return {"means over the seeds": means, "ours against": _duels(means)}


def _duels(means: Sequence[Row]) -> list[Row]:
    """On how many tables ours is at least as good, has the lower loss, the shorter fit; seconds of all."""
    by = {(row["data"], row["library"]): row for row in means}
    duels = []
    for library in dict.fromkeys(row["library"] for row in means):
        shared = [row["data"] for row in means if row["library"] == library and (row["data"], OURS) in by]
        pairs = [(by[name, OURS], by[name, library]) for name in shared]
        if library == OURS or not pairs:
            continue
        duels.append(
            {
                "library": library,
                "tables": len(pairs),
                "metric_at_least": sum(ours["metric"] >= theirs["metric"] for ours, theirs in pairs),
                "loss_lower": sum(ours["loss"] < theirs["loss"] for ours, theirs in pairs),
                "faster": sum(ours["fit_seconds"] < theirs["fit_seconds"] for ours, theirs in pairs),
                "our_seconds": sum(ours["fit_seconds"] for ours, _ in pairs),
                "its_seconds": sum(theirs["fit_seconds"] for _, theirs in pairs),
            }
        )
    return duels
