"""Sockets, streams and sessions, in this process: a session begins and ends where a cookie can be sent."""

from __future__ import annotations

from contextlib import closing
from secrets import token_hex
from typing import Any

import dash
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, close_session, session_brain
from dash_brain.adapters.background import BrainManager
from dash_brain.settings import current
from dash_brain.testing.clients import AsgiServer
from tests.app.over_socket import Socket
from tests.app.test_asgi import streams
from tests.app.test_claims import Claiming
from tests.backends import ASGI

SOCKET = {"websocket": True, "prevent_initial_call": True}


@pytest.fixture(params=ASGI)
def app(request) -> dash.Dash:
    app = dash.Dash("open", backend=request.param)
    app.layout = [dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out"), html.Div(id="closed")]

    @brain_callback(Output("out", "children"), Input("n", "value"), app=app, **SOCKET)
    def count(_: Any) -> str:
        session_brain["n"] = session_brain.get("n", 0) + 1
        return str(session_brain["n"])

    return app


def test_a_session_is_not_closed_where_its_browser_would_get_no_cookie(app, open_page):
    @brain_callback(Output("closed", "children"), Input("n", "value"), app=app, **SOCKET)
    def close(_: Any) -> str:
        close_session()
        return "closed"

    page = open_page(app)
    socket = Socket(page, app.server)
    assert socket.call("out.children", "n.value")["status"] == "ok"
    answer = socket.call("closed.children", "n.value")
    assert answer["status"] == "error"
    assert "in a route" in answer["message"]
    for same in (socket, Socket(page, app.server)):
        assert same.call("out.children", "n.value")["status"] == "ok"
    assert page.fire("out.children") == {"out": {"children": "4"}}


@streams
def test_a_stream_does_not_close_the_session_for_which_it_has_no_cookie(app, open_page):
    @brain_callback(Output("closed", "children"), Input("n", "value"), app=app, prevent_initial_call=True)
    async def close(_: Any) -> Any:
        yield "first"
        close_session()
        yield "closed"

    page = open_page(app)
    assert page.fire("out.children") == {"out": {"children": "1"}}
    with closing(AsgiServer(app.server)) as running:  # Dash ends streams when its server shuts down
        page.client.application = running
        told = page.post("closed.children").text
        assert page.fire("out.children") == {"out": {"children": "2"}}
    assert "first" in told
    assert "in a route" in told


def test_a_socket_whose_session_was_lost_is_closed_and_the_next_one_works(app, open_page, monkeypatch):
    page = open_page(app)
    socket = Socket(page, app.server)
    assert socket.call("out.children", "n.value")["status"] == "ok"
    current.forget()
    monkeypatch.setenv("DASH_BRAIN_KEY", token_hex(16))  # another one, as when the store was lost with it
    assert [socket.call("out.children", "n.value") for _ in range(2)] == [4008, 4008]
    assert Claiming(page)(None) == []
    assert Socket(page, app.server).call("out.children", "n.value")["status"] == "ok"


def test_a_socket_without_a_session_stays_open(app, open_page):
    page = open_page(app)
    page.client.set_cookie("dash_brain_0123abcd", "0123abcd.of.another-port")
    assert Socket(page, app.server).call("out.children", "n.value")["status"] == "ok"
    page.client._cookies.clear()
    answer = Socket(page, app.server).call("out.children", "n.value")
    assert "sent no session cookie" in answer["message"]


@pytest.mark.parametrize("backend", ASGI)
def test_dash_cancels_no_job_over_a_websocket(backend, open_page, tmp_path):
    app = dash.Dash("jobs", backend=backend, websocket_callbacks=True)
    app.layout = [html.Button(id="stop"), html.Button(id="go"), html.Div(id="out")]
    manager = BrainManager(f"file://{tmp_path}/jobs")
    options = {"background": True, "manager": manager, "cancel": Input("stop", "n_clicks"), "app": app}
    brain_callback(Output("out", "children"), Input("go", "n_clicks"), **options)(lambda n: n)
    page = open_page(app)
    [cancel] = [one["output"] for one in page.dependencies if one["output"].startswith("stop.id")]
    answer = Socket(page, app.server).call(cancel, "stop.n_clicks")
    assert "no attribute 'getlist'" in answer["message"]
