"""Optuna's sampler as a searcher (Akiba et al. 2019, arXiv:1907.10902)."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from threestep.errors import SettingsError
from threestep.network import Dense, Network, usual_widths
from threestep.pick.members import Member
from threestep.pick.newcomers import decays_of, drawn_of, seed_of
from threestep.pick.proposals import Field, Proposal, Searcher, Tried

_MOST_ASKED = 50  # for one member, where what is suggested is too large


def optuna_searcher() -> Searcher:
    """Optuna's tree-structured Parzen estimator by ask-and-tell; its study is not plain data."""
    try:
        import optuna  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise SettingsError("`searcher` is 'optuna', which is not installed", "pip install optuna") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def init(field: Field) -> tuple[Field, Any, dict[int, Any]]:
        sampler = optuna.samplers.TPESampler(seed=field.seed, constant_liar=True)
        return field, optuna.create_study(sampler=sampler), {}

    def ask(state: Any, n_members: int) -> tuple[Any, list[Proposal]]:
        field, study, trials = state
        numbers = range(len(trials), len(trials) + n_members)
        asked = {number: _asked(field, study, number) for number in numbers}
        trials = {**trials, **{number: trial for number, (trial, _) in asked.items()}}
        return (field, study, trials), [Proposal(member) for _, member in asked.values()]

    def tell(state: Any, tried: Sequence[Tried]) -> Any:
        _, study, trials = state
        for each in tried:
            if trials[each.number] is not None:
                _tell(study, trials[each.number], each.loss)
        return state

    return Searcher(init, ask, tell)


def _asked(field: Field, study: Any, number: int) -> tuple[Any, Member]:
    """A trial, and the member that it suggests. The first member is the linear one, of which no trial knows;
    so is one in whose stead only too large ones were suggested."""
    for _ in range(_MOST_ASKED if number > 0 else 0):
        trial = study.ask()
        member = _suggested(field, trial, number)
        if field.allows(member.network):
            return trial, member
        _tell(study, trial, math.inf)
    return None, replace(drawn_of(field, 0), seed=seed_of(field, number))


def _tell(study: Any, trial: Any, loss: float) -> None:
    """What came of a trial: its loss, or that it failed."""
    from optuna.trial import TrialState  # pyright: ignore[reportMissingImports]

    if math.isfinite(loss):
        study.tell(trial, loss)
    else:
        study.tell(trial, state=TrialState.FAIL)


def _suggested(field: Field, trial: Any, number: int) -> Member:
    """A member by a trial's suggestions: one width for all layers."""
    space = field.space
    depth = trial.suggest_int("depth", *(space.depths or (0, 4)))
    width = trial.suggest_categorical("width", usual_widths(space))
    name = trial.suggest_categorical("activation", list(space.activations))
    is_residual = space.residual and trial.suggest_categorical("residual", [False, True])
    hidden = tuple(Dense(width, name, is_residual and place > 0) for place in range(depth))
    shape = field.input_shape
    if field.few_inputs is not None and trial.suggest_categorical("few_inputs", [False, True]):
        shape = (field.few_inputs,)
    network = Network(shape, (*hidden, Dense(field.n_outputs, "linear")))
    low, high = space.dropouts or (0.0, 0.0)
    return Member(
        network,
        _suggested_rate(trial, "learning_rate", space.learning_rates),
        _suggested_rate(trial, "weight_decay", decays_of(space)),
        trial.suggest_float("dropout", low, high) if high > low else low,
        seed_of(field, number),
    )


def _suggested_rate(trial: Any, name: str, ends: tuple[float, float]) -> float:
    """A rate on a logarithmic scale; nothing is asked where there is nothing to choose."""
    return ends[0] if ends[0] == ends[1] else trial.suggest_float(name, *ends, log=True)
