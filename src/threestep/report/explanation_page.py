"""The page of an explanation: what each layer makes of the samples, and one sample through the network."""

from math import prod
from pathlib import Path
from typing import Any

from threestep.report.charts import bars_chart, scatter_chart
from threestep.report.html import Markup, table, tag
from threestep.report.page import page_of
from threestep.report.pictures import signed_picture

_MOST_GROUPS = 10
_MOST_OUTPUTS_SHOWN = 64


def write_explanation(found: dict[str, Any], path: str | Path) -> None:
    """Write the page of an explanation.

    Parameters
    ----------
    found : dict
        As `threestep.study.plain_explanation` gives it.
    path : str or Path
        Of the HTML file.
    """
    Path(path).write_text(explanation_html(found), encoding="utf-8")


def explanation_html(found: dict[str, Any]) -> str:
    """The page as one HTML text that needs nothing from outside."""
    views, facts = found["views"], found["facts"]
    first, last = views[0], views[-1]
    others = facts["n_networks"] - 1
    main = tag(
        "main",
        tag(
            "header",
            tag("p", "what the layers learned", class_="over"),
            tag("h1", found["data"]),
            tag(
                "p",
                found["network"],
                f"; the first of {others + 1} networks that answer together" if others else "",
            ),
            tag("p", tag("strong", _verdict(first, last, facts["probe"]))),
        ),
        tag(
            "section",
            tag("h2", "How well each layer tells the answers apart"),
            *_probes(views, facts["probe"]),
        ),
        tag("section", tag("h2", "The samples as each layer sees them"), *_views(found)),
        _weights(found["pictures"]),
        _sample(found["sample"]) if found["sample"] else "",
    )
    return page_of(f"{found['data']}: what the layers learned", main)


def _verdict(first: dict[str, Any], last: dict[str, Any], score: str) -> str:
    if first is last:
        return f"There is no hidden layer; a linear function of the inputs has {score} {first['probe']:.3f}."
    own = f"A linear function of the inputs has {score} {first['probe']:.3f}"
    deep = f"one of the last hidden layer {last['probe']:.3f}"
    if last["probe"] > first["probe"]:
        return f"{own}, {deep}: that is what the hidden layers are there for."
    return f"{own} already, {deep}: the hidden layers make it no easier to tell the answers apart."


def _probes(views: list[dict[str, Any]], score: str) -> list[Markup]:
    rows = [(view["name"], f"{view['n_outputs']:,}", f"{view['probe']:.4f}") for view in views]
    return [
        bars_chart([(view["name"], view["probe"]) for view in views], f"{score} of a linear probe"),
        table(("layer", "outputs", f"{score} of a linear probe"), rows),
        tag(
            "p",
            "A linear probe is fitted to the outputs of a layer for half of the samples and judged on the "
            "other half; then the other way round.",
            class_="small",
        ),
    ]


def _views(found: dict[str, Any]) -> list[Markup]:
    names, groups = _groups(found["labels"])
    parts = []
    for view in found["views"]:
        charts = [scatter_chart(view["plane"], groups, names, "where they differ most (PCA)")]
        if view["neighbours"] is not None:
            charts.append(scatter_chart(view["neighbours"], groups, names, "neighbours together (t-SNE)"))
        units = "; ".join(
            f"{unit['unit'] + 1}: {', '.join(str(row + 1) for row in unit['rows'])}" for unit in view["units"]
        )
        parts.append(tag("h3", view["name"]))
        parts.append(tag("div", *charts, class_="charts"))
        parts.append(
            tag("p", f"Outputs that vary most, and the samples they answer to most: {units}.", class_="small")
        )
    return parts


def _groups(labels: list[str]) -> tuple[list[str], list[int]]:
    """Names of the groups, and of each sample its own; numbers by their thirds."""
    names = sorted(set(labels))
    if len(names) <= _MOST_GROUPS:
        return names, [names.index(label) for label in labels]
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        kept = sorted(sorted(names), key=lambda name: -labels.count(name))[: _MOST_GROUPS - 1]
        return [*kept, "others"], [kept.index(label) if label in kept else len(kept) for label in labels]
    ranked = sorted(numbers)
    low, high = ranked[len(ranked) // 3], ranked[2 * len(ranked) // 3]
    groups = [0 if number < low else 1 if number < high else 2 for number in numbers]
    return [f"below {low:g}", f"{low:g} to {high:g}", f"from {high:g}"], groups


def _weights(pictures: list[list[list[float]]]) -> Markup | str:
    if not pictures:
        return ""
    drawn = [
        tag("span", signed_picture(each, f"neuron {place}"), class_="weights")
        for place, each in enumerate(pictures, 1)
    ]
    return tag(
        "section",
        tag("h2", "What the first layer looks for"),
        tag("p", "The weights of its neurons or filters as pictures: blue raises the sum, orange lowers it."),
        tag("div", *drawn, class_="gallery"),
    )


def _sample(sample: dict[str, Any]) -> Markup:
    sure = "" if sample["confidence"] is None else f", confidence {sample['confidence']:.3f}"
    rows = [
        (
            layer["name"],
            f"{len(layer['outputs']):,}",
            " ".join(f"{value:.3g}" for value in layer["outputs"][:_MOST_OUTPUTS_SHOWN])
            + (" …" if len(layer["outputs"]) > _MOST_OUTPUTS_SHOWN else ""),
        )
        for layer in sample["layers"]
    ]
    shape = sample["shape"]
    drawn: object = ""
    if shape:
        drawn = tag(
            "div", signed_picture(_in_rows(sample["by_input"], shape), "what mattered"), class_="large"
        )
    else:
        drawn = bars_chart([(name, value) for name, value in sample["mattered"]], "gradient × input")
    return tag(
        "section",
        tag("h2", f"Sample {sample['row'] + 1} (row {sample['row']}) through the network"),
        tag("p", "The answer: ", tag("strong", sample["answer"]), sure, "."),
        tag("h3", "Which inputs mattered"),
        tag(
            "p",
            "Gradient times input: how much each raised (blue) or lowered (orange) the answer's output, "
            "compared with what it is on the average.",
        ),
        drawn,
        tag("h3", "Layer by layer"),
        table(("layer", "outputs", "their values"), rows, class_="tried"),
    )


def _in_rows(values: list[float], shape: list[int]) -> list[list[float]]:
    """Values of pixels as rows; those of several channels added."""
    height, width, channels = shape[0], shape[1], prod(shape[2:])
    return [
        [sum(values[(row * width + column) * channels :][:channels]) for column in range(width)]
        for row in range(height)
    ]
