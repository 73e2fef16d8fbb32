"""A model: what was learned from the data, ready for raw samples."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from threestep.data import Prep, encode, read
from threestep.errors import DataError
from threestep.goodness import Goodness
from threestep.network import Network, Params
from threestep.pick import outputs_of


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """The picked function: prep, network and params.

    Parameters
    ----------
    prep : Prep
        Turns raw samples into the network's inputs.
    network : Network
    params : Params
    goodness : Goodness
        The loss it was trained on; says how to read the outputs.
    scores : dict of str to dict
        Metrics on train, valid and test when it was made.
    others : tuple of (Network, Params)
        Of an ensemble: the networks whose answers are averaged with the first one's.
    """

    prep: Prep
    network: Network
    params: Params
    goodness: Goodness
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    others: tuple[tuple[Network, Params], ...] = ()

    def __repr__(self) -> str:
        others = f" and {len(self.others)} more, averaged" if self.others else ""
        return f"<Model: {self.network}{others}, predicts {self.prep.target.name!r}>"

    def outputs(self, samples: object) -> NDArray:
        """Raw outputs of the network, or of all of an ensemble together: ndarray of shape
        (n_samples, n_outputs), float32.

        Parameters
        ----------
        samples : anything `threestep.fit` takes, with or without the target
            Columns are found by name; an array is taken in the order of training.

        Raises
        ------
        DataError
            The samples do not have the columns or the shape of training.
        """
        inputs = encode(self.prep, read(samples))
        functions = [(self.network, self.params), *self.others]
        return self.goodness.averaged([outputs_of(*function, inputs) for function in functions])

    def predict(self, samples: object) -> NDArray:
        """The most likely class, or the number, of each sample: shape (n_samples,)."""
        outputs = self.outputs(samples)
        if not self.is_classifier:
            return self._numbers(outputs)
        classes = self.prep.target.classes
        kind = object if any(isinstance(label, str) for label in classes) else None
        return np.array(classes, dtype=kind)[outputs.argmax(axis=1)]

    def predict_proba(self, samples: object) -> NDArray:
        """The confidence of each class: shape (n_samples, n_classes); rows sum to 1.

        Raises
        ------
        DataError
            The target is a number.
        """
        if not self.is_classifier:
            raise DataError(
                f"target {self.prep.target.name!r} is a number and has no classes", "use `predict`"
            )
        return _softmax(self.outputs(samples))

    def save(self, path: str | Path) -> None:
        """Write the model file (safetensors, hashed; see docs/model_file.md)."""
        from threestep.model.file import save

        save(self, path)

    @property
    def is_classifier(self) -> bool:
        """Whether classes are predicted rather than a number."""
        return self.prep.target.kind == "classes"

    def _numbers(self, outputs: NDArray) -> NDArray:
        """Outputs in the target's own unit."""
        return outputs[:, 0].astype(np.float64) * self.prep.target_scale + self.prep.target_center


def _softmax(outputs: NDArray) -> NDArray:
    """Confidences, as `Goodness.predict` gives them; in NumPy, for JAX would compile it anew (0.2 s)
    for every number of samples."""
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
