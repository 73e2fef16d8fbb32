"""What charts with axes have in common: their frame, where numbers lie in it, the grid and its numbers."""

from collections.abc import Callable, Sequence
from math import log10
from typing import NamedTuple

from threestep.report.html import Markup, tag
from threestep.report.numbers import with_minus
from threestep.report.ticks import log_ticks
from threestep.report.words import in_drawing

WIDTH, HEIGHT = 560, 270
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 46
_NEAR_THE_EDGE = 0.97


class Scale(NamedTuple):
    """One axis: from where to where, and its ticks."""

    low: float
    high: float
    ticks: list[float]
    is_log: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value lies, 0 to 1."""
        low, high = min(self.low, self.ticks[0]), max(self.high, self.ticks[-1])
        if self.is_log:
            low, high, value = log10(low), log10(high), log10(value)
        return (value - low) / ((high - low) or 1.0)


def log_scale(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    return Scale(low, high, log_ticks(low, high), is_log=True)


def places_on(across: Scale, up: Scale) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Where numbers lie in the picture."""

    def x_of(value: float) -> float:
        return round(LEFT + across.share(value) * (WIDTH - LEFT - RIGHT), 1)

    def y_of(value: float) -> float:
        return round(TOP + (1 - up.share(value)) * (HEIGHT - TOP - BOTTOM), 1)

    return x_of, y_of


def axes(across: Scale, up: Scale, name: str) -> list[Markup]:
    """The grid with its numbers, and what goes across."""
    x_of, y_of = places_on(across, up)
    parts = [grid_line(y_of(tick), _short(tick)) for tick in up.ticks]
    for tick in across.ticks:
        text, side = _short(tick), "middle"
        if across.share(tick) > _NEAR_THE_EDGE:  # a long number would be cut off
            side = "end"
        parts.append(tag("text", text, x=x_of(tick), y=HEIGHT - 26, class_=f"tick {side}"))
    return [*parts, tag("text", in_drawing(name), x=WIDTH - RIGHT, y=HEIGHT - 6, class_="tick end")]


def _short(number: float) -> str:
    """A tick in few letters: 600k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            return with_minus(f"{number / (1e3 if letter == 'k' else size):g}{letter}")
    return with_minus(f"{number:g}")


def grid_line(y: float, text: str) -> Markup:
    """A horizontal line with its number."""
    line = tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
    return Markup(line + tag("text", text, x=LEFT - 8, y=y + 4, class_="tick end"))


def figure(parts: Sequence[Markup], label: str, keys: Sequence[tuple[str, str]]) -> Markup:
    """A chart with its title and legend; keys are (class, text). Who hears the page hears these, in the
    language in which it is read."""
    svg = tag("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", aria_hidden="true")
    legend = [tag("span", text, class_=f"key {kind}") for kind, text in keys]
    return tag("figure", tag("figcaption", tag("strong", label), *legend), svg)
