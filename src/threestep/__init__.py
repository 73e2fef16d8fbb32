"""threestep: the best neural network for labelled data, by the three steps of deep learning.

Step 1, define a set of functions: `threestep.network`. Step 2, goodness of a function:
`threestep.goodness`. Step 3, pick the best: `threestep.pick`. All three in one call:
`threestep.fit`.

Nothing is imported before it is used, so that `import threestep` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

from threestep.version import __version__

if TYPE_CHECKING:
    from threestep import data, estimators, export, goodness, network, pick, report, study
    from threestep.errors import DataError, ModelFileError, ReportError, SettingsError, SpecError, UserError
    from threestep.estimators import Classifier, Regressor
    from threestep.export import to_onnx
    from threestep.job import compare, explain, fit, health
    from threestep.model import Model, load
    from threestep.settings import Descent, Settings
    from threestep.study import Comparison, Explanation, Health, Run

_HOMES = {
    "fit": "threestep.job",
    "compare": "threestep.job",
    "explain": "threestep.job",
    "health": "threestep.job",
    "Health": "threestep.study",
    "Explanation": "threestep.study",
    "Comparison": "threestep.study",
    "Classifier": "threestep.estimators",
    "Regressor": "threestep.estimators",
    "load": "threestep.model",
    "to_onnx": "threestep.export",
    "Model": "threestep.model",
    "Run": "threestep.study",
    "Descent": "threestep.settings",
    "Settings": "threestep.settings",
    "UserError": "threestep.errors",
    "DataError": "threestep.errors",
    "SettingsError": "threestep.errors",
    "SpecError": "threestep.errors",
    "ModelFileError": "threestep.errors",
    "ReportError": "threestep.errors",
}
_ROOMS = ("data", "estimators", "export", "goodness", "network", "pick", "report", "study")

__all__ = [
    "Classifier",
    "Comparison",
    "DataError",
    "Descent",
    "Explanation",
    "Health",
    "Model",
    "ModelFileError",
    "Regressor",
    "ReportError",
    "Run",
    "Settings",
    "SettingsError",
    "SpecError",
    "UserError",
    "__version__",
    "compare",
    "data",
    "estimators",
    "explain",
    "export",
    "fit",
    "goodness",
    "health",
    "load",
    "network",
    "pick",
    "report",
    "study",
    "to_onnx",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _ROOMS:
        return importlib.import_module(f"threestep.{name}")
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'threestep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
