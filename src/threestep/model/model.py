"""A model: what was learned from the data, ready for raw samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from threestep.card import card, score_rows
from threestep.data import Prep, columns_wanted, encoded, read_anew, without_bins
from threestep.errors import DataError
from threestep.goodness import Goodness, sigmoid, softmax
from threestep.model.together import Alike, alike_ones, said_by
from threestep.network import Network, Params
from threestep.pick import outputs_of

_FEWEST_AT_ONCE, _MOST_AT_ONCE = 1024, 8192  # samples whose inputs are there together
_MOST_SHOWN = 12  # columns, in a notebook
_FEW = 32  # samples that networks of one structure are asked for at once
_NUMBERS_AT_ONCE = 1 << 23  # as many inputs of samples that have many


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
        Of an ensemble: the networks whose answers are averaged with the first one's. A network may see only
        the inputs that are no bins.
    temperature : float
        By which the outputs for classes or labels are divided, so that confidences are what they say.
    threshold : float
        Of two classes: the confidence in the second from which on it is the answer.
    shifts : tuple of float
        Of quantiles: what is added to each output, so that intervals cover what they say; () is nothing.
    """

    prep: Prep
    network: Network
    params: Params
    goodness: Goodness
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    others: tuple[tuple[Network, Params], ...] = ()
    temperature: float = 1.0
    threshold: float = 0.5
    shifts: tuple[float, ...] = ()

    def __repr__(self) -> str:
        others = f" and {len(self.others)} more, averaged" if self.others else ""
        return f"<Model: {self.network}{others}, predicts {self.prep.target.name!r}>"

    def _repr_html_(self) -> str:
        """The short form that a notebook shows."""
        others = f", and {len(self.others)} more, averaged" if self.others else ""
        network = f"{self.network}{others}: {self.n_params:,} params"
        columns = [name for name, _ in columns_wanted(self.prep.layout)]
        shown = ", ".join(columns[:_MOST_SHOWN]) + (", …" if len(columns) > _MOST_SHOWN else "")
        inputs = (
            [f"reads {len(columns):,} column{'s' if len(columns) > 1 else ''}: {shown}"] if columns else []
        )
        title = f"Model that predicts {self.prep.target.name}"
        return card(title, [network, *inputs], score_rows(self.scores))

    def __getstate__(self) -> dict[str, object]:
        """Without what was worked out to answer sooner: a pickle would be several times as large."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def outputs(self, samples: object, precise: bool = False) -> NDArray:
        """Raw outputs of the network, or of all of an ensemble together: ndarray of shape
        (n_samples, n_outputs), float32; float64 if precise and all networks are dense.

        Parameters
        ----------
        samples : anything `threestep.fit` takes, with or without the target
            Columns are found by name; an array is taken in the order of training.
        precise : bool
            Compute in double precision.

        Raises
        ------
        DataError
            The samples do not have the columns or the shape of training.
        """
        n = max(_FEWEST_AT_ONCE, min(_MOST_AT_ONCE, _NUMBERS_AT_ONCE // self.prep.layout.n_inputs))
        parts = encoded(
            self.prep,
            read_anew(self.prep, samples),
            n // _FEWEST_AT_ONCE * _FEWEST_AT_ONCE,
        )
        return np.concatenate([self.outputs_for(inputs, precise) for inputs in parts])

    def outputs_for(self, inputs: NDArray, precise: bool = False) -> NDArray:
        """As `outputs`, for samples that are encoded already: (n_samples, n_inputs) float32."""
        is_precise = precise and all(network.is_dense for network, _ in self.functions)
        functions = self._precise_functions if is_precise else self.functions
        inputs = inputs.astype(np.float64) if is_precise else inputs
        if len(inputs) <= _FEW:
            outputs = said_by(self._precise_alike if is_precise else self._alike, inputs)
        else:
            outputs = [
                outputs_of(network, params, inputs[:, : network.n_inputs]) for network, params in functions
            ]
        return self.corrected(self.goodness.averaged(outputs))

    @property
    def functions(self) -> list[tuple[Network, Params]]:
        """All that answer together: networks and their params."""
        return [(self.network, self.params), *self.others]

    @cached_property
    def n_params(self) -> int:
        """Params of all networks together."""
        return sum(network.n_params for network, _ in self.functions)

    def corrected(self, outputs: NDArray) -> NDArray:
        """Outputs of the networks together, corrected by what was learned of such."""
        if self.shifts:
            outputs = outputs + np.asarray(self.shifts, outputs.dtype)
        if self.goodness.quantiles:
            return in_order(outputs, self.goodness.quantiles)
        return outputs if self.temperature == 1.0 else outputs / outputs.dtype.type(self.temperature)

    @cached_property
    def _precise_functions(self) -> list[tuple[Network, Params]]:
        """All networks with their params in double precision."""
        return [
            (network, jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params))
            for network, params in self.functions
        ]

    @cached_property
    def _alike(self) -> list[Alike]:
        return alike_ones(self.functions)

    @cached_property
    def _precise_alike(self) -> list[Alike]:
        return alike_ones(self._precise_functions)

    def predict(self, samples: object) -> NDArray:
        """The most likely class, or the number, of each sample: shape (n_samples,); of several numbers or
        labels (0 or 1) shape (n_samples, n), and of quantiles one column each."""
        outputs = self.outputs(samples)
        if self.prep.target.kind == "labels":
            return (outputs > 0).astype(np.int64)
        if not self.is_classifier:
            numbers = self.answers(outputs)
            return numbers[:, 0] if numbers.shape[1] == 1 else numbers
        return self.prep.target.labels[self.class_indices(outputs)]

    def predict_proba(self, samples: object) -> NDArray:
        """The confidence of each class: shape (n_samples, n_classes); rows sum to 1. Of each label, that of a
        yes: shape (n_samples, n_labels).

        Raises
        ------
        DataError
            The target is a number.
        """
        if self.prep.target.kind == "number":
            raise DataError(
                f"target {self.prep.target.name!r} is a number and has no classes", "use `predict`"
            )
        return self.answers(self.outputs(samples))

    def class_indices(self, outputs: NDArray) -> NDArray:
        """The class of each sample, by its index: shape (n_samples,), int."""
        if self.threshold == 0.5:
            return outputs.argmax(axis=1)
        return (self.answers(outputs)[:, 1] >= self.threshold).astype(int)

    def answers(self, outputs: NDArray) -> NDArray:
        """Raw outputs as people read them: confidences of classes or labels, or numbers in the target's own
        unit; shape (n_samples, n_outputs)."""
        kind = self.prep.target.kind
        if kind == "number":
            center, scale = np.asarray(self.prep.target_center), np.asarray(self.prep.target_scale)
            return outputs.astype(np.float64) * scale + center
        return sigmoid(outputs) if kind == "labels" else softmax(outputs)

    def save(self, path: str | Path) -> None:
        """Write the model file (safetensors, hashed; see docs/model_file.md)."""
        from threestep.model.file import save

        save(self, path)

    @property
    def is_classifier(self) -> bool:
        """Whether classes are predicted rather than a number."""
        return self.prep.target.kind == "classes"


def in_order(outputs: NDArray, quantiles: Sequence[float]) -> NDArray:
    """Quantiles that do not cross: of each sample the lowest output for the lowest quantile, and so on
    (Chernozhukov et al. 2010, doi:10.3982/ECTA7880: never farther from the truth than before).

    Examples
    --------
    >>> in_order(np.array([[3.0, 1.0, 2.0]]), (0.9, 0.1, 0.5))
    array([[3., 1., 2.]])
    >>> in_order(np.array([[2.0, 3.0]]), (0.9, 0.1))
    array([[3., 2.]])
    """
    found = np.empty_like(outputs)
    found[:, np.argsort(quantiles)] = np.sort(outputs, axis=1)
    return found


def model_of(prep: Prep, goodness: Goodness, functions: Sequence[tuple[Network, Params]]) -> Model:
    """The model of one network, or of several that are averaged, its answers not corrected yet; bins that
    none of them looks at are dropped."""
    (network, params), *others = functions
    if all(each.n_inputs < prep.layout.n_inputs for each, _ in functions):
        prep = without_bins(prep)
    return Model(prep, network, params, goodness, others=tuple(others))
