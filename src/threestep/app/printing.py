"""Results as text on stdout: what a person wants to know, step by step."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

from threestep.study import Comparison, Explanation, Health, RunFolder, WorkedExample, plain_of

Event = dict[str, Any]

_INDENT = " " * 8
_MOST_CLASSES_SHOWN = 12
_FIRST_CELL, _CELL, _BETWEEN = 8, 12, 2  # characters, at least


def tell(event: Event) -> None:
    """Print one event of a run; most kinds need a line or two, some none."""
    teller = _TELLERS.get(event["event"])
    if teller is not None:
        teller(event)


def _tell_start(event: Event) -> None:
    n_samples, target = event["n_samples"], event["target"]
    shape = "×".join(str(size) for size in event["input_shape"])
    inputs = f"{shape} = " if len(event["input_shape"]) > 1 else ""
    inputs += counted(event["n_inputs"], "input")
    parts = ", ".join(f"{number:,} {name}" for name, number in n_samples.items())
    print(f"{event['data']}: {sum(n_samples.values()):,} samples ({parts}), {inputs}")
    print(f"target {target['name']}: {_kind(target)} ({target['reason']})")
    tell_notes(event["notes"])


def counted(n: int, thing: str) -> str:
    """So many things.

    Examples
    --------
    >>> counted(1, "test sample"), counted(2000, "epoch")
    ('1 test sample', '2,000 epochs')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def tell_notes(notes: Iterable[str]) -> None:
    """What the user should know of the samples."""
    for note in notes:
        print(f"note: {note}")


def _kind(target: Event) -> str:
    """The target's kind in words."""
    classes = [str(name) for name in target["classes"]]
    if target["kind"] == "number":
        return "a number" if target["n_columns"] == 1 else f"{target['n_columns']} numbers"
    if target["kind"] == "labels":
        return f"{target['n_columns']} labels, each yes or no"
    shown = ", ".join(classes[:_MOST_CLASSES_SHOWN]) + (" …" if len(classes) > _MOST_CLASSES_SHOWN else "")
    return f"{len(classes)} classes: {shown}"


def _tell_space(event: Event) -> None:
    low, high = event["depths"]
    print(f"\nstep 1  the function sets: {low} to {high} hidden layers", end="")
    if high > 0:
        narrow, wide = event["widths"]
        neurons = f"{narrow} to {wide}" if narrow < wide else f"{wide}"
        residual = ", plain or residual" if event["residual"] else ""
        print(f" of {neurons} neurons, {' or '.join(event['activations'])}{residual}", end="")
    print(f"; searched by {event['searcher']}")


def _tell_rung(event: Event) -> None:
    """One line: tried, alive, the best so far, time left, what more time would bring."""
    if event["round"] == event["rung"] == 1:
        in_rungs = "train a little, keep the better, vary the best"
        way = in_rungs if event["n_rungs"] > 1 else "train each to its end"
        print(f"\nstep 3  the pick: {way}")
    if event["n_trained"] == 0:  # the time was over before
        return
    best = "none yet"
    if event["best_loss"] is not None:
        best = f"{event['best_network']}, loss {event['best_loss']:.4f}"
    died = event["n_diverged"]
    facts = [
        f"{event['n_tried']:>4} tried",
        f"{event['n_alive']:>3} trained {counted(event['epochs'], 'epoch'):>10}",
    ]
    facts += [f"{died} diverged"] * (died > 0)
    left, gain = event["seconds_left"], event["minute_gain"]
    later = [] if left is None else [f"{left:.0f} s left"]
    later += [] if gain is None else [f"a minute more may gain {gain:.4f}"]
    print(f"{_INDENT}{', '.join(facts)}; best {best}{'; ' if later else ''}{', '.join(later)}")


def _tell_check(event: Event) -> None:
    """Only what may lead astray."""
    if event["n_contradictions"]:
        print(f"{_INDENT}note: {event['n_contradictions']:,} samples equal one with another target")
    if event["n_seen"]:
        seen = counted(event["n_seen"], "test sample")
        verb = "has" if event["n_seen"] == 1 else "have"
        print(f"{_INDENT}note: {seen} {verb} the features of one that is learned from")


def _tell_designed(event: Event) -> None:
    loss = "none, it diverged" if event["loss"] is None else f"{event['loss']:.4f}"
    spent = f"{counted(event['n_epochs'], 'epoch')} in {event['seconds']:.1f} s"
    origin = "" if event["parent"] is None else f" ({event['change']}, from number {event['parent']})"
    print(f"{_INDENT}{event['number']}: {event['spec']}{origin}: {spent}, validation loss {loss}")


def _tell_final(event: Event) -> None:
    """The best, begun anew or trained on."""
    if event["n_trained"] == 0:
        if event["n_planned"] > 1:  # one alone only fills what is left of the time
            print(f"{_INDENT}finals: no time was left to train the best anew")
        return
    if event["best_loss"] is None:
        print(f"{_INDENT}finals: no further training came to its end; the best of the search are taken")
        return
    n_anew = event["n_alive"] - event["n_longer"]
    epochs = counted(event["epochs"], "epoch")
    facts = [f"the best trained anew, {n_anew} times {epochs}"] if n_anew else []
    if event["n_folds"] > 1:
        facts[0] += f" in each of {event['n_folds']} folds"
    if event["n_longer"]:
        facts.append(
            "some of the best trained longer" if n_anew else f"some of the best trained longer, by {epochs}"
        )
    print(f"{_INDENT}finals: {'; '.join(facts)}; best loss {event['best_loss']:.4f}")


def _tell_note(event: Event) -> None:
    print(f"{_INDENT}note: {event['text']}")


def _tell_leaderboard(event: Event) -> None:
    """The best five, and how many there are."""
    rows = event["rows"]
    if not rows:
        print(f"{_INDENT}{event['text']}")
        return
    width = max(34, *(2 + len(row["network"]) for row in rows[:5]))
    head = f"the best of {event['n_tried']}"
    score = "rmse" if "valid_rmse" in rows[0] else "score"
    print(f"\n{_INDENT}{head}{'network':>{width + 6 - len(head)}}{'params':>12}{'loss':>12}{score:>12}")
    for row in rows[:5]:
        parent = f"   from {row['parent']}: {row['change']}" if row["parent"] is not None else ""
        line = f"{row['number']:>6}{row['network'] or 'linear':>{width}}  {row['n_params']:>10,}"
        own = f"{row['valid_rmse']:.5g}" if "valid_rmse" in row else f"{row['valid_score']:.4f}"
        print(f"{_INDENT}{line}  {row['valid_loss']:>10,.4f}  {own:>10}{parent}")


def _tell_function_set(event: Event) -> None:
    print(f"\nstep 1  the function set: {event['network']}")
    if event["others"]:
        print(f"{_INDENT}and {len(event['others'])} more, whose answers are averaged with its own")
    print(f"{_INDENT}{event['n_params']:,} params; {event['n_products']:,} multiplications for one sample")


def _tell_goodness(event: Event) -> None:
    name = event["loss"].replace("_", "-")
    print(f"\nstep 2  goodness: {name}, lower is better; knowing nothing gives {event['guess_loss']:.3f}")


def _tell_pick(event: Event) -> None:
    best = f"epoch {event['best_epoch']} of {event['n_epochs']}, by the validation loss"
    if event["best_epoch"] == 0:
        best = "none; no epoch ended with a finite validation loss, so this is the start"
        if event["outcome"] == "out_of_time" and event["n_epochs"] == 0:
            best = "none; there was no time for a whole epoch"
    print(f"\nstep 3  the pick: {best}")
    print(f"{_INDENT}{event['seconds']:.1f} s, compiling included; ended because: {event['why']}")


def _tell_scores(event: Event) -> None:
    print()
    tell_scores(event["scores"])


_TELLERS = {
    "start": _tell_start,
    "check": _tell_check,
    "space": _tell_space,
    "rung": _tell_rung,
    "final": _tell_final,
    "designed": _tell_designed,
    "note": _tell_note,
    "leaderboard": _tell_leaderboard,
    "function_set": _tell_function_set,
    "goodness": _tell_goodness,
    "pick": _tell_pick,
    "scores": _tell_scores,
}


_MORE_METRICS = {
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "auc": "AUC",
    "ece": "calibration error",
    "label_accuracy": "accuracy of single labels",
}


def tell_scores(scores: dict[str, dict[str, float]]) -> None:
    """A table of scores, one line per part of the samples."""
    is_classes = "accuracy" in next(iter(scores.values()))
    columns = ["accuracy"] if is_classes else ["r2", "rmse", "mae"]
    head = ["", "samples", "loss", "total loss", *columns]
    lines = _in_columns([head, *(_cells_of(part, row, columns) for part, row in scores.items())])
    print(lines[0])
    for line, row in zip(lines[1:], scores.values(), strict=True):
        if is_classes:
            line += f"   95 % interval {row['accuracy_low']:.3f} to {row['accuracy_high']:.3f}"
        elif "r2_low" in row:
            line += f"   95 % interval of r2 {row['r2_low']:.3f} to {row['r2_high']:.3f}"
        print(line)
    _tell_luck(scores)
    if any("n_folds" in row for row in scores.values()):
        print(f"{_INDENT}valid: all but the test samples, each judged by networks that did not learn from it")
    part, row = list(scores.items())[-1]
    more = [f"{name} {_metric(part, key, row[key])}" for key, name in _MORE_METRICS.items() if key in row]
    if "coverage" in row:
        inside = f"{100 * row['coverage']:.1f} % between the outer quantiles"
        more.append(
            f"{inside} ({100 * row['coverage_wanted']:g} % wanted), {row['interval_width']:.6g} apart"
        )
    if more:
        print(f"{_INDENT}{part}: {', '.join(more)}")


def _cells_of(part: str, row: dict[str, float], columns: Iterable[str]) -> list[str]:
    """A line of the table of scores."""
    cells = [part, f"{row['n_samples']:,}", f"{row['loss']:,.4f}", f"{row['total_loss']:,.2f}"]
    return cells + [f"{row[name]:{',.6g' if name in ('rmse', 'mae') else ',.4f'}}" for name in columns]


def _in_columns(rows: list[list[str]]) -> list[str]:
    """Rows as lines, the first column to the left, the others to the right; no two columns touch.

    Examples
    --------
    >>> _in_columns([["", "loss"], ["test", "1,234,567.891"]])
    ['                   loss', 'test      1,234,567.891']
    """
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    widths = [max(_CELL, _BETWEEN + width) for width in others]
    return [
        f"{name:<{max(_FIRST_CELL, first)}}"
        + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        for name, *cells in rows
    ]


def _metric(part: str, key: str, value: float) -> str:
    """A metric, or why there is none of these samples."""
    if isfinite(value):
        return f"{value:.4f}"
    which = f"the {part}" if part in ("train", "valid", "test") else "these"
    return f"– ({which} samples have one class only)" if key == "auc" else "–"


def _tell_luck(scores: dict[str, dict[str, float]]) -> None:
    """What is left of the validation score without the luck of the best of many."""
    row = scores.get("valid", {})
    if "learned_from" in row:
        print(f"{_INDENT}valid: learned from, too (refit), so that only the test samples can judge")
    for key, name in (("corrected_accuracy", "accuracy"), ("corrected_r2", "r2")):
        if key in row:
            corrected = f"{name} {row[key]:.4f}, loss {row['corrected_loss']:.4f}"
            print(f"{_INDENT}valid chose the best of many; without that luck: {corrected}")


def tell_folder(folder: RunFolder) -> None:
    """Where everything is, and what to do next."""
    print(f"\n{folder.path}/  report.html  model.safetensors  journal.jsonl  config.toml")
    print(f"{_INDENT}threestep predict {folder.path} DATA")


_WORDS = {True: "yes", False: "no", None: "not installed"}


def tell_facts(facts: dict[str, Any], indent: str = "") -> None:
    """Nested facts, a line each."""
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            tell_facts(value, indent + "  ")
        else:
            shown = _WORDS.get(value, value) if value is None or isinstance(value, bool) else value
            print(f"{indent}{name:<{20 - len(indent)}} {shown}")


def tell_example(worked: WorkedExample) -> None:
    """Every number of the worked example."""
    outputs = worked.layers[-1].a
    print(f"input   {_pair(worked.x)}")
    print("\nstep 1  the function: three layers of two sigmoid neurons, z = weights · input + bias")
    for index, (params, output) in enumerate(zip(worked.params, worked.layers, strict=True)):
        for neuron in range(2):
            weights, bias = params["weight"][:, neuron], params["bias"][neuron]
            print(f"{_neuron(index, neuron)}  weights {_pair(weights)}  bias {bias:5.2f}", end="")
            print(f"   z {output.z[neuron]:7.4f}   output {output.a[neuron]:.4f}")
    print(f"\nstep 2  goodness: target {_pair(worked.target)}, output {_pair(outputs)}")
    print(f"{_INDENT}cross-entropy loss {worked.loss:.4f}")
    print("\nstep 3  the pick: how the loss changes with every param, and one step downhill")
    for index, (gradient, stepped) in enumerate(zip(worked.gradient, worked.stepped, strict=True)):
        for neuron in range(2):
            slopes, slope = gradient["weight"][:, neuron], gradient["bias"][neuron]
            weights, bias = stepped["weight"][:, neuron], stepped["bias"][neuron]
            print(
                f"{_neuron(index, neuron)}  gradient: weights {_pair(slopes, 4)}  bias {slope:7.4f}", end=""
            )
            print(f"   →   weights {_pair(weights, 4)}  bias {bias:7.4f}")
    print(f"{_INDENT}loss after the step (learning rate {worked.learning_rate}): {worked.loss_after:.4f}")


def _neuron(layer_index: int, neuron_index: int) -> str:
    """Which neuron, counted from 1."""
    return f"{_INDENT}layer {layer_index + 1} neuron {neuron_index + 1}"


def _pair(values: Any, digits: int = 2) -> str:
    """Two numbers in brackets."""
    return "(" + ", ".join(f"{float(value):{digits + 3}.{digits}f}" for value in values) + ")"


def tell_comparison(found: Comparison) -> None:
    """The table of a comparison, and its verdict."""
    facts, plain = found.facts, plain_of(found)["outcomes"]
    tell_notes(facts["notes"])
    print(
        f"{found.data}: {facts['n_divisions']} divisions into {facts['n_train']:,} to learn from, "
        f"{facts['n_valid']:,} to choose by, {facts['n_test']:,} to measure; "
        f"{counted(facts['epochs'], 'epoch')}\n"
    )
    width = max(18, *(2 + len(each["name"]) for each in plain))
    print(f"{'layers × neurons':<{width}}{'params':>10}{found.error:>16}{'95 % interval':>22}{'rate':>9}")
    for place, each in enumerate(plain):
        said = each["shown"]
        interval = f"{said['low']} to {said['high']}"
        line = f"{each['name']:<{width}}  {each['n_params']:>8,}  {said['mean']:>14}  {interval:>20}"
        rival, side = plain[each["rival"]]["name"], "below" if each["gain"] >= 0 else "above"
        beside = (
            ""
            if each["rival"] == place
            else f"   {said['gain'].lstrip('-')} {side} {rival}, p = {each['probability']:.2g}"
        )
        print(f"{line}  {each['learning_rate']:>7g}{beside}")
    print(f"\n{found.verdict}")
    if found.folder is not None:
        print(f"\n{found.folder}/report.html   {facts['seconds']:.0f} s")


def tell_explanation(found: Explanation) -> None:
    """The probe of each layer, and the sample that was followed."""
    score = found.facts["probe"]
    print(f"{found.data}: {found.network}\n")
    if not found.facts["is_labelled"]:
        print("the samples have no target: what the model answers stands in its place\n")
    width = max(20, *(2 + len(view.name) for view in found.views))
    print(f"{'':<{width}}{'outputs':>9}   {score} of a linear probe on {found.facts['n_samples']:,} samples")
    for view in found.views:
        print(f"{view.name:<{width}}{view.n_outputs:>9,}   {view.probe:.4f}")
    sample = found.sample
    if sample is not None:
        sure = "" if sample.confidence is None else f", confidence {sample.confidence:.3f}"
        by = f" by the first of {sample.n_networks} networks" if sample.n_networks > 1 else ""
        name = f", {sample.name}" if sample.name else ""
        print(f"\nsample {sample.row} (from 0){name}: {sample.answer}{sure}{by}")
        if sample.n_networks > 1:
            together = sample.together_confidence
            sure = "" if together is None else f", confidence {together:.3f}"
            print(f"all of them together, as in `predict`: {sample.together}{sure}")
        if sample.target is not None:
            print(f"its target: {sample.target}")
        print(
            f"what mattered to the first network for {sample.explained} (gradient × input; + speaks for it):"
        )
        for name, value in sample.mattered:
            cell = f" = {sample.cells[name]}" if name in sample.cells else ""
            print(f"{_INDENT}{value:+.4f}  {name}{cell}")
    if found.folder is not None:
        print(f"\n{found.folder}/report.html")


def tell_health(found: Health) -> None:
    """Right answers by kind and depth, and what there is to see."""
    depths = list(dict.fromkeys(each.depth for each in found.stacks))
    print(f"{found.data}: right answers of stacks of growing depth\n")
    print(f"{'':<28}" + "".join(f"{f'{depth} layers':>12}" for depth in depths))
    for kind in dict.fromkeys(each.kind for each in found.stacks):
        scores = [each.accuracy for each in found.stacks if each.kind == kind]
        print(f"{kind:<28}" + "".join(f"{score:>12.1%}" for score in scores))
    print()
    for sentence in found.sentences:
        print(f"- {sentence}")
    if found.folder is not None:
        print(f"\n{found.folder}/report.html   {found.seconds:.0f} s")
