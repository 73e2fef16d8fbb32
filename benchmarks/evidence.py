"""Is a score to be believed? How often intervals hold the truth; the luck of the best of 1,000.

Known distributions, and the letter table: 1,000 networks learn from 1,000 of its rows; the other 19,000 are
the truth, and small samples of them judge and pick, over and over.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import evidence_runs
from benchmarks.accuracy import SHARED
from benchmarks.rows import note

N_FUNCTIONS = 1000
N_TRAIN = 1000
EPOCHS = 8


class World(NamedTuple):
    """Functions whose worth is known; `draw(rng, n, which)` gives losses and hits of n samples, both
    (n_functions, n)."""

    name: str
    truths: NDArray
    draw: Callable[[np.random.Generator, int, Any], tuple[NDArray, NDArray]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """How long."""
    parser.add_argument(
        "--resamplings", type=int, default=1000, help="of each case; at least 200 to say much"
    )
    parser.add_argument("--searches", type=int, metavar="N", help="instead: N whole searches of each kind")
    parser.add_argument("--studies", type=int, metavar="N", help="instead: N whole studies of each kind")
    parser.add_argument("--quick", action="store_true", help="known distributions only, few functions")


def main(options: argparse.Namespace) -> None:
    """Print both tables, or what whole runs say."""
    if options.searches or options.studies:
        if options.searches:
            evidence_runs.show_searches(options.searches)
        if options.studies:
            evidence_runs.show_studies(options.studies)
        return
    n_functions = 50 if options.quick else N_FUNCTIONS
    worlds = list(known_worlds(n_functions))
    if not options.quick and (letter := letter_world(n_functions)):
        worlds.append(letter)
    print("share of 95 % intervals that hold the truth")
    for name, share in coverages(worlds, options.resamplings):
        print(f"  {name:<52}{share:.3f}", flush=True)
    print(f"\nbest of {n_functions:,}: by how many standard errors its score is too high (mean of all picks)")
    for world in worlds:
        for n in (200, 1000):
            naive, corrected = biases(world, n, max(2, options.resamplings // 5))
            print(
                f"  {f'{world.name}, {n} samples':<52}naive {naive:+.2f}   corrected {corrected:+.2f}",
                flush=True,
            )


def coverages(worlds: list[World], n_resamplings: int) -> Iterator[tuple[str, float]]:
    """Of accuracies and of R², case by case."""
    from threestep.goodness import error_intervals, share_interval

    rng = np.random.default_rng(0)
    for world in worlds:
        for n in (100, 400, 1000):
            held = 0
            for place in rng.integers(len(world.truths), size=n_resamplings):
                _, hits = world.draw(rng, n, [place])
                low, high = share_interval(float(hits.mean()), n)
                held += int(low <= world.truths[place] <= high)
            yield f"accuracy, {world.name}, {n} samples", held / n_resamplings
    errors = {"normal": rng.normal, "Laplace": rng.laplace}
    for name, error_of in errors.items():
        spread = {"normal": 1.0, "Laplace": 2.0}[name]
        truth = 1 - spread / (4 + spread)
        for n in (100, 400, 1000):
            held = 0
            for seed in range(n_resamplings):
                said = 2 * rng.normal(size=n)
                y = said + error_of(size=n)
                found = error_intervals(said, y, seed)
                held += found.r2_low <= truth <= found.r2_high
            yield f"R², {name} errors, {n} samples", held / n_resamplings


def biases(world: World, n: int, n_resamplings: int) -> tuple[float, float]:
    """How much too high the score of the best is, and the corrected one; in standard errors of its score."""
    from threestep.goodness import picked_again

    rng, found = np.random.default_rng(1), []
    for seed in range(n_resamplings):
        losses, hits = world.draw(rng, n, slice(None))
        best = int(losses.mean(axis=1).argmin())
        truth = float(world.truths[best])
        (again,) = picked_again(losses, hits[None], seed=seed)
        found.append(
            np.array([float(hits[best].mean()) - truth, again - truth]) / np.sqrt(truth * (1 - truth) / n)
        )
    naive, corrected = np.mean(np.stack(found), axis=0)
    return float(naive), float(corrected)


def known_worlds(n_functions: int) -> Iterator[World]:
    """Functions as good as each other, somewhat different, and a few that are better; half of what
    makes a sample hard is the same for all."""
    rng = np.random.default_rng(2)
    n_good = max(1, n_functions // 100)
    kinds = {
        "all of accuracy 0.9": np.full(n_functions, 0.9),
        "accuracies of 0.85 to 0.9": rng.uniform(0.85, 0.9, n_functions),
        "a hundredth of 0.93, the rest 0.85": np.where(np.arange(n_functions) < n_good, 0.93, 0.85),
    }
    for name, truths in kinds.items():
        yield World(name, truths, _drawing(truths))


def _drawing(truths: NDArray):
    from scipy.stats import norm

    limits = norm.ppf(truths)

    def draw(rng: np.random.Generator, n: int, which: Any) -> tuple[NDArray, NDArray]:
        own = limits[which]
        hard = np.sqrt(0.5) * (rng.normal(size=n) + rng.normal(size=(len(own), n)))
        hits = (hard < own[:, None]).astype(float)
        return 1 - hits, hits

    return draw


def letter_world(n_functions: int) -> World | None:
    """Networks that learned the letters; None where the table is missing."""
    from threestep.data import encode, encode_target, fit_prep, label, read, understand_target
    from threestep.goodness import Goodness
    from threestep.network import parse
    from threestep.pick import Job, Member, Population, Samples, ended

    path = SHARED / "letter/letter-recognition.data"
    if not path.exists():
        note("letter: the table is missing")
        return None
    rng = np.random.default_rng(3)
    table = label(read(path), "column_1")
    order = rng.permutation(table.n_samples)
    train, rest = table.take(order[:N_TRAIN]), table.take(order[N_TRAIN:])
    target = understand_target(np.asarray(table.y), table.y_name)
    prep = fit_prep(train, target)
    learn, judge = (Samples(encode(prep, own), encode_target(prep, own)) for own in (train, rest))
    members = [
        Member(
            parse(
                "-".join(map(str, rng.choice((16, 24, 32, 48, 64), rng.integers(1, 4)))),
                (prep.layout.n_inputs,),
                26,
            ),
            float(10 ** rng.uniform(-3, -2)),
            seed=number,
        )
        for number in range(n_functions)
    ]
    with Population(Goodness("cross_entropy"), learn, judge) as population:
        trained = [each for each in ended(population.train([Job(own, EPOCHS) for own in members])) if each]
    losses, hits = (np.stack(own) for own in ([t.losses for t in trained], [t.hits for t in trained]))
    truths = hits.mean(axis=1)
    note(f"letter: {len(trained)} networks, accuracies {truths.min():.3f} to {truths.max():.3f}")

    def draw(rng: np.random.Generator, n: int, which: Any) -> tuple[NDArray, NDArray]:
        rows = rng.choice(losses.shape[1], n, replace=False)
        return losses[which][:, rows], hits[which][:, rows]

    return World("letter", truths, draw)
