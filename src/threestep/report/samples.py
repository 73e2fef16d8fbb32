"""Single samples on the page: those with the largest loss, and labels that may be wrong."""

from collections.abc import Sequence
from typing import Any

from threestep.report.html import Markup, join, table, tag
from threestep.report.numbers import quantile_name, written
from threestep.report.pictures import picture
from threestep.report.scores import part_name
from threestep.report.words import Text, listed, say

Event = dict[str, Any]

_NO_BREAK = "\u00a0"
_MANY_ERRORS = 0.1  # of the labels: so many are rarely wrong


def worst(details: Event, target: Event, n_samples: int) -> Markup:
    """The samples with the largest loss, of so many."""
    known, pictures = details["worst"], details.get("pictures")
    title = tag("h3", _title(details, target, n_samples))
    if pictures:
        cards = [_card(rows, sample, target) for rows, sample in zip(pictures, known, strict=True)]
        return join([title, tag("div", *cards, class_="cards")])
    columns = list(known[0].get("values", {})) if known else []
    rows = [
        (
            sample.get("name") or sample.get("row", at),
            _shown(sample["target"], target, is_answer=False),
            _shown(sample["predicted"], target, is_answer=True),
            f"{sample['loss']:.3f}",
            *map(_value, sample.get("values", {}).values()),
        )
        for at, sample in enumerate(known, start=1)
    ]
    head = (_where(known), say("target"), say("predicted"), say("loss"), *columns)
    return join([title, table(head, rows)])


def _title(details: Event, target: Event, n_samples: int) -> Text:
    """What these samples are; where all are answered rightly they are not bad, but hard."""
    known = details["worst"]
    facts = {"n": len(known), "part": part_name(details["part"])}
    are_right = target["kind"] != "number" and all(each["target"] == each["predicted"] for each in known)
    if are_right and len(known) < n_samples:
        return say("The {n} hardest of the {part} samples; all are answered rightly", **facts)
    if are_right:
        return say("The {part} samples, the hardest first; all are answered rightly", **facts)
    if len(known) == n_samples:
        return say("The {part} samples, the worst first", **facts)
    return say("The {n} worst of the {part} samples", **facts)


def _where(known: Sequence[Event]) -> Text:
    """What samples are found by."""
    if known and known[0].get("name"):
        return say("file")
    return say("row (from 0)") if known and "row" in known[0] else say("no.")


def _value(value: object) -> str:
    return written(value) if isinstance(value, float) else str(value)


def _shown(value: Any, target: Event, is_answer: bool) -> Text | str:
    """A target or an answer: of labels those that are there, of several numbers and quantiles each by its
    name."""
    if not isinstance(value, list):
        return written(value) if target["kind"] == "number" and isinstance(value, float) else str(value)
    if target["kind"] == "labels":
        there = [name for name, own in zip(_names(target, value), value, strict=True) if own > 0.5]
        return listed(there) if there else say("none")
    quantiles = target.get("quantiles", ()) if is_answer else ()
    names = list(map(quantile_name, quantiles)) or _names(target, value)
    if len(value) == 1:
        return written(value[0])
    told = (f"{name}: {written(own)}" for name, own in zip(names, value, strict=True))
    return listed((each.replace(" ", _NO_BREAK) for each in told), "; ")


def _names(target: Event, value: Sequence[float]) -> list[str]:
    """What each of several targets is called."""
    return target.get("names") or [str(place) for place in range(1, len(value) + 1)]


def _card(rows: Sequence, sample: Event, target: Event) -> Markup:
    """A sample as a picture, with what it is and what it was taken for."""
    where = sample.get("name") or (say("row {n}", n=sample["row"]) if "row" in sample else "")
    known = _shown(sample["target"], target, is_answer=False)
    said = _shown(sample["predicted"], target, is_answer=True)
    return tag(
        "figure",
        picture(rows),
        tag(
            "figcaption",
            known,
            " → ",
            said,
            Markup("<br>"),
            say("loss {loss}", loss=f"{sample['loss']:.2f}"),
            Markup("<br>") if where else "",
            tag("span", where, class_="where") if where else "",
        ),
        class_="miss" if sample["target"] != sample["predicted"] else "hit",
    )


def label_errors(details: Event) -> Markup:
    """Samples whose label is likely wrong."""
    known = details.get("label_errors")
    if known is None:
        return Markup("")
    title = tag("h3", say("Labels that may be wrong"))
    if not known["n"]:
        return join([title, tag("p", say("None stands out among the samples that were not learned from."))])
    if known["n"] == 1:
        about = say(
            "One of {all} samples that were not learned from looks like another class, by confident learning "
            "(Northcutt et al. 2021). Look at it before you believe either.",
            all=f"{known['n_samples']:,}",
        )
    else:
        about = say(
            "{n} of {all} samples that were not learned from look like another class, by confident learning "
            "(Northcutt et al. 2021). Look at them before you believe either; the journal has the rows of "
            "all.",
            n=f"{known['n']:,}",
            all=f"{known['n_samples']:,}",
        )
    many = say(
        "These are more than a tenth: most of them will be mistakes of the network, not of the labels."
    )
    is_many = known["n"] > _MANY_ERRORS * known["n_samples"]
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
    head = (
        _where(known["worst"]),
        say("label"),
        say("confidence in the label"),
        say("looks like"),
        say("confidence in that"),
    )
    parts = [title, tag("p", about, *((" ", many) if is_many else ()), class_="small"), table(head, rows)]
    return join(parts)
