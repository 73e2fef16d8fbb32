"""Round numbers along an axis."""

from math import ceil, floor, log10

_MOST_TICKS = 6


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from at most low to at least high, for a logarithmic axis.

    Examples
    --------
    >>> log_ticks(30, 2400)
    [20.0, 100.0, 1000.0, 5000.0]
    >>> log_ticks(0.12, 0.31)
    [0.1, 0.2, 0.5]
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [float(f"{factor}e{power}") for power in powers for factor in (1, 2, 5)]
    first = max((tick for tick in ticks if tick <= low), default=ticks[0])
    last = min((tick for tick in ticks if tick >= high), default=ticks[-1])
    ticks = [tick for tick in ticks if first <= tick <= last]
    if len(ticks) > _MOST_TICKS:  # the ends, and of the rest the powers of ten
        ticks = [tick for tick in ticks if tick in (first, last) or f"{tick:e}".startswith("1.0")]
    return ticks


def nice_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers that span low to high.

    Examples
    --------
    >>> nice_ticks(0.03, 2.4)
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    """
    span = (high - low) or abs(high) or 1.0
    size = 10.0 ** floor(log10(span / 4))
    step = next(factor * size for factor in (1, 2, 5, 10, 20) if span / (factor * size) <= 5)
    first, last = floor(low / step), ceil(high / step)
    return [float(f"{index * step:.15g}") for index in range(first, last + 1)]


def epoch_ticks(n_epochs: int) -> list[int]:
    """The first epoch and some round ones."""
    step = max(1, int(nice_ticks(0, n_epochs)[1]))
    return [1, *(epoch for epoch in range(step, n_epochs + 1, step) if epoch > 1)]
