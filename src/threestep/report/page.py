"""The page: the three steps of a run, read from its journal's events.

Every number on the page is in the journal; nothing is measured here.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from threestep.report.charts import Curve, curves_chart
from threestep.report.data_check import data_check
from threestep.report.function_set import function_set
from threestep.report.goodness import goodness
from threestep.report.headline import nothing_learned, summary
from threestep.report.html import Markup, join, table, tag
from threestep.report.leaderboard import leaderboard_table, lineage_table
from threestep.report.sections import section
from threestep.report.tried import search_charts
from threestep.report.words import LANGUAGES, listed, say, translated

_MOST_COLUMNS_SHOWN = 40

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
        summary(by_name),
        function_set(by_name, searched),
        section(
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


def _pick(by_name: dict[str, Event], epochs: Sequence[Event], *searched: Sequence[Event]) -> Markup:
    """Step 3: what was tried, the curves and why descent ended."""
    return section(
        3,
        say("Pick the best function"),
        say(
            "Gradient descent picks the params of one network; a search does so for many, and picks the "
            "network."
        ),
        _search(by_name, *searched),
        tag("p", _passes(by_name["pick"])),
        tag("div", *_curves(by_name, epochs), class_="charts") if epochs else "",
        "" if nothing_learned(by_name) else _steepness(by_name["details"]),
        tag("p", _seconds(by_name, epochs), class_="small"),
    )


def _curves(by_name: dict[str, Event], epochs: Sequence[Event]) -> list[Markup]:
    """Losses, scores, rates and gradients, epoch by epoch."""
    is_classes, best = by_name["start"]["target"]["kind"] == "classes", by_name["pick"]["best_epoch"]
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
    return charts


def _seconds(by_name: dict[str, Event], epochs: Sequence[Event]) -> Markup:
    """How long each stage took."""
    seconds = listed(
        say("{name} {n} s", name=say(name), n=f"{value:.1f}")
        for name, value in by_name["end"]["seconds"].items()
    )
    if not epochs:
        return say("Seconds: {seconds}.", seconds=seconds)
    return say(
        "Seconds: {seconds}. The training loss is measured while training, dropout and label smoothing "
        "included, so it can lie above the validation loss.",
        seconds=seconds,
    )


def _passes(pick: Event) -> Markup:
    """How far the descent went, what was kept, and why it ended."""
    facts = {"n": f"{pick['n_epochs']:,}", "kept": _kept(pick), "why": translated(pick["why"])}
    if pick["n_epochs"] == 0 and pick["outcome"] == "out_of_time":
        return say(
            "Gradient descent ended because: {why}; there was no time for a whole epoch.", why=facts["why"]
        )
    if pick["n_epochs"] == 0:
        return say("No epoch of gradient descent was done. Ended because: {why}.", why=facts["why"])
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
        "learning rate above would change.",
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
    charts = search_charts(searched, rows, picked)
    return join(
        [
            tag("div", *charts, class_="charts") if charts else "",
            leaderboard_table(by_name) if rows else "",
            lineage_table(rows, picked),
            *(tag("p", tag("strong", say("Note:"), " "), translated(each["text"])) for each in notes),
            tag("h3", say("The last descent of the picked one")) if rows else "",
        ]
    )


def _wanted(columns: Sequence[tuple[str, str]]) -> Markup:
    """What new samples must have."""
    if not columns:
        return Markup("")
    shown = [
        say("{name} ({what})", name=name, what=translated(kind))
        for name, kind in columns[:_MOST_COLUMNS_SHOWN]
    ]
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
