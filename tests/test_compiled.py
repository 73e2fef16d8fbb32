"""Programs that an earlier process wrote down are found again, and only those."""

import jax
import numpy as np
import pytest

import threestep as ts
from threestep import devices
from threestep.pick import compiled as compiled_module


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
