"""A model whose confidences, intervals and decisions are what they say."""

from dataclasses import replace

from numpy.typing import NDArray

from threestep.goodness import conformal_shifts, temperature_of, threshold_for
from threestep.model import Model
from threestep.pick import Samples
from threestep.settings import Settings


def corrected(model: Model, outputs: NDArray, samples: Samples, settings: Settings) -> Model:
    """The model with what the settings ask for, learned on samples that no param was fitted to.

    Parameters
    ----------
    model : Model
        Not corrected yet.
    outputs : ndarray of shape (n_samples, n_outputs)
        Of its networks, or of those that stand for them, not corrected.
    samples : Samples
        Those samples.
    settings : Settings
    """
    goodness = model.goodness
    if goodness.kind == "number" and not goodness.quantiles:
        return model
    if settings.calibrate and goodness.quantiles:
        model = replace(
            model, shifts=conformal_shifts(goodness.quantiles, outputs, samples.y, samples.weight)
        )
    elif settings.calibrate:
        model = replace(model, temperature=temperature_of(goodness.kind, outputs, samples.y, samples.weight))
    if settings.decide_by != "accuracy" and goodness.kind == "classes" and outputs.shape[1] == 2:
        confidences = model.answers(model.corrected(outputs))[:, 1]
        threshold = threshold_for(settings.decide_by, confidences, samples.y, samples.weight)
        model = replace(model, threshold=threshold)
    return model
