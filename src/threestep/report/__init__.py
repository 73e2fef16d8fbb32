"""The report: one self-contained HTML page made of a run's journal and nothing else."""

from threestep.report.page import report_html, write_report

__all__ = ["report_html", "write_report"]
