"""Bars one below the other."""

from collections.abc import Sequence

from threestep.report.html import Markup, tag
from threestep.report.numbers import with_minus
from threestep.report.words import in_drawing, in_title, letters_wide, shortened

_LONGEST_NAME = 29  # letters beside a bar
_LETTER, _GAP = 9.2, 10  # widths, as large as letters become on a narrow screen
_WIDTH, _STEP = 240, 26


def bars_chart(bars: Sequence[tuple[str, float] | tuple[str, float, float]], label: str) -> Markup:
    """Bars one below the other, with their names and values, and perhaps how sure these are; those below zero
    go to the left. No wider than names and values need, so that these are large enough on a narrow screen."""
    values = [each[1] for each in bars]
    low, high = min(0.0, *values), max(0.0, *values)
    scale = _WIDTH / ((high - low) or 1.0)
    names = [shortened(name, _LONGEST_NAME) for name, *_ in bars]
    shown = [_shown(*own) for _, *own in bars]
    left = _GAP + _LETTER * max(map(letters_wide, names))
    parts = []
    for place, (name, (whole, value, *_)) in enumerate(zip(names, bars, strict=True)):
        y = place * _STEP
        title = [tag("title", in_title(whole))] if name != whole else []
        parts.append(tag("text", *title, in_drawing(name), x=left - _GAP, y=y + 17, class_="tick end"))
        x, wide = round(left + (min(value, 0) - low) * scale, 1), round(max(abs(value) * scale, 0.5), 1)
        kind = "bar" if value >= 0 else "bar below"
        parts.append(tag("rect", x=x, y=y + 4, width=wide, height=18, class_=kind))
        parts.append(tag("text", shown[place], x=left + _WIDTH + 8, y=y + 17, class_="tick"))
    width = round(left + _WIDTH + _GAP + _LETTER * max(map(len, shown)))
    size = {"viewBox": f"0 0 {width} {_STEP * len(bars)}", "style": f"max-width: {width}px"}
    svg = tag("svg", *parts, **size, class_="bars")
    return tag("figure", tag("figcaption", tag("strong", label)), svg)


def _shown(value: float, *spread: float) -> str:
    """A value, and perhaps how sure it is: 0.934 ± 0.1."""
    return with_minus(f"{value:#.3g}".rstrip(".")) + "".join(f" ± {each:.1g}" for each in spread)
