"""What was found as a notebook shows it; see `threestep.card`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from threestep.card import card, score_rows
from threestep.study.scores import Scores

if TYPE_CHECKING:
    from threestep.study.explaining import Explanation
    from threestep.study.health import Health
    from threestep.study.verdict import Comparison

_MOST_COLUMNS = 8  # that mattered, of a sample


def run_html(
    data: str, network: str, scores: dict[str, Scores], notes: Sequence[str], folder: Path | None
) -> str:
    """A run: the network, how good it is, how sure that is.

    Parameters
    ----------
    data, network : str
    scores : dict of str to Scores
        On train, valid and test.
    notes : sequence of str
        What was noticed of the data.
    folder : Path or None
    """
    key = "accuracy" if "accuracy" in next(iter(scores.values())) else "r2"
    corrected = scores.get("valid", {}).get(f"corrected_{key}")
    luck = [] if corrected is None else [f"valid without the luck of the best of many: {corrected:.4f}"]
    return card(f"Run on {data}", [network], score_rows(scores), [*luck, *notes, *_page(folder)])


def comparison_html(found: "Comparison", shown: Sequence[dict]) -> str:
    """A comparison: the verdict, and the errors of each network; `shown`: as `plain_of` has them."""
    rows = [["layers × neurons", "params", found.error, "95 % interval", "rate", "p"]]
    for place, each in enumerate(shown):
        said, is_own = each["shown"], each["rival"] == place
        interval = f"{said['low']} to {said['high']}"
        rate, p = f"{each['learning_rate']:g}", "" if is_own else f"{each['probability']:.2g}"
        rows.append([each["name"], f"{each['n_params']:,}", said["mean"], interval, rate, p])
    return card(f"Comparison by {found.by} on {found.data}", [found.verdict], rows, _page(found.folder))


def explanation_html(found: "Explanation") -> str:
    """An explanation: how well each layer tells the answers apart, and what mattered for one sample."""
    probe = f"{found.facts['probe']} of a linear probe"
    rows = [["", "outputs", probe]]
    rows += [[view.name, f"{view.n_outputs:,}", f"{view.probe:.4f}"] for view in found.views]
    lines, sample = [found.network], found.sample
    notes = list[str]()
    if sample is not None:
        truth = "" if sample.target is None else f", its target {sample.target}"
        notes.append(f"sample {sample.row} (from 0): {sample.together}{truth}")
        mattered = (f"{name} {value:+.4f}" for name, value in sample.mattered[:_MOST_COLUMNS])
        notes.append(f"what mattered to the first network for {sample.explained}: {', '.join(mattered)}")
    return card(f"Explanation on {found.data}", lines, rows, [*notes, *_page(found.folder)])


def health_html(found: "Health") -> str:
    """Right answers by kind and depth, and what there is to see."""
    return card(f"Deep stacks on {found.data}", (), found.table, [*found.sentences, *_page(found.folder)])


def _page(folder: Path | None) -> list[str]:
    """Where more is."""
    return [] if folder is None else [f"report: {folder / 'report.html'}"]
