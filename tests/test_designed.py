"""Networks with convolutions beside a search: one leaderboard, one budget, one choice."""

import time
from concurrent.futures import Future
from dataclasses import fields, replace
from threading import Event

import numpy as np
import pytest

import threestep as ts
from test_picture_networks import stripes
from threestep.data import Layout, Media
from threestep.pick import Designs, Field, Member, Samples, searcher_of, try_designed
from threestep.pick.proposals import DESIGNED
from threestep.settings import Descent, Settings, Space
from threestep.study import searching
from threestep.study.choices import choose_settings
from threestep.study.choices_on_pictures import designed_networks
from threestep.study.finding import NONE_SMALL_ENOUGH

GOODNESS = ts.goodness.Goodness("cross_entropy")
QUICK = {"effort": "quick", "seed": 0}


def samples(n, seed=0):
    x, y = stripes(n, seed)
    return Samples(x.reshape(n, -1), y.astype(np.int32))


def ended(steps):
    """What a generator gives and what it returns."""
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def network(spec="conv4-dense8"):
    return ts.network.parse(spec, (12, 12), 2)


SPACE = Space(depths=(0, 4), widths=(64, 256), channels=(4, 8), dropouts=(0.0, 0.2))


def field(networks, rate=0.01):
    return Field(SPACE, (144,), 2, designed=tuple(Member(network, rate) for network in networks))


def designs(networks, rate=0.01, most_epochs=None, **settings):
    how = Descent(**{"epochs": 2, "batch_size": 32, **settings})
    return Designs(field(networks, rate), GOODNESS, (samples(200), samples(60, 1)), how, most_epochs)


def tried(networks, deadline=float("inf"), stop=None, before=(), rate=0.01, name="evolution", **settings):
    asked = designs(networks, rate, **settings)
    return ended(try_designed(searcher_of(name), asked, before, deadline, stop or Event()))


@pytest.mark.slow
def test_each_network_is_tried_once_and_told_of():
    events, won = tried([network(), network("conv4-conv6-globalpool")])
    told = [event for event in events if event["event"] == "designed"]
    assert [event["spec"] for event in told] == ["conv4-dense8 relu", "conv4-conv6-globalpool relu"]
    assert [each.number for each in won] == [0, 1]
    assert [each.proposal.change for each in won] == [DESIGNED] * 2
    assert [event["loss"] for event in told] == [each.loss for each in won]
    assert all(len(each.trained.losses) == 60 for each in won)
    ticks = [event for event in events if event["event"] == "tick"]
    assert {event["n_done"] for event in ticks if not event["what"].startswith("compiling")} - {0} == {2}


def test_losses_are_those_of_the_params_that_are_kept():
    _, (each,) = tried([network()], epochs=6)
    outputs = ts.pick.outputs_of(network(), each.trained.params, samples(60, 1).x)
    losses = ts.pick.losses_of(GOODNESS, outputs, samples(60, 1).y)
    np.testing.assert_allclose(each.trained.losses, losses, rtol=1e-5)
    assert each.loss == pytest.approx(min(row.valid_loss for row in each.trained.history), rel=1e-4)


def test_numbers_go_on_where_the_search_ended():
    _, before = tried([network()])
    _, won = tried([network()], before=before)
    assert [each.number for each in won] == [1]


def test_a_deadline_is_kept_and_its_time_used():
    tried([network()], epochs=3)  # compiled
    began = time.perf_counter()
    events, won = tried([network()], deadline=began + 6)
    took = time.perf_counter() - began
    assert took < 9
    assert len(won) >= 1
    told = [event for event in events if event["event"] == "designed"]
    assert told[0]["n_epochs"] <= 3
    assert max(event["n_epochs"] for event in told) > 5  # of more time more is made than the settings say


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evolution", "random"])
def test_with_much_time_there_are_others(monkeypatch, name):
    from threestep.pick import designed

    monkeypatch.setattr(designed, "_COMPILING", 0.0)
    monkeypatch.setattr(designed, "_MOST_EPOCHS", 4)
    events, won = tried([network()], time.perf_counter() + 30, name=name, epochs=4)
    changes = [each.proposal.change for each in won]
    assert changes[0] == DESIGNED
    children = [each for each in won if each.proposal.params is not None]
    assert bool(children) == (name == "evolution")
    numbers = {each.number for each in won}
    assert all(each.proposal.parent in numbers and each.epochs < 4 for each in children)
    told = [event for event in events if event["event"] == "designed"]
    assert [event["change"] for event in told] == changes
    assert any(each.proposal.member.network != network() for each in won)


def test_first_come_those_of_people_then_children_then_the_best_anew():
    from threestep.pick.designed import _Clock, _next_turn

    won, (one,) = [], tried([network()])[1]
    designed = tuple(Member(network()) for _ in range(4))

    def turn(now, n_asked, n_seconds=10.0, deadline=1000.0):
        firsts_end = n_seconds * min(n_asked, 4)
        clock = _Clock(firsts_end, deadline, 10, 200, 6.0 * network().n_products * 200)  # an epoch a second
        won[:] = [replace(one, seconds=n_seconds)] * min(n_asked, 4)
        found = _next_turn(clock, now, designed, n_asked, won)
        return None if found is None else (found.until, found.is_anew)

    assert turn(0.0, 0) == (1000.0, False)
    assert turn(30.0, 3) == (1000.0, False)
    assert turn(40.0, 4) == (1000.0, False)  # a child
    assert turn(420.0, 20) == (1000.0, False)
    assert turn(424.0, 20) == (424.0 + 576.0 / 4, True)
    assert turn(985.0, 40) == (1000.0, True)
    assert turn(999.0, 40) is None
    # less than it needs, but all there is; not begun: there is no time for all of it
    assert turn(0.0, 0, deadline=4.0) == (4.0, False)
    assert turn(10.0, 1, deadline=22.0) == (22.0, True)
    assert turn(10.0, 1, deadline=12.0) is None
    assert turn(10.0, 3, deadline=float("inf")) == (float("inf"), False)
    assert turn(10.0, 4, deadline=float("inf")) is None
    nobody = _next_turn(_Clock(0.0, 1000.0, 10, 200, 1e9), 500.0, designed, 4, [])
    assert nobody is None


def test_a_child_goes_on_from_its_parents_params():
    began = tried([network()], epochs=8)[1][0]
    how = Descent(epochs=1, batch_size=32, learning_rate=1e-4)
    steps = ts.pick.descend(
        network(), GOODNESS, samples(200), samples(60, 1), how, params=began.trained.params
    )
    picked = ts.pick.picked_of(steps)
    assert picked.history[0].valid_loss == pytest.approx(began.loss, abs=0.05)
    fresh = ts.pick.train(network(), GOODNESS, samples(200), samples(60, 1), how)
    assert fresh.history[0].valid_loss > began.loss + 0.1


def test_no_time_is_no_network():
    _, won = tried([network()], deadline=time.perf_counter() + 0.1)
    assert won == []


def test_stopped_it_ends_with_the_best_so_far():
    stop, asked = Event(), designs([network()] * 3, epochs=200)
    steps = try_designed(searcher_of("evolution"), asked, (), float("inf"), stop)
    for event in steps:
        assert event["event"] == "tick"
        if event["n_done"] > 0:
            stop.set()
            break
    _, won = ended(steps)
    assert len(won) == 1
    assert 0 < won[0].epochs < 200
    assert won[0].trained.outcome is ts.pick.Outcome.INTERRUPTED


def test_a_compile_that_takes_too_long_leaves_the_time_to_others(monkeypatch):
    monkeypatch.setattr("threestep.pick.designed.compile_ahead", lambda *_: Future())
    deadline = time.perf_counter() + 4.0
    events, won = tried([network()], deadline=deadline)
    assert won == []
    assert events
    assert all(event["what"] == "compiling conv4-dense8 relu" for event in events)
    assert time.perf_counter() < deadline + 1.0


def test_stopped_while_it_is_compiled_there_is_nothing_at_once(monkeypatch):
    stop = Event()
    monkeypatch.setattr("threestep.pick.designed.compile_ahead", lambda *_: stop.set() or Future())
    events, won = tried([network()], stop=stop)
    assert (events, won) == ([], [])


def test_what_cannot_be_compiled_is_told(monkeypatch):
    failed = Future()
    failed.set_exception(ts.DataError("that is it"))
    monkeypatch.setattr("threestep.pick.designed.compile_ahead", lambda *_: failed)
    with pytest.raises(ts.DataError, match="that is it"):
        tried([network()])


def test_what_is_compiled_ahead_is_not_compiled_again():
    from threestep.pick import compile_designed, compiled

    asked = designs([network("conv3-dense5")])
    ahead = compile_designed(asked)
    ahead.result()
    size = compiled._compiled_function.cache_info().misses
    _, won = ended(try_designed(searcher_of("evolution"), asked, (), float("inf"), Event(), ahead))
    assert len(won) == 1
    assert compiled._compiled_function.cache_info().misses == size > 0


@pytest.mark.slow
def test_a_search_goes_on_where_convolutions_are_compiled_too_late(monkeypatch):
    monkeypatch.setattr("threestep.pick.designed.compile_ahead", lambda *_: Future())
    run = ts.fit(stripes(300), budget="12s", seed=0)
    assert not any(event["event"] == "designed" for event in run.events)
    assert run.model.network.is_dense
    assert any(row["change"] == "trained anew" for row in run.leaderboard)
    notes = [event["text"] for event in run.events if event["event"] == "note"]
    assert notes == [searching.NO_TIME_FOR_CONVOLUTIONS]


def test_a_search_that_begins_again_does_not_tell_of_rungs_that_nobody_climbed():
    def steps():
        yield {"event": "tick"}
        yield {"event": "rung", "n_tried": 0}
        yield {"event": "rung", "n_tried": 2}
        return ["found"]

    def heard():
        returned.append((yield from searching._without_empty_rungs(steps())))

    returned = []
    told = list(heard())
    assert returned == [["found"]]
    assert told == [{"event": "tick"}, {"event": "rung", "n_tried": 2}]


@pytest.mark.slow
def test_what_diverges_is_told_and_dropped():
    events, won = tried([network("conv4-dense8 linear none")], rate=100.0, optimizer="sgd", epochs=3)
    assert won == []
    assert events[-1]["loss"] is None


# Which are tried


def settings_for(shape, media=None, n_train=500, **asked):
    layout = Layout(shape=shape, media=media)
    return choose_settings(Settings(**asked), n_train, True, layout, "y"), layout


@pytest.mark.parametrize(
    ("shape", "asked", "wanted"),
    [
        ((16, 16), {}, True),
        ((32, 32, 3), {}, True),
        ((16, 16), {"budget": "5s"}, False),
        ((16, 16), {"budget": "30s"}, True),
        ((16, 16), {"network": "32"}, False),
        ((16, 16), {"refit": True}, False),
        ((16, 16), {"folds": 3}, False),
        ((16, 16), {"widths": (8, 16)}, False),
        ((16, 16), {"convolutions": False}, False),
        ((16, 16), {"budget": "5s", "convolutions": True}, True),
        ((4, 30), {}, False),
        ((30,), {}, False),
        ((5, 9, 9, 3), {}, False),
    ],
)
def test_convolutions_are_tried_where_they_can_help(shape, asked, wanted):
    settings, layout = settings_for(shape, **asked)
    assert bool(designed_networks(settings, layout, 3, 10_000)) == wanted


@pytest.mark.parametrize(("effort", "n", "n_of_few"), [("quick", 1, 1), ("normal", 2, 1), ("thorough", 4, 4)])
def test_more_effort_tries_more_and_of_few_numbers_less(effort, n, n_of_few):
    settings, layout = settings_for((16, 16), effort=effort)
    assert len(designed_networks(settings, layout, 3, 500_000 // 256 + 1)) == n
    assert len(designed_networks(settings, layout, 3, 500_000 // 256)) == n_of_few


def test_a_budget_lets_all_be_tried_of_few_numbers_too():
    settings, layout = settings_for((16, 16), budget="60s", convolutions=True)
    assert len(designed_networks(settings, layout, 3, 100)) == 4


def test_limits_hold_for_convolutions():
    settings, layout = settings_for((16, 16), effort="thorough", max_params=100_000)
    networks = designed_networks(settings, layout, 3, 10_000)
    assert networks
    assert all(network.n_params <= 100_000 for network in networks)


@pytest.mark.parametrize("shape", [(28, 28), (64, 64, 3)])
def test_where_few_params_are_allowed_small_ones_are_tried(shape):
    settings, layout = settings_for(shape, effort="thorough", max_params=20_000)
    networks = designed_networks(settings, layout, 10, 10_000)
    assert len(networks) >= 2
    assert all(not network.is_dense and 1_000 < network.n_params <= 20_000 for network in networks)
    assert networks[0].n_params == max(network.n_params for network in networks)


def test_where_none_keeps_the_limit_that_is_said_or_refused():
    given = {"effort": "quick", "max_params": 300, "epochs": 2}
    run = ts.fit(stripes(60), **given)
    assert NONE_SMALL_ENOUGH in run.notes
    with pytest.raises(ts.SettingsError, match="each network with convolutions that is tried has more"):
        ts.fit(stripes(60), convolutions=True, **given)


def test_where_in_a_spectrogram_something_is_is_not_forgotten():
    settings, layout = settings_for((70, 40), Media("sound", 70, 40, 1, 8000, 256, 80), effort="thorough")
    for each in designed_networks(settings, layout, 10, 10_000):
        assert min(each.shapes[-3][:2] if len(each.shapes[-3]) > 1 else (2,)) > 1


# As it is asked for


ASKED = {
    "epochs": 7,
    "patience": 3,
    "batch_size": 24,
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "weight_decay": 0.03,
    "warmup_fraction": 0.2,
    "dropout": 0.15,
    "input_dropout": 0.07,
    "input_rate": 0.3,
    "input_scaling": 5.0,
    "shift": 0.2,
    "shift_width": 0.05,
    "flip": True,
    "drop_path": 0.1,
    "noise": 0.11,
    "mixup": 0.12,
    "precision": "bfloat16",
}


def test_every_setting_of_descent_can_be_asked_for():
    assert set(ASKED) == {field.name for field in fields(Descent)}


@pytest.mark.parametrize(
    "names", [[*ASKED], *(pytest.param([name], marks=pytest.mark.slow) for name in ASKED)], ids=",".join
)
def test_what_is_asked_of_descent_reaches_the_convolutions_of_a_search(names, monkeypatch):
    seen = []

    def noted(searcher, designs, *_):
        seen.append(designs.settings)
        yield from ()
        return []

    def nothing(*_):
        yield from ()
        return []

    monkeypatch.setattr(searching, "try_designed", noted)
    monkeypatch.setattr(searching, "search", nothing)
    monkeypatch.setattr(searching, "compile_designed", lambda *_: Future())
    usual = ts.fit(stripes(60), effort="quick", seed=0)
    run = ts.fit(stripes(60), effort="quick", seed=0, **{name: ASKED[name] for name in names})
    assert [name for name in names if getattr(seen[1], name) != ASKED[name]] == []
    assert [name for name in names if getattr(seen[0], name) == ASKED[name]] == []
    assert run.settings != usual.settings


@pytest.mark.slow
def test_as_many_epochs_as_asked_for_are_made():
    run = ts.fit(stripes(200), **QUICK, epochs=3, drop_path=0.2)
    assert [each["n_epochs"] for each in run.events if each["event"] == "designed"] == [3]


def test_no_more_epochs_than_asked_for_are_made_where_there_is_time():
    tried([network()], epochs=4)  # compiled
    asked, deadline = designs([network()], most_epochs=4, epochs=4), time.perf_counter() + 6
    events, won = ended(try_designed(searcher_of("evolution"), asked, (), deadline, Event()))
    assert len(won) > 1
    assert max(event["n_epochs"] for event in events if event["event"] == "designed") == 4


@pytest.mark.parametrize(("asked", "wanted"), [(3, 3), (None, 12)])
def test_patience_that_was_asked_for_holds_before_a_deadline_too(asked, wanted):
    from threestep.pick.designed import _own
    from threestep.pick.proposals import Proposal

    how = Descent(epochs=40, patience=asked)
    own = _own(how, Proposal(Member(network())), most=40, fitting=12.0)
    assert (own.epochs, own.patience) == (12, wanted)


def test_rates_that_were_asked_for_are_those_of_the_convolutions_that_are_varied():
    from threestep.study.choices_on_pictures import descent_on_pictures, field_on_pictures

    for asked, wanted in (((1e-5, 1e-4), (1e-5, 1e-4)), (Space().learning_rates, (0.0005, 0.008))):
        given = Settings(learning_rates=asked)
        settings, _ = settings_for((16, 16), learning_rates=asked)
        space = replace(SPACE, learning_rates=asked)
        how = descent_on_pictures(given, settings, network(), 500)
        found = field_on_pictures(given, how, [network()], Field(space, (144,), 2))
        assert found.space.learning_rates == pytest.approx(wanted)


def test_other_numbers_of_epochs_need_no_new_program():
    from threestep.pick import compiled

    tried([network()], epochs=3)
    before = compiled._compiled_function.cache_info().misses
    tried([network()], epochs=7)
    assert compiled._compiled_function.cache_info().misses == before > 0


# In a search


@pytest.mark.slow
def test_a_search_on_pictures_picks_convolutions_that_are_better():
    run = ts.fit(stripes(900), **QUICK)
    assert not run.model.network.is_dense
    assert run.scores["test"]["accuracy"] > 0.9
    rows = {row["network"]: row for row in run.leaderboard}
    assert any("conv" in name for name in rows)
    assert len({row["number"] for row in run.leaderboard}) == len(run.leaderboard)
    assert run.folder is None
    assert [event["spec"] for event in run.events if event["event"] == "designed"]


@pytest.mark.slow
def test_a_search_with_convolutions_gives_the_same_bits_again():
    one, other = (ts.fit(stripes(200), **QUICK) for _ in range(2))
    assert ts.model.model_bytes(one.model) == ts.model.model_bytes(other.model)


@pytest.mark.slow
def test_several_kinds_of_networks_answer_together(tmp_path):
    run = ts.fit(stripes(300), **QUICK, ensemble=3)
    assert len(run.model.others) == 2
    kinds = {network.is_dense for network, _ in [(run.model.network, 0), *run.model.others]}
    assert kinds == {True, False}
    run.model.save(tmp_path / "m.safetensors")
    x, _ = stripes(20, 5)
    np.testing.assert_array_equal(
        ts.load(tmp_path / "m.safetensors").predict_proba(x), run.model.predict_proba(x)
    )


def test_a_search_without_convolutions_has_none():
    run = ts.fit(stripes(200), **QUICK, convolutions=False)
    assert not any("conv" in row["network"] for row in run.leaderboard)


@pytest.mark.slow
def test_the_report_tells_of_convolutions(tmp_path, capsys):
    from threestep.app import main

    x, y = stripes(200)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    assert main(["fit", str(tmp_path / "d.npz"), "--effort", "quick", "--out", str(tmp_path / "run")]) == 0
    assert "conv32-conv64-dense128 relu: " in capsys.readouterr().out
    page = (tmp_path / "run" / "report.html").read_text()
    assert "conv32-conv64-dense128" in page


@pytest.mark.slow
def test_numbers_are_predicted_from_pictures():
    x, _ = stripes(400)
    y = x[:, 3:6, 3:6].mean(axis=(1, 2))
    run = ts.fit((x, y), network="conv8-dense16", epochs=15)
    assert run.scores["test"]["r2"] > 0.3


@pytest.mark.parametrize("wish", [{"refit": True}, {"folds": 3}])
def test_wishes_that_convolutions_cannot_keep_are_refused(wish):
    with pytest.raises(ts.SettingsError, match="give one of them"):
        ts.fit(stripes(60), convolutions=True, **wish)


def test_convolutions_are_refused_where_there_are_no_pictures():
    with pytest.raises(ts.SettingsError, match="no pictures"):
        ts.fit("iris", convolutions=True)


def test_channels_are_refused_where_no_convolutions_are_tried():
    with pytest.raises(ts.SettingsError, match="`channels`, but no network with convolutions"):
        ts.fit("iris", channels=(8, 16))


def test_pictures_are_not_moved_where_no_convolutions_are_tried():
    with pytest.raises(ts.SettingsError, match="no network with convolutions"):
        ts.fit("iris", shift=0.2)


@pytest.mark.slow
def test_the_report_says_what_was_varied():
    from threestep.report.tried import what_was_tried

    by_name = {event["event"]: event for event in ts.fit("iris", **QUICK).events}
    changes = (DESIGNED, "random", "rates changed")
    designed = [{"event": "designed", "change": change} for change in changes]
    assert "people design them, 2 drawn at random, varied" in str(what_was_tried(by_name, designed))
    assert "one with convolutions, as people design them." in str(what_was_tried(by_name, designed[:1]))
    assert "convolutions" not in str(what_was_tried(by_name, []))
