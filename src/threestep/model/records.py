"""The entries of a model file's text, as records."""

from typing import Any

import msgspec

from threestep.data import Layout, Target
from threestep.goodness import Goodness


class NumberTarget(msgspec.Struct, forbid_unknown_fields=True):
    """How the network's output becomes the target's unit."""

    center: float | tuple[float, ...]
    scale: float | tuple[float, ...]


class Description(msgspec.Struct, forbid_unknown_fields=True):
    """The entries of the text, in this order; None in scores is a number that is not finite."""

    sha256: str
    format: int
    threestep: str
    network: Any  # a Network; as entries on its way in
    goodness: Goodness
    layout: Layout
    target: Target
    number: NumberTarget
    scores: dict[str, dict[str, int | float | None]]
    others: tuple[Any, ...] = ()
    temperature: float = 1.0
    threshold: float = 0.5
    shifts: tuple[float, ...] = ()
