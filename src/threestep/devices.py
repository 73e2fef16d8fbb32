"""The machine: its devices, its cores and the cache of compiled programs.

The only file that knows how many devices there are.
"""

import hashlib
import os
import sys
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

_WORKERS = 2  # of a device that is no CPU
_MOST_KEPT = 1024
_MOST_LOOKED_AT = 16  # programs, at the start of a process: whoever is killed was writing the newest
_ZSTD = b"\x28\xb5\x2f\xfd"  # how what that library packed begins
_FEW_SAMPLES = 10_000  # four networks of three layers of 128 answer them in 0.15 s, by two cores in 0.11
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Machine:
    """What there is to compute on."""

    platform: str
    n_devices: int
    device_kind: str
    n_cores: int
    cache_folder: str


def cache_folder() -> Path:
    """The user's folder for compiled programs, by the platform's own convention."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "threestep" / "compiled"


def prepare() -> None:
    """Keep compiled programs between processes, unless the user has chosen a cache or none.

    Does nothing the second time. JAX's own settings win: `JAX_COMPILATION_CACHE_DIR` moves the
    cache and `JAX_ENABLE_COMPILATION_CACHE=false` turns it off.
    """
    import jax

    if _cache_in_use() is not None:
        return
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a read-only home: compile every time
    _drop_cut_short(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _drop_cut_short(folder: Path) -> None:
    """Drop the programs of which a process that was killed wrote only a part: JAX warns of each, compiles it
    anew in every process, and never replaces it. Looked at are the newest that came since the last look."""
    # what is cut short later is compiled anew, too, and dropped next time: nothing that a user must do
    warnings.filterwarnings("ignore", "Error reading persistent .* while decompressing", UserWarning)
    looked = folder / "looked"
    with suppress(OSError):  # a folder that is not ours to write
        since = looked.stat().st_mtime if looked.exists() else 0.0
        looked.touch()
        times = {path: path.stat().st_mtime for path in folder.glob("*-cache")}
        new = sorted((path for path in times if times[path] >= since), key=lambda path: -times[path])
        for path in new[:_MOST_LOOKED_AT]:
            if not _is_whole(path.read_bytes()):
                path.unlink(missing_ok=True)


def _is_whole(entry: bytes) -> bool:
    """Whether a program that JAX kept can be unpacked to its end; yes, if zlib did not pack it."""
    if entry.startswith(_ZSTD):
        return True
    unpacked = zlib.decompressobj()
    try:
        unpacked.decompress(entry)
    except zlib.error:
        return False
    return unpacked.eof


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, from beside the compiled programs if an earlier process kept it there.

    Parameters
    ----------
    name : str
        Of what it is made, but for the code: what other code made is not found.
    make : callable
    """
    folder = _cache_in_use()
    if folder is None:
        return make()
    path = Path(folder) / "traced" / f"{hashlib.sha256((_code() + name).encode()).hexdigest()}.bin"
    with suppress(OSError):
        found = path.read_bytes()
        if hashlib.sha256(found[32:]).digest() == found[:32]:
            return found[32:]
    made = make()
    with suppress(OSError):  # a disk that is full or not ours
        path.parent.mkdir(exist_ok=True)
        _drop_oldest(path.parent)
        part = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        part.write_bytes(hashlib.sha256(made).digest() + made)
        part.replace(path)
    return made


def _drop_oldest(folder: Path) -> None:
    """Leave room for one more."""
    files = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)
    for path in files[: max(0, len(files) - _MOST_KEPT + 1)]:
        path.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of the code that programs are made of: this project's, and which JAX."""
    import jax

    hashed = hashlib.sha256(f"{jax.__version__} {version('jaxlib')} {sys.version}".encode())
    rooms = ("network", "goodness", "pick")
    for path in sorted(each for room in rooms for each in (Path(__file__).parent / room).glob("*.py")):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """A function's value of each item, in order, computed in one thread per core; only for what lets other
    threads run, as NumPy does."""
    items = list(items)
    n_threads = min(n_cores(), len(items))
    if n_threads < 2:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, items))


def beside(function: Callable[..., _Result], *arguments: Any) -> "Future[_Result]":
    """The promise of a function's value, computed in a thread of its own; for compiles, which nobody need
    wait for: by the thread's name the command line knows at its end that one goes on."""
    from concurrent.futures import ThreadPoolExecutor

    compilers = ThreadPoolExecutor(1, thread_name_prefix="compile")
    try:
        return compilers.submit(function, *arguments)
    finally:
        compilers.shutdown(wait=False)


def is_compiling() -> bool:
    """Whether a compile goes on that nobody need wait for; it cannot be broken off."""
    return any(thread.name.startswith("compile") for thread in threading.enumerate())


@contextmanager
def steady_products(n_samples: int) -> Iterator[None]:
    """NumPy's products by one thread, of few samples or where compiles go on: several threads wait for each
    other whenever a core has something else to do, and take ten times as long then. Only the main thread asks
    for that, for it holds in the whole process."""
    is_own = threading.current_thread() is threading.main_thread()
    if not is_own or (n_samples > _FEW_SAMPLES and not is_compiling()):
        yield
        return
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    with threadpool_limits(1, user_api="blas"):
        yield


def is_cpu() -> bool:
    """Whether computing is done on a CPU; starts JAX."""
    import jax

    return jax.default_backend() == "cpu"


def workplaces() -> list:
    """The device of each worker; starts JAX.

    A CPU device runs what several threads hand it side by side, so the first stands there once per
    core: no matter how many CPU devices JAX was started with, all cores are used and one compile
    serves them. Each other device has a few workers: while it trains one's members, those of the
    next are drawn and carried there.
    """
    import jax

    devices = jax.local_devices()
    return [devices[0]] * n_cores() if is_cpu() else devices * _WORKERS


def free_bytes() -> float:
    """Memory that one more program may use, as far as the system says."""
    import jax

    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return len(jax.local_devices()) * (stats["bytes_limit"] - stats["bytes_in_use"])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return float("inf")


def describe() -> Machine:
    """Look at the machine; starts JAX."""
    import jax

    devices = jax.devices()
    return Machine(
        platform=devices[0].platform,
        n_devices=len(devices),
        device_kind=devices[0].device_kind,
        n_cores=n_cores(),
        cache_folder=_cache_in_use() or "none",
    )


def _cache_in_use() -> str | None:
    """The folder JAX keeps compiled programs in, if any."""
    import jax

    if not jax.config.jax_enable_compilation_cache:  # pyright: ignore[reportAttributeAccessIssue]
        return None
    return jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
