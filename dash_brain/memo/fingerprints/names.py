"""The names that code reads while it runs, looked up at the time of the call.

Functions, classes and callable objects count by their code, and plain values by value. Other data counts by
name only: to hash a large table for each call would cost too much, and lists are often written to. Programs
without a file, such as notebooks, all have the same name, so their data counts by a random id of the program.
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

from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.names_read import Chain, reads
from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint, key_label
from dash_brain.memo.fingerprints.origins import (
    attribute,
    full_name,
    is_installed,
    is_of_a_library,
    name_of_installed,
    top_of,
    version_of,
)
from dash_brain.memo.fingerprints.snapshot import MISSING, Snapshot, is_value
from dash_brain.memo.fingerprints.tables import PLAIN, code_within, is_looked_into, is_table
from dash_brain.memo.fingerprints.walk import Rule, Walk

#: Stands for other data.
_DATA = "data"

#: The global name of the random id of a program without a file.
_PROGRAM = "__dash_brain_program__"


#: By these, code reads names that cannot be told before it runs.
_READERS = (builtins.globals, builtins.eval, builtins.exec)


def write_names(walk: Walk, hasher: Hasher, function: Any) -> None:
    """Write what a function reads by name."""
    seen = [(chain, _resolved(walk.home, function, chain)) for chain in reads(function.__code__)]
    if walk.snapshot:
        walk.snapshot.note(function, [(chain, _as_seen(walk.home, found)) for chain, found in seen])
    for chain, found in seen:
        if found is not MISSING:
            hasher.text(repr(chain))
            _write(walk, hasher, function.__globals__, found, f"{function.__qualname__}.{chain[-1]}")
        if any(found is reader for reader in _READERS):
            walk.refer(hasher, function.__globals__, f"all of {function.__module__}", _functions_of_module)


def looks(home: str) -> Snapshot:
    """Return a new snapshot of the objects that names stand for."""
    return Snapshot(lambda function, chain: _as_seen(home, _resolved(home, function, chain)))


def _as_seen(home: str, found: Any) -> Any:
    """Return what a name counts by; for the same object always the same one."""
    cls = type(found)
    if is_looked_into(found, home) and not is_value(found):
        return object() if code_within(found, home) else _DATA
    if cls.__weakrefoffset__ or found is MISSING or is_value(found):
        return found
    name = name_of_installed(found, home)
    return found if name is None else sys.intern(name)


def _resolved(home: str, function: Any, chain: Chain) -> Any:
    """Return the object that a chain of names stands for, through modules only."""
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
            inner = getattr(found, rest[0], MISSING)  # numpy.random is imported at the first access
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
    with suppress(ValueError):  # a variable of an outer function, or not assigned yet
        number = function.__code__.co_freevars.index(name)
        return function.__closure__[number].cell_contents
    return MISSING


def _write(
    walk: Walk, hasher: Hasher, scope: dict[str, Any], found: Any, label: str, content: Rule | None = None
) -> None:
    # An attribute of its class: a mock has every attribute, and a proxy has those of another object.
    found = getattr(found, PLAIN) if hasattr(type(found), PLAIN) else found
    if issubclass(type(found), (ModuleType, type)) or is_value(found):
        walk.put(hasher, found)
    elif not _is_code(walk, found):
        _by_name(walk, hasher, scope, found)
    elif (name := name_of_installed(found, walk.home)) is not None:
        hasher.text(name)
    else:
        walk.refer(hasher, found, f"{type(found).__name__} {full_name(found)}", content or _content, label)


#: Cached variables of a library's modules.
_LIBRARY = {"__file__": "library"}


def _content(walk: Walk, hasher: Hasher, thing: Any) -> None:
    """Write the object of a name; a library's object without a fingerprint, such as a client, is data."""
    own = Hasher()
    try:
        walk.inline(own, thing)
    except NoFingerprint:
        if not is_of_a_library(thing, walk.home):
            raise
        own = Hasher()
        slots = {name: attribute(thing, name) for name in copyreg._slotnames(type(thing))}  # type: ignore[attr-defined]
        _functions_within(walk, own, _LIBRARY, {**slots, **getattr(thing, "__dict__", {})})
    hasher.write(own.digest())


def _is_code(walk: Walk, found: Any) -> bool:
    """Say whether something is callable by its own code, and so no data."""
    if not callable(found):
        return False
    call = inspect.getattr_static(type(found), "__call__", None)
    if isinstance(call, FunctionType) and name_of_installed(call, walk.home) is None:
        return True
    return not hasattr(type(found), "__dict__") or is_installed(type(found).__module__, walk.home)


def write_module(walk: Walk, hasher: Hasher, module: Any) -> None:
    """Write a module: an installed one by name and version, the user's own by its content."""
    hasher.mark(b"i")
    if is_installed(module.__name__, walk.home):
        hasher.text(f"{version_of(module.__name__)}: {module.__name__}")
    else:
        if not is_installed(type(module).__module__, walk.home):
            walk.put(hasher, type(module))  # it may have properties
        walk.refer(hasher, module, f"module {module.__name__}", _members, module.__name__)


#: Variables that importing gives each module, and the one that we give it.
_OF_EVERY_MODULE = {
    *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__path__", "__file__", "__cached__"),
    *("__builtins__", "__annotations__", "__warningregistry__", _PROGRAM),
}


def _members(walk: Walk, hasher: Hasher, module: Any) -> None:
    for name, found in sorted(vars(module).items()):
        if name not in _OF_EVERY_MODULE:
            hasher.text(name)
            _write(walk, hasher, vars(module), found, f".{name}")


def _functions_of_module(walk: Walk, hasher: Hasher, scope: dict[str, Any]) -> None:
    # A notebook keeps what was put in and out under names with a bar in front.
    named = {name: one for name, one in scope.items() if callable(one) and not name.startswith("_")}
    for name, one in sorted(named.items()):
        hasher.text(name)
        _write(walk, hasher, scope, one, f".{name}", _content_or_type)


def _by_name(walk: Walk, hasher: Hasher, scope: dict[str, Any], found: Any) -> None:
    hasher.mark(b"n")
    _functions_within(walk, hasher, scope, found)
    if str(scope.get("__file__", "<")).startswith("<"):  # "<stdin>"
        hasher.text(_program(scope))


def _functions_within(walk: Walk, hasher: Hasher, scope: dict[str, Any], data: Any) -> None:
    content = _content if is_table(data) else _content_or_type
    for key, one in code_within(data, walk.home):
        hasher.text(key if type(key) is str else type(key).__name__)
        _write(walk, hasher, scope, one, key_label(key), content)


def _content_or_type(walk: Walk, hasher: Hasher, thing: Any) -> None:
    """Write a function that an object keeps; by its type, if it holds what has no fingerprint."""
    own = Hasher()
    try:
        _content(walk, own, thing)
    except NoFingerprint:
        own = Hasher()
        walk.put(own, thing.__code__ if isinstance(thing, FunctionType) else type(thing))
    hasher.write(own.digest())


def _program(scope: dict[str, Any]) -> str:
    """Return the random id of a program without a file, which copies of its variables do not have."""
    address, name = scope.get(_PROGRAM, (0, ""))
    if address != id(scope):
        scope[_PROGRAM] = address, name = id(scope), uuid.uuid4().hex
    return str(name)
