"""Who proposes networks: three pure functions, so that one can be put in place of another.

    init(field)                 → state     what may be proposed, and a seed
    ask(state, n_members)       → state, proposals
    tell(state, tried members)  → state     what became of proposals

Random search is the baseline; evolution varies what was best and lets children inherit their
parents' params; Optuna's sampler (Akiba et al. 2019, arXiv:1907.10902) is the well-known other way.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from threestep.errors import SettingsError, did_you_mean
from threestep.network import (
    Dense,
    Network,
    Params,
    full_widths,
    random_network,
    random_pictures_network,
    usual_widths,
    vary,
)
from threestep.pick.members import Member, Trained
from threestep.settings import USUAL_DECAYS, Space

ANEW = "trained anew"
"""The change of what the finals begin again; in folds, more words follow."""
LONGER = "trained longer"
"""The change of what goes on from its params where there is no time to begin again."""
DESIGNED = "as people design them"
"""The change of the networks with convolutions that are proposed first."""
FOUNDER = "good on many tables"
"""The change of the networks of neurons that evolution begins with."""
USUAL_DEPTH = 3
"""Of the largest network that is proposed first."""

_N_ELITE = 10
_MOST_ALIKE = 3  # of one depth in the elite
_NEW_FRACTION = 0.25  # of what evolution proposes: drawn afresh


class Founder(NamedTuple):
    """A network that is good on many tables, by what a space allows.

    Parameters
    ----------
    depth : int
        Hidden layers.
    width : {0, 1, 2}
        The narrowest, the middle, the widest power of two.
    activation : str
        If the space has it, else its first.
    residual : bool
    sees_few : bool
        Without the bins of numbers, if there are any.
    rate, decay, dropout : float
        Where in their ranges, from 0 to 1: rate and decay on a logarithmic scale.
    """

    depth: int
    width: int
    activation: str
    residual: bool
    sees_few: bool
    rate: float
    decay: float
    dropout: float


_FOUNDERS = (
    Founder(USUAL_DEPTH, 2, "silu", False, True, 0.33, 0.5, 0.43),
    Founder(USUAL_DEPTH, 1, "silu", False, False, 0.16, 0.8, 0.6),
    Founder(1, 1, "silu", False, False, 0.2, 0.9, 0.9),
    Founder(2, 2, "relu", True, False, 0.34, 0.5, 0.3),
)
"""Of 16 candidates, taken from the best of 72 drawn at random, those four of which the best by validation
loss had the lowest test loss in the mean of 19 tables (docs/house.md; a portfolio as of Feurer et al. 2022,
arXiv:2007.04074). The first is for what is intricate, the second and third are for what is noisy."""


@dataclass(frozen=True)
class Field:
    """What may be proposed.

    Parameters
    ----------
    space : Space
        No default left open.
    input_shape : tuple of int
    n_outputs : int
    max_params : int or None
    seed : int
    few_inputs : int or None
        A network may also see only so many of the first inputs.
    designed : tuple of Member
        Networks with convolutions that are proposed first; then all others have some, too.
    most_products : int or None
        Multiplications for one sample, of a network with convolutions.
    """

    space: Space
    input_shape: tuple[int, ...]
    n_outputs: int
    max_params: int | None = None
    seed: int = 0
    few_inputs: int | None = None
    designed: tuple[Member, ...] = ()
    most_products: int | None = None

    def allows(self, network: Network) -> bool:
        """Whether a network is small enough; the linear one always is."""
        if network.is_dense and not network.hidden:
            return True
        is_quick = self.most_products is None or network.n_products <= self.most_products
        return is_quick and (self.max_params is None or network.n_params <= self.max_params)


@dataclass(frozen=True, eq=False)
class Proposal:
    """A member to try.

    Parameters
    ----------
    member : Member
    params : Params or None
        Inherited; None: a random start.
    parent : int or None
        Number of the tried member it comes from.
    change : str
        How it differs from its parent, in words.
    """

    member: Member
    params: Params | None = field(default=None, repr=False)
    parent: int | None = None
    change: str = "random"


@dataclass(frozen=True, eq=False)
class Tried:
    """What became of a proposal.

    Parameters
    ----------
    number : int
        From 0, in the order of proposing.
    proposal : Proposal
    trained : Trained
        By its longest training.
    epochs, seconds : int, float
        Spent on it.
    """

    number: int
    proposal: Proposal
    trained: Trained
    epochs: int
    seconds: float

    @cached_property
    def loss(self) -> float:
        """Mean validation loss; infinite if descent never came to a finite one."""
        return float(self.trained.losses.mean()) if self.trained.is_sound else math.inf

    def without_params(self) -> "Tried":
        """The same, but for the functions themselves: those that it began from and ended with."""
        proposal, trained = replace(self.proposal, params=None), replace(self.trained, params=())
        return replace(self, proposal=proposal, trained=trained)


class Searcher(NamedTuple):
    """Three pure functions; see the module."""

    init: Callable[[Field], Any]
    ask: Callable[[Any, int], tuple[Any, list[Proposal]]]
    tell: Callable[[Any, Sequence[Tried]], Any]


@dataclass(frozen=True, eq=False)
class Lineage:
    """The state of random search and of evolution: how many were asked for, and the best so far."""

    field: Field
    n_asked: int = 0
    elite: tuple[Tried, ...] = ()


def searcher_of(name: str) -> Searcher:
    """The searcher of that name: "evolution", "random" or "optuna".

    Raises
    ------
    SettingsError
        No such searcher, or its library is not installed.
    """
    searchers = {
        "evolution": Searcher(Lineage, _ask_evolution, _tell_lineage),
        "random": Searcher(Lineage, _ask_random, _tell_lineage),
    }
    if name == "optuna":
        return _optuna()
    if name not in searchers:
        known = [*searchers, "optuna"]
        raise SettingsError(f"no searcher {name!r}", did_you_mean(name, known))
    return searchers[name]


def repeats_of(member: Member) -> Searcher:
    """Proposes one member again and again, each time with another seed: the members of an ensemble."""

    def ask(state: Lineage, n_members: int) -> tuple[Lineage, list[Proposal]]:
        numbers = range(state.n_asked, state.n_asked + n_members)
        proposals = [Proposal(replace(member, seed=_seed(state.field, number))) for number in numbers]
        return replace(state, n_asked=state.n_asked + n_members), proposals

    return Searcher(Lineage, ask, lambda state, _: state)


def _ask_random(state: Lineage, n_members: int) -> tuple[Lineage, list[Proposal]]:
    """Members drawn from the space; the first of all is the linear one."""
    numbers = range(state.n_asked, state.n_asked + n_members)
    proposals = [_newcomer(state.field, number) for number in numbers]
    return replace(state, n_asked=state.n_asked + n_members), proposals


def _ask_evolution(state: Lineage, n_members: int) -> tuple[Lineage, list[Proposal]]:
    """Children of the elite and some newcomers; only newcomers while there is no elite."""
    numbers = range(state.n_asked, state.n_asked + n_members)
    proposals = [_born(state, number) for number in numbers]
    return replace(state, n_asked=state.n_asked + n_members), proposals


def _tell_lineage(state: Lineage, tried: Sequence[Tried]) -> Lineage:
    """Keep the best, few of each depth, so that the elite stays diverse."""
    known = {each.number: each for each in (*state.elite, *tried) if each.trained.is_sound}
    elite, n_alike = list[Tried](), dict[int, int]()
    for each in sorted(known.values(), key=lambda each: each.loss):
        depth = len(each.proposal.member.network.hidden)
        if n_alike.get(depth, 0) < _MOST_ALIKE and len(elite) < _N_ELITE:
            n_alike[depth] = n_alike.get(depth, 0) + 1
            elite.append(each)
    return replace(state, elite=tuple(elite))


def _born(state: Lineage, number: int) -> Proposal:
    """A child of a parent chosen by a tournament of two, or a newcomer; those behind the linear one are
    founders, so that a search of few networks does not begin with bad luck."""
    if number < len(state.field.designed):
        return _newcomer(state.field, number)
    if 0 < number <= len(_FOUNDERS) and not state.field.designed:
        return Proposal(_founder(state.field, number), change=FOUNDER)
    generator = np.random.default_rng([state.field.seed, 1, number])
    if not state.elite or generator.random() < _NEW_FRACTION:
        return _newcomer(state.field, number)
    parent = state.elite[int(generator.integers(0, len(state.elite), 2).min())]  # the elite is sorted
    own = parent.proposal.member
    member = replace(own, seed=_seed(state.field, number), **_varied_rates(state.field.space, own, generator))
    params, change = parent.trained.params, "rates changed"
    made = vary(state.field.space, own.network, params, generator) if generator.random() < 0.7 else None
    if made is not None and state.field.allows(made[0]):
        network, params, change = made
        member = replace(member, network=network)
    return Proposal(member, params, parent.number, change)


def _newcomer(field: Field, number: int) -> Proposal:
    """The member of that number, from a random start."""
    member = _drawn(field, number)
    return Proposal(member, change=DESIGNED) if number < len(field.designed) else Proposal(member)


def _varied_rates(space: Space, member: Member, generator: np.random.Generator) -> dict[str, float]:
    """Rates a little beside the parent's, inside the space."""
    low, high = space.dropouts or (0.0, 0.0)
    dropout = member.dropout + generator.normal() * 0.2 * (high - low)
    return {
        "learning_rate": _clipped(member.learning_rate * 2 ** generator.normal(), space.learning_rates),
        "weight_decay": _clipped(member.weight_decay * 3 ** generator.normal(), _decays(space)),
        "dropout": _clipped(dropout, (low, high)),
    }


def _drawn(field: Field, number: int) -> Member:
    """The member of that number: all follow from the seed."""
    generator = np.random.default_rng([field.seed, 0, number])
    space = field.space
    if field.designed:
        return _with_convolutions(field, number, generator)
    network = Network(field.input_shape, (Dense(field.n_outputs, "linear"),))
    if number > 0:
        shape = field.input_shape
        if field.few_inputs is not None and generator.random() < 0.5:
            shape = (field.few_inputs,)
        drawn = (random_network(space, shape, field.n_outputs, generator) for _ in range(50))
        network = next((each for each in drawn if field.allows(each)), network)
    low, high = space.dropouts or (0.0, 0.0)
    rate, decay = (_log_uniform(ends, generator) for ends in (space.learning_rates, _decays(space)))
    if number == 0:  # the linear network's weights are so few that they bear the highest rate, and where
        # inputs are many they need the strongest decay
        rate, decay = space.learning_rates[1], _decays(space)[1]
    return Member(
        network,
        learning_rate=rate,
        weight_decay=decay,
        dropout=float(generator.uniform(low, high)),
        seed=_seed(field, number),
    )


def _with_convolutions(field: Field, number: int, generator: np.random.Generator) -> Member:
    """One of those that are proposed first; then one drawn, with the rates of the first."""
    first = field.designed[min(number, len(field.designed) - 1)]
    seed = _seed(field, number)
    if number < len(field.designed):
        return replace(first, seed=seed)
    shape, n_outputs = first.network.input_shape, field.n_outputs
    drawn = (random_pictures_network(field.space, shape, n_outputs, generator) for _ in range(50))
    return replace(
        first, network=next((each for each in drawn if field.allows(each)), first.network), seed=seed
    )


def _founder(field: Field, number: int) -> Member:
    """The member of that number, one of `_FOUNDERS`, as far as the space allows; else one that is drawn."""
    founder, space, drawn = _FOUNDERS[number - 1], field.space, _drawn(field, number)
    low, high = space.depths or (0, 4)
    depth = min(high, max(low, founder.depth))
    widths = full_widths(space)
    width = widths[founder.width * (len(widths) - 1) // 2]
    name = founder.activation if founder.activation in space.activations else space.activations[0]
    is_residual = founder.residual and space.residual
    hidden = tuple(Dense(width, name, is_residual and place > 0) for place in range(depth))
    few = field.few_inputs if founder.sees_few else None
    shape = field.input_shape if few is None else (few,)
    network = Network(shape, (*hidden, Dense(field.n_outputs, "linear")))
    least, most = space.dropouts or (0.0, 0.0)
    made = replace(
        drawn,
        network=network,
        learning_rate=_at(founder.rate, space.learning_rates),
        weight_decay=_at(founder.decay, _decays(space)),
        dropout=least + founder.dropout * (most - least),
    )
    return made if field.allows(network) else drawn


def _decays(space: Space) -> tuple[float, float]:
    return space.weight_decays or USUAL_DECAYS


def _seed(field: Field, number: int) -> int:
    """A member's own seed."""
    return int(np.random.default_rng([field.seed, 2, number]).integers(2**31))


def _log_uniform(ends: tuple[float, float], generator: np.random.Generator) -> float:
    return _at(generator.random(), ends)  # drawn also where nothing is left to draw: the others stay the same


def _at(place: float, ends: tuple[float, float]) -> float:
    """The value at a place from 0 to 1 of a range, on a logarithmic scale."""
    return ends[0] if ends[0] == ends[1] else _clipped(ends[0] * (ends[1] / ends[0]) ** place, ends)


def _clipped(value: float, ends: tuple[float, float]) -> float:
    return float(min(max(value, ends[0]), ends[1]))


def _optuna() -> Searcher:
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
    linear = Network(field.input_shape, (Dense(field.n_outputs, "linear"),))
    low, high = space.dropouts or (0.0, 0.0)
    return Member(
        network if field.allows(network) else linear,
        _suggested_rate(trial, "learning_rate", space.learning_rates),
        _suggested_rate(trial, "weight_decay", _decays(space)),
        trial.suggest_float("dropout", low, high) if high > low else low,
        _seed(field, number),
    )


def _suggested_rate(trial: Any, name: str, ends: tuple[float, float]) -> float:
    """A rate on a logarithmic scale; nothing is asked where there is nothing to choose."""
    return ends[0] if ends[0] == ends[1] else trial.suggest_float(name, *ends, log=True)
