"""What the layers learned: each hidden layer as it sees the samples, and one sample through the network.

A linear probe (Alain & Bengio 2016, arXiv:1610.01644) says how well classes can be told apart by a layer's
outputs alone: hidden layers transform features, the output layer classifies.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Table, encode, encode_target, is_unknown, label, read_anew
from threestep.errors import DataError
from threestep.model import Model
from threestep.network import Conv, Dense
from threestep.study.notebook import explanation_html
from threestep.study.one_sample import OneSample, explain_row, outputs_of_layers, plain_sample, rounded
from threestep.study.probe import probe_score

_MOST_SAMPLES = 2000
_MOST_SHOWN = 300  # points of a view
_MOST_OUTPUTS = 512  # of a layer, for the probe and the views; wider ones are thinned evenly
_MOST_UNITS, _MOST_ANSWERING = 6, 5
_MOST_PICTURES = 32
Event = dict[str, Any]


@dataclass(frozen=True, eq=False)
class LayerView:
    """One layer as it sees the samples.

    Parameters
    ----------
    name : str
    n_outputs : int
    probe : float
        Accuracy (or R²) of a linear function of its outputs on samples it was not fitted to; NaN of one
        sample.
    plane : ndarray of shape (n_shown, 2)
        The samples in the plane in which they differ most (PCA).
    neighbours : ndarray of shape (n_shown, 2) or None
        The samples so that neighbours stay neighbours (t-SNE, van der Maaten & Hinton 2008).
    units : tuple of (int, float, tuple of int)
        Of the outputs that vary most: which, their standard deviation, the samples that they answer to most.
    """

    name: str
    n_outputs: int
    probe: float
    plane: NDArray
    neighbours: NDArray | None
    units: tuple[tuple[int, float, tuple[int, ...]], ...]


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the layers of a model learned.

    Parameters
    ----------
    data, network : str
    labels : tuple of str
        Of the shown samples.
    shown : ndarray of shape (n_shown,)
        Their rows.
    views : tuple of LayerView
        The inputs first, the last hidden layer last.
    pictures : tuple of ndarray
        The weights of the first layer, where it looks at pictures.
    sample : OneSample or None
    facts : dict
    folder : Path or None
    """

    data: str
    network: str
    labels: tuple[str, ...]
    shown: NDArray
    views: tuple[LayerView, ...]
    pictures: tuple[NDArray, ...]
    sample: OneSample | None
    facts: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    def __repr__(self) -> str:
        probes = ", ".join(f"{view.name} {view.probe:.3f}" for view in self.views)
        return f"<Explanation of {self.network} on {self.data}: probes {probes}>"

    def _repr_html_(self) -> str:
        """The short form that a notebook shows."""
        return explanation_html(self)


def explain_model(model: Model, source: object, row: int | None = None, seed: int = 0) -> Explanation:
    """Look into a model's first network.

    Parameters
    ----------
    model : Model
    source : anything `threestep.data.read` takes
        Without a target the model's own answers stand in its place: what is said of the samples is then how
        the layers come to these.
    row : int or None
        A sample that is followed through the network, from 0.
    seed : int

    Raises
    ------
    DataError
        The samples do not fit the model, or there is no such row.
    """
    table = read_anew(model.prep, source)
    if table.y is None and not _is_unlabelled(model, table):
        table = label(table, model.prep.target.name)
    if row is not None and not 0 <= row < table.n_samples:
        raise DataError(f"row {row}: {table.name} has rows 0 to {table.n_samples - 1}", "rows count from 0")
    chosen = _some(table, seed)
    some = table.take(chosen)
    some = some if some.y is not None else replace(some, y=_own_answers(model, some))
    x = encode(model.prep, some)[:, : model.network.n_inputs]
    y = encode_target(model.prep, some)
    outputs = outputs_of_layers(model.network, model.params, x)
    shown = np.arange(min(len(x), _MOST_SHOWN))
    views = tuple(
        _view(name, array, y, (model.prep.target.kind, chosen, shown, seed)) for name, array in outputs
    )
    sample = None if row is None else explain_row(model, table, row)
    pictured, pictures = _first_weights(model)
    media = model.prep.layout.media
    return Explanation(
        table.name,
        str(model.network),
        tuple(_labels(model, y[shown])),
        chosen[shown],
        views,
        pictures,
        sample,
        {
            "n_samples": len(x),
            "n_given": table.n_samples,
            "most_outputs": _MOST_OUTPUTS,
            "pictured": pictured,
            "is_sound": media is not None and media.kind == "sound",
            "probe": "R²" if model.prep.target.kind == "number" else "accuracy",
            "n_networks": 1 + len(model.others),
            "is_labelled": table.y is not None,
            "coloured_by": model.prep.target.names[0] if _are_several_numbers(model) else None,
            "shape": list(model.prep.layout.shape) if model.prep.layout.is_picture else [],
        },
    )


def _is_unlabelled(model: Model, table: Table) -> bool:
    """Whether samples without a target have no column of that name either."""
    return isinstance(table.x, np.ndarray) or not {model.prep.target.name, *model.prep.target.names} & {
        *table.x
    }


def _own_answers(model: Model, table: Table) -> NDArray:
    """What the model answers, in place of a target; of quantiles the middle one."""
    quantiles = model.goodness.quantiles
    if not quantiles:
        return model.predict(table)
    return model.answers(model.outputs(table))[:, np.argsort(quantiles)[len(quantiles) // 2]]


def _some(table: Table, seed: int) -> NDArray:
    """Rows that are looked at, in random order; not those whose target is missing."""
    is_missing = np.zeros(table.n_samples, bool) if table.y is None else is_unknown(np.asarray(table.y))
    known = np.flatnonzero(~is_missing)
    return np.random.default_rng(seed).permutation(known)[:_MOST_SAMPLES]


def _view(name: str, outputs: NDArray, y: NDArray, context: tuple[str, NDArray, NDArray, int]) -> LayerView:
    kind, chosen, shown, seed = context
    step = -(-outputs.shape[1] // _MOST_OUTPUTS)
    few = np.asarray(outputs[:, ::step], np.float64)
    return LayerView(
        name,
        outputs.shape[1],
        probe_score(few, y, kind),
        _in_plane(few[shown]),
        _as_neighbours(few[shown], seed),
        _units(outputs, chosen),
    )


def _in_plane(x: NDArray) -> NDArray:
    """The two directions in which the samples differ most."""
    centred = x - x.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    # the sign of a direction means nothing: the largest part is taken to be positive
    signs = np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)])
    plane = centred @ (directions * np.where(signs == 0, 1, signs)[:, None]).T
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))


def _as_neighbours(x: NDArray, seed: int) -> NDArray | None:
    """t-SNE by scikit-learn; None for too few samples."""
    if len(x) < 20:
        return None
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    perplexity = min(30.0, (len(x) - 1) / 4)
    begin = "pca" if x.shape[1] > 1 else "random"
    place = TSNE(2, perplexity=perplexity, init=begin, random_state=seed, max_iter=500)
    spread = x.std(axis=0)
    scaled = (x - x.mean(axis=0)) / max(float(spread.max()), 1e-12)
    # its hundreds of short parallel loops wait for each other wherever a core has something else to do: 60
    # samples took a minute then
    with threadpool_limits(1):
        return np.asarray(place.fit_transform(scaled))


def _units(outputs: NDArray, chosen: NDArray) -> tuple[tuple[int, float, tuple[int, ...]], ...]:
    """The outputs that vary most, and the samples that they answer to most."""
    spread = outputs.std(axis=0)
    order = np.argsort(-spread, kind="stable")[:_MOST_UNITS]
    return tuple(
        (
            int(unit),
            float(spread[unit]),
            tuple(int(chosen[row]) for row in np.argsort(-outputs[:, unit], kind="stable")[:_MOST_ANSWERING]),
        )
        for unit in order
    )


def _are_several_numbers(model: Model) -> bool:
    return model.prep.target.kind == "number" and model.prep.target.n_columns > 1


def _labels(model: Model, y: NDArray) -> list[str]:
    """Targets as text: classes by name, of several labels those that are there, of several numbers the
    first."""
    target = model.prep.target
    if target.kind == "classes":
        return [str(target.classes[index]) for index in y.tolist()]
    if target.kind == "labels":
        rows = y.reshape(len(y), -1).tolist()
        there = ([name for name, own in zip(target.names, row, strict=True) if own > 0.5] for row in rows)
        return [", ".join(names) or "–" for names in there]
    center, scale = np.asarray(model.prep.target_center), np.asarray(model.prep.target_scale)
    own = (y * scale + center).reshape(len(y), -1)
    return [f"{each:.6g}" for each in own[:, 0].tolist()]


def _first_weights(model: Model) -> tuple[list[int], tuple[NDArray, ...]]:
    """Some neurons or filters of the first layer, from 0, and what each looks for, as pictures; none if the
    inputs are none."""
    network, params, layout = model.network, model.params, model.prep.layout
    first = network.layers[0]
    if isinstance(first, Conv):
        kernel = np.asarray(params[0]["weight"]).mean(axis=2)  # over the channels
        filters = list(range(min(_MOST_PICTURES, kernel.shape[-1])))
        return filters, tuple(kernel[:, :, filter_] for filter_ in filters)
    if not (layout.is_picture and isinstance(first, Dense) and len(network.layers) > 1):
        return [], ()
    weight = np.asarray(params[0]["weight"])[: layout.n_numbers]
    rows, columns = layout.shape[:2]
    pictures = weight.reshape(rows, columns, -1, first.width).mean(axis=2)
    order = np.argsort(-np.square(weight).sum(axis=0), kind="stable")[:_MOST_PICTURES]
    return order.tolist(), tuple(pictures[:, :, unit] for unit in order)


def plain_explanation(found: Explanation) -> dict[str, Any]:
    """An explanation as plain data."""
    sample = found.sample
    return {
        "data": found.data,
        "network": found.network,
        "labels": list(found.labels),
        "shown": found.shown.tolist(),
        "facts": found.facts,
        "views": [
            {
                "name": view.name,
                "n_outputs": view.n_outputs,
                "probe": None if math.isnan(view.probe) else view.probe,
                "plane": rounded(view.plane),
                "neighbours": None if view.neighbours is None else rounded(view.neighbours),
                "units": [
                    {"unit": unit, "spread": spread, "rows": list(rows)} for unit, spread, rows in view.units
                ],
            }
            for view in found.views
        ],
        "pictures": [rounded(picture) for picture in found.pictures],
        "sample": None
        if sample is None
        else {**plain_sample(sample), "shape": list(found.facts.get("shape", ()))},
    }
