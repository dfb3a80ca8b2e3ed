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
from collections import OrderedDict, defaultdict, deque
from contextlib import suppress
from itertools import islice
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from dash_brain.memo.fingerprints.hasher import Hasher
from dash_brain.memo.fingerprints.names_read import Chain, reads
from dash_brain.memo.fingerprints.origins import (
    attribute,
    full_name,
    is_installed,
    is_of_a_library,
    name_of_installed,
    top_of,
    version_of,
)
from dash_brain.memo.fingerprints.refusal import Refused, key_label
from dash_brain.memo.fingerprints.snapshot import MISSING, Snapshot, is_value
from dash_brain.memo.fingerprints.walk import Walk

#: Attribute by which a memoized function leads to the one that it was made of.
PLAIN = "_dash_brain_plain"

#: So many elements of a list or dict, and of those in it, are looked through for functions.
_FEW = 256

#: Stands for a global list and the like.
_DATA = "data"

#: Under this name a program without a file keeps what tells it apart from all others.
_PROGRAM = "__dash_brain_program__"


def write_names(walk: Walk, hasher: Hasher, function: Any) -> None:
    """Write what a function reads by name."""
    seen = [(chain, _resolved(walk.home, function, chain)) for chain in reads(function.__code__)]
    if walk.snapshot:
        walk.snapshot.note(function, [(chain, _as_seen(walk.home, found)) for chain, found in seen])
    for chain, found in seen:
        if found is not MISSING:
            hasher.text(repr(chain))
            _write(walk, hasher, function.__globals__, found, f"{function.__qualname__}.{chain[-1]}")


def looks(home: str) -> Snapshot:
    """Return what remembers where the names of functions lead to."""
    return Snapshot(lambda function, chain: _as_seen(home, _resolved(home, function, chain)))


def _as_seen(home: str, found: Any) -> Any:
    """Return what stands for what a name leads to; of the same thing, it is always the same object."""
    cls = type(found)
    if cls in _TABLES and not is_value(found):
        return object() if _code_within(found) else _DATA
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


def _write(walk: Walk, hasher: Hasher, scope: dict[str, Any], found: Any, label: str) -> None:
    # Asked of its class: a mock has every attribute that it is asked for, and a proxy stands for another.
    found = getattr(found, PLAIN) if hasattr(type(found), PLAIN) else found
    if issubclass(type(found), (ModuleType, type)) or is_value(found):
        walk.put(hasher, found)
    elif not _is_code(walk, found):
        _by_name(walk, hasher, scope, found)
    elif (name := name_of_installed(found, walk.home)) is not None:
        hasher.text(name)
    else:
        walk.refer(hasher, found, f"{type(found).__name__} {full_name(found)}", _content, label)


#: Variables of a library's module, as far as they are asked for.
_LIBRARY = {"__file__": "library"}


def _content(walk: Walk, hasher: Hasher, thing: Any) -> None:
    """Write what a name leads to; an object of a library without a fingerprint, such as a client, is data."""
    own = Hasher()
    try:
        walk.inline(own, thing)
    except Refused:
        if not is_of_a_library(thing, walk.home):
            raise
        own = Hasher()
        slots = {name: attribute(thing, name) for name in copyreg._slotnames(type(thing))}  # type: ignore[attr-defined]
        _functions_within(walk, own, _LIBRARY, {**slots, **getattr(thing, "__dict__", {})})
    hasher.write(own.digest())


def _is_code(walk: Walk, found: Any) -> bool:
    """Say whether something is called for what its own code does, rather than being data."""
    if not callable(found):
        return False
    call = inspect.getattr_static(type(found), "__call__", None)
    if isinstance(call, FunctionType) and name_of_installed(call, walk.home) is None:
        return True
    return not hasattr(type(found), "__dict__") or is_installed(type(found).__module__, walk.home)


def write_module(walk: Walk, hasher: Hasher, module: Any) -> None:
    """Write a module: an installed one by name and version, the user's own by all that it has."""
    hasher.mark(b"i")
    if is_installed(module.__name__, walk.home):
        hasher.text(f"{version_of(module.__name__)}: {module.__name__}")
    else:
        walk.refer(hasher, module, f"module {module.__name__}", _members, module.__name__)


def _members(walk: Walk, hasher: Hasher, module: Any) -> None:
    for name, found in sorted(vars(module).items()):
        if not name.startswith("__"):
            hasher.text(name)
            _write(walk, hasher, vars(module), found, f".{name}")


def _code_within(data: Any) -> list[tuple[Any, Any]]:
    """Return the functions and classes in a container, such as a table of handlers, and in those in it."""
    pairs = _pairs(data)
    for _, one in pairs:  # to which it adds
        if type(one) in _TABLES and len(pairs) < _FEW:
            pairs += islice(_pairs(one), _FEW - len(pairs))
    return [(key, one) for key, one in pairs if callable(one)]


#: What tables of handlers are made of.
_TABLES = (dict, list, tuple, set, frozenset, deque, OrderedDict, defaultdict, MappingProxyType)


def _pairs(data: Any) -> list[tuple[Any, Any]]:
    """Return the first keys and elements of a container."""
    if isinstance(data, (list, tuple, set, frozenset, deque)):
        return list(enumerate(islice(data, _FEW)))
    if not isinstance(data, (dict, MappingProxyType)):
        return []
    made_by = [("default_factory", data.default_factory)] if isinstance(data, defaultdict) else []
    return made_by + list(islice(data.items(), _FEW))


def _by_name(walk: Walk, hasher: Hasher, scope: dict[str, Any], found: Any) -> None:
    hasher.mark(b"n")
    _functions_within(walk, hasher, scope, found)
    if not is_installed(type(found).__module__, walk.home):
        walk.put(hasher, type(found))
    if str(scope.get("__file__", "<")).startswith("<"):  # "<stdin>"
        hasher.text(_program(scope))


def _functions_within(walk: Walk, hasher: Hasher, scope: dict[str, Any], data: Any) -> None:
    for key, one in _code_within(data):
        hasher.text(key if type(key) is str else type(key).__name__)
        _write(walk, hasher, scope, one, key_label(key))


def _program(scope: dict[str, Any]) -> str:
    """Return what tells a program without a file from all others, also from copies of its variables."""
    address, name = scope.get(_PROGRAM, (0, ""))
    if address != id(scope):
        scope[_PROGRAM] = address, name = id(scope), uuid.uuid4().hex
    return str(name)
