"""Live progress on stderr: one bar over the epochs; silent where nobody watches."""

from typing import Any, TextIO

from tqdm import tqdm


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
        """Start the bar when descent starts, move it to each epoch."""
        if event["event"] == "goodness" and self._stream.isatty():
            self._bar = tqdm(file=self._stream, unit="epoch", leave=False, desc="compiling")
        elif event["event"] == "epoch" and self._bar is not None:
            self._bar.total = event["n_epochs"]
            self._bar.set_description("descending", refresh=False)
            self._bar.set_postfix(valid_loss=event["valid_loss"], refresh=False)
            self._bar.update()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
