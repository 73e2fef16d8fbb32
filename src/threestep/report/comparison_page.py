"""The page of a comparison: the verdict, the table, the errors as a chart, how it was made."""

from pathlib import Path
from typing import Any

from threestep.report.charts import Interval, intervals_chart
from threestep.report.html import Markup, table, tag
from threestep.report.page import page_of

_QUESTIONS = {
    "depth": "Deep or wide? Networks of equal params, from one fat layer to many thin ones",
    "width": "How wide? One hidden layer of growing width",
    "residual": "Do residuals help? Stacks of equal layers, plain and with residuals",
}
_CLEARLY = 0.05


def write_comparison(found: dict[str, Any], path: str | Path) -> None:
    """Write the page of a comparison.

    Parameters
    ----------
    found : dict
        What `threestep.study.Comparison` holds, as plain data, and of each outcome its errors as text.
    path : str or Path
        Of the HTML file.
    """
    Path(path).write_text(comparison_html(found), encoding="utf-8")


def comparison_html(found: dict[str, Any]) -> str:
    """The page as one HTML text that needs nothing from outside."""
    outcomes, facts = found["outcomes"], found["facts"]
    is_share = found["error"] == "wrong answers"
    factor, unit = (100.0, "%") if is_share else (1.0, "")
    intervals = [
        Interval(
            each["name"], each["mean"] * factor, each["low"] * factor, each["high"] * factor, _kind(each)
        )
        for each in outcomes
    ]
    error = found["error"]
    head = ("layers × neurons", "params", error, "95 % interval", "lower than", "by", "chance", "rate")
    rows = [_row(each, outcomes, place) for place, each in enumerate(outcomes)]
    what = f"{error} in {unit}" if unit else error
    label = f"{what}: mean and 95 % interval of {facts['n_divisions']} divisions"
    main = tag(
        "main",
        tag(
            "header",
            tag("p", "threestep study", class_="over"),
            tag("h1", found["data"]),
            tag("p", f"{_QUESTIONS[found['by']]}."),
            tag("p", tag("strong", found["verdict"])),
        ),
        tag("section", intervals_chart(intervals, label), table(head, rows)),
        tag("section", tag("h2", "How it was made"), *_method(facts)),
    )
    return page_of(f"{found['data']}: {found['by']}", main)


def _kind(each: dict[str, Any]) -> str:
    """Better, worse, or no different."""
    if each["probability"] >= _CLEARLY:
        return "usual"
    return "picked" if each["gain"] > 0 else "worse"


def _row(each: dict[str, Any], outcomes: list[dict[str, Any]], place: int) -> tuple[object, ...]:
    own = (each["name"], f"{each['n_params']:,}", tag("strong", each["shown"]["mean"]))
    own = (*own, f"{each['shown']['low']} to {each['shown']['high']}")
    rate = f"{each['learning_rate']:g}"
    if each["rival"] == place:
        return (*own, "", "", "", rate)
    chance = f"{each['probability']:.2g}" if each["probability"] >= 1e-4 else "< 0.0001"
    return (*own, outcomes[each["rival"]]["name"], each["shown"]["gain"], chance, rate)


def _method(facts: dict[str, Any]) -> list[Markup]:
    rates = ", ".join(f"{rate:g}" for rate in facts["rates"])
    return [
        tag(
            "p",
            f"The {facts['n_samples']:,} samples were divided {facts['n_divisions']} times at random into "
            f"{facts['n_train']:,} to learn from, {facts['n_valid']:,} to choose the epoch by, and "
            f"{facts['n_test']:,} that only measured. Each network was trained once on each division, for "
            f"{facts['epochs']} epochs in batches of {facts['batch_size']}, with {facts['activation']} in "
            f"its hidden layers and the one of the rates {rates} that suited it best on the validation "
            f"samples of the first divisions. All this took {facts['seconds']:.0f} s.",
        ),
        tag(
            "p",
            "Intervals and chances are those of the corrected resampled t-test (Nadeau & Bengio 2003): the "
            "divisions share samples, and a usual t-test would find differences that are not there. The "
            "chances are corrected for as many comparisons as there are (Holm 1979).",
        ),
    ]
