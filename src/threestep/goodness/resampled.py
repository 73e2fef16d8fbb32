"""Errors of several networks over several divisions of the same samples: which differences are real?

The divisions share samples, so their errors are not independent: a usual t-test would find differences that
are not there. The corrected resampled t-test (Nadeau & Bengio 2003, doi:10.1023/A:1024068626366) widens the
variance by the share of test to training samples. Where one is compared with several, the probabilities
are corrected for the best of them being picked (Holm 1979, doi:10.2307/4615733).
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray


def resampled_interval(
    values: NDArray, test_share: float, least_variance: float = 0.0
) -> tuple[float, float, float]:
    """Mean of a value over divisions, and its 95 % interval.

    Parameters
    ----------
    values : ndarray of shape (n_divisions,)
        At least two.
    test_share : float
        Test samples over training samples of a division.
    least_variance : float
        Of one value, by how few test samples it is measured on: few divisions may happen to agree.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> tuple(round(each, 2) for each in ts.goodness.resampled_interval(np.array([4.0, 5.0, 6.0]), 0.25))
    (5.0, 1.71, 8.29)
    """
    from scipy.stats import t

    mean, error = _mean_and_error(values, test_share, least_variance)
    half = float(t.ppf(0.975, len(values) - 1)) * error
    return mean, mean - half, mean + half


def resampled_probability(differences: NDArray, test_share: float, least_variance: float = 0.0) -> float:
    """How likely a mean difference at least that far from zero is, if there is none.

    Parameters
    ----------
    differences : ndarray of shape (n_divisions,)
        Of the errors of two on the same division.
    test_share, least_variance : float
        As of `resampled_interval`.
    """
    from scipy.stats import t

    mean, error = _mean_and_error(differences, test_share, least_variance)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * t.sf(abs(mean) / error, len(differences) - 1))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities corrected for how many there are: no more than 5 % of all such comparisons find any
    difference where there is none.

    Examples
    --------
    >>> [round(each, 3) for each in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(probabilities, kind="stable")
    corrected, least = [0.0] * len(order), 0.0
    for rank, place in enumerate(order.tolist()):
        least = max(least, min(1.0, (len(order) - rank) * probabilities[place]))
        corrected[place] = least
    return corrected


def _mean_and_error(values: NDArray, test_share: float, least_variance: float = 0.0) -> tuple[float, float]:
    values = np.asarray(values, np.float64)
    variance = (1 / len(values) + test_share) * max(values.var(ddof=1), least_variance)
    return float(values.mean()), sqrt(float(variance))
