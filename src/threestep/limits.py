"""Which values settings may have: every problem of a record is found, and all are said at once."""

from dataclasses import fields

from threestep.errors import SettingsError
from threestep.settings import (
    ClassWeight,
    Decision,
    Descent,
    Effort,
    Language,
    Loss,
    Metric,
    Optimizer,
    Precision,
    Searcher,
    Settings,
    Space,
    Study,
    Task,
)

_RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 1_000_000),
    "batch_size": (1, 1_000_000),
    "learning_rate": (0.0, 100.0),
    "weight_decay": (0.0, 100.0),
    "warmup_fraction": (0.0, 1.0),
    "dropout": (0.0, 0.95),
    "input_dropout": (0.0, 0.95),
    "input_rate": (1e-6, 100.0),
    "input_scaling": (0.0, 100.0),
    "patience": (1, 1_000_000),
    "label_smoothing": (0.0, 0.95),
    "shift": (0.0, 0.5),
    "shift_width": (0.0, 0.5),
    "drop_path": (0.0, 0.95),
    "noise": (0.0, 10.0),
    "mixup": (0.0, 10.0),
    "sound_window": (1.0, 1e6),
    "sound_hop": (0.1, 1e9),  # a long sound has few moments, too
    "sound_bands": (1, 1024),
    "valid_fraction": (0.01, 0.8),
    "test_fraction": (0.0, 0.8),
    "seed": (0, 2**32 - 1),
    "bins": (0, 1000),
    "clip": (0.0, 1e6),
    "max_params": (1, 10**12),
    "max_latency_ms": (0.0, 1e9),
    "ensemble": (1, 100),
    "folds": (1, 20),
    "depths": (0, 8),
    "widths": (8, 1024),
    "channels": (4, 512),
    "learning_rates": (0.0, 100.0),
    "weight_decays": (0.0, 100.0),
    "dropouts": (0.0, 0.95),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": Optimizer.__args__,
    "lang": Language.__args__,
    "precision": Precision.__args__,
    "task": Task.__args__,
    "loss": Loss.__args__,
    "decide_by": Decision.__args__,
    "class_weight": ClassWeight.__args__,
    "score_metric": Metric.__args__,
    "effort": Effort.__args__,
    "searcher": Searcher.__args__,
}
_EXAMPLES = {
    "network": "128-64 relu",
    "target": "price",
    "weight": "weight",
    "groups": "patient",
    "order": "date",
}
_WHOLE = (
    "bins",
    "epochs",
    "batch_size",
    "patience",
    "seed",
    "max_params",
    "ensemble",
    "folds",
    "depths",
    "widths",
    "channels",
    "sound_bands",
)
_HINT_HELP = "each is described by `threestep fit --help`, in Python by `help(threestep.Settings)`"
_LOGARITHMIC = ("learning_rates", "weight_decays")
_LONGEST_SIDE = 1024  # pixels
LEAST_CLIP = 0.1  # but for none
_PAIRS = ("depths", "widths", "channels", "learning_rates", "weight_decays", "dropouts")


def seconds_of(budget: str | float | None) -> float | None:
    """Seconds in a budget such as `90`, `60s`, `2m`, `1.5h`; None stays None.

    Raises
    ------
    SettingsError
        Neither a number nor a number with s, m or h behind it, or not positive.

    Examples
    --------
    >>> seconds_of("2m")
    120.0
    """
    if budget is None:
        return None
    text = str(budget).strip().lower()
    unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:])
    try:
        seconds = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        seconds = 0.0
    if isinstance(budget, bool) or not 0 < seconds < float("inf"):
        raise SettingsError(f"`budget` is {budget!r}; must be a time", "such as 60s, 2m or 1h")
    return seconds


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
        against = [name for name in ("refit", "groups", "order") if getattr(settings, name)]
        if (settings.folds or 1) > 1 and against:
            problems.append(f"`folds` is {settings.folds} and `{against[0]}` is given; give one of them")
        if settings.convolutions and (settings.refit or (settings.folds or 1) > 1):
            problems.append("`convolutions` and `refit` or `folds` are given; give one of them")
        problems += _unused_problems(settings)
    if problems:
        raise SettingsError("\n".join(problems), _HINT_HELP)


def check_asked(settings: Settings) -> None:
    """As `check_settings`, of what a user gives: only a member of a search has one rate from between two.

    Raises
    ------
    SettingsError
    """
    check_settings(settings)
    if problems := _twice_given(settings):
        raise SettingsError("\n".join(problems), _HINT_HELP)


def _unused_problems(settings: Settings) -> list[str]:
    """Which settings say what a search may try, how much, or what picks among its networks, though there is
    none."""
    if settings.network == "auto":
        return []
    own = {"searcher", "effort"} | ({"score_metric"} if _has_one_start(settings) else set())
    of_searches = [*fields(Space), *(field for field in fields(settings) if field.name in own)]
    asked = {field.name for field in of_searches if _is_asked(getattr(settings, field.name), field.default)}
    asked |= {"convolutions"} if settings.convolutions else set()
    if not asked:
        return []
    names = " and ".join(f"`{name}`" for name in sorted(asked))
    return [f"{names}: for a search, but `network` is {settings.network!r}; give one of them"]


def _has_one_start(settings: Settings) -> bool:
    """Whether a given network is trained once, so that there is nothing to pick among."""
    return (settings.ensemble or 1) == 1 and (settings.folds or 1) == 1


def _twice_given(settings: Settings) -> list[str]:
    """Which rates are given as one, and as others between which to search."""
    found = []
    for name in ("learning_rate", "weight_decay", "dropout"):
        one, ends = getattr(settings, name), getattr(settings, f"{name}s")
        if one is None or ends is None:
            continue
        if tuple(ends) not in (getattr(Space(), f"{name}s"), (one, one)):
            found.append(f"`{name}` is {one:g} and `{name}s` is {tuple(ends)}; give one of them")
    return found


def _is_asked(value: object, default: object) -> bool:
    """Whether it is not what is taken by default; a list is as good as a tuple."""
    return (tuple(value) if isinstance(value, list) else value) != default


def _problem(name: str, value: object, default: object) -> str:
    """What is wrong with one setting's value; empty if nothing is."""
    problem = ""
    if value is None:
        problem = "" if default is None else f"`{name}` is None; must be given"
    elif name in _CHECKS:
        problem = _CHECKS[name](name, value)
    elif name in _CHOICES and value not in _CHOICES[name]:
        problem = f"`{name}` is {value!r}; must be one of {', '.join(_CHOICES[name])}"
    elif name in _RANGES:
        problem = _number_problem(name, value)
    elif name in _EXAMPLES and not isinstance(value, str):
        problem = f"`{name}` is {value!r}; must be text such as {_EXAMPLES[name]!r}"
    return problem


def _number_problem(name: str, value: object) -> str:
    """What is wrong with a number; empty if nothing is."""
    low, high = _RANGES[name]
    kind = "a whole number" if name in _WHOLE else "a number"
    right_type = isinstance(value, int if name in _WHOLE else (int, float))
    if not right_type or isinstance(value, bool) or not low <= value <= high:  # pyright: ignore[reportOperatorIssue]
        return f"`{name}` is {value!r}; must be {kind} from {low:,} to {high:,}"
    return ""


def _clip_problem(name: str, value: object) -> str:
    """What is wrong with a clip; empty if nothing is. One near 0 would leave nothing of any number."""
    problem = _number_problem(name, value)
    if not problem and 0 < value < LEAST_CLIP:  # pyright: ignore[reportOperatorIssue]
        problem = f"`{name}` is {value!r}; must be 0, or a number from {LEAST_CLIP:g}"
    return problem


def _pair_problem(name: str, value: object) -> str:
    """What is wrong with a range; empty if nothing is."""
    low, high = _RANGES[name]
    kind = "whole numbers" if name in _WHOLE else "numbers"
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    if not is_pair or any(_number_problem(name, each) for each in value) or value[0] > value[1]:  # pyright: ignore
        return f"`{name}` is {value!r}; must be two {kind} from {low:,} to {high:,}, the lower one first"
    if name in _LOGARITHMIC and value[0] == 0 < value[1]:  # pyright: ignore[reportIndexIssue]
        return f"`{name}` is {value!r}; must be two numbers above 0, or 0 twice"
    return ""


def _size_problem(name: str, value: object) -> str:
    """What is wrong with a height and a width, or one number for both; empty if nothing is."""
    sides: list[object] = list(value) if isinstance(value, (tuple, list)) else [value, value]
    whole = [side for side in sides if isinstance(side, int) and not isinstance(side, bool)]
    if len(sides) != 2 or len(whole) != 2 or not all(1 <= side <= _LONGEST_SIDE for side in whole):
        return (
            f"`{name}` is {value!r}; must be one or two whole numbers from 1 to "
            f"{_LONGEST_SIDE:,}, such as 96 or (96, 128)"
        )
    return ""


def _budget_problem(name: str, value: object) -> str:
    """What is wrong with a budget; empty if nothing is."""
    try:
        seconds_of(value)  # pyright: ignore[reportArgumentType]
    except SettingsError as error:
        return f"{error.message} {error.hint}"
    return ""


def _activations_problem(name: str, value: object) -> str:
    """What is wrong with a choice of activations; their names are the network's to know."""
    is_sound = isinstance(value, (tuple, list)) and value and all(isinstance(each, str) for each in value)
    return "" if is_sound else f"`{name}` is {value!r}; must be names such as ('relu', 'silu')"


def _quantiles_problem(name: str, value: object) -> str:
    """What is wrong with quantiles; empty if nothing is."""
    is_sound = isinstance(value, (tuple, list)) and all(
        isinstance(each, (int, float)) and not isinstance(each, bool) and 0 < each < 1 for each in value
    )
    if is_sound and len(set(value)) == len(value):  # pyright: ignore[reportArgumentType]
        return ""
    return f"`{name}` is {value!r}; must be {'different ' if is_sound else ''}numbers between 0 and 1"


def _words_problem(name: str, value: object) -> str:
    """What is wrong with a list of words; empty if nothing is."""
    is_sound = isinstance(value, (tuple, list)) and all(isinstance(each, str) for each in value)
    return "" if is_sound else f"`{name}` is {value!r}; must be words such as ('color=category',)"


def _switch_problem(name: str, value: object) -> str:
    """What is wrong with a yes or no; empty if nothing is."""
    return "" if isinstance(value, bool) else f"`{name}` is {value!r}; must be True or False"


_CHECKS = {
    "clip": _clip_problem,
    "residual": _switch_problem,
    "quantiles": _quantiles_problem,
    "convolutions": _switch_problem,
    "flip": _switch_problem,
    "refit": _switch_problem,
    "strict": _switch_problem,
    "calibrate": _switch_problem,
    "level_means": _switch_problem,
    "column": _words_problem,
    **dict.fromkeys(_PAIRS, _pair_problem),
    "picture_size": _size_problem,
    "budget": _budget_problem,
    "activations": _activations_problem,
}


def check_language(lang: object) -> None:
    """Refuse a language that no page is written in.

    Raises
    ------
    SettingsError
    """
    if problem := _problem("lang", lang, "en"):
        raise SettingsError(problem)


def check_study(study: Study) -> None:
    """Refuse settings of a comparison outside their range, all problems at once.

    Raises
    ------
    SettingsError
    """
    problems = [
        problem
        for name in ("seed", "valid_fraction", "test_fraction", "epochs", "task", "target", "budget", "lang")
        if (value := getattr(study, name)) is not None and (problem := _problem(name, value, None))
    ]
    lists: dict[str, tuple[float, float]] = {
        "depths": (1, 8), "widths": (1, 1024), "params": (1, 10**9), "rates": (1e-9, 100.0),
    }  # fmt: skip
    for name, (low, high) in lists.items():
        values = getattr(study, name)
        if not all(isinstance(value, (int, float)) and low <= value <= high for value in values):
            problems.append(f"`{name}` is {values}; must be numbers from {low:g} to {high:,g}")
    if not isinstance(study.margin, (int, float)) or not 0 <= study.margin < 1:
        problems.append(f"`margin` is {study.margin!r}; must be a number from 0 to below 1")
    if not isinstance(study.seeds, int) or not 2 <= study.seeds <= 1000:
        problems.append(f"`seeds` is {study.seeds!r}; must be a whole number from 2 to 1,000")
    if not study.rates:
        problems.append("`rates` is empty; must be learning rates")
    if study.test_fraction <= 0 or study.valid_fraction + study.test_fraction > 0.9:
        problems.append("`test_fraction` must be above 0, and at most 0.9 together with `valid_fraction`")
    if problems:
        raise SettingsError("\n".join(problems), "`threestep study --help` describes each setting")
