"""One sample through a model's first network: what each layer makes of it, and which inputs mattered.

What mattered for one answer is told by gradient times input (Shrikumar et al. 2016, arXiv:1605.01713): to
first order, how much the answer would change if that input were what it is on the average.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from threestep.data import encode, input_names, read_anew
from threestep.model import Model
from threestep.network import Network, Params
from threestep.study.details import as_pictures

_MOST_COLUMNS = 12


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
    picture : list or None
        Its pixels as rows of 0 to 255, or of (red, green, blue); of a sound high frequencies are above.
    is_sound : bool
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
    picture: list[Any] | None = None
    is_sound: bool = False


def explain_row(model: Model, source: object, row: int) -> OneSample:
    """One sample through a model's first network: what each layer makes of it, and which inputs mattered.

    Parameters
    ----------
    model : Model
    source : anything `threestep.data.read` takes
    row : int
        From 0.
    """
    table = read_anew(model.prep, source)
    one = table.take(np.array([row]))
    x = encode(model.prep, one)[:, : model.network.n_inputs]
    network, params = model.network, model.params
    layers = outputs_of_layers(network, params, x)
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
        next(iter(as_pictures(model.prep, one, np.array([0])) or ()), None),
        one.media is not None and one.media.kind == "sound",
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


def outputs_of_layers(network: Network, params: Params, x: NDArray) -> list[tuple[str, NDArray]]:
    """The inputs, and what each hidden layer makes of them, flat."""
    trace = jax.jit(Network.trace, static_argnums=0)(network, params, jnp.asarray(x))
    texts = [what for what, *_ in network.rows]
    hidden = [
        (f"layer {place}: {text}", np.asarray(output.a).reshape(len(x), -1))
        for place, (text, output) in enumerate(zip(texts[:-1], trace[:-1], strict=True), start=1)
    ]
    return [("inputs", x), *hidden]


def plain_sample(sample: OneSample) -> dict[str, Any]:
    """One sample as plain data."""
    return {
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
        "picture": sample.picture,
        "is_sound": sample.is_sound,
        "layers": [{"name": name, "outputs": rounded(outputs)} for name, outputs in sample.layers],
        "mattered": [[name, value] for name, value in sample.mattered],
        "by_input": rounded(sample.by_input),
    }


def rounded(array: NDArray) -> list[Any]:
    """Numbers as they are written down."""
    return np.asarray(array, np.float64).round(4).tolist()
