"""Bars one below the other."""

from collections.abc import Sequence

from threestep.report.html import Markup, tag
from threestep.report.numbers import with_minus
from threestep.report.words import in_drawing, in_title, shortened

_LONGEST_NAME = 29  # letters beside a bar


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
        short = shortened(name, _LONGEST_NAME)
        whole = [tag("title", in_title(name))] if short != name else []
        parts.append(tag("text", *whole, in_drawing(short), x=name_width - 10, y=y + 17, class_="tick end"))
        parts.append(
            tag("rect", x=round(x, 1), y=y + 4, width=round(max(wide, 0.5), 1), height=18, class_=kind)
        )
        shown = with_minus(f"{value:#.3g}".rstrip(".")) + "".join(f" ± {each:.1g}" for each in spread)
        parts.append(tag("text", shown, x=name_width + width + 8, y=y + 17, class_="tick"))
    size = f"0 0 {name_width + width + 160} {step * len(bars)}"
    svg = tag("svg", *parts, viewBox=size, class_="bars")
    return tag("figure", tag("figcaption", tag("strong", label)), svg)
