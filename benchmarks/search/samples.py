"""The data: tables by name, and their parts as arrays.

Names are those of the tables that come with threestep, those of `TABLES` (in `../shared/data`), or
files.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy import SHARED
from benchmarks.search.records import Data
from benchmarks.timing import MissingError

if TYPE_CHECKING:
    from threestep.data import Table

BUILT_IN = ("iris", "wine", "breast_cancer", "diabetes", "digits")


@dataclass(frozen=True)
class Source:
    """Where a table is.

    Parameters
    ----------
    files : tuple of str
        Below `../shared/data`; two are pictures and their labels.
    target : str or None
        None: as threestep finds it.
    left_out : tuple of str
        Columns that give the target away.
    """

    files: tuple[str, ...]
    target: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As threestep takes it."""
        return ",".join(str(SHARED / file) for file in self.files)

    @property
    def is_there(self) -> bool:
        """Whether all files are."""
        return all((SHARED / file).is_file() for file in self.files)


def _pictures(folder: str, part: str) -> Source:
    """An idx pair."""
    return Source((f"{folder}/{part}-images-idx3-ubyte.gz", f"{folder}/{part}-labels-idx1-ubyte.gz"))


TABLES = {
    "heart": Source(("heart-cleveland/processed.cleveland.csv",), "Target"),
    "penguins": Source(("penguins/penguins.csv",), "species"),
    "pima": Source(("pima-diabetes/pima-indians-diabetes.csv",)),
    "titanic": Source(("titanic/titanic.csv",), "Survived"),
    "semeion": Source(("semeion/semeion.data",)),
    "wine-red": Source(("wine-quality/winequality-red.csv",)),
    "wine-white": Source(("wine-quality/winequality-white.csv",)),
    "usps": _pictures("usps", "usps-train"),
    "mushroom": Source(("mushroom/agaricus-lepiota.csv",), "edible"),
    "fashion": _pictures("fashion-mnist-12k", "train"),
    "bike": Source(("bike-sharing/hour.csv",), "cnt", ("casual", "registered")),
    "letter": Source(("letter/letter-recognition.data",), "column_1"),
    "california": Source(("california-housing/housing.csv",), "median_house_value"),
    "adult": Source(("adult/adult.data",)),
}
"""Small ones first; of those with a test part of their own, the training part."""

SMALL = ("heart", "penguins", "pima", "titanic", "wine-red")
"""Those that the command line reads as they are, and in no time."""


def names_there() -> list[str]:
    """All tables that can be read here."""
    return [*BUILT_IN, *(name for name, source in TABLES.items() if source.is_there)]


def table_of(name: str) -> "Table":
    """A table with its target.

    Raises
    ------
    MissingError
        It is not there.
    """
    from threestep.data import label, read

    if name not in TABLES:
        return label(read(name))
    source = TABLES[name]
    if not source.is_there:
        raise MissingError(f"{name}: no {source.name}")
    if name == "semeion":
        return read(_semeion())
    table = read(source.name)
    if source.left_out:
        columns = {key: column for key, column in table.columns().items() if key not in source.left_out}
        table = replace(table, x=columns)
    return label(table, source.target)


def data_of(name: str, seed: int) -> Data:
    """A table of classes in the parts, and with the prep, that `threestep.fit` makes with this seed.

    Raises
    ------
    MissingError
        The table is not there, or its target is a number.
    """
    import threestep as ts
    from threestep.data import encode, encode_learned, encode_target

    prepared = ts.study.prepare_run(table_of(name), ts.Settings(seed=seed))
    if prepared.prep.target.kind != "classes":
        raise MissingError(f"{name}: its target is a number; the peers here only know classes")
    prep, (train, *others) = prepared.prep, prepared.parts
    inputs = [encode_learned(prep, train), *(encode(prep, part) for part in others)]
    targets = [encode_target(prep, part).astype(np.int32) for part in prepared.parts]
    return Data(*(array for pair in zip(inputs, targets, strict=True) for array in pair))


def _semeion() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (1593, 16, 16) and digits; its file has one column per digit."""
    rows = np.loadtxt(SHARED / "semeion" / "semeion.data", dtype=np.float32)
    return rows[:, :256].reshape(-1, 16, 16), rows[:, 256:].argmax(axis=1)
