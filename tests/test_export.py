"""Models as ONNX files: onnxruntime answers as the model does, whatever there is in it."""

import sys
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.app import main
from threestep.data import Layout, Media, Prep, Table, Target, fit_prep
from threestep.data.dates import DATE_PARTS, date_parts_of
from threestep.errors import DataError
from threestep.export import graph as graph_module
from threestep.export import layers as layers_module
from threestep.export.columns import _date_parts
from threestep.export.graph import Graph
from threestep.goodness import Goodness
from threestep.model import Model
from threestep.network import ACTIVATION_NAMES, NORMS, Blocks, Conv, Dense, Network, Pool

N = 40
CLASSES = Target("kind", "classes", ("cat", "dog", "owl"))


def session_of(model: Model, folder) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(ts.to_onnx(model, folder / "model.onnx"))


def started(network: Network, seed: int = 3):
    """Params none of which is where it starts: running statistics and scales, too."""
    rng = np.random.default_rng(seed)
    return tuple(
        {
            name: np.abs(rng.normal(size=shape)).astype(np.float32) + 0.5
            if name.endswith(("variance", "scale"))
            else (rng.normal(size=shape) / np.sqrt(max(1, np.prod(shape[:-1])))).astype(np.float32)
            for name, shape in own.items()
        }
        for own in network.param_shapes
    )


def array_model(network: Network, target: Target = CLASSES, loss: str = "cross_entropy", **more) -> Model:
    n = network.n_inputs
    prep = Prep(Layout(network.input_shape), target, np.zeros(n), np.full(n, 3.0))
    return Model(prep, network, started(network), Goodness(loss), **more)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_every_activation(activation, tmp_path):
    layers = (Dense(6, activation), Dense(6, activation, residual=True), Dense(3, "linear"))
    model = array_model(Network((4,), layers))
    x = np.random.default_rng(0).normal(size=(N, 4)) * 20
    classes, confidences = session_of(model, tmp_path).run(None, {"samples": x})
    np.testing.assert_allclose(confidences, model.predict_proba(x), atol=1e-5)
    assert classes.tolist() == model.predict(x).tolist()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    "layers",
    [
        (Conv(6, 3, 1), Pool("max", 2, 2), Conv(4, 5, 2, "gelu")),
        (Conv(5, 1, 2, "silu"), Pool("mean", 3, 2), Pool("max", 0, 1)),
        (Pool("max", 3, 1), Conv(4), Blocks(8, "basic", 1, 2), Blocks(8, "basic", 3), Pool("mean", 0, 1)),
        (Conv(4), Blocks(16, "bottleneck", 1, 2), Blocks(16, "bottleneck", 2, residual=False)),
    ],
    ids=["convolutions", "pools", "basic", "bottleneck"],
)
@pytest.mark.parametrize(
    "shape", [pytest.param((9, 8), marks=pytest.mark.slow), (8, 7, 3)], ids=["grey", "colour"]
)
def test_every_layer_of_pictures(layers, norm, shape, tmp_path):
    layers = tuple(layer if isinstance(layer, Pool) else replace(layer, norm=norm) for layer in layers)
    model = array_model(Network(shape, (*layers, Dense(3, "linear"))))
    x = np.random.default_rng(0).uniform(0, 3, size=(5, *shape)).astype(np.float32)
    session = session_of(model, tmp_path)
    _, confidences = session.run(None, {"samples": x})
    np.testing.assert_allclose(confidences, model.predict_proba(x), atol=2e-5)
    classes, confidences = session.run(None, {"samples": x[:0]})  # a batch may hold no picture
    assert (classes.shape, confidences.shape) == ((0,), (0, 3))


def table(n: int = 400) -> Table:
    """All kinds of columns, each with gaps, and names that are trouble."""
    rng = np.random.default_rng(5)
    days = np.datetime64("1999-12-30") + rng.integers(0, 9000, n)

    def written(order: str) -> np.ndarray:
        found = []
        for day in days:
            parts = dict(zip("ymd", str(day).split("-")))
            found.append("" if rng.random() < 0.1 else "-".join(parts[each] for each in order) + " 17:30:10")
        return np.array(found, object)

    def gaps(column) -> np.ndarray:
        return np.where(rng.random(n) < 0.1, np.nan, column)

    columns = {
        "size": gaps(rng.normal(1e6, 3.0, n)),
        "class": rng.normal(size=n),
        "constant": np.full(n, 7.0),
        "yes": rng.integers(0, 2, n).astype(float),
        "": gaps(rng.exponential(size=n)),
        "色": np.array([["", "red", "green blue", "<b>"][i] for i in rng.integers(0, 4, n)], object),
        "born": written("ymd"),
        "seen": written("dmy"),
        "left": written("mdy"),
    }
    y = np.array(["cat", "dog", "owl"], object)[rng.integers(0, 3, n)]
    return Table("all kinds", columns, y, "kind")


def feeds_of(session, columns: dict) -> dict[str, np.ndarray]:
    """The columns as the file wants them."""
    feeds = {}
    for each in session.get_inputs():
        column = columns[{"class_": "class", "column": ""}.get(each.name, each.name)]
        if each.name in ("born", "seen", "left"):
            order = {"born": "ymd", "seen": "dmy", "left": "mdy"}[each.name]
            days = date_parts_of(column, order)["days"]
            column = np.round(days * 86400)
        feeds[each.name] = np.asarray(column).reshape(-1, 1)
    return feeds


@pytest.mark.parametrize(("most_bins", "clip"), [(0, 3.0), (4, 0.0), (16, 0.5)])
def test_every_kind_of_column_with_gaps_and_strangers(most_bins, clip, tmp_path):
    samples = table()
    prep = fit_prep(samples, CLASSES, {"yes": "number"}, most_bins, clip=clip)
    network = ts.network.parse("8 gelu", (prep.layout.n_inputs,), 3)
    plain = ts.network.parse("5 tanh", (prep.layout.n_plain_inputs,), 3)
    model = Model(
        prep,
        network,
        started(network),
        Goodness(),
        others=((plain, started(plain, 9)), (network, started(network, 1))),
        temperature=1.7,
    )
    session = session_of(model, tmp_path)
    assert {each.name for each in session.get_inputs()} == {
        "size", "class_", "constant", "yes", "column", "色", "born", "seen", "left"
    }  # fmt: skip
    strangers = dict(samples.x) | {"色": np.array(["violet", *samples.x["色"][1:]], object)}
    strangers["class"] = np.array([1e30, np.nan, *samples.x["class"][2:]])  # no gap in training
    for columns in (samples.x, strangers):
        classes, confidences = session.run(None, feeds_of(session, columns))
        np.testing.assert_allclose(confidences, model.predict_proba(columns), atol=1e-5)
        assert classes.tolist() == model.predict(columns).tolist()


@given(st.lists(st.integers(-62_135_596_800, 253_402_300_799), min_size=1, max_size=50))
def test_dates_have_the_parts_that_they_have_in_training(seconds):
    graph = Graph(["seconds"])
    for part, value in _date_parts(graph, "seconds").items():
        graph.named(value, part)
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["n"])
        for name in ("seconds", *DATE_PARTS)
    ]
    whole = onnx.helper.make_graph(graph.nodes, "dates", values[:1], values[1:], graph.constants)
    proto = onnx.helper.make_model(whole, ir_version=9, opset_imports=[onnx.helper.make_opsetid("", 20)])
    found = onnxruntime.InferenceSession(proto.SerializeToString()).run(
        [*DATE_PARTS], {"seconds": np.array(seconds, float)}
    )
    texts = [str(np.datetime64(second, "s")).replace("T", " ") for second in seconds]
    expected = date_parts_of(np.array(texts, object), "ymd")
    for part, values in zip(DATE_PARTS, found, strict=True):
        np.testing.assert_allclose(values, expected[part], rtol=1e-12, err_msg=part)


def test_a_column_keeps_its_name_where_another_is_renamed(tmp_path):
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=100) for name in ("class", "class_", "", "column", "n")}
    prep = fit_prep(Table("t", columns, rng.integers(0, 3, 100), "kind"), CLASSES, most_bins=0)
    network = ts.network.parse("8", (prep.layout.n_inputs,), 3)
    model = Model(prep, network, started(network), Goodness())
    session = session_of(model, tmp_path)
    names = {"class": "class__", "class_": "class_", "": "column_", "column": "column", "n": "n"}
    _, confidences = session.run(None, {names[own]: x.reshape(-1, 1) for own, x in columns.items()})
    np.testing.assert_allclose(confidences, model.predict_proba(columns), atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map["class__"].startswith("column 'class': float64")


@pytest.mark.parametrize("n_days", [2, 7, 4000])
def test_a_number_by_a_date_of_few_days(n_days, tmp_path):
    rng = np.random.default_rng(0)
    hours = rng.integers(0, 24 * n_days, 300)
    when = (np.datetime64("2024-02-28T00") + hours).astype("datetime64[s]")
    texts = np.array([str(each).replace("T", " ") for each in when], object)
    y = hours / 24 + rng.normal(size=300)
    run = ts.fit({"when": texts, "b": rng.normal(size=300), "y": y}, target="y", network="64-64", epochs=20)
    session = session_of(run.model, tmp_path)
    seconds = when.astype(np.int64).astype(float).reshape(-1, 1)
    b = np.zeros((300, 1))
    (found,) = session.run(None, {"when": seconds, "b": b})
    np.testing.assert_allclose(
        found[:, 0], run.model.predict({"when": texts, "b": b[:, 0]}), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("most", [100, 1000])
def test_a_category_of_many_levels(most, tmp_path, monkeypatch):
    monkeypatch.setattr("threestep.data.levels._MOST_LEVELS_IN_ALL", most)
    rng = np.random.default_rng(0)
    codes = rng.permutation(900) % 300
    town = np.array([f"town {each}" if each % 2 else f"{each}" for each in codes], object)
    columns = {"town": town, "size": rng.normal(size=900)}
    prep = fit_prep(Table("t", columns, np.array(CLASSES.classes)[codes % 3], "kind"), CLASSES, most_bins=0)
    assert prep.layout.n_inputs == (104 if most == 100 else 301)
    network = ts.network.parse("8", (prep.layout.n_inputs,), 3)
    model = Model(prep, network, started(network), Goodness())
    session = session_of(model, tmp_path)
    columns["town"][:2] = "elsewhere", ""
    as_floats = np.array([f"{each}.0" if each.isdecimal() else each for each in columns["town"]], object)
    for texts in (columns["town"], as_floats):
        feeds = {"town": texts.reshape(-1, 1), "size": columns["size"].reshape(-1, 1)}
        _, confidences = session.run(None, feeds)
        np.testing.assert_allclose(confidences, model.predict_proba(columns), atol=1e-5)
    assert np.ptp(confidences, axis=0).max() > 1e-3


def test_codes_that_came_as_numbers_may_be_written_as_such(tmp_path):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 200).astype(float)
    prep = fit_prep(Table("t", {"c": codes}, rng.integers(0, 3, 200), "kind"), CLASSES, {"c": "category"})
    network = ts.network.parse("8", (5,), 3)
    model = Model(prep, network, started(network), Goodness())
    session = session_of(model, tmp_path)
    for kind in (int, float):
        texts = np.array([[str(kind(code))] for code in codes], object)
        _, confidences = session.run(None, {"c": texts})
        np.testing.assert_allclose(confidences, model.predict_proba({"c": codes}), atol=1e-5)


@pytest.mark.parametrize(
    "classes", [(3, 5), (False, True), (0.5, 1.5), ("no", "yes"), ("1", "2"), (3, 2**63 + 1)]
)
@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_classes_come_as_they_are_and_by_the_threshold(classes, threshold, tmp_path):
    network = Network((4,), (Dense(2, "linear"),))
    model = array_model(network, Target("t", "classes", classes), threshold=threshold)
    x = np.random.default_rng(2).normal(size=(N, 4)) * 3
    found, _ = session_of(model, tmp_path).run(None, {"samples": x})
    assert found.tolist() == model.predict(x).tolist()
    assert len(set(found.tolist())) == 2


def test_labels(tmp_path):
    network = ts.network.parse("8", (4,), 3)
    others = tuple((network, started(network, seed)) for seed in (5, 6))
    target = Target("t", "labels", (), "", 3)
    model = array_model(network, target, "sigmoid_cross_entropy", others=others, temperature=0.6)
    x = np.random.default_rng(2).normal(size=(N, 4)) * 3
    labels, confidences = session_of(model, tmp_path).run(["labels", "confidences"], {"samples": x})
    np.testing.assert_array_equal(labels, model.predict(x))
    np.testing.assert_allclose(confidences, model.predict_proba(x), atol=1e-5)


@pytest.mark.parametrize(("n", "unit"), [(1, 1.0), (2, 1.0), (1, 1e-100)])
def test_numbers_in_their_own_unit(n, unit, tmp_path):
    network = ts.network.parse("8", (4,), n)
    others = tuple((network, started(network, seed)) for seed in (5, 6))
    model = array_model(network, Target("t", "number", (), "", n), "squared_error", others=others)
    center, scale = (1e6 * unit, 50.0 * unit) if n == 1 else ((1e6, -3.0), (50.0, 0.25))
    model = Model(**{**vars(model), "prep": model.prep._replace(target_center=center, target_scale=scale)})
    x = np.random.default_rng(2).normal(size=(N, 4)) * 3
    (found,) = session_of(model, tmp_path).run(None, {"samples": x})
    np.testing.assert_allclose(found, model.predict(x).reshape(N, n), rtol=0, atol=1e-4 * unit)


def test_quantiles_are_shifted_and_in_order(tmp_path):
    run = ts.fit("diabetes", quantiles=(0.9, 0.1), network="8", epochs=5)
    x = ts.data.read("diabetes").x
    session = session_of(run.model, tmp_path)
    (found,) = session.run(None, feeds_of(session, x))
    np.testing.assert_allclose(found, run.model.predict(x), rtol=0, atol=1e-3)
    assert (
        session.get_modelmeta().custom_metadata_map["number"]
        == "progression, quantile 0.9; progression, quantile 0.1"
    )


def test_from_a_run_folder_to_an_answer(tmp_path, capsys):
    ts.fit("wine", network="8", epochs=5, out=tmp_path / "run")
    assert main(["export", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "run" / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "run" / "model.onnx")
    model, samples = ts.load(tmp_path / "run"), ts.data.read("wine").x
    classes, _ = session.run(None, feeds_of(session, samples))
    assert classes.tolist() == model.predict(samples).tolist()
    assert (
        main(["export", str(tmp_path / "run" / "model.safetensors"), "--out", str(tmp_path / "a.onnx")]) == 0
    )
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "run" / "model.onnx").read_bytes()


def test_what_each_column_wants_is_in_the_file(tmp_path):
    samples = table()
    prep = fit_prep(samples, CLASSES)
    network = ts.network.parse("8", (prep.layout.n_inputs,), 3)
    proto = onnx.load(ts.to_onnx(Model(prep, network, started(network), Goodness()), tmp_path / "m.onnx"))
    said = {each.key: each.value for each in proto.metadata_props}
    assert said["size"].startswith("float64")
    assert "seconds since 1970" in said["born"]
    assert said["色"].startswith(
        "text as in training; empty where missing; known are '<b>', 'green blue', 'red'"
    )
    assert said["class"] == "kind"
    assert said["confidences"] == "cat, dog, owl"


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (Media("picture", 9, 8, 3), "RGB pixels of 0 to 255, (height, width, channels), resized to 9 × 8"),
        (Media("sound", 9, 8, 1, 8000, 256, 80), "sounds at 8000 Hz, as `threestep.data.read` makes them"),
    ],
)
def test_what_a_picture_or_a_sound_must_be_is_in_the_file(media, words, tmp_path):
    network = ts.network.parse("4", media.shape, 3)
    n = network.n_inputs
    prep = Prep(Layout(media.shape, media=media), CLASSES, np.zeros(n), np.full(n, 255.0))
    proto = onnx.load(ts.to_onnx(Model(prep, network, started(network), Goodness()), tmp_path / "m.onnx"))
    said = {each.key: each.value for each in proto.metadata_props}
    assert words in said["samples"]


def test_mistakes_have_a_hint_and_nothing_is_written(tmp_path, monkeypatch):
    model = array_model(ts.network.parse("8", (4,), 3))
    with pytest.raises(DataError, match=r"only ONNX.*\nhint: name it model\.onnx"):
        ts.to_onnx(model, tmp_path / "model.pt")
    for name in ("", ".", "/"):
        with pytest.raises(DataError, match=r"hint: name it model\.onnx"):
            ts.to_onnx(model, name)
    with pytest.raises(DataError, match=r"cannot be written(.|\n)*make the folder"):
        ts.to_onnx(model, tmp_path / "no folder" / "model.onnx")
    with monkeypatch.context() as patch:
        patch.setitem(layers_module._ACTIVATIONS, "relu", ("Tanh", {}))
        with pytest.raises(DataError, match="from the model's"):
            ts.to_onnx(model, tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DataError, match=r"threestep\[onnx\]"):
        graph_module.onnx_library()
    assert [*tmp_path.iterdir()] == []


def test_whole_numbers_as_levels_may_be_written_as_floats(tmp_path):
    """Also where such a word is a level of its own."""
    rng = np.random.default_rng(0)
    for levels in (["1", "1.0", "x"], ["1", "2", "x"]):
        words = np.array(levels, object)[rng.integers(0, 3, 150)]
        model = ts.fit({"a": words, "y": (words == "1").astype(int)}, network="4", epochs=2).model
        session = onnxruntime.InferenceSession(ts.to_onnx(model, tmp_path / "m.onnx"))
        asked = np.array([["1"], ["1.0"], ["2.0"], ["x"]], object)
        (said,) = session.run(["confidences"], {"a": asked})
        np.testing.assert_allclose(said, model.predict_proba({"a": asked[:, 0]}), atol=1e-5)
    same = model.predict_proba({"a": np.array(["2", "2.0"], object)})
    np.testing.assert_array_equal(same[0], same[1])
