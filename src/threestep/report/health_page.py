"""The page of deep stacks: the gradient at every layer, the training curves, and what there is to see."""

from math import log10
from pathlib import Path
from typing import Any

from threestep.report.charts import Curve, curves_chart
from threestep.report.html import Markup, table, tag
from threestep.report.numbers import percent
from threestep.report.page import page_of
from threestep.report.words import say, translated

_MOST_SHOWN = 1.5  # times the loss of knowing nothing: one that explodes would hide all others


def write_health(found: dict[str, Any], path: str | Path, lang: str = "en") -> None:
    """Write the page, first seen in that language; `found` as `threestep.study.plain_health` gives it."""
    Path(path).write_text(health_html(found, lang), encoding="utf-8")


def health_html(found: dict[str, Any], lang: str = "en") -> str:
    """The page as one HTML text that needs nothing from outside."""
    stacks = found["stacks"]
    kinds = list(dict.fromkeys(each["kind"] for each in stacks))
    depths = list(dict.fromkeys(each["depth"] for each in stacks))
    rows = [(translated(kind), *(_cell(stacks, kind, depth) for depth in depths)) for kind in kinds]
    main = tag(
        "main",
        tag(
            "header",
            tag("p", say("why deep is hard"), class_="over"),
            tag("h1", found["data"]),
            tag("p", say("Stacks of equal convolutions of growing depth, trained alike.")),
            tag("p", _what_is_right(found)),
            table((say("kind of stack"), *(say("{n} layers", n=depth) for depth in depths)), rows),
            tag("ul", *(tag("li", translated(sentence)) for sentence in found["sentences"])),
        ),
        *(_section(stacks, depth, found["guess_loss"]) for depth in reversed(depths)),
        tag("p", say("All this took {n} s.", n=f"{found['seconds']:.0f}"), class_="small"),
    )
    return page_of(f"{found['data']}: why deep is hard", main, lang)


def _what_is_right(found: dict[str, Any]) -> Markup:
    """What the shares in the table are shares of."""
    facts = {"n": f"{found['n_valid']:,}", "epochs": found["epochs"], "train": f"{found['n_train']:,}"}
    if found["epochs"] == 1:
        return say(
            "Right answers of {n} samples that were not learned from, after one epoch over {train} others:",
            **facts,
        )
    return say(
        "Right answers of {n} samples that were not learned from, after the best of {epochs} epochs over "
        "{train} others:",
        **facts,
    )


def _cell(stacks: list[dict[str, Any]], kind: str, depth: int) -> str:
    own = next(each for each in stacks if each["kind"] == kind and each["depth"] == depth)
    return percent(own["accuracy"])


def _section(stacks: list[dict[str, Any]], depth: int, guess: float) -> Markup:
    own = [each for each in stacks if each["depth"] == depth]
    starts = [Curve(translated(each["kind"]), [*map(_power, each["at_start"])]) for each in own]
    most = _MOST_SHOWN * guess
    losses = [Curve(translated(each["kind"]), [min(loss, most) for loss in each["losses"]]) for each in own]
    return tag(
        "section",
        tag("h2", say("{n} layers", n=depth)),
        tag(
            "div",
            curves_chart(
                starts, say("size of the gradient at the start, as a power of ten"), across=say("layer")
            ),
            curves_chart(
                losses,
                say(
                    "training loss, at most {most} shown (knowing nothing: {guess})",
                    most=f"{most:.1f}",
                    guess=f"{guess:.2f}",
                ),
            ),
            class_="charts",
        ),
    )


def _power(size: float | None) -> float | None:
    """The power of ten that a size is; None for none."""
    return None if not size else log10(size)
