"""Several apps on one server, and apps that are mounted in others: each has its own values."""

from __future__ import annotations

from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from dash import Dash, Input, Output, State, dcc, html
from fastapi import FastAPI
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from dash_brain import ServerStore, brain_callback, session_brain
from tests.app.conftest import Page

#: Dash 4.4 cannot make two apps on one Quart: both name their websocket alike. With
#: Dash 4.5.0rc2 callbacks of the second app on a FastAPI fail.
SERVERS = {"flask": lambda: Flask("shared"), "fastapi": FastAPI}
if find_spec("dash._streaming") is not None:
    del SERVERS["fastapi"]


def use(app: Dash, name: str) -> Dash:
    """Give an app a layout, and callbacks for it alone."""
    app.layout = [
        dcc.Input(id="n", value=1),
        ServerStore(id="kept"),
        html.Div(id="out"),
        html.Div(id="count"),
    ]

    @brain_callback(Output("kept", "data"), Input("n", "value"), app=app)
    def keep(n):
        return {"of": name, "n": n}

    @brain_callback(Output("out", "children"), Input("kept", "data"), State("n", "value"), app=app)
    def show(kept, n):
        return f"{kept['n']} of {kept['of']}"

    @brain_callback(Output("count", "children"), Input("n", "value"), app=app)
    def count(n):
        session_brain["count"] = session_brain.get("count", 0) + 1
        return session_brain["count"]

    return app


def page_of(server: Any, prefix: str, like: Page | None = None) -> Page:
    """Open a page of whatever the server has there."""
    app: Any = SimpleNamespace(server=server, config=SimpleNamespace(requests_pathname_prefix=prefix))
    return Page(app, like=like)


def assert_apart(server: Any, names: list[str]) -> None:
    """Use the apps of a server in one browser: none takes the token of another, nor shares its names."""
    pages = [page_of(server, f"/{names[0]}/")]
    pages += [page_of(server, f"/{name}/", like=pages[0]) for name in names[1:]]
    for name, page in zip(names, pages, strict=True):
        page.fire("kept.data")
        assert page.fire("out.children") == {"out": {"children": f"1 of {name}"}}
        assert page.fire("count.children") == {"count": {"children": 1}}
    pages[0].props["kept"] = pages[1].props["kept"]
    assert pages[0].post("out.children").status_code == 500
    assert pages[1].fire("out.children") == {"out": {"children": f"1 of {names[1]}"}}


@pytest.mark.parametrize("kind", SERVERS)
def test_two_apps_on_one_server_have_their_own_values(kind):
    server = SERVERS[kind]()
    for name in ("one", "two"):
        use(Dash(name, server=server, url_base_pathname=f"/{name}/"), name)
    assert_apart(server, ["one", "two"])


def test_apps_of_flask_that_are_dispatched_have_their_own_values():
    apps = {name: use(Dash(name, requests_pathname_prefix=f"/{name}/"), name) for name in ("one", "two")}
    mounts = {f"/{name}": app.server for name, app in apps.items()}
    server = Flask("around")
    server.wsgi_app = DispatcherMiddleware(server.wsgi_app, mounts)
    assert_apart(server, ["one", "two"])


def test_apps_of_flask_that_are_mounted_in_fastapi_have_their_own_values():
    server = FastAPI()
    for name in ("one", "two"):
        app = use(Dash(name, requests_pathname_prefix=f"/{name}/"), name)
        server.mount(f"/{name}", WSGIMiddleware(app.server))
    assert_apart(server, ["one", "two"])


@pytest.mark.parametrize("kind", ["fastapi", "quart"])
def test_apps_of_asgi_that_an_asgi_app_passes_on_to_have_their_own_values(kind):
    apps = {
        name: use(Dash(name, backend=kind, url_base_pathname=f"/{name}/"), name) for name in ("one", "two")
    }

    async def server(scope: Any, receive: Any, send: Any) -> None:
        name = "one" if scope["type"] == "lifespan" else scope["path"].split("/")[1]
        await apps[name].server(scope, receive, send)

    assert_apart(server, ["one", "two"])


def test_apps_of_quart_that_are_mounted_in_fastapi_have_their_own_values():
    server = FastAPI()
    for name in ("one", "two"):
        # Those of FastAPI cannot be: Dash 4.4 compares the whole path, with that of the mount, with its own.
        server.mount(
            f"/{name}", use(Dash(name, backend="quart", requests_pathname_prefix=f"/{name}/"), name).server
        )
    assert_apart(server, ["one", "two"])
