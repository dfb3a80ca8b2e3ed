"""Rules for classes: these count by all that their bodies define, and by their bases and metaclasses."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from _abc import _get_dump  # type: ignore[import-not-found]
from typing import Any

from dash_brain.memo.prints.origins import full_name, is_of_a_library, name_of_installed
from dash_brain.memo.prints.refusal import Refused
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.walk import Walk

#: What is said elsewhere, says nothing of what a class does, or changes while it is used.
_LEFT_OUT = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__"),
    *("__static_attributes__", "__annotations__", "__annotations_cache__"),
    *("__annotate__", "__annotate_func__", "__conditional_annotations__"),
    *("__dataclass_params__", "__type_params__", "__parameters__", "__orig_bases__"),
    *("_abc_impl", "__classdictcell__", "__classcell__"),
    "__pydantic_setattr_handlers__",
}


def write_class(walk: Walk, sink: Sink, cls: Any) -> None:
    """Write a class as its name; what it does is added at the end of the walk."""
    name = name_of_installed(cls, walk.home) or _name_in_c(cls)
    sink.mark(b"C")
    if name is not None:
        sink.text(name)
    else:
        walk.refer(sink, cls, full_name(cls), _body, cls.__qualname__)


def _name_in_c(cls: type) -> str | None:
    """Return the name of a class that is written in C, and can therefore not be another one by that name."""
    is_static = not cls.__flags__ & (1 << 9)
    return f"{cls.__module__}.{cls.__qualname__}" if is_static else None


def _body(walk: Walk, sink: Sink, cls: Any) -> None:
    walk.put(sink, type(cls))
    walk.items(sink, cls.__bases__, ".__bases__[{}]".format)
    sink.text(written(vars(cls).get("__doc__")))
    sink.text(written(getattr(cls, "__struct_defaults__", None)))  # those of msgspec lie in C
    write_annotations(sink, vars(cls).get("__annotations__"))
    _registered(walk, sink, cls)
    for name, value in sorted(vars(cls).items()):
        if name in _LEFT_OUT:
            continue
        sink.text(name)
        if name.startswith("__") and name.endswith("__") and is_of_a_library(value, walk.home):
            continue  # what its metaclass or decorator keeps there
        try:
            walk.put(sink, value)
        except Refused as refused:
            raise refused.within(f".{name}") from None


def _registered(walk: Walk, sink: Sink, cls: Any) -> None:
    """Write the classes that an abstract one was told to take for its own."""
    registered = [reference() for reference in _get_dump(cls)[0]] if "_abc_impl" in vars(cls) else []
    for digest in sorted(map(walk.alone, registered)):
        sink.write(digest)


def write_annotations(sink: Sink, annotations: Any) -> None:
    """Write what a function or class says of types: by how it is written, for only that can matter."""
    for name, hint in annotations.items() if isinstance(annotations, dict) else ():
        sink.text(f"{name}: {full_name(hint) if isinstance(hint, type) else written(hint)}")


def written(thing: Any) -> str:
    """Return how something is written, without addresses."""
    return re.sub(" at 0x[0-9a-fA-F]+", "", thing if isinstance(thing, str) else repr(thing))


def write_field(walk: Walk, sink: Sink, field: Any) -> None:
    """Write a field of a dataclass, without the type that it is said to have."""
    sink.mark(b"f")
    for name in (
        "name",
        "default",
        "default_factory",
        "init",
        "repr",
        "hash",
        "compare",
        "metadata",
        "kw_only",
    ):
        walk.put_at(sink, f".{name}", getattr(field, name, None))


def write_type_hint(walk: Walk, sink: Sink, hint: Any) -> None:
    """Write what typing makes of brackets: by how it is written."""
    sink.mark(b"T")
    sink.text(written(hint))


RULES = {
    dataclasses.Field: write_field,
    types.GenericAlias: write_type_hint,
    types.UnionType: write_type_hint,
    typing.TypeVar: write_type_hint,
    typing.ParamSpec: write_type_hint,
}
