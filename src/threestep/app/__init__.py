"""The command line: reads words, calls `threestep.job`, prints events. Nothing below prints."""

from threestep.app.entry import main, run

__all__ = ["main", "run"]
