"""What the samples look like before anything learns from them: gaps, rare classes, copies."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data import (
    Layout,
    Table,
    Target,
    as_numbers,
    encode_target,
    fingerprint,
    keys_of_samples,
    keys_of_values,
)
from threestep.study.details import known_target
from threestep.study.preparing import Prepared

Event = dict[str, Any]

_MOST_COLUMNS = 20  # that are named


def check_event(prepared: Prepared) -> Event:
    """The journal's line about the samples.

    Returns
    -------
    dict
        `hash`: of all samples with a target; `n_without_target`: how many others there were; `missing`:
        columns with gaps and the share of these, the most first;
        `n_with_gaps`: how many columns have any; `classes`: how many samples of each; `n_copies`: samples
        that another one equals, target included; `n_contradictions`: samples equal to one with another
        target; `n_seen`: test samples whose features were learned from, too.
    """
    table = prepared.table
    gaps = _gaps(table, prepared.prep.layout)
    keys, targets = keys_of_samples(_used(prepared, table)), keys_of_values(known_target(table))
    return {
        "event": "check",
        "hash": fingerprint(table),
        "n_without_target": prepared.n_without_target,
        "missing": [{"column": name, "share": share} for name, share in gaps[:_MOST_COLUMNS]],
        "n_with_gaps": len(gaps),
        "classes": _class_counts(prepared.prep.target, prepared),
        **_copies(keys, targets),
        "n_seen": _n_seen(prepared),
    }


def _gaps(table: Table, layout: Layout) -> list[tuple[str, float]]:
    """Columns with missing values, and the share of these."""
    if isinstance(table.x, np.ndarray):
        flat = table.x.reshape(len(table.x), -1)
        n_missing = int(np.isnan(flat).any(axis=1).sum()) if flat.dtype.kind == "f" else 0
        return [("samples", n_missing / len(flat))] if n_missing else []
    shares = {name: _share_missing(column) for name, column in as_numbers(layout, table.x).items()}
    return sorted(((name, share) for name, share in shares.items() if share), key=lambda each: -each[1])


def _share_missing(column: NDArray) -> float:
    if column.dtype.kind == "O":
        return float((column == "").mean())
    return float(np.isnan(column).mean()) if column.dtype.kind == "f" else 0.0


def _class_counts(target: Target, prepared: Prepared) -> list[int]:
    """How many samples of each class; none if there are no classes."""
    if target.kind != "classes":
        return []
    labels = encode_target(prepared.prep, prepared.table)
    return np.bincount(labels, minlength=len(target.classes)).tolist()


def _copies(keys: NDArray, targets: NDArray) -> dict[str, int]:
    """How many samples repeat another one, and how many contradict one."""
    order = np.lexsort((targets, keys))
    same_x = keys[order][1:] == keys[order][:-1]
    same = same_x & (targets[order][1:] == targets[order][:-1])
    starts = np.flatnonzero(np.r_[True, ~same_x])
    is_odd = np.add.reduceat(np.r_[False, same_x & ~same].astype(int), starts) > 0
    sizes = np.diff(np.r_[starts, len(keys)])
    return {"n_copies": int(same.sum()), "n_contradictions": int(sizes[is_odd].sum())}


def _n_seen(prepared: Prepared) -> int:
    """Test samples that have an equal among those that are learned from."""
    parts, settings = prepared.parts, prepared.settings
    if parts.test.n_samples == 0:
        return 0
    learned = [parts.train, *([parts.valid] if settings.refit or (settings.folds or 1) > 1 else [])]
    keys = [keys_of_samples(_used(prepared, part)) for part in (parts.test, *learned)]
    return int(np.isin(keys[0], np.concatenate(keys[1:])).sum())


def _used(prepared: Prepared, table: Table) -> Table:
    """Without the columns that are left out: a number that counts the samples makes all of them different."""
    left_out = prepared.prep.layout.left_out
    if isinstance(table.x, np.ndarray) or len(left_out) >= len(table.x):
        return table
    return replace(table, x={name: column for name, column in table.x.items() if name not in left_out})
