"""Stand-ins for objects of a server, in which attributes that identify the caller raise an error."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from datetime import date
from enum import Enum
from functools import lru_cache
from numbers import Number
from typing import Any
from uuid import UUID

from dash_brain import shared_results

#: Attributes of ``g`` that identify the caller, as other libraries put them there.
_OF_G = (
    *("_login_user", "_jwt_extended_jwt", "_jwt_extended_jwt_user", "flask_httpauth_user"),
    *("current_user", "identity", "user", "user_id", "username"),
)
#: Names in ``g`` that describe the request only: loggers read them whatever function runs.
_HARMLESS_OF_G = ("correlation_id", "request_id", "start_time", "timing_information", "trace_id")
_DATA = (str, bytes, Number, date, Enum, UUID, dict, list, tuple, set, frozenset)

#: Headers that do not identify the caller.
_HARMLESS = {"content-length", "content-type", "host", "x-forwarded-host", "x-forwarded-prefix"}


@contextmanager
def overridden(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """Set a context variable while the block runs."""
    token = variable.set(value)
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine may be closed in another context than it ran in
            variable.reset(token)


def copy_with(original: Any, **attributes: Any) -> Any:
    """Return a shallow copy with other attributes. Flask does not pop it, so no teardown runs for it."""
    other = copy(original)
    other.__dict__.update(attributes)
    return other


def guarded(original: Any, name: str, refused: tuple[str, ...], **members: Any) -> Any:
    """Return a stand-in that shares the attributes of the original, but for some that raise."""
    cls: Any = type(original)
    other = object.__new__(guarded_class(cls, name, refused, **members))
    object.__setattr__(other, "__dict__", original.__dict__)  # flask.g has its own way of setting
    return other


def guarded_g(g: Any, name: str) -> Any:
    """Return ``g`` without data that was put there before, under any name: it may identify the caller.

    Connections stay, which functions share with what runs before them.
    """
    data = sorted(one for one, value in vars(g).items() if isinstance(value, _DATA))
    refused = (*_OF_G, *(one for one in data if one not in (*_OF_G, *_HARMLESS_OF_G)))
    return guarded(g, name, refused, get=_get, pop=_pop, setdefault=_setdefault)


def _get(g: Any, name: str, default: Any = None) -> Any:
    return getattr(g, name, default)


def _pop(g: Any, name: str, *default: Any) -> Any:
    _get(g, name)  # which may be refused
    return super(type(g), g).pop(name, *default)


def _setdefault(g: Any, name: str, default: Any = None) -> Any:
    _get(g, name)
    return super(type(g), g).setdefault(name, default)


@lru_cache(maxsize=64)
def guarded_class(cls: Any, name: str, refused: tuple[str, ...], **members: Any) -> Any:
    """Return a subclass in which some attributes raise; ``members`` are added."""
    return type(
        cls.__name__, (cls,), {**{one: _refusing_property(f"{name}.{one}") for one in refused}, **members}
    )


def _refusing_property(used: str) -> property:
    return property(lambda _: _refuse(used))


def _refuse(used: str) -> Any:
    # Named, because flask.copy_current_request_context passes the request on without our context.
    shared_results.refuse(used, "the result that is made here")


class RefusedMapping(MutableMapping[str, Any]):
    """A mapping of which every use raises."""

    def __init__(self, used: str) -> None:
        self._used = used

    def _refuse(self, *_: Any) -> Any:
        _refuse(self._used)

    __getitem__ = __setitem__ = __delitem__ = __iter__ = __len__ = __contains__ = __getattr__ = _refuse


class RefusedHeaders(RefusedMapping):
    """The headers of a request, of which those that may identify the caller raise."""

    def __init__(self, used: str, headers: Any) -> None:
        super().__init__(used)
        self._headers = headers

    def __getitem__(self, name: str) -> Any:
        return self._headers[name] if name.lower() in _HARMLESS else self._refuse()

    def __contains__(self, name: Any) -> Any:
        return name in self._headers if name.lower() in _HARMLESS else self._refuse()
