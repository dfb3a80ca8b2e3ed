"""Objects as they were, but for what names who asks: to use that raises while a result for all is made."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from functools import lru_cache
from typing import Any

from dash_brain import shared_results

#: Headers that are the same for all who ask.
_HARMLESS = {"content-length", "content-type", "host", "x-forwarded-host", "x-forwarded-prefix"}


@contextmanager
def instead(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """Have a variable of the context another value while the block runs."""
    token = variable.set(value)
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine is thrown away in another context than it ran in
            variable.reset(token)


def changed(thing: Any, **attributes: Any) -> Any:
    """Return a copy that differs in some attributes; as it is never popped, nothing ends by it."""
    other = copy(thing)
    other.__dict__.update(attributes)
    return other


def without(thing: Any, name: str, refused: tuple[str, ...], **members: Any) -> Any:
    """Return what is the same object but for some attributes: what is written to one, the other has."""
    cls: Any = type(thing)
    other = object.__new__(kind(cls, name, refused, **members))
    object.__setattr__(other, "__dict__", thing.__dict__)  # flask.g has its own way of setting
    return other


@lru_cache(maxsize=64)
def kind(cls: Any, name: str, refused: tuple[str, ...], **members: Any) -> Any:
    """Return a subclass in which some attributes raise, with these members besides."""
    return type(cls.__name__, (cls,), {**{one: _refusing(f"{name}.{one}") for one in refused}, **members})


def _refusing(used: str) -> property:
    return property(lambda _: _refuse(used))


def _refuse(used: str) -> Any:
    # Without the context where the request was handed on to a thread: flask.copy_current_request_context.
    shared_results.refuse(used, "the result that is made here")


class RefusedMapping(MutableMapping[str, Any]):
    """A mapping of which every use raises."""

    def __init__(self, used: str) -> None:
        self._used = used

    def _refuse(self, *_: Any) -> Any:
        _refuse(self._used)

    __getitem__ = __setitem__ = __delitem__ = __iter__ = __len__ = __contains__ = __getattr__ = _refuse


class RefusedHeaders(RefusedMapping):
    """The headers of a request without those that may name who asks."""

    def __init__(self, used: str, headers: Any) -> None:
        super().__init__(used)
        self._headers = headers

    def __getitem__(self, name: str) -> Any:
        return self._headers[name] if name.lower() in _HARMLESS else self._refuse()

    def __contains__(self, name: Any) -> Any:
        return name in self._headers if name.lower() in _HARMLESS else self._refuse()
