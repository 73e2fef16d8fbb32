"""Plain SVG: curves over epochs, points and steps, a drawing of the network, small pictures."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import ceil, floor, log10
from typing import NamedTuple
from unicodedata import east_asian_width

from threestep.report.html import Markup, tag
from threestep.report.words import in_drawing, plain, say

_WIDTH, _HEIGHT = 560, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 12, 46
_MOST_POINTS = 400
_MOST_NEURONS = 9
_FEW_POINTS = 12
_MOST_TICKS = 6
_NEAR_THE_EDGE = 0.97
_MOST_NAMED = 7  # beside each other on one line
_LONGEST_NAME = 29  # letters beside a bar; those of Chinese, Japanese and Korean are as wide as two


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
    places = _Scale(1, max(n_epochs, 2), [*epoch_ticks(n_epochs)])
    up = _Scale(min(known), max(known), nice_ticks(min(known), max(known)))
    x_of, y_of = _places(places, up)
    parts = _axes(places, up, across or say("epoch"))
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
        if len(points) <= _FEW_POINTS:
            dots = (point.split(",") for point in points)
            parts += [tag("circle", cx=x, cy=y, r=3.5, class_=f"point point-{index}") for x, y in dots]
    keys = [(f"key-{index}", curve.name) for index, curve in enumerate(curves)]
    if mark is not None and mark > 0:
        keys.append(("key-mark", say("picked: epoch {n}", n=mark)))
    return _figure(parts, label, keys)


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
    across = _log_scale([point.x for point in points])
    up = _log_scale([point.y for point in points])
    x_of, y_of = _places(across, up)
    parts = _axes(across, up, names[0])
    front = sorted((point for point in points if point.on_front), key=lambda point: point.x)
    line = " ".join(f"{x_of(point.x)},{y_of(point.y)}" for point in front)
    parts.append(tag("polyline", points=line, class_="curve curve-0 front"))
    for point in sorted(points, key=lambda point: ("usual", "front", "picked").index(point.kind)):
        size = 6 if point.kind == "picked" else 4
        place = {"cx": x_of(point.x), "cy": y_of(point.y), "r": size}
        parts.append(tag("circle", tag("title", point.name), **place, class_=f"dot {point.kind}"))
    return _figure(parts, label, [(f"key-{kind} key-dot", text) for kind, text in keys.items()])


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
    up = _Scale(lowest, highest, nice_ticks(lowest, highest))
    across = _Scale(-0.5, len(intervals) - 0.5, [-0.5, len(intervals) - 0.5])
    x_of, y_of = _places(across, up)
    parts = [_grid_line(y_of(tick), f"{tick:g}") for tick in up.ticks]
    is_crowded = len(intervals) > _MOST_NAMED
    for place, each in enumerate(intervals):
        x = x_of(place)
        line = {"x1": x, "x2": x, "y1": y_of(each.low), "y2": y_of(each.high)}
        name = tag("title", f"{plain(each.name)}: {each.mean:.4g} ({each.low:.4g} to {each.high:.4g})")
        parts.append(tag("line", name, **line, class_=f"range {each.kind}"))
        parts.append(tag("circle", name, cx=x, cy=y_of(each.mean), r=5, class_=f"dot {each.kind}"))
        y = _HEIGHT - (14 if not is_crowded or place % 2 else 1)
        parts.append(tag("text", in_drawing(each.name), x=x, y=y, class_="tick middle"))
    kinds = {each.kind for each in intervals}
    named = {
        "picked": say("better beyond chance"),
        "worse": say("worse beyond chance"),
        "usual": say("no clear difference"),
    }
    keys = [(f"key-{kind} key-dot", text) for kind, text in named.items() if kind in kinds]
    return _figure(parts, label, keys)


def falls_chart(falls: Sequence[tuple[float, float]], name: str, label: str) -> Markup:
    """What fell over time, as steps.

    Parameters
    ----------
    falls : sequence of (float, float)
        Seconds and the value from then on.
    name, label : str
    """
    seconds, values = [at for at, _ in falls], [value for _, value in falls]
    across = _Scale(0, seconds[-1], nice_ticks(0, seconds[-1]))
    up = _Scale(min(values), max(values), nice_ticks(min(values), max(values)))
    x_of, y_of = _places(across, up)
    path = [f"{x_of(falls[0][0])},{y_of(falls[0][1])}"]
    for (_, before), (at, value) in pairwise(falls):
        path += [f"{x_of(at)},{y_of(before)}", f"{x_of(at)},{y_of(value)}"]
    parts = _axes(across, up, say("seconds"))
    parts.append(tag("polyline", points=" ".join(path), class_="curve curve-0"))
    parts += [
        tag("circle", cx=x_of(at), cy=y_of(value), r=3.5, class_="point point-0") for at, value in falls
    ]
    return _figure(parts, label, [("key-0", name)])


class _Scale(NamedTuple):
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


def _log_scale(values: Sequence[float]) -> _Scale:
    low, high = min(values), max(values)
    return _Scale(low, high, log_ticks(low, high), is_log=True)


def _places(across: _Scale, up: _Scale) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Where numbers lie in the picture."""

    def x_of(value: float) -> float:
        return round(_LEFT + across.share(value) * (_WIDTH - _LEFT - _RIGHT), 1)

    def y_of(value: float) -> float:
        return round(_TOP + (1 - up.share(value)) * (_HEIGHT - _TOP - _BOTTOM), 1)

    return x_of, y_of


def _axes(across: _Scale, up: _Scale, name: str) -> list[Markup]:
    """The grid with its numbers, and what goes across."""
    x_of, y_of = _places(across, up)
    parts = [_grid_line(y_of(tick), _short(tick)) for tick in up.ticks]
    for tick in across.ticks:
        text, side = _short(tick), "middle"
        if across.share(tick) > _NEAR_THE_EDGE:  # a long number would be cut off
            side = "end"
        parts.append(tag("text", text, x=x_of(tick), y=_HEIGHT - 26, class_=f"tick {side}"))
    return [*parts, tag("text", in_drawing(name), x=_WIDTH - _RIGHT, y=_HEIGHT - 6, class_="tick end")]


def _short(number: float) -> str:
    """A tick in few letters: 600k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            return f"{number / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{number:g}"


def _figure(parts: Sequence[Markup], label: str, keys: Sequence[tuple[str, str]]) -> Markup:
    """A chart with its title and legend; keys are (class, text)."""
    svg = tag("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=plain(label))
    legend = [tag("span", text, class_=f"key {kind}") for kind, text in keys]
    return tag("figure", tag("figcaption", tag("strong", label), *legend), svg)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most low to at least high, for a logarithmic axis.

    Examples
    --------
    >>> log_ticks(30, 2400)
    [20.0, 100.0, 1000.0, 5000.0]
    >>> log_ticks(0.12, 0.31)
    [0.1, 0.2, 0.5]
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    first = max((tick for tick in ticks if tick <= low), default=ticks[0])
    last = min((tick for tick in ticks if tick >= high), default=ticks[-1])
    ticks = [tick for tick in ticks if first <= tick <= last]
    if len(ticks) > _MOST_TICKS:  # the ends, and of the rest the powers of ten
        ticks = [tick for tick in ticks if tick in (first, last) or f"{tick:e}".startswith("1.0")]
    return ticks


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
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def epoch_ticks(n_epochs: int) -> list[int]:
    """The first epoch and some round ones."""
    step = max(1, int(nice_ticks(0, n_epochs)[1]))
    return [1, *(epoch for epoch in range(step, n_epochs + 1, step) if epoch > 1)]


def _grid_line(y: float, text: str) -> Markup:
    """A horizontal line with its number."""
    line = tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
    return Markup(line + tag("text", text, x=_LEFT - 8, y=y + 4, class_="tick end"))


def reliability_chart(bins: Sequence[tuple[float, float, int]], label: str) -> Markup:
    """How many answers are right (up) of those that are so sure (across); on the dashed line they agree.

    Parameters
    ----------
    bins : sequence of (float, float, int)
        Mean confidence, accuracy, number of samples.
    label : str
    """
    scale = _Scale(0, 1, [0, 0.25, 0.5, 0.75, 1])
    x_of, y_of = _places(scale, scale)
    parts = _axes(scale, scale, say("confidence"))
    parts.append(tag("line", x1=x_of(0), y1=y_of(0), x2=x_of(1), y2=y_of(1), class_="mark"))
    most = max(n for _, _, n in bins)
    for confidence, accuracy, n in bins:
        name = tag("title", f"{n:,} samples: confidence {confidence:.3f}, right {accuracy:.3f}")
        size = round(3 + 6 * (n / most) ** 0.5, 1)
        parts.append(tag("circle", name, cx=x_of(confidence), cy=y_of(accuracy), r=size, class_="bin"))
    keys = [
        ("key-front key-dot", say("share that is right")),
        ("key-mark", say("as sure as it should be")),
    ]
    return _figure(parts, label, keys)


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
    scale = _Scale(min(values), max(values), nice_ticks(min(values), max(values)))
    x_of, y_of = _places(scale, scale)
    parts = _axes(scale, scale, names[0])
    low, high = scale.ticks[0], scale.ticks[-1]
    parts.append(tag("line", x1=x_of(low), y1=y_of(low), x2=x_of(high), y2=y_of(high), class_="mark"))
    for known, said in points:
        name = tag("title", f"{known:.6g} → {said:.6g}")
        parts.append(tag("circle", name, cx=x_of(known), cy=y_of(said), r=3.5, class_="bin"))
    return _figure(parts, label, [("key-front key-dot", names[1]), ("key-mark", say("right"))])


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
        parts.append(tag("text", in_drawing(names[index]), x=x, y=222, class_="tick middle"))
    label = "the network: " + " to ".join(str(count) for count in widths)
    return tag(
        "figure",
        tag(
            "svg",
            *parts,
            viewBox=f"0 0 {width} {height}",
            role="img",
            aria_label=plain(label),
            style=f"max-width: {width}px",
        ),
        class_="drawing",
    )


def _neuron_places(x: int, count: int) -> list[tuple[int, int]]:
    """Where the neurons of a layer are drawn; a gap in the middle stands for those left out."""
    if count <= _MOST_NEURONS:
        return [(x, 100 + round((index - (count - 1) / 2) * 20)) for index in range(count)]
    half = (_MOST_NEURONS - 1) // 2
    return [(x, 100 + 20 * offset) for offset in [*range(-half, 0), *range(1, half + 1)]]


def scatter_chart(
    points: Sequence[Sequence[float]], groups: Sequence[int], names: Sequence[str], label: str
) -> Markup:
    """Points in a plane without axes, coloured by group."""
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    side = 300

    def place(value: float, values: Sequence[float]) -> float:
        return round(8 + (side - 16) * (value - min(values)) / ((max(values) - min(values)) or 1.0), 1)

    dots = [
        tag(
            "circle",
            tag("title", plain(names[group])),
            cx=place(x, xs),
            cy=place(-y, [-each for each in ys]),
            r=3.2,
            class_=f"group-{group}",
        )
        for x, y, group in zip(xs, ys, groups, strict=True)
    ]
    svg = tag("svg", *dots, viewBox=f"0 0 {side} {side}", role="img", aria_label=plain(label), class_="plane")
    keys = [tag("span", name, class_=f"key key-dot key-group-{group}") for group, name in enumerate(names)]
    return tag("figure", tag("figcaption", tag("strong", label), *keys), svg)


def bars_chart(bars: Sequence[tuple[str, float] | tuple[str, float, float]], label: str) -> Markup:
    """Bars one below the other, with their names and values, and perhaps how sure these are; those below zero
    go to the left."""
    low, high = min(0.0, *(each[1] for each in bars)), max(0.0, *(each[1] for each in bars))
    name_width, width, step = 250, 300, 26
    scale = width / ((high - low) or 1.0)
    zero = name_width - low * scale
    parts = []
    for place, (name, value, *spread) in enumerate(bars):
        y = place * step
        x, wide = (zero, value * scale) if value >= 0 else (zero + value * scale, -value * scale)
        kind = "bar" if value >= 0 else "bar below"
        own = plain(name)
        short = _shortened(own)
        text = in_drawing(name) if short == own else short
        parts.append(tag("text", tag("title", own), text, x=name_width - 10, y=y + 17, class_="tick end"))
        parts.append(
            tag("rect", x=round(x, 1), y=y + 4, width=round(max(wide, 0.5), 1), height=18, class_=kind)
        )
        shown = f"{value:#.3g}".rstrip(".") + "".join(f" ± {each:.1g}" for each in spread)
        parts.append(tag("text", shown, x=name_width + width + 8, y=y + 17, class_="tick"))
    size = f"0 0 {name_width + width + 160} {step * len(bars)}"
    svg = tag("svg", *parts, viewBox=size, role="img", aria_label=plain(label), class_="bars")
    return tag("figure", tag("figcaption", tag("strong", label)), svg)


def _shortened(name: str) -> str:
    """As much of a name as there is room for; its beginning."""
    widths = [2 if east_asian_width(letter) in "WF" else 1 for letter in name]
    if sum(widths) <= _LONGEST_NAME:
        return name
    n_shown = sum(each < _LONGEST_NAME for each in accumulate(widths))
    return f"{name[:n_shown]}…"
