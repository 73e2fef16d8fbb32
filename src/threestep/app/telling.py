"""A run as text on stdout, while it goes on: the three steps, each told once."""

from typing import Any

from threestep.app.lines import INDENT, cells_of, counted, in_columns, line_width, say, say_notes
from threestep.app.scores import tell_scores
from threestep.study import RunFolder

Event = dict[str, Any]

_MOST_CLASSES_SHOWN = 12
_ROWS = 5  # of the leaderboard
_RUNG = "{:>5}  {:>7}  {:>6}  {:>8}  {:>7}  "
_RUNG_HEAD = _RUNG.format("tried", "trained", "epochs", "loss", "after")


class Teller:
    """Prints the events of one run; most kinds need a line or two, some none.

    A search tells of its third step while it goes on, and of what it picked when that is known: what was
    said before decides how an event is told.
    """

    def __init__(self) -> None:
        self._is_picking = self._is_table_begun = self._has_others = False
        self._minute_gain: float | None = None

    def tell(self, event: Event) -> None:
        """Print one event."""
        teller = getattr(self, f"_tell_{event['event']}", None)
        if teller is not None:
            teller(event)

    def _begin_picking(self, way: str = "") -> None:
        """The title of the third step, once."""
        if not self._is_picking:
            print()
            say(f"step 3  the pick{': ' if way else ''}{way}")
        self._is_picking = True

    def _tell_start(self, event: Event) -> None:
        n_samples, target = event["n_samples"], event["target"]
        shape = "×".join(str(size) for size in event["input_shape"])
        inputs = f"{shape} = " if len(event["input_shape"]) > 1 else ""
        inputs += counted(event["n_inputs"], "input")
        parts = ", ".join(f"{number:,} {name}" for name, number in n_samples.items())
        say(f"{event['data']}: {sum(n_samples.values()):,} samples ({parts}), {inputs}")
        say(f"target {target['name']}: {_kind(target)} ({target['reason']})")
        say_notes(event["notes"])

    def _tell_check(self, event: Event) -> None:
        """Only what may lead astray."""
        if event["n_contradictions"]:
            say(f"note: {event['n_contradictions']:,} samples equal one with another target")
        if event["n_seen"]:
            seen = counted(event["n_seen"], "test sample")
            verb = "has" if event["n_seen"] == 1 else "have"
            say(f"note: {seen} {verb} the features of one that is learned from")

    def _tell_space(self, event: Event) -> None:
        low, high = event["depths"]
        said = f"step 1  the function sets: {low} to {high} hidden layers"
        if high > 0:
            narrow, wide = event["widths"]
            neurons = f"{narrow} to {wide}" if narrow < wide else f"{wide}"
            residual = ", plain or residual" if event["residual"] else ""
            said += f" of {neurons} neurons, {' or '.join(event['activations'])}{residual}"
        print()
        say(f"{said}; searched by {event['searcher']}")

    def _tell_function_set(self, event: Event) -> None:
        """The given network; of a search, the picked one."""
        if self._is_picking:
            print()
            say(f"picked: {event['network']}", INDENT, INDENT + " " * 8)
        else:
            print()
            say(f"step 1  the function set: {event['network']}")
        self._has_others = bool(event["others"])
        if event["others"]:
            say(f"and {len(event['others'])} more, whose answers are averaged with its own", INDENT)
        params = f"{event['n_params']:,} params"
        say(f"{params}; {event['n_products']:,} multiplications for one sample", INDENT)

    def _tell_goodness(self, event: Event) -> None:
        name = event["loss"].replace("_", "-")
        print()
        nothing = f"knowing nothing gives {event['guess_loss']:.3f}"
        say(f"step 2  goodness: {name}, lower is better; {nothing}")

    def _tell_rung(self, event: Event) -> None:
        """A line of a table: tried, trained on, for how long, the best so far."""
        if event["n_trained"] == 0:  # the time was over before
            return
        in_rungs = "train a little, keep the better, vary the best"
        self._begin_picking(in_rungs if event["n_rungs"] > 1 else "train each to its end")
        if not self._is_table_begun:
            print(f"{INDENT}{_RUNG_HEAD}best so far")
        self._is_table_begun, self._minute_gain = True, event["minute_gain"]
        loss = "–" if event["best_loss"] is None else f"{event['best_loss']:.4f}"
        died = f", {event['n_diverged']} diverged" if event["n_diverged"] else ""
        counts = f"{event['n_tried']:,}", f"{event['n_alive']:,}", f"{event['epochs']:,}"
        line = _RUNG.format(*counts, loss, f"{event['seconds']:,.0f} s")
        later = INDENT + " " * len(_RUNG_HEAD)
        say(f"{event['best_network'] or 'none yet'}{died}", INDENT + line, later)

    def _tell_designed(self, event: Event) -> None:
        self._begin_picking()
        loss = "none, it diverged" if event["loss"] is None else f"{event['loss']:.4f}"
        spent = f"{counted(event['n_epochs'], 'epoch')} in {event['seconds']:.1f} s"
        origin = "" if event["parent"] is None else f" ({event['change']}, from number {event['parent']})"
        said = f"{event['number']}: {event['spec']}{origin}: {spent}, validation loss {loss}"
        say(said, INDENT, INDENT + " " * 4)

    def _tell_final(self, event: Event) -> None:
        """The best, begun anew or trained on."""
        if event["n_trained"] == 0:
            if event["n_planned"] > 1:  # one alone only fills what is left of the time
                say("finals: no time was left to train the best anew", INDENT)
            return
        if event["best_loss"] is None:
            said = "finals: no further training came to its end; the best of the search are taken"
            say(said, INDENT, INDENT * 2)
            return
        facts = "; ".join(_finals(event))
        say(f"finals: {facts}; best loss {event['best_loss']:.4f}", INDENT, INDENT * 2)

    def _tell_note(self, event: Event) -> None:
        say_notes([event["text"]], INDENT if self._is_picking else "")

    def _tell_leaderboard(self, event: Event) -> None:
        """The best five, and how many there are."""
        self._begin_picking()
        if not event["rows"]:
            say(event["text"], INDENT)
            return
        if self._minute_gain is not None:
            said = f"a minute more of searching may lower the best loss by {self._minute_gain:.4f}"
            say(said, INDENT)
        shown, n_tried = event["rows"][:_ROWS], event["n_tried"]
        print()
        say(f"the first {len(shown)} of {n_tried:,} tried" if len(shown) < n_tried else "all tried", INDENT)
        for line in _ranked(shown, event["picked"], line_width()):
            print(line)
        if len(event["picked"]) > 1:
            say("* picked; their answers are averaged", INDENT)
        losses = [row["valid_loss"] for row in event["rows"]]
        if losses[:_ROWS] != sorted(losses)[:_ROWS] and event.get("order"):
            say(f"order: {'; then '.join(event['order'])}", INDENT)

    def _tell_pick(self, event: Event) -> None:
        whose = " of the first" if self._has_others else ""
        best = f"epoch {event['best_epoch']} of {event['n_epochs']}{whose}, by the validation loss"
        if event["best_epoch"] == 0:
            best = "none; no epoch ended with a finite validation loss, so this is the start"
            if event["outcome"] == "out_of_time" and event["n_epochs"] == 0:
                best = "none; there was no time for a whole epoch"
        if self._is_picking:
            say(f"epoch: {best}" if event["best_epoch"] == 0 else best, INDENT)
        self._begin_picking(best)
        say(f"{event['seconds']:.1f} s, compiling included; ended because: {event['why']}", INDENT)

    def _tell_scores(self, event: Event) -> None:
        print()
        tell_scores(event["scores"])


def _kind(target: Event) -> str:
    """The target's kind in words."""
    classes = [str(name) for name in target["classes"]]
    if target["kind"] == "number":
        return "a number" if target["n_columns"] == 1 else f"{target['n_columns']} numbers"
    if target["kind"] == "labels":
        return f"{target['n_columns']} labels, each yes or no"
    shown = ", ".join(classes[:_MOST_CLASSES_SHOWN]) + (" …" if len(classes) > _MOST_CLASSES_SHOWN else "")
    return f"{len(classes)} classes: {shown}"


def _finals(event: Event) -> list[str]:
    """What the finals were."""
    n_anew, n_longer = event["n_alive"] - event["n_longer"], event["n_longer"]
    epochs = counted(event["epochs"], "epoch")
    facts = [f"the best trained anew, {n_anew} times {epochs}"] if n_anew else []
    if event["n_folds"] > 1:
        facts[0] += f" in each of {event['n_folds']} folds"
    longer = "some of the best trained longer"
    return facts + ([longer if n_anew else f"{longer}, by {epochs}"] if n_longer else [])


def _ranked(rows: list[Event], picked: list[int], width: int) -> list[str]:
    """The first of a leaderboard, with what they come from if the lines are wide enough for that."""
    score = "rmse" if "valid_rmse" in rows[0] else "score"
    if rows[0].get("score_low") is not None:
        score = "accuracy"
    mark = dict.fromkeys(picked, "* ") if len(picked) > 1 else {}
    cells = [["number", "params", "loss", score, "network"]]
    for row in rows:
        own = f"{row['valid_rmse']:,.5g}" if "valid_rmse" in row else f"{row['valid_score']:.4f}"
        number = f"{mark.get(row['number'], '')}{row['number']}"
        numbers = number, f"{row['n_params']:,}", f"{row['valid_loss']:,.4f}", own
        cells.append([*numbers, row["network"] or "linear"])
    origins = [f"from {row['parent']}: {row['change']}" if row["parent"] is not None else "" for row in rows]
    wide = in_columns([[*line, origin] for line, origin in zip(cells, ["", *origins], strict=True)], (4, 5))
    has_room = len(INDENT) + max(map(cells_of, wide)) <= width
    return [INDENT + line for line in (wide if has_room else in_columns(cells, (4,)))]


def tell_folder(folder: RunFolder) -> None:
    """Where everything is, and what to do next."""
    print()
    say(f"{folder.path}/  report.html  model.safetensors  journal.jsonl  config.toml")
    print(f"{INDENT}threestep predict {folder.path} DATA")
