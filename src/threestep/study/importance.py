"""Which columns matter: how much worse the answers get once a column's values are dealt out anew among the
samples (permutation importance; Breiman 2001, doi:10.1023/A:1010933404324)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Layout, input_names
from threestep.goodness import Goodness
from threestep.model import Model
from threestep.pick import losses_of

_N_DEALS = 3
_MOST_COLUMNS = 200
_MOST_NUMBERS = 40_000_000  # of encoded samples that are answered: at most half a second
_FEWEST_SAMPLES = 100
_MOST_SHOWN = 20


def importance_of(model: Model, x: NDArray, y: NDArray, seed: int) -> list[dict[str, Any]] | None:
    """Columns by how much they matter, the most first; at most 20 of them.

    Parameters
    ----------
    model : Model
    x : ndarray of shape (n_samples, n_inputs)
        Encoded samples that were not learned from.
    y : ndarray
        Their targets, encoded.
    seed : int
        Which samples, if there are many, and how they are dealt.

    Returns
    -------
    list of dict, or None
        `column`; `gain`: by how much the mean loss rises without it; `spread`: the standard deviation of
        that over 3 deals. None of pictures, of one column, of more than 200, and where 100 samples would
        take more than half a second.
    """
    columns = _inputs_by_column(model.prep.layout)
    if not columns:
        return None
    affordable = _MOST_NUMBERS // (_N_DEALS * len(columns) * _work(model))
    n_samples = min(len(x), affordable)
    if n_samples < 2 or affordable < _FEWEST_SAMPLES:
        return None
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(x))[:n_samples]
    x, y = x[chosen], y[chosen]
    usual = _loss(model, x, y)
    deals = [rng.permutation(n_samples) for _ in range(_N_DEALS)]
    found = []
    for name, inputs in columns.items():
        gains = []
        for deal in deals:
            kept = x[:, inputs].copy()
            x[:, inputs] = kept[deal]
            gains.append(_loss(model, x, y) - usual)
            x[:, inputs] = kept
        found.append({"column": name, "gain": float(np.mean(gains)), "spread": float(np.std(gains, ddof=1))})
    return sorted(found, key=lambda each: -each["gain"])[:_MOST_SHOWN]


def n_answers(layout: Layout, n_samples: int, n_networks: int) -> int:
    """About how many answers of each of so many networks `importance_of` asks for, by so many samples: what a
    budget leaves time for."""
    return min(
        _N_DEALS * len(_inputs_by_column(layout)) * n_samples, _MOST_NUMBERS // (n_networks * layout.n_inputs)
    )


def _inputs_by_column(layout: Layout) -> dict[str, NDArray]:
    """The inputs that are made of each column; none of pictures, of one column, and of very many."""
    places: dict[str, list[int]] = {}
    for place, (column, _) in enumerate(input_names(layout)):
        places.setdefault(column, []).append(place)
    if layout.is_picture or not 1 < len(places) <= _MOST_COLUMNS:
        return {}
    return {column: np.array(own) for column, own in places.items()}


def _work(model: Model) -> int:
    """About how many numbers one answer moves."""
    networks = [model.network, *(network for network, _ in model.others)]
    return sum(network.n_inputs + network.n_products // 50 for network in networks)


def _loss(model: Model, x: NDArray, y: NDArray) -> float:
    """The mean loss of the answers."""
    goodness: Goodness = model.goodness.for_judging
    return float(np.mean(losses_of(goodness, model.outputs_for(x), y)))
