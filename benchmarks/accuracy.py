"""Test accuracy on handwritten digits of 256 pixels, default settings, beside scikit-learn's MLP.

digits: 10 random splits. usps: the official test part, 3 seeds. semeion: 10 folds. The last two
need the real data in `../shared/data`. Means over the splits or seeds.
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import higher_is_better, note, show

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


class Parts(NamedTuple):
    """Samples to learn from and samples to be judged on; x (n, 256) from 0 to 1."""

    x: NDArray
    y: NDArray
    x_test: NDArray
    y_test: NDArray
    seed: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which data."""
    parser.add_argument("--repeat", type=int, default=10, help="splits, folds or (at most 3) seeds")


def main(options: argparse.Namespace) -> None:
    """Print a row per data set."""
    for case, every_parts in CASES.items():
        ours, theirs = [], []
        for parts in every_parts(options.repeat):
            ours.append(our_accuracy(parts))
            theirs.append(their_accuracy(parts))
        if ours:
            note(f"{case}: ours {np.round(ours, 4).tolist()}, theirs {np.round(theirs, 4).tolist()}")
            row = higher_is_better(
                case, "scikit-learn MLP", statistics.mean(ours), statistics.mean(theirs), "accuracy"
            )
            show(row)


def our_accuracy(parts: Parts) -> float:
    """By `threestep.fit` with nothing set; a share of the learning samples chooses the epoch."""
    import threestep as ts

    pictures = parts.x.reshape(-1, 16, 16)
    run = ts.fit((pictures, parts.y), test_fraction=0.0, seed=parts.seed)
    return float((run.model.predict(parts.x_test.reshape(-1, 16, 16)) == parts.y_test).mean())


def their_accuracy(parts: Parts) -> float:
    """By `MLPClassifier` with nothing set; it learns from all learning samples."""
    from sklearn.neural_network import MLPClassifier

    return float(
        MLPClassifier(random_state=parts.seed).fit(parts.x, parts.y).score(parts.x_test, parts.y_test)
    )


def digits_parts(n_repeats: int) -> Iterator[Parts]:
    """The built-in digits, a fifth held out at random."""
    import threestep as ts

    table = ts.data.read("digits")
    x, y = np.asarray(table.x, np.float32).reshape(-1, 256), np.asarray(table.y)
    for seed in range(n_repeats):
        order = np.random.default_rng(seed).permutation(len(y))
        test, train = np.split(order, [len(y) // 5])
        yield Parts(x[train], y[train], x[test], y[test], seed)


def usps_parts(n_repeats: int) -> Iterator[Parts]:
    """USPS with its official test part."""
    import threestep as ts

    names = [
        ",".join(
            str(SHARED / "usps" / f"usps-{part}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")
        )
        for part in ("train", "test")
    ]
    if not SHARED.is_dir():
        note("usps: left out: no ../shared/data")
        return
    train, test = (ts.data.read(name) for name in names)
    x, x_test = (np.asarray(part.x, np.float32).reshape(-1, 256) / 255 for part in (train, test))
    for seed in range(min(n_repeats, 3)):
        yield Parts(x, np.asarray(train.y), x_test, np.asarray(test.y), seed)


def semeion_parts(n_repeats: int) -> Iterator[Parts]:
    """Semeion in 10 stratified folds."""
    from sklearn.model_selection import StratifiedKFold

    if not SHARED.is_dir():
        note("semeion: left out: no ../shared/data")
        return
    rows = np.loadtxt(SHARED / "semeion" / "semeion.data", dtype=np.float32)
    x, y = rows[:, :256], rows[:, 256:].argmax(axis=1)
    folds = StratifiedKFold(10, shuffle=True, random_state=0).split(x, y)
    for seed, (train, test) in zip(range(n_repeats), folds, strict=False):
        yield Parts(x[train], y[train], x[test], y[test], seed)


CASES = {"digits 16x16": digits_parts, "usps": usps_parts, "semeion": semeion_parts}
