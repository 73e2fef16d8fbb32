"""The model that somebody names: itself, its file or its run folder."""

from pathlib import Path

from threestep.errors import DataError
from threestep.model.file import load
from threestep.model.model import Model


def model_given(source: object) -> Model:
    """A model, or the one in a file or run folder.

    Raises
    ------
    DataError
        It is something else, such as an estimator or a run, which have one.
    ModelFileError
        As `load`.
    """
    if isinstance(source, Model):
        return source
    if isinstance(source, (str, Path)):
        return load(source)
    hint = "such as `ts.fit(...).model`"
    for name in ("model", "model_"):
        if isinstance(getattr(source, name, None), Model):
            hint = f"give its `{name}`"
    if hasattr(source, "classes_"):
        hint += ", whose classes are places in `classes_`"
    what = f"got {type(source).__name__}, expected a model, its file or its run folder"
    raise DataError(what, hint)
