"""Numbers as people write them."""

from math import floor, isfinite, log10

_DIGITS = 5  # that tell something
_FEWEST_APART = 10_000  # below, 2024 may be a year
_LARGEST, _SMALLEST = 1e15, 1e-6  # beyond, powers of ten are read more easily


def written(value: float | None) -> str:
    """A number in a unit of its own: five digits that tell something, or all of a whole number.

    Examples
    --------
    >>> written(4839830.4), written(3842), written(-12.5), written(0.000123456), written(2e17)
    ('4,839,800', '3842', '−12.5', '0.00012346', '2e+17')
    """
    if value is None or not isfinite(value):
        return "–"
    size = abs(value)
    if size >= _LARGEST or 0 < size < _SMALLEST:
        text = f"{size:.{_DIGITS}g}"
    elif size == round(size):
        text = f"{size:,.0f}"
    else:
        places = _DIGITS - 1 - floor(log10(size))
        text = f"{round(size, places):,.{max(0, places)}f}"
        text = text.rstrip("0").rstrip(".") if places > 0 else text
    return ("−" if value < 0 else "") + (text if size >= _FEWEST_APART else text.replace(",", ""))


def with_minus(text: str) -> str:
    """A number that was written by Python, with the sign that people write."""
    return text.replace("-", "\u2212")


def percent(share: float) -> str:
    """A share for people.

    Examples
    --------
    >>> percent(0.6184)
    '61.8 %'
    """
    return f"{100 * share:.1f} %"


def quantile_name(quantile: float) -> str:
    """What a quantile is called.

    Examples
    --------
    >>> quantile_name(0.05), quantile_name(0.975)
    ('5 %', '97.5 %')
    """
    return f"{100 * quantile:g} %"
