"""What a reader of a run asks next: which classes are confused, which samples are worst, which columns
matter."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data import Prep, Split, Table, encode, encode_target
from threestep.goodness import calibration_bins, confusion_matrix, likely_label_errors, metrics_by_class
from threestep.model import Model
from threestep.study.importance import importance_of
from threestep.study.scores import score_outputs

_N_WORST = 20
_MOST_VALUES = 6  # of a sample's columns
_MOST_PIXELS = 40  # of a picture's side in the journal
_MOST_POINTS = 300
_MOST_ROWS = 1000  # of likely label errors in the journal
_MOST_CELLS, _MOST_IN_CELL = 100, 12  # of the confusion matrix, and samples of each
_PICTURES_OF_CELL, _MOST_PICTURES = 4, 80
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def known_target(table: Table):
    """The target of samples that have one."""
    assert table.y is not None  # label() has seen to it
    return table.y


class Said(NamedTuple):
    """What was said of samples by networks that did not learn from them.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_outputs)
        Corrected.
    targets : ndarray of shape (n_samples,), or (n_samples, n)
        Encoded.
    rows : ndarray of shape (n_samples,) of int
        Which samples of the source they are.
    """

    outputs: NDArray
    targets: NDArray
    rows: NDArray


def details_of(
    prep: Prep, parts: Split, model: Model, said: Sequence[Said] = (), seed: int = 0
) -> dict[str, Any]:
    """What a reader asks next: which classes are confused, which samples are worst, which labels are likely
    wrong, which columns matter."""
    judged = parts.test if parts.test.n_samples else parts.valid
    encoded, outputs = encode_target(prep, judged), model.outputs(judged)
    _, losses = score_outputs(model, outputs, encoded)
    worst = losses.argsort()[::-1][:_N_WORST]
    chosen = judged.take(worst)
    importance = None
    if not prep.layout.is_picture:
        importance = importance_of(model, encode(prep, judged), encoded, seed)
    details: dict[str, Any] = {
        "part": "test" if parts.test.n_samples else "valid",
        "worst": _samples(prep, model, chosen, losses[worst], [each["column"] for each in importance or []]),
        "importance": importance,
    }
    if model.is_classifier:
        details |= _of_classes(prep, model, outputs, encoded)
        details["confused"] = _confused(prep, model.class_indices(outputs), encoded, losses, judged)
        details["label_errors"] = _label_errors(prep, model, said)
    if prep.target.kind == "number" and outputs.shape[1] == 1 and not model.goodness.quantiles:
        details["residuals"] = _residuals(model, outputs, encoded)
    shown = as_pictures(prep, judged, worst)
    return details if shown is None else details | {"pictures": shown}


def _samples(
    prep: Prep, model: Model, chosen: Table, losses: NDArray, columns: Sequence[str]
) -> list[dict[str, Any]]:
    """Where samples are, what they are, what was said of them: classes as texts, numbers as such, of several
    numbers, labels or quantiles a list."""
    targets, predicted = _targets(prep, chosen), model.predict(chosen)
    found = []
    for at, loss in enumerate(losses):
        own = {"loss": float(loss), "target": targets[at], "predicted": _answer(prep, predicted[at])}
        if chosen.rows is not None:
            own["row"] = int(chosen.rows[at])
        if chosen.names:
            own["name"] = chosen.names[at]
        if not isinstance(chosen.x, np.ndarray):
            names = [*columns, *(name for name in chosen.x if name not in columns)]
            known = [name for name in names if name in chosen.x][:_MOST_VALUES]
            own["values"] = {name: _cell(chosen.x[name][at]) for name in known}
        found.append(own)
    return found


def _of_classes(prep: Prep, model: Model, outputs: NDArray, labels: NDArray) -> dict[str, Any]:
    """Which classes are confused, and how sure the answers are."""
    said = model.class_indices(outputs)
    counts = confusion_matrix(said, labels, len(prep.target.classes))
    place = np.arange(len(said)), said
    before = model.answers(outputs * np.float32(model.temperature))[place]
    return {
        "confusion": counts.tolist(),
        "by_class": metrics_by_class(counts),
        "temperature": model.temperature,
        "calibration": {
            "before": calibration_bins(before, said == labels),
            "after": calibration_bins(model.answers(outputs)[place], said == labels),
        },
    }


def _confused(
    prep: Prep, said: NDArray, labels: NDArray, losses: NDArray, judged: Table
) -> list[dict[str, Any]]:
    """Of each class that was taken for another which samples these are, the worst first; the largest such
    cells of the matrix."""
    cells = dict[tuple[int, int], list[int]]()
    for at in np.flatnonzero(said != labels)[np.argsort(-losses[said != labels], kind="stable")]:
        cells.setdefault((int(labels[at]), int(said[at])), []).append(int(at))
    found, n_pictures = [], 0
    for (label, taken), own in sorted(cells.items(), key=lambda each: -len(each[1]))[:_MOST_CELLS]:
        own = own[:_MOST_IN_CELL]
        cell: dict[str, Any] = {"target": label, "predicted": taken}
        cell["rows"] = own if judged.rows is None else judged.rows[own].tolist()
        few = np.array(own[:_PICTURES_OF_CELL])
        shown = as_pictures(prep, judged, few) if n_pictures < _MOST_PICTURES else None
        if shown is not None:
            cell["pictures"], n_pictures = shown, n_pictures + len(shown)
        found.append(cell)
    return found


def _label_errors(prep: Prep, model: Model, said: Sequence[Said]) -> dict[str, Any] | None:
    """Labels that are likely wrong, among all samples that were answered without learning from them."""
    if not said:
        return None
    outputs, labels, rows = (np.concatenate(own) for own in zip(*said, strict=True))
    sure = model.answers(outputs)
    wrong, better = likely_label_errors(sure, labels)
    classes = prep.target.classes
    return {
        "n_samples": len(labels),
        "n": len(wrong),
        "rows": rows[wrong[:_MOST_ROWS]].tolist(),
        "worst": [
            {
                "row": int(rows[at]),
                "target": _text(classes[labels[at]]),
                "own": float(sure[at, labels[at]]),
                "better": _text(classes[other]),
                "confidence": float(sure[at, other]),
            }
            for at, other in zip(wrong[:_N_WORST], better, strict=False)
        ],
    }


def _residuals(model: Model, outputs: NDArray, targets: NDArray) -> dict[str, Any]:
    """Targets and answers in the target's own unit, some of them; and how far they are apart."""
    known, answers = (model.answers(each.reshape(len(each), 1))[:, 0] for each in (targets, outputs))
    step = -(-len(known) // _MOST_POINTS)
    order = known.argsort(kind="stable")[::step]
    quantiles = np.quantile(known - answers, _QUANTILES)
    return {
        "points": [[float(known[at]), float(answers[at])] for at in order],
        "quantiles": dict(zip(map(str, _QUANTILES), quantiles.tolist(), strict=True)),
    }


def as_pictures(prep: Prep, judged: Table, rows: NDArray) -> list[Any] | None:
    """Some samples as pictures, (height, width) or (height, width, 3) of 0 to 255, if they are any; large
    ones made smaller."""
    shape = prep.layout.shape
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)):
        return None
    x = encode(prep, judged.take(rows))
    pixels = x[:, : prod(shape)].reshape(len(x), *shape)
    if prep.layout.media is not None and prep.layout.media.kind == "sound":
        low, high = (reduce(pixels, axis=(1, 2), keepdims=True) for reduce in (np.min, np.max))
        pixels = np.flip((pixels - low) / np.maximum(high - low, 1e-6), axis=2).swapaxes(
            1, 2
        )  # high is above
    if pixels.ndim == 4 and pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    times = -(-max(pixels.shape[1:3]) // _MOST_PIXELS)
    if times > 1:
        height, width = (max(1, side // times) for side in pixels.shape[1:3])
        down, across = (min(times, side) for side in pixels.shape[1:3])
        even = pixels[:, : height * down, : width * across]
        pixels = even.reshape(len(x), height, down, width, across, *pixels.shape[3:]).mean(axis=(2, 4))
    return (pixels * 255).round().clip(0, 255).astype(int).tolist()


def _targets(prep: Prep, table: Table) -> list[Any]:
    """The targets for people; classes under the names they have in the model."""
    if prep.target.kind == "number":
        return [_answer(prep, value) for value in known_target(table)]
    encoded = encode_target(prep, table)
    if prep.target.kind == "labels":
        return [_answer(prep, value) for value in encoded]
    return [_text(prep.target.classes[index]) for index in encoded]


def _answer(prep: Prep, value: Any) -> Any:
    """A target or an answer as plain data."""
    if prep.target.kind == "classes":
        return _text(value)
    return np.asarray(value, np.float64).tolist()


def _cell(value: object) -> str | float:
    """A feature for people: a number, or a text; a gap is a dash."""
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return float(value)
    text = _text(value)
    return "–" if text in ("", "nan") else text


def _text(value: object) -> str:
    """A class or a cell for people: names as they are, numbers short."""
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
