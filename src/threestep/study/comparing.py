"""A comparison: networks that differ in one thing, each over several divisions of the samples.

Every network gets the learning rate that suits it, found on the validation samples of the first divisions, or
the comparison would be one of rates. All networks of a division are members of one population; all divisions
share its programs. Test samples only measure.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from threestep.data import (
    Layout,
    Table,
    Target,
    encode,
    encode_learned,
    encode_target,
    fit_prep,
    labelled,
    notes_on_classes,
    overrides_of,
    read_to_learn,
    split,
    understand_target,
)
from threestep.errors import DataError, SettingsError, did_you_mean
from threestep.goodness import Goodness, holm, resampled_interval, resampled_probability
from threestep.limits import check_study, seconds_of
from threestep.network import ACTIVATION_NAMES
from threestep.pick import Job, Member, Outcome, Population, Samples, outputs_of
from threestep.settings import Descent, Files, Settings, Study
from threestep.study.arms import (
    DEPTHS,
    RESIDUAL_DEPTHS,
    Arm,
    depth_arms,
    residual_arms,
    usual_params,
    width_arms,
)
from threestep.study.choices import choose_settings
from threestep.study.verdict import ArmOutcome, Comparison, verdict_of

_LOSSES = {"classes": "cross_entropy", "number": "squared_error", "labels": "sigmoid_cross_entropy"}
_TUNED_ON = 2  # divisions
_RESIDUAL_WIDTH = 64
_FEWEST_SAMPLES = 30
_MOST_EPOCHS = 60
Event = dict[str, Any]


class Division(NamedTuple):
    """Samples as one division has them."""

    train: Samples
    valid: Samples
    test: Samples
    target_scale: NDArray


def compare_steps(source: object, by: str, study: Study) -> Generator[Event, None, Comparison]:
    """Compare networks on the user's own data.

    Parameters
    ----------
    source : anything `threestep.data.read` takes, with its target
    by : {"depth", "width", "residual"}
    study : Study

    Yields
    ------
    dict
        "tick": networks trained, of how many.

    Raises
    ------
    UserError
        Bad data or settings.
    """
    began = time.perf_counter()
    made = _made(source, by, study)
    deadline = began + (seconds_of(study.budget) or inf)
    goodness = Goodness(_LOSSES[made.target.kind])
    with _Populations(goodness, made.divisions, made.settings, study.seed, deadline) as populations:
        rates = yield from _tuned(populations, made.arms, study)
        members = [Member(arm.network, rate) for arm, rate in zip(made.arms, rates, strict=True)]
        errors = yield from _errors(populations, members, made.divisions, made.target.kind)
    return _compared(by, study, made, rates, errors, began)


class _Made(NamedTuple):
    """All that is known before a network is trained."""

    table: Table
    target: Target
    divisions: list[Division]
    arms: list[Arm]
    settings: Descent


def _made(source: object, by: str, study: Study) -> _Made:
    """Samples, and what is compared on them.

    Raises
    ------
    UserError
    """
    check_study(study)
    if study.activation not in ACTIVATION_NAMES:
        raise SettingsError(
            f"`activation` is {study.activation!r}", did_you_mean(study.activation, ACTIVATION_NAMES)
        )
    table = labelled(read_to_learn(source, Files(column=study.column)), study.target)
    if table.n_samples < _FEWEST_SAMPLES:
        got = "1 sample" if table.n_samples == 1 else f"{table.n_samples} samples"
        raise DataError(f"{table.name}: got {got}, expected at least {_FEWEST_SAMPLES}")
    target = understand_target(np.asarray(table.y), table.y_name, study.task)
    names = [] if isinstance(table.x, np.ndarray) else list(table.x)
    layout = fit_prep(table, target, overrides_of(study.column, names), most_bins=0).layout
    divisions = [_divided(table, target, study, layout, seed) for seed in range(study.seeds)]
    n_train, n_inputs = divisions[0].train.x.shape
    arms = _arms(by, (n_inputs, target.n_outputs), n_train, study)
    if all(arm.rival == place for place, arm in enumerate(arms)):
        raise SettingsError(
            "one network alone has nothing to be compared with", "give two `depths` or `widths`"
        )
    return _Made(table, target, divisions, arms, _descent(table, target, n_train, study, layout))


def _compared(
    by: str, study: Study, made: _Made, rates: Sequence[float], errors: NDArray, began: float
) -> Comparison:
    """What the errors, of each arm in each division, say.

    Raises
    ------
    SettingsError
        Fewer than two divisions were done.
    """
    n_done, first = errors.shape[1], made.divisions[0]
    if n_done < 2:
        raise SettingsError(
            f"`budget` is {study.budget}: fewer than two divisions were done",
            "give more time, or fewer shapes",
        )
    is_number = made.target.kind == "number"
    share = len(first.test.y) / len(first.train.y)
    n_answers = 0 if is_number else first.test.y.size
    outcomes = _outcomes(made.arms, rates, errors, (share, n_answers), study.margin)
    error = "RMSE" if is_number else "wrong answers"
    facts = {
        "n_samples": made.table.n_samples,
        "notes": _notes_on_samples(made),
        "n_train": len(first.train.y),
        "n_valid": len(first.valid.y),
        "n_test": len(first.test.y),
        "n_divisions": n_done,
        "epochs": made.settings.epochs,
        "batch_size": made.settings.batch_size,
        "activation": study.activation,
        "rates": list(study.rates),
        "seed": study.seed,
        "seconds": round(time.perf_counter() - began, 3),
    }
    verdict = verdict_of(by, outcomes, error, study.margin, n_done)
    return Comparison(by, made.table.name, error, outcomes, verdict, facts)


def _notes_on_samples(made: _Made) -> list[str]:
    return [*made.table.notes, *notes_on_classes(made.target, np.asarray(made.table.y))]


def _divided(table: Table, target: Target, study: Study, layout: Layout, number: int) -> Division:
    """One division of the samples, each with a prep of its own, but all with the same inputs: what networks
    are compared must not depend on which rare words are among the training samples."""
    seed = int(np.random.default_rng([study.seed, number]).integers(2**31))
    parts = split(table, study.valid_fraction, study.test_fraction, seed, target.kind == "classes")
    prep = fit_prep(parts.train, target, most_bins=0, layout=layout)
    inputs = encode_learned(prep, parts.train), encode(prep, parts.valid), encode(prep, parts.test)
    targets = (encode_target(prep, part) for part in parts)
    train, valid, test = map(Samples, inputs, targets)
    scale = np.asarray(prep.target_scale)
    return Division(train, valid, test, scale)


def _arms(by: str, ends: tuple[int, int], n_train: int, study: Study) -> list[Arm]:
    """What is compared.

    Raises
    ------
    SettingsError
    """
    if by == "width":
        return width_arms(ends, study.widths, study.activation)
    if by == "residual":
        width = study.widths[0] if study.widths else _RESIDUAL_WIDTH
        return residual_arms(ends, study.depths or RESIDUAL_DEPTHS, width, study.activation)
    params = study.params or (usual_params(*ends, n_train),)
    return depth_arms(ends, study.depths or DEPTHS, params, study.activation)


def _descent(table: Table, target: Target, n_train: int, study: Study, layout: Layout) -> Descent:
    """How every network is trained: as by default, but for dropout, which would suit some of them more, and
    factors of the inputs, which are only scaled, too."""
    usual = choose_settings(Settings(network="1"), n_train, target.kind == "classes", layout, table.y_name)
    epochs = study.epochs or min(usual.epochs or 1, _MOST_EPOCHS)
    return Descent(
        epochs=epochs, batch_size=usual.batch_size, patience=epochs, dropout=0.0, input_dropout=0.0
    )


class _Populations:
    """A population for each division; they share their programs."""

    def __init__(
        self, goodness: Goodness, divisions: Sequence[Division], settings: Descent, seed: int, deadline: float
    ):
        room = (max(len(each.train.y) for each in divisions), max(len(each.valid.y) for each in divisions))
        self.epochs, self.deadline = settings.epochs or 1, deadline
        self.all = [
            Population(goodness, each.train, each.valid, settings, seed + number, deadline, room)
            for number, each in enumerate(divisions)
        ]

    def __enter__(self) -> "_Populations":
        for each in self.all:
            each.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        for each in self.all:
            each.__exit__(*error)


def _tuned(
    populations: _Populations, arms: Sequence[Arm], study: Study
) -> Generator[Event, None, list[float]]:
    """The learning rate that suits each network: that of the lowest validation loss, over a few divisions."""
    members = [Member(arm.network, rate) for arm in arms for rate in study.rates]
    losses = np.zeros((len(arms), len(study.rates)))
    n_tuned = min(_TUNED_ON, len(populations.all))
    for number in range(n_tuned):
        trained = yield from _trained(populations, number, members, "rates")
        own = [inf if each is None or not each.is_sound else float(each.losses.mean()) for each in trained]
        losses += np.array(own).reshape(losses.shape)
    return [study.rates[place] for place in losses.argmin(axis=1).tolist()]


def _trained(
    populations: _Populations, number: int, members: Sequence[Member], what: str
) -> Generator[Event, None, list[Any]]:
    """Train members on one division; each starts from the division's own seed."""
    jobs = [Job(replace(each, seed=number), populations.epochs) for each in members]
    steps = populations.all[number].train(jobs)
    while True:
        try:
            n_done = next(steps)
        except StopIteration as end:
            return end.value
        yield {"event": "tick", "what": f"division {number + 1}, {what}", "n_done": n_done, "n": len(jobs)}


def _errors(
    populations: _Populations, members: Sequence[Member], divisions: Sequence[Division], kind: str
) -> Generator[Event, None, NDArray]:
    """Of each network on each division that there was time for: (n_networks, n_divisions)."""
    columns = list[list[float]]()
    for number, division in enumerate(divisions):
        trained = yield from _trained(populations, number, members, "networks")
        if any(each is None or each.outcome is Outcome.OUT_OF_TIME for each in trained):
            break  # what was cut short says nothing of its structure
        columns.append([_error(each, division, kind) for each in trained])
    return np.array(columns).T if columns else np.zeros((len(members), 0))


def _error(trained: Any, division: Division, kind: str) -> float:
    """Share of wrong answers on the test samples, or root mean squared error in the target's unit."""
    x, y, *_ = division.test
    outputs = outputs_of(trained.member.network, trained.params, x)
    if kind == "classes":
        return float((outputs.argmax(axis=1) != y).mean())
    if kind == "labels":
        return float(((outputs > 0) != (y > 0)).mean())
    wrong = outputs.reshape(y.shape) - y
    each = np.sqrt(np.mean(np.square(wrong, dtype=np.float64), axis=0))
    return float((each * division.target_scale).mean())


def _outcomes(
    arms: Sequence[Arm], rates: Sequence[float], errors: NDArray, sizes: tuple[float, int], margin: float
) -> tuple[ArmOutcome, ...]:
    """Means, intervals, and which differences beyond the margin are no chance; `sizes`: test over training
    samples, and answers that a share of wrong ones is measured on, 0 if the errors are no shares."""
    share, n_answers = sizes
    found = list[ArmOutcome]()
    compared = [place for place, arm in enumerate(arms) if arm.rival != place]
    gains = {place: errors[arms[place].rival] - errors[place] for place in compared}
    beyond = [_beyond(gains[place], margin * errors[arms[place].rival]) for place in compared]
    least = [_least_variance_of_gain(gains[place], n_answers) for place in compared]
    chances = holm(
        [
            resampled_probability(each, share, own) if each.mean() > 0 else 1.0
            for each, own in zip(beyond, least, strict=True)
        ]
    )
    chance_of = dict(zip(compared, chances, strict=True))
    for place, (arm, rate) in enumerate(zip(arms, rates, strict=True)):
        mean, low, high = resampled_interval(errors[place], share, _least_variance(errors[place], n_answers))
        gain = 0.0, 0.0, 0.0
        if place in gains:
            own_least = _least_variance_of_gain(gains[place], n_answers)
            gain = resampled_interval(gains[place], share, own_least)
        own = tuple(map(float, errors[place]))
        facts = arm.name, str(arm.network), arm.network.n_params, arm.rival, rate, own
        interval = mean, max(0.0, low), min(high, 1.0) if n_answers else high
        if n_answers:
            gain = gain[0], max(-1.0, gain[1]), min(gain[2], 1.0)
        found.append(ArmOutcome(*facts, *interval, *gain, chance_of.get(place, 1.0)))
    return tuple(found)


def _beyond(gains: NDArray, least: NDArray) -> NDArray:
    """How much further from zero gains are, in their mean direction, than they must be to matter (a test of a
    minimal effect; Murphy and Myors 1999, doi:10.1037/0021-9010.84.2.234)."""
    return np.sign(gains.mean()) * gains - least


def _least_variance(errors: NDArray, n_answers: int) -> float:
    """The variance of a share that so many answers alone would give it (Laplace's estimate of it: none wrong
    does not mean that none ever is)."""
    if n_answers == 0:
        return 0.0
    n_all = n_answers * len(errors)
    wrong = (errors.mean() * n_all + 1) / (n_all + 2)
    return float(wrong * (1 - wrong) / n_answers)


def _least_variance_of_gain(gains: NDArray, n_answers: int) -> float:
    """As `_least_variance`, of the difference of two shares: by how many answers only one is right."""
    if n_answers == 0:
        return 0.0
    n_all = n_answers * len(gains)
    return float((abs(gains.mean()) * n_all + 1) / (n_all + 2) / n_answers)
