"""One compile cache of their own for all tests, strict JAX, and how hypothesis looks for examples."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Before anything imports JAX, so that subprocesses and xdist's workers inherit it too: what one of them has
# compiled the others find. The user's cache stays untouched. `THREESTEP_TEST_CACHE=FOLDER` keeps the cache
# there for the next session, as `scripts/check` does.
_KEPT = os.environ.get("THREESTEP_TEST_CACHE")
_CACHE = _KEPT or tempfile.mkdtemp(prefix="threestep-tests-")
os.environ["THREESTEP_TEST_CACHE"] = _CACHE
os.environ["XDG_CACHE_HOME"] = _CACHE
os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)
if not sys.platform.startswith("linux"):  # where the platform's own convention is another
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _CACHE
os.environ.pop("COLUMNS", None)  # nobody watches: what is printed is not broken into lines
os.environ["JAX_LEGACY_PRNG_KEY"] = "error"
os.environ["JAX_NUMPY_DTYPE_PROMOTION"] = "standard"
os.environ["JAX_PLATFORMS"] = os.environ.get("JAX_PLATFORMS", "cpu")  # references are exact there

import hypothesis  # noqa: E402

# Same code, same verdict. `HYPOTHESIS_PROFILE=explore` looks for new examples.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_unconfigure():
    """The cache ends with the session."""
    if not _KEPT:
        shutil.rmtree(_CACHE, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def _programs_end_with_their_file():
    """Each compiled program holds some hundred memory mappings, of which a process may have 65,530: with the
    programs of all tests at once the compiler would crash."""
    yield
    jax = sys.modules.get("jax")
    if jax is not None:
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def fresh_python(tmp_path):
    """Run code in a Python of its own; gives what it printed."""

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **environment},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def compiles():
    """How many programs XLA has been asked for since the session began: a list that grows."""
    import jax

    seen: list[str] = []

    def listen(event: str, _seconds: float, **_facts) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def in_tmp(tmp_path, monkeypatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
