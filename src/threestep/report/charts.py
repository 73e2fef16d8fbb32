"""Charts with axes as plain SVG: curves over epochs, points, intervals, steps, answers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from threestep.report.axes import (
    BOTTOM,
    HEIGHT,
    TOP,
    Scale,
    axes,
    figure,
    grid_line,
    log_scale,
    places_on,
)
from threestep.report.html import Markup, tag
from threestep.report.ticks import epoch_ticks, nice_ticks
from threestep.report.words import in_drawing, in_title, listed, say

_MOST_POINTS = 400
_FEW_POINTS = 12
_MOST_NAMED = 7  # beside each other on one line


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


def curves_chart(curves: Sequence[Curve], label: str, mark: int | None = None, across: str = "") -> Markup:
    """Curves over epochs, or what else goes across, with ticks, a legend and perhaps one marked epoch."""
    known = [value for curve in curves for value in curve.values if value is not None]
    if not known:
        return tag("p", say("No epoch was finished."))
    n_epochs = max(len(curve.values) for curve in curves)
    if n_epochs == 1:
        return _in_words(curves, label)
    places = Scale(1, max(n_epochs, 2), [*epoch_ticks(n_epochs)])
    up = Scale(min(known), max(known), nice_ticks(min(known), max(known)))
    x_of, y_of = places_on(places, up)
    parts = axes(places, up, across or say("epoch"))
    if mark is not None and mark > 0:
        parts.append(tag("line", x1=x_of(mark), x2=x_of(mark), y1=TOP, y2=HEIGHT - BOTTOM, class_="mark"))
    for index, curve in enumerate(curves):
        thin = max(1, ceil(len(curve.values) / _MOST_POINTS))
        points = [
            f"{x_of(epoch)},{y_of(value)}"
            for epoch, value in enumerate(curve.values, start=1)
            if value is not None and ((epoch - 1) % thin == 0 or epoch in (mark, len(curve.values)))
        ]
        parts.append(tag("polyline", points=" ".join(points), class_=f"curve curve-{index}"))
        if len(points) <= _FEW_POINTS:
            dots = (point.split(",") for point in points)
            parts += [tag("circle", cx=x, cy=y, r=3.5, class_=f"point point-{index}") for x, y in dots]
    keys = [(f"key-{index}", curve.name) for index, curve in enumerate(curves)]
    if mark is not None and mark > 0:
        keys.append(("key-mark", say("picked: epoch {n}", n=mark)))
    return figure(parts, label, keys)


def _in_words(curves: Sequence[Curve], label: str) -> Markup:
    """What would be a chart of single dots."""
    values = [
        say("{name} {n}", name=curve.name, n=f"{curve.values[0]:.4g}")
        for curve in curves
        if curve.values[0] is not None
    ]
    return tag("p", tag("strong", label), ": ", listed(values, "; "))


class Point(NamedTuple):
    """One thing among others.

    Parameters
    ----------
    x, y : float
    name : str
        Shown under the pointer.
    kind : str
        "usual", "front" or "picked".
    on_front : bool
        Whether the line joins it.
    """

    x: float
    y: float
    name: str
    kind: str
    on_front: bool


def points_chart(
    points: Sequence[Point], names: tuple[str, str], label: str, keys: Mapping[str, str]
) -> Markup:
    """Points on two logarithmic axes; those of the front joined by a line.

    Parameters
    ----------
    points : sequence of Point
        x and y above 0.
    names : (str, str)
        Of what goes across and up.
    label : str
    keys : dict
        Of a kind of point, what it is; for the legend.
    """
    across = log_scale([point.x for point in points])
    up = log_scale([point.y for point in points])
    x_of, y_of = places_on(across, up)
    parts = axes(across, up, names[0])
    front = sorted((point for point in points if point.on_front), key=lambda point: point.x)
    if len(front) > 1:
        line = " ".join(f"{x_of(point.x)},{y_of(point.y)}" for point in front)
        parts.append(tag("polyline", points=line, class_="curve curve-0 front"))
    for point in sorted(points, key=lambda point: ("usual", "front", "picked").index(point.kind)):
        size = 6 if point.kind == "picked" else 4
        place = {"cx": x_of(point.x), "cy": y_of(point.y), "r": size}
        parts.append(tag("circle", tag("title", point.name), **place, class_=f"dot {point.kind}"))
    kinds = {point.kind for point in points} | ({"front"} if len(front) > 1 else set())
    return figure(
        parts, label, [(f"key-{kind} key-dot", text) for kind, text in keys.items() if kind in kinds]
    )


class Interval(NamedTuple):
    """A value that is known to lie somewhere.

    Parameters
    ----------
    name : str
        What stands below it.
    mean, low, high : float
    kind : str
        "usual", "picked" or "worse".
    """

    name: str
    mean: float
    low: float
    high: float
    kind: str


def intervals_chart(intervals: Sequence[Interval], label: str) -> Markup:
    """Values side by side, each with the interval it lies in."""
    lowest, highest = min(each.low for each in intervals), max(each.high for each in intervals)
    up = Scale(lowest, highest, nice_ticks(lowest, highest))
    across = Scale(-0.5, len(intervals) - 0.5, [-0.5, len(intervals) - 0.5])
    x_of, y_of = places_on(across, up)
    parts = [grid_line(y_of(tick), f"{tick:g}") for tick in up.ticks]
    is_crowded = len(intervals) > _MOST_NAMED
    for place, each in enumerate(intervals):
        x = x_of(place)
        line = {"x1": x, "x2": x, "y1": y_of(each.low), "y2": y_of(each.high)}
        name = tag("title", f"{in_title(each.name)}: {each.mean:.4g} ({each.low:.4g} – {each.high:.4g})")
        parts.append(tag("line", name, **line, class_=f"range {each.kind}"))
        parts.append(tag("circle", name, cx=x, cy=y_of(each.mean), r=5, class_=f"dot {each.kind}"))
        y = HEIGHT - (14 if not is_crowded or place % 2 else 1)
        parts.append(tag("text", in_drawing(each.name), x=x, y=y, class_="tick middle"))
    kinds = {each.kind for each in intervals}
    named = {
        "picked": say("better beyond chance"),
        "worse": say("worse beyond chance"),
        "usual": say("no clear difference"),
    }
    keys = [(f"key-{kind} key-dot", text) for kind, text in named.items() if kind in kinds]
    return figure(parts, label, keys)


def falls_chart(falls: Sequence[tuple[float, float]], name: str, label: str) -> Markup:
    """What fell over time, as steps.

    Parameters
    ----------
    falls : sequence of (float, float)
        Seconds and the value from then on.
    name, label : str
    """
    seconds, values = [at for at, _ in falls], [value for _, value in falls]
    across = Scale(0, seconds[-1], nice_ticks(0, seconds[-1]))
    up = Scale(min(values), max(values), nice_ticks(min(values), max(values)))
    x_of, y_of = places_on(across, up)
    path = [f"{x_of(falls[0][0])},{y_of(falls[0][1])}"]
    for (_, before), (at, value) in pairwise(falls):
        path += [f"{x_of(at)},{y_of(before)}", f"{x_of(at)},{y_of(value)}"]
    parts = axes(across, up, say("seconds"))
    parts.append(tag("polyline", points=" ".join(path), class_="curve curve-0"))
    parts += [
        tag("circle", cx=x_of(at), cy=y_of(value), r=3.5, class_="point point-0") for at, value in falls
    ]
    return figure(parts, label, [("key-0", name)])


def reliability_chart(bins: Sequence[tuple[float, float, int]], label: str) -> Markup:
    """How many answers are right (up) of those that are so sure (across); on the dashed line they agree.

    Parameters
    ----------
    bins : sequence of (float, float, int)
        Mean confidence, accuracy, number of samples.
    label : str
    """
    scale = Scale(0, 1, [0, 0.25, 0.5, 0.75, 1])
    x_of, y_of = places_on(scale, scale)
    parts = axes(scale, scale, say("confidence"))
    parts.append(tag("line", x1=x_of(0), y1=y_of(0), x2=x_of(1), y2=y_of(1), class_="mark"))
    most = max(n for _, _, n in bins)
    for confidence, accuracy, n in bins:
        name = tag("title", f"{confidence:.3f} → {accuracy:.3f} (n = {n:,})")
        size = round(3 + 6 * (n / most) ** 0.5, 1)
        parts.append(tag("circle", name, cx=x_of(confidence), cy=y_of(accuracy), r=size, class_="bin"))
    keys = [
        ("key-front key-dot", say("share that is right")),
        ("key-mark", say("as sure as it should be")),
    ]
    return figure(parts, label, keys)


def answers_chart(points: Sequence[tuple[float, float]], names: tuple[str, str], label: str) -> Markup:
    """Answers (up) by what they should be (across); on the dashed line they are right.

    Parameters
    ----------
    points : sequence of (float, float)
        Target and answer.
    names : (str, str)
        Of what goes across and up.
    label : str
    """
    values = [value for point in points for value in point]
    scale = Scale(min(values), max(values), nice_ticks(min(values), max(values)))
    x_of, y_of = places_on(scale, scale)
    parts = axes(scale, scale, names[0])
    low, high = scale.ticks[0], scale.ticks[-1]
    parts.append(tag("line", x1=x_of(low), y1=y_of(low), x2=x_of(high), y2=y_of(high), class_="mark"))
    for known, said in points:
        name = tag("title", f"{known:.6g} → {said:.6g}")
        parts.append(tag("circle", name, cx=x_of(known), cy=y_of(said), r=3.5, class_="bin"))
    return figure(parts, label, [("key-front key-dot", names[1]), ("key-mark", say("right"))])
