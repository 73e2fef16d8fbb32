"""The commands as plain data; tyro makes the command line of them.

Light to import: no JAX here, so that `threestep --help` answers at once.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from threestep.app.options import as_options
from threestep.settings import Descent, Files, Language, Question, Search
from threestep.settings import Study as StudySettings

DataName = Annotated[str, Positional, arg(metavar="DATA")]
ModelPath = Annotated[str, Positional, arg(metavar="MODEL")]


@as_options
@dataclass(frozen=True)
class Fit:
    """Find a network for labelled data, by the three steps.
    $ threestep fit iris
    $ threestep fit table.csv --target price --budget 60s
    $ threestep fit pictures/ --network conv32-conv64-dense128
    """

    data: DataName
    """digits, iris, wine, breast_cancer, diabetes, openml:NAME, a .csv, .tsv, .parquet, .jsonl or .npz file,
    images.gz,labels.gz, or a folder with one folder of pictures or sounds per class."""
    out: str | None = None
    """Folder for the model, journal, settings and report; by default the next under runs/."""
    json: bool = False
    """Print one JSON object instead of text."""
    question: Question = field(default_factory=Question)
    search: Search = field(default_factory=Search)
    descent: Descent = field(default_factory=Descent)
    files: Files = field(default_factory=Files)


@as_options
@dataclass(frozen=True)
class Study:
    """Deep or wide? Networks that differ in one thing are compared on your data."""

    by: Annotated[Literal["depth", "width", "residual", "health"], Positional]
    """depth: networks of equal params; width: one layer of growing width; residual: stacks with and without
    residuals; health: on pictures, why very deep stacks are hard to train and what mends it."""
    data: DataName
    """As for `fit`."""
    out: str | None = None
    """Folder for the page and the numbers; by default the next under runs/."""
    json: bool = False
    """Print one JSON object instead of text."""
    comparison: StudySettings = field(default_factory=StudySettings)


@as_options
@dataclass(frozen=True)
class Predict:
    """Class and confidence of each class, or the number, for every sample."""

    model: ModelPath
    """A model file or a run folder."""
    data: DataName
    """Samples, as for `fit`; a target column is not needed."""
    out: str | None = None
    """A CSV file; by default the terminal."""
    strict: bool = False
    """Stop where files of a folder are damaged, naming them; else they have no line."""


@as_options
@dataclass(frozen=True)
class Evaluate:
    """How good a model is on labelled samples."""

    model: ModelPath
    """A model file or a run folder."""
    data: DataName
    """Labelled samples, as for `fit`."""
    strict: bool = False
    """Stop where files of a folder are damaged, naming them; else they are left out."""
    json: bool = False
    """Print one JSON object instead of text."""


@as_options
@dataclass(frozen=True)
class Explain:
    """What the layers of a model learned, and one sample through the network."""

    model: ModelPath
    """A model file or a run folder."""
    data: DataName
    """Samples, as for `fit`; without a target the model's own answers stand in its place."""
    row: int | None = None
    """A sample to follow through the network, from 0."""
    out: str | None = None
    """Folder for the page and the numbers; by default the next under runs/."""
    lang: Language = "en"
    """Language in which the page is first seen: English or traditional Chinese; it has a switch."""
    json: bool = False
    """Print one JSON object instead of text."""


@as_options
@dataclass(frozen=True)
class Export:
    """The model as one ONNX file, for other programs: columns in, answers out."""

    model: ModelPath
    """A model file or a run folder."""
    out: str | None = None
    """The file, ending with .onnx; by default model.onnx beside the model."""


@as_options
@dataclass(frozen=True)
class Example:
    """The worked example: every neuron's z and output, the loss, every gradient, one step."""


@as_options
@dataclass(frozen=True)
class Doctor:
    """Versions, devices, cores, cache, and what works here."""

    json: bool = False
    """Print one JSON object instead of text."""


Command = Fit | Study | Predict | Evaluate | Explain | Export | Example | Doctor
"""What `threestep` can be asked to do."""
