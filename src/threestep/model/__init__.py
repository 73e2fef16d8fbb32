"""The picked function, ready for raw samples: prep, network and params; and its file."""

from threestep.model.file import MODEL_FORMAT, load, model_bytes, model_of_bytes, save
from threestep.model.given import model_given
from threestep.model.model import Model, model_of

__all__ = [
    "MODEL_FORMAT",
    "Model",
    "load",
    "model_bytes",
    "model_given",
    "model_of",
    "model_of_bytes",
    "save",
]
