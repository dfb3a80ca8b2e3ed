"""Requests of FastAPI and Quart, in this process: who asks, and what is hidden from shared results."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any, ClassVar

import dash
import pytest
from dash import Input, Output, dcc, html
from fastapi import FastAPI
from werkzeug.http import parse_cookie

from dash_brain import ServerStore, brain_callback, configure, session_brain
from dash_brain.adapters.background import BrainManager
from dash_brain.errors import SessionInSharedResult
from dash_brain.web.servers.asgi import AsgiRequest, served
from dash_brain.web.servers.fastapi import FastAPIRequest
from dash_brain.web.servers.guarded import overridden
from dash_brain.web.servers.quart import QuartRequest
from dash_brain.web.sessions import current_caller
from dash_brain.web.sessions.session_registry import session_registry
from tests.app.test_asgi import streams
from tests.app.test_background import run

BACKENDS = ["fastapi", "quart"]
user: ContextVar[str | None] = ContextVar("user", default=None)


@pytest.fixture(params=BACKENDS)
def app(request) -> dash.Dash:
    app = dash.Dash("asked", backend=request.param)
    app.layout = [dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out")]
    return app


class Login:
    """A middleware of the app that knows who is logged in."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        cookies = parse_cookie(dict(scope.get("headers", ())).get(b"cookie", b"").decode())
        user.set(cookies.get("user"))
        await self._app(scope, receive, send)


def test_principal_follows_what_a_middleware_of_the_app_says(app, open_page):
    configure(principal=user.get)
    if hasattr(app.server, "add_middleware"):
        app.server.add_middleware(Login)
    else:
        app.server.asgi_app = Login(app.server.asgi_app)

    @brain_callback(Output("out", "children"), Input("n", "value"), app=app)
    def count(n):
        session_brain["n"] = session_brain.get("n", 0) + 1
        return f"{session_brain['n']} of {user.get()}"

    page = open_page(app)
    shown = []
    for name in ("ann", "bob", "ann"):
        page.client.set_cookie("user", name)
        shown.append(page.fire("out.children")["out"]["children"])
    assert shown == ["1 of ann", "1 of bob", "2 of ann"]


class Copies:
    """A middleware of the app that hands on a copy of the scope."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "of": "the app"}, receive, send)


def test_an_endpoint_gives_tokens_and_takes_no_other_values_where_a_middleware_copies_the_scope(open_page):
    server = FastAPI()
    server.add_middleware(Copies)  # before Dash and dash_brain add theirs, and so within them
    app = dash.Dash("asked", server=server)
    app.layout = [dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out")]

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app, api_endpoint="/api/load")
    def load(n):
        return {"n": n}

    @brain_callback(Output("out", "children"), Input("a", "data"), app=app, api_endpoint="/api/show")
    async def show(a):
        return a["n"]

    app.setup_apis()
    page = open_page(app)
    token = page.client.post("/api/load", json={"n": 7}).json
    assert token.startswith("db1.")
    assert page.client.post("/api/show", json={"a": token}).json == 7
    assert page.client.post("/api/show", json={"a": {"n": 8}}).status_code == 500  # BadToken


def socket_scope(headers: Any = ()) -> dict[str, Any]:
    scope = {
        "type": "websocket",
        "path": "/_dash-ws-callback",
        "raw_path": b"/_dash-ws-callback",
        "headers": headers,
    }
    server = {"server": ("localhost", 80), "client": ("localhost", 1), "root_path": "", "extensions": {}}
    return {**scope, **server, "scheme": "ws", "query_string": b"", "http_version": "1.1", "subprotocols": []}


def test_an_app_is_set_up_before_its_first_websocket_is_served(app):
    brain_callback(Output("a", "data"), Input("n", "value"), app=app, websocket=True)(lambda n: [n])
    brain_callback(Output("out", "children"), Input("n", "value"))(lambda n: n)  # which Dash collects then
    messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    known: list[set[str]] = []

    async def receive() -> Any:
        known.append(set(app.callback_map))
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        known.append(set(app.callback_map))

    asyncio.run(asyncio.wait_for(app.server(socket_scope(), receive, send), 30))
    assert known[0] >= {"a.data", "out.children"}


def test_messages_of_a_websocket_do_not_keep_the_cookie_from_being_renewed(app, open_page):
    configure(session_ttl=100)
    brain_callback(Output("out", "children"), Input("n", "value"), app=app)(lambda n: n)
    page = open_page(app)
    page.fire("out.children")
    [cookie] = page.client._cookies.values()
    session_registry.cache_clear()  # as in another worker
    handshake = FastAPIRequest if isinstance(app.server, FastAPI) else QuartRequest
    scope = socket_scope([(b"cookie", f"{cookie.key}={cookie.value}".encode())])
    with overridden(served, handshake(scope, app.server).message()):
        current_caller()
    assert "set-cookie" in {name.lower() for name, _ in page.post("out.children").headers}


def adapter(app: dash.Dash) -> Any:
    return app.backend.request_adapter()


def of_quart() -> Any:
    import quart

    return quart


USES = {
    "adapter.cookies": lambda app: adapter(app).cookies,
    "adapter.headers": lambda app: adapter(app).headers["Cookie"],
    "adapter.args": lambda app: adapter(app).args,
    "adapter.url": lambda app: adapter(app).url,
    "adapter.remote_addr": lambda app: adapter(app).remote_addr,
    "ctx.cookies": lambda app: dash.ctx.cookies,
    "ctx.headers": lambda app: dash.ctx.headers,
    "set_props": lambda app: dash.set_props("out", {"title": "mine"}),
}
OF_QUART = {
    "quart.session": lambda app: of_quart().session["user"],
    "quart.g": lambda app: of_quart().g.user,
    "quart.request": lambda app: of_quart().request.cookies,
}


def refused(app: dash.Dash, open_page: Any, use: Any, *, is_async: bool = False) -> Any:
    errors: list[Exception] = []

    def make(n):
        return str(use(app))

    async def make_async(n):
        await asyncio.sleep(0)
        return str(use(app))

    options = {"memoize": "app", "on_error": errors.append, "app": app}
    brain_callback(Output("out", "children"), Input("n", "value"), **options)(
        make_async if is_async else make
    )
    page = open_page(app)
    page.post("out.children", query="?endId=secret")
    return errors


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("use", USES)
def test_what_names_who_asks_is_refused_while_a_result_for_all_is_made(app, open_page, use, is_async):
    [error] = refused(app, open_page, USES[use], is_async=is_async)
    assert isinstance(error, SessionInSharedResult)


@pytest.mark.parametrize("use", OF_QUART)
def test_objects_of_quart_are_refused_too(open_page, use):
    app = dash.Dash("asked", backend="quart")
    app.layout = [dcc.Input(id="n", value=1), html.Div(id="out")]
    [error] = refused(app, open_page, OF_QUART[use])
    assert isinstance(error, SessionInSharedResult)


def test_a_plain_callback_runs_beside_the_event_loop(app, open_page):
    @brain_callback(Output("out", "children"), Input("n", "value"), app=app)
    def show(n):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return "beside"

    assert open_page(app).fire("out.children") == {"out": {"children": "beside"}}


class Manager(BrainManager):
    """Notes where jobs are started and asked for."""

    def __init__(self, store: str) -> None:
        super().__init__(store)
        self.on_loop: list[bool] = []

    def call_job_fn(self, *job: Any) -> str:
        self.note()
        return super().call_job_fn(*job)

    def get_result(self, *job: Any) -> Any:
        self.note()
        return super().get_result(*job)

    def note(self) -> None:
        self.on_loop.append(asyncio._get_running_loop() is not None)


def test_a_job_of_a_coroutine_function_is_started_and_asked_for_beside_the_event_loop(
    app, open_page, tmp_path
):
    manager = Manager(f"file://{tmp_path}/jobs")

    @brain_callback(Output("out", "children"), Input("n", "value"), app=app, background=True, manager=manager)
    async def double(n):
        return n * 2

    assert run(open_page(app), "out.children") == {"out": {"children": 2}}
    assert set(manager.on_loop) == {False}


class Noted:
    """A value that notes where it is encoded and decoded."""

    threads: ClassVar[list[bool]] = []

    def __getstate__(self) -> dict[str, Any]:
        self.threads.append(threading.current_thread() is threading.main_thread())
        return {}

    def __setstate__(self, _: Any) -> None:
        self.threads.append(threading.current_thread() is threading.main_thread())


@pytest.mark.parametrize("memoize", [None, "session"])
def test_values_of_coroutine_functions_are_stored_and_read_beside_the_event_loop(app, open_page, memoize):
    @brain_callback(Output("a", "data"), Input("n", "value"), app=app, memoize=memoize)
    async def load(n):
        return Noted()

    @brain_callback(Output("out", "children"), Input("a", "data"), app=app, memoize=memoize)
    async def show(held):
        return type(held).__name__

    page = open_page(app)
    Noted.threads.clear()
    page.fire("a.data")
    assert page.fire("out.children") == {"out": {"children": "Noted"}}
    assert Noted.threads
    assert not any(Noted.threads)


def test_a_websocket_callback_is_registered(app, open_page):
    brain_callback(Output("a", "data"), Input("n", "value"), app=app, websocket=True)(lambda n: [n])
    [declared] = open_page(app).dependencies
    assert declared["websocket"]


def request_of(**scope: Any) -> AsgiRequest:
    defaults = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "scheme": "http",
        "query_string": b"",
    }
    return QuartRequest({**defaults, **scope}, object())


@pytest.mark.parametrize(
    ("root_path", "path", "below"),
    [("", "/a/b", "/a/b"), ("/a", "/a/b", "/b"), ("/a", "/a", "/"), ("/a", "/ab", "/ab")],
)
def test_the_path_is_that_below_the_mount(root_path, path, below):
    assert request_of(root_path=root_path, path=path).path == below


def test_cookies_may_come_in_several_headers():
    request = request_of(headers=[(b"cookie", b"a=1"), (b"Cookie", b"b=2; c=3")])
    assert dict(request.cookies) == {"a": "1", "b": "2", "c": "3"}


def test_a_cookie_without_a_name_is_no_other():
    assert "__Host-a" not in request_of(headers=[(b"cookie", b"=__Host-a=1")]).cookies


@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
def test_the_scheme_tells_whether_it_came_by_https(scheme):
    assert request_of(scheme=scheme).is_secure == (scheme in ("https", "wss"))


def sent(request: AsgiRequest, *headers: tuple[bytes, bytes]) -> dict[bytes, bytes]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    start = {"type": "http.response.start", "status": 200, "headers": list(headers)}
    asyncio.run(request.send(send, start))
    return dict(messages[0]["headers"])


def test_a_response_that_a_cache_may_keep_is_made_private():
    request = request_of()
    request.before_sending(lambda response: response.keep_private())
    headers = sent(request, (b"cache-control", b"public, max-age=600"), (b"vary", b"Accept"))
    assert b"public" not in headers[b"cache-control"]
    assert b"private" in headers[b"cache-control"]
    assert headers[b"vary"] == b"Accept, Cookie"


def test_a_response_without_changes_is_sent_as_it_is():
    assert sent(request_of(), (b"X-Case", b"kept")) == {b"X-Case": b"kept"}


# -- generators ----------------------------------------------------------------------------------------


async def stream(n):
    yield n


@streams
def test_a_memoized_generator_is_refused(app):
    with pytest.raises(TypeError, match="memoize="):
        brain_callback(Output("out", "children"), Input("n", "value"), app=app, memoize="app")(stream)
