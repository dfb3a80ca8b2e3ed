"""Sessions in the own routes of a server of FastAPI or Quart, plain and async, in this process."""

from __future__ import annotations

from typing import Any

import pytest
from dash import Dash, html

from dash_brain import ServerStore, close_session, session_brain
from tests.backends import ASGI


def count() -> dict[str, int]:
    session_brain["n"] = session_brain.get("n", 0) + 1
    return {"n": session_brain["n"]}


async def count_async() -> dict[str, int]:
    return count()


def log_out() -> dict[str, int]:
    close_session()
    return {"n": 0}


async def log_out_async() -> dict[str, int]:
    return log_out()


ROUTES = (count, count_async, log_out, log_out_async)


@pytest.fixture(params=ASGI)
def app(request) -> Dash:
    if request.param == "fastapi":
        from fastapi import FastAPI

        server: Any = FastAPI()
    else:
        from quart import Quart

        server = Quart(__name__)
    for route in ROUTES:
        server.get(f"/own/{route.__name__}")(route)
    app = Dash("routes", server=server)
    app.layout = html.Div([ServerStore(id="a")])
    return app


@pytest.mark.parametrize("log_out", ["log_out", "log_out_async"])
def test_own_routes_use_the_session_and_close_it(app, log_out, open_page):
    page = open_page(app)

    def asked(route: str) -> Any:
        response = page.client.get(f"/own/{route}")
        return response.json["n"], any("dash_brain_" in one for one in response.headers.getlist("Set-Cookie"))

    assert [asked(route)[0] for route in ("count", "count_async", "count")] == [1, 2, 3]
    assert asked(log_out) == (0, True)
    assert [asked(route) for route in ("count", "count_async")] == [(1, False), (2, False)]


def test_dash_serves_no_notebooks_with_asgi(app):
    with pytest.raises(TypeError, match="send"):  # it calls the server as one of WSGI
        app.server({}, lambda *_: None)
