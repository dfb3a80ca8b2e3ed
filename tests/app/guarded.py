"""An app behind what lets its callbacks through, served by gunicorn: ``tests.app.guarded:server``.

``GUARDS`` says which: names of functions below, or of prefixes.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

import diskcache
import flask
from dash import ALL, Dash, DiskcacheManager, Input, Output, html
from flask_login import LoginManager, UserMixin, login_required, login_user
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from dash_brain import ServerStore, brain_callback

GUARDS = os.environ.get("GUARDS", "").split()
#: More stores than fit into what browsers send for a page that goes.
CROWD = 400 if "crowd" in GUARDS else 0
PREFIXES = {"prefix": "/brain/app/", "proxied": "/proxied/", "mounted": "/mounted/"}
PREFIX = next((PREFIXES[guard] for guard in GUARDS if guard in PREFIXES), "/")

flask_app = flask.Flask(__name__)
flask_app.secret_key = "only a test signs with this"
paths: dict[str, Any] = {"url_base_pathname": PREFIX}
if {"proxied", "mounted"} & set(GUARDS):
    paths = {"routes_pathname_prefix": "/", "requests_pathname_prefix": PREFIX}
manager = DiskcacheManager(diskcache.Cache(os.environ.get("JOBS") or tempfile.mkdtemp()))
app = Dash(__name__, server=flask_app, background_callback_manager=manager, **paths)
app.layout = html.Div(
    [
        html.Button("make", id="make"),
        html.Button("job", id="job"),
        html.Button("read", id="read"),
        ServerStore(id="made"),
        ServerStore(id="of-job"),
        *[ServerStore(id={"crowd": number}) for number in range(CROWD)],
        html.Div(id="made-text"),
        html.Div(id="of-job-text"),
        html.Div(id="read-text"),
    ]
)


@brain_callback(Output("made", "data"), Input("make", "n_clicks"), prevent_initial_call=True)
def make(clicks):
    return {"made": clicks}


@brain_callback(
    Output("of-job", "data"), Input("job", "n_clicks"), background=True, prevent_initial_call=True
)
def work(clicks):
    return {"job": clicks}


if CROWD:

    @brain_callback(Output({"crowd": ALL}, "data"), Input("make", "n_clicks"), prevent_initial_call=True)
    def make_many(clicks):
        return [{"made": clicks, "number": number} for number in range(CROWD)]


for name in ("made", "of-job"):

    @brain_callback(Output(f"{name}-text", "children"), Input(name, "data"), Input("read", "n_clicks"))
    def show(value, clicks):
        return f"{value} {clicks}"


def csrf_exempt() -> None:
    CSRFProtect(flask_app)._exempt_views.add("dash.dash.dispatch")


def csrf_token_in_a_cookie() -> None:
    """Want a token of every request that posts: Dash sends that of this cookie with its callbacks."""
    CSRFProtect(flask_app)

    @flask_app.after_request
    def give(response: flask.Response) -> flask.Response:
        response.set_cookie("_csrf_token", generate_csrf())
        return response


class User(UserMixin):
    id = "ann"


def users() -> None:
    LoginManager(flask_app).user_loader(lambda name: User())

    @flask_app.get("/login")
    def log_in() -> str:
        login_user(User())
        return "logged in"


def login_guard() -> None:
    """Send everybody who is not logged in to the login."""
    users()

    @flask_app.before_request
    def guard() -> Any:
        is_known = "_user_id" in flask.session
        return None if is_known or flask.request.path == "/login" else flask.redirect("/login")


def guarded_views() -> None:
    users()
    for endpoint, view in flask_app.view_functions.items():
        if endpoint.startswith(PREFIX):
            flask_app.view_functions[endpoint] = login_required(view)


Start = Callable[..., Any]


def allow_list(within: Any) -> Any:
    """Let through what Dash's documentation names, and of requests that post only those of callbacks."""
    gets = {"/", "/login", "/_dash-layout", "/_dash-dependencies", "/_favicon.ico", "/_reload-hash"}

    def proxy(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        is_page = method == "GET" and (
            path in gets or path.startswith(("/_dash-component-suites/", "/assets/"))
        )
        if is_page or (method == "POST" and path == "/_dash-update-component" and is_callback(environ)):
            return list(within(environ, start))
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"not on the list"]

    return proxy


def is_callback(environ: dict[str, Any]) -> bool:
    """Say whether a request has the form of a callback's, and hand its body on."""
    import io

    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    told = json.loads(body)
    is_whole = {"output", "outputs", "inputs", "changedPropIds"} <= told.keys()
    return environ["CONTENT_TYPE"] == "application/json" and is_whole


def without_our_header(within: Any) -> Any:
    """Be a firewall that passes on no headers that it does not know."""

    def proxy(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        environ.pop("HTTP_X_DASH_BRAIN", None)
        return list(within(environ, start))

    return proxy


def nothing(within: Any) -> Any:
    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [secrets.token_hex(4).encode()]

    return answer


BEFORE = {
    "csrf": csrf_exempt,
    "csrf-cookie": csrf_token_in_a_cookie,
    "login": login_guard,
    "views": guarded_views,
}
AROUND = {
    "list": allow_list,
    "no-header": without_our_header,
    "proxied": lambda within: DispatcherMiddleware(within, {"/proxied": within}),
    "mounted": lambda within: DispatcherMiddleware(nothing(within), {"/mounted": within}),
}
server: Any = flask_app
for guard in GUARDS:
    BEFORE.get(guard, lambda: None)()
    server = AROUND.get(guard, lambda within: within)(server)
# Dash sets itself up during its first request, and would do so in several threads at once.
flask_app.test_client().get("/_favicon.ico")
