"""Flask's request and response, and what in them names who asks: the only file that touches its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import wraps
from numbers import Number
from typing import Any, NoReturn, cast
from uuid import UUID

import flask
import flask.globals
from werkzeug.http import dump_cookie

from dash_brain.web.servers.base import Request, Response
from dash_brain.web.servers.refusing import RefusedHeaders, RefusedMapping, changed, instead, without

#: The name in ``flask.g`` under which a request is kept.
_NAME = "dash_brain_request"

#: What in ``flask.request`` and ``flask.g`` names who asks. The query string may name the page.
_OF_REQUEST = (
    *("access_route", "authorization", "cookies", "environ", "remote_addr", "remote_user", "user_agent"),
    *("args", "full_path", "query_string", "url", "values"),
)
_OF_G = (
    *("_login_user", "_jwt_extended_jwt", "_jwt_extended_jwt_user", "flask_httpauth_user"),
    *("current_user", "identity", "user", "user_id", "username"),
)
#: What tells of the request only: loggers read it whatever function runs.
_HARMLESS_OF_G = ("correlation_id", "request_id", "start_time", "timing_information", "trace_id")
_DATA = (str, bytes, Number, date, Enum, UUID, dict, list, tuple, set, frozenset)
_HEADERS = property(lambda request: RefusedHeaders("flask.request.headers", vars(request)["headers"]))


class FlaskRequest(Request):
    """A request of Flask."""

    __slots__ = ("_changes", "_environ", "_request")

    def __init__(self) -> None:
        request = flask.request._get_current_object()  # type: ignore[attr-defined]
        self._request, self._environ = request, vars(request)["environ"]
        self.method, self.path = request.method, request.path
        self.route = str(request.endpoint)
        self.is_callback = self.route.endswith("_dash-update-component")
        self.is_secure = request.is_secure
        self.server = flask.current_app._get_current_object()  # type: ignore[attr-defined]
        self.kept = {}
        self._changes: dict[Callable[[Response], None], None] = {}

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name."""
        return cast(Mapping[str, str], self._request.cookies)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name."""
        return cast(Mapping[str, str], self._request.headers)

    @property
    def query(self) -> Mapping[str, str]:
        """The arguments in the address by name."""
        return cast(Mapping[str, str], self._request.args)

    @property
    def view(self) -> Callable[..., Any] | None:
        """The function that answers."""
        return cast("Callable[..., Any] | None", self.server.view_functions.get(self.route))

    def refuse(self, status: int) -> NoReturn:
        """Have the request answered by a status of HTTP, and nothing else."""
        flask.abort(status)

    def before_sending(self, change: Callable[[Response], None]) -> None:
        """Have the response changed before it is sent, once by each of these."""
        if not self._changes:
            flask.after_this_request(self._changed)
        self._changes[change] = None

    def _changed(self, response: flask.Response) -> flask.Response:
        answer = FlaskResponse(response)
        for change in self._changes:
            change(answer)
        return response


@dataclass(frozen=True)
class FlaskResponse(Response):
    """A response of Flask."""

    response: flask.Response

    def set_header(self, name: str, value: str) -> None:
        """Set a header."""
        self.response.headers[name] = value

    def set_cookie(
        self, name: str, value: str, *, max_age: int, secure: bool, same_site: str, partitioned: bool
    ) -> None:
        """Set a cookie for the whole host, which scripts cannot read."""
        header = dump_cookie(
            name,
            value,
            max_age=max_age,
            path="/",
            secure=secure,
            httponly=True,
            samesite=same_site,
            partitioned=partitioned,
        )
        self.response.headers.add("Set-Cookie", header)

    def keep_private(self) -> None:
        """Let no cache give the response to others."""
        cache = self.response.cache_control
        cache.public = False
        cache.private = True
        # Not "no-store", which would keep the page out of the back/forward cache.
        cache.no_cache = True
        self.response.vary.add("Cookie")


def current_request() -> Request | None:
    """Return the request that is answered here, None outside of requests."""
    if not flask.has_request_context():
        return None
    kept = flask.g.get(_NAME)
    # flask.g outlives a request that is made while an application context is open.
    if kept is None or kept._environ is not vars(flask.request)["environ"]:
        kept = flask.g.dash_brain_request = FlaskRequest()
    return cast(FlaskRequest, kept)


def is_flask(server: object) -> bool:
    """Say whether a server is Flask's."""
    return isinstance(server, flask.Flask)


def bound_bodies(server: flask.Flask, route: str, header: str, nbytes: int) -> None:
    """Refuse requests to a route with this header that are longer, before any more of them is read."""

    @server.before_request
    def bound() -> None:
        if header in flask.request.headers and str(flask.request.endpoint).endswith(route):
            flask.request.max_content_length = nbytes


def keep_private(server: flask.Flask, route: str) -> None:
    """Let no cache give to others what a server answers at a route, named as :attr:`Request.route`."""
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
    FlaskResponse(response).keep_private()
    return response


@contextmanager
def refusing_who_asks() -> Iterator[None]:
    """Have Flask's objects refuse to say who asks, while the block runs."""
    current_request()  # kept with Flask's own objects, for what needs no session
    with ExitStack() as entered:
        request, app = (getattr(flask.globals, name, None) for name in ("_cv_request", "_cv_app"))
        if flask.has_request_context() and request is not None:
            entered.enter_context(instead(request, _nobodys(request.get())))
        if flask.has_app_context() and app is not None:
            entered.enter_context(instead(app, changed(app.get(), g=_nobodys_g(app.get().g))))
        yield


def _nobodys_g(g: Any) -> Any:
    """Return ``flask.g`` without what tells of who asks: data that were put there before, under any name.

    Connections are left, which functions share with what runs before them.
    """
    data = sorted(name for name, value in vars(g).items() if isinstance(value, _DATA))
    refused = (*_OF_G, *(name for name in data if name not in (*_OF_G, *_HARMLESS_OF_G)))
    return without(g, "flask.g", refused, get=_get, pop=_pop, setdefault=_setdefault)


def _get(g: Any, name: str, default: Any = None) -> Any:
    return getattr(g, name, default)


def _pop(g: Any, name: str, *default: Any) -> Any:
    _get(g, name)  # which may be refused
    return super(type(g), g).pop(name, *default)


def _setdefault(g: Any, name: str, default: Any = None) -> Any:
    _get(g, name)
    return super(type(g), g).setdefault(name, default)


def _nobodys(context: Any) -> Any:
    request = without(context.request, "flask.request", _OF_REQUEST, headers=_HEADERS)
    return changed(context, request=request, _session=RefusedMapping("flask.session"))
