"""What the layers learned: each hidden layer as it sees the samples, and one sample through the network.

A linear probe (Alain & Bengio 2016, arXiv:1610.01644) says how well classes can be told apart by a layer's
outputs alone: hidden layers transform features, the output layer classifies. What mattered for one answer is
told by gradient times input (Shrikumar et al. 2016, arXiv:1605.01713): to first order, how much the answer
would change if that input were what it is on the average.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from threestep.data import Table, encode, encode_target, input_names, is_unknown, label, read
from threestep.errors import DataError
from threestep.model import Model
from threestep.network import Conv, Dense, Network, Params

_MOST_SAMPLES = 2000
_MOST_SHOWN = 300  # points of a view
_MOST_OUTPUTS = 512  # of a layer, for the probe and the views; wider ones are thinned evenly
_MOST_UNITS, _MOST_ANSWERING = 6, 5
_MOST_PICTURES = 32
_MOST_COLUMNS = 12
_RIDGE = 1.0
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
class OneSample:
    """One sample through the network.

    Parameters
    ----------
    row : int
        From 0.
    explained : str
        Which answer what mattered is about: the class that all networks together answer, a label, a number.
    answer : str
        Of the first network.
    confidence : float or None
    layers : tuple of (str, ndarray)
        Each layer's outputs.
    mattered : tuple of (str, float)
        Columns, and by how much they raised the answer's output; those that mattered most first.
    by_input : ndarray of shape (n_inputs,)
        The same for each input, such as each pixel.
    n_networks : int
        That answer together; the answer above, and what mattered, is that of the first.
    together : str
        What they answer, all of them.
    together_confidence : float or None
    name : str
        What the sample is called, such as its file; empty if it has no name.
    target : str or None
        What is true of it, if that is known.
    cells : dict of str to str
        What it has in the columns of `mattered`, where there are named columns.
    """

    row: int
    explained: str
    answer: str
    confidence: float | None
    layers: tuple[tuple[str, NDArray], ...]
    mattered: tuple[tuple[str, float], ...]
    by_input: NDArray
    n_networks: int
    together: str
    together_confidence: float | None
    name: str = ""
    target: str | None = None
    cells: Mapping[str, str] = field(default_factory=dict)


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
    table = read(source, model.prep.layout.media, model.prep.layout.files)
    if table.y is None and not _is_unlabelled(model, table):
        table = label(table, model.prep.target.name)
    if row is not None and not 0 <= row < table.n_samples:
        raise DataError(f"row {row}: {table.name} has rows 0 to {table.n_samples - 1}", "rows count from 0")
    chosen = _some(table, seed)
    some = table.take(chosen)
    some = some if some.y is not None else replace(some, y=_own_answers(model, some))
    x = encode(model.prep, some)[:, : model.network.n_inputs]
    y = encode_target(model.prep, some)
    outputs = _outputs_of_layers(model.network, model.params, x)
    shown = np.arange(min(len(x), _MOST_SHOWN))
    views = tuple(
        _view(name, array, y, (model.prep.target.kind, chosen, shown, seed)) for name, array in outputs
    )
    sample = None if row is None else explain_row(model, table, row)
    return Explanation(
        table.name,
        str(model.network),
        tuple(_labels(model, y[shown])),
        chosen[shown],
        views,
        _first_weights(model),
        sample,
        {
            "n_samples": len(x),
            "probe": "R²" if model.prep.target.kind == "number" else "accuracy",
            "n_networks": 1 + len(model.others),
            "is_labelled": table.y is not None,
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


def _outputs_of_layers(network: Network, params: Params, x: NDArray) -> list[tuple[str, NDArray]]:
    """The inputs, and what each hidden layer makes of them, flat."""
    trace = jax.jit(Network.trace, static_argnums=0)(network, params, jnp.asarray(x))
    texts = [what for what, *_ in network.rows]
    hidden = [
        (f"layer {place}: {text}", np.asarray(output.a).reshape(len(x), -1))
        for place, (text, output) in enumerate(zip(texts[:-1], trace[:-1], strict=True), start=1)
    ]
    return [("inputs", x), *hidden]


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


def probe_score(x: NDArray, y: NDArray, kind: str) -> float:
    """How well a linear function of x tells y: the accuracy (of labels the mean one), or R²; by ridge
    regression, each half of the samples judged by the function that was fitted to the other.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n)
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
    kind : {"classes", "labels", "number"}
    """
    halves = np.arange(len(y)) % 2
    wanted = _wanted(y, kind, int(y.max()) + 1 if kind == "classes" else 0)
    answers = np.empty_like(wanted)
    for half in (0, 1):
        fit, judge = halves == half, halves != half
        if not fit.any() or not judge.any():
            return float("nan")
        answers[judge] = _linear_answers(x[fit], wanted[fit], x[judge])
    return _score(answers, wanted, kind)


def probe_between(learned: tuple[NDArray, NDArray], judged: tuple[NDArray, NDArray], kind: str) -> float:
    """As `probe_score`, of a function fitted to the first samples, (x, y), and judged by the others."""
    n_classes = int(max(learned[1].max(), judged[1].max())) + 1 if kind == "classes" else 0
    fitted, wanted = (_wanted(y, kind, n_classes) for _, y in (learned, judged))
    return _score(_linear_answers(learned[0], fitted, judged[0]), wanted, kind)


def _wanted(y: NDArray, kind: str, n_classes: int) -> NDArray:
    """What a linear function should answer: of classes, 1 for the right one."""
    return np.eye(n_classes)[y] if kind == "classes" else np.asarray(y, np.float64).reshape(len(y), -1)


def _linear_answers(x: NDArray, wanted: NDArray, others: NDArray) -> NDArray:
    """Of other samples, by ridge regression on x."""
    center, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled, mean = (x - center) / spread, wanted.mean(axis=0)
    gram = scaled.T @ scaled + _RIDGE * np.eye(x.shape[1])
    weight = np.linalg.solve(gram, scaled.T @ (wanted - mean))
    return (others - center) / spread @ weight + mean


def _score(answers: NDArray, wanted: NDArray, kind: str) -> float:
    if kind == "classes":
        return float((answers.argmax(axis=1) == wanted.argmax(axis=1)).mean())
    if kind == "labels":
        return float(((answers > 0.5) == (wanted > 0.5)).mean())
    total = np.square(wanted - wanted.mean(axis=0)).sum()
    return float(1 - np.square(wanted - answers).sum() / total) if total > 0 else float("nan")


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
    place = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, max_iter=500)
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


def _labels(model: Model, y: NDArray) -> list[str]:
    """Targets as text: classes by name."""
    target = model.prep.target
    if target.kind == "classes":
        return [str(target.classes[index]) for index in y.tolist()]
    if y.ndim > 1:
        return [" ".join(f"{each:g}" for each in row) for row in y.tolist()]
    center, scale = np.asarray(model.prep.target_center), np.asarray(model.prep.target_scale)
    return [f"{each:.6g}" for each in (y * scale + center).tolist()]


def _first_weights(model: Model) -> tuple[NDArray, ...]:
    """What each neuron or filter of the first layer looks for, as pictures; () if the inputs are none."""
    network, params, layout = model.network, model.params, model.prep.layout
    first = network.layers[0]
    if isinstance(first, Conv):
        kernel = np.asarray(params[0]["weight"]).mean(axis=2)  # over the channels
        return tuple(kernel[:, :, filter_] for filter_ in range(min(_MOST_PICTURES, kernel.shape[-1])))
    if not (layout.is_picture and isinstance(first, Dense) and len(network.layers) > 1):
        return ()
    weight = np.asarray(params[0]["weight"])[: layout.n_numbers]
    rows, columns = layout.shape[:2]
    pictures = weight.reshape(rows, columns, -1, first.width).mean(axis=2)
    order = np.argsort(-np.square(weight).sum(axis=0), kind="stable")[:_MOST_PICTURES]
    return tuple(pictures[:, :, unit] for unit in order)


def explain_row(model: Model, source: object, row: int) -> OneSample:
    """One sample through a model's first network: what each layer makes of it, and which inputs mattered.

    Parameters
    ----------
    model : Model
    source : anything `threestep.data.read` takes
    row : int
        From 0.
    """
    table = read(source, model.prep.layout.media, model.prep.layout.files)
    one = table.take(np.array([row]))
    x = encode(model.prep, one)[:, : model.network.n_inputs]
    network, params = model.network, model.params
    layers = _outputs_of_layers(network, params, x)
    outputs = np.asarray(network.apply(params, jnp.asarray(x)))
    together = model.outputs(one)
    place, explained = _explained(model, together)
    by_input = gradient_times_input(network, params, x, place)[0]
    sums: dict[str, float] = {}
    names = input_names(model.prep.layout)
    for (column, _), value in zip(names, by_input.tolist(), strict=False):
        sums[column] = sums.get(column, 0.0) + value
    order = sorted(sums.items(), key=lambda each: -abs(each[1]))[:_MOST_COLUMNS]
    return OneSample(
        row,
        explained,
        *_said(model, model.corrected(outputs)),
        tuple((name, array[0]) for name, array in layers),
        tuple(order),
        by_input,
        1 + len(model.others),
        *_said(model, together),
        one.names[0] if one.names else "",
        None if one.y is None else ", ".join(map(_in_words, np.atleast_1d(one.y[0]).tolist())),
        {}
        if isinstance(one.x, np.ndarray)
        else {column: _in_words(one.x[column].tolist()[0]) for column, _ in order if column in one.x},
    )


def _in_words(cell: object) -> str:
    """What stands in a table."""
    if cell is None or cell == "" or cell != cell:  # NaN
        return "missing"
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _explained(model: Model, outputs: NDArray) -> tuple[int, str]:
    """Which of the outputs is explained, and what that is: the class that is answered, the label that is most
    likely, the middle quantile, the first number."""
    target, quantiles = model.prep.target, model.goodness.quantiles
    if target.kind == "classes":
        place = int(model.class_indices(outputs)[0])
        return place, str(target.classes[place])
    if quantiles:
        place = int(np.argsort(quantiles)[len(quantiles) // 2])
        return place, f"{target.name}, quantile {quantiles[place]:g}"
    place = int(outputs[0].argmax()) if target.kind == "labels" else 0
    return place, target.names[place]


def _said(model: Model, outputs: NDArray) -> tuple[str, float | None]:
    """The answer of one sample in words; of a class, its confidence."""
    target, answers = model.prep.target, model.answers(outputs)[0].tolist()
    if target.kind == "classes":
        place = int(model.class_indices(outputs)[0])
        return str(target.classes[place]), answers[place]
    if target.kind == "labels":
        each = zip(target.names, answers, strict=True)
        return ", ".join(
            f"{name} {'yes' if share > 0.5 else 'no'} ({share:.3f})" for name, share in each
        ), None
    names = [f"{quantile:g}" for quantile in model.goodness.quantiles] or target.names
    if len(answers) == 1:
        return f"{answers[0]:.6g}", None
    return ", ".join(f"{name}: {number:.6g}" for name, number in zip(names, answers, strict=True)), None


def gradient_times_input(network: Network, params: Params, x: NDArray, output: int) -> NDArray:
    """Of each input, the slope of an output times how far the input is from its mean (0, once encoded).

    Returns
    -------
    ndarray of shape (n_samples, n_inputs), float32
    """
    slopes = jax.grad(lambda x: network.apply(params, x)[:, output].sum())(jnp.asarray(x))
    return np.asarray(slopes) * x


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
                "plane": _rounded(view.plane),
                "neighbours": None if view.neighbours is None else _rounded(view.neighbours),
                "units": [
                    {"unit": unit, "spread": spread, "rows": list(rows)} for unit, spread, rows in view.units
                ],
            }
            for view in found.views
        ],
        "pictures": [_rounded(picture) for picture in found.pictures],
        "sample": None
        if sample is None
        else {
            "row": sample.row,
            "explained": sample.explained,
            "answer": sample.answer,
            "confidence": sample.confidence,
            "n_networks": sample.n_networks,
            "together": sample.together,
            "together_confidence": sample.together_confidence,
            "name": sample.name,
            "target": sample.target,
            "cells": dict(sample.cells),
            "layers": [{"name": name, "outputs": _rounded(outputs)} for name, outputs in sample.layers],
            "mattered": [[name, value] for name, value in sample.mattered],
            "by_input": _rounded(sample.by_input),
            "shape": list(found.facts.get("shape", ())),
        },
    }


def _rounded(array: NDArray) -> list[Any]:
    return np.asarray(array, np.float64).round(4).tolist()
