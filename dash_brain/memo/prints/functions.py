"""Rules for functions, code, and what wraps functions: they count by what they do."""

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
from dash_brain.memo.prints.classes import write_annotations
from dash_brain.memo.prints.names import write_names
from dash_brain.memo.prints.origins import full_name, is_installed_file, name_of_installed
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.values import write_dict
from dash_brain.memo.prints.walk import Rule, Walk

_SINGLEDISPATCH = functools.singledispatch(lambda part: part).__code__  # type: ignore[attr-defined]


def _function(walk: Walk, sink: Sink, function: Any) -> None:
    name = name_of_installed(function, walk.home)
    if name is not None:
        sink.mark(b"I")
        sink.text(name)
        return
    was_within, walk.is_in_function = walk.is_in_function, True
    try:
        write_function(walk, sink, function)
    finally:
        walk.is_in_function = was_within


def write_function(walk: Walk, sink: Sink, function: Any) -> None:
    """Write a function: where it is defined, what it does, and what it holds and reads."""
    ignores_cells, walk.ignores_cells = walk.ignores_cells, False
    sink.mark(b"F")
    sink.text(full_name(function))
    walk.put(sink, function.__code__)
    walk.put_at(sink, ".__defaults__", function.__defaults__)
    walk.put_at(sink, ".__kwdefaults__", function.__kwdefaults__)
    write_annotations(sink, function.__annotations__)
    if function.__code__ is _SINGLEDISPATCH:
        walk.meet(dict)
        write_dict(walk, sink, function.registry)
        return
    if not ignores_cells:
        _cells(walk, sink, function)
    _attributes(walk, sink, function)
    write_names(walk, sink, function)


def _cells(walk: Walk, sink: Sink, function: Any) -> None:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # not assigned yet
            sink.mark(b"E")
        else:
            walk.put_at(sink, f".{name}", content)


def _attributes(walk: Walk, sink: Sink, function: Any) -> None:
    """Write what was set on a function; what a library notes on its own wrapper is its own affair."""
    is_library = is_installed_file(function.__code__.co_filename)
    named = vars(function)
    if "mock" in named and callable(getattr(named["mock"], "attach_mock", None)):
        named = {
            name: named.get(name) for name in ("mock", "return_value", "side_effect")
        }  # made by autospec=
    for name, value in sorted(named.items()):
        if _is_ours(value):
            continue  # what forgets the results of a memoized callback
        if name == "__wrapped__" or not is_library:
            sink.text(name)
            walk.put_at(sink, f".{name}", value)


def _is_ours(value: Any) -> bool:
    return type(value) is MethodType and str(value.__func__.__module__).startswith("dash_brain.")


def _code(walk: Walk, sink: Sink, code: CodeType) -> None:
    sink.write(_what_it_does(walk, code))


_known: dict[int, tuple[weakref.ref[CodeType], bytes]] = {}


def _what_it_does(walk: Walk, code: CodeType) -> bytes:
    """Return the digest of a piece of code; where it stands in its file is no part of it."""
    known = _known.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    sink, address = Sink(), id(code)
    # What is called co_cellvars is in the co_freevars of the functions inside.
    does = code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_flags
    walk.items(sink, does)
    walk.items(sink, (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount))
    walk.put(sink, getattr(code, "co_exceptiontable", b""))  # where try begins and ends, from Python 3.11 on
    walk.items(sink, code.co_consts)
    _known[address] = weakref.ref(code, lambda _: _known.pop(address, None)), sink.digest()
    return _known[address][1]


def _method(walk: Walk, sink: Sink, method: Any) -> None:
    sink.mark(b"M")
    walk.put_at(sink, ".__func__", method.__func__)
    walk.put_at(sink, ".__self__", method.__self__)


def _builtin(walk: Walk, sink: Sink, function: Any) -> None:
    sink.mark(b"u")
    sink.text(f"{function.__module__}.{function.__qualname__}")
    if function.__self__ is not sys.modules.get(function.__module__):
        walk.put_at(sink, ".__self__", function.__self__)


def _slot(walk: Walk, sink: Sink, descriptor: Any) -> None:
    sink.mark(b"d")
    sink.text(f"{type(descriptor).__name__} {class_name(descriptor.__objclass__)} {descriptor.__name__}")


def _through(*names: str) -> Rule:
    """Return the rule for what wraps functions, which counts by them."""

    def write(walk: Walk, sink: Sink, value: Any) -> None:
        sink.mark(b"W")
        sink.text(type(value).__qualname__)
        for name in names:
            walk.put_at(sink, f".{name}", getattr(value, name, None))

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
