"""Our evolution against our random search, at equal budget, paired by table and seed.

Both of a pair have the same samples in the same parts, the same space and the same budget; each is
a fresh process. Who goes first changes from seed to seed. Both find the programs that a longer run
before them, which does not count, has compiled: else who goes first would compile for the other.

Who has the higher test score (accuracy, or R²) wins. Test parts are small, so that equal scores are
common; then the lower test loss wins: it is as blind to both searches as the score, while the
validation loss is what they minimize, and would reward whoever fitted the noise of those samples
best. Equal in both: half a win for each. Beside it is shown how often evolution has the lower test
loss, which chance turns less easily than a few answers, and the lower validation loss: that is how
well it searches. `p` is the two-sided sign test's, halves left out.
"""

import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from math import comb

from benchmarks.rows import note
from benchmarks.search.our_fit import OurFit, fit_for
from benchmarks.search.results import Results, Row, collect
from benchmarks.search.samples import BUILT_IN, TABLES, names_there
from benchmarks.timing import MissingError

_SEARCHERS = ("evolution", "random")
_WINS = ("win", "win_by_score", "win_by_loss", "win_on_valid")


def add_options(parser: ArgumentParser) -> None:
    """How long, how often, on what."""
    add = parser.add_argument
    add("--budget", type=float, default=20.0, metavar="S", help="seconds of each search (default 20)")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="of the split and the searches")
    add("--warm-up", type=float, default=40.0, metavar="S", help="seconds of the run before (default 40)")
    add(
        "--tables",
        nargs="+",
        choices=[*BUILT_IN, *TABLES],
        metavar="NAME",
        help="default: all that are there",
    )


def main(options: Namespace) -> None:
    """Measure; show each pair, the tables, and the share of wins."""
    results = Results("evolution", options)
    collect(results, lambda: _measure(options, results), lambda: summary_of(results.rows("pairs")))


def _measure(options: Namespace, results: Results) -> None:
    """Table by table; a pair that fails is left out."""
    for name in options.tables or names_there():
        with tempfile.TemporaryDirectory() as cache:
            try:
                fit_for(name, options.seeds[0], options.warm_up, cache)
            except MissingError as why:
                note(f"{name}: left out: {why}")
                continue
            for seed in options.seeds:
                try:
                    results.add("pairs", _pair(name, seed, options.budget, cache))
                except MissingError as why:
                    note(f"{name}, seed {seed}: left out: {why}")


def _pair(name: str, seed: int, budget: float, cache: str) -> Row:
    """Both searches on one table with one seed."""
    order = _SEARCHERS if seed % 2 == 0 else _SEARCHERS[::-1]
    fits = {searcher: fit_for(name, seed, budget, cache, searcher) for searcher in order}
    row = {"table": name, "seed": seed, **pair_row(fits["evolution"], fits["random"])}
    note(f"  {name}, seed {seed}: {row['evolution']:.4f} and {row['random']:.4f}")
    return row


def pair_row(evolution: OurFit, random: OurFit) -> Row:
    """Who won; 1 evolution, 0 random search, 1/2 neither."""
    ours, theirs = (evolution, random)
    by_score = won(ours.test_score, theirs.test_score)
    by_loss = won(-ours.test_loss, -theirs.test_loss)
    return {
        "evolution": ours.test_score,
        "random": theirs.test_score,
        "win_by_score": by_score,
        "win_by_loss": by_loss,
        "win": by_loss if by_score == 0.5 else by_score,
        "win_on_valid": won(-ours.valid_loss, -theirs.valid_loss),
        "tried": ours.n_tried,
        "random_tried": theirs.n_tried,
        "loss": ours.test_loss,
        "random_loss": theirs.test_loss,
        "seconds": ours.wall_seconds,
        "random_seconds": theirs.wall_seconds,
    }


def won(a: float, b: float) -> float:
    """1 if a is higher, 0 if b is, else 1/2."""
    return (1.0 + (a > b) - (a < b)) / 2


def summary_of(pairs: Sequence[Row]) -> Mapping[str, list[Row]]:
    """By table, and all together."""
    names = dict.fromkeys(row["table"] for row in pairs)
    tables = [share_row(name, [row for row in pairs if row["table"] == name]) for name in names]
    if not tables:
        return {}
    majority = [{key: won(row[key], 0.5) for key in _WINS} for row in tables]
    both = [share_row("all pairs", pairs), share_row("all tables, by their majority", majority)]
    return {"tables": tables, "wins of evolution": both}


def share_row(name: str, pairs: Sequence[Row]) -> Row:
    """Share of wins, and how likely a coin would be at least as far from one half."""
    wins = [row["win"] for row in pairs]
    return {
        "of": name,
        "pairs": len(pairs),
        **{key: sum(row[key] for row in pairs) / len(pairs) for key in _WINS},
        "equal_scores": sum(row["win_by_score"] == 0.5 for row in pairs),
        "p": sign_test(wins.count(1.0), wins.count(0.0)),
    }


def sign_test(n_wins: int, n_losses: int) -> float:
    """Two-sided p of so many wins by a fair coin.

    Examples
    --------
    >>> sign_test(5, 0)
    0.0625
    """
    n = n_wins + n_losses
    tail = sum(comb(n, k) for k in range(min(n_wins, n_losses) + 1)) / 2**n
    return min(1.0, 2 * tail)
