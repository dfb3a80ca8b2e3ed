"""Stand-ins for objects of a server, in which attributes that identify the caller raise an error."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from functools import lru_cache
from typing import Any

from dash_brain import shared_results

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
