"""A file is tried before it is there: random samples go through it and through the model."""

import numpy as np
from numpy.typing import NDArray

from threestep.data import DATE_PARTS, Table, part_name
from threestep.export.columns import Column
from threestep.model import Model

_N_SAMPLES = 16
_SHARE_MISSING = 0.1
_FIRST_AND_LAST = (-25_000, 2_900_000)  # days since 1970 that can be written with four digits of a year
_SECONDS_OF_A_DAY = 86400
_SURE = 1e-3  # in confidence: nearer to each other two answers may change places
_WIDEST = 1e9  # where a column had one value only, its scale says that others are not to be heard


def differences(model: Model, written: bytes, names: dict[str, str], columns: list[Column]) -> float:
    """How far the answers of an ONNX file are from the model's at most: in confidence, or in standard
    deviations of the target.

    Parameters
    ----------
    model : Model
    written : bytes
        The content of the file.
    names : dict of str to str
        What the file calls each column.
    columns : list of Column
    """
    import onnxruntime

    generator = np.random.default_rng(0)
    values = {column.name: _values(generator, model, column) for column in columns}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(written, options, providers=["CPUExecutionProvider"])
    kind = model.prep.target.kind
    asked = ["number"] if kind == "number" else ["confidences", "class" if kind == "classes" else "labels"]
    feeds = {names[column.name]: values[column.name].reshape(_N_SAMPLES, *column.shape) for column in columns}
    found, *said = (np.asarray(answer) for answer in session.run(asked, feeds))
    table = _table(model, columns, values)
    expected = model.answers(model.outputs(table))
    if kind == "number":
        center, scale = np.asarray(model.prep.target_center), np.asarray(model.prep.target_scale)
        size = np.maximum(1.0, np.abs((expected - center) / scale))
        return float(np.abs((found - expected) / scale / size).max())
    if (said[0] != model.predict(table))[_is_sure(expected, model)].any():
        return float("inf")
    return float(np.abs(found.astype(np.float64) - expected).max())


def _is_sure(confidences: NDArray, model: Model) -> NDArray:
    """Of which samples, or labels, the answer does not hang on the last digits."""
    if model.prep.target.kind == "labels":
        return np.abs(confidences - 0.5) > _SURE
    if model.threshold != 0.5:
        return np.abs(confidences[:, 1] - model.threshold) > _SURE
    if confidences.shape[1] == 1:
        return np.ones(len(confidences), bool)
    second, first = np.sort(confidences, axis=1)[:, -2:].T
    return first - second > _SURE


def _values(generator: np.random.Generator, model: Model, column: Column) -> NDArray:
    """Random values of a column, as the file wants them."""
    layout = model.prep.layout
    if column.kind == "array":
        return _pictures(generator, model) if layout.is_picture else _numbers(generator, model, slice(None))
    if column.kind == "number":
        place = layout.numbers.index(column.name)
        return _numbers(generator, model, slice(place, place + 1))[:, 0]
    if column.kind == "date":
        place = layout.numbers.index(part_name(column.name, DATE_PARTS[0]))
        days = _numbers(generator, model, slice(place, place + 1))[:, 0]
        return np.round(np.clip(days, *_FIRST_AND_LAST) * _SECONDS_OF_A_DAY)
    levels = ["", "never seen", *layout.known_words[column.name]]
    return np.array([str(generator.choice(levels)) for _ in range(_N_SAMPLES)], object)


def _numbers(generator: np.random.Generator, model: Model, places: slice) -> NDArray:
    n_numbers = model.prep.layout.n_numbers
    center, scale = model.prep.center[:n_numbers][places], model.prep.scale[:n_numbers][places]
    spread = np.where(scale < _WIDEST * np.maximum(1.0, np.abs(center)), scale, 0.0)
    numbers = center + spread * generator.standard_normal((_N_SAMPLES, len(center)))
    return np.where(generator.random(numbers.shape) < _SHARE_MISSING, np.nan, numbers)


def _pictures(generator: np.random.Generator, model: Model) -> NDArray:
    brightest = model.prep.scale[: model.prep.layout.n_numbers].max()
    return generator.uniform(0, brightest, (_N_SAMPLES, model.prep.layout.n_numbers)).astype(np.float32)


def _table(model: Model, columns: list[Column], values: dict[str, NDArray]) -> Table:
    """The same samples as the model wants them."""
    layout = model.prep.layout
    if layout.shape:
        return Table("random samples", values["samples"].reshape(_N_SAMPLES, *layout.shape))
    orders = dict(layout.dates)
    found = {
        column.name: _written(values[column.name], orders[column.name])
        if column.kind == "date"
        else values[column.name]
        for column in columns
    }
    return Table("random samples", found)


def _written(seconds: NDArray, order: str) -> NDArray:
    """Dates as text, in an order of year, month and day."""
    texts = []
    for second in seconds:
        date, _, time = str(np.datetime64(0 if np.isnan(second) else int(second), "s")).partition("T")
        parts = dict(zip("ymd", date.split("-"), strict=True))
        texts.append("" if np.isnan(second) else f"{'-'.join(parts[each] for each in order)} {time}")
    return np.array(texts, object)
