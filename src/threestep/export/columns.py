"""Raw samples to a network's inputs, as nodes of ONNX: what `threestep.data.encode` does."""

from typing import NamedTuple

import numpy as np

from threestep.data import DATE_PARTS, FARTHEST, Layout, Prep, columns_wanted, part_name
from threestep.export.graph import Graph, as_strings

_SECONDS_OF_A_DAY = 86400.0
_DAYS_TO_MARCH_OF_0 = 719468.0  # from 0000-03-01 to 1970-01-01: years that end with February are all alike


class Column(NamedTuple):
    """What the file is given.

    Parameters
    ----------
    name : str
    kind : {"number", "date", "category", "array"}
        float64, NaN where missing; float64 seconds since 1970, NaN where missing; text; float64, or float32
        where samples are pictures.
    shape : tuple of int
        Of one sample.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = (1,)


def columns_of(layout: Layout) -> list[Column]:
    """What a file with this layout is given, in the order of the network's inputs."""
    if layout.shape:
        return [Column("samples", "array", layout.shape)]
    return [Column(name, kind) for name, kind in columns_wanted(layout)]


def add_inputs(graph: Graph, prep: Prep, names: dict[str, str]) -> str:
    """The network's inputs, (n_samples, n_inputs) float32.

    Parameters
    ----------
    graph : Graph
    prep : Prep
    names : dict of str to str
        What the graph calls each column.
    """
    layout, found, flags = prep.layout, [], []
    n_numbers, n_plain = layout.n_numbers, layout.n_plain_inputs
    raw = ""
    if n_numbers:
        raw = _raw_numbers(graph, layout, names)
        missing = graph.add("IsNaN", raw)
        found.append(_scaled(graph, prep, raw, missing))
        if layout.gaps:
            gaps = graph.constant(layout.gaps, np.int64)
            flags.append(graph.cast(graph.add("Gather", missing, gaps, axis=1), np.float32))
    flags += _words(graph, layout, names)
    flags += _means(graph, prep, names)
    if flags:
        scale = graph.constant(prep.scale[n_numbers:n_plain])
        found.append(graph.add("Div", graph.joined(flags), scale))
    if layout.bins:
        found.append(_binned(graph, prep, raw))
    return graph.joined(found)


def _raw_numbers(graph: Graph, layout: Layout, names: dict[str, str]) -> str:
    """All numbers, (n_samples, n_numbers): float64, or float32 of pictures."""
    if layout.shape:
        return graph.add("Reshape", names["samples"], graph.constant([0, layout.n_numbers], np.int64))
    values = dict(names)
    for name, _ in layout.dates:
        parts = _date_parts(graph, names[name])
        values |= {part_name(name, part): value for part, value in parts.items()}
    return graph.joined([values[name] for name in layout.numbers])


def _scaled(graph: Graph, prep: Prep, raw: str, missing: str) -> str:
    """Numbers as the network sees them; those missing are the mean."""
    n_numbers, kind = prep.layout.n_numbers, np.float32 if prep.layout.is_picture else np.float64
    value = raw
    if prep.center[:n_numbers].any():
        value = graph.add("Sub", value, graph.constant(prep.center[:n_numbers], kind))
    value = graph.add("Div", value, graph.constant(prep.scale[:n_numbers], kind))
    value = graph.add("Clip", value, graph.constant(-FARTHEST, kind), graph.constant(FARTHEST, kind))
    value = graph.add("Where", missing, graph.constant(0.0, kind), value)
    if prep.layout.with_tails:
        shares = np.zeros(n_numbers)  # the others are divided by 1
        shares[list(prep.layout.with_tails)] = 1 / prep.layout.clip
        share = graph.add("Mul", value, graph.constant(shares, kind))
        root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", share, share), graph.constant(1.0, kind)))
        value = graph.add("Div", value, root)
    return graph.cast(value, np.float32)


def _words(graph: Graph, layout: Layout, names: dict[str, str]) -> list[str]:
    """Of each category a 1 for the level that it has."""
    return [graph.cast(_is_level(graph, levels, names[name]), np.float32) for name, levels in layout.words]


def _means(graph: Graph, prep: Prep, names: dict[str, str]) -> list[str]:
    """Of each category with means those of the level that it has; of one that is not known 0."""
    found, at = [], 0
    for name, levels in prep.layout.means:
        own = prep.means[at : at + len(levels)]
        at += len(levels)
        means = graph.constant(np.concatenate([own, np.zeros((1, prep.layout.n_means))]))
        places = {f"{level}.0": place for place, level in enumerate(levels) if level.isdecimal()}
        places |= {level: place for place, level in enumerate(levels)}
        place = graph.place_among(names[name], places.items(), len(levels))
        rows = graph.add("Squeeze", place, graph.constant([1], np.int64))
        found.append(graph.add("Gather", means, rows, axis=0))
    return found


def _is_level(graph: Graph, levels: tuple[str, ...], column: str) -> str:
    """Whether each cell is each of the levels; one that is a whole number may be written as 1 or 1.0."""
    is_level = graph.add("Equal", column, graph.constant(as_strings(levels), object))
    others = [
        as_float if level.isdecimal() and (as_float := f"{level}.0") not in levels else level
        for level in levels
    ]
    if others == [*levels]:
        return is_level
    return graph.add("Or", is_level, graph.add("Equal", column, graph.constant(as_strings(others), object)))


def _binned(graph: Graph, prep: Prep, raw: str) -> str:
    """How far through each bin the numbers are; one that is missing is below all."""
    counts = np.array(prep.layout.bins, int)
    columns = graph.constant(np.repeat(np.arange(len(counts)), counts), np.int64)
    value = graph.add("Gather", raw, columns, axis=1)
    starts, widths = (graph.constant(each, np.float64) for each in prep.bins)
    through = graph.add("Div", graph.add("Sub", value, starts), widths)
    zero, one = graph.constant(0.0, np.float64), graph.constant(1.0, np.float64)
    inside = graph.add("Clip", through, zero, one)
    return graph.cast(graph.add("Where", graph.add("IsNaN", value), zero, inside), np.float32)


def _date_parts(graph: Graph, seconds: str) -> dict[str, str]:
    """The parts of a date by name, from seconds since 1970.

    The day of a year that begins in March says month and day (Hinnant 2013, "chrono-compatible low-level date
    algorithms"); all in whole numbers that float64 holds.
    """

    def number(value: float) -> str:
        return graph.constant(value, np.float64)

    def whole(value: str, by: float) -> str:
        return graph.add("Floor", graph.add("Div", value, number(by)))

    def times(value: str, by: float) -> str:
        return graph.add("Mul", value, number(by))

    days = whole(seconds, _SECONDS_OF_A_DAY)
    since_march = graph.add("Add", days, number(_DAYS_TO_MARCH_OF_0))
    day_of_era = graph.add("Sub", since_march, times(whole(since_march, 146097), 146097))
    leaps = graph.add("Sub", graph.add("Add", day_of_era, whole(day_of_era, 36524)), whole(day_of_era, 1460))
    year = whole(graph.add("Sub", leaps, whole(day_of_era, 146096)), 365)
    before = graph.add("Add", times(year, 365), graph.add("Sub", whole(year, 4), whole(year, 100)))
    day_of_year = graph.add("Sub", day_of_era, before)
    month = whole(graph.add("Add", times(day_of_year, 5), number(2)), 153)  # 0 is March
    days_before = whole(graph.add("Add", times(month, 153), number(2)), 5)
    after_march = graph.add("Add", month, number(2))
    years_later = whole(after_march, 12)
    weekday = graph.add("Add", days, number(3))  # the first day of 1970 was a Thursday; Monday is 0
    rest = graph.add("Sub", seconds, times(days, _SECONDS_OF_A_DAY))
    values = (
        graph.add("Div", seconds, number(_SECONDS_OF_A_DAY)),
        graph.add("Add", graph.add("Sub", after_march, times(years_later, 12)), number(1)),
        graph.add("Add", graph.add("Sub", day_of_year, days_before), number(1)),
        graph.add("Sub", weekday, times(whole(weekday, 7), 7)),
        graph.add("Div", rest, number(3600.0)),
    )
    return dict(zip(DATE_PARTS, values, strict=True))
