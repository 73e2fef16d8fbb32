"""The whole model as one ONNX file: columns in, answers out."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from threestep.data import Media
from threestep.errors import DataError
from threestep.export.answers import OUTPUT_NAMES, add_answers
from threestep.export.columns import Column, add_inputs, columns_of
from threestep.export.graph import LOOKUPS, Graph, onnx_library
from threestep.export.layers import add_network
from threestep.export.trial import differences
from threestep.model import Model, model_given
from threestep.version import __version__

_LOOKUPS_VERSION = 3
_OPSET = 20  # the first with all the operators that are used: of 2023
_IR_VERSION = 9  # of the same year: readers refuse a file that is newer than they are
_MOST_BYTES = 2**31 - 1  # of one protobuf
_FARTHEST_APART = 1e-4  # confidences, or shares of a target's standard deviation
_MOST_LEVELS_SAID = 20
_HELP = {
    "number": "float64, NaN where missing",
    "date": "float64: seconds since 1970-01-01, NaN where missing",
    "category": "text as in training; empty where missing",
    "array": "as in training; NaN where missing",
}


def to_onnx(model: Model | str | Path, path: str | Path) -> Path:
    """Write a model as one ONNX file, with all that was learned of the columns and of confidences.

    Parameters
    ----------
    model : Model, str or Path
        A model, its file or its run folder.
    path : str or Path
        Of the file; ends with .onnx.

    Returns
    -------
    Path
        The file. It has an input of shape (n_samples, 1) per column, by the column's name (with a `_` behind
        it where an output has that name): float64 (numbers, which are scaled in double precision; dates as
        seconds since 1970) or text (categories). Samples without column names are one input
        `samples` of shape (n_samples, ...): float64, or float32 of pictures and sounds. It has the outputs
        `class` of shape (n_samples,) and `confidences` of shape (n_samples, n_classes); of several labels
        `labels` and `confidences`, each (n_samples, n_labels); of numbers `number`, (n_samples, n_numbers)
        float64. Its `metadata_props` say of each what it wants or says: the classes in their order, the words
        that are known.

    Raises
    ------
    DataError
        The path does not end with .onnx, cannot be written, onnx is not installed, or onnxruntime's answers
        to random samples are not the model's (nothing is written then).

    Examples
    --------
    >>> import numpy as np, onnxruntime, tempfile, threestep as ts
    >>> model = ts.fit("iris", network="8", epochs=5).model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     session = onnxruntime.InferenceSession(ts.to_onnx(model, f"{folder}/iris.onnx"))
    >>> flower = {each.name: np.array([[1.0]]) for each in session.get_inputs()}
    >>> print(*flower)
    sepal length (cm) sepal width (cm) petal length (cm) petal width (cm)
    >>> [answer.shape for answer in session.run(None, flower)]
    [(1,), (1, 3)]
    """
    model, path = model_given(model), Path(path)
    if path.suffix != ".onnx":
        raise DataError(f"{path}: only ONNX can be written", f"name it {path.stem or 'model'}.onnx")
    written = _as_bytes(model)
    _check(model, written)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(written)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):  # its name may be too long
            part.unlink(missing_ok=True)
        hint = "choose another name" if path.parent.is_dir() else f"make the folder {path.parent} first"
        raise DataError(f"{path}: cannot be written ({error.strerror})", hint) from error
    return path


def _as_bytes(model: Model) -> bytes:
    """The file's content."""
    onnx = onnx_library()
    columns = columns_of(model.prep.layout)
    names = _names_of(columns)
    graph = Graph([*names.values(), *OUTPUT_NAMES])
    inputs = add_inputs(graph, model.prep, names)
    outputs = _together(graph, model, [_outputs_of(graph, model, each, inputs) for each in _functions(model)])
    found = add_answers(graph, model, outputs)
    versions = [("", _OPSET), *([(LOOKUPS, _LOOKUPS_VERSION)] if model.prep.layout.means else [])]
    whole = onnx.helper.make_graph(
        graph.nodes,
        "threestep",
        [_described(names[each.name], _type_of(each, model), ["n", *each.shape]) for each in columns],
        [_described(*each) for each in found],
        graph.constants,
        f"predicts {model.prep.target.name}",
    )
    proto = onnx.helper.make_model(
        whole,
        producer_name="threestep",
        producer_version=__version__,
        ir_version=_IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid(*each) for each in versions],
    )
    onnx.helper.set_model_props(proto, _help_on(model, columns, names))
    if proto.ByteSize() > _MOST_BYTES:
        raise DataError("the network is larger than one ONNX file can be (2 GiB)", "export a smaller one")
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString()


def _help_on(model: Model, columns: list[Column], names: dict[str, str]) -> dict[str, str]:
    """What each input wants and each output says, for people."""
    target, levels = model.prep.target, model.prep.layout.known_words
    said = {names[each.name]: _HELP[each.kind] for each in columns}
    if model.prep.layout.media is not None:
        said = {name: f"{_media_help(model.prep.layout.media)}; NaN where missing" for name in said}
    said |= {name: f"column {own!r}: {said[name]}" for own, name in names.items() if own != name}
    for name, known in levels.items():
        more = ", …" if len(known) > _MOST_LEVELS_SAID else ""
        said[names[name]] += f"; known are {', '.join(map(repr, known[:_MOST_LEVELS_SAID]))}{more}"
    if target.kind == "classes":
        said |= {"class": target.name, "confidences": ", ".join(map(str, target.classes))}
    elif target.kind == "labels":
        said |= {"labels": ", ".join(target.names), "confidences": ", ".join(target.names)}
    else:
        quantiles = [f"{target.name}, quantile {each:g}" for each in model.goodness.quantiles]
        said["number"] = "; ".join(quantiles or target.names)
    return said


def _media_help(media: Media) -> str:
    """What a picture or a sound must have become before it is an input."""
    if media.kind == "picture":
        colors = "RGB" if media.channels == 3 else "grey"
        size = f"{media.height} × {media.width}"
        return f"{colors} pixels of 0 to 255, (height, width, channels), resized to {size}"
    return (
        f"log-mel spectrograms (moments, bands) of sounds at {media.rate} Hz, as `threestep.data.read` makes "
        f"them: Hann windows of {media.window} samples, one every {media.hop}, {media.width} bands; "
        "255 is the loudest, 0 is 80 dB below it or less"
    )


def _names_of(columns: list[Column]) -> dict[str, str]:
    """What the file calls each column: its own name, but that ONNX takes no empty one, and that an output's
    name is taken."""
    taken = {*OUTPUT_NAMES, *(column.name for column in columns)}
    names: dict[str, str] = {}
    for column in columns:
        name = column.name
        if not name or name in OUTPUT_NAMES:
            name = name or "column"
            while name in taken:
                name += "_"
            taken.add(name)
        names[column.name] = name
    return names


def _type_of(column: Column, model: Model) -> Any:
    if column.kind == "category":
        return object
    return np.float32 if model.prep.layout.is_picture else np.float64


def _described(name: str, dtype: Any, shape: list[int | str]) -> Any:
    """An input or output of the graph."""
    helper = onnx_library().helper
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)


def _functions(model: Model) -> list[tuple[Any, Any]]:
    return [(model.network, model.params), *model.others]


def _outputs_of(graph: Graph, model: Model, function: tuple[Any, Any], inputs: str) -> str:
    """One network's outputs; it may see only the inputs that are no bins."""
    network, params = function
    if network.n_inputs < model.prep.layout.n_inputs:
        ends = (graph.constant([at], np.int64) for at in (0, network.n_inputs, 1))
        inputs = graph.add("Slice", inputs, *ends)
    return add_network(graph, network, params, inputs)


def _together(graph: Graph, model: Model, outputs: list[str]) -> str:
    """What the networks say together, corrected: see `Goodness.averaged` and `Model.corrected`."""
    value = outputs[0] if len(outputs) == 1 else _TOGETHER[model.prep.target.kind](graph, outputs)
    if model.shifts:
        value = graph.add("Add", value, graph.constant(model.shifts))
    if model.goodness.quantiles:
        value = _in_order(graph, value, model.goodness.quantiles)
    if model.temperature == 1.0:
        return value
    return graph.add("Div", value, graph.constant(model.temperature))


def _in_order(graph: Graph, value: str, quantiles: tuple[float, ...]) -> str:
    """As `threestep.model.model.in_order`."""
    n = graph.constant([len(quantiles)], np.int64)
    places = graph.constant(np.argsort(np.argsort(quantiles)), np.int64)
    return graph.add("Gather", graph.sorted(value, n), places, axis=1)


def _mean_of_numbers(graph: Graph, outputs: list[str]) -> str:
    return graph.add("Mean", *outputs)


def _mean_of_classes(graph: Graph, outputs: list[str]) -> str:
    return _log_mean(graph, [graph.add("LogSoftmax", each, axis=1) for each in outputs])


def _mean_of_labels(graph: Graph, outputs: list[str]) -> str:
    no = [graph.add("Neg", graph.add("Softplus", each)) for each in outputs]
    yes = [graph.add("Neg", graph.add("Softplus", graph.add("Neg", each))) for each in outputs]
    return graph.add("Sub", _log_mean(graph, yes), _log_mean(graph, no))


def _log_mean(graph: Graph, logs: list[str]) -> str:
    """Logarithm of the mean of exponentials."""
    axis = graph.constant([0], np.int64)
    stacked = graph.joined([graph.add("Unsqueeze", each, axis) for each in logs], axis=0)
    total = graph.add("ReduceLogSumExp", stacked, axis, keepdims=0)
    return graph.add("Sub", total, graph.constant(np.log(len(logs))))


_TOGETHER: dict[str, Callable[[Graph, list[str]], str]] = {
    "number": _mean_of_numbers,
    "classes": _mean_of_classes,
    "labels": _mean_of_labels,
}


def _check(model: Model, written: bytes) -> None:
    """Refuse a file that does not answer as the model does.

    Raises
    ------
    DataError
    """
    columns = columns_of(model.prep.layout)
    apart = differences(model, written, _names_of(columns), columns)
    if not apart <= _FARTHEST_APART:
        raise DataError(
            f"onnxruntime's answers are {apart:.2g} from the model's, expected at most {_FARTHEST_APART}",
            "nothing was written; please report this",
        )
