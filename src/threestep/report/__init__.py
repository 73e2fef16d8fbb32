"""The report: one self-contained HTML page made of a run's journal, or of a comparison, and nothing else."""

from threestep.report.comparison_page import comparison_html, write_comparison
from threestep.report.explanation_page import explanation_html, write_explanation
from threestep.report.health_page import health_html, write_health
from threestep.report.page import report_html, write_report

__all__ = [
    "comparison_html",
    "explanation_html",
    "health_html",
    "report_html",
    "write_comparison",
    "write_explanation",
    "write_health",
    "write_report",
]
