"""An app whose users share a browser and keep values in its storage: ``tests.app.shared_browser:server``."""

from __future__ import annotations

import os

import dash
import flask
from dash import Input, Output, html

from dash_brain import ServerStore, brain_callback, configure


def user():
    return flask.session.get("user") if flask.has_request_context() else None


configure(os.environ.get("DASH_BRAIN_STORE"), principal=user)

server = flask.Flask(__name__)
server.secret_key = "only a test signs with this"
app = dash.Dash(__name__, server=server)
KINDS = ("local", "session", "memory")
app.layout = lambda: html.Div(
    [
        html.Button("make", id="make"),
        html.Div(user() or "nobody", id="user"),
        *(ServerStore(id={"kept": kind}, storage_type=kind) for kind in KINDS),
        *(html.Div(id=f"{kind}-text") for kind in KINDS),
    ]
)


@server.get("/login/<name>")
def log_in(name):
    flask.session["user"] = name
    return name


@server.get("/logout")
def log_out():
    flask.session.clear()
    return "bye"


@brain_callback(
    [Output({"kept": kind}, "data") for kind in KINDS], Input("make", "n_clicks"), prevent_initial_call=True
)
def make(clicks):
    return [f"{user()} {kind}" for kind in KINDS]


for _kind in KINDS:

    @brain_callback(Output(f"{_kind}-text", "children"), Input({"kept": _kind}, "data"))
    def show(kept):
        return "empty" if kept is None else kept
