"""A result as a notebook shows it: a title, facts, a table, notes.

One plain piece of HTML without scripts or colours of its own, so that it is as light or dark as the notebook.
Whatever is handed in is text: all of it is escaped here, and nothing else is.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

_LINE = "1px solid rgba(128,128,128,.45)"  # seen on white and on black
_CARD = "display:inline-block;max-width:64em;border-left:3px solid rgba(128,128,128,.45);padding:0 .9em"
_CELL = "padding:.15em 0 .15em 1.4em;text-align:right;border:none;background:none;font-weight:inherit"
_FIRST_CELL = "padding:.15em 0;text-align:left;border:none;background:none;font-weight:inherit"


def card(
    title: str,
    lines: Iterable[str] = (),
    table: Sequence[Sequence[str]] = (),
    notes: Iterable[str] = (),
) -> str:
    """HTML of a result.

    Parameters
    ----------
    title : str
        What it is, in a few words.
    lines : iterable of str
        Facts, a line each.
    table : sequence of sequence of str
        The heads of the columns, then the rows; the first column is to the left, the others are numbers.
    notes : iterable of str
        What else is to be known.

    Examples
    --------
    >>> "<b>1 &lt; 2</b>" in card("1 < 2")
    True
    """
    said = "".join(f'<div style="margin:.15em 0">{escape(line)}</div>' for line in lines)
    noted = "".join(f"<li>{escape(note)}</li>" for note in notes)
    noted = f'<ul style="margin:.4em 0;padding-left:1.2em">{noted}</ul>' if noted else ""
    return f'<div style="{_CARD}"><div><b>{escape(title)}</b></div>{said}{_table(table)}{noted}</div>'


def _table(rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head, *others = (
        "".join(
            _cell("th" if row is rows[0] or place == 0 else "td", cell, place)
            for place, cell in enumerate(row)
        )
        for row in rows
    )
    style = "border-collapse:collapse;border:none;margin:.5em 0;font-variant-numeric:tabular-nums"
    body = "".join(f'<tr style="background:none">{row}</tr>' for row in others)
    return (
        f'<table style="{style}"><thead style="border-bottom:{_LINE}"><tr style="background:none">{head}</tr>'
        f"</thead><tbody>{body}</tbody></table>"
    )


def _cell(tag: str, text: str, place: int) -> str:
    return f'<{tag} style="{_CELL if place else _FIRST_CELL}">{escape(text)}</{tag}>'


def score_rows(scores: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Scores as a table: the samples, the loss, accuracy or R² with its 95 % interval.

    Parameters
    ----------
    scores : mapping of str to mapping of str to float
        Of each part of the samples; nothing of none.
    """
    if not scores:
        return []
    is_classes = "accuracy" in next(iter(scores.values()))
    key, name = ("accuracy", "accuracy") if is_classes else ("r2", "R²")
    more = [] if is_classes else ["rmse", "mae"]
    rows = [["", "samples", "loss", name, "95 % interval", *(each.upper() for each in more)]]
    for part, row in scores.items():
        numbers = f"{row['n_samples']:,}", _number(row["loss"]), _number(row[key])
        rows.append([part, *numbers, _interval(row, key), *(_number(row.get(each), ",.6g") for each in more)])
    return rows


def _number(value: float | None, shape: str = ".4f") -> str:
    return "–" if value is None or not isfinite(value) else f"{value:{shape}}"


def _interval(row: Mapping[str, Any], key: str) -> str:
    low, high = row.get(f"{key}_low"), row.get(f"{key}_high")
    if low is None or high is None or not isfinite(low) or not isfinite(high):
        return ""
    return f"{low:.3f} to {high:.3f}"
