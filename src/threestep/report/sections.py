"""The three steps as parts of the page."""

from threestep.report.html import Markup, tag


def section(number: int, title: Markup, question: Markup, *content: object) -> Markup:
    """One of the three steps."""
    heading = tag("h2", tag("span", number, class_="number"), tag("span", title))
    return tag("section", heading, tag("p", question, class_="question"), *content)
