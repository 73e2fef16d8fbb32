"""One job from the data's name to the report: what Python, the command line and the page call."""

from collections.abc import Generator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from threestep.errors import SettingsError, did_you_mean
from threestep.report import write_report
from threestep.settings import Settings
from threestep.study import Run, new_folder, prepare_run, run_steps


def fit(data: object, *, out: str | Path | None = None, **settings: Any) -> Run:
    """Find a network for labelled data, by the three steps.

    Parameters
    ----------
    data : str, Path, (x, y) or data frame
        A built-in name (`digits`, `iris`, `wine`, `breast_cancer`, `diabetes`), a file (`.csv`,
        `.npz`), an idx pair (`images.gz,labels.gz`), arrays x (n_samples, ...) and y
        (n_samples,), or any data frame.
    out : str, Path or None
        Folder for the model, journal, settings and report; None writes nothing.
    **settings
        Fields of `threestep.Settings`: network, target, seed, epochs, ...

    Returns
    -------
    Run
        `run.model` predicts; `run.scores` says how well.

    Raises
    ------
    UserError
        Bad data or settings; nothing has been written then.

    Examples
    --------
    >>> import threestep as ts
    >>> run = ts.fit("iris", network="16", epochs=30, seed=0)
    >>> run.model.predict([[5.1, 3.5, 1.4, 0.2]])
    array(['setosa'], dtype=object)
    """
    steps = fit_steps(data, settings_of(settings), out)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def settings_of(given: dict[str, Any]) -> Settings:
    """Settings from keyword arguments, unknown names refused with "did you mean"."""
    known = [field.name for field in fields(Settings)]
    unknown = [name for name in given if name not in known]
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise SettingsError(f"no setting {names}", did_you_mean(unknown[0], known))
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
    return Settings(**plain)


def fit_steps(
    data: object,
    settings: Settings,
    out: str | Path | None,
    keep: bool = False,
    began: float | None = None,
) -> Generator[dict[str, Any], None, Run]:
    """As `fit`, yielding each event of the journal as it happens.

    `keep` writes a run folder also where `out` does not name one. `began` says when the budget began, on
    the clock of `time.perf_counter`.
    """
    prepared = prepare_run(data, settings, began)
    folder = new_folder(out, prepared.table.name) if keep or out is not None else None
    run = yield from run_steps(prepared, folder)
    if folder is not None:
        write_report(run.events, folder.report_path)
    return run
