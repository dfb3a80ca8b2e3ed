"""Which rule writes the values of a type."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from types import ModuleType
from typing import Any

from dash_brain.memo.prints import classes, functions, values
from dash_brain.memo.prints.names import write_module
from dash_brain.memo.prints.origins import top_of
from dash_brain.memo.prints.sink import ATOMS, Sink
from dash_brain.memo.prints.tables import PLAIN
from dash_brain.memo.prints.walk import Rule, Walk

_RULES: dict[type, Rule] = {**values.RULES, **functions.RULES, **classes.RULES}

#: Which module has the rules for the types of which library.
_LIBRARIES = {
    "numpy": "dash_brain.memo.prints.arrays",
    "pandas": "dash_brain.memo.prints.frames",
    "polars": "dash_brain.memo.prints.polars_frames",
    "pyarrow": "dash_brain.memo.prints.arrow",
}

#: Apps, which are what a function is registered with, and not what its results follow from.
_APPS = {
    ("dash.dash", "Dash"),
    ("flask.app", "Flask"),
    ("fastapi.applications", "FastAPI"),
    ("quart.app", "Quart"),
}

#: What a mock notes of its calls.
_NOTED = (
    "_mock_call",
    "_mock_called",
    "_mock_mock_calls",
    "method_calls",
    "_mock_parent",
    "_mock_new_parent",
    "_mock_delegate",
)

#: By this method an object says what stands for it.
KNOWN_BY = "_known_by"


def rule_of(cls: type) -> Rule:
    """Return the rule that writes the values of a type."""
    if cls in _RULES:
        return _RULES[cls]
    atom = ATOMS.get(cls)
    if atom is not None:
        return lambda walk, sink, value: atom(sink, value)
    if issubclass(cls, type):
        return classes.write_class
    return _by_ancestry(cls) or values.write_object


def _by_ancestry(cls: type) -> Rule | None:
    if issubclass(cls, ModuleType):
        return write_module
    if hasattr(cls, PLAIN):
        return lambda walk, sink, value: walk.put(sink, getattr(value, PLAIN))
    if hasattr(cls, KNOWN_BY):
        return _known_by
    for base in cls.__mro__:
        if (base.__module__, base.__qualname__) == ("werkzeug.local", "LocalProxy"):
            return _proxy
        if (base.__module__, base.__qualname__) in _APPS:
            return _app
        rule = _of_library(top_of(base.__module__), cls)
        if rule is not None:
            return rule
    return None


def _of_library(library: str, cls: type) -> Rule | None:
    if library in _LIBRARIES:
        found: Callable[[type], Rule | None] = import_module(_LIBRARIES[library]).rule
        return found(cls)
    if library == "numba":
        return _numba
    mock = sys.modules.get("unittest.mock")
    return _mock if library == "unittest" and mock and issubclass(cls, mock.NonCallableMock) else None


def _known_by(walk: Walk, sink: Sink, value: Any) -> None:
    sink.mark(b"k")
    walk.put(sink, getattr(value, KNOWN_BY)())


def _app(walk: Walk, sink: Sink, app: Any) -> None:
    sink.mark(b"w")
    sink.text(f"{type(app).__qualname__} {getattr(app, 'import_name', '')}")


def _proxy(walk: Walk, sink: Sink, proxy: Any) -> None:
    sink.mark(b"x")  # the request or the app of the moment, by the name that leads to it


def _numba(walk: Walk, sink: Sink, value: Any) -> None:
    """Write what numba compiles by the Python function, without what it has compiled so far."""
    for name in ("py_func", "_dispatcher", "gufunc_builder", "_pyfunc", "kernel_ir.func_id.func"):
        with suppress(AttributeError, KeyError):
            inner = attrgetter(name)(value)
            sink.mark(b"j")
            walk.put_at(sink, f".{name}", inner)
            walk.put_at(sink, ".targetoptions", vars(value).get("targetoptions", vars(value).get("options")))
            return
    values.write_object(walk, sink, value)


def _mock(walk: Walk, sink: Sink, mock: Any) -> None:
    """Write what a mock was told to do, without the calls that it has noted."""
    sink.mark(b"p")
    told = {name: part for name, part in vars(mock).items() if not name.startswith(_NOTED)}
    values.write_dict(walk, sink, told, ".{}".format)
