"""What a user can set: frozen plain data, described once.

The Python call, the command line, `config.toml` and (later) the page are all made from these
records. A field of `None` means "chosen from the data"; `threestep.study` fills it in, and the
run folder's `config.toml` shows what was chosen.
"""

from dataclasses import dataclass, fields
from typing import Literal

from threestep.errors import SettingsError

Optimizer = Literal["adamw", "adam", "sgd", "momentum", "rmsprop", "lion"]
Task = Literal["auto", "classes", "number"]


@dataclass(frozen=True)
class Descent:
    """How the best params of one network are picked by gradient descent.

    `None` is filled in from the data by `threestep.fit`; `threestep.pick.train` alone takes 80
    epochs, batches of 64 and no dropout.
    """

    epochs: int | None = None
    """Most passes over the training samples; by default 80, more for few samples, fewer for many."""
    batch_size: int | None = None
    """Samples per step; by default 16 to 256, by the number of samples."""
    optimizer: Optimizer = "adamw"
    """How a gradient becomes an update (optax)."""
    learning_rate: float = 3e-3
    """Peak learning rate, reached after the warm-up; a cosine takes it to zero."""
    weight_decay: float = 0.01
    """Decoupled weight decay of the weights (not of the biases); used by adamw and lion."""
    warmup_fraction: float = 0.05
    """Share of all steps during which the learning rate rises from zero."""
    dropout: float | None = None
    """Share of hidden neurons left out per step; by default 0.2 for classes, 0 for numbers."""
    input_dropout: float | None = None
    """Share of inputs left out per step; by default 0.1 for pictures, else 0."""
    patience: int | None = None
    """Epochs without a better validation loss after which training stops; by default half of all."""


@dataclass(frozen=True)
class Question:
    """What is looked for: the target, the function set, the loss, who measures."""

    target: str | None = None
    """Column to predict; by default `target`, `label`, `class` or `y`, else the last one."""
    task: Task = "auto"
    """What the target is: `classes`, `number`, or seen from its values."""
    network: str = "128-64"
    """Hidden widths, then optionally the activation: `128-64`, `64-64 tanh`; empty for none."""
    seed: int = 0
    """Everything random follows from it."""
    label_smoothing: float | None = None
    """Share of each target spread over all classes; by default 0.05 for classes."""
    valid_fraction: float = 0.15
    """Share of the samples that choose the best epoch."""
    test_fraction: float = 0.2
    """Share of the samples that only measure the outcome."""


@dataclass(frozen=True)
class Settings(Descent, Question):
    """Everything a run is made of, beside its data; the question's fields come first."""


def usual_patience(n_epochs: int) -> int:
    """Half of all epochs: under a cosine the best ones come late."""
    return max(20, n_epochs // 2)


_RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 1_000_000),
    "batch_size": (1, 1_000_000),
    "learning_rate": (0.0, 100.0),
    "weight_decay": (0.0, 100.0),
    "warmup_fraction": (0.0, 1.0),
    "dropout": (0.0, 0.95),
    "input_dropout": (0.0, 0.95),
    "patience": (1, 1_000_000),
    "label_smoothing": (0.0, 0.95),
    "valid_fraction": (0.01, 0.8),
    "test_fraction": (0.0, 0.8),
    "seed": (0, 2**32 - 1),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": Optimizer.__args__,
    "task": Task.__args__,
}
_EXAMPLES = {"network": "128-64 relu", "target": "price"}
_WHOLE = ("epochs", "batch_size", "patience", "seed")


def check_settings(settings: Descent, seed: int = 0) -> None:
    """Refuse settings, and a seed given beside them, outside their range, all problems at once.

    Raises
    ------
    SettingsError
        One line per setting: which, got what, must be what.
    """
    given = [(field.name, getattr(settings, field.name), field.default) for field in fields(settings)]
    problems = [problem for each in [*given, ("seed", seed, 0)] if (problem := _problem(*each))]
    if isinstance(settings, Settings) and not problems:
        share = settings.valid_fraction + settings.test_fraction
        if share > 0.9:
            problems = [f"`valid_fraction` + `test_fraction` is {share:g}; must be at most 0.9"]
    if problems:
        raise SettingsError("\n".join(problems), "`threestep fit --help` describes each setting")


def _problem(name: str, value: object, default: object) -> str:
    """What is wrong with one setting's value; empty if nothing is."""
    if value is None:
        return "" if default is None else f"`{name}` is None; must be given"
    if name in _CHOICES and value not in _CHOICES[name]:
        return f"`{name}` is {value!r}; must be one of {', '.join(_CHOICES[name])}"
    if name in _RANGES:
        low, high = _RANGES[name]
        kind = "a whole number" if name in _WHOLE else "a number"
        right_type = isinstance(value, int if name in _WHOLE else (int, float))
        if not right_type or isinstance(value, bool) or not low <= value <= high:
            return f"`{name}` is {value!r}; must be {kind} from {low:,} to {high:,}"
    if name in _EXAMPLES and not isinstance(value, str):
        return f"`{name}` is {value!r}; must be text such as {_EXAMPLES[name]!r}"
    return ""
