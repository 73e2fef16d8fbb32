"""The leaderboard of a search as an event, and by what it is in order where its losses do not say so."""

from collections.abc import Sequence
from typing import Any

from threestep.pick import Tried, leaderboard
from threestep.settings import Settings

_MOST_ROWS = 1000  # of the leaderboard in the journal
_NOT_FOLDED = "what was not trained in folds, whose losses are those of fewer samples"
_ANEW = "by the loss, what was trained anew before the rest"
_CALIBRATED = "what was trained anew by the loss it has once it is as sure as it should be"
_THE_REST = "the rest by the loss"


def leaderboard_event(
    everything: Sequence[Tried],
    chosen: Sequence[Tried],
    n_calibrated: int,
    settings: Settings,
    n_folded: int | None = None,
) -> dict[str, Any]:
    """What was tried.

    Parameters
    ----------
    everything, chosen : sequence of Tried
    n_calibrated : int
        How many were compared by their losses once each is as sure as it should be.
    settings : Settings
    n_folded : int or None
        How many of the first were trained in folds, if any.
    """
    rows, picked = leaderboard(everything)[:_MOST_ROWS], [each.number for each in chosen]
    losses = [each.loss for each in everything[:n_folded]]
    order = order_of(losses, len(chosen), n_calibrated, settings)
    if n_folded is not None and n_folded < len(everything):
        order = [*(order or ["by the loss"]), _NOT_FOLDED]
    return {"event": "leaderboard", "rows": rows, "picked": picked, "order": order}


def order_of(losses: list[float], n_chosen: int, n_calibrated: int, settings: Settings) -> list[str]:
    """By what the rows of a leaderboard are in order that have these losses: first by this, then by that;
    nothing where it is by these.

    Examples
    --------
    >>> order_of([0.1, 0.3, 0.2], 2, 0, Settings(ensemble=2))
    ['the picked ones first']
    """
    metric, parts = settings.score_metric.replace("_", " "), list[str]()
    if losses == sorted(losses) and metric == "loss":
        return []
    if n_chosen > 1:
        why = f", for their averaged answers have a better {metric} than those of the first alone"
        parts.append("the picked ones first" + why * (settings.ensemble is None))
    if metric != "loss":
        parts.append(f"by {metric}")
    elif losses[n_chosen:] != sorted(losses[n_chosen:]) or n_chosen == 1:
        has_rest = 0 < n_calibrated < len(losses)
        parts += [_CALIBRATED if n_calibrated else _ANEW, *([_THE_REST] if has_rest else [])]
    return parts
