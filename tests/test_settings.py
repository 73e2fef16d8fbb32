"""Settings outside their range are refused, all at once, before anything runs."""

import pydoc
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import threestep as ts
from threestep.limits import _LOGARITHMIC, _PAIRS, _RANGES, _WHOLE, check_asked, check_settings
from threestep.settings import Files, Optimizer, Question, Search, Study

HUGE = 10**400  # more than a float holds
NUMBERS = sorted(set(_RANGES) - set(_PAIRS))
WHOLE = sorted(set(_WHOLE) - set(_PAIRS))


def beyond(name) -> tuple:
    """Numbers a little below and a little above the range."""
    (low, high), step = _RANGES[name], 1 if name in _WHOLE else 1e-3
    return low - step, high + step


TOO_FAR = [(name, value) for name in NUMBERS for value in beyond(name)]
TOO_FAR_PAIRS = [
    (name, pair)
    for name in _PAIRS
    for pair in [
        (beyond(name)[0], _RANGES[name][1]),
        (_RANGES[name][0], beyond(name)[1]),
        _RANGES[name][::-1],
    ]
]


def refused(**settings) -> str:
    with pytest.raises(ts.SettingsError) as caught:
        check_settings(ts.Settings(**settings))
    assert caught.value.hint
    return caught.value.message


def test_defaults_are_accepted():
    check_settings(ts.Settings())
    check_settings(ts.Descent())


@pytest.mark.parametrize(("name", "value"), TOO_FAR + TOO_FAR_PAIRS)
def test_value_out_of_range_is_refused_by_name_value_and_range(name, value):
    message = refused(**{name: value})
    assert message.startswith(f"`{name}` is {value!r}; must be")
    assert f"{_RANGES[name][0]:,} to {_RANGES[name][1]:,}" in message


@pytest.mark.parametrize("name", NUMBERS)
def test_ends_of_the_range_are_accepted(name):
    little = {"valid_fraction": 0.1, "test_fraction": 0.1}  # both together may not be too much
    for end in _RANGES[name]:
        check_settings(ts.Settings(**{**little, name: int(end) if name in WHOLE else end}))


@pytest.mark.parametrize("name", _PAIRS)
def test_ranges_may_be_as_wide_as_they_get_or_one_value(name):
    low, high = _RANGES[name]
    lowest = 1e-9 if name in _LOGARITHMIC else low
    for pair in ((lowest, high), [lowest, high], (low, low), (high, high)):
        check_settings(ts.Settings(**{name: pair}))


@pytest.mark.parametrize("name", _PAIRS)
@pytest.mark.parametrize(
    "value",
    ["34", 3, (), (3,), (3, 4, 5), ("3", "4"), (True, True), (float("nan"),) * 2, (HUGE, HUGE), {3: 4}],
)
def test_what_is_no_range_is_refused(name, value):
    assert f"`{name}` is" in refused(**{name: value})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value", ["3", [1], (1, 2), True, float("nan"), float("inf"), -float("inf"), HUGE, 1j, b"1"]
)
def test_value_of_a_wrong_type_or_not_finite_is_refused(name, value):
    assert f"`{name}` is" in refused(**{name: value})


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_must_be_whole(name):
    assert "a whole number" in refused(**{name: 10.0})


@pytest.mark.parametrize(
    "name", ["residual", "learning_rates", "valid_fraction", "seed", "optimizer", "network", "task", "effort"]
)
def test_what_has_a_default_cannot_be_none(name):
    assert f"`{name}` is None" in refused(**{name: None})


@pytest.mark.parametrize(
    ("name", "value"), [("optimizer", "adamm"), ("task", "regression"), ("optimizer", 3), ("task", [])]
)
def test_choices_are_named(name, value):
    message = refused(**{name: value})
    assert f"`{name}` is {value!r}; must be one of" in message
    assert ("adamw" if name == "optimizer" else "classes") in message


@pytest.mark.parametrize("name", ["network", "target"])
@pytest.mark.parametrize("value", [64, ["64"], b"64", 1.5])
def test_text_must_be_text(name, value):
    assert f"`{name}` is {value!r}; must be text" in refused(**{name: value})


def test_all_problems_are_named_at_once():
    message = refused(epochs=0, learning_rate=-1.0, optimizer="x", network=3, seed=-1, dropout="a")
    names = [line.split("`")[1] for line in message.splitlines()]
    assert sorted(names) == ["dropout", "epochs", "learning_rate", "network", "optimizer", "seed"]


def test_something_must_be_left_to_learn_from():
    assert "`valid_fraction` + `test_fraction` is 1.2" in refused(valid_fraction=0.6, test_fraction=0.6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depths", (1, 2)),
        ("widths", (8, 16)),
        ("channels", (8, 16)),
        ("activations", ["tanh"]),
        ("residual", False),
        ("learning_rates", (0.001, 0.01)),
        ("weight_decays", (0.001, 0.01)),
        ("dropouts", (0.1, 0.2)),
        ("searcher", "random"),
        ("effort", "quick"),
        ("score_metric", "auc"),
        ("convolutions", True),
    ],
)
def test_what_a_search_may_try_is_refused_where_a_network_is_given(name, value):
    check_settings(ts.Settings(**{name: value}))
    message = refused(network="8", **{name: value})
    assert message == f"`{name}`: for a search, but `network` is '8'; give one of them"


def test_a_metric_may_pick_among_several_starts_of_a_given_network():
    check_settings(ts.Settings(network="8", ensemble=3, score_metric="auc"))
    check_settings(ts.Settings(network="8", folds=3, score_metric="auc"))


def test_all_that_a_search_may_try_is_named_at_once():
    message = refused(network="8", depths=(1, 2), widths=(8, 16), residual=False)
    assert message.startswith("`depths` and `residual` and `widths`: for a search")


def test_the_defaults_of_a_space_may_be_given_with_a_network():
    space = ts.Settings()
    check_settings(
        ts.Settings(network="8", activations=list(space.activations), learning_rates=(0.001, 0.03))
    )


@pytest.mark.parametrize("optimizer", Optimizer.__args__)
def test_every_optimizer_is_accepted(optimizer):
    check_settings(ts.Settings(optimizer=optimizer))


def test_every_setting_is_checked():
    """A new field without a rule would be taken whatever it is."""
    for field in fields(ts.Settings):
        assert field.name in refused(**{field.name: object()})


def test_fit_refuses_an_unknown_name_with_did_you_mean():
    with pytest.raises(ts.SettingsError, match="did you mean `epochs`"):
        ts.fit("iris", epoch=3)


def test_fit_refuses_bad_settings_before_it_reads(tmp_path):
    with pytest.raises(ts.SettingsError, match="epochs"):
        ts.fit("no such data", epochs=0, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_sizes_of_pictures_are_one_or_two_whole_numbers():
    for size in (64, (1, 1024), [64, 48]):
        check_settings(ts.Settings(picture_size=size))
    for size in (0, 1025, 64.0, True, (64,), (0, 64), (64, 1025), (64.0, 64), (True, 64), "ab", (64, 64, 3)):
        assert f"`picture_size` is {size!r}; must be one or two whole numbers" in refused(picture_size=size)


def rows_of_tricks() -> list[list[str]]:
    """The table of docs/tables.md: trick, settings, default, source."""
    text = (Path(__file__).parents[1] / "docs" / "tables.md").read_text(encoding="utf-8")
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def test_each_setting_of_the_table_of_tricks_is_one():
    known = {field.name for field in fields(ts.Settings)}
    named = {name for _, settings, *_ in rows_of_tricks() for name in re.findall(r"`(\w+)`", settings)}
    assert len(named) > 15
    assert named <= known


@pytest.mark.parametrize("name", ["clip", "input_scaling", "label_smoothing"])
def test_defaults_of_the_table_of_tricks_are_those_that_are_used(name):
    (default,) = (default for _, settings, default, _ in rows_of_tricks() if f"`{name}`" in settings)
    x = np.random.default_rng(0).normal(size=(60, 3))
    table = ts.data.label(ts.data.read((x, np.arange(60) % 2)))
    used = getattr(ts.study.prepare_run(table, ts.Settings()).settings, name)
    assert float(re.match(r"[\d.]+", default)[0]) == used
    asked = ts.study.prepare_run(table, ts.Settings(**{name: 0.0}))
    assert getattr(asked.settings, name) == 0.0


@pytest.mark.parametrize("clip", [1e-30, 0.09])
def test_a_clip_that_leaves_nothing_of_any_number_is_refused(clip):
    assert refused(clip=clip) == f"`clip` is {clip!r}; must be 0, or a number from 0.1"
    check_settings(ts.Settings(clip=0.1))


@pytest.mark.parametrize("record", [ts.Settings, ts.Descent, Search, Files, Question, Study])
def test_help_describes_every_setting(record):
    said = pydoc.render_doc(record, renderer=pydoc.plaintext)
    for field in fields(record):
        assert re.search(rf"(?m)^ \|  {field.name} : .*default .*\n \|      [A-Z`α]", said), field.name


def test_help_is_made_when_somebody_asks():
    code = "import threestep.settings, threestep.described as d; print(d._classes_in.cache_info().currsize)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "0"


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "dropout"])
def test_a_rate_and_rates_to_search_between_are_refused_together(name):
    with pytest.raises(ts.SettingsError, match=f"`{name}` is 0.1 and `{name}s` is .*; give one of them"):
        check_asked(ts.Settings(**{name: 0.1, f"{name}s": (0.01, 0.2)}))
    check_asked(ts.Settings(**{name: 0.1}))
    check_asked(ts.Settings(**{f"{name}s": (0.01, 0.2)}))
    check_asked(ts.Settings(**{name: 0.1, f"{name}s": (0.1, 0.1)}))  # as a run writes them down
    check_settings(ts.Settings(**{name: 0.1, f"{name}s": (0.01, 0.2)}))  # of a member
