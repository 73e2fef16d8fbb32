"""scikit-learn's `MLPClassifier`, alone and under its two random searches."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.records import N_CORES, Data, Errand, Report, Space, Structure, Train


def trainer(data: Data, batch_size: int) -> Train:
    """`MLPClassifier.fit`, one network after another; nothing to compile."""
    from sklearn.neural_network import MLPClassifier

    def train(structures: Sequence[Structure], n_epochs: int) -> float:
        for structure in structures:
            MLPClassifier(
                structure.hidden,
                learning_rate_init=structure.learning_rate,
                alpha=0.0,
                batch_size=batch_size,
                max_iter=n_epochs,
                n_iter_no_change=n_epochs,  # with tol: really all epochs
                tol=0.0,
            ).fit(data.x_train, data.y_train)
        return 0.0

    return train


@dataclass(frozen=True)
class Scores:
    """A scorer for both parts: the search gives no models, and to train again would cost time."""

    x_test: NDArray
    y_test: NDArray

    def __call__(self, model, x: NDArray, y: NDArray) -> dict[str, float]:
        return {"valid": model.score(x, y), "test": model.score(self.x_test, self.y_test)}


def search_random(errand: Errand, report: Report) -> None:
    """`RandomizedSearchCV` again and again, with other seeds: it gives nothing before its end."""
    from sklearn.model_selection import RandomizedSearchCV

    model, rows = _model(errand), _rows(errand.data)
    scores = Scores(errand.data.x_test, errand.data.y_test)
    for seed, n_networks in _sizes(errand, at_least=N_CORES, at_most=1_000_000):
        search = RandomizedSearchCV(
            model,
            _choices(errand.space),
            n_iter=n_networks,
            n_jobs=N_CORES,
            random_state=seed,
            scoring=scores,
            refit=False,
            cv=_split(errand.data),
        ).fit(*rows)
        results = search.cv_results_
        best = np.argmax(results["mean_test_valid"])
        report(results["mean_test_valid"][best], results["mean_test_test"][best])


def search_halving(errand: Errand, report: Report) -> None:
    """`HalvingRandomSearchCV` over epochs, again and again with other seeds.

    Each round trains from the start again: 2, 6, 18, 54 epochs with 27 networks, fewer rounds with
    fewer. It takes only one metric, so the best network is trained once more to be tested.
    """
    from sklearn.base import clone
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    model, rows = _model(errand), _rows(errand.data)
    for seed, n_networks in _sizes(errand, at_least=3, at_most=27):
        search = HalvingRandomSearchCV(
            model,
            _choices(errand.space),
            n_candidates=n_networks,
            resource="max_iter",
            max_resources=errand.space.n_epochs,
            n_jobs=N_CORES,
            random_state=seed,
            refit=False,
            cv=_split(errand.data),
        ).fit(*rows)
        best: Any = clone(model)
        best.set_params(**search.best_params_).fit(errand.data.x_train, errand.data.y_train)
        report(search.best_score_, best.score(errand.data.x_test, errand.data.y_test))


def _sizes(errand: Errand, at_least: int, at_most: int) -> Iterator[tuple[int, int]]:
    """A seed and a number of networks for each next search, by the time that the last one took.

    Twice as many each time, but no more than half of the time left allows: so there are results
    early on, little waits for a search's last network, and little is lost at the end.
    """
    seed, n_networks = 1000 * errand.seed, at_least
    while True:
        began = time.time()
        yield seed, n_networks
        ended = time.time()
        affordable = int((errand.ends_at - ended) / 2 * n_networks / (ended - began))
        seed, n_networks = seed + 1, max(at_least, min(2 * n_networks, affordable, at_most))


def _model(errand: Errand):
    """The network whose settings are searched."""
    from sklearn.neural_network import MLPClassifier

    space = errand.space
    return MLPClassifier(batch_size=space.batch_size, max_iter=space.n_epochs, random_state=errand.seed)


def _choices(space: Space) -> dict[str, object]:
    """The space, as scikit-learn's searches take it."""
    from scipy.stats import loguniform

    depths = range(space.depths[0], space.depths[1] + 1)
    return {
        "hidden_layer_sizes": [(width,) * depth for depth in depths for width in space.widths],
        "learning_rate_init": loguniform(*space.learning_rates),
        "activation": list(space.activations),
        "alpha": loguniform(*space.alphas),
    }


def _rows(data: Data) -> tuple[NDArray, NDArray]:
    """Train and valid, one after the other."""
    return np.concatenate([data.x_train, data.x_valid]), np.concatenate([data.y_train, data.y_valid])


def _split(data: Data):
    """One fold: the first rows train, the others judge."""
    from sklearn.model_selection import PredefinedSplit

    return PredefinedSplit(np.repeat([-1, 0], [len(data.x_train), len(data.x_valid)]))
