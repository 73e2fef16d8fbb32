"""Any data frame (pandas, polars, pyarrow, ...) to named columns, by narwhals."""

import numpy as np
from numpy.typing import NDArray

from threestep.data.cells import finite_or_missing
from threestep.data.table import Table
from threestep.errors import DataError


def is_frame(source: object) -> bool:
    """Whether narwhals can read it as a data frame."""
    if isinstance(source, (str, tuple, list, np.ndarray)):
        return False
    import narwhals as nw

    return nw.dependencies.is_into_dataframe(source)


def read_frame(frame: object) -> Table:
    """A data frame's columns; dates and other kinds are left out, with a note.

    Raises
    ------
    DataError
        A column name is given twice, or there are no rows.
    """
    import narwhals as nw

    try:
        data = nw.from_native(frame, eager_only=True)  # pyright: ignore[reportArgumentType, reportCallIssue]
        names = list(data.columns)
    except (ValueError, TypeError, nw.exceptions.NarwhalsError) as error:
        raise DataError(
            f"the frame cannot be read ({error})", "give every column a name of its own"
        ) from error
    if len(set(names)) < len(names):
        raise DataError("the frame has a column name twice", "give every column a name of its own")
    columns: dict[str, NDArray] = {}
    notes = []
    for name in names:
        column = _column(data[name], str(name))
        if column is None:
            notes.append(f"column {name!r} is left out: {data[name].dtype} is not supported yet")
        else:
            columns[str(name)] = column
    if len(data) == 0 or not columns:
        raise DataError(
            f"the frame has {len(data)} rows and {len(columns)} usable columns", "expected samples"
        )
    return Table("frame", columns, notes=tuple(notes))


def _column(series, name: str) -> NDArray | None:
    """One column as numbers (NaN = missing), words ("" = missing), or None if neither."""
    import narwhals as nw

    dtype = series.dtype
    if dtype == nw.Boolean or dtype.is_numeric():
        numbers = series.cast(nw.Float64).to_numpy()
        return finite_or_missing(np.asarray(numbers, np.float64), name)
    if dtype in (nw.String, nw.Categorical, nw.Enum, nw.Object):
        return np.array(["" if _is_missing(cell) else str(cell) for cell in series.to_list()], dtype=object)
    return None


def _is_missing(cell: object) -> bool:
    """None, NaN and pandas' NA: everything that is not equal to itself, or says so."""
    return cell is None or str(cell) == "<NA>" or (isinstance(cell, float) and cell != cell)
