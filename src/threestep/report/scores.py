"""The scores on every part of the samples as tables, and what the best of many owes to luck."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from threestep.report.html import Markup, join, table, tag
from threestep.report.numbers import quantile_name, with_minus, written
from threestep.report.words import Text, listed, say

Event = dict[str, Any]


def _places(n: int) -> Callable[[float], str]:
    return lambda value: with_minus(f"{value:z,.{n}f}")  # z: what is rounded to 0 has no sign


_METRICS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("loss", "loss", _places(4)),
    ("total_loss", "total loss", _places(2)),
    ("accuracy", "accuracy", _places(4)),
    ("accuracy_low", "95 % interval", _places(3)),
    ("balanced_accuracy", "balanced accuracy", _places(4)),
    ("f1", "F1", _places(4)),
    ("auc", "AUC", _places(4)),
    ("ece", "calibration error", _places(4)),
    ("label_accuracy", "accuracy of single labels", _places(4)),
    ("r2", "R²", _places(4)),
    ("r2_low", "95 % interval", _places(3)),
    ("rmse", "RMSE", written),
    ("rmse_low", "95 % interval", written),
    ("mae", "MAE", written),
    ("coverage", "between the outer quantiles", _places(3)),
    ("coverage_low", "95 % interval", _places(3)),
    ("coverage_wanted", "wanted", "{:.3g}".format),
    ("interval_width", "mean distance between them", written),
)
"""Key in the scores, name, how it is written; an interval has its upper end beside the lower one."""

_OF_ONE_UNIT = ("rmse", "rmse_low", "mae")


def is_known(row: Event, key: str) -> bool:
    """Whether a score is there; what is not finite is None in the journal."""
    return row.get(key) is not None and isfinite(row[key])


def part_name(part: str) -> Text:
    """What a part of the samples is called."""
    return say({"train": "train", "valid": "valid", "test": "test"}[part])


def scores_table(scores: Event, target: Event) -> Markup:
    """A row per metric, a column per part."""
    n_targets = target.get("n_columns", 1)
    rows: list[list[object]] = [[say("samples"), *(f"{row['n_samples']:,}" for row in scores.values())]]
    for key, name, how in _METRICS:
        if n_targets > 1 and key in _OF_ONE_UNIT:
            continue
        cells = [_cell(row, key, how) for row in scores.values()]
        if any(cells):
            rows.append([_name(key, name, target), *cells])
    return table((say("measured"), *map(part_name, scores)), rows, "scores")


def _cell(row: Event, key: str, how: Callable[[float], str]) -> str | Text:
    """A score, or an interval that is one."""
    if not is_known(row, key):
        return ""
    low = how(row[key])
    if not key.endswith("_low"):
        return low
    high = how(row[key.replace("_low", "_high")])
    return "" if low == high else say("{low} to {high}", low=low, high=high)


def _name(key: str, name: str, target: Event) -> Text:
    """What a metric is called; that of one class, of one quantile or of all targets says so."""
    quantiles = target.get("quantiles", ())
    if key == "f1" and len(target["classes"]) == 2:
        return say("F1 of {name}", name=target["classes"][1])
    if key in ("r2", "rmse", "mae") and quantiles:
        middle = min(quantiles, key=lambda each: abs(each - 0.5))
        return say("{metric} of the {name} quantile", metric=name, name=quantile_name(middle))
    if key == "r2" and target.get("n_columns", 1) > 1:
        return say("R², the mean of {n} targets", n=target["n_columns"])
    if key == "accuracy" and target.get("n_columns", 1) > 1:
        return say("all labels right")
    return say(name)


def without_auc(scores: Event) -> list[Markup]:
    """Why a part has no AUC."""
    return [
        tag("p", say("No AUC: the {part} samples have one class only.", part=part_name(part)), class_="small")
        for part, row in scores.items()
        if "auc" in row and not is_known(row, "auc")
    ]


def by_target(details: Event, part: str) -> Markup:
    """Of several targets a row each: of numbers in their own units, of labels as of classes."""
    known = details.get("by_target")
    if not known:
        return Markup("")
    title = tag("h3", say("Target by target ({part} samples)", part=part_name(part)))
    if "r2" not in known[0]:
        rows = [
            (each["name"], f"{each['n_samples']:,}", *(f"{each[key]:.3f}" for key in _OF_CLASS))
            for each in known
        ]
        head = (say("label"), say("samples that have it"), say("precision"), say("recall"), "F1")
        return join([title, table(head, rows)])
    guesses = details.get("guess", {}).get("rmse", [None] * len(known))
    rows = [
        (each["name"], _places(4)(each["r2"]), *map(written, (each["rmse"], guess, each["mae"])))
        for each, guess in zip(known, guesses, strict=True)
    ]
    return join([title, table((say("target"), "R²", "RMSE", say("RMSE of the mean"), "MAE"), rows)])


_OF_CLASS = ("precision", "recall", "f1")


def luck(by_name: dict[str, Event], valid: Event) -> Markup:
    """The validation score, and what is left of it without the luck of the best of many."""
    if "learned_from" in valid:
        said = say(
            "What was picked has learned from the validation samples, too (refit): only the test samples can "
            "judge it."
        )
        return tag("p", said, class_="small")
    known = by_name.get("luck")
    if known is None:
        return Markup("")
    which: object = f"{by_name['leaderboard']['n_tried']:,}"
    if "n_folds" in valid:
        # of many only the best are kept for the correction
        n_folded = max(known["n_tried"], by_name.get("final", {}).get("n_alive", 0))
        which = say("{n} that were trained in folds, of {all} tried", n=n_folded, all=which)
    names = (("accuracy", "accuracy"), ("r2", "R²"), ("loss", "loss"))
    shown = [(say(name), key) for key, name in names if f"corrected_{key}" in valid]
    before, left = (_listed(shown, valid, prefix) for prefix in ("", "corrected_"))
    return tag(
        "p",
        say(
            "The validation samples picked the best of {which}, which may be luck: {said}. Picked by some of "
            "them and judged by the others, over and over, it comes to {left}. The test samples had no part "
            "in any choice.",
            which=which,
            said=before,
            left=left,
        ),
        class_="small",
    )


def _listed(known: Sequence[tuple[Markup, str]], scores: Event, prefix: str) -> Markup:
    """Scores with their names: accuracy 0.9721, loss 0.1432."""
    return listed(say("{name} {n}", name=name, n=_places(4)(scores[prefix + key])) for name, key in known)
