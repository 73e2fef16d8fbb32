"""Test score of the best network so far after some seconds, of each search.

All have the same train, valid and test samples and the same prep. Ours runs once per time, each
time in a fresh process that has that time from its start to its end. A peer runs once for the
longest time, process starts and imports included, but reading the data is not in its time; of its
best network on the validation samples at a time, the test score counts. Ours chooses by validation
loss, the peers by validation accuracy: each as it does by itself.
"""

import statistics
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rows import note
from benchmarks.search.our_fit import fit_for
from benchmarks.search.peers import OURS, SEARCHES
from benchmarks.search.records import Data, Found
from benchmarks.search.results import Results, Row, collect
from benchmarks.search.samples import data_of
from benchmarks.search.searching import incumbent, search_until
from benchmarks.timing import MissingError


def add_options(parser: ArgumentParser) -> None:
    """On what, for how long, who."""
    add = parser.add_argument
    add("--data", nargs="+", default=["digits"], metavar="NAME", help="tables of classes (default digits)")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="of the split and the searches")
    add("--times", type=float, nargs="+", default=[10, 30, 60, 120], metavar="S", help="seconds")
    add("--peers", nargs="*", default=[*SEARCHES], choices=[*SEARCHES], help="default: all")
    add("--warm", action="store_true", help="let ours find its compiled programs of the run before")


def main(options: Namespace) -> None:
    """Measure; show each run, the means, and when ours was as good as the best peer in the end."""
    results = Results("quality", options)
    collect(results, lambda: _measure(options, results), lambda: summary_of(results.rows("runs")))


def _measure(options: Namespace, results: Results) -> None:
    """Table by table, seed by seed."""
    times = sorted(options.times)
    for name in options.data:
        for seed in options.seeds:
            try:
                data = data_of(name, seed)
            except MissingError as why:
                note(f"left out: {why}")
                continue
            with tempfile.TemporaryDirectory() as cache:
                for seconds in times:
                    folder = Path(cache, "all" if options.warm else f"{seconds:g}")
                    _add_ours(results, (name, seed, seconds), str(folder))
            for peer in list(options.peers):
                _add_peer(results, (name, seed, times), peer, data)


def _add_ours(results: Results, case: tuple[str, int, float], cache: str) -> None:
    """One time of ours."""
    name, seed, seconds = case
    try:
        fit = fit_for(name, seed, seconds, cache)
    except MissingError as why:
        note(f"  {why}")
        return
    note(f"  ours on {name}, seed {seed}: {fit.test_score:.4f} after {fit.wall_seconds:.1f} s: {fit.network}")
    start = {"data": name, "seed": seed, "searcher": OURS, "seconds": seconds}
    results.add("runs", {**start, **fit._asdict()})


def _add_peer(results: Results, case: tuple[str, int, Sequence[float]], peer: str, data: Data) -> None:
    """One run of a peer, seen at all times."""
    name, seed, times = case
    try:
        found = search_until(peer, data, max(times), seed)
    except MissingError as why:
        note(f"  {peer}: left out: {why}")
        return
    *rows, last = rows_of(found, times)
    for row in (*rows, {**last, "found": [list(each) for each in found]}):
        results.add("runs", {"data": name, "seed": seed, "searcher": peer, **row})


def rows_of(found: Sequence[Found], times: Sequence[float]) -> list[Row]:
    """The best so far at each time; no score before there was one."""
    best = {seconds: incumbent(found, seconds) for seconds in times}
    return [
        {
            "seconds": seconds,
            "wall_seconds": None if each is None else each.elapsed_seconds,
            "valid_score": None if each is None else each.valid_score,
            "test_score": None if each is None else each.test_score,
        }
        for seconds, each in best.items()
    ]


def summary_of(runs: Sequence[Row]) -> Mapping[str, list[Row]]:
    """Mean test scores over the seeds, and when ours was as good as the best peer in the end."""
    names = list(dict.fromkeys(row["data"] for row in runs))
    means = {name: mean_scores([row for row in runs if row["data"] == name]) for name in names}
    times = sorted({row["seconds"] for row in runs})
    return {
        "mean test score, by seconds": [
            {"data": name, "searcher": searcher, **{f"{time:g}": scores.get(time) for time in times}}
            for name, own in means.items()
            for searcher, scores in own.items()
        ],
        "reached": [row for name, own in means.items() for row in reach_rows(name, own)],
    }


def mean_scores(runs: Sequence[Row]) -> dict[str, dict[float, float | None]]:
    """By searcher and time; only where there is a score for every seed of that searcher."""
    scores: dict[str, dict[float, list[float | None]]] = {}
    for row in runs:
        scores.setdefault(row["searcher"], {}).setdefault(row["seconds"], []).append(row["test_score"])
    return {
        searcher: {seconds: _mean(each) for seconds, each in own.items()} for searcher, own in scores.items()
    }


def reach_rows(name: str, means: Mapping[str, Mapping[float, float | None]]) -> list[Row]:
    """The first time from which ours is at least as good as the best peer is in the end.

    Parameters
    ----------
    name : str
        Of the data.
    means : mapping of str to mapping of float to float or None
        Score by searcher and time.
    """
    longest = max((seconds for own in means.values() for seconds in own), default=0)
    ends = {peer: own.get(longest) for peer, own in means.items() if peer != OURS}
    known = {peer: score for peer, score in ends.items() if score is not None}
    if not known or OURS not in means:
        return []
    best = max(known, key=lambda peer: known[peer])
    reached = [
        seconds
        for seconds, score in sorted(means[OURS].items())
        if score is not None and score >= known[best]
    ]
    return [
        {
            "data": name,
            "best_peer": best,
            "its_score": known[best],
            "after": longest,
            "ours_after": reached[0] if reached else None,
            "times_faster": longest / reached[0] if reached else None,
        }
    ]


def _mean(scores: Sequence[float | None]) -> float | None:
    """None if one is missing."""
    known = [score for score in scores if score is not None]
    return statistics.mean(known) if len(known) == len(scores) else None
