"""One run: data in, the three steps, a model out.

What happens is yielded as plain dicts ("events") and appended to the run folder's journal.
Nothing is called back: the command line prints events, the report reads them.

    start         what the data are: samples, inputs, target, versions
    function_set  step 1: the network and its number of params
    goodness      step 2: the loss, and what knowing nothing would give
    epoch         step 3: one row of numbers per epoch
    pick          which epoch was picked, and why descent ended
    scores        loss, total loss and metrics on train, valid and test
    details       the worst samples, and which classes are taken for which
    end           seconds by stage
"""

import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from math import log, prod
from pathlib import Path
from typing import Any

from threestep.data import (
    Prep,
    Split,
    Table,
    Target,
    encode,
    encode_target,
    fit_prep,
    label,
    read,
    split,
    understand_target,
)
from threestep.goodness import Goodness
from threestep.model import Model
from threestep.network import Network, parse
from threestep.pick import EpochRow, Outcome, Picked, Samples, descend
from threestep.settings import Settings, check_settings
from threestep.study.choices import choose_settings
from threestep.study.folder import Event, RunFolder
from threestep.study.scores import Scores, confusion, score_samples
from threestep.version import __version__

_N_WORST = 20
_MOST_PIXELS = 40 * 40  # of a picture in the journal


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What a run gives.

    Parameters
    ----------
    model : Model
        The picked function, ready for raw samples.
    picked : Picked
        With the history of the descent.
    settings : Settings
        As used: no default left open.
    scores : dict of str to Scores
        On train, valid and test.
    events : list of dict
        Everything the journal holds.
    folder : RunFolder or None
        Where it was written.
    """

    model: Model
    picked: Picked
    settings: Settings
    scores: dict[str, Scores]
    events: list[Event] = field(repr=False)
    folder: RunFolder | None = None

    def __repr__(self) -> str:
        part = "test" if "test" in self.scores else "valid"
        name = "accuracy" if self.model.is_classifier else "r2"
        score = f"{part} {name} {self.scores[part][name]:.4f}"
        return f"<Run: {self.model.network}; epoch {self.picked.best_epoch} picked; {score}>"


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything decided before descent starts.

    Parameters
    ----------
    source : str
        What the data were asked for by: a name, a path, or what kind of object they were.
    table : Table
    parts : Split
        Its samples as train, valid and test.
    prep : Prep
        Learned from the training samples.
    network : Network
        The function set.
    goodness : Goodness
    settings : Settings
        No default left open.
    seconds : dict of str to float
        What reading and preparing took.
    """

    source: str
    table: Table
    parts: Split
    prep: Prep
    network: Network
    goodness: Goodness
    settings: Settings
    seconds: dict[str, float]


def prepare_run(source: object, settings: Settings) -> Prepared:
    """Read, check, split, learn the prep, define the function set.

    Parameters
    ----------
    source : anything `threestep.data.read` takes
    settings : Settings

    Raises
    ------
    UserError
        Bad settings or data; nothing has been written yet.
    """
    check_settings(settings)
    clock = _Clock({})
    table = label(read(source), settings.target)
    clock.stage("read")
    target = understand_target(_known(table), table.y_name, settings.task)
    is_classes = target.kind == "classes"
    parts = split(table, settings.valid_fraction, settings.test_fraction, settings.seed, is_classes)
    prep = fit_prep(parts.train, target)
    settings = choose_settings(
        settings, parts.train.n_samples, is_classes, prep.layout.is_picture, table.y_name
    )
    network = parse(settings.network, (prep.layout.n_inputs,), len(target.classes) if is_classes else 1)
    loss = "cross_entropy" if is_classes else "squared_error"
    goodness = Goodness(loss, settings.label_smoothing or 0.0)
    clock.stage("prepare")
    name = str(source) if isinstance(source, (str, Path)) else table.name
    return Prepared(name, table, parts, prep, network, goodness, settings, clock.seconds)


def run_steps(prepared: Prepared, folder: RunFolder | None = None) -> Generator[Event, None, Run]:
    """Go through the three steps.

    Parameters
    ----------
    prepared : Prepared
    folder : RunFolder or None
        Where the journal, the settings and the model go, if anywhere.

    Yields
    ------
    dict
        What happened; see the module's table.

    Raises
    ------
    KeyboardInterrupt
        Before a first epoch was done; later ones end the descent with the best so far.
    """
    clock = _Clock(prepared.seconds)
    events: list[Event] = []

    def say(event: Event) -> Event:
        events.append(event)
        if folder is not None:
            folder.append(event)
        return event

    if folder is not None:
        folder.write_config(prepared.settings, prepared.source)
    for event in _first_events(prepared):
        yield say(event)
    picked = yield from _pick(prepared, say)
    if picked.outcome is Outcome.INTERRUPTED and picked.best_epoch == 0:
        raise KeyboardInterrupt  # there is nothing to keep
    clock.stage("train")
    yield say(_pick_event(picked, clock.seconds["train"]))
    run = _measure(prepared, picked, events, folder)
    if folder is not None:
        run.model.save(folder.model_path)
    yield say({"event": "scores", "scores": run.scores})
    yield say({"event": "details", **_details(prepared, run.model)})
    clock.stage("measure")
    yield say({"event": "end", "seconds": clock.seconds})
    return run


def _known(table: Table):
    assert table.y is not None  # label() has seen to it
    return table.y


def _first_events(prepared: Prepared) -> list[Event]:
    """What is known before the first step: data, function set, goodness."""
    import jax

    parts, prep, network = prepared.parts, prepared.prep, prepared.network
    left_out = [f"column {name!r} is left out: too many different words" for name in prep.layout.left_out]
    return [
        {
            "event": "start",
            "data": prepared.table.name,
            "n_samples": {name: part.n_samples for name, part in parts._asdict().items()},
            "n_inputs": prep.layout.n_inputs,
            "input_shape": prep.layout.shape,
            "target": _target_facts(prep.target),
            "notes": [*prepared.table.notes, *left_out],
            "seed": prepared.settings.seed,
            "versions": {"threestep": __version__, "jax": jax.__version__},
        },
        {
            "event": "function_set",
            "network": str(network),
            "n_params": network.n_params,
            "n_products": network.n_products,
            "layers": [
                {"n_inputs": fan, "width": layer.width, "activation": layer.activation}
                for fan, layer in zip(network.fans, network.layers, strict=True)
            ],
        },
        {"event": "goodness", "loss": prepared.goodness.loss, "guess_loss": _guess_loss(prep.target)},
    ]


def _target_facts(target: Target) -> dict[str, Any]:
    """The target, for people."""
    return {"name": target.name, "kind": target.kind, "classes": target.classes, "reason": target.reason}


def _guess_loss(target: Target) -> float:
    """Mean loss of knowing nothing: every class equally likely, or always the mean."""
    return log(len(target.classes)) if target.kind == "classes" else 0.5


def _pick(prepared: Prepared, say) -> Generator[Event, None, Picked]:
    """Step 3: descend, one event per epoch."""
    train, valid = (
        Samples(encode(prepared.prep, part), encode_target(prepared.prep, part))
        for part in (prepared.parts.train, prepared.parts.valid)
    )
    settings = prepared.settings
    blocks = descend(prepared.network, prepared.goodness, train, valid, settings, settings.seed)
    while True:
        try:
            rows = next(blocks)
        except StopIteration as end:
            return end.value
        for row in rows:
            yield say({"event": "epoch", "n_epochs": settings.epochs, **_epoch_facts(row)})


def _epoch_facts(row: EpochRow) -> dict[str, Any]:
    """One epoch as plain numbers; what is not finite (a diverged step) as None."""
    return {
        key: value if isinstance(value, int) or abs(value) < float("inf") else None
        for key, value in row._asdict().items()
    }


def _pick_event(picked: Picked, seconds: float) -> Event:
    """What was picked, and why descent ended."""
    return {
        "event": "pick",
        "outcome": picked.outcome.name.lower(),
        "why": picked.outcome.sentence,
        "best_epoch": picked.best_epoch,
        "n_epochs": len(picked.history),
        "seconds": round(seconds, 3),
    }


def _measure(prepared: Prepared, picked: Picked, events: list[Event], folder: RunFolder | None) -> Run:
    """The model, measured on each part of the samples."""
    model = Model(prepared.prep, picked.network, picked.params, prepared.goodness)
    scores = {
        name: score_samples(model, part)[0]
        for name, part in prepared.parts._asdict().items()
        if part.n_samples > 0
    }
    return Run(replace(model, scores=scores), picked, prepared.settings, scores, events, folder)


def _details(prepared: Prepared, model: Model) -> dict[str, Any]:
    """What a reader asks next: which classes are confused, which samples are worst."""
    judged = prepared.parts.test if prepared.parts.test.n_samples else prepared.parts.valid
    _, losses = score_samples(model, judged)
    worst = losses.argsort()[::-1][:_N_WORST]
    chosen = judged.take(worst)
    targets, predicted = _target_texts(prepared.prep, chosen), model.predict(chosen)
    details: dict[str, Any] = {
        "part": "test" if prepared.parts.test.n_samples else "valid",
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
        details["confusion"] = confusion(model, judged)
    shape = prepared.prep.layout.shape
    if len(shape) == 2 and prod(shape) <= _MOST_PIXELS:
        pixels = encode(prepared.prep, chosen)[:, : prod(shape)].reshape(len(worst), *shape)
        details["pictures"] = (pixels * 255).round().clip(0, 255).astype(int).tolist()
    return details


def _target_texts(prep: Prep, table: Table) -> list[str]:
    """The targets for people; classes under the names they have in the model."""
    if prep.target.kind == "number":
        return [_text(float(value)) for value in _known(table)]
    return [_text(prep.target.classes[index]) for index in encode_target(prep, table)]


def _text(value: object) -> str:
    """A target for people: class names as they are, numbers short."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class _Clock:
    """Seconds by stage, going on from earlier ones."""

    def __init__(self, earlier: dict[str, float]):
        self.seconds = dict(earlier)
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        """The stage of that name ends now."""
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now
