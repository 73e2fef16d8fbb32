"""Step 3 of a run: by a search or by one descent to the functions that are picked, and a model of them.

What happens is yielded as events; of a search `say` is told of those that belong into the journal.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import closing

from threestep.data import encode_learned
from threestep.goodness import import_beside
from threestep.model import Model, model_of
from threestep.network import Network
from threestep.pick import Designs, Field, Outcome, Picked, Samples, descend
from threestep.settings import Settings
from threestep.study.choices import n_averaged, space_of
from threestep.study.choices_on_pictures import descent_on_pictures, designed_networks, field_on_pictures
from threestep.study.corrections import corrected
from threestep.study.ends import ends_of
from threestep.study.events import (
    epoch_facts,
    network_event,
)
from threestep.study.folder import Event
from threestep.study.picking import Found, Unseen
from threestep.study.preparing import Prepared, pixels_of
from threestep.study.scores import rows_in_unit
from threestep.study.searching import Known, interruptible, search_steps
from threestep.study.seen import as_numbers, part_note, seen_by_search, settings_for

NONE_SMALL_ENOUGH = (
    "no network with convolutions that is tried keeps `max_params`: only networks of neurons are"
)


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
    with closing(find_steps(prepared, lambda event: event, stop)) as steps:  # also where `tell` raises
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return model_found(prepared, end.value), end.value
            tell(event)


def find_steps(prepared: Prepared, say, stop: threading.Event | None = None) -> Generator[Event, None, Found]:
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
    train = learned_from(prepared)
    if prepared.parts.valid is prepared.parts.train:
        return train, train
    return train, pixels_of(prepared.prep, prepared.parts.valid)


def learned_from(prepared: Prepared) -> Samples:
    """The training samples; where levels say what the target usually is, others have said it."""
    prep, train = prepared.prep, prepared.parts.train
    samples = pixels_of(prep, train)
    return samples._replace(x=encode_learned(prep, train)) if prep.layout.means else samples


def _search(prepared: Prepared, say, stop: threading.Event) -> Generator[Event, None, Found]:
    """Steps 1 and 3 of a search: try networks, one event per rung; tell of the best as if it were given."""
    whole = _samples(prepared)
    train, valid = seen_by_search(prepared, whole)
    settings = settings_for(prepared, len(train.y))
    wanted = _field(prepared, settings)
    known = Known(prepared.network, _designs(prepared, wanted, (whole[0], valid)))
    if len(train.y) < len(whole[0].y):
        text = part_note(len(train.y), len(whole[0].y), known.convolutions is not None)
        yield say({"event": "note", "text": text})
    if prepared.network is None and settings.convolutions and known.convolutions is None:
        yield say({"event": "note", "text": NONE_SMALL_ENOUGH})
    learn = as_numbers(train)
    samples = learn, learn if valid is train else as_numbers(valid)
    steps = search_steps(prepared.goodness, *samples, settings, wanted, known, ends_of(prepared), stop)
    found = yield from _told(prepared, steps, say)
    if prepared.network is None or 1 + len(found.others) < n_averaged(prepared.settings):  # some diverged
        yield say(network_event([found.picked.network, *(network for network, _ in found.others)]))
    history = found.picked.history
    for row in history:
        yield say({"event": "epoch", "n_epochs": len(history), **epoch_facts(row)})
    return found


def _field(prepared: Prepared, settings: Settings) -> Field:
    """What networks of neurons may be."""
    layout, goodness = prepared.prep.layout, prepared.goodness
    return Field(
        space_of(settings),
        (layout.n_inputs,),
        len(goodness.quantiles) or prepared.prep.target.n_outputs,
        settings.max_params,
        settings.seed,
        layout.n_plain_inputs if layout.bins else None,
    )


def _designs(prepared: Prepared, wanted: Field, samples: tuple[Samples, Samples]) -> Designs | None:
    """What networks with convolutions are tried beside a search; None where there are none to try."""
    asked, settings, n_samples = prepared.asked, prepared.settings, len(samples[0].y)
    designed = designed_networks(settings, prepared.prep.layout, wanted.n_outputs, n_samples)
    if not designed or prepared.network is not None:
        return None
    how = descent_on_pictures(asked, settings, designed[0], n_samples)
    field = field_on_pictures(asked, how, designed, wanted)
    return Designs(field, prepared.goodness, samples, how, asked.epochs)


def _told(prepared: Prepared, steps: Generator[Event, None, Found], say) -> Generator[Event, None, Found]:
    """The steps of a search, told in the units of the target; what diverged is counted, too."""
    n_searched = n_beside = 0
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        if event["event"] == "rung":
            n_searched = event["n_tried"]
        elif event["event"] in ("designed", "final"):
            n_beside += event.get("n_trained", 1)
        elif event["event"] == "leaderboard":
            event["rows"] = rows_in_unit(event["rows"], prepared.prep, prepared.goodness)
            event["n_tried"] = n_searched + n_beside
        yield event if event["event"] == "tick" else say(event)


def _pick(prepared: Prepared, network: Network, say, stop: threading.Event) -> Generator[Event, None, Picked]:
    """Step 3: descend, one event per epoch."""
    train, valid = _samples(prepared)
    settings = prepared.settings
    blocks = descend(network, prepared.goodness, train, valid, settings, settings.seed, ends_of(prepared).any)
    next(blocks)  # what has not begun yet cannot end with the best so far
    with interruptible(stop):
        while True:
            try:
                rows = blocks.throw(KeyboardInterrupt) if stop.is_set() else next(blocks)
            except StopIteration as end:
                return end.value
            for row in rows:
                yield say({"event": "epoch", "n_epochs": settings.epochs, **epoch_facts(row)})


def model_found(prepared: Prepared, found: Found) -> Model:
    """What was found, its answers corrected on the samples that chose."""
    picked = found.picked
    functions = [(picked.network, picked.params), *found.others]
    model = model_of(prepared.prep, prepared.goodness, functions)
    unseen = found.unseen or (None if found.n_refitted else _unseen(prepared, model))
    return model if unseen is None else corrected(model, *unseen, prepared.settings)


def _unseen(prepared: Prepared, model: Model) -> Unseen | None:
    """What the model says of the samples that chose; None if it learned from them: that says nothing of how
    sure to be."""
    if prepared.parts.valid is prepared.parts.train:
        return None
    valid = prepared.parts.valid
    return Unseen(model.outputs(valid), pixels_of(prepared.prep, valid))
