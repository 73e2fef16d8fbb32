"""What works on this machine."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from threestep.data import kept_facts
from threestep.devices import describe, prepare
from threestep.version import __version__

_NEEDED = ("jax", "jaxlib", "numpy", "scikit-learn", "scipy", "narwhals", "msgspec", "tyro")
_OPTIONAL = (
    "duckdb",
    "pandas",
    "polars",
    "pyarrow",
    "pillow",
    "soundfile",
    "onnx",
    "onnxruntime",
    "optuna",
    "torch",
)


def check_up() -> dict[str, Any]:
    """Look at versions, devices and the cache, and compute one gradient.

    Returns
    -------
    dict
        versions (None = not installed), machine, and works: what was tried with its result.
    """
    prepare()
    machine = describe()
    return {
        "threestep": __version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "versions": {name: _version(name) for name in _NEEDED},
        "optional": {name: _version(name) for name in _OPTIONAL},
        "devices": f"{machine.n_devices} x {machine.device_kind} ({machine.platform})",
        "cores": machine.n_cores,
        "compile_cache": machine.cache_folder,
        "decoded_files": kept_facts(),
        "works": {"gradient": _gradient_works(), "cache": _can_write(machine.cache_folder)},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _gradient_works() -> bool:
    """The derivative of x squared at 3 is 6; whatever goes wrong is a no, for that is what is asked."""
    import jax

    try:
        return float(jax.jit(jax.grad(lambda x: x * x))(3.0)) == 6.0
    except Exception:
        return False


def _can_write(folder: str) -> bool:
    import os

    return os.access(folder, os.W_OK)


_WORDS = {True: "yes", False: "no", None: "not installed"}


def tell_facts(facts: dict[str, Any], indent: str = "") -> None:
    """Print nested facts, a line each."""
    for name, value in facts.items():
        if isinstance(value, dict):
            print(f"{indent}{name}")
            tell_facts(value, indent + "  ")
        else:
            shown = _WORDS.get(value, value) if value is None or isinstance(value, bool) else value
            print(f"{indent}{name:<{20 - len(indent)}} {shown}")
