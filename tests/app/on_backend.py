"""An app with a callback of each kind, on the backend ``$BACKEND``: ``tests.app.on_backend:server``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from contextvars import ContextVar

import dash
from dash import Dash, Input, Output, Patch, State, ctx, dcc, html

from dash_brain import (
    Memoize,
    ServerStore,
    brain_callback,
    close_session,
    configure,
    from_token,
    session_brain,
    set_props,
    to_token,
)
from dash_brain.errors import BackendNotSupported, NoSession
from dash_brain.settings import current
from dash_brain.stores import open_store
from tests.app.on_loop import Noting

STORES = ("sync", "async", "kept", "streamed", "sent", "plain", "side", "fed", "grown", "by-http")
BUTTONS = ("close", "socket", "socket-async", "grow", "lag", "wait", "wait-async", "noted")

#: Who is logged in, as a middleware of the app says.
user: ContextVar[str | None] = ContextVar("user", default=None)

if "LOGINS" in os.environ:
    configure(principal=user.get)
if "NOTED" in os.environ:
    configure(Noting(open_store(os.environ["DASH_BRAIN_STORE"])))

BACKEND = os.environ.get("BACKEND") or "flask"

app = Dash(
    "on_backend",
    backend=BACKEND,
    websocket_callbacks="ALL_BY_WEBSOCKET" in os.environ,
    websocket_max_workers=8,
)
server = app.server
app.layout = [
    dcc.Input(id="n", value=3, type="number"),
    *(ServerStore(id=name) for name in STORES),
    ServerStore(id={"part": 1}),
    *(html.Div(id=f"{name}-shown") for name in (*STORES, "session")),
    html.Button(id="go"),
    html.Div(id="plain-text"),
    html.Div(id="described"),
    *(html.Button(name, id=name) for name in BUTTONS),
    *(html.Div(id=f"{name}-text") for name in BUTTONS),
]


@brain_callback(Output("sync", "data"), Input("n", "value"))
def load(n):
    return {"rows": list(range(n)), "pid": os.getpid()}


@brain_callback(Output("async", "data"), Input("n", "value"))
async def load_async(n):
    await asyncio.sleep(0)
    return {"rows": list(range(n)), "pid": os.getpid()}


@brain_callback(Output("sync-shown", "children"), Input("sync", "data"))
def show(held):
    return held and f"{len(held['rows'])} rows in {os.getpid()}"


app.clientside_callback(
    "async (token) => JSON.stringify(await dash_clientside.dash_brain.describe(token))",
    Output("described", "children"),
    Input("async", "data"),
)


@brain_callback(Output("async-shown", "children"), Input("async", "data"))
async def show_async(held):
    return held and f"{len(held['rows'])} rows in {os.getpid()}"


@brain_callback(Output("kept", "data"), Input("n", "value"), memoize="app")
def keep(n):
    return {"n": n, "made": time.time()}


@brain_callback(Output("kept-shown", "children"), Input("kept", "data"), memoize="session")
async def show_kept(held):
    return held and f"{held['n']} {held['made']}"


@brain_callback(Output("session-shown", "children"), Input("n", "value"))
def count(n):
    session_brain["n"] = session_brain.get("n", 0) + 1
    set_props("side", {"data": ["a secret", n]})
    dash.set_props({"part": 1}, {"data": ["a secret", n]})
    return str(session_brain["n"])


@app.callback(Output("plain", "data"), Output("plain-text", "children"), Input("n", "value"))
def plain(n):
    token = to_token([n])
    return token, str(from_token(token))


@brain_callback(Output("sent-shown", "children"), Input("sent", "data"), prevent_initial_call=True)
def show_sent(held):
    return str(held)


@brain_callback(Output("close-text", "children"), Input("close", "n_clicks"), prevent_initial_call=True)
def close(clicks):
    close_session()
    return "closed"


# -- websockets ----------------------------------------------------------------------------------------


@brain_callback(
    Output("socket-text", "children"),
    Input("socket", "n_clicks"),
    State("sync", "data"),
    websocket=True,
    prevent_initial_call=True,
)
def over_socket(clicks, held):
    dash.set_props("sent", {"data": ["a secret", len(held["rows"])]})
    dash.set_props({"part": 1}, {"data": ["a secret", 1]})
    read = asyncio.run(ctx.websocket.get_prop("sync", "data"))
    return f"{read == held} {type(held).__name__}"


@brain_callback(
    Output("socket-async-text", "children"),
    Input("socket-async", "n_clicks"),
    State("sync", "data"),
    websocket=True,
    prevent_initial_call=True,
)
async def over_socket_async(clicks, held):
    await ctx.websocket.set_prop("sent", "data", ["a secret", held])
    read = await ctx.websocket.get_prop("sync", "data")
    return f"{read == held} {await asyncio.to_thread(remembered, clicks)}"


def remembered(clicks):
    session_brain["seen"] = clicks
    return session_brain["seen"]


@brain_callback(
    Output("grow-text", "children"),
    Input("grow", "n_clicks"),
    State("sync", "data"),
    websocket=True,
    prevent_initial_call=True,
)
async def grow(clicks, held):
    for n in range(2):
        await ctx.websocket.set_prop("sync", "data", appended("rows", f"a secret {n}"))
    read = await ctx.websocket.get_prop("sync", "data")
    return str(len(read["rows"]) - len(held["rows"]))


def appended(key, value):
    patch = Patch()
    patch[key].append(value)
    return patch


@brain_callback(websocket=True, persistent=True)
async def feed():
    with contextlib.suppress(NoSession):  # it was closed
        while not ctx.websocket.is_shutdown:
            await ctx.websocket.set_prop("fed", "data", ["a secret"])
            await asyncio.sleep(0.5)


@brain_callback(Output("fed-shown", "children"), Input("fed", "data"))
def show_fed(held):
    return held and f"{held[0]} and more"


# -- streams -------------------------------------------------------------------------------------------

with contextlib.suppress(TypeError, BackendNotSupported):  # before Dash 4.5; with Flask

    @brain_callback(
        Output("streamed", "data"),
        Input("go", "n_clicks"),
        State("sync", "data"),
        websocket=True,
        prevent_initial_call=True,
    )
    async def stream(clicks, held):
        for n in range(3):
            dash.set_props("side", {"data": ["a secret", n]})
            yield {"a secret": n, "of": len(held["rows"])}
            while clicks == "until the session ends" and "n" in session_brain:
                await asyncio.sleep(0.05)

    @brain_callback(
        Output("by-http", "data"), Input("go", "n_clicks"), State("sync", "data"), prevent_initial_call=True
    )
    async def stream_by_http(clicks, held):
        for n in range(3):
            yield {"a secret": n, "of": len(held["rows"])}

    @brain_callback(
        Output("grown", "data"), Input("go", "n_clicks"), State("sync", "data"), State("grown", "data"),
        websocket=True, prevent_initial_call=True,
    )  # fmt: skip
    async def stream_patches(clicks, held, grown):
        yield {"rows": []}
        for n in range(2):
            yield appended("rows", f"a secret {n}")


@brain_callback(Output("streamed-shown", "children"), Input("streamed", "data"), prevent_initial_call=True)
def show_streamed(held):
    return f"{held['a secret']} of {held['of']}"


@brain_callback(Output("by-http-shown", "children"), Input("by-http", "data"), prevent_initial_call=True)
def show_by_http(held):
    return f"{held['a secret']} of {held['of']}"


@brain_callback(Output("grown-shown", "children"), Input("grown", "data"), prevent_initial_call=True)
def show_grown(grown):
    return str(len(grown["rows"]))


# -- the event loop ------------------------------------------------------------------------------------


@app.callback(Output("lag-text", "children"), Input("lag", "n_clicks"), prevent_initial_call=True)
async def lag(seconds):
    """Return how late the event loop is, in seconds, each time that it is looked at within a time."""
    end, lags = time.monotonic() + seconds, []
    while time.monotonic() < end:
        before = time.monotonic()
        await asyncio.sleep(0.005)
        lags.append(time.monotonic() - before - 0.005)
    return lags


@app.callback(Output("noted-text", "children"), Input("noted", "n_clicks"), prevent_initial_call=True)
async def noted(_):
    return current.use().store.noted


once = {"memoize": Memoize("app", key=lambda n: "one key for all"), "prevent_initial_call": True}


@brain_callback(Output("wait-text", "children"), Input("wait", "n_clicks"), **once)
def wait(n):
    time.sleep(3)
    return "made"


@brain_callback(Output("wait-async-text", "children"), Input("wait-async", "n_clicks"), **once)
async def wait_async(n):
    await asyncio.sleep(3)
    return "made"
