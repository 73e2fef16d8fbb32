"""One run: data in, the three steps, a model out.

What happens is yielded as plain dicts ("events") and appended to the run folder's journal.
Nothing is called back: the command line prints events, the report reads them.

    start         what the data are: samples, inputs, target, versions
    check         what is odd about them: gaps, rare classes, copies
    space         step 1 of a search: what may be tried
    function_set  step 1: the network and its number of params; of a search, the winner, once it is known
    goodness      step 2: the loss, and what knowing nothing would give
    rung          step 3 of a search: what was tried so far, and the best of it
    final         of a search: the best of it, trained anew
    leaderboard   of a search: all that was tried, what was picked first
    luck          of a search: what the picked one would score on samples that did not pick it
    note          of a search: what could not be done as asked
    epoch         step 3: one row of numbers per epoch
    pick          which epoch was picked, and why descent ended
    scores        loss, total loss and metrics on train, valid and test; with folds, valid is out of fold
    details       the worst samples, likely label errors, what is confused, columns and layers
    end           seconds by stage
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import Table, encode_learned, encode_target
from threestep.devices import steady_products
from threestep.errors import ReportError
from threestep.goodness import import_beside
from threestep.model import Model, model_of
from threestep.network import Network, parse
from threestep.pick import Designs, Field, Outcome, Picked, Samples, Tried, descend, leaderboard
from threestep.settings import Settings
from threestep.study.checking import check_event
from threestep.study.choices import n_averaged, space_of
from threestep.study.choices_on_pictures import descent_on_pictures, designed_networks, field_on_pictures
from threestep.study.clock import Clock
from threestep.study.corrections import corrected
from threestep.study.details import Said, details_of
from threestep.study.events import (
    epoch_facts,
    guess_loss,
    network_event,
    pick_event,
    space_event,
    start_event,
)
from threestep.study.folder import Event, RunFolder
from threestep.study.importance import n_answers
from threestep.study.layers import (
    MOST_FITTED,
    MOST_PROBED,
    compile_look,
    layers_of,
    seconds_set_aside,
)
from threestep.study.luck import corrected_scores
from threestep.study.notebook import run_html
from threestep.study.picking import Found, Unseen
from threestep.study.preparing import Prepared, arrays_of, pixels_of
from threestep.study.scores import Scores, rows_in_unit, score_outputs
from threestep.study.searching import Ends, Known, counted_seconds, deadline_of, interruptible, search_steps
from threestep.study.seen import as_numbers, part_note, seen_by_search, settings_for

_SECONDS_FOR_REPORT = 0.3
_MOST_FOR_MEASURING = 0.25  # of a budget, for networks with convolutions


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

        See `threestep.pick.leaderboard`; of a number also `valid_rmse`, in its unit. Empty if one given
        network was trained once.
        """
        return rows_in_unit(leaderboard(self.tried), self.model.prep, self.model.goodness)

    def __repr__(self) -> str:
        part = "test" if "test" in self.scores else "valid"
        name = "r2" if self.model.prep.target.kind == "number" else "accuracy"
        score = f"{part} {name} {self.scores[part][name]:.4f}"
        picked = f"epoch {self.picked.best_epoch} picked" if self.picked.best_epoch else "nothing learned"
        return f"<Run: {self.model.network}; {picked}; {score}>"

    def _repr_html_(self) -> str:
        """The short form that a notebook shows."""
        n_others = len(self.model.others)
        more = f" and {n_others} more, averaged" if n_others else ""
        return run_html(self.events[0]["data"], f"{self.model.network}{more}", self.scores)


def find_model(
    prepared: Prepared,
    tell: Callable[[Event], None] = lambda event: None,
    stop: threading.Event | None = None,
) -> tuple[Model, Found]:
    """The model alone: nothing is measured.

    Parameters
    ----------
    prepared : Prepared
    tell : callable
        Is told each event.
    stop : threading.Event or None
        Once it is set, the best so far is picked.
    """
    with closing(_find(prepared, lambda event: event, stop)) as steps:  # also where `tell` raises
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return _model(prepared, end.value), end.value
            tell(event)


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
    ReportError
        The model was found and saved, but something failed after that.
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
    yield say(start_event(prepared))
    yield say(check_event(prepared))
    clock.stage("check")
    if prepared.network is None:
        yield say(space_event(prepared))
    else:
        yield say(network_event([prepared.network] * n_averaged(prepared.settings)))
    loss = prepared.goodness.loss
    yield say({"event": "goodness", "loss": loss, "guess_loss": guess_loss(prepared)})
    found = yield from _with_look(prepared, _find(prepared, say))
    clock.stage("train")
    yield say(pick_event(found.picked, clock.seconds["train"]))
    with steady_products(prepared.table.n_samples):
        model = _model(prepared, found)
        parts = {name: part for name, part in prepared.parts._asdict().items() if part.n_samples}
        said = {name: _said(model, part, part is prepared.parts.train) for name, part in parts.items()}
        run = _measure(prepared, found, model, said, events, folder)
        if folder is not None:
            run.model.save(folder.model_path)
        with model_kept(run):
            yield say({"event": "scores", "scores": run.scores})
            yield say({"event": "details", **_details(prepared, found, run.model, said)})
            clock.stage("measure")
            yield say({"event": "end", "seconds": clock.seconds})
    return run


@contextmanager
def model_kept(run: Run) -> Iterator[None]:
    """What fails in here says where the model is that was found before.

    Raises
    ------
    ReportError
        Something failed.
    """
    try:
        yield
    except Exception as error:
        why = str(error) or "no reason given"
        hint = "the model is in this error's `run.model`"
        if run.folder is not None:
            hint = f"the model is saved: threestep predict {run.folder.path} DATA"
        raise ReportError(f"the report failed: {type(error).__name__}: {why}", hint, run) from error


def _with_look(prepared: Prepared, steps: Generator[Event, None, Found]) -> Generator[Event, None, Found]:
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


def _find(prepared: Prepared, say, stop: threading.Event | None = None) -> Generator[Event, None, Found]:
    """Step 3, by a search or by one descent.

    Raises
    ------
    KeyboardInterrupt
        There is nothing to keep.
    """
    settings = prepared.settings
    if settings.calibrate and prepared.goodness.kind != "number":
        import_beside()
    if prepared.network is None or n_averaged(settings) > 1 or settings.refit or prepared.shares_programs:
        found = yield from _search(prepared, say, stop or threading.Event())
    else:
        picked = yield from _pick(prepared, prepared.network, say, stop or threading.Event())
        found = Found(picked, (), [])
    if found.picked.outcome is Outcome.INTERRUPTED and found.picked.best_epoch == 0:
        raise KeyboardInterrupt
    return found


def _samples(prepared: Prepared) -> tuple[Samples, Samples]:
    """What is learned from, and what chooses."""
    train = _learned_from(prepared)
    if prepared.parts.valid is prepared.parts.train:
        return train, train
    return train, pixels_of(prepared.prep, prepared.parts.valid)


def _learned_from(prepared: Prepared) -> Samples:
    """The training samples; where levels say what the target usually is, others have said it."""
    prep, train = prepared.prep, prepared.parts.train
    samples = pixels_of(prep, train)
    return samples._replace(x=encode_learned(prep, train)) if prep.layout.means else samples


def _search(prepared: Prepared, say, stop: threading.Event) -> Generator[Event, None, Found]:
    """Steps 1 and 3 of a search: try networks, one event per rung; tell of the best as if it were given."""
    whole, prep, target = _samples(prepared), prepared.prep, prepared.prep.target
    train, valid = seen_by_search(prepared, whole)
    settings = settings_for(prepared, len(train.y))
    wanted = Field(
        space_of(settings),
        (prep.layout.n_inputs,),
        len(prepared.goodness.quantiles) or target.n_outputs,
        settings.max_params,
        settings.seed,
        prep.layout.n_plain_inputs if prep.layout.bins else None,
    )
    known = Known(prepared.network)
    n_whole = len(whole[0].y)
    designed = designed_networks(prepared.settings, prep.layout, wanted.n_outputs, n_whole)
    if designed and prepared.network is None:
        asked = prepared.asked
        how = descent_on_pictures(asked, prepared.settings, designed[0], n_whole)
        field = field_on_pictures(asked, how, designed, wanted)
        designs = Designs(field, prepared.goodness, (whole[0], valid), how, asked.epochs)
        known = Known(None, designs)
    if len(train.y) < n_whole:
        text = part_note(len(train.y), n_whole, known.convolutions is not None)
        yield say({"event": "note", "text": text})
    learn = as_numbers(train)
    samples = learn, learn if valid is train else as_numbers(valid)
    steps = search_steps(prepared.goodness, *samples, settings, wanted, known, _ends(prepared), stop)
    n_searched = n_beside = 0
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            found: Found = end.value
            break
        if event["event"] == "rung":
            n_searched = event["n_tried"]
        elif event["event"] in ("designed", "final"):
            n_beside += event.get("n_trained", 1)
        elif event["event"] == "leaderboard":  # its rows are those that did not diverge
            event["rows"] = rows_in_unit(event["rows"], prep, prepared.goodness)
            event["n_tried"] = n_searched + n_beside
        yield event if event["event"] == "tick" else say(event)
    if prepared.network is None or 1 + len(found.others) < n_averaged(prepared.settings):  # some diverged
        yield say(network_event([found.picked.network, *(network for network, _ in found.others)]))
    history = found.picked.history
    for row in history:
        yield say({"event": "epoch", "n_epochs": len(history), **epoch_facts(row)})
    return found


def _ends(prepared: Prepared) -> Ends:
    """When training must end."""
    network, layout, settings = prepared.network, prepared.prep.layout, prepared.settings
    if network is None:
        widest = [str(settings.widths[1])] * settings.depths[1] if settings.widths and settings.depths else []
        network = parse("-".join(widest), (layout.n_inputs,), prepared.prep.target.n_outputs)
    n_outputs, judged = prepared.prep.target.n_outputs, prepared.parts.test.n_samples
    n_asked = n_answers(layout, judged or prepared.parts.valid.n_samples, n_averaged(settings))
    n_samples = prepared.table.n_samples + n_asked
    seconds_each = n_averaged(settings) * counted_seconds(network)
    deadline = deadline_of(settings, n_samples, seconds_each, prepared.began)
    unmeasured = deadline_of(settings, 0, 0.0, prepared.began)
    aside = seconds_set_aside(prepared.budget)
    if prepared.network is not None:
        earlier = deadline if network.is_dense else deadline - aside
        return Ends(earlier, earlier, unmeasured, n_samples)
    earlier = deadline
    designed = designed_networks(settings, layout, n_outputs, prepared.table.n_samples)
    for usual in designed[:1]:  # measuring those takes longer
        share = _MOST_FOR_MEASURING
        other = deadline_of(settings, n_samples, counted_seconds(usual), prepared.began, share)
        earlier = min(deadline, other)
    any_end = earlier - aside if settings.convolutions else earlier
    return Ends(any_end, deadline, unmeasured, n_samples)


def _pick(prepared: Prepared, network: Network, say, stop: threading.Event) -> Generator[Event, None, Picked]:
    """Step 3: descend, one event per epoch."""
    train, valid = _samples(prepared)
    settings = prepared.settings
    blocks = descend(network, prepared.goodness, train, valid, settings, settings.seed, _ends(prepared).any)
    next(blocks)  # what has not begun yet cannot end with the best so far
    with interruptible(stop):
        while True:
            try:
                rows = blocks.throw(KeyboardInterrupt) if stop.is_set() else next(blocks)
            except StopIteration as end:
                return end.value
            for row in rows:
                yield say({"event": "epoch", "n_epochs": settings.epochs, **epoch_facts(row)})


def _model(prepared: Prepared, found: Found) -> Model:
    """What was found, its answers corrected on the samples that chose."""
    picked = found.picked
    functions = [(picked.network, picked.params), *found.others]
    model = model_of(prepared.prep, prepared.goodness, functions)
    unseen = found.unseen or _unseen(prepared, model)
    return model if unseen is None else corrected(model, *unseen, prepared.settings)


def _unseen(prepared: Prepared, model: Model) -> Unseen | None:
    """What the model says of the samples that chose; None if it learned from them: that says nothing of how
    sure to be."""
    if prepared.parts.valid is prepared.parts.train or prepared.settings.refit:
        return None
    valid = prepared.parts.valid
    return Unseen(model.outputs(valid), pixels_of(prepared.prep, valid))


def _details(prepared: Prepared, found: Found, model: Model, said_of: dict[str, Said]) -> Event:
    """What a reader asks next."""
    parts = prepared.parts
    said = [said_of["test"]] if "test" in said_of else []
    if found.unseen is not None:
        outputs, samples = found.unseen
        rows = np.concatenate([_rows(parts.train), _rows(parts.valid)])
        said.append(Said(model.corrected(outputs), np.asarray(samples.y), rows))
    elif parts.valid is not parts.train and not prepared.settings.refit:
        said.append(said_of["valid"])
    details = details_of(prepared.prep, parts, model, said, prepared.settings.seed)
    table = prepared.table
    if table.names and details.get("label_errors"):
        for each in details["label_errors"]["worst"]:
            each["name"] = table.names[int(np.searchsorted(_rows(table), each["row"]))]
    judged, settings = parts.test if parts.test.n_samples else parts.valid, prepared.settings
    rate = max((row.learning_rate for row in found.picked.history), default=0.0)
    rng = np.random.default_rng(settings.seed)
    unseen = arrays_of(prepared.prep, judged.take(rng.permutation(judged.n_samples)[:MOST_PROBED]))
    learned = _some_learned(prepared, rng.permutation(parts.train.n_samples)[:MOST_FITTED])
    end = prepared.began + prepared.budget
    if time.perf_counter() >= end:  # a second for 12,000 inputs
        return details | {"layers": None}
    until = end - _SECONDS_FOR_REPORT
    return details | {"layers": layers_of(model, unseen, learned, settings.optimizer, rate, until)}


def _some_learned(prepared: Prepared, rows: NDArray) -> Samples:
    """Some training samples, as they were learned from."""
    train, prep = prepared.parts.train, prepared.prep
    if not prep.layout.means:
        return arrays_of(prep, train.take(rows))
    samples = _learned_from(prepared)
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


def _measure(
    prepared: Prepared,
    found: Found,
    model: Model,
    said_of: dict[str, Said],
    events: list[Event],
    folder: RunFolder | None,
) -> Run:
    """The model, measured by what it said of each part of the samples."""
    scores = {name: score_outputs(model, said.outputs, said.targets)[0] for name, said in said_of.items()}
    if found.unseen is not None:  # the networks learned from the validation samples, each from most of them
        outputs, samples = found.unseen
        scores["valid"], _ = score_outputs(model, model.corrected(outputs), samples.y)
        scores["valid"]["n_folds"] = prepared.settings.folds or 1
    for luck in (event for event in events if event["event"] == "luck"):
        scores["valid"] |= corrected_scores(scores["valid"], luck)
    model = replace(model, scores=scores)
    return Run(model, found.picked, prepared.settings, scores, events, folder, found.tried)
