"""Code of a test that runs in a request of a page, and the exceptions of callbacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import Context, ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from dash_brain.web.dash_internals import add_hidden_callback
from dash_brain.web.event_loop import served_beside_loop
from dash_brain.web.servers import current_request, is_asgi

if TYPE_CHECKING:
    from dash import Dash

#: The id of the callback that runs code of a test, as an output. No page is told of it.
OUTPUT = "_dash-brain-test.data"

_work: ContextVar[Callable[[], None] | None] = ContextVar("dash_brain_test_work", default=None)
_raised: ContextVar[list[BaseException] | None] = ContextVar("dash_brain_test_raised", default=None)


class TestRequest:
    """One request that a test makes, without the context variables of the test, as on a server.

    Attributes
    ----------
    raised
        What callbacks raised meanwhile, the first one first.
    """

    def __init__(self, work: Callable[[], Any] | None = None) -> None:
        self._asked, self._results = work, list[Any]()
        self.raised: list[BaseException] = []

    def make(self, request: Callable[[], Any]) -> Any:
        """Make the request."""
        context = Context()
        context.run(_work.set, self._work)
        context.run(_raised.set, self.raised)
        return context.run(request)

    def result(self) -> Any:
        """Return what the code of the test returned in the request, or raise what it raised."""
        if self.raised:
            raise self.raised[0]
        return self._results[0]

    def _work(self) -> None:
        try:
            self._results.append(self._asked() if self._asked is not None else None)
        except Exception as error:
            self.raised.append(error)


def prepare(app: Dash) -> None:
    """Let requests of tests run code in an app that has begun to serve, and note what callbacks raise."""
    if OUTPUT in app.callback_map:
        return
    for entry in app.callback_map.values():
        if "callback" in entry:
            entry["callback"] = _noting(entry["callback"])
    add_hidden_callback(app, OUTPUT, served_beside_loop(_run) if is_asgi(app.server) else _run)


def _run(*_: Any, **__: Any) -> str:
    work, request = _work.get(), current_request()
    if work is None and request is not None:  # some client asks, and not the test
        request.refuse(404)
    elif work is not None:
        work()
    return "{}"


def _noting(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callback that notes what it raises."""

    @wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = callback(*args, **kwargs)
        except Exception as error:
            _note(error)
            raise
        return _awaited(result) if inspect.iscoroutine(result) else result

    @wraps(callback)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        return await _awaited(callback(*args, **kwargs))

    if inspect.isasyncgenfunction(callback):
        return callback
    return call_async if inspect.iscoroutinefunction(callback) else call


async def _awaited(result: Any) -> Any:
    try:
        return await result
    except Exception as error:
        _note(error)
        raise


def _note(error: Exception) -> None:
    raised = _raised.get()
    if raised is not None:
        raised.append(error)
