"""How sure a measured score is."""

from math import sqrt

_Z95 = 1.959963984540054


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
