"""scikit-learn's face: `Classifier` and `Regressor`.

They keep every rule of scikit-learn's estimators, and do nothing of their own: `fit` is a run
(`threestep.study`), and what it found is one frozen `model_`.
"""

from threestep.estimators.classifier import Classifier
from threestep.estimators.regressor import Regressor

__all__ = ["Classifier", "Regressor"]
