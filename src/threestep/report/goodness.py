"""Step 2 on the page: scores on every part, what is confused, the worst samples, which columns matter."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from threestep.report.charts import answers_chart, bars_chart, reliability_chart
from threestep.report.html import Markup, join, table, tag
from threestep.report.pictures import picture
from threestep.report.words import listed, say

Event = dict[str, Any]

_MOST_CLASSES_IN_MATRIX = 30
_LARGE = 1000.0  # from which on numbers are written without fractions
_METRICS = (
    ("loss", "loss", "{loss:.4f}"),
    ("total_loss", "total loss", "{total_loss:,.2f}"),
    ("accuracy", "accuracy", "{accuracy:.4f}"),
    ("accuracy_low", "95 % interval", "{accuracy_low:.3f} – {accuracy_high:.3f}"),
    ("balanced_accuracy", "balanced accuracy", "{balanced_accuracy:.4f}"),
    ("f1", "F1", "{f1:.4f}"),
    ("auc", "AUC", "{auc:.4f}"),
    ("ece", "calibration error", "{ece:.4f}"),
    ("label_accuracy", "accuracy of single labels", "{label_accuracy:.4f}"),
    ("r2", "R²", "{r2:.4f}"),
    ("r2_low", "95 % interval", "{r2_low:.3f} – {r2_high:.3f}"),
    ("rmse", "RMSE", "{rmse:,.6g}"),
    ("rmse_low", "95 % interval", "{rmse_low:,.6g} – {rmse_high:,.6g}"),
    ("mae", "MAE", "{mae:,.6g}"),
    ("coverage", "between the outer quantiles", "{coverage:.3f}"),
    ("coverage_low", "95 % interval", "{coverage_low:.3f} – {coverage_high:.3f}"),
    ("coverage_wanted", "wanted", "{coverage_wanted:.3g}"),
    ("interval_width", "mean distance between them", "{interval_width:,.6g}"),
)
"""Key in the scores, name, how it is written."""


def goodness(by_name: dict[str, Event]) -> list[Markup]:
    """What there is to say of how good the picked function is, in the order in which it is read."""
    scores, details = by_name["scores"]["scores"], by_name["details"]
    classes = by_name["start"]["target"]["classes"]
    is_folded = any("n_folds" in row for row in scores.values())
    in_folds = say(
        "Valid are all samples but the test ones, each judged by the networks of the folds that did not "
        "learn from it."
    )
    return [
        tag(
            "p",
            say(
                "The loss is {loss}: per sample, lower is better; knowing nothing gives {guess}. The total "
                "loss is the sum over the samples.",
                loss=by_name["goodness"]["loss"].replace("_", "-"),
                guess=f"{by_name['goodness']['guess_loss']:.3f}",
            ),
        ),
        _scores(scores),
        *_without_auc(scores),
        tag("p", in_folds, class_="small") if is_folded else Markup(""),
        _luck(by_name, scores.get("valid", {})),
        _confusion(classes, details),
        _by_class(classes, details),
        _calibration(details),
        _residuals(details),
        _worst(details),
        _label_errors(details),
        _importance(details),
    ]


def is_known(row: Event, key: str) -> bool:
    """Whether a score is there; what is not finite is None in the journal."""
    return row.get(key) is not None and isfinite(row[key])


def part_name(part: str) -> Markup:
    """What a part of the samples is called."""
    return say({"train": "train", "valid": "valid", "test": "test"}[part])


def _scores(scores: Event) -> Markup:
    """A row per part."""
    known = [metric for metric in _METRICS if any(is_known(row, metric[0]) for row in scores.values())]
    rows = [
        (
            part_name(part),
            f"{row['n_samples']:,}",
            *(form.format_map(row) if is_known(row, key) else "" for key, _, form in known),
        )
        for part, row in scores.items()
    ]
    return table((say("samples of"), say("count"), *(say(name) for _, name, _ in known)), rows)


def _without_auc(scores: Event) -> list[Markup]:
    """Why a part has no AUC."""
    return [
        tag("p", say("No AUC: the {part} samples have one class only.", part=part_name(part)), class_="small")
        for part, row in scores.items()
        if "auc" in row and not is_known(row, "auc")
    ]


def _luck(by_name: dict[str, Event], valid: Event) -> Markup:
    """The validation score, and what is left of it without the luck of the best of many."""
    luck = by_name.get("luck")
    if luck is None:
        return Markup("")
    which: object = f"{by_name['leaderboard']['n_tried']:,}"
    if "n_folds" in valid:
        which = say("{n} that were trained in folds, of {all} tried", n=luck["n_tried"], all=which)
    names = (("accuracy", "accuracy"), ("r2", "R²"), ("loss", "loss"))
    known = [(say(name), key) for key, name in names if f"corrected_{key}" in valid]
    said, left = (_listed(known, valid, prefix) for prefix in ("", "corrected_"))
    return tag(
        "p",
        say(
            "The validation samples picked the best of {which}, which may be luck: {said}. Picked by some of "
            "them and judged by the others, over and over, it comes to {left}. The test samples had no part "
            "in any choice.",
            which=which,
            said=said,
            left=left,
        ),
        class_="small",
    )


def _listed(known: Sequence[tuple[Markup, str]], scores: Event, prefix: str) -> Markup:
    """Scores with their names: accuracy 0.9721, loss 0.1432."""
    return listed(say("{name} {n}", name=name, n=f"{scores[prefix + key]:.4f}") for name, key in known)


def _confusion(classes: Sequence[object], details: Event) -> Markup:
    """Which class was taken for which."""
    counts = details.get("confusion")
    if counts is None or len(classes) > _MOST_CLASSES_IN_MATRIX:
        return Markup("")
    lines, opened = [], {(each["target"], each["predicted"]) for each in details.get("confused", [])}
    for right, row in enumerate(counts):
        total = sum(row) or 1
        cells = []
        for taken, count in enumerate(row):
            kind = "hit" if taken == right else "miss"
            shade = Markup(f"--share:{count / total:.3f}")
            link = tag("a", count, href=f"#cell-{right}-{taken}") if (right, taken) in opened else count
            cells.append(tag("td", link or "·", class_=kind if count else "none", style=shade))
        lines.append(tag("tr", tag("th", classes[right], scope="row"), *cells))
    head = tag(
        "tr",
        tag("th", say("is \\ taken for"), scope="col"),
        *(tag("th", name, scope="col") for name in classes),
    )
    matrix = tag("table", tag("thead", head), tag("tbody", *lines), class_="matrix")
    title = say("What is taken for what ({part} samples)", part=part_name(details["part"]))
    hint = tag("p", say("A number of wrong answers opens the samples."), class_="small") if opened else ""
    return join(
        [
            tag("h3", title),
            hint,
            tag("div", matrix, class_="scroll"),
            *(_cell(classes, counts, each) for each in details.get("confused", [])),
        ]
    )


def _cell(classes: Sequence[object], counts: Sequence[Sequence[int]], cell: Event) -> Markup:
    """The samples of one cell of the matrix; seen once its number is followed."""
    target, predicted = cell["target"], cell["predicted"]
    n = counts[target][predicted]
    about = say(
        "{n} of {target} taken for {predicted}; rows (from 0) {numbers}",
        n=n,
        target=classes[target],
        predicted=classes[predicted],
        numbers=listed([*cell["rows"], *["…"] * (n > len(cell["rows"]))]),
    )
    drawn = [picture(rows, f"a {classes[target]}") for rows in cell.get("pictures", [])]
    cards = tag("div", *(tag("figure", each) for each in drawn), class_="cards") if drawn else ""
    return tag("div", tag("p", about), cards, class_="cell", id=f"cell-{target}-{predicted}")


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
    facts = {"part": part_name(details["part"]), "n": len(rows)}
    if len(order) == len(rows):
        title = say("Class by class, the weakest first ({part} samples)", **facts)
    else:
        title = say("The {n} weakest classes, the weakest first ({part} samples)", **facts)
    head = (say("class"), say("samples"), say("precision"), say("recall"), "F1")
    return join([tag("h3", title), table(head, rows)])


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
        reliability_chart(
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


def _residuals(details: Event) -> Markup:
    """Of numbers: the answers against the targets."""
    known = details.get("residuals")
    if known is None:
        return Markup("")
    title = say("How far the answers are off ({part} samples)", part=part_name(details["part"]))
    ends = {
        name: f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.4g}"
        for name, value in known["quantiles"].items()
    }
    about = say(
        "Target minus answer: half of them between {low} and {high}, nine in ten between {lowest} and "
        "{highest}, the middle one {middle}.",
        low=ends["0.25"],
        high=ends["0.75"],
        lowest=ends["0.05"],
        highest=ends["0.95"],
        middle=ends["0.5"],
    )
    chart = answers_chart(known["points"], (say("target"), say("answer")), say("answer by target"))
    return join([tag("h3", title), tag("p", about, class_="small"), tag("div", chart, class_="charts")])


def _worst(details: Event) -> Markup:
    """The samples with the largest loss."""
    worst, pictures = details["worst"], details.get("pictures")
    facts = {"n": len(worst), "part": part_name(details["part"])}
    title = tag("h3", say("The {n} worst of the {part} samples", **facts))
    if pictures:
        cards = [_card(rows, sample) for rows, sample in zip(pictures, worst, strict=True)]
        return join([title, tag("div", *cards, class_="cards")])
    columns = list(worst[0].get("values", {})) if worst else []
    rows = [
        (
            sample.get("name") or sample.get("row", at),
            sample["target"],
            sample["predicted"],
            f"{sample['loss']:.3f}",
            *sample.get("values", {}).values(),
        )
        for at, sample in enumerate(worst, start=1)
    ]
    where = say("row (from 0)") if worst and "row" in worst[0] else ""
    return join([title, table((where, say("target"), say("predicted"), say("loss"), *columns), rows)])


def _card(rows: Sequence, sample: Event) -> Markup:
    """A sample as a picture, with what it is and what it was taken for."""
    where = sample.get("name") or (say("row {n}", n=sample["row"]) if "row" in sample else "")
    return tag(
        "figure",
        picture(rows, f"a {sample['target']} taken for {sample['predicted']}"),
        tag(
            "figcaption",
            f"{sample['target']} → {sample['predicted']}",
            Markup("<br>"),
            say("loss {loss}", loss=f"{sample['loss']:.2f}"),
            Markup("<br>") if where else "",
            tag("span", where, class_="where") if where else "",
        ),
        class_="miss" if sample["target"] != sample["predicted"] else "hit",
    )


def _label_errors(details: Event) -> Markup:
    """Samples whose label is likely wrong."""
    known = details.get("label_errors")
    if known is None:
        return Markup("")
    title = tag("h3", say("Labels that may be wrong"))
    if not known["n"]:
        return join([title, tag("p", say("None stands out among the samples that were not learned from."))])
    about = say(
        "{n} of {all} samples that were not learned from look like another class, by confident learning "
        "(Northcutt et al. 2021). Look at them before you believe either; the journal has the rows of all.",
        n=f"{known['n']:,}",
        all=f"{known['n_samples']:,}",
    )
    rows = [
        (
            each.get("name") or each["row"],
            each["target"],
            f"{each['own']:.3f}",
            each["better"],
            f"{each['confidence']:.3f}",
        )
        for each in known["worst"]
    ]
    head = (say("row (from 0)"), say("label"), say("confidence"), say("looks like"), say("confidence"))
    return join([title, tag("p", about, class_="small"), table(head, rows)])


def _importance(details: Event) -> Markup:
    """Which columns matter."""
    known = details.get("importance")
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
