"""What came of a comparison: the errors of each network, and the answer in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import log10
from pathlib import Path
from typing import Any

from threestep.study.notebook import comparison_html

_SURE = 0.05


@dataclass(frozen=True)
class ArmOutcome:
    """What came of one network.

    Parameters
    ----------
    name, network : str
    n_params : int
    rival : int
        The place of the one it is compared with.
    learning_rate : float
    errors : tuple of float
        Of the test samples of each division: share of wrong answers, or root mean squared error.
    mean, low, high : float
        Of them, with the 95 % interval.
    gain, gain_low, gain_high : float
        How much lower than the rival's, with its interval.
    probability : float
        That the difference is larger than the margin only by chance, corrected for all comparisons.
    """

    name: str
    network: str
    n_params: int
    rival: int
    learning_rate: float
    errors: tuple[float, ...]
    mean: float
    low: float
    high: float
    gain: float = 0.0
    gain_low: float = 0.0
    gain_high: float = 0.0
    probability: float = 1.0


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Parameters
    ----------
    by : {"depth", "width", "residual"}
    data : str
    error : str
        What the errors are: "wrong answers" (shares), or "RMSE".
    outcomes : tuple of ArmOutcome
    verdict : str
        In words; "no difference" is one, too.
    facts : dict
        How it was made: samples, divisions, epochs, rates, seconds.
    folder : Path or None
        Where it was written to.
    """

    by: str
    data: str
    error: str
    outcomes: tuple[ArmOutcome, ...]
    verdict: str
    facts: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"<Comparison by {self.by} on {self.data}: {self.verdict}>"

    def _repr_html_(self) -> str:
        """The short form that a notebook shows."""
        return comparison_html(self, plain_of(self)["outcomes"])


def verdict_of(by: str, outcomes: Sequence[ArmOutcome], error: str, margin: float, n_divisions: int) -> str:
    """The answer in words: what is better beyond chance, that nothing is, or that so few divisions could not
    have found what matters either."""
    compared = [each for place, each in enumerate(outcomes) if each.rival != place]
    better = [each for each in compared if each.probability < _SURE and each.gain > 0]
    worse = [each for each in compared if each.probability < _SURE and each.gain < 0]
    thing, other = _WORDS[by]
    if not better and not worse:
        if open_question := _not_ruled_out(compared, outcomes, error, margin):
            return f"Not known yet: {n_divisions} divisions do not rule out that {open_question}."
        largest = max(compared, key=lambda each: abs(each.gain))
        return (
            f"No difference that matters: {_none_of(len(compared), thing)} is better or worse than {other} "
            f"by more than {100 * margin:g} % of its errors, beyond chance. "
            f"The largest, of {largest.name}: {_signed(largest.gain, error)}, 95 % interval from "
            f"{_signed(largest.gain_low, error)} to {_signed(largest.gain_high, error)}, "
            f"p = {largest.probability:.2g}."
        )
    parts = []
    lower, higher = ("fewer", "more") if error == "wrong answers" else ("a lower", "a higher")
    for found, word in ((better, lower), (worse, higher)):
        if found:
            best = max(found, key=lambda each: abs(each.gain))
            rival = outcomes[best.rival]
            parts.append(
                f"{best.name} has {word} {error} than {rival.name}, by {difference_of(best.gain, error)} "
                f"({shown(best.mean, error)} against {shown(rival.mean, error)}, p = {best.probability:.2g})"
            )
    head = {(True, False): "Yes", (False, True): "No", (True, True): "Mixed"}[bool(better), bool(worse)]
    return f"{head}, {_CLAIMS[by][head]}: {'; '.join(parts)}."


def _none_of(n: int, things: str) -> str:
    return f"none of {n} {things}" if n > 1 else f"none of the {things}"


def _signed(gain: float, error: str) -> str:
    """A gain for people: 1.2 % fewer, 0.3 % more."""
    fewer, more = ("fewer", "more") if error == "wrong answers" else ("lower", "higher")
    return f"{difference_of(gain, error)} {fewer if gain >= 0 else more}"


def difference_of(gain: float, error: str) -> str:
    """How large a gain is: of shares in points of per cent, for they have per cents of their own.

    Examples
    --------
    >>> difference_of(-0.0033, "wrong answers"), difference_of(12.345, "RMSE")
    ('0.33 points', '12.35')
    """
    return f"{100 * abs(gain):.2f} points" if error == "wrong answers" else shown(abs(gain), error)


def _not_ruled_out(
    compared: Sequence[ArmOutcome], outcomes: Sequence[ArmOutcome], error: str, margin: float
) -> str | None:
    """What may be in truth, and would matter; None if nothing of that kind."""
    widest = max(compared, key=lambda each: max(abs(each.gain_low), abs(each.gain_high)))
    reach = max(abs(widest.gain_low), abs(widest.gain_high))
    if margin == 0 or reach <= margin * outcomes[widest.rival].mean:
        return None
    return (
        f"{widest.name} differs by {difference_of(reach, error)}, which would matter; more of them (--seeds) "
        "say more"
    )


_WORDS = {
    "depth": ("deeper networks of as many params", "the first one"),
    "width": ("wider layers", "the narrowest"),
    "residual": ("stacks with residuals", "its plain one"),
}
_CLAIMS = {
    "depth": {
        "Yes": "deeper is better here, at equal params",
        "No": "deeper is worse here, at equal params",
        "Mixed": "some depths are better, others worse, at equal params",
    },
    "width": {
        "Yes": "wider is better here",
        "No": "wider is worse here",
        "Mixed": "some widths are better, others worse",
    },
    "residual": {
        "Yes": "residuals help here",
        "No": "residuals do harm here",
        "Mixed": "residuals help at some depths and do harm at others",
    },
}


def plain_of(found: Comparison) -> dict[str, Any]:
    """A comparison as plain data, with its errors also as people read them."""
    outcomes = [
        {
            **asdict(each),
            "shown": {
                name: shown(getattr(each, name), found.error) for name in ("mean", "low", "high", "gain")
            },
        }
        for each in found.outcomes
    ]
    plain = {name: getattr(found, name) for name in ("by", "data", "error", "verdict", "facts")}
    return {**plain, "outcomes": outcomes}


def shown(value: float, error: str) -> str:
    """An error or a difference of errors for people: points of per cent, or as many digits as matter.

    Examples
    --------
    >>> shown(0.0316, "wrong answers"), shown(1234.567, "RMSE")
    ('3.16 %', '1235')
    """
    if error == "wrong answers":
        return f"{100 * value:.2f} %"
    return (
        f"{value:.{max(0, 3 - int(log10(abs(value))) if value else 0)}f}"
        if abs(value) < 1e6
        else f"{value:.4g}"
    )
