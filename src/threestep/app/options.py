"""How records look as options of the command line: their docstrings, filled to the terminal's width."""

import inspect
from collections.abc import Iterator
from dataclasses import Field, field, fields, is_dataclass, make_dataclass
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from tyro.conf import Positional, arg

from threestep.described import docstrings, own_doc

_NAMES: dict[Any, str] = {
    int: "INT",
    float: "FLOAT",
    str: "TEXT",
    bool: "{True,False}",
    tuple[int, int]: "INT INT",
    tuple[float, float]: "FLOAT FLOAT",
}
_Record = TypeVar("_Record", bound=type)


def as_options(record: _Record) -> _Record:
    """The same record, but that each field says to tyro how it is to be described.

    Records inside it become groups of options, each with what it has of its own before what it inherits. A
    default of None goes unsaid, for the docstring tells what is chosen then, and so does that of a switch.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @as_options
    ... @dataclass(frozen=True)
    ... class Walk:
    ...     steps: int | None = None
    >>> Walk(steps=3)
    Walk(steps=3)
    """
    says, own = docstrings(record), inspect.get_annotations(record)
    in_order = sorted(fields(record), key=lambda each: each.name not in own)
    described = [(each.name, *_option(each, says.get(each.name, ""))) for each in in_order]
    about = {"__doc__": own_doc(record), "__module__": record.__module__}
    return make_dataclass(record.__name__, described, frozen=True, namespace=about)  # pyright: ignore[reportReturnType]


def option_names(record: type) -> Iterator[str]:
    """All options of a command, such as `--seed`."""
    for each in fields(record):
        if isinstance(each.type, type) and is_dataclass(each.type):
            yield from option_names(each.type)
        elif Positional not in getattr(each.type, "__metadata__", ()):
            yield f"--{'no-' if each.default is True else ''}{each.name.replace('_', '-')}"


def _option(each: Field, says: str) -> tuple[Any, Field]:
    """Type and field of an option."""
    if isinstance(each.type, type) and is_dataclass(each.type):
        group = as_options(each.type)
        return group, field(default_factory=group)
    shown = arg(help=says, metavar=_metavar(each.type), help_behavior_hint=_hint(each.default))
    return Annotated[each.type, shown], field(default=each.default, default_factory=each.default_factory)  # pyright: ignore[reportReturnType, reportCallIssue]


def _hint(default: object) -> str | None:
    """What is said of a default behind the docstring; None: as tyro says it."""
    if default is True:
        return "(on; this switches it off)"
    return "" if default is None or default is False or default == () else None


def _metavar(kind: Any) -> str | None:
    """How the value of an option is written; None: as tyro writes it."""
    parts = get_args(kind)
    if get_origin(kind) is tuple and parts[-1] is Ellipsis:
        return f"{_NAMES.get(parts[0], 'TEXT')} ..."
    inner = [_NAMES.get(each) for each in parts or [kind] if each is not NoneType]
    is_known = kind is str or (NoneType in parts and None not in inner)
    return "|".join(str(each) for each in inner) if is_known else None
