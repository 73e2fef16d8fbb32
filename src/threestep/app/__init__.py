"""The command line: reads words, calls `threestep.job`, prints events. Nothing below prints."""

import sys
from collections.abc import Sequence
from typing import NoReturn

from threestep.app.allocator import KEPT, keep_memory


def main(words: Sequence[str] | None = None) -> int:
    """Run one command in this process; returns the exit code. See `threestep.app.entry`."""
    from threestep.app import entry

    return entry.main(words)


def run() -> NoReturn:
    """Be the process: see `threestep.app.entry.run`. What must come before all imports comes first."""
    keep_memory(sys.argv[1:])
    from threestep.app import entry

    entry.run()


__all__ = ["KEPT", "main", "run"]
