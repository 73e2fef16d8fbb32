"""What a search tried: how the best loss fell, and loss against size."""

import math
from collections.abc import Sequence
from typing import Any

from threestep.report.charts import Point, falls_chart, points_chart
from threestep.report.html import Markup, tag
from threestep.report.words import Text, say

Event = dict[str, Any]

_DESIGNED = "as people design them"
_SEARCHERS = {
    "random": "random search",
    "evolution": "evolution: the best so far, varied",
    "optuna": "Optuna's sampler",
}


def what_was_tried(by_name: dict[str, Event], searched: Sequence[Event]) -> Markup:
    """Which networks the search could propose, how many were trained, and what ended it."""
    designed = [event for event in searched if event["event"] == "designed"]
    finals = [event for event in searched if event["event"] == "final" and event["n_trained"]]
    rungs = [event for event in searched if event["event"] == "rung" and event["n_tried"]]
    pick, n_tried = by_name["pick"], rungs[-1]["n_tried"] if rungs else 0
    words = [space_in_words(by_name["space"]), _how_many(n_tried, rungs, pick)]
    words += [_designed(designed)] if designed else []
    words += _final(finals[-1]) if finals else []
    if not pick["best_epoch"]:
        words.append(say("Nothing was picked among them; what answers instead is:"))
    else:
        words.append(say("This is the one that was picked:"))
    return tag("p", *(piece for text in words for piece in (text, " ")))


def space_in_words(space: Event) -> Text:
    """Which function sets a search could try.

    Examples
    --------
    >>> space_in_words({"depths": [0, 0], "searcher": "random"}).plain
    'What could be tried were networks without a hidden layer, proposed by random search.'
    """
    who = say(_SEARCHERS[space["searcher"]])
    low, high = space["depths"]
    if high == 0:
        return say("What could be tried were networks without a hidden layer, proposed by {who}.", who=who)
    return say(
        "What could be tried were networks of {depths} hidden layers with {widths} neurons each, "
        "{activations}{residual}, proposed by {who}.",
        depths=_range(low, high),
        widths=_range(*space["widths"]),
        activations=" / ".join(space["activations"]),
        residual=say(", plain or residual") if space["residual"] else "",
        who=who,
    )


def _how_many(n_tried: int, rungs: Sequence[Event], pick: Event) -> Text:
    """How many of these were, and what ended the search."""
    n = f"{n_tried:,}"
    if pick["outcome"] == "interrupted":
        if n_tried == 1:
            return say("One was trained until Ctrl-C ended the search.")
        return say("{n} were trained until Ctrl-C ended the search.", n=n)
    if not rungs:
        return say("None was trained.")
    if rungs[-1]["seconds_left"] is None:
        return say("One was trained.") if n_tried == 1 else say("{n} were trained.", n=n)
    if n_tried == 1:
        return say("One was trained within the budget.")
    return say("{n} were trained within the budget.", n=n)


def _designed(designed: Sequence[Event]) -> Text:
    """How many networks with convolutions there were beside them."""
    n_varied = sum(event.get("change", _DESIGNED) != _DESIGNED for event in designed)
    if len(designed) == 1 and not n_varied:
        return say("Beside that, one with convolutions, as people design them.")
    if not n_varied:
        return say("Beside them {n} with convolutions, as people design them.", n=len(designed))
    return say(
        "Beside them {n} with convolutions: some as people design them, {varied} drawn at random, varied "
        "from the best or trained anew.",
        n=len(designed),
        varied=n_varied,
    )


def _final(event: Event) -> list[Text]:
    """The best, begun anew, trained on, or both."""
    if event["best_loss"] is None:
        return [say("No further training of the best came to its end.")]
    n_anew, n_longer = event["n_alive"] - event["n_longer"], event["n_longer"]
    words = [_anew(n_anew, event)] if n_anew else []
    if n_longer == 1:
        words.append(say("Then one of the best was trained longer."))
    elif n_longer:
        words.append(say("Then {n} of the best were trained longer.", n=n_longer))
    return words


def _anew(n: int, event: Event) -> Text:
    """How often one of the best began from a random start; few structures may do so many times."""
    facts = {"n": n, "epochs": f"{event['epochs']:,}", "folds": event["n_folds"]}
    if n == 1 and event["n_folds"] > 1:
        return say("Then one of the best began anew, in {folds} folds, for at most {epochs} epochs.", **facts)
    if n == 1:
        return say("Then one of the best began anew, for at most {epochs} epochs.", **facts)
    if event["n_folds"] > 1:
        return say(
            "Then the best began anew, {n} times, each in {folds} folds, for at most {epochs} epochs.",
            **facts,
        )
    return say("Then the best began anew, {n} times, for at most {epochs} epochs.", **facts)


def n_folds_of(by_name: dict[str, Event]) -> int:
    """In how many folds the picked structures were trained; 1 where there were none."""
    return by_name["scores"]["scores"].get("valid", {}).get("n_folds", 1)


def _range(low: int, high: int) -> object:
    return low if low == high else say("{low} to {high}", low=low, high=high)


def search_charts(events: Sequence[Event], rows: Sequence[Event], picked: Sequence[int]) -> list[Markup]:
    """How the best loss fell, and loss against size; `picked` are numbers of networks."""
    falls = falls_of(events)
    charts = [falls_chart(falls, say("best so far"), say("validation loss"))] if len(falls) > 1 else []
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
    name = f"{row['number']}: {row['network'] or 'linear'} ({row['n_params']:,}; {row['valid_loss']:.4f})"
    return Point(row["n_params"], row["valid_loss"], name, kind, row["on_front"])
