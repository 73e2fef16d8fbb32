"""Live progress on stderr: one bar over the epochs, or over the networks of a rung; silent where nobody
watches."""

import time
from typing import Any, TextIO

from tqdm import tqdm

from threestep.app.lines import counted

_BAR = "{desc}|{bar}| {n_fmt}/{total_fmt} {unit}s"
_MOST_SHOWN = 32  # characters of what is done: a line of 80 has room for the time left, too


class Progress:
    """A bar that follows the journal's events.

    Parameters
    ----------
    stream : TextIO
        Nothing is written to it unless it is a terminal.
    until : float or None
        When the budget of the whole command ends, on the clock of `time.perf_counter`: then the time left
        that is shown is that. None: what is shown is for the bar itself, if that has so much to tell by.
    """

    def __init__(self, stream: TextIO, until: float | None = None):
        self._stream, self._until = stream, until
        self._bar: tqdm | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, event: dict[str, Any]) -> None:
        """Start the bar when step 3 starts, move it to each epoch or each network that is done."""
        if event["event"] == "goodness":
            self._open("epoch", "compiling")
        elif event["event"] == "epoch" and self._bar is not None:
            self._bar.total = event["n_epochs"]
            self._bar.set_description("descending", refresh=False)
            self._say("valid loss", event["valid_loss"])
            self._bar.update()
        elif event["event"] == "tick":
            self._show_tick(event)

    def _show_tick(self, event: dict[str, Any]) -> None:
        """How many networks of a rung are done."""
        unit = "epoch" if event["n"] == event["epochs"] else "network"
        if self._bar is None or self._bar.unit != unit:
            self.close()
            self._open(unit, "")
        if self._bar is None:
            return
        self._bar.total, self._bar.n = event["n"], event["n_done"]
        where = event.get("what") or ("finals" if event["round"] is None else f"round {event['round']}")
        epochs = f", {counted(event['epochs'], 'epoch')}" if event["epochs"] and unit != "epoch" else ""
        what = f"{where}{epochs}"
        what = what if len(what) <= _MOST_SHOWN else f"{what[: _MOST_SHOWN - 1]}…"
        self._bar.set_description(what, refresh=False)
        self._say("best loss", event["best_loss"])
        self._bar.refresh()

    def _say(self, name: str, loss: float | None) -> None:
        """What stands behind the bar."""
        facts = []
        if self._until is not None:
            facts.append(f"{max(0.0, self._until - time.perf_counter()):.0f} s left")
        facts += [] if loss is None else [f"{name} {loss:.4g}"]
        if self._bar is not None:
            self._bar.set_postfix_str(", ".join(facts), refresh=False)

    def _open(self, unit: str, description: str) -> None:
        if self._stream.isatty():
            time_left = "{postfix}" if self._until is not None else " [{elapsed}<{remaining}{postfix}]"
            self._bar = tqdm(
                file=self._stream, leave=False, unit=unit, desc=description, bar_format=_BAR + time_left
            )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
