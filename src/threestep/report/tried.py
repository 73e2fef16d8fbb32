"""What a search tried: how the best loss fell, loss against size, the best, and whence the winner came."""

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
    narrow, wide = space["widths"]
    return say(
        "Tried were networks of {low} to {high} hidden layers with {narrow} to {wide} neurons each, "
        "{activations}{residual}, proposed by {who}.",
        low=low,
        high=high,
        narrow=narrow,
        wide=wide,
        activations=" / ".join(space["activations"]),
        residual=say(", plain or residual") if space["residual"] else "",
        who=who,
    )


def search_charts(rungs: Sequence[Event], rows: Sequence[Event], picked: Sequence[int]) -> list[Markup]:
    """How the best loss fell, and loss against size; `picked` are numbers of networks."""
    falls = [(rung["seconds"], rung["best_loss"]) for rung in rungs if rung["best_loss"] is not None]
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


def _point(row: Event, is_picked: bool) -> Point:
    kind = "picked" if is_picked else "front" if row["on_front"] else "usual"
    name = f"{row['number']}: {_structure(row)}, {row['n_params']:,} params, loss {row['valid_loss']:.4f}"
    return Point(row["n_params"], row["valid_loss"], name, kind, row["on_front"])


def leaderboard_table(rows: Sequence[Event], n_tried: int) -> Markup:
    """The best of what was tried, the picked one first."""
    if not rows:
        return tag("p", say("Nothing could be trained; this network only knows which answer is most common."))
    head = (
        "",
        say("network"),
        say("params"),
        say("loss"),
        say("score (95 % interval)"),
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
            _score(row),
            f"{row['seconds']:.2f}",
            _change(row),
        )
        for row in shown
    ]
    return join([tag("h3", title), _why_first(shown), table(head, cells, "tried")])


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


def _score(row: Event) -> str:
    """The accuracy with its interval, or minus the mean squared error."""
    if row["score_low"] is None:
        return f"{row['valid_score']:.4g}"
    return f"{row['valid_score']:.3f} ({row['score_low']:.3f} to {row['score_high']:.3f})"
