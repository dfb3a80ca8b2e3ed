"""Claims arrive wherever callbacks do, also at ASGI servers: behind a list, a login, and below a prefix."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from dash import Dash, Input, Output, dcc, html
from werkzeug.http import parse_cookie

from dash_brain import ServerStore, brain_callback
from dash_brain.settings import current
from dash_brain.web.leases import UNCLAIMED
from tests.app.asgi import AsgiClient
from tests.app.conftest import Page
from tests.app.test_claims import Claiming
from tests.app.test_lifetime import left
from tests.backends import ASGI

PREFIX = "/brain/app/"
PAGE = ("", "_dash-layout", "_dash-dependencies")


def guarded(within: Any) -> Any:
    """Let nobody in who is not logged in, and of what posts nothing but callbacks."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await within(scope, receive, send)
        elif b"user=ann" not in dict(scope["headers"]).get(b"cookie", b""):
            await refuse(send, 302)
        elif not await _is_listed(scope, message := await receive()):
            await refuse(send, 403)
        else:
            await within(scope, _first(message, receive), send)

    return guard


async def _is_listed(scope: Any, message: Any) -> bool:
    below = scope["path"].removeprefix(PREFIX)
    if scope["method"] == "GET":
        return below in PAGE
    told = json.loads(message["body"])
    is_callback = {"output", "outputs", "inputs", "changedPropIds"} <= told.keys()
    return below == "_dash-update-component" and is_callback


def _first(message: Any, receive: Any) -> Any:
    waiting = [message]

    async def receive_again() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_again


async def refuse(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body"})


def without_prefix(within: Any) -> Any:
    """Take the prefix away, as a proxy does."""

    async def strip(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(PREFIX)
            path = scope["path"].removeprefix(PREFIX[:-1])
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await within(scope, receive, send)

    return strip


def protected(within: Any) -> Any:
    """Refuse what posts without the token of the cookie in the header that Dash's renderer sends."""

    async def protect(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        token = parse_cookie(headers.get(b"cookie", b"").decode()).get("_csrf_token")
        is_sent = token is not None and headers.get(b"x-csrftoken") == token.encode()
        if scope.get("method") == "POST" and not is_sent:
            await refuse(send, 403)
        else:
            await within(scope, receive, send)

    return protect


@pytest.fixture(params=ASGI)
def make_server(request) -> Callable[..., Any]:
    return partial(server_of, request.param)


@pytest.fixture
def server(make_server) -> Any:
    return guarded(make_server(url_base_pathname=PREFIX))


def server_of(backend: str, **prefixes: str) -> Any:
    app = Dash("guarded", backend=backend, **prefixes)
    app.layout = [dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out")]

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def make(n):
        return {"n": n}

    @brain_callback(Output("out", "children"), Input("a", "data"), app=app)
    def show(a):
        return str(a)

    return app.server


class LoggedIn(Page):
    """A page of somebody whose login's cookie comes from elsewhere."""

    def get(self, path: str) -> Any:
        self.client.set_cookie("user", "ann")
        return super().get(path)


class Sending(AsgiClient):
    """Sends the token of the cookie with each request, as Dash's renderer and our script do."""

    def open(self, *args: Any, headers: Any = (), **options: Any) -> Any:
        return super().open(*args, headers={**dict(headers), "X-CSRFToken": "a-token"}, **options)


class Protected(Page):
    """A page of a site with CSRF protection."""

    def get(self, path: str) -> Any:
        if not isinstance(self.client, Sending):
            self.client = Sending(self.client.application)
            self.client.set_cookie("_csrf_token", "a-token")
        return super().get(path)


def app_of(server: Any) -> Any:
    return SimpleNamespace(server=server, config=SimpleNamespace(requests_pathname_prefix=PREFIX))


def assert_claims(page: Page) -> None:
    page.fire("a.data")
    assert page.fire("out.children") == {"out": {"children": "{'n': 1}"}}
    assert max(left(current.use().store)) <= UNCLAIMED
    assert Claiming(page)(page.props["a"]["data"]) == []
    assert min(left(current.use().store)) > UNCLAIMED


def test_a_page_behind_a_login_and_a_list_claims_what_it_holds(server):
    with pytest.raises(AssertionError):  # sent to the login
        Page(app_of(server))
    assert_claims(LoggedIn(app_of(server)))


def test_a_page_behind_a_proxy_and_with_csrf_protection_claims_what_it_holds(make_server):
    served = make_server(requests_pathname_prefix=PREFIX, routes_pathname_prefix="/")
    server = without_prefix(protected(served))
    assert Page(app_of(server)).post("a.data").status_code == 403
    assert_claims(Protected(app_of(server)))
