"""The command line: reads words, calls `threestep.job`, prints events. Nothing below prints."""

from threestep.app.entry import main

__all__ = ["main"]
