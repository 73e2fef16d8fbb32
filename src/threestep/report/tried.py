"""What a search tried: how the best loss fell, loss against size, the best, and whence the winner came."""

import math
from collections.abc import Sequence
from typing import Any

from threestep.report.charts import Point, falls_chart, points_chart
from threestep.report.html import Markup, join, table, tag
from threestep.report.words import Text, say, translated

Event = dict[str, Any]

_MOST_ROWS = 10
_SEARCHERS = {
    "random": "random search",
    "evolution": "evolution: the best so far, varied",
    "optuna": "Optuna's sampler",
}


def space_in_words(space: Event) -> Text:
    """Which function sets a search could try.

    Examples
    --------
    >>> space_in_words({"depths": [0, 0], "searcher": "random"}).plain
    'Tried were networks without a hidden layer, proposed by random search.'
    """
    who = say(_SEARCHERS[space["searcher"]])
    low, high = space["depths"]
    if high == 0:
        return say("Tried were networks without a hidden layer, proposed by {who}.", who=who)
    return say(
        "Tried were networks of {depths} hidden layers with {widths} neurons each, {activations}{residual}, "
        "proposed by {who}.",
        depths=_range(low, high),
        widths=_range(*space["widths"]),
        activations=" / ".join(space["activations"]),
        residual=say(", plain or residual") if space["residual"] else "",
        who=who,
    )


def _range(low: int, high: int) -> object:
    return low if low == high else say("{low} to {high}", low=low, high=high)


def search_charts(events: Sequence[Event], rows: Sequence[Event], picked: Sequence[int]) -> list[Markup]:
    """How the best loss fell, and loss against size; `picked` are numbers of networks."""
    falls = falls_of(events)
    charts = [falls_chart(falls, say("best so far"), say("validation loss"))] if falls else []
    if len(rows) > 1 and all(row["valid_loss"] > 0 for row in rows):
        keys = {"usual": say("tried"), "front": say("none smaller is better"), "picked": say("picked")}
        points = [_point(row, row["number"] in picked) for row in rows]
        charts.append(
            points_chart(
                points, (say("params"), say("validation loss")), say("validation loss by size"), keys
            )
        )
    return charts


def falls_of(events: Sequence[Event]) -> list[tuple[float, float]]:
    """Seconds of training, and the best validation loss so far, of the search and what came after it; finals
    in folds are judged on other samples and left out."""
    falls, before, best = list[tuple[float, float]](), 0.0, math.inf
    for event in events:
        is_comparable = event["event"] in ("designed", "final") and event.get("n_folds", 1) == 1
        if event["event"] != "rung" and not is_comparable:
            continue
        now = event["seconds"] if event["event"] == "rung" else before + event["seconds"]
        loss = event["loss"] if event["event"] == "designed" else event["best_loss"]
        before, best = now, min(best, math.inf if loss is None else loss)
        if math.isfinite(best):
            falls.append((now, best))
    return falls


def _point(row: Event, is_picked: bool) -> Point:
    kind = "picked" if is_picked else "front" if row["on_front"] else "usual"
    name = f"{row['number']}: {_structure(row)}, {row['n_params']:,} params, loss {row['valid_loss']:.4f}"
    return Point(row["n_params"], row["valid_loss"], name, kind, row["on_front"])


def leaderboard_table(rows: Sequence[Event], picked: Sequence[int], n_tried: int) -> Markup:
    """The best of what was tried, the picked one first."""
    head = (
        "",
        say("network"),
        say("params"),
        say("loss"),
        *([say(_score_name(rows[0]))] if _score_name(rows[0]) else []),
        say("seconds"),
        say("how it came about"),
    )
    title = say("The best {n} of {all} tried", n=min(len(rows), _MOST_ROWS), all=f"{n_tried:,}")
    shown = rows[:_MOST_ROWS]
    cells = [
        (
            row["number"],
            _structure(row),
            f"{row['n_params']:,}",
            f"{row['valid_loss']:.4f}",
            *([_score(row)] if _score_name(rows[0]) else []),
            f"{row['seconds']:.2f}",
            _change(row),
        )
        for row in shown
    ]
    together = say("The first {n} are the ones whose answers are averaged.", n=len(picked))
    notes = [tag("p", together, class_="small") if len(picked) > 1 else "", _why_first(shown)]
    return join([tag("h3", title), *notes, table(head, cells, "tried")])


def _change(row: Event) -> Text:
    """How a network came about, and from which one."""
    change = translated(row["change"])
    return change if row["parent"] is None else say("from {n}: {change}", n=row["parent"], change=change)


def _why_first(rows: Sequence[Event]) -> Markup:
    """Why the first may not have the lowest loss."""
    if rows[0]["change"].startswith("trained anew in"):
        return tag(
            "p",
            say(
                "What was trained in folds is judged on all samples but the test ones, each by a network "
                "that did not learn from it; the others on the validation samples alone, which chose them "
                "many times: their losses are partly luck."
            ),
            class_="small",
        )
    if rows[0]["change"] != "trained anew" or rows[0]["valid_loss"] <= min(row["valid_loss"] for row in rows):
        return Markup("")
    return tag(
        "p",
        say(
            "The first is picked although another has a lower loss: it learned everything afresh, and the "
            "other is not better by more than the luck of as many tries."
        ),
        class_="small",
    )


def lineage_table(rows: Sequence[Event], picked: Sequence[int]) -> Markup:
    """From whom the winner came, by which changes, and what each gained; nothing if it has no parent."""
    line = _lineage(rows, picked)
    if len(line) < 2:
        return Markup("")
    cells = [
        (
            row["number"],
            _structure(row),
            f"{row['valid_loss']:.4f}",
            "" if row["gain"] is None else f"{row['gain']:+.4f}",
            translated(row["change"]),
        )
        for row in line
    ]
    head = ("", say("network"), say("loss"), say("gained"), say("by"))
    return join([tag("h3", say("Where the picked one came from")), table(head, cells, "tried")])


def _lineage(rows: Sequence[Event], picked: Sequence[int]) -> list[Event]:
    """The winner and its forebears, the oldest first."""
    by_number = {row["number"]: row for row in rows}
    line, number = list[Event](), picked[0] if picked else None
    while number in by_number:
        line.insert(0, by_number[number])
        number = by_number[number]["parent"]
    return line


def _structure(row: Event) -> str:
    return row["network"] or "linear"


def _score_name(row: Event) -> str:
    """What the score is called; nothing where it says the same as the loss."""
    if "valid_rmse" in row:
        return "typical error (RMSE)"
    return "score (95 % interval)" if row["valid_score"] >= 0 else ""


def _score(row: Event) -> object:
    """The typical error, or the share of right answers with its interval."""
    if "valid_rmse" in row:
        return f"{row['valid_rmse']:,.5g}"
    if row["score_low"] is None:
        return f"{row['valid_score']:.4g}"
    ends = {"low": f"{row['score_low']:.3f}", "high": f"{row['score_high']:.3f}"}
    return say("{score} ({low} to {high})", score=f"{row['valid_score']:.3f}", **ends)
