"""Streaming callbacks, which Dash has from 4.5 on: generators whose results go to the page one by one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from dash_brain.errors import BackendNotSupported
from dash_brain.hooks import apps
from dash_brain.web.dash_internals import callback_context, context_value
from dash_brain.web.servers import current_request, is_asgi

_NEEDS_ASGI = (
    "A generator that brain_callback declares needs FastAPI or Quart: with Flask Dash runs it outside of its "
    'request, so nobody knows whose session it is. Make the app with Dash(backend="fastapi"), or return one '
    "result."
)


def check_stream(function: Callable[..., Any], *, memoized: bool) -> None:
    """Raise for a generator function that cannot be a callback.

    Raises
    ------
    TypeError
        When it is not asynchronous, when Dash has no streaming callbacks, or when it is memoized.
    BackendNotSupported
        When all apps are served by Flask.
    """
    name = function.__qualname__
    if not inspect.isasyncgenfunction(function) or find_spec("dash._streaming") is None:
        raise TypeError(
            f"brain_callback cannot take the generator {name}: Dash streams asynchronous ones, from 4.5 on. "
            "Return one result, or use dash.callback and plain values there."
        )
    if memoized:
        raise TypeError(f"memoize= keeps one result, and the generator {name} has many: leave memoize= out.")
    if apps() and not any(is_asgi(app.server) for app in apps()):
        raise BackendNotSupported(_NEEDS_ASGI)


def context_of_stream() -> Any | None:
    """Return the context of the running stream, None where the function is called by hand.

    Raises
    ------
    BackendNotSupported
        When it runs outside of its request, as with Flask.
    """
    context = callback_context()
    if context is None and context_value.get({}):
        raise BackendNotSupported(_NEEDS_ASGI)
    request = current_request()
    if request is not None:
        request.state["goes_on"] = True
    return context


class ErrorHandler:
    """The ``on_error`` of a stream. It is false where nobody handles errors: then Dash sends them itself."""

    def __init__(
        self, handle: Callable[[Exception], Any], find: Callable[[], Callable[[Exception], Any] | None]
    ) -> None:
        self._handle, self._find = handle, find

    def __bool__(self) -> bool:
        return self._find() is not None

    def __call__(self, error: Exception) -> Any:
        """Handle an error."""
        return self._handle(error)
