"""What is said of a model that was found: how good it is on each part of the samples, and what a reader asks
next."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Table, encode_learned, encode_target
from threestep.model import Model
from threestep.pick import Samples
from threestep.study.by_target import by_target, guess_of
from threestep.study.choices_on_pictures import designed_networks
from threestep.study.details import Said, details_of
from threestep.study.finding import learned_from
from threestep.study.folder import Event
from threestep.study.layers import (
    MOST_FITTED,
    MOST_PROBED,
    compile_look,
    layers_of,
)
from threestep.study.luck import corrected_scores
from threestep.study.picking import Found
from threestep.study.preparing import Prepared, arrays_of
from threestep.study.scores import score_outputs

_SECONDS_FOR_REPORT = 0.3


def with_look(prepared: Prepared, steps: Generator[Event, None, Found]) -> Generator[Event, None, Found]:
    """The steps of training; once a network with convolutions has learned, that by which layers are looked at
    is compiled: of the given network, or of the usual one, which is often picked."""
    parts, n_outputs = prepared.parts, prepared.prep.target.n_outputs
    awaited = [prepared.network]
    if prepared.network is None:
        awaited = designed_networks(prepared.settings, prepared.prep.layout, n_outputs, parts.train.n_samples)
    awaited = [network for network in awaited[:1] if network is not None and not network.is_dense]
    with closing(steps):
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            if awaited and event["event"] in ("designed", "epoch"):
                judged = parts.test if parts.test.n_samples else parts.valid
                y = encode_target(prepared.prep, parts.train)
                compile_look(awaited.pop(), prepared.goodness, y, judged.n_samples)
            yield event


def answers_of(prepared: Prepared, model: Model) -> dict[str, Said]:
    """What the model says of each part of the samples that has any."""
    parts = {name: part for name, part in prepared.parts._asdict().items() if part.n_samples}
    return {name: _said(model, part, part is prepared.parts.train) for name, part in parts.items()}


def measured(
    prepared: Prepared, found: Found, model: Model, said_of: dict[str, Said], events: Sequence[Event]
) -> Model:
    """The model with its scores, by what it said of each part of the samples.

    Parameters
    ----------
    prepared : Prepared
    found : Found
    model : Model
    said_of : dict of str to Said
        By the name of the part.
    events : sequence of dict
        Of the run so far: the luck of the best of many is subtracted from what the validation samples say.
    """
    scores = {name: score_outputs(model, said.outputs, said.targets)[0] for name, said in said_of.items()}
    if found.unseen is not None:  # the networks learned from the validation samples, each from most of them
        outputs, samples = found.unseen
        scores["valid"], _ = score_outputs(model, model.corrected(outputs), samples.y)
        scores["valid"]["n_folds"] = prepared.settings.folds or 1
    is_same = model.goodness.kind != "labels" and not model.goodness.quantiles
    if found.n_refitted:
        scores["valid"]["learned_from"] = found.n_refitted
    for luck in (event for event in events if event["event"] == "luck" and not found.n_refitted):
        scores["valid"] |= corrected_scores(scores["valid"], luck, is_same)
    return replace(model, scores=scores)


def what_is_asked(prepared: Prepared, found: Found, model: Model, said_of: dict[str, Said]) -> Event:
    """What a reader asks next: the event "details"."""
    said = _said_unseen(prepared, found, model, said_of)
    details = details_of(prepared.prep, prepared.parts, model, said, prepared.settings.seed)
    table = prepared.table
    if table.names and details.get("label_errors"):
        for each in details["label_errors"]["worst"]:
            each["name"] = table.names[int(np.searchsorted(_rows(table), each["row"]))]
    outputs, targets = _judged(found, model, said_of)
    details["by_target"] = by_target(model, outputs, targets)
    details["guess"] = guess_of(prepared.prep, said_of["train"].targets, targets)
    return details | {"layers": _layers(prepared, found, model)}


def _judged(found: Found, model: Model, said_of: dict[str, Said]) -> tuple[NDArray, NDArray]:
    """Outputs and targets of which the score is that of the run: of the test samples, if there are any."""
    if "test" not in said_of and found.unseen is not None:
        return model.corrected(found.unseen.outputs), np.asarray(found.unseen.samples.y)
    said = said_of["test" if "test" in said_of else "valid"]
    return said.outputs, said.targets


def _said_unseen(prepared: Prepared, found: Found, model: Model, said_of: dict[str, Said]) -> list[Said]:
    """What was said of samples that the networks did not learn from."""
    parts = prepared.parts
    said = [said_of["test"]] if "test" in said_of else []
    if found.unseen is not None:
        outputs, samples = found.unseen
        rows = np.concatenate([_rows(parts.train), _rows(parts.valid)])
        return [*said, Said(model.corrected(outputs), np.asarray(samples.y), rows)]
    if parts.valid is not parts.train and not found.n_refitted:
        return [*said, said_of["valid"]]
    return said


def _layers(prepared: Prepared, found: Found, model: Model) -> dict[str, Any] | None:
    """What each layer does to some samples; None where a budget has no time left for that."""
    parts, settings = prepared.parts, prepared.settings
    judged = parts.test if parts.test.n_samples else parts.valid
    rng = np.random.default_rng(settings.seed)
    unseen = arrays_of(prepared.prep, judged.take(rng.permutation(judged.n_samples)[:MOST_PROBED]))
    learned = _some_learned(prepared, rng.permutation(parts.train.n_samples)[:MOST_FITTED])
    rate = max((row.learning_rate for row in found.picked.history), default=0.0)
    end = prepared.began + prepared.budget
    if time.perf_counter() >= end:  # a second for 12,000 inputs
        return None
    return layers_of(model, unseen, learned, settings.optimizer, rate, end - _SECONDS_FOR_REPORT)


def _some_learned(prepared: Prepared, rows: NDArray) -> Samples:
    """Some training samples, as they were learned from."""
    train, prep = prepared.parts.train, prepared.prep
    if not prep.layout.means:
        return arrays_of(prep, train.take(rows))
    samples = learned_from(prepared)
    weight = None if samples.weight is None else samples.weight[rows]
    return Samples(samples.x[rows], samples.y[rows], weight)


def _said(model: Model, part: Table, is_train: bool) -> Said:
    """What the model says of a part; of training samples from what they were learned with."""
    has_own = is_train and model.prep.layout.means
    outputs = model.outputs_for(encode_learned(model.prep, part)) if has_own else model.outputs(part)
    return Said(outputs, encode_target(model.prep, part), _rows(part))


def _rows(part: Table) -> NDArray:
    """Which samples of the source they are."""
    return np.arange(part.n_samples) if part.rows is None else part.rows
