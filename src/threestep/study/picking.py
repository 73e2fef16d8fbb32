"""What of a search is picked: what limits allow, and what answers best together."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from threestep.errors import SettingsError
from threestep.goodness import Goodness, metric_score, softmax, some_of, temperature_of, threshold_for
from threestep.network import Network, Params
from threestep.pick import (
    Folded,
    Outcome,
    Picked,
    Samples,
    Tried,
    averaged_ones,
    distinct_ones,
    is_whole,
    losses_of,
    outputs_of,
    preferred,
    rows_of,
)
from threestep.settings import Settings
from threestep.study.choices import most_averaged
from threestep.study.leaderboard import leaderboard_event
from threestep.study.luck import Surer, luck_of

_Some = TypeVar("_Some", Tried, Folded)
_N_LATENCIES = 20
MOST_CANDIDATES = 10  # of what may be averaged
_MOST_TO_COMPARE = 4000  # samples
_MOST_FINALS = 20  # whose calibrated losses are compared


class Unseen(NamedTuple):
    """What was said of samples by networks that did not learn from them.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_outputs)
    samples : Samples
    """

    outputs: NDArray
    samples: Samples


class Found(NamedTuple):
    """What a search gives.

    Parameters
    ----------
    picked : Picked
        The best.
    others : tuple of (Network, Params)
        Those that are averaged with it.
    tried : list of Tried
        The chosen ones, then the others, the best of both first.
    unseen : Unseen or None
        With folds: of all samples, each by the networks of the folds that did not learn from it.
    n_refitted : int
        How many of the networks learned from the samples that chose, too, after they were chosen.
    """

    picked: Picked
    others: tuple[tuple[Network, Params], ...]
    tried: list[Tried]
    unseen: Unseen | None = None
    n_refitted: int = 0


def pick_some(
    tried: Sequence[Tried], goodness: Goodness, valid: Samples, settings: Settings
) -> Generator[dict[str, Any], None, tuple[list[Tried], list[Tried]]]:
    """The ones to pick, best first; and all that was tried, those first, then by what picks.

    Parameters
    ----------
    tried : sequence of Tried
        Best first, at least one.
    goodness : Goodness
    valid : Samples
        Which chose.
    settings : Settings

    Yields
    ------
    dict
        The leaderboard, and a note if no network keeps the limit.
    """
    fast, few = fast_enough(tried, settings), _few(valid)
    if not fast:
        yield {"event": "note", "text": _too_slow(settings)}
        able, losses = [fastest(tried)], None
        chosen = able
    else:
        said_by = lru_cache(maxsize=None)(partial(_said_by, samples=few.samples))
        able, losses = _compared(preferred(fast), is_whole, said_by, goodness, few, settings)
        if settings.ensemble is not None:
            chosen = distinct_ones(able, settings.ensemble)
        else:
            said = [said_by(each) for each in able[:MOST_CANDIDATES]]
            chosen = [able[place] for place in _best_together(said, goodness, few.samples, settings)]
    everything = _first_those(chosen, _first_those(able, tried))
    yield leaderboard_event(everything, chosen, 0 if losses is None else len(losses), settings)
    surer = None if losses is None else Surer(able[: len(losses)], losses, few.rows)
    yield from _luck_events(everything, chosen[0], surer, settings)
    return chosen, everything


def surest(tried: Sequence[Tried], goodness: Goodness, valid: Samples, settings: Settings) -> Tried:
    """The one with the lowest loss, once each is as sure as it should be, if outputs are calibrated."""
    few = _few(valid).samples
    return min(tried, key=lambda each: _loss_of(_said_by(each, few), goodness, few, settings))


def _compared(
    able: Sequence[_Some],
    is_final: Callable[[_Some], bool],
    said_by: Callable[[_Some], NDArray],
    goodness: Goodness,
    few: "_Few",
    settings: Settings,
) -> tuple[list[_Some], NDArray | None]:
    """As they come, best first, but finals, if one comes first, by their loss once they are as sure as they
    should be; or by the metric that is asked for, equal ones as they come. And those losses, if they were
    compared by them, of the first ones: shape (n_first, n_few)."""
    name, samples = settings.score_metric, few.samples
    if name == "loss" and settings.calibrate and goodness.kind != "number" and is_final(able[0]):
        finals = list(islice(filter(is_final, able), _MOST_FINALS))
        losses = np.stack([_losses_of(said_by(each), goodness, samples, settings) for each in finals])
        order = losses.mean(axis=1).argsort(kind="stable")
        ranked = [finals[place] for place in order]
        others = [each for each in able if not any(each is final for final in finals)]
        return [*ranked, *others], losses[order]
    if name == "loss":
        return list(able), None
    return sorted(able, key=lambda each: -_score_of(said_by(each), goodness, samples, settings)), None


def _best_together(
    outputs: Sequence[NDArray], goodness: Goodness, samples: Samples, settings: Settings
) -> list[int]:
    """Places of those outputs whose average is best, once it is as sure as it should be: an average is less
    sure than each of its networks, which says nothing against it."""

    def badness(places: Sequence[int]) -> float:
        together = goodness.averaged([outputs[place] for place in places])
        if settings.score_metric != "loss":
            return -_score_of(together, goodness, samples, settings)
        return _loss_of(together, goodness, samples, settings)

    return averaged_ones(len(outputs), badness, most_averaged(settings))


class _Few(NamedTuple):
    """As many samples as are enough to compare by, and which of all these are."""

    samples: Samples
    rows: NDArray | slice


def _few(samples: Samples) -> _Few:
    rows = some_of(len(samples.y), _MOST_TO_COMPARE)
    return _Few(samples if isinstance(rows, slice) else rows_of(samples, rows), rows)


def _loss_of(outputs: NDArray, goodness: Goodness, samples: Samples, settings: Settings) -> float:
    """The mean loss; at the temperature that suits the outputs, if they are to be calibrated."""
    return float(_losses_of(outputs, goodness, samples, settings).mean())


def _losses_of(outputs: NDArray, goodness: Goodness, samples: Samples, settings: Settings) -> NDArray:
    """The loss of each sample, times its weight, at that temperature."""
    outputs = _as_sure(outputs, goodness, samples, settings)
    losses = losses_of(goodness.for_judging, outputs, samples.y)
    return losses if samples.weight is None else losses * (samples.weight / samples.weight.mean())


def _score_of(outputs: NDArray, goodness: Goodness, samples: Samples, settings: Settings) -> float:
    """The metric that is asked for, of the answers that a model with these outputs would give."""
    outputs, decided = _as_sure(outputs, goodness, samples, settings), None
    if settings.decide_by != "accuracy" and goodness.kind == "classes" and outputs.shape[1] == 2:
        yes = softmax(outputs)[:, 1]
        decided = (yes >= threshold_for(settings.decide_by, yes, samples.y, samples.weight)).astype(int)
    return metric_score(goodness.kind, settings.score_metric, outputs, samples.y, decided, samples.weight)


def _as_sure(outputs: NDArray, goodness: Goodness, samples: Samples, settings: Settings) -> NDArray:
    """Outputs at the temperature that suits them, if they are to be calibrated."""
    if not settings.calibrate or goodness.kind == "number":
        return outputs
    return outputs / np.float32(temperature_of(goodness.kind, outputs, samples.y, samples.weight))


def _said_by(tried: Tried, samples: Samples) -> NDArray:
    """The outputs of one network."""
    network = tried.trained.member.network
    return outputs_of(network, tried.trained.params, samples.x[:, : network.n_inputs])


def _first_those(chosen: Sequence[Tried], tried: Sequence[Tried]) -> list[Tried]:
    """All, the chosen ones first."""
    numbers = {each.number for each in chosen}
    return [*chosen, *(each for each in tried if each.number not in numbers)]


def _luck_events(
    tried: Sequence[Tried], picked: Tried, surer: Surer | None, settings: Settings
) -> Iterator[dict[str, Any]]:
    """How lucky the picked one is, if there was a choice."""
    luck = luck_of(tried, picked, settings.seed, surer)
    if luck is not None:
        yield luck


def pick_in_folds(
    folded: Sequence[Folded],
    tried: Sequence[Tried],
    goodness: Goodness,
    both: Samples,
    settings: Settings,
    is_interrupted: bool,
) -> Generator[dict[str, Any], None, Found]:
    """Pick structures by what their networks say of samples that they did not learn from.

    Parameters
    ----------
    folded, tried : sequence of Folded, of Tried
        What was trained in folds, at least one, and what was searched before; best first.
    goodness : Goodness
    both : Samples
        Those of all folds.
    settings : Settings
    is_interrupted : bool

    Yields
    ------
    dict
        The leaderboard.
    """
    few = _few(both)
    said_by = lambda each: each.outputs[few.rows]  # noqa: E731 - one line
    folded, losses = _compared(folded, lambda _: True, said_by, goodness, few, settings)
    if settings.ensemble is None:
        places = _best_together([*map(said_by, folded)], goodness, few.samples, settings)
        chosen = [folded[place] for place in places]
    else:
        chosen = list(folded[: settings.ensemble])
    picked = [each.tried for each in chosen]
    compared = [each.tried for each in folded[: 0 if losses is None else len(losses)]]
    surer = None if losses is None else Surer(compared, losses, few.rows)
    everything = _first_those(picked, [*(each.tried for each in folded), *tried])
    yield leaderboard_event(everything, picked, len(compared), settings, len(folded))
    yield from _luck_events([each.tried for each in folded], picked[0], surer, settings)
    best, (first, *others) = picked[0].trained, [own for each in chosen for own in each.functions]
    outcome = Outcome.INTERRUPTED if is_interrupted else best.outcome
    unseen = Unseen(goodness.averaged([each.outputs for each in chosen]), both)
    found = Picked(*first, best.history, best.best_epoch, outcome)
    return Found(found, tuple(others), everything, unseen)


def check_size(networks: Sequence[Network], settings: Settings) -> None:
    """Refuse a limit that none of these networks keeps, the smallest that are tried, or the given one.

    Raises
    ------
    SettingsError
    """
    smallest = min(networks, key=lambda network: network.n_params)
    if settings.max_params is not None and smallest.n_params > settings.max_params:
        is_given = settings.network != "auto"
        which = str(smallest) if is_given else f"the smallest network that is tried, {smallest},"
        raise SettingsError(
            f"`max_params` is {settings.max_params:,}; {which} has {smallest.n_params:,} params",
            "allow more, or give fewer and narrower layers" if is_given else "allow more",
        )


def check_latency(network: Network, settings: Settings) -> None:
    """Refuse a limit that not even this network keeps.

    Raises
    ------
    SettingsError
    """
    most_ms = settings.max_latency_ms
    if most_ms is not None and (took := _latency_ms(network) * _n_asked(settings)) > most_ms:
        raise SettingsError(
            f"`max_latency_ms` is {most_ms:g}; {_together(network, settings)} {took:.3g} for one sample",
            "allow more, or give fewer and narrower layers, or a smaller `ensemble`",
        )


def _together(network: Network, settings: Settings) -> str:
    """Who takes the time of which a limit is."""
    n = _n_asked(settings)
    return f"{network} takes" if n == 1 else f"{n} networks such as {network}, which answer together, take"


def fast_enough(tried: Sequence[Tried], settings: Settings) -> list[Tried]:
    """Those that predict one sample within their share of the limit, and have few enough params; perhaps
    none."""
    most_ms = math.inf if settings.max_latency_ms is None else settings.max_latency_ms
    most = math.inf if settings.max_params is None else settings.max_params
    known = [each for each in tried if each.trained.params]  # the others were forgotten
    known = [each for each in known if each.trained.member.network.n_params <= most]
    if most_ms == math.inf:
        return known
    return [each for each in known if _latency(each) * _n_asked(settings) <= most_ms]


def _n_asked(settings: Settings) -> int:
    """How many networks answer together where there is a limit: as many as are asked for."""
    return (settings.ensemble or 1) * (settings.folds or 1)


def fastest(tried: Sequence[Tried]) -> Tried:
    return min((each for each in tried if each.trained.params), key=_latency)


def _latency(tried: Tried) -> float:
    return _latency_ms(tried.trained.member.network)


@lru_cache(maxsize=4096)  # one measurement of a structure: it is compared with the same limit several times
def _latency_ms(network: Network) -> float:
    """Median time of predicting one sample by such a network."""
    params, one, times = network.init(0), np.zeros((1, network.n_inputs), np.float32), []
    outputs_of(network, params, one)
    for _ in range(_N_LATENCIES):
        began = time.perf_counter()
        outputs_of(network, params, one)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _too_slow(settings: Settings) -> str:
    """That no network kept the limits, in words."""
    if settings.max_latency_ms is None:
        return f"none that was trained keeps `max_params` = {settings.max_params:,}: the fastest is picked"
    return (
        f"none that was trained keeps `max_latency_ms` = {settings.max_latency_ms:g}: the fastest is picked"
    )
