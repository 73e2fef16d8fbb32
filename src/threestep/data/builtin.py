"""The data sets that come with scikit-learn, by name."""

import gzip
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.table import Table

INK = 0.4
"""Share of full ink from which a pixel counts as ink."""

_SIDE = 16
_FULL_INK = 16.0


def digits() -> Table:
    """1,797 handwritten digits as 16x16 pixels of ink (1) or no ink (0).

    The bundled 8x8 pictures are enlarged by cubic splines and cut at `INK` of full ink.
    """
    from scipy.ndimage import zoom

    small, classes = small_digits()
    large = np.asarray(zoom(small, (1, _SIDE // small.shape[1], _SIDE // small.shape[2]), order=3))
    return Table("digits", (large >= INK * _FULL_INK).astype(np.uint8), classes, "digit")


def small_digits() -> tuple[NDArray, NDArray]:
    """scikit-learn's digits: pictures (1797, 8, 8) from 0 to 16, and classes (1797,).

    Read from its file where that is found: importing scikit-learn for it would take longer than
    the training.
    """
    package = find_spec("sklearn")
    folders = package.submodule_search_locations if package else None
    path = Path(folders[0], "datasets", "data", "digits.csv.gz") if folders else None
    if path is None or not path.is_file():
        from sklearn.datasets import load_digits

        bunch: Any = load_digits()
        return bunch.images, bunch.target
    with gzip.open(path, "rt") as file:
        rows = np.loadtxt(file, delimiter=",")
    return rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(int)


def _named_columns(name: str) -> Table:
    """One of scikit-learn's tables, with its column and class names."""
    from sklearn import datasets

    loader: Callable = getattr(datasets, f"load_{name}")
    bunch = loader()
    columns: dict[str, NDArray] = {
        str(column): bunch.data[:, index] for index, column in enumerate(bunch.feature_names)
    }
    if "target_names" not in bunch:
        return Table(name, columns, bunch.target, "progression")
    words = np.array([str(word) for word in bunch.target_names], dtype=object)
    return Table(name, columns, words[bunch.target], "class")


_LOADERS: dict[str, Callable[[], Table]] = {
    "digits": digits,
    "iris": lambda: _named_columns("iris"),
    "wine": lambda: _named_columns("wine"),
    "breast_cancer": lambda: _named_columns("breast_cancer"),
    "diabetes": lambda: _named_columns("diabetes"),
}

BUILTIN_NAMES = tuple(_LOADERS)
"""Names that `read` knows without a file."""


def load_builtin(name: str) -> Table:
    """The built-in data set of that name; `name` must be one of `BUILTIN_NAMES`."""
    return _LOADERS[name]()
