"""What the data decide where the user has not: settings with every `None` filled in."""

from dataclasses import replace

from threestep.settings import Settings, usual_patience

_FEWEST_STEPS = 1_500
_MOST_STEPS = 60_000
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
    return replace(
        settings,
        target=y_name,
        batch_size=batch_size,
        epochs=epochs,
        patience=settings.patience or usual_patience(epochs),
        dropout=_given(settings.dropout, 0.2 if is_classes else 0.0),
        input_dropout=_given(settings.input_dropout, 0.1 if is_picture else 0.0),
        label_smoothing=_given(settings.label_smoothing, 0.05) if is_classes else 0.0,
    )


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _batch_size(n_train: int) -> int:
    """Larger for many samples, where more steps would only cost time."""
    return next(size for fewest, size in _BATCH_BY_SAMPLES if n_train >= fewest)


def _epochs(steps: int) -> int:
    """80, but enough for `_FEWEST_STEPS` steps and not more than `_MOST_STEPS` (at least 10)."""
    return min(max(80, -(-_FEWEST_STEPS // steps)), max(10, _MOST_STEPS // steps))
