"""What `import threestep` costs, and what it offers."""

import importlib
import inspect

import pytest

import threestep as ts

ROOMS = ("data", "goodness", "model", "network", "pick", "report", "study")


def test_import_brings_no_library_in(fresh_python):
    code = "import threestep, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(fresh_python(code).split())
    assert "threestep" in loaded
    heavy = {
        "jax",
        "jaxlib",
        "numpy",
        "sklearn",
        "scipy",
        "pandas",
        "narwhals",
        "msgspec",
        "tyro",
        "tqdm",
    }
    assert not loaded & heavy


def test_settings_and_errors_need_no_library(fresh_python):
    code = "import threestep as ts, sys; ts.Settings(), ts.SpecError('x'); print('numpy' in sys.modules)"
    assert fresh_python(code).strip() == "False"


@pytest.mark.parametrize("name", ts.__all__)
def test_every_public_name_resolves_in_a_fresh_python_too(name):
    assert getattr(ts, name) is not None
    assert name in dir(ts)


def test_star_import_gives_every_public_name(fresh_python):
    assert fresh_python("from threestep import *; print(fit.__name__, pick.__name__)").split() == [
        "fit",
        "threestep.pick",
    ]


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = ts.fitt


def test_errors_are_user_errors():
    for name in ("DataError", "ModelFileError", "SettingsError", "SpecError"):
        assert issubclass(getattr(ts, name), ts.UserError)


def _public(module):
    return [getattr(module, name) for name in module.__all__]


@pytest.mark.parametrize("room", ROOMS)
def test_everything_a_room_offers_is_described(room):
    module = importlib.import_module(f"threestep.{room}")
    assert inspect.getdoc(module)
    for thing in _public(module):
        if inspect.isfunction(thing) or inspect.isclass(thing):
            _assert_described(thing)


def test_everything_at_the_top_is_described():
    for thing in _public(ts):
        if inspect.isfunction(thing) or inspect.isclass(thing):
            _assert_described(thing)


def _assert_described(thing):
    """A docstring of its own, not the one that dataclass or NamedTuple makes up."""
    doc = inspect.getdoc(thing) or ""
    assert len(doc) > 15, thing
    assert not doc.startswith(f"{thing.__name__}("), thing
    if inspect.isclass(thing):
        for name, part in vars(thing).items():
            if not name.startswith("_") and (inspect.isfunction(part) or isinstance(part, property)):
                assert inspect.getdoc(part), f"{thing.__name__}.{name}"
