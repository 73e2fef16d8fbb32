"""A model predicts raw samples, in whatever form they come; its params are set by hand."""

import logging
import pickle
from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import polars as pl
import pytest

import threestep as ts
from threestep.data import Layout, Prep, Table, Target
from threestep.goodness import Goodness
from threestep.model import Model
from threestep.model.together import alike_ones, said_by
from threestep.network import Dense, Network


def params_of(network: Network) -> tuple[dict, ...]:
    rng = np.random.default_rng(7)
    return tuple(
        {
            "weight": rng.normal(size=(fan, layer.width)).astype(np.float32),
            "bias": rng.normal(size=layer.width).astype(np.float32),
        }
        for fan, layer in zip(network.fans, network.layers)
    )


def array_model(shape: tuple[int, ...] = (4,), classes: tuple = (3, 5, 8)) -> Model:
    """Trained, so to speak, on one array."""
    n_inputs = int(np.prod(shape))
    network = Network((n_inputs,), (Dense(6, "tanh"), Dense(len(classes), "linear")))
    prep = Prep(
        Layout(shape), Target("digit", "classes", classes), np.full(n_inputs, 0.5), np.full(n_inputs, 2.0)
    )
    return Model(prep, network, params_of(network), Goodness())


def frame_model() -> Model:
    """Trained, so to speak, on named columns."""
    layout = Layout((), ("length", "width"), (1,), (("colour", ("blue", "red")),))
    network = Network((5,), (Dense(2, "linear"),))
    prep = Prep(layout, Target("kind", "classes", ("cat", "dog")), np.zeros(5), np.ones(5))
    return Model(prep, network, params_of(network), Goodness())


def number_model() -> Model:
    """Predicts 10 + 4 * (x0 - x1)."""
    network = Network((2,), (Dense(1, "linear"),))
    params = ({"weight": np.array([[1], [-1]], np.float32), "bias": np.zeros(1, np.float32)},)
    prep = Prep(Layout((2,)), Target("price", "number"), np.zeros(2), np.ones(2), 10.0, 4.0)
    return Model(prep, network, params, Goodness("squared_error"))


COLUMNS = {"length": [1.0, 2.5, -3.0], "width": [0.5, None, 2.0], "colour": ["red", "blue", None]}
X = np.random.default_rng(1).normal(size=(200, 4))


def test_outputs_are_those_of_ten_lines_of_numpy():
    model = array_model()
    first, second = model.params
    h = np.tanh((X - 0.5) / 2.0 @ first["weight"] + first["bias"])
    z = h @ second["weight"] + second["bias"]
    np.testing.assert_allclose(model.outputs(X), z, atol=1e-5)
    assert model.predict(X).tolist() == np.array([3, 5, 8])[z.argmax(axis=1)].tolist()
    confidences = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), confidences, atol=1e-6)


def test_a_number_is_given_in_its_own_unit():
    assert number_model().predict([[1, 0], [0, 0], [0.5, 1]]).tolist() == [14.0, 10.0, 8.0]
    assert number_model().predict([[1, 0]]).dtype == np.float64


@pytest.mark.parametrize(
    "samples",
    [X, X.tolist(), X.astype(object), jax.numpy.asarray(X), (X, np.arange(200)), Table("t", X), Table("t", X, np.arange(200))],
    ids=["array", "list", "objects", "jax", "x and y", "table", "labelled table"],
)  # fmt: skip
def test_one_array_may_come_in_many_forms(samples):
    np.testing.assert_allclose(array_model().outputs(samples), array_model().outputs(X), atol=1e-6)


def test_columns_without_names_in_training_are_taken_in_order():
    frame = pd.DataFrame(X, columns=list("dcba"))
    assert array_model().outputs(frame).tolist() == array_model().outputs(X).tolist()


@pytest.mark.parametrize(
    "samples",
    [
        COLUMNS | {"width": [0.5, np.nan, 2.0], "colour": ["red", "blue", ""]},
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS)[["colour", "width", "length"]],
        pd.DataFrame(COLUMNS).assign(kind="cat", more=1),
        Table(
            "t",
            {
                name: np.array(column, object if name == "colour" else float)
                for name, column in COLUMNS.items()
            },
        ),
    ],
    ids=["mapping", "pandas", "polars", "another order", "more columns", "table"],
)
def test_named_columns_are_found_by_name(samples):
    model = frame_model()
    inputs = np.array([[1, 0.5, 0, 0, 1], [2.5, 0, 1, 1, 0], [-3, 2, 0, 0, 0]])
    expected = inputs @ model.params[0]["weight"] + model.params[0]["bias"]
    np.testing.assert_allclose(model.outputs(samples), expected, atol=1e-5)


def test_a_built_in_name_and_a_file_can_be_predicted(tmp_path):
    assert array_model().predict("iris").shape == (150,)
    (tmp_path / "new.csv").write_text("colour,length,width\nred,1,0.5\nblue,2.5,\n")
    assert (
        frame_model().predict(tmp_path / "new.csv").tolist()
        == frame_model()
        .predict(COLUMNS | {"width": [0.5, np.nan, 2.0], "colour": ["red", "blue", ""]})
        .tolist()[:2]
    )


@pytest.mark.parametrize("model", [array_model(), array_model((2, 2))], ids=["rows", "pictures"])
def test_one_sample_gets_what_it_gets_among_many(model):
    x = X.reshape(200, *model.prep.layout.shape)
    together = model.predict_proba(x)
    for row in (0, 7, 199):
        np.testing.assert_allclose(model.predict_proba(x[row : row + 1])[0], together[row], atol=1e-6)
        np.testing.assert_allclose(model.predict_proba(x[: row + 1])[-1], together[row], atol=1e-6)


@pytest.mark.parametrize("precise", [False, True])
def test_networks_of_one_structure_say_together_what_each_says_alone(precise):
    """Some of them residual, of few inputs, of another structure between them."""
    one = array_model()
    structures = [
        (Dense(5, "silu"), Dense(5, "relu", True), Dense(3, "linear")),
        (Dense(3, "linear"),),
        (Dense(5, "silu"), Dense(5, "relu", True), Dense(3, "linear")),
    ]
    networks = [Network((n_inputs,), layers) for layers in structures for n_inputs in (4, 2)]
    own = [
        tuple({name: array + place for name, array in layer.items()} for layer in params_of(network))
        for place, network in enumerate(networks)
    ]
    model = replace(one, others=tuple(zip(networks, own, strict=True)))
    inputs = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    kind = np.float64 if precise else np.float32
    each = [
        network.predict(
            tuple({name: array.astype(kind) for name, array in layer.items()} for layer in params),
            inputs[:, : network.n_inputs].astype(kind),
        )
        for network, params in model.functions
    ]
    for n in (1, 30):
        together = said_by(alike_ones(model._precise_functions if precise else model.functions), inputs[:n])
        for said, alone in zip(together, each, strict=True):
            assert said.dtype == kind
            np.testing.assert_allclose(said, alone[:n], rtol=1e-12 if precise else 1e-5, atol=1e-6)
    expected = model.goodness.averaged(each)
    np.testing.assert_allclose(model.outputs_for(inputs, precise), expected, rtol=1e-5, atol=1e-6)
    assert len(alike_ones(model.functions)) == 5
    assert model.n_params == sum(network.n_params for network, _ in model.functions)


def test_a_pickle_holds_no_more_once_it_has_answered():
    model = array_model()
    before = pickle.dumps(model)
    model.outputs_for(np.zeros((3, 4), np.float32), precise=True)
    assert len(pickle.dumps(model)) == len(before)
    again = pickle.loads(before)
    np.testing.assert_array_equal(again.outputs(np.ones((2, 4))), model.outputs(np.ones((2, 4))))


def test_confidences_are_those_of_the_goodness_and_sum_to_one():
    model = array_model()
    confidences = model.predict_proba(X)
    np.testing.assert_allclose(
        confidences, model.goodness.predict(jax.numpy.asarray(model.outputs(X))), atol=1e-6
    )
    np.testing.assert_allclose(confidences.sum(axis=1), 1, atol=1e-6)
    assert (confidences.shape, confidences.dtype) == ((200, 3), np.float32)
    confidences[0] = 0  # the caller's own to change


def test_confidences_of_huge_outputs_are_still_numbers():
    model = array_model()
    params = (model.params[0], {part: array * np.float32(1e30) for part, array in model.params[1].items()})
    confidences = replace(model, params=params).predict_proba(X)
    assert np.isfinite(confidences).all()
    assert set(confidences.max(axis=1).tolist()) == {1.0}


def test_another_number_of_samples_compiles_nothing_new(caplog):
    model = array_model()
    model.predict_proba(X[:2])
    with jax.log_compiles(), caplog.at_level(logging.DEBUG, logger="jax"):
        for n_samples in (3, 5, 7, 11, 13):
            assert model.predict_proba(X[:n_samples]).shape == (n_samples, 3)
    assert not [record for record in caplog.records if "ompiling" in record.getMessage()]


def test_no_samples_give_no_predictions():
    none = np.zeros((0, 4))
    assert array_model().predict(none).shape == (0,)
    assert array_model().predict_proba(none).shape == (0, 3)
    assert number_model().predict(np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [((3, 5, 8), np.int64), ((-1, 0, 1), np.int64), ((False, True), np.bool_), ((0.5, 1.5), np.float64), ((1, 1.5), np.float64),
     ((2**63, 2**64 - 1), np.uint64), (("a", "b"), object), (("1", "22"), object)],
)  # fmt: skip
def test_predictions_have_the_type_of_the_classes(classes, dtype):
    model = array_model(classes=classes)
    predictions = model.predict(X)
    assert predictions.dtype == dtype
    assert predictions.tolist() == [classes[index] for index in model.outputs(X).argmax(axis=1)]


@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 3), (4,), (), (1, 4, 4), (5, 0)])
def test_a_wrong_shape_is_a_clear_error(shape):
    for model in (array_model(), array_model((2, 2))):
        with pytest.raises(ts.DataError, match=r"got .*shape"):
            model.predict(np.zeros(shape))


def test_an_array_in_place_of_columns_of_words_is_a_clear_error():
    with pytest.raises(ts.DataError, match="expected columns length, width, colour"):
        frame_model().predict(np.zeros((2, 3)))


def test_a_missing_column_is_named_with_the_nearest_one():
    frame = pd.DataFrame(COLUMNS).rename(columns={"width": "widht"})
    with pytest.raises(ts.DataError, match="missing: width") as caught:
        frame_model().predict(frame)
    assert "did you mean `widht`" in caught.value.hint


def test_words_in_place_of_numbers_are_a_clear_error():
    with pytest.raises(ts.DataError, match=r"'length'.*expected"):
        frame_model().predict(pd.DataFrame(COLUMNS).assign(length="long"))


def test_a_number_has_no_confidences():
    with pytest.raises(ts.DataError, match="'price' is a number and has no classes"):
        number_model().predict_proba([[1, 2]])


@pytest.mark.parametrize("samples", [None, 3, "no-such-file.csv", "", object(), {}, [[1, 2], [3]]])
def test_what_is_no_samples_is_a_clear_error(samples):
    with pytest.raises(ts.DataError):
        array_model().predict(samples)


def test_a_model_saves_itself(tmp_path):
    array_model().save(tmp_path / "m.safetensors")
    loaded = ts.load(tmp_path / "m.safetensors")
    assert loaded.predict(X).tolist() == array_model().predict(X).tolist()
    assert loaded.is_classifier
    assert not number_model().is_classifier
