"""Who is compared, by name: how each is run, and what it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.search import with_keras, with_pytorch, with_sklearn, with_threestep
from benchmarks.search.records import N_CORES
from benchmarks.timing import MissingError

OURS = "ours"

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
_ENVIRONMENT = {"KERAS_BACKEND": "jax", "PYTHONWARNINGS": "ignore"}  # of all processes; warnings are not rows
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a folder that waits for no disk


@dataclass(frozen=True)
class Peer:
    """How to run a peer, and what it needs; `folder` is where its files go, if not the usual place."""

    run: Callable
    libraries: tuple[str, ...]
    n_processes: int = N_CORES
    is_one_thread: bool = True
    folder: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables that libraries read when they are imported."""
        return {**_ENVIRONMENT, **(dict.fromkeys(_THREADS, "1") if self.is_one_thread else {})}

    def require(self) -> None:
        """Raise `MissingError` where a library is not installed."""
        missing = [library for library in self.libraries if find_spec(library) is None]
        if missing:
            raise MissingError(f"not installed: {', '.join(missing)}")


TRAINERS = {
    OURS: Peer(with_threestep.trainer, ("threestep",), n_processes=1, is_one_thread=False),
    "pytorch": Peer(with_pytorch.trainer, ("torch",)),
    "pytorch-gpu": Peer(with_pytorch.trainer_on_gpu, ("torch",), n_processes=1),
    "pytorch-gpu-8": Peer(with_pytorch.trainer_on_gpu, ("torch",), n_processes=8),
    "scikit-learn": Peer(with_sklearn.trainer, ("sklearn",)),
    "keras": Peer(with_keras.trainer, ("keras",), n_processes=1, is_one_thread=False),
}
"""`run` takes data and a batch size and gives a `records.Train`."""
ON_DEVICE = {
    "cpu": tuple(name for name in TRAINERS if "gpu" not in name and name != OURS),
    "gpu": tuple(name for name in TRAINERS if "gpu" in name),
}
"""The peers by where they compute; of several processes on one GPU none waits for Python."""

_OPTUNA = ("optuna", "torch")
SEARCHES = {
    "optuna": Peer(partial(with_pytorch.search, "none"), _OPTUNA, folder=_MEMORY),
    "optuna-median": Peer(partial(with_pytorch.search, "median"), _OPTUNA, folder=_MEMORY),
    "optuna-hyperband": Peer(partial(with_pytorch.search, "hyperband"), _OPTUNA, folder=_MEMORY),
    "scikit-learn-random": Peer(with_sklearn.search_random, ("sklearn",), n_processes=1),
    "scikit-learn-halving": Peer(with_sklearn.search_halving, ("sklearn",), n_processes=1),
    "keras-tuner": Peer(with_keras.search, ("keras", "keras_tuner"), n_processes=1, is_one_thread=False),
}
"""`run` takes an `Errand` and a `Report`; scikit-learn starts its own two processes."""
