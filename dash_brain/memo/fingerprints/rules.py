"""Which rule writes the values of a type."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from types import ModuleType
from typing import Any

from dash_brain.memo.fingerprints import classes, functions, values
from dash_brain.memo.fingerprints.hasher import ATOMS, Hasher
from dash_brain.memo.fingerprints.names import write_module
from dash_brain.memo.fingerprints.origins import top_of
from dash_brain.memo.fingerprints.tables import PLAIN
from dash_brain.memo.fingerprints.walk import Rule, Walk

_RULES: dict[type, Rule] = {**values.RULES, **functions.RULES, **classes.RULES}

#: Which module has the rules for the types of which library.
_LIBRARIES = {
    "numpy": "dash_brain.memo.fingerprints.arrays",
    "pandas": "dash_brain.memo.fingerprints.frames",
    "polars": "dash_brain.memo.fingerprints.polars_frames",
    "pyarrow": "dash_brain.memo.fingerprints.arrow",
}

#: Classes of apps: a function is registered with one, and its results do not depend on it.
_APPS = {
    ("dash.dash", "Dash"),
    ("flask.app", "Flask"),
    ("fastapi.applications", "FastAPI"),
    ("quart.app", "Quart"),
}

#: Attributes in which a mock records its calls.
_NOTED = (
    "_mock_call",
    "_mock_called",
    "_mock_mock_calls",
    "method_calls",
    "_mock_parent",
    "_mock_new_parent",
    "_mock_delegate",
)

#: Name of the method by which an object gives what its fingerprint is computed from.
FINGERPRINT_PARTS = "_fingerprint_parts"


def rule_of(cls: type) -> Rule:
    """Return the rule that writes the values of a type."""
    if cls in _RULES:
        return _RULES[cls]
    atom = ATOMS.get(cls)
    if atom is not None:
        return lambda walk, hasher, value: atom(hasher, value)
    if issubclass(cls, type):
        return classes.write_class
    return _by_ancestry(cls) or values.write_object


def _by_ancestry(cls: type) -> Rule | None:
    if issubclass(cls, ModuleType):
        return write_module
    if hasattr(cls, PLAIN):
        return lambda walk, hasher, value: walk.put(hasher, getattr(value, PLAIN))
    if hasattr(cls, FINGERPRINT_PARTS):
        return _fingerprint_parts
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


def _fingerprint_parts(walk: Walk, hasher: Hasher, value: Any) -> None:
    hasher.mark(b"k")
    walk.put(hasher, getattr(value, FINGERPRINT_PARTS)())


def _app(walk: Walk, hasher: Hasher, app: Any) -> None:
    hasher.mark(b"w")
    hasher.text(f"{type(app).__qualname__} {getattr(app, 'import_name', '')}")


def _proxy(walk: Walk, hasher: Hasher, proxy: Any) -> None:
    hasher.mark(b"x")  # the current request or app: it counts by the name that it is found by


def _numba(walk: Walk, hasher: Hasher, value: Any) -> None:
    """Write what numba compiles by the Python function, without what it has compiled so far."""
    for name in ("py_func", "_dispatcher", "gufunc_builder", "_pyfunc", "kernel_ir.func_id.func"):
        with suppress(AttributeError, KeyError):
            inner = attrgetter(name)(value)
            hasher.mark(b"j")
            walk.put_at(hasher, f".{name}", inner)
            walk.put_at(
                hasher, ".targetoptions", vars(value).get("targetoptions", vars(value).get("options"))
            )
            return
    values.write_object(walk, hasher, value)


def _mock(walk: Walk, hasher: Hasher, mock: Any) -> None:
    """Write what a mock was told to do, without the calls that it has noted."""
    hasher.mark(b"p")
    told = {name: part for name, part in vars(mock).items() if not name.startswith(_NOTED)}
    values.write_dict(walk, hasher, told, ".{}".format)
