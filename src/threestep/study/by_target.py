"""How good the answers are for each of several targets, and what one answer for all samples would score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Prep
from threestep.goodness import confusion_matrix, metrics_by_class, number_metrics
from threestep.model import Model


def by_target(model: Model, outputs: NDArray, targets: NDArray) -> list[dict[str, Any]] | None:
    """A row for each of several numbers or labels; None where there is one target only.

    Parameters
    ----------
    model : Model
    outputs : ndarray of shape (n_samples, n_outputs)
        Corrected.
    targets : ndarray of shape (n_samples, n_outputs)
        Encoded.

    Returns
    -------
    list of dict
        name; of a number r2, rmse and mae in its own unit; of a label n_samples that have it, precision,
        recall and f1.
    """
    target = model.prep.target
    if target.n_columns == 1:
        return None
    answers = model.answers(outputs)
    if target.kind == "number":
        known = model.answers(targets)
        own = [number_metrics(*pair) for pair in zip(answers.T, known.T, strict=True)]
    else:
        pairs = zip((answers > 0.5).T.astype(int), (targets > 0.5).T.astype(int), strict=True)
        own = [metrics_by_class(confusion_matrix(*pair, 2))[1] for pair in pairs]
    return [{"name": name, **row} for name, row in zip(target.names, own, strict=True)]


def guess_of(prep: Prep, learned: NDArray, judged: NDArray) -> dict[str, Any]:
    """What always the same answer would score, the best one for what was learned from.

    Parameters
    ----------
    prep : Prep
    learned, judged : ndarray
        Encoded targets of the training samples, and of those that judge.

    Returns
    -------
    dict
        Of classes the most common one, `class`, and its accuracy; of labels accuracy and label_accuracy; of
        numbers rmse, a list, in their own units.
    """
    if prep.target.kind == "classes":
        most = int(np.bincount(learned).argmax())
        return {"class": str(prep.target.classes[most]), "accuracy": float((judged == most).mean())}
    if prep.target.kind == "labels":
        is_right = (judged > 0.5) == (learned.mean(axis=0) > 0.5)
        rows = is_right.reshape(len(judged), -1)
        return {"accuracy": float(rows.all(axis=1).mean()), "label_accuracy": float(rows.mean())}
    known, own = (np.asarray(each, np.float64).reshape(len(each), -1) for each in (learned, judged))
    errors = np.sqrt(((own - known.mean(axis=0)) ** 2).mean(axis=0)) * np.asarray(prep.target_scale)
    return {"rmse": errors.tolist()}
