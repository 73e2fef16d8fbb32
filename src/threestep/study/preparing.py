"""Everything that is decided before descent starts: samples, prep, function set, loss."""

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from threestep.data import (
    Layout,
    Prep,
    Split,
    Table,
    Target,
    balanced_weights,
    column_of,
    encode,
    encode_target,
    fit_prep,
    labelled,
    overrides_of,
    ranks_in,
    read_to_learn,
    readable,
    split,
    understand_target,
    weights_in,
    with_means,
    without,
)
from threestep.devices import is_cpu
from threestep.errors import SettingsError
from threestep.goodness import Goodness, check_metric
from threestep.limits import check_asked, seconds_of
from threestep.network import Network, check_space, parse, supernet_of
from threestep.pick import Samples, check_changes, is_in_bfloat16, searcher_of
from threestep.settings import Precision, Settings
from threestep.study.choices import CLIP, choose_settings, given, space_of
from threestep.study.choices_on_pictures import choose_for_pictures, designed_networks
from threestep.study.clock import Clock
from threestep.study.details import known_target
from threestep.study.picking import check_latency, check_size


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything decided before descent starts.

    Parameters
    ----------
    source : str
        What the data were asked for by: a name, a path, or what kind of object they were.
    table : Table
    parts : Split
        Its samples as train, valid and test.
    prep : Prep
        Learned from the training samples.
    network : Network or None
        The function set; None: it is searched for.
    goodness : Goodness
    settings : Settings
        What was left open is chosen, but for rates and how many are averaged, which a search decides, limits,
        and the task and bins, which are the prep's.
    asked : Settings
        As the user gave them.
    seconds : dict of str to float
        What reading and preparing took.
    began : float
        When, on the clock of `time.perf_counter`; the budget counts from there.
    shares_programs : bool
        Whether one given network, too, is trained by the program for several: then others of its width, and
        other numbers of samples, need no compile; but the gradient is not watched.
    n_without_target : int
        Samples that were left out as their target is missing.
    """

    source: str
    table: Table
    parts: Split
    prep: Prep
    network: Network | None
    goodness: Goodness
    settings: Settings
    asked: Settings
    seconds: dict[str, float]
    began: float
    shares_programs: bool = False
    n_without_target: int = 0

    @property
    def budget(self) -> float:
        """Seconds for all of it; infinite without one."""
        seconds = seconds_of(self.settings.budget)
        return math.inf if seconds is None else seconds


def prepare_run(source: object, settings: Settings, began: float | None = None) -> Prepared:
    """Read, check, split, learn the prep, define the function set.

    Parameters
    ----------
    source : anything `threestep.data.read` takes
    settings : Settings
    began : float or None
        When the budget began, on the clock of `time.perf_counter`; None: now.

    Raises
    ------
    UserError
        Bad settings or data; nothing has been written yet.
    """
    began = time.perf_counter() if began is None else began
    check_asked(settings)
    check_space(space_of(settings))
    searcher_of(settings.searcher)  # it may not be installed
    clock = Clock({})
    source_table = read_to_learn(source, settings)
    table = labelled(source_table, settings.target)
    n_without_target = source_table.n_samples - table.n_samples
    clock.stage("read")
    target = understand_target(known_target(table), table.y_name, settings.task)
    table, parts = _parted(table, settings, target.kind == "classes")
    name = readable(str(source)) if isinstance(source, (str, Path)) else table.name
    prepared = _prepared(name, table, (target, parts), settings, clock, began)
    return replace(prepared, n_without_target=n_without_target)


def _parted(table: Table, settings: Settings, is_classes: bool) -> tuple[Table, Split]:
    """The samples without the columns that only say how to treat them, and divided.

    Raises
    ------
    UserError
        There is no such column, or it is of the wrong kind.
    """
    if settings.groups is not None and settings.order is not None:
        raise SettingsError("`groups` and `order` are given", "samples are divided by one of them")
    groups = None if settings.groups is None else column_of(table, settings.groups)
    ranks = None if settings.order is None else ranks_in(column_of(table, settings.order), settings.order)
    if settings.weight is not None:
        weight = weights_in(column_of(table, settings.weight), settings.weight)
        table = replace(without(table, settings.weight), weight=weight).take(np.flatnonzero(weight))
        groups, ranks = (each if each is None else each[weight > 0] for each in (groups, ranks))
    if settings.groups is not None:
        table = without(table, settings.groups)
    shares = settings.valid_fraction, settings.test_fraction
    return table, split(table, *shares, settings.seed, is_classes, groups, ranks)


def prepare_parts(table: Table, target: Target, parts: Split, settings: Settings) -> Prepared:
    """As `prepare_run`, for samples that are read, understood and divided already.

    Raises
    ------
    UserError
        Bad settings or data.
    """
    check_asked(settings)
    check_space(space_of(settings))
    searcher_of(settings.searcher)
    clock = Clock({"read": 0.0})
    prepared = _prepared(table.name, table, (target, parts), settings, clock, time.perf_counter())
    return replace(prepared, shares_programs=_fits_supernet(prepared.network))


def _fits_supernet(network: Network | None) -> bool:
    """Whether there is a given network that the program for several takes."""
    if network is None:
        return False
    try:
        supernet_of(network)
    except ValueError:
        return False
    return True


def _prepared(
    name: str,
    table: Table,
    known: tuple[Target, Split],
    settings: Settings,
    clock: Clock,
    began: float,
) -> Prepared:
    """Learn the prep, define the function set."""
    (target, parts), is_classes = known, known[0].kind == "classes"
    names = [] if isinstance(table.x, np.ndarray) else list(table.x)
    clip = given(settings.clip, CLIP)
    kinds, more = overrides_of(settings.column, names), {"clip": clip, "level_means": settings.level_means}
    prep = fit_prep(parts.train, target, kinds, settings.bins, **more)
    n_outputs = len(settings.quantiles) or target.n_outputs
    facts = is_classes, prep.layout, table.y_name, prep.layout.n_inputs + n_outputs
    asked, settings = settings, choose_settings(settings, parts.train.n_samples, *facts)
    network = _given_network(settings, prep.layout, n_outputs)
    if network is not None and not network.is_dense:
        settings = choose_for_pictures(asked, settings, network, parts.train.n_samples)
    _check_limits(network, settings, prep.layout, n_outputs, parts.train.n_samples, asked)
    goodness = _goodness(settings, target)
    check_metric(goodness.kind, settings.score_metric)
    _check_decision(settings, target)
    if settings.class_weight == "balanced":
        parts = _balanced(parts, prep, settings)
        prep = with_means(prep, parts.train)
    settings = replace(settings, loss=goodness.loss, precision=_precision(network, settings))
    clock.stage("prepare")
    return Prepared(name, table, parts, prep, network, goodness, settings, asked, clock.seconds, began)


def _check_limits(
    network: Network | None, settings: Settings, layout: Layout, n_outputs: int, n_train: int, asked: Settings
) -> None:
    """Refuse limits that the given network does not keep, or none of those that a search tries.

    Raises
    ------
    SettingsError
    """
    if network is not None:
        check_size([network], settings)
        check_latency(network, settings)
        return
    linear = [parse("", (n,), n_outputs) for n in (layout.n_plain_inputs, layout.n_inputs)]
    designed = designed_networks(settings, layout, n_outputs, n_train)
    if asked.convolutions and not designed:
        raise SettingsError(
            f"`convolutions` is True and `max_params` {settings.max_params:,}, but each network with "
            "convolutions that is tried has more",
            "allow more params, or give one as `network`",
        )
    check_size([*linear, *designed], settings)
    check_latency(linear[-1], settings)


def _balanced(parts: Split, prep: Prep, settings: Settings) -> Split:
    """The samples, with weights by which all classes count the same.

    Raises
    ------
    SettingsError
        There are no classes.
    """
    if prep.target.kind != "classes":
        raise SettingsError(
            f"`class_weight` is 'balanced', but the target {prep.target.name!r} is {prep.target.kind}",
            _hint_of_target(settings),
        )
    n_classes, same = len(prep.target.classes), parts.valid is parts.train
    train, valid = (
        replace(part, weight=balanced_weights(encode_target(prep, part), n_classes, part.weight))
        for part in (parts.train, parts.valid)
    )
    return Split(train, train if same else valid, parts.test)


_USUAL_LOSSES = {"classes": "cross_entropy", "labels": "sigmoid_cross_entropy", "number": "squared_error"}


def _goodness(settings: Settings, target: Target) -> Goodness:
    """The loss that was asked for, or the usual one of the target's kind.

    Raises
    ------
    SettingsError
        A loss for another kind of target.
    """
    usual = "quantile" if settings.quantiles else _USUAL_LOSSES[target.kind]
    goodness = Goodness(
        usual if settings.loss == "auto" else settings.loss,
        settings.label_smoothing or 0.0,
        quantiles=tuple(settings.quantiles),
    )
    if goodness.kind != target.kind:
        asked = f"`loss` is {goodness.loss!r}"
        if settings.loss == "auto":  # then these ask for it
            asked = f"`quantiles` are {', '.join(f'{each:g}' for each in settings.quantiles)}"
        raise SettingsError(
            f"{asked}, which is for {goodness.kind}, but the target {target.name!r} is {target.kind}",
            _hint_of_target(settings),
        )
    if settings.quantiles and settings.score_metric != "loss":
        raise SettingsError("`score_metric` of quantiles", "they are compared by their loss")
    if settings.quantiles and target.n_columns > 1:
        raise SettingsError("`quantiles` of several numbers", "fit one network for each number")
    return goodness


def _hint_of_target(settings: Settings) -> str:
    """What to do about a setting that is for another kind of target."""
    return "leave it out, or set `task`" if settings.task == "auto" else "leave it out"


def _check_decision(settings: Settings, target: Target) -> None:
    """Refuse a metric to decide by where there is nothing to decide between.

    Raises
    ------
    SettingsError
        There are not two classes.
    """
    if settings.decide_by == "accuracy" or len(target.classes) == 2:
        return
    what = f"{len(target.classes)} classes" if target.classes else target.kind
    raise SettingsError(
        f"`decide_by` is {settings.decide_by!r}, which is for two classes, but the target {target.name!r} is "
        f"{what}",
        "leave it out" if target.classes else _hint_of_target(settings),
    )


def _precision(network: Network | None, settings: Settings) -> Precision:
    """What products are computed with; of a search that has convolutions on an accelerator it depends on the
    network."""
    if network is not None:
        return "bfloat16" if is_in_bfloat16(network, settings) else "float32"
    if not settings.convolutions or (settings.precision == "auto" and is_cpu()):
        return "float32"
    return settings.precision


def _given_network(settings: Settings, layout: Layout, n_outputs: int) -> Network | None:
    """The network that the settings describe; None if it is to be searched for.

    Raises
    ------
    SettingsError
        One that the program for several networks does not take, where there are to be several; or that cannot
        have what is to be changed while it learns.
    """
    if settings.network == "auto":
        return None
    # flags of missing pixels have no place in a picture
    is_picture = layout.is_picture and layout.n_inputs == layout.n_numbers
    network = parse(settings.network, layout.shape if is_picture else (layout.n_inputs,), n_outputs)
    if network.is_dense:
        network = replace(network, input_shape=(layout.n_inputs,))
    check_changes(network, settings)
    given = {"ensemble": settings.ensemble or 1, "folds": settings.folds or 1, "refit": settings.refit}
    asked = " and ".join(
        f"`{name}` is {value}" for name, value in given.items() if value > 1 or value is True
    )
    if asked:
        try:
            supernet_of(network)
        except ValueError as error:
            hint = "leave it out, or give a network that fits, such as `64-r64 tanh`"
            raise SettingsError(f"{asked}, but `network` {error}", hint) from error
    return network


def arrays_of(prep: Prep, table: Table) -> Samples:
    """Labelled samples as a network learns from them."""
    return Samples(encode(prep, table), encode_target(prep, table), table.weight)


def pixels_of(prep: Prep, table: Table) -> Samples:
    """As `arrays_of` for what looks at a batch at a time: pixels of 8 bits stay as they are, and where they
    are."""
    x, layout, scale = table.x, prep.layout, prep.scale
    is_even = layout.n_inputs == layout.n_numbers and not prep.center.any() and (scale == scale[:1]).all()
    if not (isinstance(x, np.ndarray) and x.dtype == np.uint8 and layout.is_picture and is_even):
        return arrays_of(prep, table)
    x = x.reshape(len(x), -1)
    return Samples(x, encode_target(prep, table), table.weight, float(scale[0]))
