"""Any data frame (pandas, polars, pyarrow, ...) to named columns, by narwhals."""

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import (
    MOST_EXACT,
    column_of_objects,
    finite_or_missing,
    is_missing,
    words_of_objects,
)
from threestep.data.labels import meanings_of, whole_column
from threestep.data.table import Table
from threestep.errors import DataError

_MICROSECONDS = 1e6  # of a second, in which durations are counted


def is_frame(source: object) -> bool:
    """Whether narwhals can read it as a data frame."""
    if isinstance(source, (str, tuple, list, np.ndarray)):
        return False
    import narwhals as nw

    return nw.dependencies.is_into_dataframe(source)


def read_frame(frame: object) -> Table:
    """A data frame's columns, dates and times of day as words, durations in seconds; other kinds are left
    out, with a note.

    Raises
    ------
    DataError
        A column name is given twice, or there are no rows.
    """
    import narwhals as nw

    try:
        data = nw.from_native(frame, eager_only=True)  # pyright: ignore[reportArgumentType, reportCallIssue]
        names = [str(name) for name in data.columns]
    except (ValueError, TypeError, nw.exceptions.NarwhalsError) as error:
        raise DataError(
            f"the frame cannot be read ({error})", "give every column a name of its own"
        ) from error
    if len(set(names)) < len(names):
        raise DataError("the frame has a column name twice", "give every column a name of its own")
    columns: dict[str, NDArray] = {}
    notes, meanings = [], {}
    for name, series in zip(names, data.iter_columns(), strict=True):
        column = _column(series, name)
        if column is None:
            notes.append(f"column {name!r} is left out: {series.dtype} is not supported yet")
        else:
            columns[name] = column
        if series.dtype in (nw.Categorical, nw.Enum) and (meant := meanings_of(_levels(series))):
            meanings[name] = meant
    if len(data) == 0 or not columns:
        raise DataError(
            f"the frame has {len(data)} rows and {len(columns)} usable columns",
            "; ".join(notes) or "expected samples",
        )
    return Table("frame", columns, notes=tuple(notes), meanings=meanings)


def _column(series, name: str) -> NDArray | None:
    """One column as numbers (NaN = missing), words ("" = missing), or None if neither."""
    import narwhals as nw

    dtype = series.dtype
    if series.null_count() == len(series):
        return np.full(len(series), np.nan)  # as in a CSV file; some frames have no type for it
    if dtype == nw.Boolean and series.null_count() == 0:
        return np.asarray(series.to_numpy(), bool)
    if dtype == nw.Boolean or dtype.is_numeric():
        return _numbers_in(series, name)
    if dtype in (nw.String, nw.Object):
        cells = series.to_list()
        exact = whole_column(cells)
        return column_of_objects(cells, name) if exact is None else exact
    return _of_another_kind(series, name)


def _of_another_kind(series, name: str) -> NDArray | None:
    """As `_column`: durations in seconds; times and categories as words."""
    import narwhals as nw

    dtype = series.dtype
    if dtype == nw.Duration:
        return _numbers_in(series.dt.total_microseconds().cast(nw.Float64) / _MICROSECONDS, name)
    if dtype in (nw.Date, nw.Datetime, nw.Time):
        return words_of_objects([None if is_missing(cell) else cell.isoformat() for cell in series.to_list()])
    if dtype == nw.Unknown:
        return _unknown(series.to_native(), name)
    return words_of_objects(series.to_list()) if dtype in (nw.Categorical, nw.Enum) else None


def _levels(series) -> list:
    """The different values of a column of categories."""
    return series.unique().to_list()


def _unknown(series: object, name: str) -> NDArray | None:
    """A column of a kind that only pandas knows: numbers most of which are one value, or periods, such as
    months, by the time when they begin; None if it is neither."""
    cells = np.asarray(series)
    if cells.dtype.kind in "biuf":
        return finite_or_missing(cells, name)
    items = cells.tolist()
    if not all(is_missing(cell) or hasattr(cell, "start_time") for cell in items):
        return None
    return words_of_objects([None if is_missing(cell) else cell.start_time.isoformat() for cell in items])


def _numbers_in(series, name: str) -> NDArray:
    """A column of numbers as float64; but integers beyond what that holds stay what they are, for classes may
    be such."""
    import narwhals as nw

    if series.dtype.is_integer() and series.null_count() > 0 and (series.abs() >= MOST_EXACT).any():
        return words_of_objects(series.to_list())  # ids, or labels, of which floats would make others
    numbers = finite_or_missing(np.asarray(series.cast(nw.Float64).to_numpy(), np.float64), name)
    if series.dtype.is_integer() and series.null_count() == 0 and np.abs(numbers).max() >= MOST_EXACT:
        whole = series.to_numpy()
        return whole if whole.dtype.kind in "iu" else numbers
    return numbers
