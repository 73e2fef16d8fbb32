"""Optuna's sampler as a searcher (Akiba et al. 2019, arXiv:1907.10902)."""

import math
from collections.abc import Sequence
from typing import Any

from threestep.errors import SettingsError
from threestep.network import Dense, Network, usual_widths
from threestep.pick.members import Member
from threestep.pick.newcomers import decays_of, seed_of
from threestep.pick.proposals import Field, Proposal, Searcher, Tried


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
        asked = [study.ask() for _ in range(n_members)]
        first = len(trials)
        trials = {**trials, **{first + place: trial for place, trial in enumerate(asked)}}
        return (field, study, trials), [Proposal(_suggested(field, trial, trial.number)) for trial in asked]

    def tell(state: Any, tried: Sequence[Tried]) -> Any:
        _, study, trials = state
        for each in tried:
            failed = not math.isfinite(each.loss)
            status = optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE
            study.tell(trials[each.number], None if failed else each.loss, state=status)
        return state

    return Searcher(init, ask, tell)


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
        network if field.allows(network) else field.linear,
        _suggested_rate(trial, "learning_rate", space.learning_rates),
        _suggested_rate(trial, "weight_decay", decays_of(space)),
        trial.suggest_float("dropout", low, high) if high > low else low,
        seed_of(field, number),
    )


def _suggested_rate(trial: Any, name: str, ends: tuple[float, float]) -> float:
    """A rate on a logarithmic scale; nothing is asked where there is nothing to choose."""
    return ends[0] if ends[0] == ends[1] else trial.suggest_float(name, *ends, log=True)
