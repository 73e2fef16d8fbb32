"""One job from the data's name to the report: what Python, the command line and the page call."""

from collections.abc import Callable, Generator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np

from threestep.errors import SettingsError, did_you_mean
from threestep.limits import check_language
from threestep.model import Model, model_given
from threestep.pick import ended
from threestep.report import write_comparison, write_explanation, write_health, write_report
from threestep.settings import Language, Settings, Study
from threestep.study import (
    Comparison,
    Explanation,
    Health,
    Run,
    check_page_folder,
    compare_steps,
    explain_model,
    health_steps,
    model_kept,
    new_folder,
    page_folder,
    plain_explanation,
    plain_health,
    plain_of,
    prepare_run,
    run_steps,
)

_COLUMN_NAMES = ("target", "weight", "groups", "order")  # settings that name a column
_Record = TypeVar("_Record", Settings, Study)


def fit(data: object, *, out: str | Path | None = None, **settings: Any) -> Run:
    """Find a network for labelled data, by the three steps.

    Parameters
    ----------
    data : str, Path, (x, y) or data frame
        A built-in name (`digits`, `iris`, `wine`, `breast_cancer`, `diabetes`), a file (`.csv`,
        `.npz`), an idx pair (`images.gz,labels.gz`), a folder with one folder of pictures or sounds per
        class, arrays x (n_samples, ...) and y (n_samples,), or any data frame.
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
    ReportError
        The model was found, but what comes after it failed; it is in the error's `run.model`, and in `out`.

    Examples
    --------
    >>> import threestep as ts
    >>> run = ts.fit("iris", network="16", epochs=30, seed=0)
    >>> run.model.predict([[5.1, 3.5, 1.4, 0.2]])
    array(['setosa'], dtype=object)
    """
    return ended(fit_steps(data, settings_of(settings), out))


def compare(
    by: Literal["depth", "width", "residual"], data: object, *, out: str | Path | None = None, **settings: Any
) -> Comparison:
    """Compare networks that differ in one thing, on your data: deep or wide?

    Parameters
    ----------
    by : {"depth", "width", "residual"}
        Networks of equal params from one fat layer to many thin ones; one layer of growing width; stacks of
        equal layers with and without residuals.
    data : str, Path, (x, y) or data frame
        As of `fit`.
    out : str, Path or None
        Folder for the page and the numbers; None writes nothing.
    **settings
        Fields of `threestep.settings.Study`: depths, params, seeds, budget, ...

    Returns
    -------
    Comparison
        `verdict` in words, and `outcomes`: of each network its errors, their interval, its gain.

    Raises
    ------
    UserError
        Bad data or settings.

    Examples
    --------
    >>> import threestep as ts
    >>> found = ts.compare("depth", "iris", depths=(1, 2), params=(200,), seeds=3, epochs=5)
    >>> [outcome.name for outcome in found.outcomes]
    ['1 × 25', '2 × 8']
    """
    return ended(compare_steps_of(by, data, _made(Study, settings), out))


def explain(
    model: Model | str | Path,
    data: object,
    *,
    row: int | None = None,
    out: str | Path | None = None,
    lang: Language = "en",
) -> Explanation:
    """What the layers of a model learned: how well each tells the answers apart, and how it sees the samples.

    Parameters
    ----------
    model : Model, str or Path
        A model, its file or its run folder.
    data : str, Path, (x, y) or data frame
        Labelled samples, as of `fit`.
    row : int or None
        A sample that is followed through the network, from 0, with the inputs that mattered for its answer.
    out : str, Path or None
        Folder for the page and the numbers; None writes nothing.
    lang : {"en", "zh-TW"}
        Language in which the page is first seen; it has a switch.

    Returns
    -------
    Explanation

    Raises
    ------
    UserError
        Bad data, no such model, row or language.

    Examples
    --------
    >>> import threestep as ts
    >>> run = ts.fit("iris", network="16", epochs=30, seed=0)
    >>> found = ts.explain(run.model, "iris", row=0)
    >>> [view.name for view in found.views], found.sample.answer
    (['inputs', 'layer 1: 16 relu'], 'setosa')
    """
    return explained(model, data, row, out, lang)


def explained(
    model: Model | str | Path,
    data: object,
    row: int | None,
    out: str | Path | None,
    lang: Language = "en",
    keep: bool = False,
) -> Explanation:
    """As `explain`; `keep` writes a folder also where `out` does not name one."""
    check_language(lang)
    if keep or out is not None:
        check_page_folder(out)
    found = explain_model(model_given(model), data, row)
    if not keep and out is None:
        return found
    folder = page_folder(out, f"{found.data}-layers")
    _write(folder, "explanation.json", plain_explanation(found), partial(write_explanation, lang=lang))
    return replace(found, folder=folder)


def compare_steps_of(
    by: str, data: object, study: Study, out: str | Path | None, keep: bool = False
) -> Generator[dict[str, Any], None, Comparison]:
    """As `compare`, yielding what happens; `keep` writes a folder also where `out` does not name one."""
    if not isinstance(by, str):
        raise SettingsError(
            f"what to compare by: got {type(by).__name__}, expected depth, width or residual",
            'such as compare("depth", data)',
        )
    if by not in ("depth", "width", "residual"):
        raise SettingsError(f"no comparison by {by!r}", did_you_mean(by, ("depth", "width", "residual")))
    if keep or out is not None:
        check_page_folder(out)
    found = yield from compare_steps(data, by, study)
    if not keep and out is None:
        return found
    folder = page_folder(out, f"{found.data}-{by}")
    _write(folder, "comparison.json", plain_of(found), partial(write_comparison, lang=study.lang))
    return replace(found, folder=folder)


def health(data: object, *, out: str | Path | None = None, lang: Language = "en", **settings: Any) -> Health:
    """Why deep is hard: stacks of growing depth on pictures, plain, normalized and with residuals.

    Parameters
    ----------
    data : str, Path, (x, y)
        Pictures with classes.
    out : str, Path or None
        Folder for the page and the numbers; None writes nothing.
    lang : {"en", "zh-TW"}
        Language in which the page is first seen; it has a switch.
    **settings
        depths (8, 20, 56, 152), epochs (6), seed (0).

    Returns
    -------
    Health
        Of each stack the gradient's size layer by layer, and the training curve; `sentences` say what there
        is to see.
    """
    return ended(health_of(data, out, lang, **settings))


def health_of(
    data: object, out: str | Path | None, lang: Language = "en", keep: bool = False, **settings: Any
) -> Generator[dict[str, Any], None, Health]:
    """As `health`, yielding what happens; `keep` writes a folder also where `out` does not name one."""
    check_language(lang)
    if keep or out is not None:
        check_page_folder(out)
    found = yield from health_steps(data, **settings)
    if not keep and out is None:
        return found
    folder = page_folder(out, f"{found.data}-health")
    _write(folder, "health.json", plain_health(found), partial(write_health, lang=lang))
    return replace(found, folder=folder)


def _write(
    folder: Path, name: str, facts: dict[str, Any], write_page: Callable[[dict[str, Any], Path], None]
) -> None:
    """What was found, as numbers and as a page."""
    (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2))
    write_page(facts, folder / "report.html")


def settings_of(given: dict[str, Any]) -> Settings:
    """Settings from keyword arguments, unknown names refused with "did you mean"."""
    return _made(Settings, given)


def _made(record: type[_Record], given: dict[str, Any]) -> _Record:
    known = [field.name for field in fields(record)]  # pyright: ignore[reportArgumentType]
    unknown = [name for name in given if name not in known]
    if unknown:
        names = ", ".join(repr(name) for name in unknown)
        raise SettingsError(f"no setting {names}", did_you_mean(unknown[0], known))
    plain: dict[str, Any] = {name: _plain(value) for name, value in given.items()}
    return record(**plain | {name: _as_text(plain[name]) for name in _COLUMN_NAMES if name in plain})


def _as_text(value: Any) -> Any:
    """A column's name that is a number as text, which all names of columns become when they are read."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _plain(value: Any) -> Any:
    """A setting without NumPy; lists as the tuples that settings hold."""
    if isinstance(value, list):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


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
        with model_kept(run):
            write_report(run.events, folder.report_path, settings.lang)
    return run
