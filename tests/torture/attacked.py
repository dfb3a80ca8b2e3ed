"""The app that is attacked over HTTP: ``tests.torture.attacked:server``.

Each callback that makes a value takes it from the request, so that a client sees whether it comes back in
clear. Each callback that takes one tells what it was given, so that a client sees whether he made it up.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import diskcache
import flask
from dash import ALL, ALLSMALLER, MATCH, Dash, DiskcacheManager, Input, Output, State, dash_table, dcc, html

from dash_brain import ServerStore, brain_callback, close_session, configure, session_brain

FOLDER = Path(os.environ["ATTACKED_FOLDER"])
CONF = {"index": 1, "type": "conf"}
GIVEN = "was given"

app = Dash(
    __name__,
    suppress_callback_exceptions=True,
    enable_mcp=True,
    background_callback_manager=DiskcacheManager(diskcache.Cache(FOLDER / "jobs")),
)
server = app.server
configure(principal=lambda: flask.request.cookies.get("user"))


def layout():
    return html.Div(
        [
            *(ServerStore(id=name) for name in ("a", "b", "common", "job", CONF)),
            *(ServerStore(id={"type": "part", "index": index}) for index in range(3)),
            ServerStore(id="initial", data={"initial": "initial secret"}),
            dash_table.DataTable(id="table"),
            dcc.Input(id="i"),
            *(html.Button(id={"type": "button", "index": index}) for index in range(3)),
            *(html.Div(id={"type": "told", "index": index}) for index in range(3)),
            *(html.Div(id=name) for name in ("one", "all", "names", "out")),
        ]
    )


app.layout = layout


def told(*values):
    """Say what came in; an empty store is nothing."""
    return f"{GIVEN} {values!r}" if any(value not in (None, []) for value in values) else "nothing"


@brain_callback(Output(CONF, "data"), Input("i", "value"))
def make_one(value):
    return {"value": value}


@brain_callback(Output("a", "data"), Output("b", "data"), Input("i", "value"))
def make_two(value):
    session_brain["name"] = value
    return {"value": value}, {"value": value}


@brain_callback(Output("a", "data", allow_duplicate=True), Input("i", "title"), prevent_initial_call=True)
def make_again(value):
    return {"value": value}


@brain_callback(
    Output({"type": "part", "index": MATCH}, "data"), Input({"type": "button", "index": MATCH}, "value")
)
def make_part(value):
    return {"value": value}


@brain_callback(
    Output({"type": "part", "index": ALL}, "data", allow_duplicate=True),
    Input("i", "name"),
    prevent_initial_call=True,
)
def make_parts(value):
    return [{"value": value}] * 3


@brain_callback(Output("common", "data"), Input("i", "value"), memoize="app")
def make_common(value):
    return {"value": session_brain.get("name")} if value == "who" else {"value": value}


@brain_callback(
    Output("one", "children"),
    Input(CONF, "data"),
    State("a", "data"),
    api_endpoint="/api/one",
    mcp_enabled=True,
)
def tell_one(conf, a):
    return told(conf, a)


@brain_callback(Output("all", "children"), Input({"type": "part", "index": ALL}, "data"))
def tell_all(parts):
    return told(*parts)


@brain_callback(
    Output({"type": "told", "index": MATCH}, "children"),
    Input({"type": "part", "index": MATCH}, "data"),
    State({"type": "part", "index": ALLSMALLER}, "data"),
)
def tell_part(part, smaller):
    return told(part, *smaller)


@brain_callback(Output("names", "children"), Input("i", "value"))
def tell_names(value):
    return dict(session_brain)


@brain_callback(Output("out", "children"), Input("initial", "data"))
def tell_initial(initial):
    return told(initial)


@brain_callback(Output("job", "data"), Input("i", "value"), background=True)
def work(value):
    while not (FOLDER / "go").exists():
        time.sleep(0.02)
    return {"value": value}


@brain_callback(Output("b", "data", allow_duplicate=True), Input("i", "lang"), prevent_initial_call=True)
def make_slowly(value):
    (FOLDER / "begun").touch()
    while not (FOLDER / "go").exists():
        time.sleep(0.02)
    session_brain["name"] = value
    return {"value": value}


@server.get("/close")
def close():
    close_session()
    return "closed"
