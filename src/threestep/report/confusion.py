"""Which class was taken for which, and how good the answers are class by class."""

from collections.abc import Sequence
from typing import Any

from threestep.report.html import Markup, join, table, tag
from threestep.report.numbers import percent
from threestep.report.pictures import picture
from threestep.report.scores import part_name
from threestep.report.words import listed, say

Event = dict[str, Any]

_MOST_CLASSES_IN_MATRIX = 30
_MOST_CONFUSIONS = 20
_MANY_CLASSES = 12  # whose matrix is drawn smaller
_LONG_NAME = 3  # letters: longer ones stand upright there


def confusion(classes: Sequence[object], details: Event) -> Markup:
    """Which class was taken for which: all of it, or of many classes the most frequent mistakes."""
    counts = details.get("confusion")
    if counts is None:
        return Markup("")
    title = say("What is taken for what ({part} samples)", part=part_name(details["part"]))
    if len(classes) > _MOST_CLASSES_IN_MATRIX:
        largest = _largest(classes, counts)
        return join([tag("h3", title), largest]) if largest else Markup("")
    opened = {(each["target"], each["predicted"]) for each in details.get("confused", [])}
    hint = tag("p", say("A number of wrong answers opens the samples."), class_="small") if opened else ""
    return join(
        [
            tag("h3", title),
            hint,
            tag("div", _matrix(classes, counts, opened), class_="scroll", tabindex=0),
            *(_cell(classes, counts, each) for each in details.get("confused", [])),
        ]
    )


def _matrix(
    classes: Sequence[object], counts: Sequence[Sequence[int]], opened: set[tuple[int, int]]
) -> Markup:
    lines = []
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
    kinds = ["matrix", "many"] if len(classes) > _MANY_CLASSES else ["matrix"]
    if len(kinds) > 1 and any(len(str(name)) > _LONG_NAME for name in classes):
        kinds.append("upright")
    return tag("table", tag("thead", head), tag("tbody", *lines), class_=" ".join(kinds))


def _largest(classes: Sequence[object], counts: Sequence[Sequence[int]]) -> Markup:
    """The most frequent mistakes, where a matrix would be too large to read."""
    wrong = [
        (count, right, taken)
        for right, row in enumerate(counts)
        for taken, count in enumerate(row)
        if count and taken != right
    ]
    rows = [
        (classes[right], classes[taken], f"{count:,}", percent(count / sum(counts[right])))
        for count, right, taken in sorted(wrong, key=lambda each: -each[0])[:_MOST_CONFUSIONS]
    ]
    head = (say("is"), say("taken for"), say("samples"), say("share of its class"))
    return table(head, rows) if rows else Markup("")


def _cell(classes: Sequence[object], counts: Sequence[Sequence[int]], cell: Event) -> Markup:
    """The samples of one cell of the matrix; seen once its number is followed."""
    target, predicted = cell["target"], cell["predicted"]
    n = counts[target][predicted]
    facts = {"n": n, "target": classes[target], "predicted": classes[predicted]}
    numbers = listed([*cell["rows"], *["…"] * (n > len(cell["rows"]))])
    about = say("{n} of {target} taken for {predicted}; rows (from 0) {numbers}", numbers=numbers, **facts)
    if n == 1:
        about = say("{n} of {target} taken for {predicted}; row (from 0) {numbers}", numbers=numbers, **facts)
    drawn = [picture(rows) for rows in cell.get("pictures", [])]
    cards = tag("div", *(tag("figure", each) for each in drawn), class_="cards") if drawn else ""
    return tag("div", tag("p", about), cards, class_="cell", id=f"cell-{target}-{predicted}")


def by_class(classes: Sequence[object], details: Event) -> Markup:
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
