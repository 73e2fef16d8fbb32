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
    note          of a search: what could not be done as asked
    epoch         step 3: one row of numbers per epoch
    pick          which epoch was picked, and why descent ended
    scores        loss, total loss and metrics on train, valid and test
    details       the worst samples, and which classes are taken for which
    end           seconds by stage
"""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from threestep.data import (
    Prep,
    Split,
    Table,
    Target,
    column_of,
    encode,
    encode_target,
    fit_prep,
    kinds_of,
    label,
    leaks_of,
    overrides_of,
    ranks_in,
    read,
    split,
    understand_target,
    weights_in,
    without,
    without_bins,
)
from threestep.errors import SettingsError
from threestep.goodness import Goodness, conformal_shifts, temperature_of, threshold_for
from threestep.model import Model
from threestep.network import Network, check_space, parse, supernet_of
from threestep.pick import (
    EpochRow,
    Field,
    Outcome,
    Picked,
    Samples,
    Tried,
    descend,
    leaderboard,
    losses_of,
    searcher_of,
)
from threestep.settings import Settings, check_settings
from threestep.study.choices import choose_settings, space_of
from threestep.study.clock import Clock
from threestep.study.details import details_of, known_target
from threestep.study.folder import Event, RunFolder
from threestep.study.scores import Scores, score_samples
from threestep.study.searching import Found, check_latency, deadline_of, search_steps
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
        name = "r2" if self.model.prep.target.kind == "number" else "accuracy"
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
    shares_programs : bool
        Whether one given network, too, is trained by the program for several: then others of its width, and
        other numbers of samples, need no compile; but the gradient is not watched.
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
    shares_programs: bool = False


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
    table, parts = _parted(table, settings, target.kind == "classes")
    name = str(source) if isinstance(source, (str, Path)) else table.name
    return _prepared(name, table, (target, parts), settings, clock, began)


def _parted(table: Table, settings: Settings, is_classes: bool) -> tuple[Table, Split]:
    """The samples without the columns that only say how to treat them, and divided.

    Raises
    ------
    UserError
        There is no such column, or it is of the wrong kind.
    """
    if settings.groups is not None and settings.order is not None:
        raise SettingsError("`groups` and `order` are given", "samples are divided by one of them")
    groups = None if settings.groups is None else column_of(table, settings.groups)
    ranks = None if settings.order is None else ranks_in(column_of(table, settings.order), settings.order)
    if settings.weight is not None:
        weight = weights_in(column_of(table, settings.weight), settings.weight)
        table = replace(without(table, settings.weight), weight=weight).take(np.flatnonzero(weight))
        groups, ranks = (each if each is None else each[weight > 0] for each in (groups, ranks))
    if settings.groups is not None:
        table = without(table, settings.groups)
    shares = settings.valid_fraction, settings.test_fraction
    return table, split(table, *shares, settings.seed, is_classes, groups, ranks)


def prepare_parts(table: Table, target: Target, parts: Split, settings: Settings) -> Prepared:
    """As `prepare_run`, for samples that are read, understood and divided already.

    Raises
    ------
    UserError
        Bad settings or data.
    """
    check_settings(settings)
    check_space(space_of(settings))
    searcher_of(settings.searcher)
    clock = Clock({"read": 0.0})
    prepared = _prepared(table.name, table, (target, parts), settings, clock, time.perf_counter())
    return replace(prepared, shares_programs=_fits_supernet(prepared.network))


def _fits_supernet(network: Network | None) -> bool:
    """Whether there is a given network that the program for several takes."""
    if network is None:
        return False
    try:
        supernet_of(network)
    except ValueError:
        return False
    return True


def _prepared(
    name: str,
    table: Table,
    known: tuple[Target, Split],
    settings: Settings,
    clock: Clock,
    began: float,
) -> Prepared:
    """Learn the prep, define the function set."""
    (target, parts), is_classes = known, known[0].kind == "classes"
    names = [] if isinstance(table.x, np.ndarray) else list(table.x)
    prep = fit_prep(parts.train, target, overrides_of(settings.column, names), settings.bins)
    n_outputs = len(settings.quantiles) or target.n_outputs
    facts = is_classes, prep.layout.is_picture, table.y_name, prep.layout.n_inputs + n_outputs
    settings = choose_settings(settings, parts.train.n_samples, *facts)
    network = _given_network(settings, prep.layout.n_inputs, n_outputs)
    check_latency(network or parse("", (prep.layout.n_inputs,), n_outputs), settings)
    goodness = _goodness(settings, target)
    clock.stage("prepare")
    return Prepared(name, table, parts, prep, network, goodness, settings, clock.seconds, began)


_USUAL_LOSSES = {"classes": "cross_entropy", "labels": "sigmoid_cross_entropy", "number": "squared_error"}


def _goodness(settings: Settings, target: Target) -> Goodness:
    """The loss that was asked for, or the usual one of the target's kind.

    Raises
    ------
    SettingsError
        A loss for another kind of target.
    """
    usual = "quantile" if settings.quantiles else _USUAL_LOSSES[target.kind]
    goodness = Goodness(
        usual if settings.loss == "auto" else settings.loss,
        settings.label_smoothing or 0.0,
        quantiles=tuple(settings.quantiles),
    )
    if goodness.kind != target.kind:
        raise SettingsError(
            f"`loss` is {goodness.loss!r}, which is for {goodness.kind}, but the target {target.name!r} is "
            f"{target.kind}",
            "leave it out, or set `task`",
        )
    if settings.quantiles and target.n_columns > 1:
        raise SettingsError("`quantiles` of several numbers", "fit one network for each number")
    return goodness


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


def find_model(prepared: Prepared, say: Callable[[str], None] | None = None) -> tuple[Model, Found]:
    """The model alone: nothing is measured and nothing is told beside the rounds of a search.

    Parameters
    ----------
    prepared : Prepared
    say : callable or None
        Is told a line per round.
    """
    steps = _find(prepared, lambda event: event)
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return _model(prepared, end.value), end.value
        if say is not None and event["event"] == "rung":
            loss = "none yet" if event["best_loss"] is None else f"{event['best_loss']:.4f}"
            say(f"round {event['round']}: {event['n_tried']} networks tried, best validation loss {loss}")


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
    guess_loss = _guess_loss(prepared)
    yield say({"event": "goodness", "loss": prepared.goodness.loss, "guess_loss": guess_loss})
    found = yield from _find(prepared, say)
    clock.stage("train")
    yield say(_pick_event(found.picked, clock.seconds["train"]))
    run = _measure(prepared, found, events, folder)
    if folder is not None:
        run.model.save(folder.model_path)
    yield say({"event": "scores", "scores": run.scores})
    yield say({"event": "details", **details_of(prepared.prep, prepared.parts, run.model)})
    clock.stage("measure")
    yield say({"event": "end", "seconds": clock.seconds})
    return run


def _find(prepared: Prepared, say) -> Generator[Event, None, Found]:
    """Step 3, by a search or by one descent.

    Raises
    ------
    KeyboardInterrupt
        There is nothing to keep.
    """
    settings = prepared.settings
    if prepared.network is None or settings.ensemble > 1 or settings.refit or prepared.shares_programs:
        found = yield from _search(prepared, say)
    else:
        found = Found((yield from _pick(prepared, prepared.network, say)), (), [])
    if found.picked.outcome is Outcome.INTERRUPTED and found.picked.best_epoch == 0:
        raise KeyboardInterrupt
    return found


def _start_event(prepared: Prepared) -> Event:
    """What the data are."""
    import jax

    parts, prep = prepared.parts, prepared.prep
    return {
        "event": "start",
        "data": prepared.table.name,
        "n_samples": {name: part.n_samples for name, part in parts._asdict().items()},
        "n_inputs": prep.layout.n_inputs,
        "input_shape": prep.layout.shape,
        "target": _target_facts(prep.target),
        "notes": [*prepared.table.notes, *_notes_on_columns(prepared)],
        "seed": prepared.settings.seed,
        "versions": {"threestep": __version__, "jax": jax.__version__},
    }


def _notes_on_columns(prepared: Prepared) -> list[str]:
    """What is left out, and what gives the target away."""
    table, train, layout = prepared.table, prepared.parts.train, prepared.prep.layout
    if isinstance(train.x, np.ndarray) or isinstance(table.x, np.ndarray):
        return []
    kinds = kinds_of(train.x, overrides_of(prepared.settings.column, list(train.x)))
    left_out = [f"column {name!r} is left out: {kinds[name].reason}" for name in layout.left_out]
    used = {name: column for name, column in table.x.items() if name not in layout.left_out}
    leaks = [
        f"column {name!r} may give the target away: {how}; --column {name}=ignore leaves it out"
        for name, how in leaks_of(used, np.asarray(table.y))
    ]
    return [*left_out, *leaks]


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


def _guess_loss(prepared: Prepared) -> float:
    """Mean loss of knowing nothing: outputs of zero, that is every class equally likely, or always the
    mean."""
    train, goodness = prepared.parts.train, prepared.goodness.for_judging
    known = {"squared_error": 0.5, "sigmoid_cross_entropy": log(2)}
    if goodness.loss == "cross_entropy":
        return log(len(prepared.prep.target.classes))
    if goodness.loss in known:
        return known[goodness.loss]
    targets = encode_target(prepared.prep, train)
    outputs = np.zeros((len(targets), len(goodness.quantiles) or prepared.prep.target.n_outputs), np.float32)
    return float(losses_of(goodness, outputs, targets).mean())


def _samples(prepared: Prepared) -> tuple[Samples, Samples]:
    """What is learned from, and what chooses."""
    train = arrays_of(prepared.prep, prepared.parts.train)
    if prepared.parts.valid is prepared.parts.train:
        return train, train
    return train, arrays_of(prepared.prep, prepared.parts.valid)


def arrays_of(prep: Prep, table: Table) -> Samples:
    """Labelled samples as a network learns from them."""
    return Samples(encode(prep, table), encode_target(prep, table), table.weight)


def _search(prepared: Prepared, say) -> Generator[Event, None, Found]:
    """Steps 1 and 3 of a search: try networks, one event per rung; tell of the best as if it were given."""
    train, valid = _samples(prepared)
    prep, target = prepared.prep, prepared.prep.target
    wanted = Field(
        space_of(prepared.settings),
        (prep.layout.n_inputs,),
        len(prepared.goodness.quantiles) or target.n_outputs,
        prepared.settings.max_params,
        prepared.settings.seed,
        prep.layout.n_inputs - sum(prep.layout.bins) if prep.layout.bins else None,
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
    if prepared.network is None or 1 + len(found.others) < prepared.settings.ensemble:  # some diverged
        yield say(_network_event([found.picked.network, *(network for network, _ in found.others)]))
    history = found.picked.history
    for row in history:
        yield say({"event": "epoch", "n_epochs": len(history), **_epoch_facts(row)})
    return found


def _deadline(prepared: Prepared) -> float:
    """When training must end; see `deadline_of`."""
    network, layout, settings = prepared.network, prepared.prep.layout, prepared.settings
    if network is None:
        widest = [str(settings.widths[1])] * settings.depths[1] if settings.widths and settings.depths else []
        network = parse("-".join(widest), (layout.n_inputs,), prepared.prep.target.n_outputs)
    return deadline_of(settings, prepared.table.n_samples, network.n_products, prepared.began)


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


def _model(prepared: Prepared, found: Found) -> Model:
    """What was found, its answers corrected on the samples that chose."""
    picked, goodness, settings = found.picked, prepared.goodness, prepared.settings
    prep = prepared.prep
    widest = max(network.n_inputs for network in (picked.network, *(other for other, _ in found.others)))
    if widest < prep.layout.n_inputs:
        prep = without_bins(prep)  # they were tried, and nothing that was picked looks at them
    model = Model(prep, picked.network, picked.params, goodness, others=found.others)
    is_new = prepared.parts.valid is not prepared.parts.train and not settings.refit
    if not is_new or (goodness.kind == "number" and not goodness.quantiles):
        return model  # what was learned from says nothing of how sure to be
    valid = arrays_of(prepared.prep, prepared.parts.valid)
    outputs = model.outputs_for(valid.x)
    if settings.calibrate and goodness.quantiles:
        model = replace(model, shifts=conformal_shifts(goodness.quantiles, outputs, valid.y))
    elif settings.calibrate:
        model = replace(model, temperature=temperature_of(goodness.kind, outputs, valid.y, valid.weight))
    if settings.decide_by != "accuracy" and goodness.kind == "classes" and outputs.shape[1] == 2:
        confidences = model.answers(model.outputs_for(valid.x))[:, 1]
        model = replace(model, threshold=threshold_for(settings.decide_by, confidences, valid.y))
    return model


def _measure(prepared: Prepared, found: Found, events: list[Event], folder: RunFolder | None) -> Run:
    """The model, measured on each part of the samples."""
    picked, model = found.picked, _model(prepared, found)
    scores = {
        name: score_samples(model, part)[0]
        for name, part in prepared.parts._asdict().items()
        if part.n_samples > 0
    }
    return Run(replace(model, scores=scores), picked, prepared.settings, scores, events, folder, found.tried)
