"""What the data decide where the user has not: settings with every `None` filled in."""

from dataclasses import fields, replace

from threestep.pick import Finals, Plan, rungs_of
from threestep.settings import (
    DEFAULT_LEARNING_RATE,
    DEFAULT_WEIGHT_DECAY,
    Settings,
    Space,
    seconds_of,
    usual_patience,
)

_FEWEST_STEPS = 1_500
_MOST_STEPS = 60_000
_MANY_SAMPLES = 20_000
_SHORT_BUDGET = 10.0
_EFFORT_CORE_SECONDS = {"quick": 5.0, "normal": 12.0, "thorough": 150.0}
_EFFORT_PATIENCE = {"quick": 1, "normal": 2, "thorough": 6}
_USUAL_CORES = 2  # for a plan that is the same on every machine
_MEMBERS, _FEWEST_MEMBERS, _FEWEST_EPOCHS = 18, 6, 6
_FEWEST_ROUNDS = 4  # that should fit into a budget or an effort
_FINALS, _FEWEST_FINALS, _FINAL_FRACTION = 16, 2, 0.3  # of a budget or an effort at most
_FINAL_SLACK = 1.5  # how much longer than counted they may take
_CLIMB = 1 / 2  # of full trainings, what a round costs: a rung takes up to half of the members thrice as far
_BATCH_BY_SAMPLES = ((50_000, 256), (10_000, 128), (1_000, 64), (300, 32), (0, 16))
"""From how many training samples on which batch size."""


def choose_settings(
    settings: Settings, n_train: int, is_classes: bool, is_picture: bool, y_name: str
) -> Settings:
    """Fill in what was left to the data.

    Parameters
    ----------
    settings : Settings
    n_train : int
        Training samples: small batches and more epochs for few, the other way for many.
    is_classes, is_picture : bool
        What the target and the samples are.
    y_name : str
        The target's name.

    Returns
    -------
    Settings
        With no `None` left.
    """
    batch_size = min(settings.batch_size or _batch_size(n_train), n_train)
    steps = -(-n_train // batch_size)
    epochs = settings.epochs or _epochs(steps)
    shared = replace(
        settings,
        target=y_name,
        batch_size=batch_size,
        epochs=epochs,
        patience=settings.patience or usual_patience(epochs),
        input_dropout=_given(settings.input_dropout, 0.1 if is_picture else 0.0),
        label_smoothing=_given(settings.label_smoothing, 0.05) if is_classes else 0.0,
    )
    if settings.network == "auto":
        return replace(shared, **_space(settings, n_train, is_classes))
    return replace(
        shared,
        learning_rate=_given(settings.learning_rate, DEFAULT_LEARNING_RATE),
        weight_decay=_given(settings.weight_decay, DEFAULT_WEIGHT_DECAY),
        dropout=_given(settings.dropout, 0.2 if is_classes else 0.0),
    )


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
    work = (settings.epochs or 1) * _training_seconds(settings, n_train, n_inputs, 1)
    effort = _EFFORT_CORE_SECONDS[settings.effort]
    in_all = effort / _USUAL_CORES if seconds is None else seconds
    n_finals = int(min(_FINALS, _FINAL_FRACTION * in_all / (_FINAL_SLACK * work)))
    last = Finals(n_finals if n_finals >= _FEWEST_FINALS else 0, settings.epochs or 1, _FINAL_FRACTION)
    of_finals = last.n * _FINAL_SLACK * work
    in_round = (in_all - of_finals) / _FEWEST_ROUNDS
    n_members = int(min(_MEMBERS, max(_FEWEST_MEMBERS, in_round / (_CLIMB * work))))
    share = min(1.0, in_round / (_CLIMB * work * n_members))
    epochs = max(min(_FEWEST_EPOCHS, settings.epochs or 1), int((settings.epochs or 1) * share))
    if seconds is not None:
        return Plan(n_members, rungs_of(epochs), finals=last)
    core_seconds = effort - of_finals * _USUAL_CORES
    patience = _EFFORT_PATIENCE[settings.effort]
    return Plan(n_members, rungs_of(epochs), core_seconds, patience=patience, finals=last)


def _training_seconds(settings: Settings, n_train: int, n_inputs: int, epochs: int) -> float:
    """What a middling network's training costs on two middling cores, by count; never by the clock."""
    batch_size = settings.batch_size or 1
    narrow, wide = settings.widths or (64, 256)
    width = ((narrow**2 + wide**2) / 2) ** 0.5
    step = 2e-5 + batch_size * width * (n_inputs + 1.5 * width) / 5e10
    return epochs * -(-n_train // batch_size) * step


def _space(settings: Settings, n_train: int, is_classes: bool) -> dict[str, tuple]:
    """What a search may try, where the user left it open; a rate that is given is not searched."""
    seconds = seconds_of(settings.budget)
    widths = (64, 256 if n_train < _MANY_SAMPLES else 512)
    if seconds is not None and seconds < _SHORT_BUDGET:
        widths = (64, 128)  # one program: there is no time to compile more
    chosen: dict[str, tuple] = {
        "depths": settings.depths or (0, 4),
        "widths": settings.widths or widths,
        "dropouts": settings.dropouts or ((0.05, 0.4) if is_classes else (0.0, 0.0)),
    }
    given = ("learning_rate", settings.learning_rate), ("weight_decay", settings.weight_decay)
    chosen |= {f"{name}s": (value, value) for name, value in given if value is not None}
    return chosen | ({} if settings.dropout is None else {"dropouts": (settings.dropout, settings.dropout)})


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _batch_size(n_train: int) -> int:
    """Larger for many samples, where more steps would only cost time."""
    return next(size for fewest, size in _BATCH_BY_SAMPLES if n_train >= fewest)


def _epochs(steps: int) -> int:
    """80, but enough for `_FEWEST_STEPS` steps and not more than `_MOST_STEPS` (at least 10)."""
    return min(max(80, -(-_FEWEST_STEPS // steps)), max(10, _MOST_STEPS // steps))
