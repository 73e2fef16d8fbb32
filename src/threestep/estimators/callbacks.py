"""scikit-learn's callbacks, where it has them (1.9 and later): a fit is a task, each round one below."""

from collections.abc import Callable
from threading import Event
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks  # pyright: ignore
except ImportError:  # before 1.9

    class CallbackSupportMixin:
        """Nothing to support."""

    def with_callbacks(fit: Callable) -> Callable:
        """The method as it is."""
        return fit


_ENDS = {"rung": "round", "designed": "convolutions", "final": "finals"}
"""Events that end a task below, and its name."""


class FitTask:
    """What callbacks are told of one call of `fit`; where there are none, nothing.

    Parameters
    ----------
    estimator : estimator
    X, y : array-like
        As they were given to `fit`.
    **metadata : array-like or None
        What else; None is nothing.

    Attributes
    ----------
    stop : Event
        Set once a callback asks for the end: the best so far is then kept.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, **metadata: Any):
        self.stop = Event()
        self._known = {"estimator": estimator, "X": X, "y": y}
        self._known["metadata"] = {name: each for name, each in metadata.items() if each is not None}
        begin = getattr(estimator, "_init_callback_context", None)
        self._task = None if begin is None else begin(max_subtasks=None)
        self._below, self._name, self._n_below = None, "", 0
        if self._task is not None:
            self._task.call_on_fit_task_begin(**self._known)

    def tell(self, event: dict[str, Any]) -> None:
        """What happened: the first sign of something begins a task below, its outcome ends it."""
        if self._task is None:
            return
        name = _ENDS.get(event["event"])
        if event["event"] == "epoch" and self._n_below == 0:  # one network alone, told epoch by epoch
            name = "epoch"
        self._n_below += name not in (None, "epoch")
        if self._below is not None and name not in (None, self._name):  # it came to nothing
            self._end_below()
        if self._below is None and (name is not None or event["event"] == "tick"):
            self._name = name or _name_of(event)
            self._below = self._task.subcontext(task_name=self._name)
            self._below.call_on_fit_task_begin(**self._known)
        if name is not None:
            self._end_below()

    def _end_below(self) -> None:
        if self._below is not None:
            if self._below.call_on_fit_task_end(**self._known):
                self.stop.set()
            self._below = None

    def end(self) -> None:
        """The estimator is fitted."""
        if self._task is not None:
            self._end_below()
            self._task.call_on_fit_task_end(**self._known, reconstruction_attributes=dict)


def _name_of(tick: dict[str, Any]) -> str:
    """Of the task below that a tick is part of."""
    if tick["round"] is not None:
        return "round"
    return "convolutions" if "what" in tick else "finals"
