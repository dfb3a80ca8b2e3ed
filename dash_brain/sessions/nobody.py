"""A request in which nobody asks, for the time in which a result is made that is kept for all.

Flask and Dash tell a function who asks in more ways than one, and dash_brain cannot see what becomes of it.
So those ways are closed: each raises, and says which result is being made.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from functools import lru_cache
from typing import Any

import flask
import flask.globals

from dash_brain import shared_results
from dash_brain.internals import callback_context, context_value

#: What in a request, in ``flask.g`` and in ``dash.ctx`` names who asks, or goes to him alone.
_OF_REQUEST = ("access_route", "authorization", "cookies", "remote_addr", "remote_user", "user_agent")
_OF_G = (
    "_login_user",
    "_jwt_extended_jwt",
    "_jwt_extended_jwt_user",
    "flask_httpauth_user",
    "identity",
    "user",
)
_OF_CONTEXT = ("args", "cookies", "custom_data", "dash_response", "headers", "path", "remote")

#: Headers that are the same for all who ask.
_HARMLESS = {"content-length", "content-type", "host", "x-forwarded-host", "x-forwarded-prefix"}


@contextmanager
def nobody_asks() -> Iterator[None]:
    """Close the ways in which a function learns who asks, while the block runs."""
    with ExitStack() as closed:
        request, app = (getattr(flask.globals, name, None) for name in ("_cv_request", "_cv_app"))
        if flask.has_request_context() and request is not None:
            closed.enter_context(_instead(request, _nobodys_request(request.get())))
        if flask.has_app_context() and app is not None:
            closed.enter_context(_instead(app, _with(app.get(), g=_without(app.get().g, "flask.g", _OF_G))))
        context = callback_context()
        if context is not None:
            closed.enter_context(_instead(context_value, _nobodys_context(context)))
        yield


@contextmanager
def _instead(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine is thrown away in another context than it ran in
            variable.reset(token)


def _nobodys_request(context: Any) -> Any:
    request = _without(context.request, "flask.request", _OF_REQUEST)
    return _with(context, request=request, _session=_Refused("flask.session"))


def _nobodys_context(context: Any) -> Any:
    cls: Any = type(context)
    guarded = _kind(cls, "dash.ctx", _OF_CONTEXT)(context)
    guarded["updated_props"] = _Refused("set_props")
    return guarded


def _with(thing: Any, **changed: Any) -> Any:
    """Return a copy that differs in some attributes; as it is never popped, nothing ends by it."""
    other = copy(thing)
    other.__dict__.update(changed)
    return other


def _without(thing: Any, name: str, refused: tuple[str, ...]) -> Any:
    """Return what is the same object but for some attributes: what is written to one, the other has."""
    cls: Any = type(thing)
    other = object.__new__(_kind(cls, name, refused))
    object.__setattr__(other, "__dict__", thing.__dict__)  # flask.g has its own way of setting
    return other


@lru_cache(maxsize=64)
def _kind(cls: Any, name: str, refused: tuple[str, ...]) -> Any:
    """Return a subclass in which some attributes raise."""
    members: dict[str, Any] = {one: _refusing(f"{name}.{one}") for one in refused}
    if issubclass(cls, flask.Request):
        members["headers"] = property(lambda request: _Headers(vars(request)["headers"]))
    return type(cls.__name__, (cls,), members)


def _refusing(used: str) -> property:
    return property(lambda _: shared_results.refuse(used))


class _Refused(MutableMapping[str, Any]):
    """A mapping of which every use raises."""

    def __init__(self, used: str) -> None:
        self._used = used

    def _refuse(self, *_: Any) -> Any:
        shared_results.refuse(self._used)

    __getitem__ = __setitem__ = __delitem__ = __iter__ = __len__ = __contains__ = _refuse


class _Headers(_Refused):
    """The headers of a request without those that may name who asks."""

    def __init__(self, headers: Any) -> None:
        super().__init__("flask.request.headers")
        self._headers = headers

    def __getitem__(self, name: str) -> Any:
        return self._headers[name] if name.lower() in _HARMLESS else self._refuse()

    def __contains__(self, name: Any) -> Any:
        return name in self._headers if name.lower() in _HARMLESS else self._refuse()


shared_results.guards.append(nobody_asks)
