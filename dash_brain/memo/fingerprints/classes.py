"""Rules for classes: they count by their attributes, bases and metaclasses."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from _abc import _get_dump  # type: ignore[import-not-found]
from typing import Any

from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint
from dash_brain.memo.fingerprints.origins import full_name, is_of_a_library, name_of_installed
from dash_brain.memo.fingerprints.walk import Walk

#: Attributes that are written elsewhere, do not affect what a class does, or change while it is used.
_LEFT_OUT = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__"),
    *("__static_attributes__", "__annotations__", "__annotations_cache__"),
    *("__annotate__", "__annotate_func__", "__conditional_annotations__"),
    *("__dataclass_params__", "__type_params__", "__parameters__", "__orig_bases__"),
    *("_abc_impl", "__classdictcell__", "__classcell__"),
    "__pydantic_setattr_handlers__",
}


def write_class(walk: Walk, hasher: Hasher, cls: Any) -> None:
    """Write a class as its name; its content is added at the end of the walk."""
    name = name_of_installed(cls, walk.home) or _name_in_c(cls)
    hasher.mark(b"C")
    if name is not None:
        hasher.text(name)
    else:
        walk.refer(hasher, cls, full_name(cls), _body, cls.__qualname__)


def _name_in_c(cls: type) -> str | None:
    """Return the name of a class that is written in C: another one cannot have its name."""
    is_static = not cls.__flags__ & (1 << 9)
    return f"{cls.__module__}.{cls.__qualname__}" if is_static else None


def _body(walk: Walk, hasher: Hasher, cls: Any) -> None:
    walk.put(hasher, type(cls))
    walk.items(hasher, cls.__bases__, ".__bases__[{}]".format)
    hasher.text(written(vars(cls).get("__doc__")))
    hasher.text(written(getattr(cls, "__struct_defaults__", None)))  # those of msgspec are in C
    write_annotations(hasher, vars(cls).get("__annotations__"))
    _registered(walk, hasher, cls)
    for name, value in sorted(vars(cls).items()):
        if name in _LEFT_OUT:
            continue
        hasher.text(name)
        if name.startswith("__") and name.endswith("__") and is_of_a_library(value, walk.home):
            continue  # what its metaclass or decorator keeps there
        try:
            walk.put(hasher, value)
        except NoFingerprint as refused:
            raise refused.within(f".{name}") from None


def _registered(walk: Walk, hasher: Hasher, cls: Any) -> None:
    """Write the classes that an abstract one was told to take for its own."""
    registered = [reference() for reference in _get_dump(cls)[0]] if "_abc_impl" in vars(cls) else []
    for digest in sorted(map(walk.alone, registered)):
        hasher.write(digest)


def write_annotations(hasher: Hasher, annotations: Any) -> None:
    """Write annotations, as their source text."""
    for name, hint in annotations.items() if isinstance(annotations, dict) else ():
        hasher.text(f"{name}: {full_name(hint) if isinstance(hint, type) else written(hint)}")


def written(thing: Any) -> str:
    """Return the repr of something, without addresses."""
    return re.sub(" at 0x[0-9a-fA-F]+", "", thing if isinstance(thing, str) else repr(thing))


def write_field(walk: Walk, hasher: Hasher, field: Any) -> None:
    """Write a field of a dataclass, without its type."""
    hasher.mark(b"f")
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
        walk.put_at(hasher, f".{name}", getattr(field, name, None))


def write_type_hint(walk: Walk, hasher: Hasher, hint: Any) -> None:
    """Write a generic alias of typing, as its source text."""
    hasher.mark(b"T")
    hasher.text(written(hint))


RULES = {
    dataclasses.Field: write_field,
    types.GenericAlias: write_type_hint,
    types.UnionType: write_type_hint,
    typing.TypeVar: write_type_hint,
    typing.ParamSpec: write_type_hint,
}
