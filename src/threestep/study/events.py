"""What happens in a run, as plain dicts; `run.py` says when each is told."""

from collections.abc import Sequence
from dataclasses import asdict
from math import log
from typing import Any

import numpy as np

from threestep.data import (
    ADDING_UP,
    MANY_LEVELS,
    ColumnKind,
    Target,
    as_numbers,
    columns_wanted,
    count_words,
    different_words,
    encode_target,
    kinds_of,
    leaks_of,
    may_be_either,
    notes_on_classes,
    overrides_of,
    words_among,
    words_among_dates,
)
from threestep.network import Network, resnet_meant_by
from threestep.pick import EpochRow, Outcome, Picked, losses_of
from threestep.study.choices import space_of
from threestep.study.details import known_target
from threestep.study.folder import Event
from threestep.study.preparing import Prepared
from threestep.version import __version__

_READ_AS = {"mdy": "month first, as in America", "dmy": "day first, as in Europe"}

SPENT_BEFORE = "the budget was spent before an epoch was done"
"""Why a descent ended of which nothing is kept."""


def start_event(prepared: Prepared) -> Event:
    """What the data are."""
    import jax

    parts, prep = prepared.parts, prepared.prep
    return {
        "event": "start",
        "data": prepared.table.name,
        "n_samples": {name: part.n_samples for name, part in parts._asdict().items()},
        "n_inputs": prep.layout.n_inputs,
        "input_shape": prep.layout.shape,
        "columns": columns_wanted(prep.layout),
        "target": {**_target_facts(prep.target), "quantiles": prepared.goodness.quantiles},
        "notes": [
            *prepared.table.notes,
            *notes_on_classes(prep.target, known_target(prepared.table)),
            *_notes_on_columns(prepared),
            *_notes_on_network(prepared.settings.network),
        ],
        "seed": prepared.settings.seed,
        "versions": {"threestep": __version__, "jax": jax.__version__},
    }


def _notes_on_columns(prepared: Prepared) -> list[str]:
    """What is left out, and what gives the target away."""
    table, layout = prepared.table, prepared.prep.layout
    if isinstance(prepared.parts.train.x, np.ndarray) or isinstance(table.x, np.ndarray):
        return _missing_pixels(prepared)
    used = {name: column for name, column in table.x.items() if name not in layout.left_out}
    leaks = [
        f"column {name!r} may give the target away: {how}; --column {name}=ignore leaves it out"
        for name, how in _sums_once(leaks_of(as_numbers(layout, used), np.asarray(table.y)))
    ]
    left_out, words = notes_on_left_out(prepared), _words_elsewhere(prepared)
    return [*left_out, *words, *_open_dates(prepared), *_rare_words(prepared), *leaks]


def notes_on_left_out(prepared: Prepared) -> list[str]:
    """Which columns nothing is learned from, and why."""
    columns, left_out = prepared.parts.train.x, prepared.prep.layout.left_out
    if isinstance(columns, np.ndarray) or not left_out:
        return []
    kinds = kinds_of(columns, overrides_of(prepared.settings.column, list(columns)))
    return [_left_out(name, kinds[name]) for name in left_out]


def _words_elsewhere(prepared: Prepared) -> list[str]:
    """Words among numbers and dates."""
    columns, layout, n_all = prepared.table.columns(), prepared.prep.layout, prepared.table.n_samples
    found = [
        *((name, "numbers", *words_among(columns[name])) for name in layout.with_strays),
        *((name, "dates", *words_among_dates(columns[name], order)) for name, order in layout.dates),
    ]
    return [
        f"column {name!r} is {what}; {n:,} of {n_all:,} cells are words such as {word!r} and count as "
        f"missing; --column {name}=category takes all of it as words"
        for name, what, n, word in found
        if n
    ]


def _sums_once(leaks: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of columns that only together give the target away the first: without it they do not."""
    once: dict[str, tuple[str, str]] = {}
    for name, how in leaks:
        once.setdefault(how if how.endswith(ADDING_UP) else name, (name, how))
    return list(once.values())


def _missing_pixels(prepared: Prepared) -> list[str]:
    """How many there are: no input says where."""
    x = prepared.table.x
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or not prepared.prep.layout.is_picture:
        return []
    n_missing = int(np.isnan(x).sum())
    return [f"{n_missing:,} of {x.size:,} pixels are missing and count as 0"] if n_missing else []


def _open_dates(prepared: Prepared) -> list[str]:
    """Dates of which nothing tells days from months."""
    columns, layout = prepared.parts.train.columns(), prepared.prep.layout
    return [
        _read_either_way(name, order)
        for name, order in layout.dates
        if order in _READ_AS and may_be_either(different_words(columns[name]))
    ]


def _read_either_way(name: str, order: str) -> str:
    return (
        f"column {name!r} has dates that may be read in two ways; they are read {_READ_AS[order]}. "
        "Written as 2024-12-31 there is no doubt"
    )


def _left_out(name: str, kind: ColumnKind) -> str:
    keep = f"; --column {name}={kind.otherwise} keeps it" if kind.otherwise else ""
    return f"column {name!r} is left out: {kind.reason}{keep}"


def _rare_words(prepared: Prepared) -> list[str]:
    """Categories of more words than there are inputs for."""
    columns, layout = prepared.parts.train.columns(), prepared.prep.layout
    with_means = {name: len(levels) for name, levels in layout.means}
    notes = []
    for name, levels in layout.words:
        if len(levels) < MANY_LEVELS or (n_words := count_words(columns[name])) == len(levels):
            continue
        n_known = with_means.get(name, 0)
        which = "all" if n_known == n_words else f"the {n_known:,} most frequent"
        others = f"{which} say what the target usually is there" if n_known else "the others count as unknown"
        inputs = f"the {len(levels):,} most frequent are inputs"
        notes.append(f"column {name!r} has {n_words:,} different words; {inputs}, {others}")
    return notes


def _notes_on_network(spec: str) -> list[str]:
    """What else a given network may be meant to be."""
    meant = resnet_meant_by(spec)
    return [f"network {spec!r} is one residual block; a whole ResNet is `{meant}`"] if meant else []


def space_event(prepared: Prepared) -> Event:
    """What a search may try."""
    return {"event": "space", **asdict(space_of(prepared.settings)), "searcher": prepared.settings.searcher}


def network_event(networks: Sequence[Network]) -> Event:
    """The function set: the layers of the first network, and what others are averaged with it."""
    network, *others = networks
    return {
        "event": "function_set",
        "network": str(network),
        "others": [str(other) for other in others],
        "n_params": sum(each.n_params for each in networks),
        "n_products": sum(each.n_products for each in networks),
        "layers": [
            {
                "what": what,
                "shape_in": shape_in,
                "shape_out": shape_out,
                "n_params": n_params,
            }
            for what, shape_in, shape_out, n_params in network.rows
        ],
    }


def _target_facts(target: Target) -> dict[str, Any]:
    """The target, for people."""
    return {
        "name": target.name,
        "kind": target.kind,
        "classes": target.classes,
        "reason": target.reason,
        "n_columns": target.n_columns,
        "names": target.names,
    }


def guess_loss(prepared: Prepared) -> float:
    """Mean loss of knowing nothing: outputs of zero, that is every class equally likely, or always the
    mean."""
    train, goodness = prepared.parts.train, prepared.goodness.for_judging
    known = {"squared_error": 0.5, "sigmoid_cross_entropy": log(2)}
    if goodness.loss == "cross_entropy":
        return log(len(prepared.prep.target.classes))
    if goodness.loss in known:
        return known[goodness.loss]
    targets = encode_target(prepared.prep, train)
    outputs = np.zeros((len(targets), len(goodness.quantiles) or prepared.prep.target.n_outputs), np.float32)
    return float(losses_of(goodness, outputs, targets).mean())


def epoch_facts(row: EpochRow) -> dict[str, Any]:
    """One epoch as plain numbers; what is not finite (a diverged step) as None."""
    return {
        key: value if isinstance(value, int) or abs(value) < float("inf") else None
        for key, value in row._asdict().items()
    }


def pick_event(picked: Picked, seconds: float) -> Event:
    """What was picked, and why descent ended."""
    is_late = picked.outcome is Outcome.OUT_OF_TIME and not picked.history
    return {
        "event": "pick",
        "outcome": picked.outcome.name.lower(),
        "why": SPENT_BEFORE if is_late else picked.outcome.sentence,
        "best_epoch": picked.best_epoch,
        "n_epochs": len(picked.history),
        "seconds": round(seconds, 3),
    }
