"""How sure a measured score is."""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959963984540054
_N_RESAMPLINGS = 999
_MANY = 500  # samples, from which on resampling says what the normal distribution says


def share_interval(share: float, n_samples: int) -> tuple[float, float]:
    """95 % interval of a share, such as an accuracy (Wilson 1927).

    Parameters
    ----------
    share : float
        Measured, from 0 to 1.
    n_samples : int
        Independent samples it was measured on.

    Examples
    --------
    >>> import threestep as ts
    >>> low, high = ts.goodness.share_interval(0.97, 360)
    >>> round(low, 3), round(high, 3)
    (0.947, 0.983)
    """
    z2 = _Z95**2 / n_samples
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z95 * sqrt(share * (1 - share) / n_samples + z2 / (4 * n_samples)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


class ErrorIntervals(NamedTuple):
    """95 % intervals of what is said of numbers; NaN where nothing can be said."""

    r2_low: float
    r2_high: float
    rmse_low: float
    rmse_high: float


def error_intervals(predictions: NDArray, targets: NDArray, seed: int = 0) -> ErrorIntervals:
    """95 % intervals of R² and RMSE, by the studentized bootstrap (Efron & Tibshirani 1993, chapter 12.5).

    Both are of a logarithm (of 1 - R², of the mean squared error), whose distribution is less skewed.
    Of many samples the bootstrap's distribution is the normal one, and that is taken.

    Parameters
    ----------
    predictions, targets : ndarray of shape (n_samples,), or (n_samples, n_numbers)
        Of several numbers the mean of each is meant, as of `number_metrics`.
    seed : int
        Of the resamplings.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=200)
    >>> [round(each, 2) for each in ts.goodness.error_intervals(y + 0.5 * rng.normal(size=200), y)]
    [0.6, 0.79, 0.46, 0.59]
    """
    targets = np.asarray(targets, np.float64).reshape(len(targets), -1)
    squares = (np.asarray(predictions, np.float64).reshape(targets.shape) - targets) ** 2
    order = np.lexsort([*squares.T, *targets.T])  # lest the samples' own order draw other ones
    squares, targets = squares[order], targets[order] - targets.mean(axis=0)
    n = len(targets)
    if n < 3 or not (squares.mean(axis=0) > 0).all() or not (targets.std(axis=0) > 0).all():
        return ErrorIntervals(*[float("nan")] * 4)
    logs, errors = _logs(np.full((1, n), 1 / n), squares, targets)
    students = np.array([[-_Z95, -_Z95], [_Z95, _Z95]])
    if n <= _MANY:
        draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), _N_RESAMPLINGS)
        with np.errstate(invalid="ignore", divide="ignore"):  # a resampling may hold one sample only
            again, their_errors = _logs(draws / n, squares, targets)
            ratios = (again - logs) / their_errors
        students = np.nanquantile(np.where(np.isfinite(ratios), ratios, np.nan), (0.025, 0.975), axis=0)
    high, low = np.exp(logs[0] - students * errors[0])
    return ErrorIntervals(*map(float, (1 - high[0], 1 - low[0], low[1], high[1])))


def _logs(weights: NDArray, squares: NDArray, targets: NDArray) -> tuple[NDArray, NDArray]:
    """Log of 1 - R² and of the RMSE under each weighting of the samples, and their standard errors, by the
    influence of each sample; both of shape (n_weightings, 2)."""
    ratio = rmse = of_ratio = of_rmse = 0.0
    for own, target in zip(squares.T, targets.T, strict=True):
        total, mean = weights @ own, weights @ target
        spread = weights @ target**2 - mean**2
        share, root = total / spread, np.sqrt(total)
        ratio, rmse = ratio + share, rmse + root
        relative, away = own / total[:, None], (target - mean[:, None]) ** 2 / spread[:, None]
        of_ratio = of_ratio + share[:, None] * (relative - away)
        of_rmse = of_rmse + root[:, None] * (relative - 1) / 2
    values = np.stack([ratio, rmse], axis=1)
    influences = np.stack([of_ratio, of_rmse], axis=1) / values[:, :, None]
    errors = np.sqrt((weights[:, None] * influences**2).sum(axis=2) / (squares.shape[0] - 1))
    return np.log(values / squares.shape[1]), errors
