"""What a reader of a run asks next: which classes are confused, which samples are worst."""

from math import prod
from typing import Any

import numpy as np

from threestep.data import Prep, Split, Table, encode, encode_target
from threestep.goodness import calibration_bins, confusion_matrix, metrics_by_class
from threestep.model import Model
from threestep.study.scores import score_outputs

_N_WORST = 20
_MOST_PIXELS = 40 * 40  # of a picture in the journal


def known_target(table: Table):
    """The target of samples that have one."""
    assert table.y is not None  # label() has seen to it
    return table.y


def details_of(prep: Prep, parts: Split, model: Model) -> dict[str, Any]:
    """What a reader asks next: which classes are confused, which samples are worst."""
    judged = parts.test if parts.test.n_samples else parts.valid
    outputs, encoded = model.outputs(judged), encode_target(prep, judged)
    _, losses = score_outputs(model, outputs, encoded)
    worst = losses.argsort()[::-1][:_N_WORST]
    chosen = judged.take(worst)
    targets, predicted = _target_texts(prep, chosen), model.predict(chosen)
    details: dict[str, Any] = {
        "part": "test" if parts.test.n_samples else "valid",
        "worst": [
            {
                "loss": float(losses[row]),
                "target": targets[index],
                "predicted": _text(predicted[index]),
            }
            for index, row in enumerate(worst)
        ],
    }
    if model.is_classifier:
        said = model.class_indices(outputs)
        counts = confusion_matrix(said, encoded, len(prep.target.classes))
        before = model.answers(outputs * np.float32(model.temperature))
        details["confusion"] = counts.tolist()
        details["by_class"] = metrics_by_class(counts)
        details["temperature"] = model.temperature
        details["calibration"] = {
            "before": calibration_bins(before, said == encoded),
            "after": calibration_bins(model.answers(outputs), said == encoded),
        }
    shape = prep.layout.shape
    if len(shape) == 2 and prod(shape) <= _MOST_PIXELS:
        pixels = encode(prep, chosen)[:, : prod(shape)].reshape(len(worst), *shape)
        details["pictures"] = (pixels * 255).round().clip(0, 255).astype(int).tolist()
    return details


def _target_texts(prep: Prep, table: Table) -> list[str]:
    """The targets for people; classes under the names they have in the model."""
    if prep.target.kind != "classes":
        return [_text(value) for value in known_target(table)]
    return [_text(prep.target.classes[index]) for index in encode_target(prep, table)]


def _text(value: object) -> str:
    """A target for people: class names as they are, numbers short."""
    if isinstance(value, np.ndarray):
        return ", ".join(map(_text, value.tolist()))
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
