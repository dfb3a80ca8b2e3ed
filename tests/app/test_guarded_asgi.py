"""Claims arrive wherever callbacks do, also at ASGI servers: behind a list, a login, and below a prefix."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback
from dash_brain.settings import current
from dash_brain.web.leases import UNCLAIMED
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


@pytest.fixture(params=ASGI)
def server(request) -> Any:
    app = Dash("guarded", backend=request.param, url_base_pathname=PREFIX)
    app.layout = [dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out")]

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def make(n):
        return {"n": n}

    @brain_callback(Output("out", "children"), Input("a", "data"), app=app)
    def show(a):
        return str(a)

    return guarded(app.server)


class LoggedIn(Page):
    """A page of somebody whose login's cookie comes from elsewhere."""

    def get(self, path: str) -> Any:
        self.client.set_cookie("user", "ann")
        return super().get(path)


def test_a_page_behind_a_login_and_a_list_claims_what_it_holds(server):
    app: Any = SimpleNamespace(server=server, config=SimpleNamespace(requests_pathname_prefix=PREFIX))
    with pytest.raises(AssertionError):  # sent to the login
        Page(app)
    page = LoggedIn(app)
    page.fire("a.data")
    assert page.fire("out.children") == {"out": {"children": "{'n': 1}"}}
    assert max(left(current.use().store)) <= UNCLAIMED
    assert Claiming(page)(page.props["a"]["data"]) == []
    assert min(left(current.use().store)) > UNCLAIMED
