"""What the fields of a record mean: the docstrings below them, which `help` shows with the record's own."""

import ast
import inspect
import sys
from dataclasses import fields, is_dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args, get_origin

_WIDTH = 80
_Record = TypeVar("_Record", bound=type)


def docstrings(record: type) -> dict[str, str]:
    """The docstrings below the fields of a record, those that it inherits, too; none where Python has no
    source to read them in."""
    says = dict[str, str]()
    for each in reversed(record.__mro__):
        if is_dataclass(each):
            for line, below in pairwise(_classes_in(each.__module__).get(each.__name__, [])):
                if isinstance(line, ast.AnnAssign) and isinstance(below, ast.Expr):
                    says[ast.unparse(line.target)] = " ".join(ast.literal_eval(below.value).split())
    return says


def described(record: _Record) -> _Record:
    """The same record, whose docstring lists its fields, too, once somebody asks for it: reading the source
    takes longer than importing the rest.

    Examples
    --------
    >>> from threestep.settings import Question
    >>> "lang : {'en', 'zh-TW'}, default 'en'" in Question.__doc__.splitlines()
    True
    """
    record.__doc__ = _Doc(own_doc(record))  # pyright: ignore[reportAttributeAccessIssue]
    return record


def own_doc(record: type) -> str:
    """A record's docstring without its fields."""
    doc = vars(record).get("__doc__")
    return doc.own if isinstance(doc, _Doc) else inspect.cleandoc(doc or "")


class _Doc:
    """A docstring that is made when it is read."""

    def __init__(self, own: str):
        self.own = own

    def __get__(self, instance: object, record: type) -> str:
        says = docstrings(record)
        told = [_field(each, says[each.name]) for each in fields(record) if each.name in says]
        return "\n".join([self.own, "\nParameters\n----------", *told]) if told else self.own


def _field(field: Any, says: str) -> str:
    """A field as numpydoc has it."""
    from textwrap import fill  # importing settings must cost little

    text = fill(says, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{field.name} : {_kind(field.type)}, default {field.default!r}\n{text}"


def _kind(kind: Any) -> str:
    """A type, for people."""
    if get_origin(kind) is Literal:
        return "{" + ", ".join(map(repr, get_args(kind))) + "}"
    return inspect.formatannotation(kind)


@lru_cache
def _classes_in(module: str) -> dict[str, list[ast.stmt]]:
    """What stands in the classes of a module; each file is parsed once, which takes a while."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):
        return {}
    return {each.name: each.body for each in ast.parse(source).body if isinstance(each, ast.ClassDef)}
