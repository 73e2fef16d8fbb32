"""A model whose confidences, intervals and decisions are what they say."""

from dataclasses import replace

from threestep.goodness import conformal_shifts, temperature_of, threshold_for
from threestep.model import Model
from threestep.pick import Samples
from threestep.settings import Settings


def corrected(model: Model, valid: Samples, settings: Settings) -> Model:
    """The model with what the settings ask for, learned on samples that no param was fitted to.

    Parameters
    ----------
    model : Model
        Not corrected yet.
    valid : Samples
        Encoded by the prep of the run: all inputs, whether the model sees them or not.
    settings : Settings
    """
    goodness = model.goodness
    if goodness.kind == "number" and not goodness.quantiles:
        return model
    outputs = model.outputs_for(valid.x)
    if settings.calibrate and goodness.quantiles:
        model = replace(model, shifts=conformal_shifts(goodness.quantiles, outputs, valid.y))
    elif settings.calibrate:
        model = replace(model, temperature=temperature_of(goodness.kind, outputs, valid.y, valid.weight))
    if settings.decide_by != "accuracy" and goodness.kind == "classes" and outputs.shape[1] == 2:
        confidences = model.answers(model.outputs_for(valid.x))[:, 1]
        model = replace(model, threshold=threshold_for(settings.decide_by, confidences, valid.y))
    return model
