"""Which networks answer together."""

from collections.abc import Callable, Sequence

import numpy as np

_LEAST_GAIN = (
    1e-3  # a share; less is not worth a network's work at each answer, and may be one that knows nothing
)


def averaged_ones(n: int, badness: Callable[[Sequence[int]], float], n_most: int) -> list[int]:
    """The first, and then, again and again, the one with which the average is best, while it gets better by a
    thousandth or more (Caruana et al. 2004, doi:10.1145/1015330.1015432; here each at most once).

    Parameters
    ----------
    n : int
        Networks that may be averaged.
    badness : callable
        From places of networks to how bad their average is, on samples that no param was fitted to.
    n_most : int
        At most so many.

    Returns
    -------
    list of int
        Places, at least one.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> says = np.array([1.0, 5.0, -0.9])  # of a sample that is 0
    >>> ts.pick.averaged_ones(3, lambda places: abs(says[places].mean()), n_most=3)
    [0, 2]
    """
    chosen, best = [0], badness([0])
    while len(chosen) < n_most:
        left = [place for place in range(n) if place not in chosen]
        found = [badness([*chosen, place]) for place in left]
        if not left or not min(found) < best - _LEAST_GAIN * abs(best):
            break
        best = min(found)
        chosen.append(left[int(np.argmin(found))])
    return chosen
