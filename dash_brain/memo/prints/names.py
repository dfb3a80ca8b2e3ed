"""What code finds by name while it runs, looked up as it would be found now.

Functions, classes and callable objects count by what they do, and plain values by value. Other data counts
by name only: to read a large table for each call would cost too much, and lists are often written to.
Programs without a file, such as notebooks, are all called alike, so their data is never taken for another's.
"""

from __future__ import annotations

import builtins
import copyreg
import importlib
import importlib.util
import inspect
import sys
import uuid
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

from dash_brain.memo.prints.lasting import MISSING, Lasting, is_value
from dash_brain.memo.prints.origins import (
    attribute,
    full_name,
    is_installed,
    is_of_a_library,
    name_of_installed,
    top_of,
    version_of,
)
from dash_brain.memo.prints.reads import Chain, reads
from dash_brain.memo.prints.refusal import Refused, key_label
from dash_brain.memo.prints.sink import Sink
from dash_brain.memo.prints.tables import PLAIN, code_within, is_looked_into, is_table
from dash_brain.memo.prints.walk import Rule, Walk

#: Stands for a global list and the like.
_DATA = "data"

#: Under this name a program without a file keeps what tells it apart from all others.
_PROGRAM = "__dash_brain_program__"


#: By these, code reads names that cannot be told before it runs.
_READERS = (builtins.globals, builtins.eval, builtins.exec)


def write_names(walk: Walk, sink: Sink, function: Any) -> None:
    """Write what a function reads by name."""
    seen = [(chain, _resolved(walk.home, function, chain)) for chain in reads(function.__code__)]
    if walk.lasting:
        walk.lasting.note(function, [(chain, _as_seen(walk.home, found)) for chain, found in seen])
    for chain, found in seen:
        if found is not MISSING:
            sink.text(repr(chain))
            _write(walk, sink, function.__globals__, found, f"{function.__qualname__}.{chain[-1]}")
        if any(found is reader for reader in _READERS):
            walk.refer(sink, function.__globals__, f"all of {function.__module__}", _functions_of_module)


def looks(home: str) -> Lasting:
    """Return what remembers where the names of functions lead to."""
    return Lasting(lambda function, chain: _as_seen(home, _resolved(home, function, chain)))


def _as_seen(home: str, found: Any) -> Any:
    """Return what stands for what a name leads to; of the same thing, it is always the same object."""
    cls = type(found)
    if is_looked_into(found, home) and not is_value(found):
        return object() if code_within(found, home) else _DATA
    if cls.__weakrefoffset__ or found is MISSING or is_value(found):
        return found
    name = name_of_installed(found, home)
    return found if name is None else sys.intern(name)


def _resolved(home: str, function: Any, chain: Chain) -> Any:
    """Return what a chain of names leads to, through modules and no further."""
    kind, name, *rest = chain
    if kind == "import":
        found, rest = _imported(home, function, name, rest[0]), rest[1:]
    elif kind == "cell":
        found = _cell(function, name)
        if not issubclass(type(found), ModuleType):
            return MISSING  # it counts by content
    else:
        found = function.__globals__.get(name, MISSING)
        found = vars(builtins).get(name, MISSING) if found is MISSING else found
    while rest and issubclass(type(found), ModuleType):
        inner = vars(found).get(rest[0], MISSING)
        if inner is MISSING and kind == "import":
            inner = _imported(home, function, 0, f"{found.__name__}.{rest[0]}")
        if inner is MISSING and is_installed(found.__name__, home):
            inner = getattr(found, rest[0], MISSING)  # numpy.random is there when it is first asked for
        if inner is MISSING:
            break
        found, rest = inner, rest[1:]
    return found


def _imported(home: str, function: Any, level: int, name: str) -> Any:
    """Return a module that a function imports when it runs; the user's own is imported now."""
    package = function.__globals__.get("__package__") or ""
    with suppress(Exception):
        full = importlib.util.resolve_name("." * level + name, package)
        if full in sys.modules or is_installed(top_of(full), home):
            return sys.modules.get(full, MISSING)
        spec = importlib.util.find_spec(full)
        return importlib.import_module(full) if spec else MISSING
    return MISSING


def _cell(function: Any, name: str) -> Any:
    with suppress(ValueError):  # it is one of an outer function's, or not assigned yet
        number = function.__code__.co_freevars.index(name)
        return function.__closure__[number].cell_contents
    return MISSING


def _write(
    walk: Walk, sink: Sink, scope: dict[str, Any], found: Any, label: str, content: Rule | None = None
) -> None:
    # Asked of its class: a mock has every attribute that it is asked for, and a proxy stands for another.
    found = getattr(found, PLAIN) if hasattr(type(found), PLAIN) else found
    if issubclass(type(found), (ModuleType, type)) or is_value(found):
        walk.put(sink, found)
    elif not _is_code(walk, found):
        _by_name(walk, sink, scope, found)
    elif (name := name_of_installed(found, walk.home)) is not None:
        sink.text(name)
    else:
        walk.refer(sink, found, f"{type(found).__name__} {full_name(found)}", content or _content, label)


#: Variables of a library's module, as far as they are asked for.
_LIBRARY = {"__file__": "library"}


def _content(walk: Walk, sink: Sink, thing: Any) -> None:
    """Write what a name leads to; an object of a library without a fingerprint, such as a client, is data."""
    own = Sink()
    try:
        walk.inline(own, thing)
    except Refused:
        if not is_of_a_library(thing, walk.home):
            raise
        own = Sink()
        slots = {name: attribute(thing, name) for name in copyreg._slotnames(type(thing))}  # type: ignore[attr-defined]
        _functions_within(walk, own, _LIBRARY, {**slots, **getattr(thing, "__dict__", {})})
    sink.write(own.digest())


def _is_code(walk: Walk, found: Any) -> bool:
    """Say whether something is called for what its own code does, rather than being data."""
    if not callable(found):
        return False
    call = inspect.getattr_static(type(found), "__call__", None)
    if isinstance(call, FunctionType) and name_of_installed(call, walk.home) is None:
        return True
    return not hasattr(type(found), "__dict__") or is_installed(type(found).__module__, walk.home)


def write_module(walk: Walk, sink: Sink, module: Any) -> None:
    """Write a module: an installed one by name and version, the user's own by all that it has."""
    sink.mark(b"i")
    if is_installed(module.__name__, walk.home):
        sink.text(f"{version_of(module.__name__)}: {module.__name__}")
    else:
        if not is_installed(type(module).__module__, walk.home):
            walk.put(sink, type(module))  # it may have properties
        walk.refer(sink, module, f"module {module.__name__}", _members, module.__name__)


#: Variables that importing gives each module, and the one that we give it.
_OF_EVERY_MODULE = {
    *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__"),
    *("__builtins__", "__annotations__", "__warningregistry__", _PROGRAM),
}


def _members(walk: Walk, sink: Sink, module: Any) -> None:
    for name, found in sorted(vars(module).items()):
        if name not in _OF_EVERY_MODULE:
            sink.text(name)
            _write(walk, sink, vars(module), found, f".{name}")


def _functions_of_module(walk: Walk, sink: Sink, scope: dict[str, Any]) -> None:
    # A notebook keeps what was put in and out under names with a bar in front.
    named = {name: one for name, one in scope.items() if callable(one) and not name.startswith("_")}
    for name, one in sorted(named.items()):
        sink.text(name)
        _write(walk, sink, scope, one, f".{name}", _content_or_type)


def _by_name(walk: Walk, sink: Sink, scope: dict[str, Any], found: Any) -> None:
    sink.mark(b"n")
    _functions_within(walk, sink, scope, found)
    if str(scope.get("__file__", "<")).startswith("<"):  # "<stdin>"
        sink.text(_program(scope))


def _functions_within(walk: Walk, sink: Sink, scope: dict[str, Any], data: Any) -> None:
    content = _content if is_table(data) else _content_or_type
    for key, one in code_within(data, walk.home):
        sink.text(key if type(key) is str else type(key).__name__)
        _write(walk, sink, scope, one, key_label(key), content)


def _content_or_type(walk: Walk, sink: Sink, thing: Any) -> None:
    """Write a function that an object keeps; by its type, if it holds what has no fingerprint."""
    own = Sink()
    try:
        _content(walk, own, thing)
    except Refused:
        own = Sink()
        walk.put(own, thing.__code__ if isinstance(thing, FunctionType) else type(thing))
    sink.write(own.digest())


def _program(scope: dict[str, Any]) -> str:
    """Return what tells a program without a file from all others, also from copies of its variables."""
    address, name = scope.get(_PROGRAM, (0, ""))
    if address != id(scope):
        scope[_PROGRAM] = address, name = id(scope), uuid.uuid4().hex
    return str(name)
