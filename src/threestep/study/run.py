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

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from threestep.devices import steady_products
from threestep.errors import ReportError
from threestep.model import Model
from threestep.pick import Picked, Tried, leaderboard
from threestep.settings import Settings
from threestep.study.checking import check_event
from threestep.study.choices import n_averaged
from threestep.study.clock import Clock
from threestep.study.events import (
    guess_loss,
    network_event,
    pick_event,
    space_event,
    start_event,
)
from threestep.study.finding import find_steps, model_found
from threestep.study.folder import Event, RunFolder
from threestep.study.measuring import answers_of, measured, what_is_asked, with_look
from threestep.study.notebook import run_html
from threestep.study.preparing import Prepared
from threestep.study.scores import Scores, rows_in_unit


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
        As used: what was left open is chosen, but for what a search decides (`network`, rates, `ensemble`),
        limits where there are none, and `task` and `bins`, which `model.prep` has as `target` and `layout`.
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

    @property
    def notes(self) -> list[str]:
        """What was noticed of the data: columns that are left out or give the target away, how numbers and
        dates were read, and what could not be done as asked."""
        told = [note for event in self.events for note in event.get("notes", ())]
        return told + [event["text"] for event in self.events if event["event"] == "note"]

    def __repr__(self) -> str:
        part = "test" if "test" in self.scores else "valid"
        name = "r2" if self.model.prep.target.kind == "number" else "accuracy"
        score = f"{part} {name} {self.scores[part][name]:.4f}"
        picked = f"epoch {self.picked.best_epoch} picked" if self.picked.best_epoch else "nothing learned"
        n = len(self.notes)
        noted = f"; {n} note{'s' if n > 1 else ''} in `notes`" if n else ""
        return f"<Run: {self.model.network}; {picked}; {score}{noted}>"

    def _repr_html_(self) -> str:
        """The short form that a notebook shows."""
        n_others = len(self.model.others)
        more = f" and {n_others} more, averaged" if n_others else ""
        network = f"{self.model.network}{more}"
        folder = None if self.folder is None else self.folder.path
        return run_html(self.events[0]["data"], network, self.scores, self.notes, folder)


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
        Before a first epoch was done, and it says what the folder holds; later ones end the descent with the
        best so far.
    ReportError
        The model was found, but it could not be saved, or something failed after that.
    """
    with _interrupted_in_words(folder):
        return (yield from _steps(prepared, folder))


def _steps(prepared: Prepared, folder: RunFolder | None) -> Generator[Event, None, Run]:
    """As `run_steps`."""
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
    found = yield from with_look(prepared, find_steps(prepared, say))
    clock.stage("train")
    yield say(pick_event(found.picked, clock.seconds["train"]))
    with steady_products(prepared.table.n_samples):
        model = model_found(prepared, found)
        said = answers_of(prepared, model)
        model = measured(prepared, found, model, said, events)
        run = Run(model, found.picked, prepared.settings, model.scores, events, folder, found.tried)
        with model_kept(run):
            if folder is not None:
                model.save(folder.model_path)
            yield say({"event": "scores", "scores": model.scores})
            yield say({"event": "details", **what_is_asked(prepared, found, model, said)})
            clock.stage("measure")
            yield say({"event": "end", "seconds": clock.seconds})
            if folder is not None:
                folder.finish()
    return run


@contextmanager
def _interrupted_in_words(folder: RunFolder | None) -> Iterator[None]:
    """An interrupt in here says what is in the folder.

    Raises
    ------
    KeyboardInterrupt
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if folder is None:
            raise
        said = f"{folder.path} has no model; its journal.jsonl and config.toml may be deleted"
        if folder.model_path.exists():
            said = f"the model is saved: threestep predict {folder.path} DATA"
        raise KeyboardInterrupt(said) from interrupt


@contextmanager
def model_kept(run: Run) -> Iterator[None]:
    """What fails in here says where the model is that was found before: in its file, or in the error.

    Raises
    ------
    ReportError
        Something failed.
    """
    try:
        yield
    except Exception as error:
        why, name = str(error) or "no reason given", type(error).__name__
        what, hint = "the report failed", "the model is in this error's `run.model`"
        if run.folder is not None and run.folder.model_path.exists():
            hint = f"the model is saved: threestep predict {run.folder.path} DATA"
        elif run.folder is not None:
            what = "the model could not be saved"
        raise ReportError(f"{what}: {name}: {why}", hint, run) from error
