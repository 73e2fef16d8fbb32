"""A network as columns of neurons."""

from collections.abc import Sequence
from itertools import pairwise

from threestep.report.html import Markup, tag
from threestep.report.words import in_drawing

_MOST_NEURONS = 9


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
    label = " → ".join(str(count) for count in widths)
    return tag(
        "figure",
        tag(
            "svg",
            *parts,
            viewBox=f"0 0 {width} {height}",
            role="img",
            aria_label=label,
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
