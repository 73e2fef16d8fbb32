"""Step 2 on the page: scores on every part, what is confused, the worst samples, which columns matter."""

from typing import Any

from threestep.report.bars import bars_chart
from threestep.report.charts import answers_chart, reliability_chart
from threestep.report.confusion import by_class, confusion
from threestep.report.headline import nothing_learned
from threestep.report.html import Markup, join, tag
from threestep.report.numbers import written
from threestep.report.samples import label_errors, worst
from threestep.report.scores import by_target, luck, part_name, scores_table, without_auc
from threestep.report.words import Text, say, translated

Event = dict[str, Any]

_ENOUGH_FOR_TAILS, _ENOUGH_FOR_HALVES = 20, 4  # samples, for a twentieth or a quarter of them to be one


def goodness(by_name: dict[str, Event]) -> list[Markup]:
    """What there is to say of how good the picked function is, in the order in which it is read; only the
    scores where nothing was learned."""
    scores, details, target = by_name["scores"]["scores"], by_name["details"], by_name["start"]["target"]
    classes, row = target["classes"], scores[details["part"]]
    is_folded = any("n_folds" in row for row in scores.values())
    in_folds = say(
        "Valid are all samples but the test ones, each judged by the networks of the folds that did not "
        "learn from it."
    )
    measured = [
        tag("p", _loss(by_name["goodness"])),
        scores_table(scores, target),
        *without_auc(scores),
        tag("p", in_folds, class_="small") if is_folded else Markup(""),
    ]
    if nothing_learned(by_name):
        return measured
    return [
        *measured,
        by_target(details, details["part"]),
        luck(by_name, scores.get("valid", {})),
        confusion(classes, details),
        by_class(classes, details),
        _calibration(details),
        _residuals(details, row["n_samples"]),
        worst(details, target, row["n_samples"]),
        label_errors(details),
        _importance(details),
    ]


def _loss(event: Event) -> Text:
    """What is measured, and what knowing nothing gives."""
    facts = {"loss": translated(event["loss"].replace("_", "-")), "guess": f"{event['guess_loss']:.3f}"}
    if event["loss"] == "squared_error":
        return say(
            "The loss is {loss}, half the square of the error in standard deviations of the target: per "
            "sample, lower is better; knowing nothing gives {guess}. The total loss is the sum over the "
            "samples.",
            **facts,
        )
    return say(
        "The loss is {loss}: per sample, lower is better; knowing nothing gives {guess}. The total loss is "
        "the sum over the samples.",
        **facts,
    )


def _calibration(details: Event) -> Markup:
    """How sure the answers are, and how many of them are right, before and after the correction."""
    known = details.get("calibration")
    if known is None:
        return Markup("")
    is_corrected = details["temperature"] != 1
    labels = {
        "before": say("confidence and accuracy, before the correction"),
        "after": say("confidence and accuracy, after the correction")
        if is_corrected
        else say("confidence and accuracy"),
    }
    charts = [
        _reliability(
            [(each["confidence"], each["accuracy"], each["n_samples"]) for each in known[name]], labels[name]
        )
        for name in (("before", "after") if is_corrected else ("after",))
    ]
    about = say(
        "All outputs are divided by {temperature}, learned on the samples that chose.",
        temperature=f"{details['temperature']:.3g}",
    )
    title = say("Is it as sure as it should be? ({part} samples)", part=part_name(details["part"]))
    return join(
        [
            tag("h3", title),
            tag("p", about if is_corrected else say("The confidences are not corrected."), class_="small"),
            tag("div", *charts, class_="charts"),
        ]
    )


def _reliability(bins: list[tuple[float, float, int]], label: Text) -> Markup:
    """As a chart; in words where all answers are about as sure, which would be a single dot."""
    if len(bins) > 1:
        return reliability_chart(bins, label)
    facts = {"confidence": f"{bins[0][0]:.3f}", "share": f"{bins[0][1]:.3f}"}
    about = say("all are about as sure: mean confidence {confidence}, right {share}", **facts)
    return tag("p", tag("strong", label), ": ", about)


def _residuals(details: Event, n_samples: int) -> Markup:
    """Of numbers: the answers against the targets."""
    known = details.get("residuals")
    if known is None:
        return Markup("")
    title = say("How far the answers are off ({part} samples)", part=part_name(details["part"]))
    chart = answers_chart(known["points"], (say("target"), say("answer")), say("answer by target"))
    drawn = say("{n} of the {all} samples are drawn.", n=len(known["points"]), all=f"{n_samples:,}")
    about = [_spread(known["quantiles"], n_samples), drawn if len(known["points"]) < n_samples else None]
    told = [tag("p", each, class_="small") for each in about if each is not None]
    charts = tag("div", chart, class_="charts") if len(known["points"]) > 1 else ""
    return join([tag("h3", title), *told, charts])


def _spread(quantiles: Event, n_samples: int) -> Text | None:
    """How far off most answers are, as far as so many samples can tell."""
    ends = {name: written(value) for name, value in quantiles.items()}
    facts = {"low": ends["0.25"], "high": ends["0.75"], "middle": ends["0.5"]}
    if n_samples < _ENOUGH_FOR_HALVES:
        return None
    if n_samples < _ENOUGH_FOR_TAILS:
        return say(
            "Target minus answer: half of them from {low} to {high}, the middle one {middle}.", **facts
        )
    return say(
        "Target minus answer: half of them from {low} to {high}, nine in ten from {lowest} to {highest}, the "
        "middle one {middle}.",
        lowest=ends["0.05"],
        highest=ends["0.95"],
        **facts,
    )


def _importance(details: Event) -> Markup:
    """Which columns matter."""
    known = [each for each in details.get("importance") or [] if each["gain"] or each["spread"]]
    if not known:
        return Markup("")
    about = say(
        "By how much the loss rises once a column's values are dealt out anew among the {part} samples "
        "(permutation importance). Of columns that say the same, each may look unimportant.",
        part=part_name(details["part"]),
    )
    bars = [(each["column"], each["gain"], each["spread"]) for each in known]
    return join(
        [
            tag("h3", say("The columns that matter")),
            tag("p", about, class_="small"),
            tag(
                "div",
                bars_chart(bars, say("the loss rises by (± standard deviation of three deals)")),
                class_="charts",
            ),
        ]
    )
