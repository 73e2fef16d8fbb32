"""How records look as options of the command line: their docstrings, filled to the terminal's width."""

import ast
import inspect
from dataclasses import Field, field, fields, is_dataclass, make_dataclass
from itertools import pairwise
from textwrap import dedent
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args

from tyro.conf import arg

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

    Records inside it become groups of options. A default of None goes unsaid, for the docstring tells what is
    chosen then, and so does that of a switch.

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
    says = docstrings(record)
    described = [(each.name, *_option(each, says.get(each.name, ""))) for each in fields(record)]
    own = {"__doc__": record.__doc__, "__module__": record.__module__}
    return make_dataclass(record.__name__, described, bases=(record,), frozen=True, namespace=own)  # pyright: ignore[reportReturnType]


def _option(each: Field, says: str) -> tuple[Any, Field]:
    """Type and field of an option."""
    if isinstance(each.type, type) and is_dataclass(each.type):
        group = as_options(each.type)
        return group, field(default_factory=group)
    goes_unsaid = each.default is None or each.default is False or each.default == ()
    shown = arg(help=says, metavar=_metavar(each.type), help_behavior_hint="" if goes_unsaid else None)
    return Annotated[each.type, shown], field(default=each.default)  # pyright: ignore[reportReturnType]


def _metavar(kind: Any) -> str | None:
    """How the value of an option that may be None is written; None: as tyro writes it."""
    kinds = get_args(kind)
    if NoneType not in kinds:
        return None
    return "|".join(_NAMES[each] for each in kinds if each is not NoneType)


def docstrings(record: type) -> dict[str, str]:
    """The docstrings below the fields of a record, those that it inherits, too."""
    says = dict[str, str]()
    for each in reversed(record.__mro__):
        if is_dataclass(each):
            lines = ast.parse(dedent(inspect.getsource(each))).body[0].body  # pyright: ignore[reportAttributeAccessIssue]
            for line, below in pairwise(lines):
                if isinstance(line, ast.AnnAssign) and isinstance(below, ast.Expr):
                    says[ast.unparse(line.target)] = " ".join(ast.literal_eval(below.value).split())
    return says
