"""Plain SVG: curves over epochs, a drawing of the network, small pictures."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

from threestep.report.html import Markup, tag

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 34
_MOST_POINTS = 400
_MOST_NEURONS = 9


class Curve(NamedTuple):
    """One line of a chart.

    Parameters
    ----------
    name : str
        For the legend; also the CSS class.
    values : sequence of float or None
        One per epoch from the first on; None leaves a gap.
    """

    name: str
    values: Sequence[float | None]


def curves_chart(curves: Sequence[Curve], label: str, mark: int | None = None) -> Markup:
    """Curves over epochs, with ticks, a legend and perhaps one marked epoch."""
    known = [value for curve in curves for value in curve.values if value is not None]
    if not known:
        return tag("p", "No epoch was finished.")
    n_epochs = max(len(curve.values) for curve in curves)
    ticks = nice_ticks(min(known), max(known))
    low, high = min(ticks[0], *known), max(ticks[-1], *known)

    def x_of(epoch: float) -> float:
        return round(_LEFT + (epoch - 1) / max(n_epochs - 1, 1) * (_WIDTH - _LEFT - _RIGHT), 1)

    def y_of(value: float) -> float:
        return round(_TOP + (high - value) / ((high - low) or 1.0) * (_HEIGHT - _TOP - _BOTTOM), 1)

    parts = [_grid_line(y_of(tick), f"{tick:g}") for tick in ticks]
    parts += [
        tag("text", f"{epoch}", x=x_of(epoch), y=_HEIGHT - 14, class_="tick middle")
        for epoch in epoch_ticks(n_epochs)
    ]
    parts.append(tag("text", "epoch", x=_WIDTH - _RIGHT, y=_HEIGHT - 1, class_="tick end"))
    if mark is not None and mark > 0:
        parts.append(tag("line", x1=x_of(mark), x2=x_of(mark), y1=_TOP, y2=_HEIGHT - _BOTTOM, class_="mark"))
    for index, curve in enumerate(curves):
        thin = max(1, ceil(len(curve.values) / _MOST_POINTS))
        points = [
            f"{x_of(epoch)},{y_of(value)}"
            for epoch, value in enumerate(curve.values, start=1)
            if value is not None and ((epoch - 1) % thin == 0 or epoch in (mark, len(curve.values)))
        ]
        parts.append(tag("polyline", points=" ".join(points), class_=f"curve curve-{index}"))
    svg = tag("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label)
    keys = [tag("span", curve.name, class_=f"key key-{index}") for index, curve in enumerate(curves)]
    if mark is not None and mark > 0:
        keys.append(tag("span", f"picked: epoch {mark}", class_="key key-mark"))
    return tag("figure", tag("figcaption", tag("strong", label), *keys), svg)


def nice_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers that span low to high.

    Examples
    --------
    >>> nice_ticks(0.03, 2.4)
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    """
    span = (high - low) or abs(high) or 1.0
    size = 10.0 ** floor(log10(span / 4))
    step = next(factor * size for factor in (1, 2, 5, 10, 20) if span / (factor * size) <= 5)
    first, last = floor(low / step), ceil(high / step)
    return [round(index * step, 12) for index in range(first, last + 1)]


def epoch_ticks(n_epochs: int) -> list[int]:
    """The first epoch and some round ones."""
    step = max(1, int(nice_ticks(0, n_epochs)[1]))
    return [1, *(epoch for epoch in range(step, n_epochs + 1, step) if epoch > 1)]


def _grid_line(y: float, text: str) -> Markup:
    """A horizontal line with its number."""
    line = tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
    return Markup(line + tag("text", text, x=_LEFT - 8, y=y + 4, class_="tick end"))


def network_drawing(widths: Sequence[int], names: Sequence[str]) -> Markup:
    """Layers as columns of neurons, joined; wide layers are cut short."""
    across = 150
    width, height = across * len(widths), 230
    columns = [_neuron_places(index * across + across // 2, count) for index, count in enumerate(widths)]
    parts: list[Markup] = []
    for left, right in pairwise(columns):
        for x1, y1 in left:
            parts += [tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="wire") for x2, y2 in right]
    for index, (column, count) in enumerate(zip(columns, widths, strict=True)):
        kind = "input" if index == 0 else "output" if index == len(widths) - 1 else "hidden"
        parts += [tag("circle", cx=x, cy=y, r=6, class_=f"neuron {kind}") for x, y in column]
        x = column[0][0]
        if count > _MOST_NEURONS:
            parts.append(tag("text", "⋮", x=x, y=107, class_="dots middle"))
        parts.append(tag("text", f"{count:,}", x=x, y=204, class_="count middle"))
        parts.append(tag("text", names[index], x=x, y=222, class_="tick middle"))
    label = "the network: " + " to ".join(str(count) for count in widths)
    return tag(
        "figure",
        tag("svg", *parts, viewBox=f"0 0 {width} {height}", role="img", aria_label=label),
        class_="drawing",
    )


def _neuron_places(x: int, count: int) -> list[tuple[int, int]]:
    """Where the neurons of a layer are drawn; a gap in the middle stands for those left out."""
    if count <= _MOST_NEURONS:
        return [(x, 100 + round((index - (count - 1) / 2) * 20)) for index in range(count)]
    half = (_MOST_NEURONS - 1) // 2
    return [(x, 100 + 20 * offset) for offset in [*range(-half, 0), *range(1, half + 1)]]


def picture(rows: Sequence[Sequence[int]], label: str) -> Markup:
    """A small grey picture, 0 (no ink) to 255; equal neighbours in a row become one rectangle."""
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end] == row[x]:
                end += 1
            if row[x] > 0:
                opacity = f"{row[x] / 255:.2f}".rstrip("0").rstrip(".")
                parts.append(tag("rect", x=x, y=y, width=end - x, height=1, opacity=opacity))
            x = end
    size = f"0 0 {len(rows[0])} {len(rows)}"
    return tag(
        "svg",
        *parts,
        viewBox=size,
        class_="picture",
        role="img",
        aria_label=label,
        shape_rendering="crispEdges",
    )
