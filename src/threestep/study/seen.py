"""Of very many pictures a search sees some: all of them, as numbers of 32 bits, would fill the memory."""

from dataclasses import replace

import numpy as np

from threestep.pick import Samples, rows_of
from threestep.settings import Settings
from threestep.study.choices import choose_settings
from threestep.study.preparing import Prepared

_MOST_BYTES = 1 << 30
"""Of all inputs as numbers of 32 bits, what is learned from and what chooses together; a search holds them
several times."""
_BY_NUMBER = ("epochs", "batch_size", "patience", "widths")
"""Settings that are chosen by the number of samples."""


def seen_by_search(prepared: Prepared, whole: tuple[Samples, Samples]) -> tuple[Samples, Samples]:
    """What a search learns from, and what chooses: of pixels of 8 bits as many, at random, as there is room
    for. All where networks are not only compared: one is given, or folds or a refit are asked for."""
    settings, (train, valid) = prepared.settings, whole
    parts = [train] if valid is train else [train, valid]
    share = _MOST_BYTES / sum(4 * each.x.size for each in parts)
    is_more = prepared.network is not None or settings.refit or (settings.folds or 1) > 1
    if train.scale is None or share >= 1 or is_more:
        return whole
    learn, *others = (_some(each, share, settings.seed) for each in parts)
    return learn, others[0] if others else learn


def settings_for(prepared: Prepared, n_train: int) -> Settings:
    """The settings of networks that learn from so many samples."""
    settings, prep = prepared.settings, prepared.prep
    if n_train == prepared.parts.train.n_samples:
        return settings
    n_ends = prep.layout.n_inputs + (len(settings.quantiles) or prep.target.n_outputs)
    facts = prep.target.kind == "classes", prep.layout, prepared.table.y_name, n_ends
    usual = choose_settings(prepared.asked, n_train, *facts)
    return replace(settings, **{name: getattr(usual, name) for name in _BY_NUMBER})


def as_numbers(samples: Samples) -> Samples:
    """Pixels of 8 bits as numbers of 32, others as they are."""
    if samples.scale is None:
        return samples
    return Samples(samples.x / np.float32(samples.scale), samples.y, samples.weight)


def part_note(n: int, n_all: int, has_convolutions: bool) -> str:
    """That not all learn from all samples, in words."""
    others = "; networks with convolutions learn from all" if has_convolutions else ""
    return f"the search sees {n:,} of the {n_all:,} samples, more would fill the memory{others}"


def _some(samples: Samples, share: float, seed: int) -> Samples:
    """That share of them, in their order."""
    n = max(1, int(share * len(samples.y)))
    return rows_of(samples, np.sort(np.random.default_rng(seed).permutation(len(samples.y))[:n]))
