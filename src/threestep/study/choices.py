"""What the data decide where the user has not: settings with every `None` filled in."""

import math
from collections.abc import Sequence
from dataclasses import fields, replace

from threestep.data import Layout
from threestep.errors import SettingsError
from threestep.limits import seconds_of
from threestep.network import Network, parse
from threestep.pick import USUAL_DEPTH, Field, Finals, Member, Plan, members_at_once, rungs_of
from threestep.settings import (
    CHANGES,
    DEFAULT_LEARNING_RATE,
    DEFAULT_WEIGHT_DECAY,
    USUAL_DECAYS,
    Descent,
    Settings,
    Space,
    usual_patience,
)

_FEWEST_STEPS = 1_500
_MOST_STEPS = 60_000
_WIDEST_BY_SAMPLES = ((20_000, 512), (2_000, 256), (500, 128), (0, 64))
"""From how many training samples on which width; every power of two more is one more program to compile."""
_USUAL_NARROW, _LEAST_WIDEST = 64, 128
_LEAST_TRAINED = 1 / 3  # of their epochs: where there is not time for that, networks are not as wide
_EFFORTS_OF_A_ROUND = 4  # at most: it is trained to its end, however long that takes
_STRONGEST_DECAY, _FEW_SAMPLES = 0.5, 2_000  # of tables with fewer to learn from
_SHORT_BUDGET = 10.0
_NARROWEST = 8
_EFFORT_CORE_SECONDS = {"quick": 2.0, "normal": 12.0, "thorough": 150.0}
_USUAL_SAMPLES = 2000  # to learn from, for which these are; for fewer a share of it, to this power of theirs:
_EFFORT_POWER = 1.25  # few say less well which network is better
_EFFORT_SHARES = (0.025, 1.0)
_LEAST_CORE_SECONDS, _LITTLE_CORE_SECONDS = 0.15, 2.5
_EFFORT_PATIENCE = {"quick": 1, "normal": 2, "thorough": 6}
_USUAL_CORES = 2  # for a plan that is the same on every machine
_MEMBERS, _FEWEST_MEMBERS, _FEWEST_EPOCHS = 18, 6, 6
_MEMBERS_AT_ONCE = 4  # rounds of them that all cores train in the first rung; a third goes on
_FEWEST_ROUNDS = 4  # that should fit into a budget or an effort
_FINALS, _FEWEST_FINALS, _FINAL_FRACTION = 16, 2, 0.3  # of a budget or an effort at most
_FOLDS, _FOLDS_FRACTION, _FEWEST_IN_FOLDS = 4, 0.5, 3
_SAMPLES_FOR_FOLDS = range(16, 2000)  # to learn from
_MOST_AVERAGED, _MOST_AVERAGED_IN_FOLDS = 4, 2
_FINAL_SLACK = 1.5  # how much longer than counted they may take
_CLIMB = 1 / 2  # of full trainings, what a round costs: a rung takes up to half of the members thrice as far
_WORK_ON_PICTURES = 10_000_000_000_000  # floating-point operations: about two minutes on two cores
_FEWEST_LOOKS, _MOST_LOOKS = 8, 40
_LOOKS_BY_SAMPLES = ((20_000, 8), (2_000, 24), (0, 25))
"""From how many training pictures on each is looked at how often at least, beside a search."""
_LOOKING_STEPS = {"quick": 250, "normal": 500, "thorough": 2000}
_DESIGNED = {"quick": (1, 1), "normal": (1, 2), "thorough": (4, 4)}
"""Networks with convolutions, beside a search: of few numbers in all training pictures together, of more."""
_MANY_NUMBERS = 500_000
SEARCH_FRACTION = 0.3  # of a budget or an effort for the search, where there are such
_PICTURE_RATE = 0.002
_SMALLEST_PICTURE, _SMALL_PICTURE = 8, 40  # sides
_SHIFT = 0.1  # of a picture's sides
_COLOURS = 3
_INPUTS_AT_WHOLE_RATE = 1024
_RATES_AROUND, _MOST_DROPOUT = 4, 0.3  # that a search of convolutions may vary
_CHANNELS = (8, 128)
_MOST_WORK = 2  # times that of the largest network that people design, for others with convolutions
_BATCH_BY_SAMPLES = ((50_000, 256), (10_000, 128), (1_000, 64), (300, 32), (0, 16))
"""From how many training samples on which batch size."""


def choose_settings(
    settings: Settings, n_train: int, is_classes: bool, layout: Layout, y_name: str, n_ends: int = 2
) -> Settings:
    """Fill in what was left to the data.

    Parameters
    ----------
    settings : Settings
    n_train : int
        Training samples: small batches and more epochs for few, the other way for many.
    is_classes : bool
        What the target is.
    layout : Layout
        What the samples are.
    y_name : str
        The target's name.
    n_ends : int
        Inputs and outputs of the network: what a hidden neuron is connected to at least.

    Returns
    -------
    Settings
        With no `None` left, but for rates that are searched and for limits.

    Raises
    ------
    SettingsError
        What is asked for does not go together, or not with such samples.
    """
    settings = replace(settings, convolutions=_wants_convolutions(settings, layout))
    changes = [name for name in (*CHANGES, "drop_path") if getattr(settings, name)]
    if settings.network == "auto" and not settings.convolutions and changes:
        raise SettingsError(f"`{changes[0]}`, but no network with convolutions is tried", "leave it out")
    batch_size = min(settings.batch_size or _batch_size(n_train), n_train)
    steps = -(-n_train // batch_size)
    epochs = settings.epochs or _epochs(steps)
    shared = replace(
        settings,
        target=y_name,
        batch_size=batch_size,
        epochs=epochs,
        patience=settings.patience or usual_patience(epochs),
        input_dropout=_given(settings.input_dropout, 0.1 if layout.is_picture else 0.0),
        input_rate=_given(settings.input_rate, _input_rate(layout)),
        label_smoothing=_given(settings.label_smoothing, 0.05) if is_classes else 0.0,
        **({} if settings.convolutions else _unchanged(settings)),
        folds=settings.folds or (_FOLDS if _wants_folds(settings, n_train) else 1),
        ensemble=settings.ensemble if settings.ensemble or _may_average(settings) else 1,
        **(layout.media.settings if layout.media is not None else {}),
    )
    if settings.network == "auto":
        return replace(shared, **_space(shared, n_train, is_classes, (layout.n_inputs, n_ends)))
    return replace(
        shared,
        learning_rate=_given(settings.learning_rate, DEFAULT_LEARNING_RATE),
        weight_decay=_given(settings.weight_decay, DEFAULT_WEIGHT_DECAY),
        dropout=_given(settings.dropout, 0.2 if is_classes else 0.0),
    )


def _unchanged(settings: Settings) -> dict[str, float]:
    """Nothing is changed that nobody asked for."""
    return {name: _given(getattr(settings, name), 0.0) for name in CHANGES} | {"flip": bool(settings.flip)}


def choose_for_pictures(asked: Settings, chosen: Settings, network: Network, n_train: int) -> Settings:
    """As `choose_settings`, for a network that is not of neurons only: the same picture is looked at fewer
    times if one look takes long, and pixels are not left out."""
    work = 6 * network.n_products * n_train
    epochs = asked.epochs or min(chosen.epochs or 1, max(_FEWEST_LOOKS, _WORK_ON_PICTURES // work))
    patience = asked.patience or usual_patience(epochs)
    return _on_pictures(asked, chosen, network, {"epochs": epochs, "patience": patience})


def _on_pictures(
    asked: Settings, chosen: Settings, network: Network, times: dict[str, int | None]
) -> Settings:
    """Rates and changes that suit networks with convolutions, where nobody asked for others."""
    shift, is_sound = _given(asked.shift, _SHIFT), chosen.sound_bands is not None
    return replace(
        chosen,
        **times,
        learning_rate=_given(asked.learning_rate, _PICTURE_RATE),
        weight_decay=_given(asked.weight_decay, DEFAULT_WEIGHT_DECAY),
        dropout=_given(asked.dropout, 0.0),
        shift=shift,
        shift_width=_given(asked.shift_width, 0.0 if is_sound else shift),
        noise=_given(asked.noise, 0.0),
        mixup=_given(asked.mixup, 0.0),
        flip=network.first_shape[-1] == _COLOURS if asked.flip is None else asked.flip,
        input_dropout=_given(asked.input_dropout, 0.0),
    )


def designed_networks(settings: Settings, layout: Layout, n_outputs: int, n_train: int) -> list[Network]:
    """Networks with convolutions that are tried for pictures beside a search; the usual one first.

    Few small pictures are a matter of seconds: another network would take longer than all the rest.

    Where in a spectrogram something is says which frequency it has: a mean over all of it forgets that.
    """
    if not settings.convolutions:
        return []
    is_small = max(layout.shape[:2]) <= _SMALL_PICTURE
    is_sound = layout.media is not None and layout.media.kind == "sound"
    ending = "meanpool-dense128" if is_sound else "globalpool"
    usual = "conv32-conv64-dense128" if is_small else "conv16-conv32-conv64-dense128"
    first = "conv16s1" if is_small else "conv16s2"
    residual = f"{first}-res16-res32s2-res64s2-{ending}"
    wide = "conv32+32-conv64+64-dense128" if is_small else "conv32-conv64-conv128-dense128"
    deeper = f"{first}-res32x2-res64x3s2-res128x3s2-{ending}"
    networks = [parse(spec, layout.shape, n_outputs) for spec in (usual, residual, wide, deeper)]
    most = math.inf if settings.max_params is None else settings.max_params
    of_few, of_many = _DESIGNED[settings.effort]
    of_effort = of_many if n_train * layout.n_numbers >= _MANY_NUMBERS else of_few
    n = of_effort if settings.budget is None else len(networks)
    return [network for network in networks if network.n_params <= most][:n]


def field_on_pictures(asked: Settings, how: Descent, networks: Sequence[Network], wanted: Field) -> Field:
    """What networks with convolutions may be proposed beside a search, those networks first.

    Parameters
    ----------
    asked : Settings
        As the user gave them.
    how : Descent
        How those networks are trained.
    networks : sequence of Network
        At least one.
    wanted : Field
        Of the search.
    """
    rates = how.learning_rate or 0.0, how.weight_decay or 0.0, how.dropout or 0.0
    own: dict[str, tuple] = {"activations": ("relu",)}  # of those that all children can keep
    if asked.learning_rate is None and asked.learning_rates == Space().learning_rates:
        own["learning_rates"] = (rates[0] / _RATES_AROUND, rates[0] * _RATES_AROUND)
    if asked.dropout is None and asked.dropouts is None:
        own["dropouts"] = (0.0, _MOST_DROPOUT)
    return replace(
        wanted,
        space=replace(wanted.space, **own),
        few_inputs=None,
        designed=tuple(Member(network, *rates) for network in networks),
        most_products=_MOST_WORK * max(network.n_products for network in networks),
    )


def descent_on_pictures(asked: Settings, settings: Settings, network: Network, n_train: int) -> Settings:
    """How networks with convolutions are trained beside a search: as asked for, else as suits them. Without a
    patience: to the end, whenever that is."""
    batch_size = settings.batch_size or 1
    steps = _LOOKING_STEPS[settings.effort]
    fewest = next(looks for n, looks in _LOOKS_BY_SAMPLES if n_train >= n)
    fewest = max(1, fewest // 2) if settings.effort == "quick" else fewest
    usual = min(max(fewest, -(-steps * batch_size // n_train)), max(_MOST_LOOKS, fewest))
    epochs = asked.epochs or usual
    return _on_pictures(asked, settings, network, {"epochs": epochs, "patience": asked.patience})


def _may_average(settings: Settings) -> bool:
    """Whether more than one network may be picked that nobody asked for: a limit is for all of them."""
    return settings.network == "auto" and settings.max_params is None and settings.max_latency_ms is None


def _wants_convolutions(settings: Settings, layout: Layout) -> bool:
    """Whether the samples are pictures and nothing that is asked for stands against it.

    Raises
    ------
    SettingsError
        It is asked for, and the samples are no pictures.
    """
    is_picture = layout.is_picture and layout.n_inputs == layout.n_numbers
    fits = is_picture and len(layout.shape) <= 3 and min(layout.shape[:2]) >= _SMALLEST_PICTURE
    if settings.convolutions and not fits:
        raise SettingsError(
            f"`convolutions` is True, but the samples are no pictures of {_SMALLEST_PICTURE} pixels a side",
            "leave it out",
        )
    asked = settings.depths, settings.widths, settings.folds
    seconds = seconds_of(settings.budget)
    has_time = seconds is None or seconds >= _SHORT_BUDGET
    is_free = settings.network == "auto" and not settings.refit and not any(asked) and has_time
    return fits and is_free if settings.convolutions is None else settings.convolutions


def _wants_folds(settings: Settings, n_train: int) -> bool:
    """Whether folds help, and no wish stands against them."""
    divided = settings.groups, settings.order  # by more than chance
    is_free = (
        settings.ensemble is None
        and not settings.refit
        and not settings.convolutions
        and divided == (None, None)
    )
    return is_free and _may_average(settings) and n_train in _SAMPLES_FOR_FOLDS


def most_averaged(settings: Settings) -> int:
    """How many structures may be averaged at most, each in all folds."""
    usual = _MOST_AVERAGED_IN_FOLDS if (settings.folds or 1) > 1 else _MOST_AVERAGED
    return settings.ensemble or usual


def n_averaged(settings: Settings) -> int:
    """How many networks may be averaged at most."""
    return most_averaged(settings) * (settings.folds or 1)


def space_of(settings: Settings) -> Space:
    """The part of the settings that says what a search may try."""
    return Space(**{field.name: getattr(settings, field.name) for field in fields(Space)})


def choose_plan(settings: Settings, n_train: int, n_inputs: int, seconds: float | None) -> Plan:
    """How much a search tries.

    Parameters
    ----------
    settings : Settings
        No default left open.
    n_train, n_inputs : int
    seconds : float or None
        Left of the budget; None: the effort decides, by work rather than by the clock, so that the
        same seed gives the same network.
    """
    work = (settings.epochs or 1) * _epoch_seconds(settings, n_train, _middling(settings, n_inputs))
    fewest, most = _EFFORT_SHARES
    share_of_usual = min(most, max(fewest, (n_train / _USUAL_SAMPLES) ** _EFFORT_POWER))
    effort = share_of_usual * _EFFORT_CORE_SECONDS[settings.effort]
    if (settings.folds or 1) > 1:  # half of it is theirs, where it is not little
        effort = max(min(effort, _LITTLE_CORE_SECONDS), (1 - _FOLDS_FRACTION) * effort)
    effort = max(_LEAST_CORE_SECONDS, effort * (SEARCH_FRACTION if settings.convolutions else 1.0))
    in_all = effort / _USUAL_CORES if seconds is None else seconds
    last = _finals(settings, in_all, work)
    of_finals = last.n * last.n_folds * _FINAL_SLACK * work
    if last.n_folds > 1:  # their half of an effort is off already
        of_finals = 0.0 if seconds is None else min(of_finals, last.fraction * seconds)
    in_round = (in_all - of_finals) / _FEWEST_ROUNDS
    most = _MEMBERS
    if seconds is not None:  # then a plan may differ between machines, and no core should be idle
        most = max(_MEMBERS, _MEMBERS_AT_ONCE * members_at_once())
        in_round *= max(1.0, members_at_once() / _USUAL_CORES)
    n_members = int(min(most, max(_FEWEST_MEMBERS, in_round / (_CLIMB * work))))
    share = min(1.0, in_round / (_CLIMB * work * n_members))
    epochs = max(min(_FEWEST_EPOCHS, settings.epochs or 1), int((settings.epochs or 1) * share))
    if seconds is not None:
        return Plan(n_members, rungs_of(epochs), finals=last)
    core_seconds = effort - of_finals * _USUAL_CORES
    patience = _EFFORT_PATIENCE[settings.effort]
    return Plan(n_members, rungs_of(epochs), core_seconds, patience=patience, finals=last)


def _finals(settings: Settings, seconds: float, work: float) -> Finals:
    """How many are trained anew, of so many seconds for all, where one training takes `work`."""
    n_folds, epochs = settings.folds or 1, settings.epochs or 1
    if n_folds > 1:
        n_fitting = int(seconds / (_FINAL_SLACK * work * n_folds))  # in as long as the search takes
        n = max(most_averaged(settings), _FEWEST_IN_FOLDS, min(_FINALS // n_folds, n_fitting))
        return Finals(n, epochs, _FOLDS_FRACTION, n_folds)
    n = int(min(_FINALS, _FINAL_FRACTION * seconds / (_FINAL_SLACK * work)))
    return Finals(n if n >= _FEWEST_FINALS else 0, epochs, _FINAL_FRACTION)


def _middling(settings: Settings, n_inputs: int) -> float:
    """Products of a middling network, for one sample."""
    narrow, wide = settings.widths or (64, 256)
    width = ((narrow**2 + wide**2) / 2) ** 0.5
    return width * (n_inputs + 1.5 * width)


def _epoch_seconds(settings: Settings, n_train: int, n_products: float) -> float:
    """What an epoch of a network with so many products costs on two middling cores, by count; never by the
    clock."""
    batch_size = settings.batch_size or 1
    return -(-n_train // batch_size) * (2e-5 + batch_size * n_products / 5e10)


def _space(
    settings: Settings, n_train: int, is_classes: bool, of_network: tuple[int, int]
) -> dict[str, tuple]:
    """What a search may try, where the user left it open; a rate that is given is not searched. The network
    has so many inputs; and so many of these and outputs together that a hidden neuron is connected to."""
    n_inputs, n_ends = of_network
    widths = _usual_widths(settings, n_train, n_inputs)
    if settings.max_params is not None:  # one hidden layer at least should fit
        widest = max(_NARROWEST, settings.max_params // (n_ends + 2))
        widths = (min(widths[0], max(_NARROWEST, widest // 4)), min(widths[1], widest))
    chosen: dict[str, tuple] = {
        "depths": settings.depths or (0, 4),
        "widths": settings.widths or widths,
        "dropouts": settings.dropouts or ((0.05, 0.4) if is_classes else (0.0, 0.0)),
        "weight_decays": settings.weight_decays or _decays(settings, n_train),
    }
    if settings.convolutions:
        chosen["channels"] = settings.channels or _CHANNELS
    given = ("learning_rate", settings.learning_rate), ("weight_decay", settings.weight_decay)
    chosen |= {f"{name}s": (value, value) for name, value in given if value is not None}
    return chosen | ({} if settings.dropout is None else {"dropouts": (settings.dropout, settings.dropout)})


def _usual_widths(settings: Settings, n_train: int, n_inputs: int) -> tuple[int, int]:
    """Wider for more samples, as far as there is time for the usual networks that are proposed first."""
    widest = next(widest for fewest, widest in _WIDEST_BY_SAMPLES if n_train >= fewest)
    budget = seconds_of(settings.budget)
    if budget is not None and budget < _SHORT_BUDGET:
        return _USUAL_NARROW, _LEAST_WIDEST  # one program: there is no time to compile more
    if budget is None and settings.convolutions:
        return _USUAL_NARROW, widest
    effort = _EFFORT_CORE_SECONDS[settings.effort] / _USUAL_CORES
    seconds = _EFFORTS_OF_A_ROUND * effort if budget is None else budget
    seconds *= SEARCH_FRACTION if settings.convolutions else 1.0
    n_trained = _LEAST_TRAINED * _FEWEST_ROUNDS * _FEWEST_MEMBERS * _CLIMB

    depth = min(USUAL_DEPTH, settings.depths[1]) if settings.depths else USUAL_DEPTH

    def takes(width: int) -> float:
        usual = width * (n_inputs + max(0, depth - 1) * width)
        return n_trained * (settings.epochs or 1) * _epoch_seconds(settings, n_train, usual)

    while widest > _LEAST_WIDEST and takes(widest) > seconds:
        widest //= 2
    return _USUAL_NARROW, widest


def _decays(settings: Settings, n_train: int) -> tuple[float, float]:
    """Weight decays to try; stronger ones where a table is small, which else little holds."""
    lowest, highest = USUAL_DECAYS
    is_small = n_train < _FEW_SAMPLES and not settings.convolutions
    return lowest, _STRONGEST_DECAY if is_small else highest


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _input_rate(layout: Layout) -> float:
    """Smaller for many inputs that rise and fall together, as the parts of a picture do: with the whole rate
    descent never left the start on pictures of 64 x 64 x 3, with a fiftieth it is best; on 28 x 28 the whole
    rate is."""
    return min(1.0, (_INPUTS_AT_WHOLE_RATE / layout.n_inputs) ** 1.5) if layout.is_picture else 1.0


def _batch_size(n_train: int) -> int:
    """Larger for many samples, where more steps would only cost time."""
    return next(size for fewest, size in _BATCH_BY_SAMPLES if n_train >= fewest)


def _epochs(steps: int) -> int:
    """80, but enough for `_FEWEST_STEPS` steps and not more than `_MOST_STEPS` (at least 10)."""
    return min(max(80, -(-_FEWEST_STEPS // steps)), max(10, _MOST_STEPS // steps))
