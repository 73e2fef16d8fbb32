"""How a descent ended: a code in the compiled program, a sentence on the host."""

from enum import IntEnum


class Outcome(IntEnum):
    """How a descent ended; compiled code carries the number, the host decides what to do."""

    RUNNING = 0
    FINISHED = 1
    STOPPED_EARLY = 2
    DIVERGED = 3
    INTERRUPTED = 4
    OUT_OF_TIME = 5

    @property
    def sentence(self) -> str:
        """What happened, and what to do about it."""
        return _SENTENCES[self]


_SENTENCES = {
    Outcome.RUNNING: "still running",
    Outcome.FINISHED: "all epochs done",
    Outcome.STOPPED_EARLY: "the validation loss had stopped falling",
    Outcome.DIVERGED: "the loss exploded or became NaN; try a lower learning rate",
    Outcome.INTERRUPTED: "interrupted; the best so far is kept",
    Outcome.OUT_OF_TIME: "the budget was spent; the best so far is kept",
}
