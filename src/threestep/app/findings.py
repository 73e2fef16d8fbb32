"""What a comparison, an explanation or a look at deep stacks found, as text on stdout."""

from threestep.app.lines import INDENT, counted, in_columns, say, say_notes
from threestep.study import Comparison, Explanation, Health, difference_of, plain_of


def tell_comparison(found: Comparison) -> None:
    """The table of a comparison, who is how far from whom, and the verdict."""
    facts, plain = found.facts, plain_of(found)["outcomes"]
    say_notes(facts["notes"])
    say(
        f"{found.data}: {facts['n_divisions']} divisions into {facts['n_train']:,} to learn from, "
        f"{facts['n_valid']:,} to choose by, {facts['n_test']:,} to measure; "
        f"{counted(facts['epochs'], 'epoch')}"
    )
    print()
    rows = [["layers × neurons", "params", found.error, "95 % interval", "rate"]]
    for each in plain:
        said = each["shown"]
        interval = f"{said['low']} to {said['high']}"
        rows.append(
            [each["name"], f"{each['n_params']:,}", said["mean"], interval, f"{each['learning_rate']:g}"]
        )
    for line in in_columns(rows):
        print(line)
    print()
    for place, each in enumerate(plain):
        if each["rival"] != place:
            beside = _beside(each["gain"], found.error, plain[each["rival"]]["name"])
            say(f"{each['name']}: {beside}, p = {each['probability']:.2g}")
    print()
    say(found.verdict, later="")
    _tell_page(found.folder, facts["seconds"])


def _beside(gain: float, error: str, rival: str) -> str:
    """How far from its rival."""
    return (
        f"{difference_of(gain, error)} {'below' if gain > 0 else 'above'} {rival}"
        if gain
        else f"as good as {rival}"
    )


def tell_explanation(found: Explanation) -> None:
    """The probe of each layer, and the sample that was followed."""
    score = found.facts["probe"]
    say(f"{found.data}: {found.network}")
    print()
    if not found.facts["is_labelled"]:
        say("the samples have no target: what the model answers stands in its place", later="")
        print()
    probe = f"{score} of a linear probe on {found.facts['n_samples']:,} samples"
    rows = [[view.name, f"{view.n_outputs:,}", f"{view.probe:.4f}"] for view in found.views]
    for line in in_columns([["", "outputs", probe], *rows], left=(0, 2)):
        print(line)
    if found.sample is not None:
        _tell_sample(found)
    _tell_page(found.folder)


def _tell_sample(found: Explanation) -> None:
    """What the first network makes of a sample, and all of them."""
    sample = found.sample
    assert sample is not None
    by = f" by the first of {sample.n_networks} networks" if sample.n_networks > 1 else ""
    name = f", {sample.name}" if sample.name else ""
    print()
    say(f"sample {sample.row} (from 0){name}: {sample.answer}{_sure(sample.confidence)}{by}")
    if sample.n_networks > 1:
        sure = _sure(sample.together_confidence)
        say(f"all of them together, as in `predict`: {sample.together}{sure}")
    if sample.target is not None:
        say(f"its target: {sample.target}")
    say(f"what mattered to the first network for {sample.explained} (gradient × input; + speaks for it):")
    for name, value in sample.mattered:
        cell = f" = {sample.cells[name]}" if name in sample.cells else ""
        say(f"{value:+.4f}  {name}{cell}", INDENT, INDENT * 2 + " ")


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f", confidence {confidence:.3f}"


def tell_health(found: Health) -> None:
    """Right answers by kind and depth, and what there is to see."""
    say(f"{found.data}: stacks of growing depth")
    print()
    for line in in_columns(found.table):
        print(line)
    print()
    for sentence in found.sentences:
        say(f"- {sentence}", later="  ")
    _tell_page(found.folder, found.seconds)


def _tell_page(folder: object, seconds: float | None = None) -> None:
    """Where the page is."""
    if folder is not None:
        took = "" if seconds is None else f"   {seconds:.0f} s"
        print(f"\n{folder}/report.html{took}")
