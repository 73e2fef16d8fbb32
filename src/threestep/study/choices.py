"""What the data decide where the user has not: settings with every `None` filled in."""

from dataclasses import fields, replace

from threestep.data import Layout
from threestep.errors import SettingsError
from threestep.limits import seconds_of
from threestep.pick import USUAL_DEPTH, Finals, Plan, members_at_once, rungs_of
from threestep.settings import (
    CHANGES,
    DEFAULT_LEARNING_RATE,
    DEFAULT_WEIGHT_DECAY,
    USUAL_DECAYS,
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
_STRONGEST_DECAY = 0.5  # of tables with few to learn from, which are:
_FEW_SAMPLES = 2_000
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
_FOLDS, _FOLDS_FRACTION = 4, 0.5
_SAMPLES_FOR_FOLDS = range(16, 20_000)  # to learn from; where these are not few, if there is time
_MOST_IN_FOLDS = 1 << 24  # numbers of more than few samples: each fold has most of them once more in memory
_STRUCTURES_IN_FOLDS = 3  # at least, of few samples
_MOST_AVERAGED, _MOST_AVERAGED_IN_FOLDS = 4, 2
_FINAL_SLACK = 1.5  # how much longer than counted they may take
_CLIMB = 1 / 2  # of full trainings, what a round costs: a rung takes up to half of the members thrice as far
SEARCH_FRACTION = 0.3  # of a budget or an effort for the search, where there are such
_SMALLEST_PICTURE = 8  # its shorter side
_INPUTS_AT_WHOLE_RATE = 1024
CLIP = 3.0
"""Scales within which numbers with tails are brought."""
_CHANNELS = (8, 128)
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
    changes = [name for name in (*CHANGES, "drop_path", "channels") if getattr(settings, name)]
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
        input_dropout=given(settings.input_dropout, 0.1 if layout.is_picture else 0.0),
        input_rate=given(settings.input_rate, _input_rate(layout)),
        input_scaling=given(settings.input_scaling, _input_scaling(layout)),
        clip=given(settings.clip, 0.0 if layout.is_picture else CLIP),
        label_smoothing=given(settings.label_smoothing, 0.05) if is_classes else 0.0,
        **({} if settings.convolutions else _unchanged(settings)),
        ensemble=settings.ensemble if settings.ensemble or _may_average(settings) else 1,
        **(layout.media.settings if layout.media is not None else {}),
    )
    if settings.network == "auto":
        searched = replace(shared, **_space(shared, n_train, is_classes, (layout.n_inputs, n_ends)))
        return replace(searched, folds=settings.folds or _usual_folds(searched, n_train, layout.n_inputs))
    return replace(
        shared,
        folds=settings.folds or 1,
        learning_rate=given(settings.learning_rate, DEFAULT_LEARNING_RATE),
        weight_decay=given(settings.weight_decay, DEFAULT_WEIGHT_DECAY),
        dropout=given(settings.dropout, 0.2 if is_classes else 0.0),
    )


def _unchanged(settings: Settings) -> dict[str, float]:
    """Nothing is changed that nobody asked for."""
    return {name: given(getattr(settings, name), 0.0) for name in CHANGES} | {"flip": bool(settings.flip)}


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


def _usual_folds(settings: Settings, n_train: int, n_inputs: int) -> int:
    """How many there are, by settings with all other defaults filled in, where no wish stands against them:
    several of few samples, and of more where to train in all of them what answers together costs no more than
    the search may, and not much memory; but within a budget the search does as well with that time."""
    is_divided = (settings.groups, settings.order) != (None, None)  # by more than chance
    is_free = settings.ensemble is None and not (settings.refit or settings.convolutions or is_divided)
    if not is_free or n_train not in _SAMPLES_FOR_FOLDS:
        return 1
    epochs = _MOST_AVERAGED_IN_FOLDS * _FOLDS * (settings.epochs or 1)
    work = epochs * _epoch_seconds(settings, n_train, _middling(settings, n_inputs))
    is_quick = settings.budget is None and work <= _EFFORT_CORE_SECONDS[settings.effort]
    is_little = is_quick and n_train * n_inputs <= _MOST_IN_FOLDS
    return _FOLDS if n_train < _FEW_SAMPLES or is_little else 1


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
    last = _finals(settings, n_train, in_all, work)
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


def _finals(settings: Settings, n_train: int, seconds: float, work: float) -> Finals:
    """How many are trained anew, of so many seconds for all, where one training takes `work`."""
    n_folds, epochs = settings.folds or 1, settings.epochs or 1
    if n_folds > 1:
        n_fitting = int(seconds / (_FINAL_SLACK * work * n_folds))  # in as long as the search takes
        fewest = _STRUCTURES_IN_FOLDS if n_train < _FEW_SAMPLES else 1
        n = max(most_averaged(settings), fewest, min(_FINALS // n_folds, n_fitting))
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


def given(value: float | None, otherwise: float) -> float:
    """What is asked for, else something else."""
    return otherwise if value is None else value


def _input_rate(layout: Layout) -> float:
    """Smaller for many inputs that rise and fall together, as the parts of a picture do: with the whole rate
    descent never left the start on pictures of 64 x 64 x 3, with a fiftieth it is best; on 28 x 28 the whole
    rate is."""
    return min(1.0, (_INPUTS_AT_WHOLE_RATE / layout.n_inputs) ** 1.5) if layout.is_picture else 1.0


def _input_scaling(layout: Layout) -> float:
    """None for pixels, and none for words alone: with a factor for each level of a category two of eight
    searches on mushroom picked networks that were sure of something wrong, without them none."""
    return 0.0 if layout.is_picture or layout.n_numbers == 0 else 1.0


def _batch_size(n_train: int) -> int:
    """Larger for many samples, where more steps would only cost time."""
    return next(size for fewest, size in _BATCH_BY_SAMPLES if n_train >= fewest)


def _epochs(steps: int) -> int:
    """80, but enough for `_FEWEST_STEPS` steps and not more than `_MOST_STEPS` (at least 10)."""
    return min(max(80, -(-_FEWEST_STEPS // steps)), max(10, _MOST_STEPS // steps))
