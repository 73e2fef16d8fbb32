"""What the layers learned: probes, views, weights, and one sample through the network."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import threestep as ts
from threestep.data import Layout, Media, input_names
from threestep.report import explanation_html
from threestep.study import explaining, plain_explanation
from threestep.study.one_sample import gradient_times_input
from threestep.study.probe import probe_score

RNG = np.random.default_rng(0)


def rings(n=400):
    """Two rings around each other: no line tells them apart, a hidden layer does."""
    y = RNG.integers(0, 2, n)
    angle, radius = RNG.uniform(0, 2 * np.pi, n), 1 + y + 0.1 * RNG.normal(size=n)
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)], y


@pytest.fixture(autouse=True)
def _quick_neighbours(request, monkeypatch):
    """t-SNE takes a second for each layer: only where it is looked at."""
    if "neighbours" not in request.node.name and "same_order" not in request.node.name:
        monkeypatch.setattr(
            explaining, "_as_neighbours", lambda x, seed: x[:, :2] if x.shape[1] > 1 else None
        )


@pytest.fixture(scope="module")
def ring_model():
    return ts.fit(rings(800), network="32-16 tanh", epochs=60, bins=0).model


# Probes


def test_a_row_is_told_what_all_networks_say_too():
    """As `predict` says it: the first of several may say otherwise."""
    run = ts.fit("iris", effort="quick", seed=0)
    data = ts.data.read("iris")
    sample = ts.explain(run.model, "iris", row=70).sample
    proba = run.model.predict_proba(data)[70]
    assert sample.n_networks == 1 + len(run.model.others) > 1
    assert sample.together == str(run.model.predict(data)[70])
    assert sample.together_confidence == pytest.approx(float(proba.max()), abs=1e-5)


def test_a_probe_is_sure_of_what_is_linear_and_guesses_what_is_not():
    x = RNG.normal(size=(1000, 3))
    assert probe_score(x, (x[:, 0] > 0).astype(int), "classes") > 0.95
    assert probe_score(x, (x[:, 0] * x[:, 1] > 0).astype(int), "classes") < 0.6
    assert probe_score(x, x @ [1.0, 2.0, 0.0], "number") > 0.99
    assert abs(probe_score(x, RNG.normal(size=1000), "number")) < 0.05
    assert probe_score(x, (x[:, :2] > 0).astype(float), "labels") > 0.95


def test_a_probe_is_not_judged_on_what_it_was_fitted_to():
    x = RNG.normal(size=(100, 90))  # enough numbers to learn half of the samples by heart
    assert probe_score(x, RNG.integers(0, 2, 100), "classes") < 0.7


def test_hidden_layers_tell_apart_what_the_inputs_do_not(ring_model):
    found = ts.explain(ring_model, rings())
    assert [view.name for view in found.views] == ["inputs", "layer 1: 32 tanh", "layer 2: 16 tanh"]
    assert found.views[0].probe < 0.65
    assert found.views[-1].probe > 0.95
    assert found.pictures == ()


# Views


def test_views_have_the_same_samples_in_the_same_order(ring_model):
    x, y = rings()
    found = ts.explain(ring_model, (x, y))
    assert len(found.labels) == len(found.shown) == 300
    assert found.labels == tuple(str(y[row]) for row in found.shown)
    for view in found.views:
        assert view.plane.shape == view.neighbours.shape == (300, 2)
    inputs = found.views[0].plane
    distances = np.linalg.norm(inputs[:10, None] - inputs[None, :10], axis=2)
    scaled = ts.data.encode(ring_model.prep, ts.data.Table("t", x[found.shown[:10]]))
    wanted = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    assert found.views[0].n_outputs == 2  # a plane is all there is
    np.testing.assert_allclose(distances, wanted, rtol=1e-4, atol=1e-5)


def test_units_answer_most_to_the_samples_that_are_named(ring_model):
    x, y = rings()
    view = ts.explain(ring_model, (x, y)).views[-1]
    encoded = ts.data.encode(ring_model.prep, ts.data.read(x))[:, : ring_model.network.n_inputs]
    outputs = np.asarray(ring_model.network.trace(ring_model.params, jnp.asarray(encoded))[-2].a)
    for unit, spread, rows in view.units:
        assert spread == pytest.approx(outputs[:, unit].std(), rel=1e-4)
        assert outputs[rows[0], unit] == pytest.approx(outputs[:, unit].max(), rel=1e-5)
    spreads = [spread for _, spread, _ in view.units]
    assert spreads == sorted(spreads, reverse=True)


def test_few_samples_have_no_neighbours(ring_model):
    x, y = rings(12)
    assert all(view.neighbours is None for view in ts.explain(ring_model, (x, y)).views)


# Weights


@pytest.mark.slow
def test_first_weights_are_pictures_where_the_inputs_are():
    x = RNG.normal(size=(120, 9, 8)).astype(np.float32)
    y = (x[:, 2, 3] > 0).astype(int)
    dense = ts.fit((x, y), network="6", epochs=2).model
    found = ts.explain(dense, (x, y))
    assert len(found.pictures) == 6
    order = np.argsort(-np.square(dense.params[0]["weight"]).sum(axis=0), kind="stable")
    np.testing.assert_array_equal(found.pictures[0], dense.params[0]["weight"][:, order[0]].reshape(9, 8))
    filters = ts.fit((x, y), network="conv5k5-dense4", epochs=1).model
    pictures = ts.explain(filters, (x, y)).pictures
    assert [each.shape for each in pictures] == [(5, 5)] * 5


# One sample


@pytest.mark.parametrize("spec", ["12-8 tanh", "conv3-dense6 tanh"])
def test_gradient_times_input_is_that_of_finite_differences(spec):
    network = ts.network.parse(spec, (6, 5), 3)
    params = network.init(0)
    x = RNG.normal(size=(2, 30)).astype(np.float32)
    found = gradient_times_input(network, params, x, 1)
    step = 1e-2
    for place in range(0, 30, 7):
        more, less = x.copy(), x.copy()
        more[:, place] += step
        less[:, place] -= step
        outputs = [np.asarray(network.apply(params, jnp.asarray(each)))[:, 1] for each in (more, less)]
        slope = (outputs[0] - outputs[1]) / (2 * step)
        np.testing.assert_allclose(found[:, place], slope * x[:, place], rtol=0.05, atol=2e-3)


def test_what_mattered_of_a_linear_function_is_what_it_adds_up():
    x = RNG.normal(size=(300, 3))
    y = 5 * x[:, 0] - 2 * x[:, 1]
    model = ts.fit((x, y), network="", epochs=60, bins=0).model
    sample = ts.explain(model, (x, y), row=7).sample
    encoded = ts.data.encode(model.prep, ts.data.read(x[7:8]))[0]
    np.testing.assert_allclose(sample.by_input, encoded * model.params[0]["weight"][:, 0], rtol=1e-5)
    names = [name for name, _ in sample.mattered]
    assert set(names) == {"input 1", "input 2", "input 3"}
    assert names[-1] == "input 3"
    assert sample.confidence is None


def test_columns_add_up_what_their_inputs_say():
    import pandas as pd

    frame = pd.DataFrame({"size": RNG.normal(size=300), "color": RNG.choice(["red", "blue"], 300)})
    frame.loc[::9, "size"] = None
    frame["y"] = np.where(frame["color"] == "red", "warm", "cold")
    model = ts.fit(frame, target="y", network="8", epochs=20).model
    found = ts.explain(model, frame, row=1)
    assert found.sample.answer == frame["y"][1]
    assert found.sample.mattered[0][0] == "color"
    assert {name for name, _ in found.sample.mattered} == {"size", "color"}
    assert found.sample.confidence > 0.9
    assert found.sample.target == frame["y"][1]
    assert found.sample.cells == {"color": frame["color"][1], "size": f"{frame['size'][1]:.6g}"}
    assert ts.explain(model, frame.drop(columns="y"), row=9).sample.target is None
    assert ts.explain(model, frame, row=9).sample.cells["size"] == "missing"


def test_inputs_are_named():
    layout = Layout((), ("age", "size"), (1,), (("color", ("blue", "red")),), (), (2, 0))
    assert [name for _, name in input_names(layout)] == [
        "age", "size", "size is missing", "color = blue", "color = red", "age, bin 1", "age, bin 2",
    ]  # fmt: skip
    assert input_names(Layout(shape=(2, 2)))[3] == ("input 2, 2", "input 2, 2")
    sound = Media("sound", 3, 2, rate=8000, window=256, hop=80)
    assert [name for name, _ in input_names(Layout(shape=(3, 2), media=sound))] == [
        f"{moment} ms, {band} Hz" for moment in (0, 10, 20) for band in (621, 1791)
    ]
    assert [name for name, _ in input_names(Layout(shape=(3,)))] == ["input 1", "input 2", "input 3"]


# The page, the command, mistakes


def test_the_page_shows_what_was_found_and_no_script(tmp_path):
    x, y = rings()
    labels = np.where(y == 0, "<script>in</script>", "out").astype(object)
    model = ts.fit((x, labels), network="8", epochs=5).model
    found = ts.explain(model, (x, labels), row=3, out=tmp_path / "layers")
    page = (tmp_path / "layers" / "report.html").read_text()
    plain = json.loads((tmp_path / "layers" / "explanation.json").read_text())
    for view, written in zip(found.views, plain["views"], strict=True):
        assert f"{view.probe:.4f}" in page
        assert written["probe"] == view.probe
    assert "<script>in" not in page
    assert "&lt;script&gt;in" in page
    assert len(page) < 1_000_000
    assert explanation_html(plain) == page


def test_the_page_shows_the_picture_of_a_sample(tmp_path):
    pixels = np.zeros((12, 60, 9), np.uint8)
    pixels[:, :30] = 255
    names = tuple(f"hand {number}.png" for number in range(12))
    table = ts.data.Table("hands", pixels, np.arange(12) % 2, names=names)
    model = ts.fit(table, network="4", epochs=1).model
    found = ts.explain(model, table, row=3, out=tmp_path / "layers")
    page = (tmp_path / "layers" / "report.html").read_text()
    picture = found.sample.picture
    assert len(picture) / len(picture[0]) == pytest.approx(60 / 9, rel=0.2)
    assert picture[0][0] == 255
    assert picture[-1][0] == 0
    assert "<code>hand 3.png</code>" in page
    assert 'aria-label="hand 3.png"' in page or 'alt="hand 3.png"' in page


@pytest.mark.parametrize("kind", ["numbers", "labels", "many classes", "no hidden layer"])
def test_every_kind_of_target_is_explained(kind):
    x = RNG.normal(size=(200, 3))
    y = {
        "numbers": x[:, 0] ** 2,
        "labels": (x[:, :2] > 0).astype(int),
        "many classes": np.array([f"c{each}" for each in RNG.integers(0, 12, 200)], object),
        "no hidden layer": (x[:, 0] > 0).astype(int),
    }[kind]
    model = ts.fit((x, y), network="" if kind.startswith("no") else "6", epochs=3).model
    found = ts.explain(model, (x, y), row=0)
    page = explanation_html(plain_explanation(found))
    assert "Sample 1 (row 0) through the network" in page


@pytest.mark.parametrize("quantiles", [pytest.param((0.5,), marks=pytest.mark.slow), (0.9, 0.1, 0.5)])
def test_quantiles_are_explained_by_the_middle_one(quantiles):
    run = ts.fit("diabetes", network="8", epochs=5, quantiles=quantiles)
    columns = ts.data.read("diabetes").columns()
    found = ts.explain(run.model, columns, row=2)
    assert found.sample.explained == "progression, quantile 0.5"
    expected = np.asarray(run.model.predict(columns)).reshape(-1, len(quantiles))[2]
    for number in expected:
        assert f"{number:.6g}" in found.sample.together


def test_samples_are_coloured_by_the_labels_they_have_or_by_the_first_number():
    x = np.random.default_rng(0).normal(size=(60, 2))
    labels = {"a": x[:, 0], "b": x[:, 1], "red": (x[:, 0] > 0) * 1, "blue": (x[:, 1] > 0) * 1}
    model = ts.fit(labels, target="red,blue", network="4", epochs=2).model
    assert set(ts.explain(model, labels).labels) == {"red", "blue", "red, blue", "–"}
    numbers = {"a": x[:, 0], "b": x[:, 1], "price": 100 * x[:, 0], "weight": x[:, 1]}
    found = ts.explain(ts.fit(numbers, target="price,weight", network="4", epochs=2).model, numbers)
    assert found.labels == tuple(f"{numbers['price'][row]:.6g}" for row in found.shown)
    page = explanation_html(plain_explanation(found))
    assert "Coloured by price." in page
    assert "others" not in page


def test_labels_and_several_numbers_are_told_by_name():
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=60), "b": rng.normal(size=60)}
    yes = {name: (columns["a"] > at).astype(float) for name, at in (("p", 0), ("q", 1))}
    run = ts.fit(columns | yes, target="p,q", network="4", epochs=5)
    sample = ts.explain(run.model, columns, row=1).sample
    assert sample.explained in ("p", "q")
    assert [part.split()[0] for part in sample.together.split(", ")] == ["p", "q"]
    numbers = {"p": columns["a"] * 2, "q": columns["b"] - 1}
    run = ts.fit(columns | numbers, target="p,q", network="4", epochs=5)
    sample = ts.explain(run.model, columns, row=1).sample
    first, second = run.model.predict(columns)[1]
    assert sample.together == f"p: {first:.6g}, q: {second:.6g}"
    assert sample.explained == "p"


@pytest.mark.parametrize("n", [1, 30])
@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_samples_without_a_target_are_explained_by_what_the_model_answers(n, data, tmp_path):
    run = ts.fit(data, network="8", epochs=20)
    columns = {name: column[:n] for name, column in ts.data.read(data).columns().items()}
    found = ts.explain(run.model, columns, row=0, out=tmp_path / "layers")
    answers = run.model.predict(columns)
    assert not found.facts["is_labelled"]
    if data == "iris":
        assert sorted(found.labels) == sorted(answers.tolist())
        assert found.sample.together == answers[0]
    page = (tmp_path / "layers" / "report.html").read_text("utf-8")
    assert "stands in its place" in page
    assert "nan" not in page.lower().replace("nano", "")
    assert ("linear probe" in page) == (n > 1)
    with pytest.raises(ts.DataError, match=r"column.s. missing: "):
        ts.explain(run.model, {"unknown": [1.0]})


def test_the_command_line_explains(tmp_path, capsys):
    from threestep.app import main

    assert main(["fit", "iris", "--network", "8", "--epochs", "3", "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    words = ["explain", str(tmp_path / "run"), "iris"]
    assert main([*words, "--row", "2", "--out", str(tmp_path / "one")]) == 0
    out = capsys.readouterr().out
    assert "layer 1: 8 relu" in out
    assert "petal" in out
    assert main([*words, "--out", str(tmp_path / "two"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sample"] is None
    assert main([*words, "--row", "150", "--out", str(tmp_path / "three")]) == 2
    assert "rows 0 to 149" in capsys.readouterr().err


@pytest.mark.parametrize(("n_columns", "network"), [(1, "4"), (3, "1")])
def test_one_input_and_one_neuron_are_explained(n_columns, network):
    x = np.random.default_rng(0).normal(size=(60, n_columns))
    model = ts.fit((x, x[:, 0]), network=network, epochs=2).model
    found = ts.explain(model, (x, x[:, 0]))
    assert [view.n_outputs for view in found.views] == [n_columns, int(network)]
    explanation_html(plain_explanation(found))
