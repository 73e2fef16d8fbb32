"""Who proposes networks: three pure functions, so that one can be put in place of another.

    init(field)                 → state     what may be proposed, and a seed
    ask(state, n_members)       → state, proposals
    tell(state, tried members)  → state     what became of proposals

Random search is the baseline; evolution varies what was best and lets children inherit their
parents' params; Optuna's sampler (Akiba et al. 2019, arXiv:1907.10902) is the well-known other way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from threestep.errors import SettingsError, did_you_mean
from threestep.network import vary
from threestep.pick.members import Member
from threestep.pick.newcomers import FOUNDERS, clipped, decays_of, founder_of, newcomer, seed_of
from threestep.pick.optuna_searcher import optuna_searcher
from threestep.pick.proposals import FOUNDER, Field, Proposal, Searcher, Tried
from threestep.settings import Space

_N_ELITE = 10
_MOST_ALIKE = 3  # of one depth in the elite
_NEW_FRACTION = 0.25  # of what evolution proposes: drawn afresh


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
        return optuna_searcher()
    if name not in searchers:
        known = [*searchers, "optuna"]
        raise SettingsError(f"no searcher {name!r}", did_you_mean(name, known))
    return searchers[name]


def repeats_of(member: Member) -> Searcher:
    """Proposes one member again and again, each time with another seed: the members of an ensemble."""

    def ask(state: Lineage, n_members: int) -> tuple[Lineage, list[Proposal]]:
        numbers = range(state.n_asked, state.n_asked + n_members)
        proposals = [Proposal(replace(member, seed=seed_of(state.field, number))) for number in numbers]
        return replace(state, n_asked=state.n_asked + n_members), proposals

    return Searcher(Lineage, ask, lambda state, _: state)


def _ask_random(state: Lineage, n_members: int) -> tuple[Lineage, list[Proposal]]:
    """Members drawn from the space; the first of all is the linear one."""
    numbers = range(state.n_asked, state.n_asked + n_members)
    proposals = [newcomer(state.field, number) for number in numbers]
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
        return newcomer(state.field, number)
    if 0 < number <= len(FOUNDERS) and not state.field.designed:
        return Proposal(founder_of(state.field, number), change=FOUNDER)
    generator = np.random.default_rng([state.field.seed, 1, number])
    if not state.elite or generator.random() < _NEW_FRACTION:
        return newcomer(state.field, number)
    parent = state.elite[int(generator.integers(0, len(state.elite), 2).min())]  # the elite is sorted
    own, space = parent.proposal.member, state.field.space
    member = replace(own, seed=seed_of(state.field, number), **_varied_rates(space, own, generator))
    params, change = parent.trained.params, "rates changed"
    made = vary(space, own.network, params, generator) if generator.random() < 0.7 else None
    if made is not None and state.field.allows(made[0]):
        network, params, change = made
        member = replace(member, network=network)
    return Proposal(member, params, parent.number, change)


def _varied_rates(space: Space, member: Member, generator: np.random.Generator) -> dict[str, float]:
    """Rates a little beside the parent's, inside the space."""
    low, high = space.dropouts or (0.0, 0.0)
    dropout = member.dropout + generator.normal() * 0.2 * (high - low)
    return {
        "learning_rate": clipped(member.learning_rate * 2 ** generator.normal(), space.learning_rates),
        "weight_decay": clipped(member.weight_decay * 3 ** generator.normal(), decays_of(space)),
        "dropout": clipped(dropout, (low, high)),
    }
