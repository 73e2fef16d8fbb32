"""Finals in folds: every sample is judged by networks that did not learn from it; and what is averaged."""

import threading
from dataclasses import replace

import numpy as np
import pytest

import threestep as ts
from threestep.data import Layout, dealt
from threestep.pick import (
    Finals,
    Job,
    Member,
    Population,
    Proposal,
    Samples,
    Tried,
    averaged_ones,
    ended,
    hold_finals_in_folds,
    outputs_of,
    room_of,
    rows_of,
)
from threestep.study.choices import choose_plan, choose_settings

CROSS = ts.goodness.Goodness("cross_entropy")
SMALL = {"effort": "quick", "epochs": 20, "widths": (8, 16), "depths": (0, 2)}
EPOCHS = 12


def samples(n=90, seed=0, weight=None) -> Samples:
    """Of three classes that can be told apart, mostly."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n).astype(np.int32)
    x = rng.normal(size=(n, 5)).astype(np.float32)
    x[np.arange(n), y] += 1.5
    return Samples(x, y, weight)


def finish(steps):
    """What is told on the way, and the result."""
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(scope="module")
def three_folds():
    """Two structures in three folds of 90 samples."""
    everything = samples()
    fold_of = dealt(everything.y, 90, 3, seed=1)
    learn, choose = rows_of(everything, np.arange(75)), rows_of(everything, np.arange(75, 90))
    settings = ts.Descent(batch_size=16, epochs=EPOCHS)
    members = [
        Member(ts.network.parse(spec, (5,), 3), learning_rate=0.01, seed=place)
        for place, spec in enumerate(("8 relu", "16 silu"))
    ]
    with Population(CROSS, learn, choose, settings, 5, room=room_of(fold_of)) as population:
        trained = ended(population.train([Job(member, EPOCHS) for member in members]))
        tried = [Tried(n, Proposal(each.member), each, EPOCHS, 0.1) for n, each in enumerate(trained)]
        plan = Finals(2, EPOCHS, n_folds=3)
        events, folded = finish(
            hold_finals_in_folds(population, everything, fold_of, tried, plan, threading.Event())
        )
    return everything, fold_of, events, folded, settings


@pytest.mark.parametrize("n_folds", [1, 2, 4, 7])
def test_samples_are_dealt_evenly_each_class_too(n_folds):
    classes = np.repeat([0, 1, 2], [50, 31, 9])
    folds = dealt(classes, 90, n_folds, seed=3)
    assert np.ptp(np.bincount(folds, minlength=n_folds)) <= 1
    for each in range(3):
        assert np.ptp(np.bincount(folds[classes == each], minlength=n_folds)) <= 1
    assert (folds == dealt(classes, 90, n_folds, seed=3)).all()
    if n_folds > 1:
        assert (folds != dealt(classes, 90, n_folds, seed=4)).any()


def test_without_classes_samples_are_dealt_at_random():
    folds = dealt(None, 100, 4, seed=0)
    assert np.bincount(folds).tolist() == [25] * 4
    assert (np.diff(folds) != 1).any()


def test_every_sample_is_judged_by_a_network_that_did_not_learn_from_it(three_folds):
    everything, fold_of, _, folded, _settings = three_folds
    assert len(folded) == 2
    for each in folded:
        assert len(each.functions) == 3
        for fold, (network, params) in enumerate(each.functions):
            rows = fold_of == fold
            own = outputs_of(network, params, everything.x[rows])
            np.testing.assert_array_equal(each.outputs[rows], own)
        log_sum = np.log(np.exp(each.outputs).sum(axis=1))
        losses = log_sum - each.outputs[np.arange(90), everything.y]
        np.testing.assert_allclose(each.tried.trained.losses, losses, atol=1e-5)
        assert each.tried.loss == pytest.approx(losses.mean(), abs=1e-5)


def test_a_fold_is_what_learning_from_the_other_samples_gives(three_folds):
    everything, fold_of, _, folded, settings = three_folds
    learn, choose = (rows_of(everything, np.flatnonzero(own)) for own in (fold_of != 1, fold_of == 1))
    member = folded[0].tried.trained.member
    with Population(CROSS, learn, choose, settings, 5) as alone:  # without room: the same bits
        (trained,) = ended(alone.train([Job(member, EPOCHS)]))
    assert trained is not None
    for own, other in zip(folded[0].functions[1][1], trained.params, strict=True):
        for name in own:
            np.testing.assert_array_equal(own[name], other[name])


def test_samples_that_only_choose_in_a_fold_do_not_reach_its_network(three_folds):
    everything, fold_of, _, folded, settings = three_folds
    changed = everything.x.copy()
    changed[fold_of == 0] += 100.0  # NaN is refused
    learn, choose = (
        rows_of(Samples(changed, everything.y), np.flatnonzero(own)) for own in (fold_of != 0, fold_of == 0)
    )
    with Population(CROSS, learn, choose, settings, 5) as alone:
        (trained,) = ended(alone.train([Job(folded[0].tried.trained.member, EPOCHS)]))
    assert trained is not None
    first = trained.history[0], folded[0].tried.trained.history[0]
    assert first[0].train_loss == first[1].train_loss
    assert first[0].valid_loss != first[1].valid_loss


def test_finals_in_folds_are_told_once(three_folds):
    _, _, events, folded, _ = three_folds
    *ticks, final = events
    assert final["event"] == "final"
    assert final["n_folds"] == 3
    assert final["n_trained"] == 2
    assert final["best_loss"] == min(each.tried.loss for each in folded)
    assert all(tick["event"] == "tick" and tick["n"] == 6 for tick in ticks)
    losses = [each.tried.loss for each in folded]
    assert losses == sorted(losses)
    assert all(each.tried.proposal.change == "trained anew in 3 folds" for each in folded)


def test_folds_are_numbered_and_their_epochs_counted(three_folds):
    everything, fold_of, _, folded, settings = three_folds
    tried = [replace(each.tried, number=place) for place, each in enumerate(folded)]
    one, patience = tried[0].trained.member, replace(settings, epochs=40, patience=1)
    with Population(CROSS, everything, everything, patience, 5, room=room_of(fold_of)) as population:
        plan, stop = Finals(1, 40, n_folds=3), threading.Event()
        steps = hold_finals_in_folds(population, everything, fold_of, tried, plan, stop, 17)
        (again,) = finish(steps)[1]
    assert again.tried.number == 17
    assert again.tried.trained.member.network == one.network
    assert len(again.tried.trained.history) <= again.tried.epochs < 120


def test_a_stop_loses_what_was_not_trained_in_every_fold():
    everything = samples()
    fold_of = dealt(everything.y, 90, 3, seed=1)
    stop = threading.Event()
    with Population(CROSS, everything, everything, ts.Descent(batch_size=16)) as population:
        member = Member(ts.network.parse("8 relu", (5,), 3))
        (trained,) = ended(population.train([Job(member, 2)]))
        assert trained is not None
        tried = [Tried(0, Proposal(member), trained, 2, 0.1)]
        stop.set()
        steps = hold_finals_in_folds(population, everything, fold_of, tried, Finals(1, 2, n_folds=3), stop)
        assert finish(steps)[1] == []


def test_room_is_that_of_the_largest_fold():
    assert room_of(np.array([0, 1, 2, 0])) == (3, 2)
    assert room_of(np.array([0, 1, 2, 0]), 4, 1) == (4, 2)
    assert room_of(np.zeros(5, int), 4, 1) == (4, 1)


def test_only_what_helps_is_averaged():
    says = np.array([[1.0, 1.0], [-1.0, -0.5], [3.0, 3.0]])

    def badness(places):
        return float((says[list(places)].mean(axis=0) ** 2).mean())

    assert averaged_ones(3, badness, 3) == [0, 1]
    assert averaged_ones(3, badness, 1) == [0]
    assert averaged_ones(1, badness, 4) == [0]
    assert averaged_ones(2, lambda places: 0.0, 2) == [0]  # no better is not better
    assert averaged_ones(2, lambda places: 0.5 - 1e-5 * len(places), 2) == [0]  # nor is next to nothing
    assert averaged_ones(2, lambda places: float("nan"), 2) == [0]


@pytest.fixture(scope="module")
def folded_run(tmp_path_factory):
    return ts.fit("iris", out=tmp_path_factory.mktemp("folds") / "run", seed=0, **SMALL)


def test_the_leaderboard_says_that_losses_of_folds_and_of_the_search_are_of_other_samples(folded_run):
    (board,) = (event for event in folded_run.events if event["event"] == "leaderboard")
    assert board["order"][-1] == "what was not trained in folds, whose losses are those of fewer samples"


def test_a_search_on_few_samples_ends_in_folds(folded_run):
    assert folded_run.settings.folds == 4
    n_networks = 1 + len(folded_run.model.others)
    assert n_networks in (4, 8)
    (final,) = [event for event in folded_run.events if event["event"] == "final"]
    assert final["n_folds"] == 4
    assert folded_run.leaderboard[0]["change"] == "trained anew in 4 folds"
    assert folded_run.leaderboard[0]["gain"] is None


def test_valid_scores_with_folds_are_of_all_samples_but_the_test_ones(folded_run):
    start = folded_run.events[0]["n_samples"]
    valid = folded_run.scores["valid"]
    assert valid["n_samples"] == start["train"] + start["valid"]
    assert valid["n_folds"] == 4
    assert "n_folds" not in folded_run.scores["test"]
    assert valid["accuracy"] > 0.8


def test_a_run_in_folds_is_kept_and_comes_again(folded_run):
    model = ts.load(folded_run.folder.path)
    x = np.array([[5.1, 3.5, 1.4, 0.2], [6.0, 3.0, 5.0, 1.8]])
    np.testing.assert_array_equal(model.predict_proba(x), folded_run.model.predict_proba(x))
    again = ts.fit("iris", seed=0, **SMALL)
    np.testing.assert_array_equal(model.predict_proba(x), again.model.predict_proba(x))
    assert (folded_run.folder.path / "config.toml").read_text().count("folds = 4") == 1
    assert "folds" in folded_run.folder.report_path.read_text(encoding="utf-8")


def test_a_given_network_can_be_trained_in_folds():
    run = ts.fit("iris", network="8", epochs=30, folds=3, seed=1)
    assert [network for network, _ in run.model.others] == [run.model.network] * 2
    assert run.scores["valid"]["n_folds"] == 3


@pytest.mark.parametrize(
    ("given", "folds"),
    [
        ({"folds": 1}, 1),
        ({"ensemble": 2}, 1),
        ({"refit": True}, 1),
        ({"max_params": 200}, 1),
        ({"folds": 2, "ensemble": 2}, 2),
    ],
)
def test_folds_give_way_to_other_wishes(given, folds):
    run = ts.fit("iris", seed=0, **SMALL, **given)
    assert run.settings.folds == folds
    if "ensemble" in given:
        assert 1 + len(run.model.others) == given["ensemble"] * folds


@pytest.mark.parametrize("name", ["refit", "order", "groups"])
def test_folds_and_what_they_cannot_be_with_are_refused(name):
    with pytest.raises(ts.SettingsError, match=f"`folds` is 3 and `{name}` is given"):
        ts.fit("iris", folds=3, **{name: True if name == "refit" else "sepal_width"})


@pytest.mark.slow
def test_numbers_and_quantiles_are_corrected_out_of_fold():
    run = ts.fit("diabetes", seed=0, quantiles=(0.1, 0.9), **SMALL)
    assert run.settings.folds == 4
    assert len(run.model.shifts) == 2
    low, high = run.model.predict(ts.data.read("diabetes")).T
    assert (low < high).mean() > 0.95


@pytest.mark.slow
def test_a_budget_leaves_time_for_folds():
    run = ts.fit("iris", budget="12s", widths=(8, 16), depths=(0, 2), epochs=20)
    assert run.scores["valid"].get("n_folds") == 4
    finals = [event for event in run.events if event["event"] == "final"]
    assert finals[0]["n_trained"] >= 1


def crossed(n):
    """Samples of two classes: whether one number times another is positive, mostly."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=n) > 0).astype(int)


@pytest.mark.parametrize(
    ("n_train", "asked", "n_folds"),  # of samples of a hundred numbers
    [
        (15, {}, 1),
        (16, {}, 4),
        (1_999, {"epochs": 1_000}, 4),
        (5_000, {}, 4),
        (5_000, {"effort": "quick"}, 1),
        (5_000, {"epochs": 200}, 1),
        (12_000, {}, 1),
        (12_000, {"effort": "thorough"}, 4),
        (12_000, {"folds": 2}, 2),
        (19_999, {"epochs": 1}, 4),
        (20_000, {"epochs": 1}, 1),
        (5_000, {"budget": "10m"}, 1),
        (1_999, {"budget": "30s"}, 4),
        (5_000, {"ensemble": 2}, 1),
        (5_000, {"network": "linear"}, 1),
        (500, {"network": "8"}, 1),
    ],
)
def test_folds_are_usual_of_few_samples_and_of_more_where_they_cost_little(n_train, asked, n_folds):
    assert choose_settings(ts.Settings(**asked), n_train, True, Layout(shape=(100,)), "y").folds == n_folds


@pytest.mark.parametrize(("n_inputs", "n_folds"), [(1_677, 4), (1_678, 1)])
def test_folds_do_not_fill_the_memory(n_inputs, n_folds):
    asked = ts.Settings(epochs=1, effort="thorough")
    assert choose_settings(asked, 10_000, True, Layout(shape=(n_inputs,)), "y").folds == n_folds


@pytest.mark.parametrize(("n_train", "n_structures"), [(1_999, 3), (2_000, 2)])
def test_of_more_samples_only_what_answers_together_is_trained_in_folds(n_train, n_structures):
    settings = choose_settings(ts.Settings(), n_train, True, Layout(shape=(300,)), "y")
    last = choose_plan(settings, n_train, 300, None).finals
    assert (last.n, last.n_folds) == (n_structures, 4)


@pytest.mark.slow
def test_some_thousand_samples_are_trained_in_folds_where_that_costs_little():
    small = {"widths": (8, 8), "depths": (1, 1), "effort": "quick", "test_fraction": 0.2}
    run = ts.fit(crossed(4000), epochs=3, **small)
    assert run.scores["valid"]["n_folds"] == 4
    assert 1 + len(run.model.others) in (4, 8)
    assert run.scores["test"]["accuracy"] > 0.8


@pytest.mark.slow
def test_samples_are_averaged_without_folds():
    small = {"widths": (8, 8), "depths": (1, 1), "effort": "quick", "test_fraction": 0.2}
    run = ts.fit(crossed(4000), epochs=3, folds=1, **small)
    assert run.settings.ensemble is None
    assert 1 <= 1 + len(run.model.others) <= 4
    assert "n_folds" not in run.scores["valid"]
