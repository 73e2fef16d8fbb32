"""The best of what a search tried as a table, and whence the winner came."""

from collections.abc import Sequence
from typing import Any

from threestep.report.html import Markup, join, table, tag
from threestep.report.numbers import with_minus, written
from threestep.report.tried import n_folds_of
from threestep.report.words import Text, listed, say, translated

Event = dict[str, Any]

_MOST_ROWS = 10


def leaderboard_table(by_name: dict[str, Event]) -> Markup:
    """The best of what was tried, the picked one first."""
    board = by_name["leaderboard"]
    rows, picked = board["rows"], board["picked"]
    score_name = _score_name(rows[0])
    head = (
        say("no."),
        say("network"),
        say("params"),
        say("loss"),
        *([say(score_name)] if score_name else []),
        say("seconds"),
        say("how it came about"),
    )
    title = say("The best {n} of {all} tried", n=min(len(rows), _MOST_ROWS), all=f"{board['n_tried']:,}")
    if board["n_tried"] == 1:
        title = say("The only one tried")
    shown = rows[:_MOST_ROWS]
    cells = [
        (
            row["number"],
            _structure(row),
            f"{row['n_params']:,}",
            f"{row['valid_loss']:.4f}",
            *([_score(row)] if score_name else []),
            f"{row['seconds']:.2f}",
            _change(row),
        )
        for row in shown
    ]
    notes = [_together(len(picked), n_folds_of(by_name)), _alone(by_name), _why_first(shown)]
    notes.append(_order(shown, board.get("order", [])))
    return join([tag("h3", title), *notes, table(head, cells, "tried")])


def _alone(by_name: dict[str, Event]) -> Markup:
    """Why losses differ from those of the scores, if they do."""
    first, valid = by_name["leaderboard"]["rows"][0], by_name["scores"]["scores"].get("valid")
    if valid is None or f"{first['valid_loss']:.4f}" == f"{valid['loss']:.4f}":
        return Markup("")
    text = say(
        "Losses are those of each network alone, before answers are corrected or averaged; those of what "
        "answers in the end are in step 2."
    )
    return tag("p", text, class_="small")


def _order(rows: Sequence[Event], order: Sequence[str]) -> Markup:
    """By what they stand in order, if their losses do not say so."""
    losses = [row["valid_loss"] for row in rows]
    if not order or sorted(losses) == losses:
        return Markup("")
    text = say("Their order: {order}.", order=listed(map(translated, order), "; "))
    return tag("p", text, class_="small")


def _is_folded(row: Event) -> bool:
    return row["change"].startswith("trained anew in")


def _together(n_picked: int, n_folds: int) -> Markup:
    """Which rows answer together."""
    if n_picked < 2:
        return Markup("")
    text = say("The first {n} are the ones whose answers are averaged.", n=n_picked)
    if n_folds > 1:
        text = say(
            "The first {n} are the structures whose answers are averaged; each was trained in {folds} folds, "
            "which makes {all} networks.",
            n=n_picked,
            folds=n_folds,
            all=n_picked * n_folds,
        )
    return tag("p", text, class_="small")


def _change(row: Event) -> Text:
    """How a network came about, and from which one."""
    change = translated(row["change"])
    return change if row["parent"] is None else say("from {n}: {change}", n=row["parent"], change=change)


def _why_first(rows: Sequence[Event]) -> Markup:
    """Why the first may not have the lowest loss."""
    if _is_folded(rows[0]):
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
            "" if row["gain"] is None else with_minus(f"{row['gain']:+z.4f}"),
            translated(row["change"]),
        )
        for row in line
    ]
    head = (say("no."), say("network"), say("loss"), say("gained"), say("by"))
    return join([tag("h3", say("Where the picked one came from")), table(head, cells, "tried")])


def _lineage(rows: Sequence[Event], picked: Sequence[int]) -> list[Event]:
    """The winner and its forebears, the oldest first."""
    by_number = {row["number"]: row for row in rows}
    line, number = list[Event](), picked[0] if picked else None
    while number in by_number:
        line.insert(0, by_number[number])
        number = by_number[number]["parent"]
    return line


def _structure(row: Event) -> Text:
    return translated(row["network"] or "linear")


def _score_name(row: Event) -> str:
    """What the score is called; nothing where it says the same as the loss."""
    if "valid_rmse" in row:
        return "typical error (RMSE)"
    if row["valid_score"] < 0:
        return ""
    return "accuracy of single labels" if row["score_low"] is None else "score (95 % interval)"


def _score(row: Event) -> object:
    """The typical error, or the share of right answers with its interval."""
    if "valid_rmse" in row:
        return written(row["valid_rmse"])
    if row["score_low"] is None:
        return f"{row['valid_score']:.4g}"
    ends = {"low": f"{row['score_low']:.3f}", "high": f"{row['score_high']:.3f}"}
    return say("{score} ({low} to {high})", score=f"{row['valid_score']:.3f}", **ends)
