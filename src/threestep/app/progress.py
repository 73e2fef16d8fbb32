"""Live progress on stderr: one bar over the epochs, or over the networks of a rung; silent where nobody
watches."""

from typing import Any, TextIO

from tqdm import tqdm

from threestep.app.printing import counted


class Progress:
    """A bar that follows the journal's events.

    Parameters
    ----------
    stream : TextIO
        Nothing is written to it unless it is a terminal.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
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
            self._bar.set_postfix(valid_loss=event["valid_loss"], refresh=False)
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
        left = event["seconds_left"]
        facts = {"best_loss": event["best_loss"], "seconds_left": None if left is None else round(left)}
        known = {name: value for name, value in facts.items() if value is not None}
        where = event.get("what") or ("finals" if event["round"] is None else f"round {event['round']}")
        epochs = f", {counted(event['epochs'], 'epoch')}" if event["epochs"] else ""
        self._bar.set_description(f"{where}{epochs}", refresh=False)
        self._bar.set_postfix(known, refresh=False)
        self._bar.refresh()

    def _open(self, unit: str, description: str) -> None:
        if self._stream.isatty():
            self._bar = tqdm(file=self._stream, unit=unit, leave=False, desc=description)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
