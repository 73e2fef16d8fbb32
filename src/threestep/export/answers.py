"""What a network's outputs say, as nodes of ONNX: what `Model.predict` and `Model.answers` do."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Target
from threestep.export.graph import Graph, as_strings
from threestep.model import Model

Outputs = list[tuple[str, Any, list[int | str]]]
"""Name, type and shape of each."""

OUTPUT_NAMES = ("class", "confidences", "labels", "number")


def add_answers(graph: Graph, model: Model, outputs: str) -> Outputs:
    """The answers under the names that others know.

    Parameters
    ----------
    graph : Graph
    model : Model
    outputs : str
        The name of the corrected outputs of all networks together, (n_samples, n_outputs) float32.
    """
    return _ANSWERS[model.prep.target.kind](graph, model, outputs)


def _class_answers(graph: Graph, model: Model, outputs: str) -> Outputs:
    n_classes = len(model.prep.target.classes)
    confidences = graph.add("Softmax", outputs, axis=1)
    if model.threshold == 0.5:
        index = graph.add("ArgMax", outputs, axis=1, keepdims=0)
    else:
        second = graph.add("Gather", confidences, graph.constant(1, np.int64), axis=1)
        is_second = graph.add("GreaterOrEqual", second, graph.constant(model.threshold))
        index = graph.cast(is_second, np.int64)
    labels, dtype = _labels_of(model.prep.target)
    graph.named(graph.add("Gather", graph.constant(labels, dtype), index), "class")
    graph.named(confidences, "confidences")
    return [("class", dtype, ["n"]), ("confidences", np.float32, ["n", n_classes])]


def _labels_of(target: Target) -> tuple[NDArray, Any]:
    """The classes as an array that ONNX knows, and its type."""
    labels = target.labels
    if labels.dtype.kind in "biuf":
        dtype = {"b": np.bool_, "f": np.float64, "u": np.uint64}.get(labels.dtype.kind, np.int64)
        return labels.astype(dtype), dtype
    return as_strings(target.classes), object


def _label_answers(graph: Graph, model: Model, outputs: str) -> Outputs:
    shape: list[int | str] = ["n", model.network.n_outputs]
    graph.named(graph.cast(graph.add("Greater", outputs, graph.constant(0.0)), np.int64), "labels")
    graph.named(graph.add("Sigmoid", outputs), "confidences")
    return [("labels", np.int64, shape), ("confidences", np.float32, shape)]


def _number_answers(graph: Graph, model: Model, outputs: str) -> Outputs:
    center, scale = (np.asarray(each) for each in (model.prep.target_center, model.prep.target_scale))
    value = graph.cast(outputs, np.float64)
    if 0 < np.abs(center).max() < np.finfo(np.float32).tiny:  # onnxruntime takes it for 0, and adds nothing
        shifted = graph.add("Add", value, graph.constant(center / scale, np.float64))
        value = graph.add("Mul", shifted, graph.constant(scale, np.float64))
    else:
        scaled = graph.add("Mul", value, graph.constant(scale, np.float64))
        value = graph.add("Add", scaled, graph.constant(center, np.float64))
    graph.named(value, "number")
    return [("number", np.float64, ["n", model.network.n_outputs])]


_ANSWERS: dict[str, Callable[[Graph, Model, str], Outputs]] = {
    "number": _number_answers,
    "classes": _class_answers,
    "labels": _label_answers,
}
