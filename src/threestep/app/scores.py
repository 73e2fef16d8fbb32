"""Scores as text on stdout: a table with a line per part of the samples, and what else is known of them."""

from math import isfinite

from threestep.app.lines import INDENT, in_columns, say

_MORE_METRICS = {
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "auc": "AUC",
    "ece": "calibration error",
    "label_accuracy": "accuracy of single labels",
}
_NAMES = {"total_loss": "total loss", "interval": "95 % interval"}


def tell_scores(scores: dict[str, dict[str, float]]) -> None:
    """A table of scores, one line per part of the samples."""
    first = "accuracy" if "accuracy" in next(iter(scores.values())) else "r2"
    more = [] if first == "accuracy" else ["rmse", "mae"]
    interval = ["interval"] * any(f"{first}_low" in row for row in scores.values())
    columns = ["samples", "loss", "total_loss", first, *interval, *more]
    head = ["", *(_NAMES.get(name, name) for name in columns)]
    cells = [[part, *(_cell(row, name, first) for name in columns)] for part, row in scores.items()]
    for line in in_columns([head, *cells]):
        print(line)
    _tell_luck(scores)
    if any("n_folds" in row for row in scores.values()):
        said = "valid: all but the test samples, each judged by networks that did not learn from it"
        say(said, INDENT)
    part, row = list(scores.items())[-1]
    others = [*_others(part, row), *_coverage(row)]
    if others:
        say(f"{part}: {', '.join(others)}", INDENT)


def _cell(row: dict[str, float], name: str, first: str) -> str:
    """One number of the table; the interval is that of the accuracy, or of r2."""
    if name == "interval":
        known = f"{first}_low" in row
        return f"{row[f'{first}_low']:.3f} to {row[f'{first}_high']:.3f}" if known else ""
    if name == "samples":
        return f"{row['n_samples']:,}"
    shapes = {"total_loss": ",.2f", "rmse": ",.6g", "mae": ",.6g"}
    return f"{row[name]:{shapes.get(name, ',.4f')}}"


def _others(part: str, row: dict[str, float]) -> list[str]:
    """Metrics that have no column."""
    return [f"{name} {_metric(part, key, row[key])}" for key, name in _MORE_METRICS.items() if key in row]


def _coverage(row: dict[str, float]) -> list[str]:
    """Of quantiles: how many are between the outer ones."""
    if "coverage" not in row:
        return []
    inside = f"{100 * row['coverage']:.1f} % between the outer quantiles"
    return [f"{inside} ({100 * row['coverage_wanted']:g} % wanted), {row['interval_width']:.6g} apart"]


def _metric(part: str, key: str, value: float) -> str:
    """A metric, or why there is none of these samples."""
    if isfinite(value):
        return f"{value:.4f}"
    which = f"the {part}" if part in ("train", "valid", "test") else "these"
    return f"– ({which} samples have one class only)" if key == "auc" else "–"


def _tell_luck(scores: dict[str, dict[str, float]]) -> None:
    """What is left of the validation score without the luck of the best of many."""
    row = scores.get("valid", {})
    if "learned_from" in row:
        say("valid: learned from, too (refit), so that only the test samples can judge", INDENT)
    for key, name in (("corrected_accuracy", "accuracy"), ("corrected_r2", "r2")):
        if key in row:
            corrected = f"{name} {row[key]:.4f}, loss {row['corrected_loss']:.4f}"
            say(f"valid chose the best of many; without that luck: {corrected}", INDENT)
