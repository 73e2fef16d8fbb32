"""The page: the three steps of a run, read from its journal's events.

Every number on the page is in the journal; nothing is measured here.
"""

from collections.abc import Sequence
from importlib.resources import files
from math import isfinite, prod
from pathlib import Path
from typing import Any

from threestep.report.charts import Curve, curves_chart, network_drawing, picture, reliability_chart
from threestep.report.html import Markup, join, table, tag
from threestep.report.tried import leaderboard_table, lineage_table, search_charts, space_in_words

Event = dict[str, Any]

_MOST_CLASSES_IN_MATRIX = 30


def write_report(events: Sequence[Event], path: str | Path) -> None:
    """Write the report of a finished run.

    Parameters
    ----------
    events : sequence of dict
        The journal's events, oldest first.
    path : str or Path
        Of the HTML file.
    """
    Path(path).write_text(report_html(events), encoding="utf-8")


def report_html(events: Sequence[Event]) -> str:
    """The report as one HTML text that needs nothing from outside."""
    by_name = {event["event"]: event for event in events}
    epochs = [event for event in events if event["event"] == "epoch"]
    rungs = [event for event in events if event["event"] == "rung"]
    notes = [event for event in events if event["event"] == "note"]
    main = tag(
        "main",
        _summary(by_name),
        _function_set(by_name, sum(event["event"] == "designed" for event in events)),
        _goodness(by_name),
        _pick(by_name, epochs, rungs, notes),
        _use(by_name["start"]),
    )
    return page_of(f"{by_name['start']['data']} in three steps", main)


def page_of(title: str, main: Markup) -> str:
    """A whole page around its main part, in our style."""
    style = files("threestep.report").joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<link rel="icon" href="data:,">'),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", main), lang="en")


def _summary(by_name: dict[str, Event]) -> Markup:
    """The one number people look for, and what it was measured on."""
    start, scores = by_name["start"], by_name["scores"]["scores"]
    part = "test" if "test" in scores else "valid"
    row = scores[part]
    target = start["target"]
    if "accuracy" in row:
        number, name = f"{100 * row['accuracy']:.1f} %", f"accuracy on {row['n_samples']:,} {part} samples"
        sure = f"95 % interval {100 * row['accuracy_low']:.1f} to {100 * row['accuracy_high']:.1f} %"
    else:
        number, name = f"{row['r2']:.3f}", f"R² on {row['n_samples']:,} {part} samples"
        sure = f"typical error (RMSE) {row['rmse']:,.6g}"
        if _is_known(row, "r2_low"):
            sure = f"95 % interval {row['r2_low']:.3f} to {row['r2_high']:.3f}; {sure}"
    kinds = {"classes": f"{len(target['classes'])} classes", "labels": "several labels"}
    kind = kinds.get(target["kind"], "a number")
    n_samples = sum(start["n_samples"].values())
    about = (
        f"{n_samples:,} samples, {start['n_inputs']:,} inputs each; "
        f"{target['name']} is {kind} ({target['reason']})."
    )
    notes = [tag("li", note) for note in start["notes"]]
    return tag(
        "header",
        tag("p", "threestep report", class_="over"),
        tag("h1", start["data"]),
        tag("p", about),
        tag("ul", *notes, class_="notes") if notes else "",
        tag(
            "p",
            tag("span", number, class_="big"),
            tag("span", name, " · ", sure, class_="beside"),
            class_="score",
        ),
    )


def _section(number: int, title: str, question: str, *content: object) -> Markup:
    """One of the three steps."""
    heading = tag("h2", tag("span", number, class_="number"), title)
    return tag("section", heading, tag("p", question, class_="question"), *content)


_FEWER_INPUTS = (
    "It sees the columns themselves. Others were tried that also see, for each number, how far through each "
    "of several bins it is."
)


def _function_set(by_name: dict[str, Event], n_designed: int) -> Markup:
    """Step 1: what could be tried, the network as a drawing and a table."""
    start, event = by_name["start"], by_name["function_set"]
    layers, others = event["layers"], event["others"]
    shapes = [layers[0]["shape_in"], *(layer["shape_out"] for layer in layers)]
    widths = [prod(shape) for shape in shapes]
    names = ["inputs", *(layer["what"].split(" ", 1)[-1] for layer in layers[:-1]), "outputs"]
    rows = [
        (
            f"hidden {index}" if index < len(layers) else "output",
            layer["what"],
            f"{_size(layer['shape_in'])} → {_size(layer['shape_out'])}",
            f"{layer['n_params']:,}",
        )
        for index, layer in enumerate(layers, start=1)
    ]
    rows.append(("all", "", "", f"{sum(layer['n_params'] for layer in layers):,}"))
    is_drawn = len(widths) <= 9 and all(len(shape) == 1 for shape in shapes[1:])
    drawing = network_drawing(widths, names) if is_drawn else ""
    return _section(
        1,
        "Define a set of functions",
        "The structure of the network fixes which functions can be picked at all.",
        tag("p", space_in_words(by_name["space"]), _beside(n_designed), " This is the one that was picked:")
        if "space" in by_name
        else "",
        drawing,
        table(("layer", "what", "inputs → outputs", "params"), rows),
        tag("p", _FEWER_INPUTS) if widths[0] < start["n_inputs"] else "",
        tag(
            "p",
            f"Its answers are averaged with those of {len(others)} more: {'; '.join(others)}. ",
            f"All together: {event['n_params']:,} params.",
        )
        if others
        else "",
    )


def _beside(n_designed: int) -> str:
    """How many networks were tried that no search proposed."""
    if n_designed == 0:
        return ""
    what = "network" if n_designed == 1 else "networks"
    return f" Beside them {n_designed} {what} with convolutions, as people design them."


def _size(shape: Sequence[int]) -> str:
    """A shape for people: 28 × 28 × 8."""
    return " × ".join(f"{side:,}" for side in shape)


_METRICS = (
    ("loss", "loss", "{loss:.4f}"),
    ("total_loss", "total loss", "{total_loss:,.2f}"),
    ("accuracy", "accuracy", "{accuracy:.4f}"),
    ("accuracy_low", "95 % interval", "{accuracy_low:.3f} to {accuracy_high:.3f}"),
    ("balanced_accuracy", "balanced accuracy", "{balanced_accuracy:.4f}"),
    ("f1", "F1", "{f1:.4f}"),
    ("auc", "AUC", "{auc:.4f}"),
    ("ece", "calibration error", "{ece:.4f}"),
    ("label_accuracy", "accuracy of single labels", "{label_accuracy:.4f}"),
    ("r2", "R²", "{r2:.4f}"),
    ("r2_low", "95 % interval", "{r2_low:.3f} to {r2_high:.3f}"),
    ("rmse", "RMSE", "{rmse:,.6g}"),
    ("rmse_low", "95 % interval", "{rmse_low:,.6g} to {rmse_high:,.6g}"),
    ("mae", "MAE", "{mae:,.6g}"),
)
"""Key in the scores, name, how it is written."""
_IN_FOLDS = (
    "Valid are all samples but the test ones, each judged by the networks of the folds that did not learn "
    "from it."
)


def _goodness(by_name: dict[str, Event]) -> Markup:
    """Step 2: scores on every part, what is confused, the worst samples."""
    goodness, scores = by_name["goodness"], by_name["scores"]["scores"]
    loss = goodness["loss"].replace("_", "-")
    known = [metric for metric in _METRICS if any(_is_known(row, metric[0]) for row in scores.values())]
    head = ("samples of", "count", *(name for _, name, _ in known))
    rows = [
        (
            part,
            f"{row['n_samples']:,}",
            *(form.format_map(row) if _is_known(row, key) else "" for key, _, form in known),
        )
        for part, row in scores.items()
    ]
    is_folded = any("n_folds" in row for row in scores.values())
    return _section(
        2,
        "Goodness of a function",
        f"The loss is {loss}: per sample, lower is better; knowing nothing gives "
        f"{goodness['guess_loss']:.3f}. The total loss is the sum over the samples.",
        table(head, rows),
        tag("p", _IN_FOLDS, class_="small") if is_folded else "",
        _luck(by_name.get("luck"), scores.get("valid", {})),
        _confusion(by_name["start"]["target"]["classes"], by_name["details"]),
        _by_class(by_name["start"]["target"]["classes"], by_name["details"]),
        _calibration(by_name["details"]),
        _worst(by_name["details"]),
    )


def _is_known(row: Event, key: str) -> bool:
    """Whether a score is there; what is not finite is None in the journal."""
    return row.get(key) is not None and isfinite(row[key])


def _luck(luck: Event | None, valid: Event) -> Markup:
    """The validation score, and what is left of it without the luck of the best of many."""
    if luck is None:
        return Markup("")
    names = (("accuracy", "accuracy"), ("r2", "R²"), ("loss", "loss"))
    known = [(name, key) for key, name in names if f"corrected_{key}" in valid]
    said = " and ".join(f"{name} {valid[key]:.4f}" for name, key in known)
    left = " and ".join(f"{name} {valid[f'corrected_{key}']:.4f}" for name, key in known)
    return tag(
        "p",
        f"The validation samples picked the best of {luck['n_tried']:,}, which may be luck: {said}. "
        f"Picked by some of them and judged by the others, over and over, it comes to {left}. "
        "The test samples had no part in any choice.",
        class_="small",
    )


def _confusion(classes: Sequence[object], details: Event) -> Markup:
    """Which class was taken for which."""
    counts = details.get("confusion")
    if counts is None or len(classes) > _MOST_CLASSES_IN_MATRIX:
        return Markup("")
    lines = []
    for right, row in enumerate(counts):
        total = sum(row) or 1
        cells = []
        for taken, count in enumerate(row):
            kind = "hit" if taken == right else "miss"
            shade = Markup(f"--share:{count / total:.3f}")
            cells.append(tag("td", count or "·", class_=kind if count else "none", style=shade))
        lines.append(tag("tr", tag("th", classes[right], scope="row"), *cells))
    head = tag(
        "tr", tag("th", "is \\ taken for", scope="col"), *(tag("th", name, scope="col") for name in classes)
    )
    return join(
        [
            tag("h3", f"What is taken for what ({details['part']} samples)"),
            tag(
                "div",
                tag("table", tag("thead", head), tag("tbody", *lines), class_="matrix"),
                class_="scroll",
            ),
        ]
    )


def _by_class(classes: Sequence[object], details: Event) -> Markup:
    """How good the answers are, class by class; the weakest first."""
    known = details.get("by_class")
    if known is None:
        return Markup("")
    order = sorted(range(len(classes)), key=lambda place: known[place]["f1"])
    rows = [
        (
            classes[place],
            f"{known[place]['n_samples']:,}",
            *(f"{known[place][key]:.3f}" for key in ("precision", "recall", "f1")),
        )
        for place in order[:_MOST_CLASSES_IN_MATRIX]
    ]
    what = "Class by class" if len(order) == len(rows) else f"The {len(rows)} weakest classes"
    title = tag("h3", f"{what}, the weakest first ({details['part']} samples)")
    return join([title, table(("class", "samples", "precision", "recall", "F1"), rows)])


def _calibration(details: Event) -> Markup:
    """How sure the answers are, and how many of them are right, before and after the correction."""
    known = details.get("calibration")
    if known is None:
        return Markup("")
    names = ["after"] if details["temperature"] == 1 else ["before", "after"]
    lines = [
        reliability_chart(
            [(each["confidence"], each["accuracy"], each["n_samples"]) for each in known[name]],
            "confidence and accuracy" + (f", {name} the correction" if len(names) > 1 else ""),
        )
        for name in names
    ]
    about = f"All outputs are divided by {details['temperature']:.3g}, learned on the samples that chose."
    return join(
        [
            tag("h3", f"Is it as sure as it should be? ({details['part']} samples)"),
            tag("p", about if len(names) > 1 else "The confidences are not corrected.", class_="small"),
            tag("div", *lines, class_="charts"),
        ]
    )


def _worst(details: Event) -> Markup:
    """The samples with the largest loss."""
    worst = details["worst"]
    title = tag("h3", f"The {len(worst)} worst of the {details['part']} samples")
    pictures = details.get("pictures")
    if pictures:
        cards = [
            tag(
                "figure",
                picture(rows, f"a {sample['target']} taken for {sample['predicted']}"),
                tag(
                    "figcaption",
                    f"{sample['target']} → {sample['predicted']}",
                    Markup("<br>"),
                    f"loss {sample['loss']:.2f}",
                ),
                class_="miss" if sample["target"] != sample["predicted"] else "hit",
            )
            for rows, sample in zip(pictures, worst, strict=True)
        ]
        return join([title, tag("div", *cards, class_="cards")])
    rows = [
        (index, sample["target"], sample["predicted"], f"{sample['loss']:.3f}")
        for index, sample in enumerate(worst, start=1)
    ]
    return join([title, table(("", "target", "predicted", "loss"), rows)])


def _pick(by_name: dict[str, Event], epochs: Sequence[Event], *searched: Sequence[Event]) -> Markup:
    """Step 3: what was tried, the curves and why descent ended."""
    pick, is_classes = by_name["pick"], by_name["start"]["target"]["kind"] == "classes"
    best = pick["best_epoch"]
    losses = [
        Curve("train", [epoch["train_loss"] for epoch in epochs]),
        Curve("valid", [epoch["valid_loss"] for epoch in epochs]),
    ]
    charts = [curves_chart(losses, "loss", best)]
    if is_classes:
        shares = [Curve("valid", [epoch["valid_score"] for epoch in epochs])]
        charts.append(curves_chart(shares, "accuracy", best))
    charts.append(
        curves_chart([Curve("rate", [epoch["learning_rate"] for epoch in epochs])], "learning rate")
    )
    sizes = [epoch["gradient_norm"] for epoch in epochs]
    if any(size is not None for size in sizes):  # a search does not measure it
        charts.append(curves_chart([Curve("size", sizes)], "gradient size"))
    kept = (
        f"the params of epoch {best} have the lowest validation loss and are the ones kept."
        if best
        else "no epoch ended with a finite validation loss, so these are the params it started from."
    )
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in by_name["end"]["seconds"].items())
    return _section(
        3,
        "Pick the best function",
        "Gradient descent picks the params of one network; a search does so for many, and picks the network.",
        _search(by_name, *searched),
        tag(
            "p",
            f"Gradient descent went through the training samples {pick['n_epochs']} times; {kept} "
            f"Ended because: {pick['why']}.",
        ),
        tag("div", *charts, class_="charts"),
        tag(
            "p",
            f"Seconds: {seconds}. The training loss is measured while training, dropout and label "
            "smoothing included, so it can lie above the validation loss.",
            class_="small",
        ),
    )


def _search(by_name: dict[str, Event], rungs: Sequence[Event], notes: Sequence[Event]) -> Markup:
    """What was tried, if there was a search."""
    if "leaderboard" not in by_name:
        return Markup("")
    rows, picked = by_name["leaderboard"]["rows"], by_name["leaderboard"]["picked"]
    return join(
        [
            tag("div", *search_charts(rungs, rows, picked), class_="charts"),
            leaderboard_table(rows, by_name["leaderboard"]["n_tried"]),
            lineage_table(rows, picked),
            *(tag("p", tag("strong", "Note: "), note["text"]) for note in notes),
            tag("h3", "The last descent of the picked one"),
        ]
    )


def _use(start: Event) -> Markup:
    """How to use the model and how to repeat the run."""
    command = "threestep predict FOLDER DATA"
    code = 'import threestep as ts\nmodel = ts.load("model.safetensors")\nmodel.predict(x)'
    versions = ", ".join(f"{name} {number}" for name, number in start["versions"].items())
    return tag(
        "footer",
        tag("h2", "Use it"),
        tag("pre", code),
        tag("pre", command),
        tag(
            "p",
            f"To repeat the run: config.toml has every setting (seed {start['seed']}); made with {versions}.",
            class_="small",
        ),
    )
