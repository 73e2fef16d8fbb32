"""A run as a notebook shows it: the network, how good it is, how sure that is."""

from collections.abc import Sequence
from html import escape
from math import isfinite

from threestep.study.scores import Scores


def run_html(data: str, network: str, scores: dict[str, Scores], notes: Sequence[str] = ()) -> str:
    """A short table; every name is shown, none is run.

    Parameters
    ----------
    data, network : str
    scores : dict of str to Scores
        On train, valid and test.
    notes : sequence of str
        What was noticed of the data.
    """
    name, key = ("accuracy", "accuracy") if "accuracy" in next(iter(scores.values())) else ("R²", "r2")
    rows = "".join(
        f"<tr><th>{part}</th><td>{row['n_samples']:,}</td><td>{row['loss']:.4f}</td>"
        f"<td>{row[key]:.4f}</td><td>{_interval(row, key)}</td></tr>"
        for part, row in scores.items()
    )
    corrected = scores.get("valid", {}).get(f"corrected_{key}")
    luck = "" if corrected is None else f"<p>valid without the luck of the best of many: {corrected:.4f}</p>"
    noted = "".join(f"<li>{escape(note)}</li>" for note in notes)
    noted = f"<ul>{noted}</ul>" if notes else ""
    heads = "".join(f"<th>{head}</th>" for head in ("", "samples", "loss", name, "95 % interval"))
    return (
        f"<div><p><b>threestep</b> on {escape(data)}: {escape(network)}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{luck}{noted}</div>"
    )


def _interval(row: Scores, key: str) -> str:
    low, high = row.get(f"{key}_low", float("nan")), row.get(f"{key}_high", float("nan"))
    return f"{low:.3f} to {high:.3f}" if isfinite(low) and isfinite(high) else ""
