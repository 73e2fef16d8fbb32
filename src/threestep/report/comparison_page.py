"""The page of a comparison: the verdict, the table, the errors as a chart, how it was made."""

from pathlib import Path
from typing import Any

from threestep.report.charts import Interval, intervals_chart
from threestep.report.html import Markup, table, tag
from threestep.report.page import page_of
from threestep.report.words import listed, say, translated

_QUESTIONS = {
    "depth": "Deep or wide? Networks of equal params, from one fat layer to many thin ones.",
    "width": "How wide? One hidden layer of growing width.",
    "residual": "Do residuals help? Stacks of equal layers, plain and with residuals.",
}
_CLEARLY = 0.05


def write_comparison(found: dict[str, Any], path: str | Path, lang: str = "en") -> None:
    """Write the page of a comparison.

    Parameters
    ----------
    found : dict
        What `threestep.study.Comparison` holds, as plain data, and of each outcome its errors as text.
    path : str or Path
        Of the HTML file.
    lang : {"en", "zh-TW"}
        In which it is first seen.
    """
    Path(path).write_text(comparison_html(found, lang), encoding="utf-8")


def comparison_html(found: dict[str, Any], lang: str = "en") -> str:
    """The page as one HTML text that needs nothing from outside."""
    outcomes, facts = found["outcomes"], found["facts"]
    is_share = found["error"] == "wrong answers"
    factor, unit = (100.0, "%") if is_share else (1.0, "")
    intervals = [
        Interval(
            translated(each["name"]),
            each["mean"] * factor,
            each["low"] * factor,
            each["high"] * factor,
            _kind(each),
        )
        for each in outcomes
    ]
    error = say(found["error"])
    head = (
        say("layers × neurons"),
        say("params"),
        error,
        say("95 % interval"),
        say("compared with"),
        say("difference"),
        say("chance"),
        say("learning rate"),
    )
    rows = [_row(each, outcomes, place, is_share) for place, each in enumerate(outcomes)]
    what = say("{what} in {unit}", what=error, unit=unit) if unit else error
    label = say("{what}: mean and 95 % interval of {n} divisions", what=what, n=facts["n_divisions"])
    main = tag(
        "main",
        tag(
            "header",
            tag("p", say("threestep study"), class_="over"),
            tag("h1", found["data"]),
            tag("p", say(_QUESTIONS[found["by"]])),
            tag("p", tag("strong", translated(found["verdict"]))),
            *(tag("p", translated(note), class_="small") for note in facts["notes"]),
        ),
        tag("section", tag("div", intervals_chart(intervals, label), class_="charts"), table(head, rows)),
        tag("section", tag("h2", say("How it was made")), *_method(facts)),
    )
    return page_of(f"{found['data']}: {found['by']}", main, lang)


def _kind(each: dict[str, Any]) -> str:
    """Better, worse, or no different."""
    if each["probability"] >= _CLEARLY:
        return "usual"
    return "picked" if each["gain"] > 0 else "worse"


def _row(
    each: dict[str, Any], outcomes: list[dict[str, Any]], place: int, is_share: bool
) -> tuple[object, ...]:
    own = (translated(each["name"]), f"{each['n_params']:,}", tag("strong", each["shown"]["mean"]))
    own = (*own, say("{low} to {high}", low=each["shown"]["low"], high=each["shown"]["high"]))
    rate = f"{each['learning_rate']:g}"
    if each["rival"] == place:
        return (*own, "", "", "", rate)
    chance = f"{each['probability']:.2g}" if each["probability"] >= 1e-4 else "< 0.0001"
    return (*own, translated(outcomes[each["rival"]]["name"]), _difference(each, is_share), chance, rate)


def _difference(each: dict[str, Any], is_share: bool) -> object:
    """By how much the error is above that of the other: below 0 is better."""
    sign = "\u2212" if each["gain"] > 0 else "+" if each["gain"] < 0 else ""
    if is_share:
        points = f"{100 * abs(each['gain']):.2f}"
        return say("{n} points", n=points if float(points) == 0 else sign + points)
    return sign + each["shown"]["gain"].removeprefix("-")


def _method(facts: dict[str, Any]) -> list[Markup]:
    rates = listed(f"{rate:g}" for rate in facts["rates"])
    return [
        tag(
            "p",
            say(
                "The {n} samples were divided {times} times at random into {train} to learn from, {valid} to "
                "choose the epoch by, and {test} that only measured. Each network was trained once on each "
                "division, for {epochs} epochs in batches of {batch}, with {activation} in its hidden layers "
                "and the one of the rates {rates} that suited it best on the validation samples of the first "
                "divisions. All this took {seconds} s.",
                n=f"{facts['n_samples']:,}",
                times=facts["n_divisions"],
                train=f"{facts['n_train']:,}",
                valid=f"{facts['n_valid']:,}",
                test=f"{facts['n_test']:,}",
                epochs=facts["epochs"],
                batch=facts["batch_size"],
                activation=facts["activation"],
                rates=rates,
                seconds=f"{facts['seconds']:.0f}",
            ),
        ),
        tag(
            "p",
            say(
                "Intervals and chances are those of the corrected resampled t-test (Nadeau & Bengio 2003): "
                "the divisions share samples, and a usual t-test would find differences that are not there. "
                "The chances are corrected for as many comparisons as there are (Holm 1979)."
            ),
        ),
    ]
