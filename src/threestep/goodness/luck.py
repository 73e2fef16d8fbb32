"""How much of the best score of many is luck.

Of many functions that are judged by the same samples, the best one's score is too high: it was picked where
its errors happened to be few. Bootstrap bias correction (Tsamardinos, Greasidou & Borboudakis 2018,
doi:10.1007/s10994-018-5714-4) repeats the picking: samples are drawn with replacement, the best by these is
picked, and judged by the samples that were not drawn.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_N_RESAMPLINGS = 200
_MOST_NUMBERS = 30_000_000  # of losses that are looked at
Rule = Callable[[NDArray], NDArray]


def picked_again(
    losses: NDArray, measures: NDArray, rule: Rule | None = None, seed: int = 0
) -> tuple[float, ...]:
    """What the best of many would score on samples that did not pick it.

    Parameters
    ----------
    losses : ndarray of shape (n_functions, n_samples)
        By their means one is picked.
    measures : ndarray of shape (n_measures, n_functions, n_samples)
        Whose means are wanted, such as hits and losses.
    rule : callable or None
        Which is picked: mean losses of shape (n_resamplings, n_functions) → places; None: the lowest.
    seed : int
        Of the resamplings.

    Returns
    -------
    tuple of float
        Of each measure, its mean over the samples that did not pick.

    Examples
    --------
    Coins are no better than one another, whatever the best of them showed:

    >>> import numpy as np, threestep as ts
    >>> faces = np.random.default_rng(0).integers(0, 2, size=(500, 100)).astype(float)
    >>> best = float(faces.mean(axis=1).max())
    >>> (again,) = ts.goodness.picked_again(-faces, faces[None])
    >>> round(best, 2), round(again, 2)
    (0.64, 0.48)
    """
    n_samples = losses.shape[1]
    draws = np.random.default_rng(seed).multinomial(
        n_samples, np.full(n_samples, 1 / n_samples), _N_RESAMPLINGS
    )
    means = (draws / n_samples).astype(np.float32) @ losses.astype(np.float32).T
    places = means.argmin(axis=1) if rule is None else rule(means)
    others = draws == 0
    n_others = max(1, int(others.sum()))
    return tuple(
        float(sum(own[place][left].sum() for place, left in zip(places, others, strict=True)) / n_others)
        for own in measures
    )


def worth_looking_at(n_functions: int, n_samples: int) -> int:
    """How many of the best to hand to `picked_again`: those far behind are never picked."""
    return max(2, min(n_functions, _MOST_NUMBERS // max(1, n_samples)))
