"""The app that the browser tests see, served by gunicorn: ``tests.app.served:server``.

Its layout is a function and callbacks build parts of it, so that most workers run callbacks for pages
that they never built.
"""

from __future__ import annotations

import os

import flask
import numpy as np
import pandas as pd
from dash import ALL, Dash, Input, Output, State, dcc, html, set_props

from dash_brain import ServerStore, brain_callback, session_brain

app = Dash(__name__, suppress_callback_exceptions=True)
server = app.server


def layout():
    if not flask.request.path.endswith("_dash-layout"):
        return html.Div()  # Dash only validates it
    visits = session_brain.get("visits", 0) + 1
    session_brain["visits"] = visits
    return html.Div(
        [
            html.Button("make", id="make"),
            html.Button("grow", id="grow"),
            html.Button("clear", id="clear"),
            ServerStore(id="frame"),
            ServerStore(id="tab", storage_type="session"),
            ServerStore(id="visits", data={"visits": visits}),
            dcc.Store(id="plain", data=[1, 2]),
            html.Div(id="shape"),
            html.Div(id="tab-text"),
            html.Div(id="visits-text"),
            html.Div(id="plain-text"),
            html.Div(id="parts"),
            html.Div(id="parts-text"),
            dcc.Input(id="typed", value=""),
            html.Div(id="echo"),
        ]
    )


app.layout = layout


@brain_callback(
    Output("frame", "data"), Output("tab", "data"), Input("make", "n_clicks"), prevent_initial_call=True
)
def make(clicks):
    rows = 10_000_000 // 8
    return pd.DataFrame({"x": np.arange(rows) * clicks}), {"clicks": clicks, "pid": os.getpid()}


@brain_callback(Output("shape", "children"), Input("frame", "data"))
def shape(frame):
    if frame is None:
        return "empty"
    total = int(frame["x"].iloc[-1])
    frame["x"] = 0  # a reader's own
    return f"{len(frame)} {total}"


@brain_callback(Output("tab-text", "children"), Input("tab", "modified_timestamp"), State("tab", "data"))
def tab_text(stamp, tab):
    return "none" if tab is None else f"clicks {tab['clicks']}"


@brain_callback(Output("visits-text", "children"), Input("visits", "data"))
def visits_text(visits):
    return f"visit {visits['visits']}"


@brain_callback(Output("plain-text", "children"), Input("plain", "data"))
def plain_text(plain):
    return repr(plain)


@brain_callback(Output("parts", "children"), Input("grow", "n_clicks"), prevent_initial_call=True)
def grow(clicks):
    return [ServerStore(id={"part": i}, data=(i, clicks)) for i in range(clicks)]


@brain_callback(Output("parts-text", "children"), Input({"part": ALL}, "data"))
def parts_text(parts):
    return repr(parts)


@brain_callback(Input("clear", "n_clicks"), prevent_initial_call=True)
def clear(clicks):
    set_props("frame", {"data": None})


@brain_callback(Output("echo", "children"), Input("typed", "value"))
def echo(typed):
    return f"echo {typed}"


@server.get("/pid")
def pid():
    return flask.jsonify(os.getpid())
