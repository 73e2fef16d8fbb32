"""The page: the three steps of a run, read from its journal's events.

Every number on the page is in the journal; nothing is measured here.
"""

from collections.abc import Sequence
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Any

from threestep.report.charts import Curve, bars_chart, curves_chart, network_drawing
from threestep.report.data_check import data_check
from threestep.report.goodness import goodness, is_known, part_name
from threestep.report.html import Markup, join, table, tag
from threestep.report.tried import leaderboard_table, lineage_table, search_charts, space_in_words
from threestep.report.words import LANGUAGES, listed, say, translated

_MOST_COLUMNS_SHOWN = 40
_DESIGNED = "as people design them"

Event = dict[str, Any]


def write_report(events: Sequence[Event], path: str | Path, lang: str = "en") -> None:
    """Write the report of a finished run.

    Parameters
    ----------
    events : sequence of dict
        The journal's events, oldest first.
    path : str or Path
        Of the HTML file.
    lang : {"en", "zh-TW"}
        In which it is first seen; it holds both.
    """
    Path(path).write_text(report_html(events, lang), encoding="utf-8")


def report_html(events: Sequence[Event], lang: str = "en") -> str:
    """The report as one HTML text that needs nothing from outside."""
    by_name = {event["event"]: event for event in events}
    epochs = [event for event in events if event["event"] == "epoch"]
    searched = [event for event in events if event["event"] in ("rung", "designed", "final")]
    notes = [event for event in events if event["event"] == "note"]
    main = tag(
        "main",
        _summary(by_name),
        _function_set(by_name, [event for event in events if event["event"] == "designed"]),
        _section(
            2,
            say("Goodness of a function"),
            say("How good a function is, is a number: the loss on samples whose answer is known."),
            *goodness(by_name),
        ),
        _pick(by_name, epochs, searched, notes),
        data_check(by_name["start"], by_name.get("check")),
        _use(by_name["start"], by_name.get("check")),
    )
    return page_of(f"{by_name['start']['data']} in three steps", main, lang)


def page_of(title: str, main: Markup, lang: str = "en") -> str:
    """A whole page around its main part, in our style, with a switch of its language."""
    style = files("threestep.report").joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<link rel="icon" href="data:,">'),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", _switch(lang), main), lang=lang)


def _switch(lang: str) -> Markup:
    """Which language is seen; the style sheet does the rest."""
    choices = []
    for tag_of_language, name in LANGUAGES.items():
        checked = {"checked": ""} if tag_of_language == lang else {}
        button = tag("input", type="radio", name_="lang", id=f"lang-{tag_of_language}", **checked)
        own = tag("span", name, lang=tag_of_language)
        choices.append(tag("label", Markup(button.removesuffix("</input>")), own))
    return tag("fieldset", tag("legend", "Language / 語言"), *choices, class_="languages")


def _summary(by_name: dict[str, Event]) -> Markup:
    """The one number people look for, and what it was measured on."""
    start, scores = by_name["start"], by_name["scores"]["scores"]
    part = "test" if "test" in scores else "valid"
    row = scores[part]
    if "accuracy" in row:
        number, name = f"{100 * row['accuracy']:.1f} %", say("accuracy")
        ends = f"{100 * row['accuracy_low']:.1f}", f"{100 * row['accuracy_high']:.1f} %"
        sure = say("95 % interval {low} to {high}", low=ends[0], high=ends[1])
    else:
        number, name = f"{row['r2']:.3f}", say("R²")
        sure = say("typical error (RMSE) {rmse}", rmse=f"{row['rmse']:,.6g}")
        if is_known(row, "r2_low"):
            ends = {"low": f"{row['r2_low']:.3f}", "high": f"{row['r2_high']:.3f}"}
            sure = listed([say("95 % interval {low} to {high}", **ends), sure], "; ")
    facts = {"what": name, "n": f"{row['n_samples']:,}", "part": part_name(part)}
    measured = (
        say("{what} on {n} {part} sample", **facts)
        if row["n_samples"] == 1
        else say("{what} on {n} {part} samples", **facts)
    )
    notes = [tag("li", translated(note)) for note in start["notes"]]
    return tag(
        "header",
        tag("p", say("threestep report"), class_="over"),
        tag("h1", start["data"]),
        tag("p", _about(start)),
        tag("ul", *notes, class_="notes") if notes else "",
        tag(
            "p",
            tag("span", number, class_="big"),
            tag("span", measured, " · ", sure, class_="beside"),
            class_="score",
        ),
    )


def _about(start: Event) -> Markup:
    """What the samples are, and what is predicted."""
    target = start["target"]
    kinds = {"classes": say("{n} classes", n=len(target["classes"])), "labels": say("several labels")}
    facts = {
        "n": f"{sum(start['n_samples'].values()):,}",
        "inputs": f"{start['n_inputs']:,}",
        "target": target["name"],
        "kind": kinds.get(target["kind"], say("a number")),
        "reason": translated(target["reason"]),
    }
    return (
        say("{n} samples, {inputs} input each; {target} is {kind} ({reason}).", **facts)
        if start["n_inputs"] == 1
        else say("{n} samples, {inputs} inputs each; {target} is {kind} ({reason}).", **facts)
    )


def _section(number: int, title: Markup, question: Markup, *content: object) -> Markup:
    """One of the three steps."""
    heading = tag("h2", tag("span", number, class_="number"), tag("span", title))
    return tag("section", heading, tag("p", question, class_="question"), *content)


def _function_set(by_name: dict[str, Event], designed: Sequence[Event]) -> Markup:
    """Step 1: what could be tried, the network as a drawing and a table."""
    start, event = by_name["start"], by_name["function_set"]
    layers, others = event["layers"], event["others"]
    shapes = [layers[0]["shape_in"], *(layer["shape_out"] for layer in layers)]
    widths = [prod(shape) for shape in shapes]
    names = [
        say("inputs"),
        *(translated(layer["what"].split(" ", 1)[-1]) for layer in layers[:-1]),
        say("outputs"),
    ]
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
    is_drawn = len(widths) <= 9 and all(len(shape) == 1 for shape in shapes[1:])
    drawing = network_drawing(widths, names) if is_drawn else ""
    return _section(
        1,
        say("Define a set of functions"),
        say("The structure of the network fixes which functions can be picked at all."),
        _what_was_tried(by_name["space"], designed) if "space" in by_name else "",
        drawing,
        table((say("layer"), say("what"), say("inputs → outputs"), say("params")), rows),
        tag(
            "p",
            say(
                "It sees the columns themselves. Others were tried that also see, for each number, how far "
                "through each of several bins it is."
            ),
        )
        if widths[0] < start["n_inputs"]
        else "",
        tag(
            "p",
            say(
                "Its answers are averaged with those of {n} more: {others}. All together: {params} params.",
                n=len(others),
                others=_counted(others),
                params=f"{event['n_params']:,}",
            ),
        )
        if others
        else "",
        _layers(by_name["details"]),
    )


def _counted(texts: Sequence[str]) -> Markup:
    """Equal ones once: 3 × 8 → 16 relu → 2; 8 → 2."""
    counts = {text: texts.count(text) for text in dict.fromkeys(texts)}
    return listed((f"{n} × ({text})" if n > 1 else text for text, n in counts.items()), "; ")


def _what_was_tried(space: Event, designed: Sequence[Event]) -> Markup:
    """Which networks the search could propose, and how many others there were."""
    n_varied = sum(event.get("change", _DESIGNED) != _DESIGNED for event in designed)
    beside = say("Beside them {n} with convolutions, as people design them.", n=len(designed))
    if n_varied:
        beside = say(
            "Beside them {n} with convolutions: some as people design them, {varied} drawn at random, varied "
            "from the best or trained anew.",
            n=len(designed),
            varied=n_varied,
        )
    here = say("This is the one that was picked:")
    return tag("p", space_in_words(space), " ", *((beside, " ") if designed else ()), here)


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


def _size(shape: Sequence[int]) -> str:
    """A shape for people: 28 × 28 × 8."""
    return " × ".join(f"{side:,}" for side in shape)


def _pick(by_name: dict[str, Event], epochs: Sequence[Event], *searched: Sequence[Event]) -> Markup:
    """Step 3: what was tried, the curves and why descent ended."""
    pick, is_classes = by_name["pick"], by_name["start"]["target"]["kind"] == "classes"
    best = pick["best_epoch"]
    losses = [
        Curve(say("train"), [epoch["train_loss"] for epoch in epochs]),
        Curve(say("valid"), [epoch["valid_loss"] for epoch in epochs]),
    ]
    charts = [curves_chart(losses, say("loss"), best)]
    if is_classes:
        shares = [Curve(say("valid"), [epoch["valid_score"] for epoch in epochs])]
        charts.append(curves_chart(shares, say("accuracy"), best))
    rates = [epoch["learning_rate"] for epoch in epochs]
    charts.append(curves_chart([Curve(say("rate"), rates)], say("learning rate")))
    sizes = [epoch["gradient_norm"] for epoch in epochs]
    if any(size is not None for size in sizes):  # a search does not measure it
        charts.append(curves_chart([Curve(say("size"), sizes)], say("gradient size")))
    seconds = listed(
        say("{name} {n} s", name=say(name), n=f"{value:.1f}")
        for name, value in by_name["end"]["seconds"].items()
    )
    return _section(
        3,
        say("Pick the best function"),
        say(
            "Gradient descent picks the params of one network; a search does so for many, and picks the "
            "network."
        ),
        _search(by_name, *searched),
        tag("p", _passes(pick)),
        tag("div", *charts, class_="charts"),
        _steepness(by_name["details"]),
        tag(
            "p",
            say(
                "Seconds: {seconds}. The training loss is measured while training, dropout and label "
                "smoothing included, so it can lie above the validation loss.",
                seconds=seconds,
            ),
            class_="small",
        ),
    )


def _passes(pick: Event) -> Markup:
    """How far the descent went, what was kept, and why it ended."""
    facts = {"n": pick["n_epochs"], "kept": _kept(pick), "why": translated(pick["why"])}
    if pick["n_epochs"] == 1:
        return say(
            "Gradient descent went through the training samples once; {kept} Ended because: {why}.", **facts
        )
    return say(
        "Gradient descent went through the training samples {n} times; {kept} Ended because: {why}.", **facts
    )


def _kept(pick: Event) -> Markup:
    """Which params were kept, and why."""
    if pick["best_epoch"]:
        return say(
            "the params of epoch {n} have the lowest validation loss and are the ones kept.",
            n=pick["best_epoch"],
        )
    if pick["outcome"] == "out_of_time" and pick["n_epochs"] == 0:
        return say("there was no time for a whole epoch.")
    return say("no epoch ended with a finite validation loss, so these are the params it started from.")


def _steepness(details: Event) -> Markup:
    """How steep the loss is in each layer, and how far its weights have come."""
    known = details.get("layers")
    if not known or not known["gradients"]:
        return Markup("")
    rows = [
        (
            say("hidden {n}", n=at) if at < len(known["gradients"]) else say("output"),
            f"{own['weights']:.3g}",
            f"{own['gradient']:.3g}",
            f"{own['update']:.2g}",
        )
        for at, own in enumerate(known["gradients"], start=1)
        if own is not None  # a layer without weights
    ]
    about = say(
        "At the picked params, over {n} training samples. Gradients that shrink from the output to the first "
        "layer vanish, those that grow explode. The last column is what a first step at the highest "
        "learning rate in the chart above would change.",
        n=f"{known['n_samples']:,}",
    )
    head = (
        say("layer"),
        say("size of its weights"),
        say("size of their gradient"),
        say("a step changes them by (share)"),
    )
    return join(
        [tag("h3", say("The gradient in each layer")), tag("p", about, class_="small"), table(head, rows)]
    )


def _search(by_name: dict[str, Event], searched: Sequence[Event], notes: Sequence[Event]) -> Markup:
    """What was tried, if there was a search."""
    if "leaderboard" not in by_name:
        return Markup("")
    board = by_name["leaderboard"]
    rows, picked = board["rows"], board["picked"]
    told = [*([] if rows else [board]), *notes]
    return join(
        [
            tag("div", *search_charts(searched, rows, picked), class_="charts"),
            leaderboard_table(rows, picked, board["n_tried"]) if rows else "",
            lineage_table(rows, picked),
            *(tag("p", tag("strong", say("Note:"), " "), translated(each["text"])) for each in told),
            tag("h3", say("The last descent of the picked one")),
        ]
    )


def _wanted(columns: Sequence[tuple[str, str]]) -> Markup:
    """What new samples must have."""
    if not columns:
        return Markup("")
    shown = [f"{name} ({kind})" for name, kind in columns[:_MOST_COLUMNS_SHOWN]]
    more = [f"… ({len(columns)})"] if len(columns) > len(shown) else []
    return tag(
        "p", say("New samples need the columns {columns}.", columns=listed([*shown, *more])), class_="small"
    )


def _use(start: Event, check: Event | None) -> Markup:
    """How to use the model and how to repeat the run."""
    command = "threestep predict FOLDER DATA"
    code = 'import threestep as ts\nmodel = ts.load("model.safetensors")\nmodel.predict(x)'
    versions = listed(f"{name} {number}" for name, number in start["versions"].items())
    return tag(
        "footer",
        tag("h2", say("Use it")),
        tag("pre", code),
        _wanted(start["columns"]),
        tag("pre", command),
        tag("p", say("For other programs, as one ONNX file: columns in, answers out."), class_="small"),
        tag("pre", "threestep export FOLDER"),
        tag(
            "p",
            say(
                "To repeat the run: config.toml has every setting (seed {seed}); made with {versions}.",
                seed=start["seed"],
                versions=versions,
            ),
            class_="small",
        ),
        tag(
            "p",
            say("The data had the SHA-256 {hash} (samples, targets and names).", hash=check["hash"]),
            class_="small hash",
        )
        if check
        else "",
    )
