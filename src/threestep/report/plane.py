"""Samples as points in a plane, coloured by group."""

from collections.abc import Sequence

from threestep.report.html import Markup, tag
from threestep.report.words import in_title


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
            tag("title", in_title(names[group])),
            cx=place(x, xs),
            cy=place(-y, [-each for each in ys]),
            r=3.2,
            class_=f"group-{group}",
        )
        for x, y, group in zip(xs, ys, groups, strict=True)
    ]
    svg = tag("svg", *dots, viewBox=f"0 0 {side} {side}", aria_hidden="true", class_="plane")
    keys = [
        tag("span", name, class_=f"key key-dot key-group-{group}")
        for group, name in enumerate(names)
        if group in groups
    ]
    return tag("figure", tag("figcaption", tag("strong", label), *keys), svg)
