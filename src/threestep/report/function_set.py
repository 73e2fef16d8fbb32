"""Step 1 on the page: what could be tried, what was, and the picked network with its layers."""

from collections.abc import Sequence
from math import prod
from typing import Any

from threestep.report.bars import bars_chart
from threestep.report.drawing import network_drawing
from threestep.report.headline import nothing_learned
from threestep.report.html import Markup, join, table, tag
from threestep.report.scores import part_name
from threestep.report.sections import section
from threestep.report.tried import n_folds_of, what_was_tried
from threestep.report.words import Text, listed, network_in_words, say, translated

Event = dict[str, Any]

_MOST_DRAWN = 9  # layers, inputs included


def function_set(by_name: dict[str, Event], searched: Sequence[Event]) -> Markup:
    """Step 1: what could be tried, the network as a drawing and a table."""
    is_nothing = nothing_learned(by_name) is not None
    return section(
        1,
        say("Define a set of functions"),
        say("The structure of the network fixes which functions can be picked at all."),
        what_was_tried(by_name, searched) if "space" in by_name else "",
        _drawing(by_name["function_set"]),
        _table(by_name["function_set"]),
        tag("p", _bins()) if _without_bins(by_name) else "",
        tag("p", _together(by_name)) if by_name["function_set"]["others"] else "",
        "" if is_nothing else _layers(by_name["details"]),
    )


def _shapes(event: Event) -> list[Sequence[int]]:
    """Of the inputs, and of what each layer gives."""
    layers = event["layers"]
    return [layers[0]["shape_in"], *(layer["shape_out"] for layer in layers)]


def _drawing(event: Event) -> Markup:
    """The network, if it is one of few layers of neurons; else why there is no drawing."""
    shapes, layers = _shapes(event), event["layers"]
    if not all(len(shape) == 1 for shape in shapes[1:]):
        return Markup("")
    if len(shapes) > _MOST_DRAWN:
        text = say("Of {n} layers there is no drawing; the table has them all.", n=len(layers))
        return tag("p", text, class_="small")
    names = [translated(layer["what"].split(" ", 1)[-1]) for layer in layers[:-1]]
    widths = [prod(shape) for shape in shapes]
    first = say("input") if widths[0] == 1 else say("inputs")
    last = say("output") if widths[-1] == 1 else say("outputs")
    return network_drawing(widths, [first, *names, last])


def _table(event: Event) -> Markup:
    """A row per layer."""
    layers = event["layers"]
    rows: list[tuple[object, ...]] = [
        (
            say("hidden {n}", n=index) if index < len(layers) else say("output"),
            translated(layer["what"]),
            f"{_size(layer['shape_in'])} → {_size(layer['shape_out'])}",
            f"{layer['n_params']:,}",
        )
        for index, layer in enumerate(layers, start=1)
    ]
    rows.append((say("all"), "", "", f"{sum(layer['n_params'] for layer in layers):,}"))
    return table((say("layer"), say("what"), say("inputs → outputs"), say("params")), rows, "layers")


def _size(shape: Sequence[int]) -> str:
    """A shape for people: 28 × 28 × 8."""
    return " × ".join(f"{side:,}" for side in shape)


def _without_bins(by_name: dict[str, Event]) -> bool:
    """Whether the picked network sees fewer inputs than there are."""
    return prod(_shapes(by_name["function_set"])[0]) < by_name["start"]["n_inputs"]


def _bins() -> Text:
    return say(
        "It sees the columns themselves. Others were tried that also see, for each number, how far through "
        "each of several bins it is."
    )


def _together(by_name: dict[str, Event]) -> Text:
    """What answers together with the network."""
    event, n_folds = by_name["function_set"], n_folds_of(by_name)
    facts = {
        "n": len(event["others"]),
        "others": _counted(event["others"]),
        "params": f"{event['n_params']:,}",
    }
    n_structures = len(by_name.get("leaderboard", {}).get("picked", []))
    if n_folds > 1 and n_structures * n_folds == 1 + len(event["others"]):
        which = {"structures": n_structures, "folds": n_folds}
        if n_structures == 1:
            return say(
                "Trained once in each of {folds} folds, and the answers are averaged. All together: {params} "
                "params.",
                **facts,
                **which,
            )
        return say(
            "Its answers are averaged with those of {n} more, {structures} structures × {folds} folds: "
            "{others}. All together: {params} params.",
            **facts,
            **which,
        )
    return say(
        "Its answers are averaged with those of {n} more: {others}. All together: {params} params.", **facts
    )


def _counted(texts: Sequence[str]) -> Markup:
    """Equal ones once: 3 × 8 → 16 relu → 2; 8 → 2."""
    counts = {text: texts.count(text) for text in dict.fromkeys(texts)}
    known = ((network_in_words(text), n) for text, n in counts.items())
    return listed((say("{n} × ({network})", n=n, network=text) if n > 1 else text for text, n in known), "; ")


def _layers(details: Event) -> Markup:
    """What each hidden layer adds, how steep the loss is in each layer, and how far its weights went."""
    known = details.get("layers")
    if not known:
        return Markup("")
    probes = [
        (say("inputs") if at == 0 else say("hidden {n}", n=at), each)
        for at, each in enumerate(known["probes"])
    ]
    about = say(
        "A linear function of what a layer makes of the samples (at most 1,000 of its outputs, or means of "
        "neighbouring ones), fitted to training samples by least squares, tells the target of {n} {part} "
        "samples so well ({score}): where the number clearly rises, the layer adds something. The network "
        "itself may be better.",
        n=f"{known['n_probed']:,}",
        part=part_name(details["part"]),
        score="R²" if known["probe"] == "r2" else say("accuracy"),
    )
    parts = [
        tag("h3", say("What each hidden layer adds")),
        tag("p", about, class_="small"),
        tag("div", bars_chart(probes, say("a linear probe of each layer")), class_="charts"),
    ]
    return join(parts)
