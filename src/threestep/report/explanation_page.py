"""The page of an explanation: what each layer makes of the samples, and one sample through the network."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

from threestep.report.bars import bars_chart
from threestep.report.html import Markup, join, table, tag
from threestep.report.numbers import with_minus
from threestep.report.page import page_of
from threestep.report.pictures import picture, signed_picture
from threestep.report.plane import scatter_chart
from threestep.report.words import Text, listed, network_in_words, say, translated

_MOST_GROUPS = 10
_MOST_OUTPUTS_SHOWN = 64


def write_explanation(found: dict[str, Any], path: str | Path, lang: str = "en") -> None:
    """Write the page of an explanation.

    Parameters
    ----------
    found : dict
        As `threestep.study.plain_explanation` gives it.
    path : str or Path
        Of the HTML file.
    lang : {"en", "zh-TW"}
        In which it is first seen.
    """
    Path(path).write_text(explanation_html(found, lang), encoding="utf-8")


def explanation_html(found: dict[str, Any], lang: str = "en") -> str:
    """The page as one HTML text that needs nothing from outside."""
    views, facts = found["views"], found["facts"]
    first, last = views[0], views[-1]
    others, score = facts["n_networks"] - 1, say(facts["probe"])
    network = network_in_words(found["network"])
    main = tag(
        "main",
        tag(
            "header",
            tag("p", say("what the layers learned"), class_="over"),
            tag("h1", found["data"]),
            tag(
                "p",
                say(
                    "{network}; the first of {n} networks that answer together", n=others + 1, network=network
                )
                if others
                else network,
            ),
            tag("p", tag("strong", _verdict(first, last, score))) if first["probe"] is not None else "",
            tag("p", *_looked_at(facts, len(found["labels"])), class_="small"),
            ""
            if facts["is_labelled"]
            else tag("p", say("The samples have no target: what the model answers stands in its place.")),
        ),
        tag(
            "section",
            tag("h2", say("How well each layer tells the answers apart")),
            *_probes(views, score, facts["most_outputs"]),
        )
        if first["probe"] is not None
        else "",
        tag("section", tag("h2", say("The samples as each layer sees them")), *_views(found)),
        _weights(found["pictures"], facts),
        _sample(found["sample"]) if found["sample"] else "",
    )
    return page_of(f"{found['data']}: what the layers learned", main, lang)


def _looked_at(facts: dict[str, Any], n_drawn: int) -> list[object]:
    """How many samples all this is about, and that they may be too kind."""
    counts = {"n": f"{facts['n_samples']:,}", "all": f"{facts['n_given']:,}", "drawn": f"{n_drawn:,}"}
    if facts["n_samples"] == facts["n_given"]:
        words = [say("All {n} samples are looked at.", **counts)]
    else:
        words = [say("{n} of {all} samples are looked at, drawn at random.", **counts)]
    if n_drawn < facts["n_samples"]:
        words.append(say("{drawn} of them are shown as points.", **counts))
    words.append(
        say(
            "Those that the network learned from, if there are any, are not left out: of new samples its "
            "layers may know less."
        )
    )
    return [piece for text in words for piece in (text, " ")]


def _verdict(first: dict[str, Any], last: dict[str, Any], score: Text) -> Text:
    values = {"score": score, "first": f"{first['probe']:.3f}", "last": f"{last['probe']:.3f}"}
    if first is last:
        del values["last"]
        return say("There is no hidden layer; a linear function of the inputs has {score} {first}.", **values)
    if last["probe"] > first["probe"]:
        return say(
            "A linear function of the inputs has {score} {first}, one of the last hidden layer {last}: that "
            "is what the hidden layers are there for.",
            **values,
        )
    return say(
        "A linear function of the inputs has {score} {first} already, one of the last hidden layer {last}: "
        "the hidden layers make it no easier to tell the answers apart.",
        **values,
    )


def _layer_name(name: str) -> Text:
    """`inputs`, or such as `layer 1: 16 relu`."""
    if name == "inputs":
        return say("inputs")
    number, _, what = name.removeprefix("layer ").partition(": ")
    return say("layer {n}: {what}", n=number, what=translated(what))


def _probes(views: list[dict[str, Any]], score: Text, most: int) -> list[Markup]:
    names = [_layer_name(view["name"]) for view in views]
    label = say("{score} of a linear probe", score=score)
    rows = [
        (name, f"{view['n_outputs']:,}", f"{view['probe']:.4f}")
        for name, view in zip(names, views, strict=True)
    ]
    return [
        bars_chart([(name, view["probe"]) for name, view in zip(names, views, strict=True)], label),
        table((say("layer"), say("outputs"), label), rows),
        tag(
            "p",
            say(
                "A linear probe is fitted to the outputs of a layer for half of the samples and judged on "
                "the other half; then the other way round."
            ),
            *([" ", _thinned(most)] if any(view["n_outputs"] > most for view in views) else []),
            class_="small",
        ),
    ]


def _thinned(most: int) -> Text:
    return say(
        "Of a layer with more than {n} outputs it sees at most as many, evenly chosen, and may know less "
        "than the layer.",
        n=most,
    )


def _views(found: dict[str, Any]) -> list[Markup]:
    names, groups = _groups(found["labels"])
    by = found["facts"].get("coloured_by")
    parts = [tag("p", say("Coloured by {name}.", name=by), class_="small")] if by else []
    for view in found["views"]:
        charts = []
        if len(groups) > 1:
            charts.append(scatter_chart(view["plane"], groups, names, say("where they differ most (PCA)")))
        if view["neighbours"] is not None:
            charts.append(
                scatter_chart(view["neighbours"], groups, names, say("neighbours together (t-SNE)"))
            )
        units = listed(
            (say("{n}: {rows}", n=unit["unit"] + 1, rows=listed(unit["rows"])) for unit in view["units"]),
            "; ",
        )
        about = say(
            "Outputs (from 1) that vary most, and the rows (from 0) they answer to most: {units}.",
            units=units,
        )
        parts.append(tag("h3", _layer_name(view["name"])))
        parts.append(tag("div", *charts, class_="charts"))
        parts.append(tag("p", about, class_="small"))
    return parts


def _groups(labels: list[str]) -> tuple[Sequence[str], list[int]]:
    """Names of the groups, and of each sample its own; numbers by their thirds."""
    names = sorted(set(labels))
    if len(names) <= _MOST_GROUPS:
        return names, [names.index(label) for label in labels]
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        kept = sorted(sorted(names), key=lambda name: -labels.count(name))[: _MOST_GROUPS - 1]
        return [*kept, say("others")], [kept.index(label) if label in kept else len(kept) for label in labels]
    ranked = sorted(numbers)
    low, high = ranked[len(ranked) // 3], ranked[2 * len(ranked) // 3]
    groups = [0 if number < low else 1 if number < high else 2 for number in numbers]
    return [f"< {low:g}", f"{low:g} – {high:g}", f"≥ {high:g}"], groups


def _weights(pictures: list[list[list[float]]], facts: dict[str, Any]) -> Markup | str:
    if not pictures:
        return ""
    drawn = [
        tag("figure", signed_picture(_upright(each, facts["is_sound"])), tag("figcaption", number + 1))
        for number, each in zip(facts["pictured"], pictures, strict=True)
    ]
    return tag(
        "section",
        tag("h2", say("What the first layer looks for")),
        tag(
            "p",
            say(
                "The weights of its neurons or filters as pictures, with their numbers (from 1): blue raises "
                "the sum, orange lowers it."
            ),
            *([" ", say("Time goes to the right, high frequencies are above.")] if facts["is_sound"] else []),
        ),
        tag("div", *drawn, class_="gallery weights"),
    )


def _upright(rows: list[list[float]], is_sound: bool) -> list[list[float]]:
    """As the samples are seen: of a sound, moments by bands, high frequencies above."""
    return [list(band) for band in reversed(list(zip(*rows, strict=True)))] if is_sound else rows


def _answer(answer: str, confidence: float | None) -> Markup:
    said: dict[str, object] = {"answer": tag("strong", answer)}
    if confidence is None:
        return say("The answer: {answer}.", **said)
    return say("The answer: {answer}, confidence {share}.", share=f"{confidence:.3f}", **said)


def _answers(sample: dict[str, Any]) -> Markup:
    """Of all networks, and of the one that is looked into, if there are several."""
    own = _answer(sample["answer"], sample["confidence"])
    if sample["n_networks"] == 1:
        return tag("p", own)
    together = tag("p", _answer(sample["together"], sample["together_confidence"]))
    of_first = say("Of the first of {n} networks, which is looked into here:", n=sample["n_networks"])
    return join([together, tag("p", of_first, " ", own)])


def _sample(sample: dict[str, Any]) -> Markup:
    rows = [
        (
            _layer_name(layer["name"]),
            f"{len(layer['outputs']):,}",
            " ".join(with_minus(f"{value:.3g}") for value in layer["outputs"][:_MOST_OUTPUTS_SHOWN])
            + (" …" if len(layer["outputs"]) > _MOST_OUTPUTS_SHOWN else ""),
        )
        for layer in sample["layers"]
    ]
    shape = sample["shape"]
    drawn: object = ""
    if shape:
        mattered = _upright(_in_rows(sample["by_input"], shape), sample["is_sound"])
        seen = [picture(sample["picture"], sample["name"] or "")] if sample["picture"] else []
        drawn = tag("div", *seen, signed_picture(mattered), class_="gallery large")
    else:
        cells = sample["cells"]
        bars = [
            (f"{name} = {cells[name]}" if name in cells else name, value)
            for name, value in sample["mattered"]
        ]
        drawn = bars_chart(bars, say("gradient × input"))
    return tag(
        "section",
        tag("h2", say("Sample {n} (row {row}) through the network", n=sample["row"] + 1, row=sample["row"])),
        *([tag("p", tag("code", sample["name"]))] if sample["name"] else []),
        _answers(sample),
        *([tag("p", say("Its target: {target}.", target=sample["target"]))] if sample["target"] else []),
        tag("h3", say("Which inputs mattered")),
        tag(
            "p",
            say(
                "Gradient times input, for {what}: how much each raised (blue) or lowered (orange) its "
                "output, compared with what it is on the average.",
                what=sample["explained"],
            ),
        ),
        drawn,
        tag("h3", say("Layer by layer")),
        table((say("layer"), say("outputs"), say("their values")), rows, class_="values"),
    )


def _in_rows(values: list[float], shape: list[int]) -> list[list[float]]:
    """Values of pixels as rows; those of several channels added."""
    height, width, channels = shape[0], shape[1], prod(shape[2:])
    return [
        [sum(values[(row * width + column) * channels :][:channels]) for column in range(width)]
        for row in range(height)
    ]
