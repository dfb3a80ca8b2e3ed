"""Requests of FastAPI. It is imported only where it serves an app."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
from dash_brain.web.servers.guarded import RefusedHeaders, guarded, overridden

__all__ = ["answer_at", "bound_bodies", "has_served", "hide_request", "install", "keep_private", "serves"]

#: Dash's module for FastAPI, which keeps the request in a context variable.
_OF_DASH = "dash.backends._fastapi"

#: Attributes that identify the caller; the scope holds all of it.
_OF_REQUEST = ("auth", "client", "cookies", "query_params", "scope", "session", "state", "url", "user")
_HEADERS = property(lambda request: RefusedHeaders("the request's headers", _original_headers(request)))


class FastAPIRequest(AsgiRequest):
    """A request of FastAPI."""

    __slots__ = ()

    def _endpoint(self) -> str | None:
        name = getattr(self._scope.get("route"), "name", None)
        return None if name is None else str(name)

    @property
    def view(self) -> Callable[..., Any] | None:
        """The view function."""
        return self._scope.get("endpoint")

    def refuse(self, status: int) -> NoReturn:
        """Abort the request with an HTTP status."""
        from starlette.exceptions import HTTPException

        raise HTTPException(status)


def serves(server: object) -> bool:
    """Say whether a server is FastAPI's, without importing it."""
    fastapi = sys.modules.get("fastapi")
    return fastapi is not None and isinstance(server, fastapi.FastAPI)


def has_served(server: Any) -> bool:
    """Say whether it is too late for a middleware."""
    return server.middleware_stack is not None


def install(server: Any, begin: Callable[[], None]) -> None:
    """Add the middleware, outside of Dash's, and within those that are added later."""
    if note(server, Rules(FastAPIRequest, begin)):
        server.add_middleware(Middleware, server=server)


@contextmanager
def hide_request() -> Iterator[None]:
    """Make what identifies the caller in Dash's request raise, while the block runs."""
    module = sys.modules.get(_OF_DASH)
    variable = getattr(module, "_current_request_var", None)
    request = None if variable is None else variable.get()
    hidden: AbstractContextManager[None] = nullcontext()
    if variable is not None and request is not None:
        hidden = overridden(variable, guarded(request, "the request", _OF_REQUEST, headers=_HEADERS))
    with hidden:
        yield


def _original_headers(request: Any) -> Any:
    from starlette.datastructures import Headers

    return Headers(scope=vars(request)["scope"])
