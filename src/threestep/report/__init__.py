"""The report: one self-contained HTML page made of a run's journal."""

from threestep.report.page import write_report

__all__ = ["write_report"]
