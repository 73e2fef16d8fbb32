"""The model file: identity, damage, forgery, and the promise to read it for ever."""

import copy
import hashlib
import json
import math
import os
import re
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as load_tensors

import threestep as ts
from threestep.data import Layout, Media, Prep, Target
from threestep.goodness import Goodness
from threestep.model import MODEL_FORMAT, Model, load, model_bytes, model_of_bytes
from threestep.model.records import Description
from threestep.network import Blocks, Conv, Dense, Network, Pool

SQUARED = Goodness("squared_error")
GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = Path(__file__).parent.parent / "docs" / "model_file.md"
HASH = slice(52, 116)


# ── models made by hand: every number is a short binary fraction, so results are exact everywhere ──


def fractions(shape: tuple[int, ...]) -> np.ndarray:
    """Quarters between -1.5 and 1.5 with no random generator behind them."""
    values = ((np.arange(math.prod(shape)) * 3 + 2 * len(shape)) % 13 - 6) / 4
    return values.reshape(shape).astype(np.float32)


def params_of(network: Network) -> tuple[dict, ...]:
    """Fixed params of any network."""
    return tuple(
        {"weight": fractions((fan, layer.width)), "bias": fractions((layer.width,))}
        for fan, layer in zip(network.fans, network.layers)
    )


def class_model() -> Model:
    """Named columns of numbers (one with gaps) and of words; three classes with unruly names."""
    layout = Layout((), ("größe", '"w"\n'), (1,), (("色", ("blå", "röd")),), ("id <b>",))
    target = Target("klass", "classes", ("<script>", 'b"\\', "är"), "3 different words")
    prep = Prep(layout, target, np.array([2.0, 0.5, 0, 0, 0]), np.array([2.0, 0.25, 1, 1, 1]))
    network = Network((5,), (Dense(4, "relu"), Dense(3, "linear")))
    scores = {"test": {"n_samples": 3, "loss": 0.1, "accuracy": 1.0}, "train": {"r2": float("nan")}}
    return Model(prep, network, params_of(network), Goodness("cross_entropy", 0.125), scores)


def number_model() -> Model:
    """Pictures of 2 x 2, and a number as target."""
    prep = Prep(
        Layout((2, 2)),
        Target("price", "number"),
        np.zeros(4),
        np.full(4, 4.0),
        target_center=-10.0,
        target_scale=2.5,
    )
    network = Network((4,), (Dense(3, "relu"), Dense(1, "linear")))
    return Model(prep, network, params_of(network), Goodness("squared_error"), {"valid": {"r2": 0.5}})


def ensemble_model() -> Model:
    """The pictures again, by a residual network and a linear one: only format 2 holds them."""
    residual = Network((4,), (Dense(3, "relu"), Dense(3, "relu", residual=True), Dense(1, "linear")))
    linear = Network((4,), (Dense(1, "linear"),))
    others = ((linear, params_of(linear)),)
    return replace(number_model(), network=residual, params=params_of(residual), others=others)


CLASS_SAMPLES = {"größe": [2.0, 6.0, 0.0], '"w"\n': [0.5, float("nan"), 1.0], "色": ["röd", "blå", "green"]}
CLASS_OUTPUTS = [[-1.125, 1.5, 2.5], [1.3125, 4.875, -2.125], [-1.6875, 4.125, 6.6875]]
NUMBER_SAMPLES = [[[0, 4], [8, 12]], [[4, 4], [4, 4]], [[0, 0], [0, 0]]]
NUMBER_PREDICTIONS = [-4.6875, -7.34375, -11.25]
ENSEMBLE_PREDICTIONS = [-11.25, -10.41015625, -11.71875]


def new_model() -> Model:
    """Everything that only format 3 can hold: bins, several numbers, another loss, quantiles, a temperature."""
    layout = Layout(numbers=("a", "b"), bins=(2, 0))
    bins = np.array([[0.0, 1.0], [1.0, 0.5]])
    target = Target("t", "number", (), "2 columns of numbers", 2)
    prep = Prep(layout, target, np.zeros(4), np.ones(4), (1.0, 2.0), (3.0, 4.0), bins)
    network = ts.network.parse("3 tanh", (4,), 2)
    return Model(prep, network, network.init(1), ts.goodness.Goodness("huber", delta=0.5))


def label_model() -> Model:
    """Labels, with a temperature."""
    target = Target("t", "labels", (), "as asked", 2)
    prep = Prep(Layout(numbers=("a", "b")), target, np.zeros(2), np.ones(2))
    network = ts.network.parse("3 tanh", (2,), 2)
    goodness = ts.goodness.Goodness("sigmoid_cross_entropy")
    return Model(prep, network, network.init(1), goodness, temperature=0.75)


def picture_model() -> Model:
    """Format 4: files of pictures, a convolution, a pool, two residual blocks in a row, neurons."""
    layout = Layout(shape=(6, 4, 3), media=Media("picture", 6, 4, 3))
    layers = (Conv(2, 3, 2), Pool("mean", 3, 1), Blocks(2, "basic", 2), Dense(3, "linear"))
    network = Network((6, 4, 3), layers)
    params = tuple(
        {
            name: np.abs(fractions(shape)) + 0.5 if name.endswith("variance") else fractions(shape)
            for name, shape in own.items()
        }
        for own in network.param_shapes
    )
    prep = Prep(layout, Target("class", "classes", ("a", "b", "c"), ""), np.zeros(72), np.full(72, 256.0))
    return Model(prep, network, params, Goodness("cross_entropy"))


def strays_model() -> Model:
    """Format 5: a column of numbers with words among them."""
    layout = Layout(numbers=("a", "b"), gaps=(1,), with_strays=("b",))
    prep = Prep(layout, Target("t", "classes", ("no", "yes")), np.zeros(3), np.ones(3))
    network = ts.network.parse("3 tanh", (3,), 2)
    return Model(prep, network, params_of(network), Goodness())


def clipped_model() -> Model:
    """Format 6: numbers that are clipped."""
    layout = Layout(numbers=("a", "b"), gaps=(1,), clip=2.0, with_tails=(1,))
    prep = Prep(layout, Target("t", "classes", ("no", "yes")), np.zeros(3), np.ones(3))
    network = ts.network.parse("3 tanh", (3,), 2)
    return Model(prep, network, params_of(network), Goodness())


def means_model() -> Model:
    """Format 7: a category of which one level has an input, and all say what the target usually is."""
    layout = Layout(numbers=("a",), words=(("town", ("x",)),), means=(("town", ("x", "y", "z")),), n_means=1)
    means = np.array([[0.5], [-1.25], [0.0]])
    prep = Prep(layout, Target("t", "classes", ("no", "yes")), np.zeros(3), np.ones(3), means=means)
    network = ts.network.parse("3 tanh", (3,), 2)
    return Model(prep, network, params_of(network), Goodness())


def written_model() -> Model:
    """Format 8: numbers, the target among them, that were not written as Python does."""
    layout = Layout(numbers=("a", "b"), written=(("b", ",", "kg"), ("t", ".", "$")))
    target = Target("t", "number")
    prep = Prep(layout, target, np.zeros(2), np.ones(2), 0.5, 2.0)
    network = ts.network.parse("3 tanh", (2,), 1)
    return Model(prep, network, params_of(network), Goodness("squared_error"))


PICTURES = (np.arange(2 * 72) * 37 % 256).reshape(2, 6, 4, 3).astype(np.uint8)
PICTURE_OUTPUTS = [
    [-1.158998, -0.127421, 1.124880],
    [-1.171827, -0.117314, 1.150969],
]


def make_golden_files(folder: Path) -> None:
    """How the files in tests/golden were made, once. Never run it again on a format that is there."""
    class_model().save(folder / "model_v1.safetensors")
    number_model().save(folder / "number_model_v1.safetensors")
    ensemble_model().save(folder / "ensemble_model_v2.safetensors")
    new_model().save(folder / "numbers_model_v3.safetensors")
    label_model().save(folder / "label_model_v3.safetensors")
    half_blind_model().save(folder / "half_blind_model_v3.safetensors")
    picture_model().save(folder / "picture_model_v4.safetensors")
    strays_model().save(folder / "strays_model_v5.safetensors")
    clipped_model().save(folder / "clipped_model_v6.safetensors")
    means_model().save(folder / "means_model_v7.safetensors")
    written_model().save(folder / "written_model_v8.safetensors")


def same(a: Model, b: Model) -> bool:
    """Whether two models are equal in every bit and setting."""
    leaves = [jax.tree.leaves((m.prep[2:4], m.params, [params for _, params in m.others])) for m in (a, b)]
    arrays = zip(*leaves, strict=True)
    equal = all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in arrays)
    plain = [
        repr(
            (
                m.prep[:2],
                m.prep[4:],
                m.network,
                m.goodness,
                m.scores,
                [network for network, _ in m.others],
                m.temperature,
                m.threshold,
                m.shifts,
            )
        )
        for m in (a, b)
    ]
    return equal and plain[0] == plain[1]


# ── identity ──

MADE = [(class_model, CLASS_SAMPLES), (number_model, NUMBER_SAMPLES), (ensemble_model, NUMBER_SAMPLES)]


@pytest.mark.parametrize(("make", "samples"), MADE)
def test_a_saved_model_comes_back_the_same_in_every_bit(tmp_path, make, samples):
    model = make()
    model.save(tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    assert same(model, loaded)
    assert loaded.outputs(samples).tobytes() == model.outputs(samples).tobytes()
    assert loaded.predict(samples).tolist() == model.predict(samples).tolist()
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.mark.parametrize("make", [make for make, _ in MADE])
def test_reading_and_writing_again_gives_the_same_bytes(make):
    content = model_bytes(make())
    assert content == model_bytes(make())
    assert content == model_bytes(model_of_bytes(content))


def test_jax_arrays_and_transposed_arrays_are_written_as_what_they_hold():
    model = number_model()
    on_device = replace(model, params=jax.tree.map(jax.numpy.asarray, model.params))
    transposed = replace(model, params=jax.tree.map(np.asfortranarray, model.params))
    assert model_bytes(on_device) == model_bytes(transposed) == model_bytes(model)


def test_the_safetensors_library_reads_the_same_arrays():
    model = class_model()
    tensors = load_tensors(model_bytes(model))
    assert tensors["prep.center"].tolist() == model.prep.center.tolist()
    assert tensors["layer.1.weight"].tolist() == model.params[1]["weight"].tolist()
    assert {name: tensor.dtype.name for name, tensor in tensors.items() if name.startswith("layer")} == {
        f"layer.{index}.{part}": "float32" for index in (0, 1) for part in ("weight", "bias")
    }


def test_a_folder_stands_for_the_model_in_it(tmp_path):
    number_model().save(tmp_path / "model.safetensors")
    assert same(load(str(tmp_path)), number_model())


labels = st.one_of(
    st.lists(st.text(max_size=8), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=4, unique=True),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4, unique_by=str),
    st.just([False, True]),
)


@settings(max_examples=150, deadline=None)
@given(
    classes=labels,
    names=st.lists(st.text(max_size=8), min_size=3, max_size=3, unique=True),
    levels=st.lists(st.text(max_size=8), min_size=1, max_size=3, unique=True),
    scores=st.dictionaries(
        st.text(max_size=5), st.dictionaries(st.text(max_size=5), st.floats() | st.integers())
    ),
)
def test_any_text_and_any_label_survives(classes, names, levels, scores):
    scores = {
        part: {key: math.nan if abs(v) == math.inf else v for key, v in own.items()}
        for part, own in scores.items()
    }
    layout = Layout((), tuple(names[:1]), (), ((names[1], tuple(levels)),), (names[2],))
    network = Network((1 + len(levels),), (Dense(len(classes), "linear"),))
    center = np.zeros(1 + len(levels))
    prep = Prep(layout, Target(names[0], "classes", tuple(classes), names[1]), center, center + 1)
    model = Model(prep, network, params_of(network), Goodness(), scores)
    content = model_bytes(model)
    assert same(model_of_bytes(content), model)
    assert model_bytes(model_of_bytes(content)) == content


@pytest.mark.parametrize(
    "label", [True, 3, -1, 2**64 - 1, 0.1, -0.0, 5e-324, "3", "True", "", "é\u2028\x00\x7f"]
)
def test_a_class_label_keeps_its_type(label):
    model = number_model()
    prep = model.prep._replace(target=Target("t", "classes", (label,)), target_center=0.0, target_scale=1.0)
    loaded = model_of_bytes(model_bytes(replace(model, prep=prep, goodness=Goodness())))
    (got,) = loaded.prep.target.classes
    assert (type(got), repr(got)) == (type(label), repr(label))


@pytest.mark.parametrize(
    "name", ["0" * 64, '"sha256":"' + "0" * 64, '{\\"sha256\\":\\"', "__metadata__", '"data_offsets"']
)
def test_columns_named_like_parts_of_the_file_do_no_harm(name):
    model = number_model()
    layout = Layout((), (name, "a", "b", "c"), (), (), (name, name))
    model = replace(model, prep=model.prep._replace(layout=layout, target=Target(name, "number", (), name)))
    content = model_bytes(model)
    assert same(model_of_bytes(content), model)
    for at in range(0, len(content), 3):
        with pytest.raises(ts.ModelFileError):
            model_of_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


def test_scores_that_are_not_finite_come_back_as_nan():
    model = replace(number_model(), scores={"test": {"r2": math.inf, "n_samples": 1}})
    scores = model_of_bytes(model_bytes(model)).scores
    assert math.isnan(scores["test"]["r2"])
    assert type(scores["test"]["n_samples"]) is int


# ── what cannot be saved says so, and leaves no trace ──


def with_layout(model: Model, **changes) -> Model:
    return replace(model, prep=model.prep._replace(layout=replace(model.prep.layout, **changes)))


def with_target(model: Model, **changes) -> Model:
    return replace(model, prep=model.prep._replace(target=replace(model.prep.target, **changes)))


def with_weight(model: Model, value: Any) -> Model:
    return replace(model, params=({**model.params[0], "weight": value}, *model.params[1:]))


UNSAVABLE: dict[str, Callable[[Model], Model]] = {
    "half a surrogate pair in a column's name": lambda m: with_layout(m, left_out=("\ud800",)),
    "half a surrogate pair in a class": lambda m: with_target(m, classes=("a", "b", "\udfff")),
    "a NaN among the params": lambda m: with_weight(m, np.full((5, 4), np.nan, np.float32)),
    "an infinite param": lambda m: with_weight(m, np.full((5, 4), np.inf, np.float32)),
    "a param too large for float32": lambda m: with_weight(m, np.full((5, 4), 1e30) * 1e30),
    "params of another shape": lambda m: with_weight(m, np.zeros((4, 5), np.float32)),
    "params of fewer layers": lambda m: replace(m, params=m.params[:1]),
    "a layer without bias": lambda m: replace(m, params=({"weight": m.params[0]["weight"]}, m.params[1])),
    "text among the params": lambda m: with_weight(m, np.full((5, 4), "a")),
    "a scale of zero": lambda m: replace(m, prep=m.prep._replace(scale=np.zeros(5))),
    "a NaN center": lambda m: replace(m, prep=m.prep._replace(center=np.full(5, np.nan))),
    "a target without end": lambda m: replace(m, prep=m.prep._replace(target_center=math.inf)),
    "a NaN class": lambda m: with_target(m, classes=("a", "b", math.nan)),
    "a class of NumPy's": lambda m: with_target(m, classes=(np.int64(1), np.int64(2), np.int64(3))),
    "a class twice": lambda m: with_target(m, classes=("a", "b", "a")),
    "classes that print the same": lambda m: with_target(m, classes=("a", "1", 1)),
    "fewer classes than outputs": lambda m: with_target(m, classes=("a", "b")),
    "an unknown kind": lambda m: with_target(m, kind="ranks"),
    "a loss of another kind": lambda m: replace(m, goodness=Goodness("squared_error")),
    "a column twice": lambda m: with_layout(m, numbers=("a", "a")),
    "a gap that is no column": lambda m: with_layout(m, gaps=(2,)),
    "a column of words without levels": lambda m: with_layout(m, words=(("a", ()), ("b", ("c", "d")))),
    "an unknown activation": lambda m: replace(
        m, network=Network((5,), (Dense(4, "relu"), Dense(3, "cosine")))
    ),
    "networks of different inputs": lambda m: replace(m, others=((Network((4,), (Dense(3),)), ()),)),
    "others without params": lambda m: replace(m, others=((m.network, ()),)),
    "no layers": lambda m: replace(m, network=Network((5,), ()), params=()),
    "a width of zero": lambda m: replace(m, network=Network((5,), (Dense(0), Dense(3)))),
    "more text than a header may hold": lambda m: with_layout(m, left_out=("x" * (16 << 20),)),
}


@pytest.mark.parametrize("what", UNSAVABLE)
def test_a_model_that_could_not_be_loaded_is_not_saved(tmp_path, what):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    with (
        np.errstate(over="ignore"),
        pytest.raises(ts.ModelFileError, match="this model cannot be saved") as caught,
    ):
        UNSAVABLE[what](class_model()).save(path)
    assert len(caught.value.message) < 300
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["m.safetensors"])


@pytest.mark.parametrize("name", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, name, error):
    path = tmp_path / "m.safetensors"
    number_model().save(path)
    before = path.read_bytes()

    def fail(*arguments):
        raise error

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ts.ModelFileError):
        class_model().save(path)
    assert (path.read_bytes(), os.listdir(tmp_path)) == (before, ["m.safetensors"])


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in ("no/folder/m", "file/m", "nul\0", "x" * 300, ""):
        with pytest.raises(ts.ModelFileError, match=r"cannot be written|not a file"):
            number_model().save(tmp_path / path)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_what_is_not_a_file_is_neither_read_nor_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for touch in (number_model().save, load):
        with pytest.raises(ts.ModelFileError, match="is not a file"):
            touch(pipe)
    assert pipe.is_fifo()


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path):
    path, models = tmp_path / "m.safetensors", [class_model(), number_model()]
    writers = [threading.Thread(target=models[index % 2].save, args=(path,)) for index in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert any(same(load(path), model) for model in models)
    assert os.listdir(tmp_path) == ["m.safetensors"]


# ── damage: 0 crashes, 0 silently accepted ──


def flip_bits(rng: np.random.Generator, content: bytearray) -> None:
    for _ in range(rng.integers(1, 4)):
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)


def cut(rng: np.random.Generator, content: bytearray) -> None:
    del content[rng.integers(len(content)) :]


def insert(rng: np.random.Generator, content: bytearray) -> None:
    at = rng.integers(len(content) + 1)
    content[at:at] = rng.bytes(rng.integers(1, 20))


def delete(rng: np.random.Generator, content: bytearray) -> None:
    at = rng.integers(len(content))
    del content[at : at + rng.integers(1, 20)]


def swap_blocks(rng: np.random.Generator, content: bytearray) -> None:
    size = rng.integers(1, 64)
    a, b = rng.integers(len(content) - size, size=2)
    content[a : a + size], content[b : b + size] = content[b : b + size], content[a : a + size]


def zero(rng: np.random.Generator, content: bytearray) -> None:
    at = rng.integers(len(content))
    content[at : at + 16] = bytes(len(content[at : at + 16]))


def overwrite(rng: np.random.Generator, content: bytearray) -> None:
    at = rng.integers(len(content) - 8)
    content[at : at + 8] = rng.bytes(8)


def append(rng: np.random.Generator, content: bytearray) -> None:
    content += bytes(int(rng.integers(1, 9))) if rng.integers(2) else rng.bytes(rng.integers(1, 99))


MUTATIONS = (flip_bits, cut, insert, delete, swap_blocks, zero, overwrite, append)


def test_forty_thousand_damaged_files_are_all_refused():
    rng = np.random.default_rng(0)
    originals = [model_bytes(class_model()), model_bytes(number_model())]
    n_refused = 0
    while n_refused < 40_000:
        original = originals[n_refused % 2]
        content = bytearray(original)
        MUTATIONS[n_refused % len(MUTATIONS)](rng, content)
        if content == original:
            continue
        with pytest.raises(ts.ModelFileError):
            model_of_bytes(bytes(content))
        n_refused += 1


def test_every_single_bit_and_every_length_counts():
    content = model_bytes(number_model())
    for at in range(len(content)):
        damaged = bytearray(content)
        for bit in range(8):
            damaged[at] = content[at] ^ (1 << bit)
            with pytest.raises(ts.ModelFileError):
                model_of_bytes(bytes(damaged))
        with pytest.raises(ts.ModelFileError):
            model_of_bytes(content[:at])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_other_bytes_in_place_of_any_part_are_refused(data):
    content = model_bytes(class_model())
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    changed = content[:start] + data.draw(st.binary(max_size=64)) + content[end:]
    if changed != content:
        with pytest.raises(ts.ModelFileError):
            model_of_bytes(changed)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_refused(content):
    with pytest.raises(ts.ModelFileError):
        model_of_bytes(content)


OTHER_FILES = {
    "nothing": b"",
    "zeros": bytes(1000),
    "text": b"hello, this is no model " * 50,
    "a zip": b"PK\x03\x04" + bytes(100),
    "a pickle": b"\x80\x04\x95\x11\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94." * 9,
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(200),
    "a safetensors file of another program": (64).to_bytes(8, "little")
    + b'{"__metadata__":{"format":"pt"}}'.ljust(64),
    "the beginning of one": model_bytes(number_model())[:40],
}


@pytest.mark.parametrize("what", OTHER_FILES)
def test_a_file_of_another_program_is_called_so(tmp_path, what):
    (tmp_path / "m").write_bytes(OTHER_FILES[what])
    with pytest.raises(ts.ModelFileError, match="not a model file of threestep"):
        load(tmp_path / "m")


@pytest.mark.parametrize("path", ["missing", "", "missing/too", "nul\0"])
def test_a_missing_file_is_a_clear_error(tmp_path, path):
    with pytest.raises(ts.ModelFileError, match="cannot be read"):
        load(tmp_path / path)


# ── forgery: the header is changed and the file hashed anew ──


def parts_of(content: bytes) -> tuple[dict, dict, bytes]:
    """The description, the tensor entries and the data of a file."""
    n_header = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n_header])
    description = json.loads(header.pop("__metadata__")["threestep"])
    return description, header, content[8 + n_header :]


def quoted(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def forged(description: dict | str, entries: dict | str, data: bytes) -> bytes:
    """A file with the hash it should have; text is taken as it is."""
    text = description if isinstance(description, str) else quoted({**description, "sha256": "0" * 64})
    rest = entries if isinstance(entries, str) else quoted(entries)[1:]
    header = f'{{"__metadata__":{{"threestep":{quoted(text)}}},{rest}'.encode("utf-8", "surrogatepass")
    header += b" " * (-len(header) % 8)
    content = len(header).to_bytes(8, "little") + header + data
    blank = content[: HASH.start] + b"0" * 64 + content[HASH.stop :]
    return content[: HASH.start] + hashlib.sha256(blank).hexdigest().encode() + content[HASH.stop :]


def fitting(description: dict) -> tuple[dict, bytes] | None:
    """Entries and data as the description's network needs them, if they are of a small size."""
    entries, data = {}, b""
    try:
        network = description["network"]
        n_inputs = math.prod(network["input_shape"])
        fans = [n_inputs, *(layer["width"] for layer in network["layers"])]
        wanted = {"prep.center": ("F64", [n_inputs]), "prep.scale": ("F64", [n_inputs])}
        for index, layer in enumerate(network["layers"]):
            wanted[f"layer.{index}.weight"] = ("F32", [fans[index], layer["width"]])
            wanted[f"layer.{index}.bias"] = ("F32", [layer["width"]])
        for name, (dtype, shape) in wanted.items():
            if not 0 <= math.prod(shape) <= 10_000:
                return None
            new = np.ones(shape, {"F64": "<f8", "F32": "<f4"}[dtype]).tobytes()
            entries[name] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [len(data), len(data) + len(new)],
            }
            data += new
    except (KeyError, TypeError, ValueError, AttributeError, MemoryError):
        return None
    return entries, data


def is_sound(content: bytes) -> bool:
    """False if refused; if taken, the model predicts finite numbers and can be saved and loaded."""
    try:
        model = model_of_bytes(content)
    except ts.ModelFileError as error:
        assert 0 < len(error.message) < 500  # noqa: PT017 - refusing is one of two right answers
        return False
    layout = model.prep.layout
    words = {name: np.array([levels[0], "?"], object) for name, levels in layout.words}
    numbers = {name: np.array([-1.0, np.nan]) for name in layout.numbers}
    samples = np.ones((2, *layout.shape)) if layout.shape else {**numbers, **words}
    assert np.isfinite(model.outputs(samples)).all()
    predictions = model.predict_proba(samples) if model.is_classifier else model.predict(samples)
    assert np.isfinite(predictions).all()
    assert len(model.predict(samples)) == 2
    assert same(model_of_bytes(model_bytes(model)), model)
    return True


def test_a_forger_who_changes_nothing_is_taken():
    for model in (class_model(), number_model()):
        content = model_bytes(model)
        assert forged(*parts_of(content)) == content
        description, _, _ = parts_of(content)
        assert is_sound(forged(description, *(fitting(description) or ({}, b""))))


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value inside plain data."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, (*path, key))


def changed(value: Any, path: tuple, change: Callable[[Any, Any], None]) -> Any:
    """A copy with `change(holder, key)` done at one place."""
    fresh = copy.deepcopy(value)
    holder = fresh
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return fresh


def put(value: Any) -> Callable[[Any, Any], None]:
    """A change that sets the value."""
    return lambda holder, key: holder.__setitem__(key, value)


HOSTILE_VALUES: list[Any] = [
    None, True, 0, 1, -1, 2, 2**31, 2**32, 2**63, 2**64, 10**30, 10**4000, 0.5, -0.0, 1e308, math.nan, math.inf,
    "", "a", "0" * 64, "cross_entropy", "linear", "tanh", "classes", "number", "\ud800", "\x00",
    [], [0], [1], [-1, -5], [2**32, 2**32], [5], [1] * 33, ["a", "a"], ["a"], [[]], [["a", []]], [["a", ["b"]]], [1, 0.5, "x"],
    [math.nan, 1, 2], {}, {"a": 1}, {"width": 3, "activation": "linear"}, [{"width": 3, "activation": "linear"}],
]  # fmt: skip


@pytest.mark.parametrize("make", [class_model, number_model])
def test_a_forged_value_anywhere_in_the_description_never_crashes(make):
    description, entries, data = parts_of(model_bytes(make()))
    n_sound = n_all = 0
    for path in places(description):
        for value in HOSTILE_VALUES:
            forgery = changed(description, path, put(value))
            n_sound += is_sound(forged(forgery, entries, data))
            n_all += 1
            if path[0] == "network" and (fits := fitting(forgery)):
                is_sound(forged(forgery, *fits))
    assert n_all > 1000
    assert 0 < n_sound < n_all / 5  # names, reasons and scores may be anything


@pytest.mark.parametrize("make", [class_model, number_model])
def test_a_missing_unknown_or_repeated_entry_is_refused(make):
    description, entries, data = parts_of(model_bytes(make()))

    def rename(holder, key):
        holder[f"{key}2"] = holder.pop(key)

    def add(holder, key):
        holder["unknown"] = 1

    for path in places(description):
        if isinstance(path[-1], str) and path[0] != "scores":
            for change in (dict.__delitem__, rename, add):
                assert not is_sound(forged(changed(description, path, change), entries, data)), path
    text = quoted({**description, "sha256": "0" * 64})
    repeated = re.sub(r'("width":\d+)', r"\1,\1", text, count=1)
    for bad in (
        repeated,
        text[:-1] + ',"format":1}',
        text[:-1] + f',"sha256":"{"0" * 64}"}}',
        text[:-1],
        text + "1",
        f"{text}x",
    ):
        assert not is_sound(forged(bad, entries, data)), bad


BAD_NUMBERS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "01",
    "1.",
    "+1",
    "0x10",
    "1_0",
    "9" * 5000,
    "1e-999999",
]


@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_odd_ways_to_write_a_number_never_crash(number):
    description, entries, data = parts_of(model_bytes(number_model()))
    text = quoted({**description, "sha256": "0" * 64})
    for old in (
        '"center":-10.0',
        '"scale":2.5',
        '"width":3',
        '"r2":0.5',
        '"format":1',
        '"label_smoothing":0.0',
    ):
        assert old in text
        assert (
            not is_sound(forged(text.replace(old, old.split(":")[0] + ":" + number), entries, data))
            or number == "1e-999999"
        )


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_deep_nesting_is_refused(opening):
    description, entries, data = parts_of(model_bytes(number_model()))
    text = quoted({**description, "sha256": "0" * 64})
    deep = text[:-1] + ',"more":' + opening * 500_000
    assert not is_sound(forged(deep, entries, data))
    depth = 900
    closing = "".join({"[": "]", "{": "}"}.get(letter, "") for letter in reversed(opening))
    assert not is_sound(
        forged(text[:-1] + ',"more":' + opening * depth + "1" + closing * depth + "}", entries, data)
    )
    assert not is_sound(forged(description, '"a":' + opening * 500_000 + quoted(entries)[1:], data))


@pytest.mark.parametrize("make", [class_model, number_model])
def test_forged_tensors_are_refused(make):
    description, entries, data = parts_of(model_bytes(make()))
    values = [
        None,
        0,
        1,
        -8,
        2**31,
        2**63,
        2**64,
        10**4000,
        0.5,
        "F32",
        "F64",
        "BF16",
        "F4",
        "I64",
        "X",
        [],
        [0],
        [2**32, 2**32],
        [0, 8],
        [8, 0],
        {},
    ]
    for path in places(entries):
        for value in values:
            forgery = changed(entries, path, put(value))
            assert forgery == entries or not is_sound(forged(description, forgery, data)), (path, value)
        if isinstance(path[-1], str):
            assert not is_sound(forged(description, changed(entries, path, dict.__delitem__), data))
    names = list(entries)
    swapped = {**entries, names[0]: entries[names[1]], names[1]: entries[names[0]]}  # offsets overlap nothing
    extra = {"dtype": "F32", "shape": [0], "data_offsets": [len(data), len(data)]}
    others = [
        dict(reversed(entries.items())),
        swapped,
        {**entries, names[1]: entries[names[0]]},
        {**entries, "more": extra},
        {"more": extra, **entries},
        {f"{name}x": entry for name, entry in entries.items()},
        {},
    ]
    for forgery in others:
        assert not is_sound(forged(description, forgery, data))
    text = quoted(entries)[1:]
    for forgery in (
        f"{text[:-1]},{text}",
        " " + text,
        text + " " * 64,
        text + "\n",
        text.replace(",", ", ", 1),
        '"__metadata__":{},' + text,
    ):
        assert not is_sound(forged(description, forgery, data)), forgery


def test_forged_arrays_are_refused():
    description, entries, data = parts_of(model_bytes(number_model()))
    for value, start, dtype in (
        (np.nan, 0, "<f8"),
        (0, 32, "<f8"),
        (-1, 32, "<f8"),
        (np.inf, 64, "<f4"),
        (np.nan, len(data) - 4, "<f4"),
    ):
        new = np.array(value, dtype).tobytes()
        assert not is_sound(forged(description, entries, data[:start] + new + data[start + len(new) :]))
    for other in (data[:-4], data + bytes(4), b"", data * 2):
        assert not is_sound(forged(description, entries, other))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.sampled_from([class_model, ensemble_model]))
def test_any_forgery_is_refused_or_sound(data, make):
    description, entries, numbers = parts_of(model_bytes(make()))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(description))))
        value = data.draw(plain)
        description = changed(description, path, put(value))
    is_sound(forged(description, entries, numbers))
    if fits := fitting(description):
        is_sound(forged(description, *fits))


def test_a_newer_version_is_called_so_and_a_damaged_one_is_not():
    description, entries, data = parts_of(model_bytes(number_model()))
    newer = {**description, "format": MODEL_FORMAT + 1, "network": "another idea", "more": [1, 2]}
    content = forged(
        newer, {"x": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}, data
    )
    with pytest.raises(
        ts.ModelFileError, match=f"has format {MODEL_FORMAT + 1}.*reads up to {MODEL_FORMAT}"
    ) as caught:
        model_of_bytes(content)
    assert "upgrade" in caught.value.hint
    with pytest.raises(ts.ModelFileError, match="damaged"):
        model_of_bytes(content[:-1] + b"!")
    for version in (0, -1, True, "1", 1.0, None, [1], 2):
        with pytest.raises(ts.ModelFileError, match="damaged"):
            model_of_bytes(forged({**description, "format": version}, entries, data))


# ── sizes: nothing large is made or read before it is known to be sound ──


def peak_bytes(action: Callable[[Any], object], argument: object) -> int:
    """The most memory that Python held while it ran."""
    tracemalloc.start()
    try:
        with pytest.raises(ts.ModelFileError):
            action(argument)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("width", [10**5, 2**31, 2**40, 10**4000])
def test_an_absurd_width_takes_no_memory(width):
    description, entries, data = parts_of(model_bytes(number_model()))
    description["network"]["layers"][0]["width"] = width
    n_wanted = 64 + 4 * (5 * width + width + 1)
    for last in (len(data), n_wanted):
        entries["layer.1.bias"]["data_offsets"][1] = last
        content = forged(description, json.dumps(entries)[1:] if width < 10**100 else quoted({})[1:], data)
        assert peak_bytes(model_of_bytes, content) < 2 << 20


def test_shapes_without_end_take_neither_time_nor_memory():
    description, entries, data = parts_of(model_bytes(number_model()))
    for key, value in (
        ("input_shape", [2**62] * 100_000),
        ("layers", [{"width": 1, "activation": "relu"}] * 50_000),
    ):
        forgery = {**description, "network": {**description["network"], key: value}}
        content = forged(forgery, entries, data)
        assert peak_bytes(model_of_bytes, content) < 40 * len(content)
    forgery = {**description, "layout": {**description["layout"], "shape": [2**62] * 100_000}}
    assert peak_bytes(model_of_bytes, forged(forgery, entries, data)) < 40 << 20


def test_a_huge_file_is_refused_by_its_first_bytes(tmp_path):
    content = model_bytes(number_model())
    starts = {
        "foreign": b"RIFF" * 100,
        "a header that fills it": (13 << 30).to_bytes(8, "little") + content[8:],
        "a header as long as may be": (16 << 20).to_bytes(8, "little") + content[8:],
        "appended to": content,
    }
    for what, start in starts.items():
        path = tmp_path / what
        with path.open("wb") as file:
            file.write(start)
            file.truncate(14 << 30)  # sparse: takes no space
        assert peak_bytes(load, path) < 64 << 20, what


def test_a_file_larger_than_any_model_is_refused_unread(tmp_path):
    description, entries, _ = parts_of(model_bytes(number_model()))
    entries["layer.1.bias"]["data_offsets"][1] = 17 << 30
    start = forged(description, entries, b"")
    with (tmp_path / "m").open("wb") as file:
        file.write(start)
        file.truncate(len(start) + (17 << 30))
    assert peak_bytes(load, tmp_path / "m") < 64 << 20
    with pytest.raises(ts.ModelFileError, match=f"expected at most {16 << 30}"):
        load(tmp_path / "m")


def test_reading_and_writing_copy_no_array(tmp_path):
    network = Network((1000,), (Dense(2000, "linear"),))
    target = Target("t", "classes", tuple(range(2000)))
    prep = Prep(Layout((1000,)), target, np.zeros(1000), np.ones(1000))
    model = Model(prep, network, params_of(network), Goodness())
    n_bytes = 8_000_000
    tracemalloc.start()
    try:
        model.save(tmp_path / "m")
        assert tracemalloc.get_traced_memory()[1] < 0.5 * n_bytes
        loaded = load(tmp_path / "m")
        assert tracemalloc.get_traced_memory()[1] < 1.5 * n_bytes
    finally:
        tracemalloc.stop()
    assert not loaded.params[0]["weight"].flags.owndata


# ── the promise ──


def test_the_golden_model_gives_the_predictions_it_always_gave():
    model = load(GOLDEN / "model_v1.safetensors")
    assert model.outputs(CLASS_SAMPLES).tolist() == CLASS_OUTPUTS
    assert model.predict(CLASS_SAMPLES).tolist() == ["är", 'b"\\', "är"]
    exact = np.exp(CLASS_OUTPUTS) / np.exp(CLASS_OUTPUTS).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(CLASS_SAMPLES), exact, atol=1e-6)
    assert same(model, class_model())


def test_the_golden_picture_model_gives_the_predictions_it_always_gave():
    model = load(GOLDEN / "picture_model_v4.safetensors")
    np.testing.assert_allclose(model.outputs(PICTURES), PICTURE_OUTPUTS, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_the_document(model, PICTURES), PICTURE_OUTPUTS, rtol=1e-5, atol=1e-6)
    assert same(model, picture_model())


def by_the_document(model: Model, pictures: np.ndarray) -> np.ndarray:
    """The outputs as docs/model_file.md describes them, in plain loops and double precision."""
    conv, _, blocks, last = model.params
    h = pictures / 256.0
    h = np.maximum(0, normalized(convolved(h, conv["weight"], 2), conv))
    around = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = h.shape[1:3]
    h = sum(around[:, r : r + rows, c : c + columns] for r in range(3) for c in range(3)) / 9
    for block in range(2):
        own = {
            part: {
                name.split(".")[1]: array[block] for name, array in blocks.items() if name.startswith(part)
            }
            for part in ("first", "second")
        }
        inner = np.maximum(0, normalized(convolved(h, own["first"]["weight"], 1), own["first"]))
        h = np.maximum(0, h + normalized(convolved(inner, own["second"]["weight"], 1), own["second"]))
    return h.reshape(len(h), -1) @ last["weight"].astype(np.float64) + last["bias"]


def convolved(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = ((side - 1) // stride + 1 for side in x.shape[1:3])
    out = np.zeros((len(x), rows, columns, kernel.shape[-1]))
    for row in range(rows):
        for column in range(columns):
            seen = padded[:, row * stride : row * stride + 3, column * stride : column * stride + 3]
            out[:, row, column] = np.einsum("nijc,ijcf->nf", seen, kernel.astype(np.float64))
    return out


def normalized(z: np.ndarray, own: dict) -> np.ndarray:
    return own["scale"] * (z - own["mean"]) / np.sqrt(own["variance"] + 1e-5) + own["shift"]


def test_the_golden_number_model_gives_the_predictions_it_always_gave():
    model = load(GOLDEN / "number_model_v1.safetensors")
    assert model.predict(NUMBER_SAMPLES).tolist() == NUMBER_PREDICTIONS
    assert same(model, number_model())


def test_the_golden_ensemble_gives_the_mean_of_its_networks_as_it_always_did():
    model = load(GOLDEN / "ensemble_model_v2.safetensors")
    assert model.predict(NUMBER_SAMPLES).tolist() == ENSEMBLE_PREDICTIONS
    each = [
        replace(model, network=n, params=p, others=())
        for n, p in [(model.network, model.params), *model.others]
    ]
    mean = np.mean([one.predict(NUMBER_SAMPLES) for one in each], axis=0)
    np.testing.assert_allclose(model.predict(NUMBER_SAMPLES), mean, rtol=1e-6)
    assert same(model, ensemble_model())


def half_blind_model() -> Model:
    """Two networks, of which one sees no bins."""
    layout = Layout(numbers=("a", "b"), bins=(2, 0))
    bins = np.array([[0.0, 1.0], [1.0, 0.5]])
    prep = Prep(layout, Target("t", "number"), np.zeros(4), np.ones(4), bins=bins)
    one, other = ts.network.parse("3 tanh", (4,), 1), ts.network.parse("5", (2,), 1)
    return Model(prep, one, one.init(1), SQUARED, others=((other, other.init(2)),))


def test_the_first_network_may_be_the_one_that_sees_fewer_inputs(tmp_path):
    model = half_blind_model()
    ((network, params),) = model.others
    turned = replace(model, network=network, params=params, others=((model.network, model.params),))
    turned.save(tmp_path / "turned.safetensors")
    loaded = ts.load(tmp_path / "turned.safetensors")
    x = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_array_equal(loaded.outputs(x), turned.outputs(x))
    np.testing.assert_allclose(loaded.outputs(x), model.outputs(x), atol=1e-6)


def test_bins_that_no_network_looks_at_are_refused():
    model = half_blind_model()
    ((network, params),) = model.others
    with pytest.raises(ts.ModelFileError, match="no network looks at"):
        model_bytes(replace(model, network=network, params=params, others=()))
    wrong = ts.network.parse("5", (3,), 1)
    with pytest.raises(ts.ModelFileError, match="columns make 4 inputs"):
        model_bytes(replace(model, others=((wrong, wrong.init(0)),)))


@pytest.mark.parametrize("make", [new_model, label_model, half_blind_model])
def test_what_only_the_newest_format_holds_comes_back_whole(make, tmp_path):
    model = make()
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert same(model, again)
    assert parts_of(model_bytes(model))[0]["format"] == 3
    x = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_array_equal(model.predict(x), again.predict(x))


@pytest.mark.parametrize(
    ("key", "value"),
    [("temperature", 0.0), ("temperature", math.inf), ("number", {"center": [0.0], "scale": [1.0]})],
)
def test_new_entries_that_no_model_has_are_refused(key, value):
    from threestep.model.description import description_of

    text = parts_of(model_bytes(label_model() if key == "temperature" else new_model()))[0]
    with pytest.raises(ValueError):
        description_of({**text, key: value})


@pytest.mark.parametrize(
    ("name", "make"),
    [("numbers_model", new_model), ("label_model", label_model), ("half_blind_model", half_blind_model)],
)
def test_the_golden_models_of_format_3_are_those_they_always_were(name, make):
    assert same(load(GOLDEN / f"{name}_v3.safetensors"), make())


def test_the_golden_model_with_words_among_numbers_takes_them_as_it_always_did():
    golden = load(GOLDEN / "strays_model_v5.safetensors")
    assert same(golden, strays_model())
    columns = {"a": [1.0, -2.0], "b": ["unknown", "0.5"]}
    numbers = {"a": [1.0, -2.0], "b": [np.nan, 0.5]}
    assert golden.outputs(columns).tobytes() == golden.outputs(numbers).tobytes()


def test_words_among_numbers_that_are_not_there_are_refused():
    from threestep.model.description import description_of

    text = parts_of(model_bytes(strays_model()))[0]
    description_of(text)
    with pytest.raises(ValueError, match="words among its numbers"):
        description_of({**text, "layout": {**text["layout"], "with_strays": ["c"]}})


def test_the_golden_model_that_clips_its_numbers_does_it_as_it_always_did():
    golden = load(GOLDEN / "clipped_model_v6.safetensors")
    assert same(golden, clipped_model())
    columns = {"a": [1.0, -2.0], "b": [1e9, np.nan]}
    inputs = [[1.0, 2.0, 0.0], [-2.0, 0.0, 1.0]]
    network, params = golden.network, golden.params
    outputs = ts.pick.outputs_of(network, params, np.array(inputs, np.float32))
    np.testing.assert_allclose(golden.outputs(columns), outputs, rtol=1e-5)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"clip": -1.0}, "its clip is none"),
        ({"clip": math.inf}, "its clip is none"),
        ({"clip": 1e-9}, "its clip is none"),
        ({"clip": 0.0}, "without a clip"),
        ({"with_tails": []}, "without numbers to clip"),
        ({"with_tails": [2]}, "number with tails"),
        ({"with_tails": [1, 0]}, "number with tails"),
        ({"with_tails": [-1]}, "number with tails"),
    ],
)
def test_a_clip_that_there_is_not_is_refused(entries, why):
    from threestep.model.description import description_of

    text = parts_of(model_bytes(clipped_model()))[0]
    description_of(text)
    with pytest.raises(ValueError, match=why):
        description_of({**text, "layout": {**text["layout"], **entries}})


def test_the_golden_model_with_means_says_them_as_it_always_did():
    golden = load(GOLDEN / "means_model_v7.safetensors")
    assert same(golden, means_model())
    columns = {"a": [1.0, -2.0, 0.0], "town": ["x", "y", "never seen"]}
    inputs = [[1.0, 1.0, 0.5], [-2.0, 0.0, -1.25], [0.0, 0.0, 0.0]]
    outputs = ts.pick.outputs_of(golden.network, golden.params, np.array(inputs, np.float32))
    np.testing.assert_allclose(golden.outputs(columns), outputs, rtol=1e-5)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"n_means": 0}, "means without levels|levels without means"),
        ({"n_means": 1 << 20}, "levels without means"),
        ({"means": []}, "means without levels|levels without means"),
        ({"means": [["a", ["x"]]]}, "column with means is not there"),
        ({"means": [["town", ["x"]], ["town", ["x"]]]}, "stands twice"),
        ({"means": [["town", ["x", "y", "y"]]]}, "stands twice"),
        ({"means": [["town", ["y", "z"]]]}, "one with an input has none"),
        ({"means": [["town", []]]}, "one with an input has none"),
    ],
)
def test_means_that_there_are_not_are_refused(entries, why):
    from threestep.model.description import description_of

    text = parts_of(model_bytes(means_model()))[0]
    description_of(text)
    with pytest.raises(ValueError, match=why):
        description_of({**text, "layout": {**text["layout"], **entries}})


@pytest.mark.parametrize("value", [1e300, np.nan, -2e6])
def test_means_that_no_sample_has_are_refused(value):
    model = means_model()
    model = replace(model, prep=model.prep._replace(means=np.array([[value], [0.0], [0.0]])))
    with pytest.raises(ts.ModelFileError, match=r"prep\.means holds numbers"):
        model_bytes(model)


def test_the_golden_model_of_written_numbers_reads_them_as_it_always_did():
    golden = load(GOLDEN / "written_model_v8.safetensors")
    assert same(golden, written_model())
    columns = {"a": [1.0, -2.0], "b": ["1,234 kg", "1.234"]}
    inputs = np.array([[1.0, 1.234], [-2.0, 1234.0]], np.float32)
    outputs = ts.pick.outputs_of(golden.network, golden.params, inputs)
    np.testing.assert_allclose(golden.outputs(columns), outputs, rtol=1e-5)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ([["b", ";", ""]], "written in a way that is not known"),
        ([["b", "", "kg"]], "written in a way that is not known"),
        ([["b", ",", "x" * 2000]], "written in a way that is not known"),
        ([["b", ",", ""], ["b", ",", "kg"]], "written in two ways"),
        ([["b", ".", ""]], "written as usual"),
    ],
)
def test_numbers_that_nobody_writes_so_are_refused(written, why):
    from threestep.model.description import description_of

    text = parts_of(model_bytes(written_model()))[0]
    description_of(text)
    with pytest.raises(ValueError, match=why):
        description_of({**text, "layout": {**text["layout"], "written": written}})


def test_every_format_is_written_as_it_always_was(tmp_path, monkeypatch):
    monkeypatch.setattr(ts, "__version__", "0.1.0")  # which made them
    make_golden_files(tmp_path)
    for path in GOLDEN.glob("*_v*.safetensors"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def python_example() -> str:
    """The code in the document."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    return code


def test_the_documented_example_verifies_the_hash(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = python_example()
    assert len([line for line in code.splitlines() if line]) <= 10
    content = model_bytes(class_model())
    for sound, changed_content in ((True, content), (False, content[:-1] + bytes([content[-1] ^ 1]))):
        Path("model.safetensors").write_bytes(changed_content)
        exec(code, {})
        assert capsys.readouterr().out == f"{sound}\n"


def test_the_document_tells_every_key_and_no_other():
    text = DOCUMENT.read_text("utf-8")
    description, _, _ = parts_of(model_bytes(ensemble_model()))
    keys = list(Description.__struct_fields__)
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == keys
    inner = {
        key for part in ("network", "goodness", "layout", "target", "number") for key in description[part]
    }
    more = {"width", "activation", "residual", "gamma", "delta", "quantiles", "bins", "n_columns"}
    assert all(f"`{key}`" in text for key in inner | more)
