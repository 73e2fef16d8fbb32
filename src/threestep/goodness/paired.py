"""Two functions on the same samples: is one better, or is it noise?"""

import numpy as np
from numpy.typing import NDArray


def paired_difference(first: NDArray, second: NDArray) -> tuple[float, float]:
    """Mean of first - second over the samples, and its standard error.

    What both find hard cancels out, so that far smaller differences can be told from noise than by
    comparing two means.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)
        Loss or score of each sample.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> ts.goodness.paired_difference(np.array([1.0, 5.0, 9.0]), np.array([0.0, 4.0, 8.0]))
    (1.0, 0.0)
    """
    difference = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    spread = difference.std(ddof=1) if len(difference) > 1 else 0.0
    return float(difference.mean()), float(spread / len(difference) ** 0.5)
