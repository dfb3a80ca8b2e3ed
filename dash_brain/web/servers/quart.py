"""Requests of Quart. It is imported only where it serves an app."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

from dash_brain.web.servers.asgi import (
    AsgiRequest,
    Middleware,
    Rules,
    answer_at,
    bound_bodies,
    keep_private,
    note,
)
from dash_brain.web.servers.guarded import (
    RefusedHeaders,
    RefusedMapping,
    copy_with,
    guarded,
    guarded_g,
    overridden,
)

__all__ = ["answer_at", "bound_bodies", "has_served", "hide_request", "install", "keep_private", "serves"]

#: Attributes that identify the caller.
_OF_REQUEST = (
    *("access_route", "authorization", "cookies", "remote_addr", "scope", "user_agent"),
    *("args", "full_path", "query_string", "url", "values"),
)
_HEADERS = property(lambda request: RefusedHeaders("quart.request.headers", vars(request)["headers"]))


class QuartRequest(AsgiRequest):
    """A request of Quart."""

    __slots__ = ()

    def _endpoint(self) -> str | None:
        context = _context()
        if context is None or context.app is not self.server:
            return None
        request: Any = _request_in(context)
        endpoint = request.endpoint
        return None if endpoint is None else str(endpoint)

    @property
    def view(self) -> Callable[..., Any] | None:
        """The view function."""
        views: dict[str, Callable[..., Any]] = self.server.view_functions
        return views.get(self._endpoint() or "")

    def refuse(self, status: int) -> NoReturn:
        """Abort the request with an HTTP status."""
        from quart import abort

        abort(status)


def _context() -> Any | None:
    """Return the context of the current request or websocket."""
    found = (variable.get(None) for variable in _variables())
    return next((one for one in found if one is not None and _request_in(one) is not None), None)


def _variables() -> list[Any]:
    """Return the variables in which contexts of requests are; since Quart 0.23 that is the app's."""
    module = sys.modules["quart.globals"]
    names = ("_cv_request", "_cv_websocket") if hasattr(module, "_cv_request") else ("_cv_app",)
    return [getattr(module, name) for name in names]


def _request_in(context: Any) -> Any | None:
    if hasattr(context, "has_request"):
        return context._request or context._websocket
    return context.request_websocket


def serves(server: object) -> bool:
    """Say whether a server is Quart's, without importing it."""
    quart = sys.modules.get("quart")
    return quart is not None and isinstance(server, quart.Quart)


def has_served(server: Any) -> bool:
    """Say whether it is too late for hooks that run before the first request."""
    return bool(server._got_first_request)


def install(server: Any, begin: Callable[[], None]) -> None:
    """Add the middleware, within those that are added later."""
    if note(server, Rules(QuartRequest, begin)):
        server.asgi_app = Middleware(server.asgi_app, server)


@contextmanager
def hide_request() -> Iterator[None]:
    """Make attributes of Quart's objects that identify the caller raise, while the block runs."""
    quart = sys.modules.get("quart.globals")
    with ExitStack() as entered:
        for variable in _variables() if quart is not None else ():
            context = variable.get(None)
            if context is not None and _request_in(context) is not None:
                entered.enter_context(overridden(variable, _guarded_context(context)))
        app = getattr(quart, "_cv_app", None)
        if app is not None and app.get(None) is not None:
            entered.enter_context(overridden(app, copy_with(app.get(), g=guarded_g(app.get().g, "quart.g"))))
        yield


def _guarded_context(context: Any) -> Any:
    request = guarded(_request_in(context), "quart.request", _OF_REQUEST, headers=_HEADERS)
    session = RefusedMapping("quart.session")
    if not hasattr(context, "has_request"):
        return copy_with(context, request_websocket=request, session=session)
    name = "_request" if context.has_request else "_websocket"
    return copy_with(context, **{name: request}, _session=session)
