"""One run: data in, the three steps, a model out.

What happens is yielded as plain dicts ("events") and appended to the run folder's journal.
Nothing is called back: the command line prints events, the report reads them.

    start         what the data are: samples, inputs, target, versions
    space         step 1 of a search: what may be tried
    function_set  step 1: the network and its number of params; of a search, the winner, once it is known
    goodness      step 2: the loss, and what knowing nothing would give
    rung          step 3 of a search: what was tried so far, and the best of it
    final         of a search: the best of it, trained anew
    leaderboard   of a search: all that was tried, what was picked first
    epoch         step 3: one row of numbers per epoch
    pick          which epoch was picked, and why descent ended
    scores        loss, total loss and metrics on train, valid and test
    details       the worst samples, and which classes are taken for which
    end           seconds by stage
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import log
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
from threestep.errors import SettingsError
from threestep.goodness import Goodness
from threestep.model import Model
from threestep.network import Network, check_space, parse, supernet_of
from threestep.pick import EpochRow, Field, Outcome, Picked, Samples, Tried, descend, leaderboard, searcher_of
from threestep.settings import Settings, check_settings
from threestep.study.choices import choose_settings, space_of
from threestep.study.clock import Clock
from threestep.study.details import details_of, known_target
from threestep.study.folder import Event, RunFolder
from threestep.study.scores import Scores, score_samples
from threestep.study.searching import Found, deadline_of, search_steps
from threestep.version import __version__


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
    tried : list of Tried
        Of a search: what was tried; what was picked first, then the others, the best first.
    """

    model: Model
    picked: Picked
    settings: Settings
    scores: dict[str, Scores]
    events: list[Event] = field(repr=False)
    folder: RunFolder | None = None
    tried: list[Tried] = field(default_factory=list, repr=False)

    @property
    def leaderboard(self) -> list[dict[str, Any]]:
        """What a search tried, what was picked first, as plain rows: `pandas.DataFrame(run.leaderboard)`.

        See `threestep.pick.leaderboard`; empty if one given network was trained once.
        """
        return leaderboard(self.tried)

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
    network : Network or None
        The function set; None: it is searched for.
    goodness : Goodness
    settings : Settings
        No default left open, but for rates that are searched.
    seconds : dict of str to float
        What reading and preparing took.
    began : float
        When, on the clock of `time.perf_counter`; the budget counts from there.
    """

    source: str
    table: Table
    parts: Split
    prep: Prep
    network: Network | None
    goodness: Goodness
    settings: Settings
    seconds: dict[str, float]
    began: float


def prepare_run(source: object, settings: Settings, began: float | None = None) -> Prepared:
    """Read, check, split, learn the prep, define the function set.

    Parameters
    ----------
    source : anything `threestep.data.read` takes
    settings : Settings
    began : float or None
        When the budget began, on the clock of `time.perf_counter`; None: now.

    Raises
    ------
    UserError
        Bad settings or data; nothing has been written yet.
    """
    began = time.perf_counter() if began is None else began
    check_settings(settings)
    check_space(space_of(settings))
    searcher_of(settings.searcher)  # it may not be installed
    clock = Clock({})
    table = label(read(source), settings.target)
    clock.stage("read")
    target = understand_target(known_target(table), table.y_name, settings.task)
    is_classes = target.kind == "classes"
    parts = split(table, settings.valid_fraction, settings.test_fraction, settings.seed, is_classes)
    prep = fit_prep(parts.train, target)
    settings = choose_settings(
        settings, parts.train.n_samples, is_classes, prep.layout.is_picture, table.y_name
    )
    n_outputs = len(target.classes) if is_classes else 1
    network = _given_network(settings, prep.layout.n_inputs, n_outputs)
    loss = "cross_entropy" if is_classes else "squared_error"
    goodness = Goodness(loss, settings.label_smoothing or 0.0)
    clock.stage("prepare")
    name = str(source) if isinstance(source, (str, Path)) else table.name
    return Prepared(name, table, parts, prep, network, goodness, settings, clock.seconds, began)


def _given_network(settings: Settings, n_inputs: int, n_outputs: int) -> Network | None:
    """The network that the settings describe; None if it is to be searched for.

    Raises
    ------
    SettingsError
        One that the program for several networks does not take, where there are to be several.
    """
    if settings.network == "auto":
        return None
    network = parse(settings.network, (n_inputs,), n_outputs)
    if settings.ensemble > 1 or settings.refit:
        asked = f"`ensemble` is {settings.ensemble}" if settings.ensemble > 1 else "`refit` is True"
        try:
            supernet_of(network)
        except ValueError as error:
            hint = "leave it out, or give a network that fits, such as `64-r64 tanh`"
            raise SettingsError(f"{asked}, but `network` {error}", hint) from error
    return network


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
    clock = Clock(prepared.seconds)
    events: list[Event] = []

    def say(event: Event) -> Event:
        events.append(event)
        if folder is not None:
            folder.append(event)
        return event

    if folder is not None:
        folder.write_config(prepared.settings, prepared.source)
    yield say(_start_event(prepared))
    if prepared.network is None:
        yield say(_space_event(prepared))
    else:
        yield say(_network_event([prepared.network] * prepared.settings.ensemble))
    guess_loss = _guess_loss(prepared.prep.target)
    yield say({"event": "goodness", "loss": prepared.goodness.loss, "guess_loss": guess_loss})
    if prepared.network is None or prepared.settings.ensemble > 1 or prepared.settings.refit:
        found = yield from _search(prepared, say)
    else:
        found = Found((yield from _pick(prepared, prepared.network, say)), (), [])
    picked = found.picked
    if picked.outcome is Outcome.INTERRUPTED and picked.best_epoch == 0:
        raise KeyboardInterrupt  # there is nothing to keep
    clock.stage("train")
    yield say(_pick_event(picked, clock.seconds["train"]))
    run = _measure(prepared, found, events, folder)
    if folder is not None:
        run.model.save(folder.model_path)
    yield say({"event": "scores", "scores": run.scores})
    yield say({"event": "details", **details_of(prepared.prep, prepared.parts, run.model)})
    clock.stage("measure")
    yield say({"event": "end", "seconds": clock.seconds})
    return run


def _start_event(prepared: Prepared) -> Event:
    """What the data are."""
    import jax

    parts, prep = prepared.parts, prepared.prep
    left_out = [f"column {name!r} is left out: too many different words" for name in prep.layout.left_out]
    return {
        "event": "start",
        "data": prepared.table.name,
        "n_samples": {name: part.n_samples for name, part in parts._asdict().items()},
        "n_inputs": prep.layout.n_inputs,
        "input_shape": prep.layout.shape,
        "target": _target_facts(prep.target),
        "notes": [*prepared.table.notes, *left_out],
        "seed": prepared.settings.seed,
        "versions": {"threestep": __version__, "jax": jax.__version__},
    }


def _space_event(prepared: Prepared) -> Event:
    """What a search may try."""
    return {"event": "space", **asdict(space_of(prepared.settings)), "searcher": prepared.settings.searcher}


def _network_event(networks: Sequence[Network]) -> Event:
    """The function set: the layers of the first network, and what others are averaged with it."""
    network, *others = networks
    return {
        "event": "function_set",
        "network": str(network),
        "others": [str(other) for other in others],
        "n_params": sum(each.n_params for each in networks),
        "n_products": sum(each.n_products for each in networks),
        "layers": [
            {
                "n_inputs": fan,
                "width": layer.width,
                "activation": layer.activation,
                "residual": layer.residual,
            }
            for fan, layer in zip(network.fans, network.layers, strict=True)
        ],
    }


def _target_facts(target: Target) -> dict[str, Any]:
    """The target, for people."""
    return {"name": target.name, "kind": target.kind, "classes": target.classes, "reason": target.reason}


def _guess_loss(target: Target) -> float:
    """Mean loss of knowing nothing: every class equally likely, or always the mean."""
    return log(len(target.classes)) if target.kind == "classes" else 0.5


def _samples(prepared: Prepared) -> tuple[Samples, Samples]:
    """What is learned from, and what chooses."""
    train, valid = (
        Samples(encode(prepared.prep, part), encode_target(prepared.prep, part))
        for part in (prepared.parts.train, prepared.parts.valid)
    )
    return train, valid


def _search(prepared: Prepared, say) -> Generator[Event, None, Found]:
    """Steps 1 and 3 of a search: try networks, one event per rung; tell of the best as if it were given."""
    train, valid = _samples(prepared)
    prep, target = prepared.prep, prepared.prep.target
    wanted = Field(
        space_of(prepared.settings),
        (prep.layout.n_inputs,),
        len(target.classes) or 1,
        prepared.settings.max_params,
        prepared.settings.seed,
    )
    context = prepared.settings, wanted, prepared.network, _deadline(prepared)
    steps = search_steps(prepared.goodness, train, valid, *context)
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            found: Found = end.value
            break
        yield event if event["event"] == "tick" else say(event)
    if prepared.network is None:
        yield say(_network_event([found.picked.network, *(network for network, _ in found.others)]))
    history = found.picked.history
    for row in history:
        yield say({"event": "epoch", "n_epochs": len(history), **_epoch_facts(row)})
    return found


def _deadline(prepared: Prepared) -> float:
    """When training must end; see `deadline_of`."""
    return deadline_of(prepared.settings, prepared.table.n_samples, prepared.began)


def _pick(prepared: Prepared, network: Network, say) -> Generator[Event, None, Picked]:
    """Step 3: descend, one event per epoch."""
    train, valid = _samples(prepared)
    settings = prepared.settings
    blocks = descend(network, prepared.goodness, train, valid, settings, settings.seed, _deadline(prepared))
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


def _measure(prepared: Prepared, found: Found, events: list[Event], folder: RunFolder | None) -> Run:
    """The model, measured on each part of the samples."""
    picked = found.picked
    model = Model(prepared.prep, picked.network, picked.params, prepared.goodness, others=found.others)
    scores = {
        name: score_samples(model, part)[0]
        for name, part in prepared.parts._asdict().items()
        if part.n_samples > 0
    }
    return Run(replace(model, scores=scores), picked, prepared.settings, scores, events, folder, found.tried)
