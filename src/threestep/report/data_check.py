"""What the page says of the data: gaps, rare classes, copies, columns that give the target away."""

from typing import Any

from threestep.report.html import Markup, table, tag
from threestep.report.numbers import percent
from threestep.report.words import listed, say

Event = dict[str, Any]

_RARE = 0.1  # of the most frequent class
_MOST_NAMED = 5  # columns


def data_check(start: Event, check: Event | None) -> Markup:
    """A table of what was looked for, and what was found."""
    if check is None:  # a journal of an earlier version
        return Markup("")
    rows = [
        (say("samples without a target"), _without_target(check)),
        (say("missing values"), _missing(check)),
        (say("classes"), _classes(start["target"]["classes"], check["classes"])),
        (say("copies"), _copies(check)),
        (say("test samples that were learned from, too"), _seen(start, check)),
        (say("columns that give the target away"), _leaks(start)),
    ]
    return tag(
        "section",
        tag("h2", say("The data, checked")),
        table((say("what"), say("found")), [row for row in rows if row[1]], "words"),
    )


def _without_target(check: Event) -> Markup:
    n = check.get("n_without_target", 0)  # not in a journal of an earlier version
    if n == 1:
        return say("one; it is left out")
    return say("{n}; they are left out", n=f"{n:,}") if n else Markup("")


def _missing(check: Event) -> Markup:
    if not check["missing"]:
        return say("none")
    if check["missing"][0]["column"] == "samples":  # of an array, whose columns have no names
        return say("in {share} of the samples", share=percent(check["missing"][0]["share"]))
    first = [f"{each['column']} {percent(each['share'])}" for each in check["missing"][:_MOST_NAMED]]
    named = listed([*first, *["…"] * (check["n_with_gaps"] > _MOST_NAMED)])
    if check["n_with_gaps"] == 1:
        return say("in one column: {named}", named=named)
    return say("in {n} columns: {named}", n=check["n_with_gaps"], named=named)


def _classes(names: list[object], counts: list[int]) -> Markup:
    if not counts:
        return Markup("")
    rarest, most = min(range(len(counts)), key=counts.__getitem__), max(counts)
    facts = {
        "n": f"{counts[rarest]:,}",
        "rarest": names[rarest],
        "most": f"{most:,}",
        "name": names[counts.index(most)],
    }
    if counts[rarest] == most:
        return say("even: {n} of each", n=f"{most:,}")
    if counts[rarest] < _RARE * most:
        return say(
            "uneven: {n} of {rarest}, {most} of {name}; look at balanced accuracy and F1, or learn with "
            "--class-weight balanced",
            **facts,
        )
    return say("even enough: from {n} of {rarest} to {most} of {name}", **facts)


def _copies(check: Event) -> Markup:
    if not check["n_copies"] and not check["n_contradictions"]:
        return say("none")
    if not check["n_contradictions"] and check["n_copies"] == 1:
        return say("one sample repeats another one")
    if not check["n_contradictions"]:
        return say("{n} samples repeat another one", n=f"{check['n_copies']:,}")
    return say(
        "{n} samples repeat another one; {odd} are equal to one with another target, which no network can "
        "tell apart",
        n=f"{check['n_copies']:,}",
        odd=f"{check['n_contradictions']:,}",
    )


def _seen(start: Event, check: Event) -> Markup:
    n_test = start["n_samples"].get("test", 0)
    if n_test == 0:
        return Markup("")
    if not check["n_seen"]:
        return say("none")
    return say(
        "{n} of {all} have the features of one that is learned from; if they are the same thing, the test "
        "score is too good, and --groups COLUMN keeps them together",
        n=f"{check['n_seen']:,}",
        all=f"{n_test:,}",
    )


def _leaks(start: Event) -> Markup:
    # nothing was looked for where columns have no names or there are several targets
    if not start["columns"] or start["target"].get("n_columns", 1) > 1:
        return Markup("")
    found = [note for note in start["notes"] if "may give the target away" in note]
    if found:
        return say("{n}: see above", n=len(found))
    return say("no column equals, determines or orders the target by itself, and none add up to it")
