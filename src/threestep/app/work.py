"""What each command does."""

import csv
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO, TypeVar

import msgspec

from threestep.app.checkup import check_up, tell_facts
from threestep.app.commands import Doctor, Evaluate, Example, Explain, Export, Fit, Predict, Study
from threestep.app.findings import tell_comparison, tell_explanation, tell_health
from threestep.app.lines import say_notes
from threestep.app.progress import Progress
from threestep.app.scores import tell_scores
from threestep.app.telling import Event, Teller, tell_folder
from threestep.app.worked_example import tell_example
from threestep.data import Table, labelled, notes_on_strangers, read_anew, tested
from threestep.errors import DataError, SettingsError
from threestep.export import to_onnx
from threestep.job import compare_steps_of, explained, fit_steps, health_of
from threestep.limits import seconds_of
from threestep.model import Model, load
from threestep.settings import Settings
from threestep.study import (
    Run,
    plain_explanation,
    plain_health,
    plain_of,
    score_samples,
    work_example,
)

_Found = TypeVar("_Found")
_NO_LOSS = {"epochs": 0, "round": None, "best_loss": None}
"""What a tick of a study does not say."""
_TOLD = ("rung", "final", "designed", "note", "leaderboard", "pick")
"""Events that are printed while there may be a bar."""
_OF_HEALTH = ("depths", "epochs", "seed", "lang")


def fit(command: Fit, began: float | None = None) -> None:
    """Go through the three steps, telling each as it is done; a budget counts from `began`, if given."""
    records = command.question, command.files, command.search, command.descent
    settings = Settings(**{name: value for record in records for name, value in vars(record).items()})
    began = time.perf_counter() if began is None else began
    seconds = seconds_of(settings.budget)
    steps = fit_steps(command.data, settings, command.out, keep=True, began=began)
    teller = Teller()
    with Progress(sys.stderr, None if seconds is None else began + seconds) as progress:

        def show(event: Event) -> None:
            if event["event"] in _TOLD:
                progress.close()  # its line must be gone before the next is printed
            if not command.json:
                teller.tell(event)
            progress.show(event)

        run = _followed(steps, show)
    if command.json:
        _print_json(_summary(run))
    elif run.folder is not None:
        tell_folder(run.folder)


def _followed(steps: Generator[Event, None, _Found], show: Callable[[Event], None]) -> _Found:
    """Go through steps, showing each event; an interrupt in between reaches the steps, too."""
    interrupt = None
    while True:
        try:
            event = next(steps) if interrupt is None else steps.throw(interrupt)
        except StopIteration as end:
            return end.value
        try:
            show(event)
            interrupt = None
        except KeyboardInterrupt as heard:
            interrupt = heard


def study(command: Study) -> None:
    """Compare networks, telling what is found."""
    if command.by == "health":
        _health(command)
        return
    found = _watched(compare_steps_of(command.by, command.data, command.comparison, command.out, keep=True))
    if command.json:
        _print_json(plain_of(found) | {"folder": str(found.folder)})
    else:
        tell_comparison(found)


def _health(command: Study) -> None:
    """Look at what becomes of deep stacks."""
    settings = command.comparison
    usual = type(settings)()
    unused = [
        each.name
        for each in fields(usual)
        if each.name not in _OF_HEALTH and getattr(settings, each.name) != getattr(usual, each.name)
    ]
    if unused:
        raise SettingsError(
            f"`{unused[0]}` says nothing to `study health`", f"it takes {', '.join(_OF_HEALTH)}"
        )
    given = {"depths": settings.depths, "epochs": settings.epochs}
    known = {name: value for name, value in given.items() if value}
    steps = health_of(command.data, command.out, settings.lang, keep=True, seed=settings.seed, **known)
    found = _watched(steps)
    if command.json:
        _print_json(plain_health(found) | {"folder": str(found.folder)})
    else:
        tell_health(found)


def _watched(steps: Generator[Event, None, _Found]) -> _Found:
    """Go through steps of a study, with a bar that follows them."""
    with Progress(sys.stderr) as progress:
        return _followed(steps, lambda event: progress.show({**_NO_LOSS, **event}))


def _read_anew(data: str, model: Model, strict: bool) -> Table:
    """Samples for a model; where they are files, what was read and what was left out goes to stderr."""
    table = read_anew(model.prep, data, strict)
    told = table.notes if table.names else ()
    for note in (*told, *notes_on_strangers(model.prep, table)):
        print(f"note: {note}", file=sys.stderr)
    return table


def predict(command: Predict) -> None:
    """Write a CSV line per sample."""
    model = load(command.model)
    table = _read_anew(command.data, model, command.strict)
    header, rows = _answers(model, table)
    if table.names:  # files
        header, rows = ["file", *header], [[name, *row] for name, row in zip(table.names, rows, strict=True)]
    if command.out is None:
        _write_csv(sys.stdout, header, rows)
        return
    try:
        with Path(command.out).open("w", newline="", encoding="utf-8") as file:
            _write_csv(file, header, rows)
    except OSError as error:
        problem = f"{command.out}: cannot be written ({error.strerror})"
        raise DataError(problem, "choose another --out") from error


def _answers(model: Model, table: Table) -> tuple[list[str], list[list[Any]]]:
    """What the columns are called, and of each sample the answer and how sure the model is of each class or
    label; or the numbers."""
    target, outputs = model.prep.target, model.outputs(table)
    answers = model.answers(outputs)
    if target.kind == "number":
        quantiles = [f"{target.name}_{quantile:g}" for quantile in model.goodness.quantiles]
        return quantiles or target.names, [[f"{value:.9g}" for value in row] for row in answers.tolist()]
    if target.kind == "classes":
        best = [[target.classes[index]] for index in model.class_indices(outputs).tolist()]
        header = [target.name, *(f"confidence_{name}" for name in target.classes)]
    else:
        best = (outputs > 0).astype(int).tolist()
        header = [*target.names, *(f"confidence_{name}" for name in target.names)]
    shares = ([f"{value:.6f}" for value in row] for row in answers.tolist())
    return header, [[*own, *row] for own, row in zip(best, shares, strict=True)]


def evaluate(command: Evaluate) -> None:
    """Print the scores on labelled samples."""
    model = load(command.model)
    table = _read_anew(command.data, model, command.strict)
    n_told = len(table.notes) if table.names else 0
    table = tested(labelled(table, None if table.y is not None else model.prep.target.name))
    scores, _ = score_samples(model, table)
    if command.json:
        _print_json(scores)
    else:
        say_notes(table.notes[n_told:])
        tell_scores({table.name: scores})


def explain(command: Explain) -> None:
    """Look into a model, telling what is found."""
    found = explained(command.model, command.data, command.row, command.out, command.lang, keep=True)
    if command.json:
        _print_json(plain_explanation(found) | {"folder": str(found.folder)})
    else:
        tell_explanation(found)


def export(command: Export) -> None:
    """Write the model for other programs."""
    path = Path(command.model)
    beside = path if path.is_dir() else path.parent
    print(to_onnx(load(path), beside / "model.onnx" if command.out is None else command.out))


def example(command: Example) -> None:
    """Print the worked example."""
    tell_example(work_example())


def doctor(command: Doctor) -> None:
    """Print what works here."""
    facts = check_up()
    if command.json:
        _print_json(facts)
    else:
        tell_facts(facts)


def _summary(run: Run) -> dict[str, Any]:
    """What a machine wants to know of a run."""
    by_name = {event["event"]: event for event in run.events}
    return {
        "data": by_name["start"]["data"],
        "network": by_name["function_set"]["network"],
        "n_params": by_name["function_set"]["n_params"],
        "n_networks": 1 + len(run.model.others),
        "pick": {key: value for key, value in by_name["pick"].items() if key != "event"},
        "scores": run.scores,
        "seconds": by_name["end"]["seconds"],
        "folder": None if run.folder is None else str(run.folder.path),
    }


def _print_json(value: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _write_csv(file: TextIO, header: list[str], rows: list[list[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
