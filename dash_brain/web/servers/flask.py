"""Requests and responses of Flask. No other file touches Flask's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, NoReturn

import flask
import flask.globals

from dash_brain.web.servers.asgi import served
from dash_brain.web.servers.base import Answer, Request, Response
from dash_brain.web.servers.guarded import (
    RefusedHeaders,
    RefusedMapping,
    copy_with,
    guarded,
    guarded_g,
    overridden,
)

#: The name in ``flask.g`` under which a request is kept.
_NAME = "dash_brain_request"

#: Flask's variables for the current contexts. Its proxies cost a dozen calls for each attribute.
_REQUEST_CONTEXT, _APP_CONTEXT = (getattr(flask.globals, name, None) for name in ("_cv_request", "_cv_app"))

#: Attributes that identify the caller, also by the query string, which may name the page.
_OF_REQUEST = (
    *("access_route", "authorization", "cookies", "environ", "remote_addr", "remote_user", "user_agent"),
    *("args", "full_path", "query_string", "url", "values"),
)
_HEADERS = property(lambda request: RefusedHeaders("flask.request.headers", vars(request)["headers"]))


class FlaskRequest(Request):
    """A request of Flask."""

    __slots__ = ("_changes", "_environ", "_request")

    def __init__(self, request: flask.Request, server: flask.Flask) -> None:
        self._request, self._environ = request, vars(request)["environ"]
        self.method, self.path = request.method, request.path
        self.route = str(request.endpoint)
        self.is_callback = self.route.endswith("_dash-update-component")
        self.is_secure = request.is_secure
        self.is_message = self.is_answered = self.shares_loop = False
        self.server = server
        self.state = {}
        self._changes: dict[Callable[[Response], None], None] = {}

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name."""
        return self._request.cookies

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name."""
        headers: Any = self._request.headers
        return headers  # type: ignore[no-any-return]

    @property
    def query(self) -> Mapping[str, str]:
        """The arguments of the query string by name."""
        return self._request.args

    @property
    def view(self) -> Callable[..., Any] | None:
        """The view function."""
        views: dict[str, Callable[..., Any]] = self.server.view_functions
        return views.get(self.route)

    @property
    def is_multiprocess(self) -> bool:
        """Whether the server has several processes, as far as it says so."""
        return bool(self._environ.get("wsgi.multiprocess"))

    def owns(self, callback_context: Any) -> bool:
        """Say whether a callback context belongs to the request.

        After an async callback asgiref leaves its context in the thread, where the next request finds it.
        Dash gives each context the arguments of its request, which tell whose it is.
        """
        return callback_context.get("args") is self._request.args

    def refuse(self, status: int) -> NoReturn:
        """Abort the request with an HTTP status."""
        flask.abort(status)

    def before_sending(self, change: Callable[[Response], None], *, may_block: bool = False) -> None:
        """Register a change of the response; the same one is applied once."""
        if not self._changes:
            flask.after_this_request(self._changed)
        self._changes[change] = None

    def _changed(self, response: flask.Response) -> flask.Response:
        answer = Response(response.headers)
        for change in self._changes:
            change(answer)
        return response


def current_request() -> Request | None:
    """Return the current request, of Flask or of an ASGI server; None outside of requests."""
    if _REQUEST_CONTEXT is None or _APP_CONTEXT is None:  # another release of Flask
        return _current_by_proxies()
    context = _REQUEST_CONTEXT.get(None)
    if context is None:
        return served.get()
    request, g = context.request, vars(_APP_CONTEXT.get().g)
    known: FlaskRequest | None = g.get(_NAME)
    # flask.g outlives a request that is made while an application context is open.
    if known is None or known._environ is not vars(request)["environ"]:
        known = g[_NAME] = FlaskRequest(request, context.app)
    return known


def _current_by_proxies() -> Request | None:
    if not flask.has_request_context():
        return served.get()
    proxies: tuple[Any, ...] = (flask.request, flask.current_app, flask.g)
    request, app, g = (proxy._get_current_object() for proxy in proxies)
    known: FlaskRequest | None = vars(g).get(_NAME)
    if known is None or known._environ is not vars(request)["environ"]:
        known = vars(g)[_NAME] = FlaskRequest(request, app)
    return known


def serves(server: object) -> bool:
    """Say whether a server is Flask's."""
    return isinstance(server, flask.Flask)


def has_served(server: flask.Flask) -> bool:
    """Say whether it is too late for hooks that run before the first request."""
    return bool(server._got_first_request)


def install(server: flask.Flask, begin: Callable[[], None]) -> None:
    """Do nothing: Flask keeps the current request by itself."""


def answer_at(server: flask.Flask, path: str, function: Callable[[Request], Answer]) -> None:
    """Answer requests to a path by a function."""

    def view() -> flask.Response:
        request = current_request()
        assert request is not None
        found = function(request)
        return flask.Response(found.text, found.status, found.headers())

    server.add_url_rule(path, path, view)


def bound_bodies(server: flask.Flask, route: str, header: str, nbytes: int) -> None:
    """Refuse longer requests to a route that have this header, before their body is read."""

    @server.before_request
    def bound() -> None:
        if header in flask.request.headers and str(flask.request.endpoint).endswith(route):
            flask.request.max_content_length = nbytes


def keep_private(server: flask.Flask, route: str) -> None:
    """Forbid shared caches to keep responses of a route, named as :attr:`Request.route`."""
    for name, view in server.view_functions.items():
        if name.endswith(route):
            server.view_functions[name] = _private(view)


def _private(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        flask.after_this_request(_as_private)
        return view(*args, **kwargs)

    return answer


def _as_private(response: flask.Response) -> flask.Response:
    Response(response.headers).keep_private()
    return response


@contextmanager
def hide_request() -> Iterator[None]:
    """Make attributes of Flask's objects that identify the caller raise, while the block runs."""
    current_request()  # made from Flask's own objects, for code that needs no session
    with ExitStack() as entered:
        request, app = _REQUEST_CONTEXT, _APP_CONTEXT
        if flask.has_request_context() and request is not None:
            entered.enter_context(overridden(request, _guarded_context(request.get())))
        if flask.has_app_context() and app is not None:
            entered.enter_context(overridden(app, copy_with(app.get(), g=guarded_g(app.get().g, "flask.g"))))
        yield


def _guarded_context(context: Any) -> Any:
    request = guarded(context.request, "flask.request", _OF_REQUEST, headers=_HEADERS)
    return copy_with(context, request=request, _session=RefusedMapping("flask.session"))
