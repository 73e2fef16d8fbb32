"""Every mistake a user can make, with its hint; and what tells of a model when something fails after it.

    UserError
    ├── DataError        the data cannot be read, or does not fit its task
    ├── SettingsError    a setting is outside its range
    ├── SpecError        a network specification that cannot be read
    └── ModelFileError   a model file is damaged, foreign, or from a newer version

Messages say what, got, expected; the hint says what to do next. Only `threestep.app` catches
`UserError`; any other exception is a bug of ours, and `ReportError` is one, or a full disk, that came when
the model was there already.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class UserError(Exception):
    """A mistake the user can mend.

    Parameters
    ----------
    message : str
        What is wrong: what, got, expected.
    hint : str
        The next action; may be empty.
    """

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class DataError(UserError):
    """The data cannot be read, or does not fit its task."""


class SettingsError(UserError):
    """A setting is outside its range."""


class SpecError(UserError):
    """A network specification that cannot be read."""


class ModelFileError(UserError):
    """A model file is damaged, foreign, or from a newer version."""


class ReportError(Exception):
    """The model was found, but it could not be measured, or the report could not be written; `__cause__` says
    why.

    Parameters
    ----------
    message : str
        What failed.
    hint : str
        Where the model is.
    run : Run
        With the model in it.
    """

    def __init__(self, message: str, hint: str, run: Any):
        super().__init__(f"{message}\nhint: {hint}")
        self.message = message
        self.hint = hint
        self.run = run

    def __reduce__(self):
        return ReportError, (self.message, self.hint, self.run)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known words.

    >>> did_you_mean("reluu", ["relu", "tanh"])
    'did you mean `relu`? known: relu, tanh'
    """
    known = [str(name) for name in known]
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    near = [name for name in known if name.lower() == word.lower()][:1]
    near = near or get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`? known: {listed}" if near else f"known: {listed}"
