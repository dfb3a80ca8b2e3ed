"""Rules for functions, code, and wrappers of functions: they count by their code."""

from __future__ import annotations

import functools
import sys
import weakref
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

from dash_brain.codec.names import class_name
from dash_brain.memo.fingerprints.classes import write_annotations
from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.names import write_names
from dash_brain.memo.fingerprints.origins import full_name, is_installed_file, name_of_installed
from dash_brain.memo.fingerprints.values import write_dict
from dash_brain.memo.fingerprints.walk import Rule, Walk

_SINGLEDISPATCH = functools.singledispatch(lambda part: part).__code__  # type: ignore[attr-defined]


def _function(walk: Walk, hasher: Hasher, function: Any) -> None:
    name = name_of_installed(function, walk.home)
    if name is not None:
        hasher.mark(b"I")
        hasher.text(name)
        return
    was_within, walk.is_in_function = walk.is_in_function, True
    try:
        write_function(walk, hasher, function)
    finally:
        walk.is_in_function = was_within


def write_function(walk: Walk, hasher: Hasher, function: Any) -> None:
    """Write a function: where it is defined, its code, its data, and what it reads by name."""
    ignores_cells, walk.ignores_cells = walk.ignores_cells, False
    hasher.mark(b"F")
    hasher.text(full_name(function))
    walk.put(hasher, function.__code__)
    walk.put_at(hasher, ".__defaults__", function.__defaults__)
    walk.put_at(hasher, ".__kwdefaults__", function.__kwdefaults__)
    write_annotations(hasher, function.__annotations__)
    if function.__code__ is _SINGLEDISPATCH:
        walk.meet(dict)
        write_dict(walk, hasher, function.registry)
        return
    if not ignores_cells:
        _cells(walk, hasher, function)
    _attributes(walk, hasher, function)
    write_names(walk, hasher, function)


def _cells(walk: Walk, hasher: Hasher, function: Any) -> None:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # not assigned yet
            hasher.mark(b"E")
        else:
            walk.put_at(hasher, f".{name}", content)


def _attributes(walk: Walk, hasher: Hasher, function: Any) -> None:
    """Write the attributes of a function, without those that a library sets on its own wrapper."""
    is_library = is_installed_file(function.__code__.co_filename)
    named = vars(function)
    if "mock" in named and callable(getattr(named["mock"], "attach_mock", None)):
        named = {
            name: named.get(name) for name in ("mock", "return_value", "side_effect")
        }  # made by autospec=
    for name, value in sorted(named.items()):
        if _is_ours(value):
            continue  # forget() of a memoized callback
        if name == "__wrapped__" or not is_library:
            hasher.text(name)
            walk.put_at(hasher, f".{name}", value)


def _is_ours(value: Any) -> bool:
    return type(value) is MethodType and str(value.__func__.__module__).startswith("dash_brain.")


def _code(walk: Walk, hasher: Hasher, code: CodeType) -> None:
    hasher.write(_what_it_does(walk, code))


_known: dict[int, tuple[weakref.ref[CodeType], bytes]] = {}


def _what_it_does(walk: Walk, code: CodeType) -> bytes:
    """Return the digest of a piece of code, without its line numbers."""
    known = _known.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    hasher, address = Hasher(), id(code)
    # What is called co_cellvars is in the co_freevars of the functions inside.
    does = code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_flags
    walk.items(hasher, does)
    walk.items(hasher, (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount))
    walk.put(
        hasher, getattr(code, "co_exceptiontable", b"")
    )  # where try begins and ends, from Python 3.11 on
    walk.items(hasher, code.co_consts)
    _known[address] = weakref.ref(code, lambda _: _known.pop(address, None)), hasher.digest()
    return _known[address][1]


def _method(walk: Walk, hasher: Hasher, method: Any) -> None:
    hasher.mark(b"M")
    walk.put_at(hasher, ".__func__", method.__func__)
    walk.put_at(hasher, ".__self__", method.__self__)


def _builtin(walk: Walk, hasher: Hasher, function: Any) -> None:
    hasher.mark(b"u")
    hasher.text(f"{function.__module__}.{function.__qualname__}")
    if function.__self__ is not sys.modules.get(function.__module__):
        walk.put_at(hasher, ".__self__", function.__self__)


def _slot(walk: Walk, hasher: Hasher, descriptor: Any) -> None:
    hasher.mark(b"d")
    hasher.text(f"{type(descriptor).__name__} {class_name(descriptor.__objclass__)} {descriptor.__name__}")


def _through(*names: str) -> Rule:
    """Return the rule for wrappers, which count by the functions that they wrap."""

    def write(walk: Walk, hasher: Hasher, value: Any) -> None:
        hasher.mark(b"W")
        hasher.text(type(value).__qualname__)
        for name in names:
            walk.put_at(hasher, f".{name}", getattr(value, name, None))

    return write


_SLOTS = (
    *(ClassMethodDescriptorType, GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType),
    WrapperDescriptorType,
)

RULES: dict[type, Rule] = {
    FunctionType: _function,
    CodeType: _code,
    MethodType: _method,
    BuiltinFunctionType: _builtin,
    MethodWrapperType: _through("__name__", "__self__"),
    **dict.fromkeys(_SLOTS, _slot),
    staticmethod: _through("__func__"),
    classmethod: _through("__func__"),
    property: _through("fget", "fset", "fdel"),
    type(functools.lru_cache(lambda: None)): _through("__wrapped__"),
    functools.cached_property: _through("func", "attrname"),
    functools.singledispatchmethod: _through("dispatcher", "func"),
    functools.partialmethod: _through("func", "args", "keywords"),
}
