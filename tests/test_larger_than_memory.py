"""Pixels of 8 bits are learned from as they are, and where they are: many never lie in memory together."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import threestep as ts
from threestep.data import Layout, Prep, Table, Target, kept
from threestep.pick import Samples, designed
from threestep.pick.samples import checked
from threestep.study import finding, searching, seen
from threestep.study.preparing import arrays_of, pixels_of

GOODNESS = ts.goodness.Goodness("cross_entropy")


def pictures(n=200, shape=(12, 12), seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 251, (n, *shape), dtype=np.uint8)
    return x, (x[:, 2:6, 2:6].reshape(n, -1).mean(axis=1) > 125).astype(int)


@pytest.mark.parametrize(
    "network",
    [
        "conv4-dense8",
        pytest.param("conv4-res4x2-globalpool", marks=pytest.mark.slow),
        pytest.param("8-8", marks=pytest.mark.slow),
    ],
)
def test_pixels_that_stay_as_they_are_teach_the_same(network, monkeypatch):
    seen = []
    monkeypatch.setattr(finding, "pixels_of", lambda *of: seen.append(pixels_of(*of)) or seen[-1])
    one = ts.fit(pictures(), network=network, epochs=3, shift=0.1 if "conv" in network else 0.0)
    assert seen[0].x.dtype == np.uint8
    assert seen[0].scale == 250
    monkeypatch.setattr(finding, "pixels_of", arrays_of)
    other = ts.fit(pictures(), network=network, epochs=3, shift=0.1 if "conv" in network else 0.0)
    assert ts.model.model_bytes(one.model) == ts.model.model_bytes(other.model)


@pytest.mark.parametrize(
    "change",
    [
        lambda x, prep: (x.astype(np.int16), prep),
        lambda x, prep: (x, prep._replace(center=prep.center + 1)),
        lambda x, prep: (x, prep._replace(scale=np.r_[prep.scale[:-1], 3.0])),
    ],
)
def test_what_is_not_divided_by_one_number_is_encoded(change):
    x, y = pictures(9)
    prep = Prep(Layout(shape=(12, 12)), Target("y", "classes", (0, 1)), np.zeros(144), np.full(144, 250.0))
    assert pixels_of(prep, Table("t", x, y)).scale == 250
    x, prep = change(x, prep)
    samples = pixels_of(prep, Table("t", x, y))
    assert samples.scale is None
    np.testing.assert_array_equal(samples.x, arrays_of(prep, Table("t", x, y)).x)


def test_programs_that_take_numbers_only_get_them_divided():
    x, y = pictures(20)
    samples = Samples(x.reshape(20, -1), y.astype(np.int32), None, 250.0)
    found = checked(GOODNESS, samples)
    assert found.scale is None
    np.testing.assert_array_equal(found.x, x.reshape(20, -1) / np.float32(250))
    network = ts.network.parse("2", (144,), 2)
    with pytest.raises(ts.DataError, match="two scales"):
        ts.pick.train(network, GOODNESS, samples, samples._replace(scale=3.0))


def test_rows_of_a_large_file_lie_in_a_file_that_ends_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "cache_folder", lambda: tmp_path / "cache" / "compiled")
    monkeypatch.setattr(kept, "_ROWS_AT_ONCE", 7)
    x, _ = pictures(50)
    np.save(tmp_path / "x.npy", x)
    mapped, rows = np.load(tmp_path / "x.npy", mmap_mode="r"), np.r_[49, np.arange(0, 40)]
    small = kept.taken_rows(mapped, rows)
    assert getattr(small, "_mmap", None) is None
    monkeypatch.setattr(kept, "_LARGE", 1000)
    large = Table("t", mapped, np.arange(50)).take(rows)
    assert getattr(large.x, "_mmap", None) is not None
    assert large.y.tolist() == rows.tolist()
    for found in (small, large.x, kept.taken_rows(x, rows)):
        np.testing.assert_array_equal(found, x[rows])
    np.testing.assert_array_equal(large.take(np.array([0, 3])).x, x[[49, 2]])
    assert list((tmp_path / "cache" / "decoded").iterdir()) == []


def test_rows_that_are_not_kept_take_no_room_from_what_is(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "cache_folder", lambda: tmp_path / "cache" / "compiled")
    monkeypatch.setattr(kept, "_LARGE", 1000)
    monkeypatch.setenv("THREESTEP_CACHE_GB", "0.000008")  # 8,000 bytes
    kept.filled_kept(kept.kept_folder() / "other.npy", (1000,), lambda array: True)
    x, _ = pictures(50)  # 7,200 bytes
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    taken = kept.taken_rows(mapped, np.arange(50))
    assert getattr(taken, "_mmap", None) is not None
    np.testing.assert_array_equal(taken, x)
    assert [path.name for path in kept.kept_folder().iterdir()] == ["other.npy"]


SEARCH = {"depths": (1, 1), "widths": (8, 8), "effort": "quick", "epochs": 2, "convolutions": True}


@pytest.mark.slow
def test_a_search_on_pixels_as_they_are_gives_what_one_on_numbers_gives(monkeypatch):
    one = ts.fit(pictures(), **SEARCH)
    monkeypatch.setattr(finding, "pixels_of", arrays_of)
    other = ts.fit(pictures(), **SEARCH)
    assert ts.model.model_bytes(one.model) == ts.model.model_bytes(other.model)
    losses = [
        [event["loss"] for event in each.events if event["event"] == "designed"] for each in (one, other)
    ]
    assert losses[0] == losses[1] != []


def weighted_pictures() -> Table:
    x, y = pictures()
    return Table("t", x, y, weight=np.linspace(1, 3, len(y)))


@pytest.mark.parametrize("data", [pictures, pytest.param(weighted_pictures, marks=pytest.mark.slow)])
def test_neurons_learn_from_as_many_as_there_is_room_for_and_convolutions_from_all(monkeypatch, data):
    seen_by = {}
    begin, descend = searching.Population, designed.descend

    def population(goodness, train, valid, *others):
        seen_by["neurons"] = train, valid
        return begin(goodness, train, valid, *others)

    def descent(network, goodness, train, valid, *others):
        seen_by["convolutions"] = train, valid
        return descend(network, goodness, train, valid, *others)

    monkeypatch.setattr(searching, "Population", population)
    monkeypatch.setattr(designed, "descend", descent)
    monkeypatch.setattr(seen, "_MOST_BYTES", 4 * 144 * 32)
    found = ts.fit(data(), **SEARCH)
    (few, judged), (everything, choosing) = seen_by["neurons"], seen_by["convolutions"]
    assert (len(few.y), len(judged.y), few.x.dtype, few.scale) == (26, 6, np.float32, None)
    assert (len(everything.y), everything.x.dtype, everything.scale) == (130, np.uint8, 250)
    # all are compared on the same samples
    np.testing.assert_array_equal(judged.x, choosing.x / np.float32(250))
    np.testing.assert_array_equal(judged.y, choosing.y)
    assert (judged.weight is None) == (data is pictures)
    np.testing.assert_array_equal(judged.weight, choosing.weight)
    notes = [event["text"] for event in found.events if event["event"] == "note"]
    assert notes == [
        "the search sees 26 of the 130 samples, more would fill the memory; "
        "networks with convolutions learn from all"
    ]


@pytest.mark.parametrize(
    "how",
    [
        {"network": "8", "ensemble": 2},
        *(pytest.param(each, marks=pytest.mark.slow) for each in ({"refit": True}, {"folds": 2})),
    ],
)
def test_what_is_not_only_compared_learns_from_all(monkeypatch, how):
    monkeypatch.setattr(seen, "_MOST_BYTES", 4 * 144 * 32)
    sizes = []
    begin = searching.Population
    monkeypatch.setattr(searching, "Population", lambda *of: sizes.append(len(of[1].y)) or begin(*of))
    given = {} if "network" in how else {"depths": (1, 1), "widths": (8, 8), "effort": "quick"}
    found = ts.fit(pictures(), epochs=2, **given, **how)
    assert sizes[0] == 130
    assert not [event for event in found.events if event["event"] == "note"]


def test_networks_that_see_a_part_are_trained_as_is_usual_for_so_many(monkeypatch):
    found = []
    steps = finding.search_steps
    monkeypatch.setattr(
        finding, "search_steps", lambda *of: found.append((len(of[1].y), of[3])) or steps(*of)
    )
    monkeypatch.setattr(seen, "_MOST_BYTES", 4 * 144 * 100)
    how = {"depths": (1, 1), "effort": "quick", "convolutions": False, "folds": 1}
    ts.fit(pictures(4000), **how)
    ((n_seen, settings),) = found
    alone = ts.fit(pictures(130), **how).settings
    assert n_seen < 130
    assert (settings.batch_size, settings.widths) == (alone.batch_size, alone.widths)
    assert settings.epochs > 100


PEAK = """
import sys, threading, time
from pathlib import Path
import numpy as np
import threestep as ts
from threestep.data import Media, Table, kept
from threestep.study import seen

folder = Path(sys.argv[1])
kept.cache_folder = lambda: folder / "compiled"
n = 20_000
x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.uint8, (n, 64, 64, 3))
for at in range(0, n, 1000):
    x[at : at + 1000] = np.random.default_rng(at).integers(0, 200, (1000, 64, 64, 3), np.uint8)
y = np.arange(n) % 2
x[y == 1, :16] = 255
x.flush()
x = np.load(folder / "x.npy", mmap_mode="r")

def megabytes():
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) // 1000

def watch():
    while True:
        peaks.append(megabytes())
        time.sleep(0.01)

peaks = []
threading.Thread(target=watch, daemon=True).start()
if sys.argv[2] == "given":
    how = {"network": "conv4s4-globalpool"}
else:
    how = {"effort": "quick", "depths": (0, 1), "widths": (8, 16), "convolutions": False}
    seen._MOST_BYTES = 1 << 25
run = ts.fit(Table("big", x, y, media=Media("picture", 64, 64, 3)), epochs=1, **how)
print(x.nbytes // 1_000_000, max(peaks), run.scores["test"]["accuracy"])
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not say what is in memory"
)
@pytest.mark.parametrize(("network", "most"), [("given", 1200), ("searched", 1900)])
def test_many_pictures_in_a_file_are_learned_from_without_being_in_memory(network, most, tmp_path):
    """As floating-point numbers they are a gigabyte, and there were three of them, in a search more."""
    words = [sys.executable, "-c", PEAK, tmp_path, network]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    size, peak, accuracy = map(float, done.stdout.split())
    assert size == 245
    assert peak < most
    assert accuracy > 0.95


def test_only_what_a_model_sees_at_once_is_encoded(monkeypatch):
    x, y = pictures(3000, (60, 60))
    model = ts.fit((x[:200], y[:200]), network="2", epochs=1).model
    sizes = []
    outputs_for = type(model).outputs_for
    monkeypatch.setattr(
        type(model), "outputs_for", lambda own, x, *of: sizes.append(len(x)) or outputs_for(own, x, *of)
    )
    assert len(model.predict(x)) == 3000
    assert sizes == [2048, 952]
