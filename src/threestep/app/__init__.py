"""The command line: reads words, calls `threestep.job`, prints events. Nothing below prints."""

from threestep.app.main import main

__all__ = ["main"]
