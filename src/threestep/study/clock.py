"""Seconds by stage."""

import time


class Clock:
    """Seconds by stage, going on from earlier ones."""

    def __init__(self, earlier: dict[str, float]):
        self.seconds = dict(earlier)
        self._last = time.perf_counter()

    def stage(self, name: str) -> None:
        """The stage of that name ends now."""
        now = time.perf_counter()
        self.seconds[name] = round(now - self._last, 3)
        self._last = now
