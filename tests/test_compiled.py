"""Programs that an earlier process wrote down are found again, and only those."""

import os
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import jax
import numpy as np
import pytest
from threadpoolctl import threadpool_info

import threestep as ts
from threestep import devices
from threestep.pick import compiled as compiled_module
from threestep.pick import descent


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own, with nothing kept in this process."""
    monkeypatch.setattr(devices, "_cache_in_use", lambda: str(tmp_path))
    compiled_module._compiled.cache_clear()
    yield tmp_path / "traced"
    compiled_module._compiled.cache_clear()


def test_what_is_kept_is_not_made_again(cache):
    assert devices.kept("a", lambda: b"made") == b"made"
    assert devices.kept("a", lambda: b"anew") == b"made"
    assert devices.kept("b", lambda: b"other") == b"other"
    assert len([*cache.iterdir()]) == 2


def test_what_is_damaged_or_of_other_code_is_made_again(cache, monkeypatch):
    devices.kept("a", lambda: b"made")
    (path,) = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert devices.kept("a", lambda: b"anew") == b"anew"
    assert devices.kept("a", lambda: b"again") == b"anew"
    path.write_bytes(b"")
    assert devices.kept("a", lambda: b"anew") == b"anew"
    monkeypatch.setattr(devices, "_code", lambda: "other")
    assert devices.kept("a", lambda: b"by other code") == b"by other code"


def test_without_a_cache_or_where_it_cannot_be_written_all_is_made(cache, monkeypatch):
    cache.parent.joinpath("traced").write_text("a file, no folder")
    assert devices.kept("a", lambda: b"made") == b"made"
    monkeypatch.setattr(devices, "_cache_in_use", lambda: None)
    assert devices.kept("a", lambda: b"anew") == b"anew"


def test_the_oldest_make_room(cache, monkeypatch):
    monkeypatch.setattr(devices, "_MOST_KEPT", 3)
    for number in range(6):
        devices.kept(str(number), lambda: b"made")
    assert len([*cache.iterdir()]) == 3


def test_a_program_is_written_down_once_and_gives_the_same_bits(cache, monkeypatch):
    x = np.random.default_rng(0).normal(size=(120, 3))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)

    def found() -> bytes:
        clf = ts.Classifier(random_state=0, network="8-8", epochs=3, ensemble=2).fit(x, y)
        return clf.predict_proba(x).tobytes()

    first = found()
    n_kept = len([*cache.iterdir()])
    assert n_kept >= 1
    compiled_module._compiled.cache_clear()  # as in another process

    def not_again(*_):
        raise AssertionError("traced again")

    monkeypatch.setattr(compiled_module, "_train_chunk", not_again)
    assert found() == first
    assert len([*cache.iterdir()]) == n_kept
    compiled_module._compiled.cache_clear()
    before = jax.config.jax_default_matmul_precision
    jax.config.update("jax_default_matmul_precision", "highest")  # of all threads: one of ours compiles
    try:
        with pytest.raises(AssertionError, match="traced again"):
            found()  # another setting of JAX is another program
    finally:
        jax.config.update("jax_default_matmul_precision", before)


@pytest.mark.parametrize("spec", ["conv3-dense5", "6-5"])
def test_a_single_network_s_programs_are_written_down_once_and_give_the_same_bits(spec, cache, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 36)).astype(np.float32), rng.integers(0, 2, 60).astype(np.int32)
    network = ts.network.parse(spec, (6, 6), 2)

    def found() -> tuple[bytes, list]:
        cross = ts.goodness.Goodness("cross_entropy")
        picked = ts.pick.train(network, cross, (x, y), (x[:20], y[:20]), ts.Descent(epochs=2))
        return descent.outputs_of(network, picked.params, x).tobytes(), picked.history

    compiled_module._compiled_function.cache_clear()
    first = found()
    n_kept = len([*cache.iterdir()])
    assert n_kept >= 1
    compiled_module._compiled_function.cache_clear()  # as in another process

    def not_again(*_):
        raise AssertionError("traced again")

    monkeypatch.setattr(jax.export, "export", not_again)
    assert found() == first
    assert len([*cache.iterdir()]) == n_kept
    compiled_module._compiled_function.cache_clear()


@pytest.mark.slow
def test_programs_for_other_functions_of_the_same_shapes_are_others():
    x, y = np.ones((40, 36), np.float32), np.arange(40, dtype=np.int32) % 2
    cross = ts.goodness.Goodness("cross_entropy")
    losses = {
        spec: ts.pick.train(ts.network.parse(spec, (6, 6), 2), cross, (x, y), (x, y), ts.Descent(epochs=1))
        .history[0]
        .train_loss
        for spec in ("6-5 tanh", "6-5 relu", "6-5 sigmoid")
    }
    assert len(set(losses.values())) == 3


def test_a_version_of_xla_without_an_option_compiles_without_it(monkeypatch):
    monkeypatch.setattr(compiled_module, "_OPTIONS_OF_PICTURES", {"xla_no_such_option": True})
    compiled_module._compiled_function.cache_clear()
    network = ts.network.parse("conv3-dense5", (6, 6), 2)
    assert descent.outputs_of(network, network.init(0), np.zeros((1, 36), np.float32)).shape == (1, 2)
    compiled_module._compiled_function.cache_clear()


def test_what_cannot_be_written_down_is_compiled_all_the_same(cache, monkeypatch):
    def refuse(*_):
        raise ValueError(
            "Cannot serialize code with custom calls whose targets have no compatibility guarantees"
        )

    monkeypatch.setattr(jax.export, "export", refuse)
    compiled_module._compiled_function.cache_clear()
    network = ts.network.parse("conv3-dense5", (6, 6), 2)
    assert descent.outputs_of(network, network.init(0), np.zeros((1, 36), np.float32)).shape == (1, 2)
    assert not cache.exists()
    compiled_module._compiled_function.cache_clear()


# NumPy's own threads


def threads_of_products():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def wide(n_samples, is_busy=False):
    """Threads of NumPy's products meanwhile, where a compile goes on or not."""
    go_on = Event()
    if is_busy:
        devices.beside(go_on.wait)
    try:
        with devices.steady_products(n_samples):
            return threads_of_products()
    finally:
        go_on.set()


@pytest.mark.skipif(threads_of_products() == {1}, reason="NumPy has one thread anyway")
def test_products_of_few_samples_and_beside_compiles_are_of_one_thread():
    usual = threads_of_products()
    assert wide(1000) == {1}
    while devices.is_compiling():  # of tests before
        time.sleep(0.01)
    assert wide(1_000_000) == usual
    assert wide(1_000_000, is_busy=True) == {1}
    assert threads_of_products() == usual
    with ThreadPoolExecutor(1) as pool:  # where others may compute at the same time nothing is changed
        assert pool.submit(wide, 1000).result() == usual


def test_programs_that_were_written_by_half_are_dropped_and_the_others_stay(tmp_path):
    """JAX would never replace them."""
    whole = zlib.compress(b"a program" * 1000)
    written = {"a-cache": whole, "b-cache": whole[:20], "c-cache": b"", "d-cache": whole[:-1], "e": whole[:9]}
    written["z-cache"] = b"\x28\xb5\x2f\xfd and more"
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    devices._drop_cut_short(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a-cache", "e", "z-cache", "looked"}
    (tmp_path / "old-cache").write_bytes(b"cut")
    os.utime(tmp_path / "old-cache", (1, 1))  # it was looked at before
    devices._drop_cut_short(tmp_path)
    assert (tmp_path / "old-cache").exists()


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the cache lies elsewhere")
def test_a_program_that_was_written_by_half_is_no_warning_and_is_whole_again(tmp_path):
    home = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    words = [sys.executable, "-m", "threestep", "fit", "iris", "--network", "4", "--epochs", "1", "--json"]

    def fit() -> str:
        done = subprocess.run(words, env=home, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stderr

    assert fit() == ""
    (folder,) = tmp_path.glob("**/compiled")
    entries = sorted(folder.glob("*-cache"))
    assert entries
    for path in entries:
        path.write_bytes(path.read_bytes()[:50])
    assert fit() == ""
    assert all(path.stat().st_size > 50 for path in entries)
