"""Members from a random start, each by its number: drawn from the space, and the founders of evolution."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from threestep.network import Dense, Network, full_widths, random_network, random_pictures_network
from threestep.pick.members import Member
from threestep.pick.proposals import DESIGNED, Field, Proposal
from threestep.settings import USUAL_DECAYS, Space

USUAL_DEPTH = 3
"""Of the largest network that is proposed first."""


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


FOUNDERS = (
    Founder(USUAL_DEPTH, 2, "silu", False, True, 0.33, 0.5, 0.43),
    Founder(USUAL_DEPTH, 1, "silu", False, False, 0.16, 0.8, 0.6),
    Founder(1, 1, "silu", False, False, 0.2, 0.9, 0.9),
    Founder(2, 2, "relu", True, False, 0.34, 0.5, 0.3),
)
"""Of 16 candidates, taken from the best of 72 drawn at random, those four of which the best by validation
loss had the lowest test loss in the mean of 19 tables (docs/house.md; a portfolio as of Feurer et al. 2022,
arXiv:2007.04074). The first is for what is intricate, the second and third are for what is noisy."""


def newcomer(field: Field, number: int) -> Proposal:
    """The member of that number, from a random start."""
    member = drawn_of(field, number)
    return Proposal(member, change=DESIGNED) if number < len(field.designed) else Proposal(member)


def drawn_of(field: Field, number: int) -> Member:
    """The member of that number: all follow from the seed."""
    generator = np.random.default_rng([field.seed, 0, number])
    space = field.space
    if field.designed:
        return _with_convolutions(field, number, generator)
    network = field.linear
    if number > 0:
        shape = field.input_shape
        if field.few_inputs is not None and generator.random() < 0.5:
            shape = (field.few_inputs,)
        drawn = (random_network(space, shape, field.n_outputs, generator) for _ in range(50))
        network = next((each for each in drawn if field.allows(each)), network)
    low, high = space.dropouts or (0.0, 0.0)
    rate, decay = (_log_uniform(ends, generator) for ends in (space.learning_rates, decays_of(space)))
    if number == 0:  # the linear network's weights are so few that they bear the highest rate, and where
        # inputs are many they need the strongest decay
        rate, decay = space.learning_rates[1], decays_of(space)[1]
    return Member(
        network,
        learning_rate=rate,
        weight_decay=decay,
        dropout=float(generator.uniform(low, high)),
        seed=seed_of(field, number),
    )


def _with_convolutions(field: Field, number: int, generator: np.random.Generator) -> Member:
    """One of those that are proposed first; then one drawn, with the rates of the first."""
    first = field.designed[min(number, len(field.designed) - 1)]
    seed = seed_of(field, number)
    if number < len(field.designed):
        return replace(first, seed=seed)
    shape, n_outputs = first.network.input_shape, field.n_outputs
    drawn = (random_pictures_network(field.space, shape, n_outputs, generator) for _ in range(50))
    return replace(
        first, network=next((each for each in drawn if field.allows(each)), first.network), seed=seed
    )


def founder_of(field: Field, number: int) -> Member:
    """The member of that number, one of `FOUNDERS`, as far as the space allows; else one that is drawn."""
    founder, space, drawn = FOUNDERS[number - 1], field.space, drawn_of(field, number)
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
        weight_decay=_at(founder.decay, decays_of(space)),
        dropout=least + founder.dropout * (most - least),
    )
    return made if field.allows(network) else drawn


def decays_of(space: Space) -> tuple[float, float]:
    """Between which weight decays are searched."""
    return space.weight_decays or USUAL_DECAYS


def seed_of(field: Field, number: int) -> int:
    """A member's own seed."""
    return int(np.random.default_rng([field.seed, 2, number]).integers(2**31))


def _log_uniform(ends: tuple[float, float], generator: np.random.Generator) -> float:
    return _at(generator.random(), ends)  # drawn also where nothing is left to draw: the others stay the same


def _at(place: float, ends: tuple[float, float]) -> float:
    """The value at a place from 0 to 1 of a range, on a logarithmic scale."""
    return ends[0] if ends[0] == ends[1] else clipped(ends[0] * (ends[1] / ends[0]) ** place, ends)


def clipped(value: float, ends: tuple[float, float]) -> float:
    """The nearest value of a range."""
    return float(min(max(value, ends[0]), ends[1]))
