"""The head of the page: the one number people look for, what it means, and what to know before it is read."""

from typing import Any

from threestep.report.html import Markup, tag
from threestep.report.numbers import percent, quantile_name, with_minus, written
from threestep.report.scores import is_known, part_name
from threestep.report.words import Text, listed, say, translated

Event = dict[str, Any]


def summary(by_name: dict[str, Event]) -> Markup:
    """The one number people look for, and what it was measured on."""
    start, scores = by_name["start"], by_name["scores"]["scores"]
    part = "test" if "test" in scores else "valid"
    number, words = _score(start["target"], scores[part], part, by_name["details"].get("guess", {}))
    notes = [tag("li", translated(note)) for note in start["notes"]]
    beside = [piece for text in words for piece in (" · ", text)][1:]
    return tag(
        "header",
        tag("p", say("threestep report"), class_="over"),
        tag("h1", start["data"]),
        *(tag("p", tag("strong", each), class_="notes") for each in _before(by_name)),
        tag("p", _about(start)),
        tag("ul", *notes, class_="notes") if notes else "",
        tag("p", tag("span", number, class_="big"), tag("span", *beside, class_="beside"), class_="score"),
        *(tag("p", each, class_="notes") for each in _behind(by_name, scores[part])),
    )


def nothing_learned(by_name: dict[str, Event]) -> Text | None:
    """That nothing was learned, and why; None where something was."""
    if by_name["pick"]["best_epoch"]:
        return None
    why = by_name.get("leaderboard", {}).get("text") or by_name["pick"]["why"]
    return say("Nothing was learned: {why}.", why=translated(why))


def _before(by_name: dict[str, Event]) -> list[Text]:
    """What has to be known before anything else is read."""
    if nothing := nothing_learned(by_name):
        return [nothing]
    if by_name["pick"]["outcome"] == "interrupted":
        return [say("The run was interrupted; this is the best until then.")]
    return []


def _behind(by_name: dict[str, Event], row: Event) -> list[Text]:
    """That a score is no better than none."""
    guess = by_name["details"].get("guess", {})
    if nothing_learned(by_name):
        return []
    if row.get("r2", 0) < 0:
        return [say("R² is below 0: this is worse than always saying the mean.")]
    if row.get("accuracy", 1) <= guess.get("accuracy", -1):
        return [say("This is no better than always the same answer.")]
    return []


def _score(target: Event, row: Event, part: str, guess: Event) -> tuple[str, list[object]]:
    """The number, and what stands beside it."""
    if "accuracy" in row:
        return percent(row["accuracy"]), _of_answers(target, row, part, guess)
    quantiles = target.get("quantiles", ())
    if is_known(row, "coverage") and quantiles:
        return percent(row["coverage"]), _of_quantiles(quantiles, row, part)
    return with_minus(f"{row['r2']:z.3f}"), _of_numbers(target, row, part, guess)


def _of_answers(target: Event, row: Event, part: str, guess: Event) -> list[object]:
    """Of classes or labels."""
    is_labels = target["kind"] == "labels" and target.get("n_columns", 1) > 1
    what = say("all {n} labels right", n=target["n_columns"]) if is_labels else say("accuracy")
    words: list[object] = [_measured(what, row, part), _interval(row, "accuracy")]
    if is_labels:
        words.append(say("of single labels {share} are right", share=percent(row["label_accuracy"])))
    if "class" in guess:
        facts = {"name": guess["class"], "share": percent(guess["accuracy"])}
        words.append(say("always the most common class ({name}): {share}", **facts))
    elif guess:
        words.append(say("always the most common answers: {share}", share=percent(guess["accuracy"])))
    return words


def _of_quantiles(quantiles: list[float], row: Event, part: str) -> list[object]:
    """Of two quantiles or more."""
    what = say(
        "of the targets lie between the {low} and the {high} quantile ({wanted} % wanted)",
        low=quantile_name(min(quantiles)),
        high=quantile_name(max(quantiles)),
        wanted=f"{100 * row['coverage_wanted']:g}",
    )
    apart = say("these are {n} apart, on the average", n=written(row["interval_width"]))
    return [_measured(what, row, part), _interval(row, "coverage"), apart]


def _of_numbers(target: Event, row: Event, part: str, guess: Event) -> list[object]:
    """Of numbers; their errors in one number only where they have one unit."""
    n, quantiles = target.get("n_columns", 1), target.get("quantiles", ())
    what = say("R², the mean of {n} targets,", n=n) if n > 1 else say("R²")
    if quantiles:
        what = say("R² of the {name} quantile", name=quantile_name(quantiles[0]))
    words: list[object] = [_measured(what, row, part)]
    if is_known(row, "r2_low"):
        ends = {"low": f"{row['r2_low']:z.3f}", "high": f"{row['r2_high']:z.3f}"}
        if ends["low"] != ends["high"]:
            ends = {name: with_minus(text) for name, text in ends.items()}
            words.append(say("95 % interval {low} to {high}", **ends))
    if n == 1:
        words.append(say("typical error (RMSE) {rmse}", rmse=written(row["rmse"])))
        words += [say("always the mean: {rmse}", rmse=written(guess["rmse"][0]))] if guess else []
    return words


def _interval(row: Event, key: str) -> Text:
    """Where a share lies."""
    ends = {"low": f"{100 * row[key + '_low']:.1f}", "high": percent(row[key + "_high"])}
    return say("95 % interval {low} to {high}", **ends)


def _measured(what: Markup, row: Event, part: str) -> Text:
    facts = {"what": what, "n": f"{row['n_samples']:,}", "part": part_name(part)}
    if row["n_samples"] == 1:
        return say("{what} on {n} {part} sample", **facts)
    return say("{what} on {n} {part} samples", **facts)


def _about(start: Event) -> Markup:
    """What the samples are, and what is predicted."""
    target = start["target"]
    facts = {
        "n": f"{sum(start['n_samples'].values()):,}",
        "inputs": f"{start['n_inputs']:,}",
        "target": listed(target["names"]) if target.get("n_columns", 1) > 1 else target["name"],
        "kind": _kind(target),
        "reason": translated(target["reason"]),
    }
    if start["n_inputs"] == 1:
        return say("{n} samples, {inputs} input each; {target} is {kind} ({reason}).", **facts)
    if target.get("n_columns", 1) > 1:
        return say("{n} samples, {inputs} inputs each; {target} are {kind} ({reason}).", **facts)
    return say("{n} samples, {inputs} inputs each; {target} is {kind} ({reason}).", **facts)


def _kind(target: Event) -> Text:
    n = target.get("n_columns", 1)
    if target["kind"] == "classes":
        return say("{n} classes", n=len(target["classes"]))
    if target["kind"] == "labels":
        return say("{n} labels, each yes or no", n=n)
    return say("a number") if n == 1 else say("{n} numbers", n=n)
