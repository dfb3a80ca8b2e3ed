"""Functions and classes in data that code finds by name: in tables of handlers, registries, services.

The data itself counts by its name only. What is called through it counts by what it does.
"""

from __future__ import annotations

import copyreg
import functools
import sys
from collections import ChainMap, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Iterable
from itertools import islice
from types import FunctionType, MappingProxyType, MethodType, SimpleNamespace
from typing import Any

from dash_brain.memo.fingerprints.origins import attribute, is_installed, top_of

#: Attribute by which a memoized function leads to the one that it was made of.
PLAIN = "_dash_brain_plain"

#: So many elements and attributes, and those in them, are looked through for functions.
FEW = 256

#: What tables of handlers are made of.
_TABLES = (dict, list, tuple, set, frozenset, deque, OrderedDict, defaultdict, MappingProxyType)

#: Python's own objects whose attributes are somebody's.
_OPEN = (SimpleNamespace, UserDict, UserList, ChainMap)

#: What counts as a function where it is an attribute of an object.
_FUNCTIONS = (type, FunctionType, functools.partial, type(functools.lru_cache(lambda: None)))


def is_table(data: Any) -> bool:
    """Say whether something is a container of Python's own."""
    return type(data) in _TABLES


def is_looked_into(data: Any, home: str) -> bool:
    """Say whether something is a container, or an object of a class of the user's own."""
    cls = type(data)
    if cls in _TABLES or issubclass(cls, _OPEN):
        return True
    return is_own(cls, home) and all(is_own(base, home) or _is_of_python(base) for base in cls.__mro__)


def is_own(cls: type, home: str) -> bool:
    """Say whether a class is the user's own."""
    return not is_installed(cls.__module__, home)


def _is_of_python(cls: type) -> bool:
    return top_of(cls.__module__) in sys.stdlib_module_names


def code_within(data: Any, home: str) -> list[tuple[Any, Any]]:
    """Return the functions and classes in a container or an object, and in those in it, with their keys."""
    code, inner, met, left = list[tuple[Any, Any]](), [data], {id(data)}, FEW
    classes = [type(data)] if is_own(type(data), home) else []
    for one in inner:  # to which it adds
        is_object = type(one) not in _TABLES
        for key, part in islice(_pairs(one) if is_looked_into(one, home) else (), left):
            left -= 1
            if _is_function(part, is_object):
                code.append((key, part.__func__ if is_object and type(part) is MethodType else part))
            elif id(part) not in met:
                met.add(id(part))
                inner.append(part)
                if is_own(type(part), home) and type(part) not in classes:
                    classes.append(type(part))
    return [*(("", cls) for cls in classes), *code]


def _is_function(part: Any, of_object: bool) -> bool:
    if not of_object:
        return callable(part)
    if isinstance(part, (*_FUNCTIONS, MethodType)) or hasattr(type(part), PLAIN):
        return True
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(part, mock.NonCallableMock)


def _pairs(data: Any) -> Iterable[tuple[Any, Any]]:
    """Return the first keys and elements of a container, or the attributes of an object."""
    if isinstance(data, (list, tuple, set, frozenset, deque)):
        elements: list[tuple[Any, Any]] = list(enumerate(islice(data, FEW)))
    elif isinstance(data, (dict, MappingProxyType)):
        elements = list(islice(data.items(), FEW))
    else:
        elements = []
    if isinstance(data, defaultdict):
        elements.insert(0, ("default_factory", data.default_factory))
    return elements if type(data) in _TABLES else [*_attributes(data), *elements]


def _attributes(data: Any) -> list[tuple[Any, Any]]:
    slots = [name for name in copyreg._slotnames(type(data)) if hasattr(data, name)]  # type: ignore[attr-defined]
    own = attribute(data, "__dict__")
    named = list(islice(own.items(), FEW)) if isinstance(own, dict) else []
    return [*((name, attribute(data, name)) for name in slots), *named]
