"""An ONNX graph in the making."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from threestep.errors import DataError

LOOKUPS = "ai.onnx.ml"
"""The operators that are not of the core: only looking up texts."""


class Graph:
    """Nodes, each added behind those that it needs; a value goes by its name.

    Parameters
    ----------
    taken : iterable of str
        Names that values from outside have.
    """

    def __init__(self, taken: Iterable[str] = ()):
        self._onnx = onnx_library()
        self._taken = set(taken)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One more node of ONNX's operator `kind`; the name of its output."""
        name = self._free_name(kind.lower())
        self.nodes.append(self._onnx.helper.make_node(kind, [*inputs], [name], **attributes))
        return name

    def place_among(self, column: str, levels: Iterable[tuple[str, int]], otherwise: int) -> str:
        """Of each text which number belongs to it; looked up, for there may be very many."""
        texts, places = zip(*levels, strict=True)
        settings = {"keys_strings": texts, "values_int64s": places, "default_int64": otherwise}
        return self.add("LabelEncoder", column, domain=LOOKUPS, **settings)

    def constant(self, values: ArrayLike, dtype: Any = np.float32) -> str:
        """An array that is part of the file; its name."""
        name = self._free_name("constant")
        array = np.asarray(values, dtype, order="C")
        self.constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        """The same numbers in another type."""
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", value, to=kind)

    def joined(self, values: list[str], axis: int = 1) -> str:
        """Several arrays one after the other."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=axis)

    def sorted(self, value: str, n: str) -> str:
        """The n numbers of each row, the lowest first."""
        names = [self._free_name("sorted"), self._free_name("order")]
        settings = {"axis": 1, "largest": 0, "sorted": 1}
        self.nodes.append(self._onnx.helper.make_node("TopK", [value, n], names, **settings))
        return names[0]

    def named(self, value: str, name: str) -> None:
        """The same value under a name that others know."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))

    def _free_name(self, start: str) -> str:
        number = len(self.nodes) + len(self.constants)
        while f"{start}_{number}" in self._taken:
            number += 1
        self._taken.add(f"{start}_{number}")
        return f"{start}_{number}"


def onnx_library() -> ModuleType:
    """The package onnx.

    Raises
    ------
    DataError
        It or onnxruntime, by which files are tried, is not installed.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise DataError(
            "an ONNX file needs onnx and onnxruntime to be written", "pip install 'threestep[onnx]'"
        ) from error
    return onnx


def as_strings(values: Iterable[object]) -> NDArray:
    """Texts as ONNX wants them: an array of objects."""
    return np.array([str(value) for value in values], object)
