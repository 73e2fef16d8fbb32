"""When training must end, so that a budget holds for the whole of a run: what follows it takes time, too."""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

from threestep.devices import is_cpu
from threestep.limits import seconds_of
from threestep.network import Network, parse
from threestep.pick import Population, Tried, anew_ones, preferred
from threestep.settings import Settings
from threestep.study.choices import SEARCH_FRACTION, n_averaged
from threestep.study.choices_on_pictures import designed_networks
from threestep.study.importance import n_answers
from threestep.study.layers import seconds_set_aside
from threestep.study.picking import MOST_CANDIDATES, surest
from threestep.study.preparing import Prepared

_SECONDS_AFTER = 0.3  # for measuring the winner and writing the run down
_SECONDS_PER_SAMPLE = 2e-6  # beside the network's products
_SECONDS_PER_PRODUCT, _SECONDS_PER_SLOW_PRODUCT = 4e-11, 1e-10  # of neurons; of convolutions
_REFIT_FRACTION = 0.2  # of a budget
_MOST_FOR_MEASURING = 0.25  # of a budget, for networks with convolutions


class Ends(NamedTuple):
    """When training must end, on the clock of `time.perf_counter`; infinite without a budget.

    Parameters
    ----------
    any : float
        Whatever is picked.
    dense : float
        If the largest network of neurons is picked: it takes less time to measure and to look at.
    unmeasured : float
        If measuring took no time.
    n_samples : int
        That are answered after the training, each as often as it is.
    """

    any: float
    dense: float
    unmeasured: float
    n_samples: int


def ends_of(prepared: Prepared) -> Ends:
    """When training must end."""
    network, layout, settings = prepared.network, prepared.prep.layout, prepared.settings
    judged = prepared.parts.test.n_samples or prepared.parts.valid.n_samples
    n_samples = prepared.table.n_samples + n_answers(layout, judged, n_averaged(settings))
    seconds_each = n_averaged(settings) * counted_seconds(network or _largest(prepared))
    dense = _deadline_of(settings, n_samples, seconds_each, prepared.began)
    unmeasured = _deadline_of(settings, 0, 0.0, prepared.began)
    aside = seconds_set_aside(prepared.budget)
    if network is not None:
        own = dense if network.is_dense else dense - aside
        return Ends(own, own, unmeasured, n_samples)
    any_end = dense
    for usual in _usual_designed(prepared):  # measuring those takes longer
        seconds_each = counted_seconds(usual)
        longer = _deadline_of(settings, n_samples, seconds_each, prepared.began, _MOST_FOR_MEASURING)
        any_end = min(dense, longer)
    return Ends(any_end - aside if settings.convolutions else any_end, dense, unmeasured, n_samples)


def _largest(prepared: Prepared) -> Network:
    """The largest network of neurons that a search may pick."""
    settings = prepared.settings
    widest = [str(settings.widths[1])] * settings.depths[1] if settings.widths and settings.depths else []
    return parse("-".join(widest), (prepared.prep.layout.n_inputs,), prepared.prep.target.n_outputs)


def _usual_designed(prepared: Prepared) -> Sequence[Network]:
    """The network with convolutions that is tried first, if any is."""
    n_outputs, n_samples = prepared.prep.target.n_outputs, prepared.table.n_samples
    return designed_networks(prepared.settings, prepared.prep.layout, n_outputs, n_samples)[:1]


def _deadline_of(
    settings: Settings, n_samples: int, seconds_each: float, began: float, most_share: float = 1.0
) -> float:
    """When training must end, on the clock of `time.perf_counter`; infinite without a budget.

    Parameters
    ----------
    settings : Settings
    n_samples : int
        That are answered after the training: all are measured, and some asked about again.
    seconds_each : float
        What the outputs for one sample take, of all the networks that may be picked together.
    began : float
        When the budget began.
    most_share : float
        Of the budget, that measuring may take.
    """
    budget = seconds_of(settings.budget)
    if budget is None:
        return math.inf
    for_one = n_averaged(settings) * _SECONDS_PER_SAMPLE + seconds_each
    measuring = min(most_share * budget, n_samples * for_one)
    return began + budget - _SECONDS_AFTER - measuring


def counted_seconds(network: Network) -> float:
    """What the outputs for one sample are counted to take, before a pace is known."""
    return network.n_products * (_SECONDS_PER_PRODUCT if network.is_dense else _SECONDS_PER_SLOW_PRODUCT)


def end_of_search(settings: Settings, ends: Ends, tries_convolutions: bool) -> float:
    """When the members of a search must be trained, so that time is left for what comes behind them."""
    spare = max(0.0, ends.any - time.perf_counter()) if ends.any < math.inf else 0.0
    taken = _REFIT_FRACTION if settings.refit else 1 - SEARCH_FRACTION if tries_convolutions else 0.0
    return ends.any - taken * spare


def last_end(
    ends: Ends, tried: Sequence[Tried], designed: Sequence[Tried], population: Population, settings: Settings
) -> float:
    """When finals must end: later where a network of neurons is ahead, for more of those follow. On a CPU,
    which measures these, its pace is known by now, and what may be picked: the best, or what finals begin
    with."""
    if not tried:
        return ends.any
    if designed:
        best = surest([*preferred(tried)[:1], *designed], population.goodness, population.judged, settings)
        if not best.trained.member.network.is_dense:
            return ends.any
    if not is_cpu():
        return ends.dense
    likely = [*(each.trained.member for each in tried[:MOST_CANDIDATES]), *anew_ones(tried)]
    for_one = n_averaged(settings) * (_SECONDS_PER_SAMPLE + max(map(population.seconds_to_say, likely)))
    return ends.unmeasured - ends.n_samples * for_one
