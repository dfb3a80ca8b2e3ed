"""An app for pages of other sites to frame, served by gunicorn: ``tests.app.framed:server``.

``/embed?app=URL`` is such a page.
"""

from __future__ import annotations

import flask
from dash import Dash, Input, Output, html, no_update
from markupsafe import escape

from dash_brain import ServerStore, brain_callback, close_session, session_brain

app = Dash(__name__)
server = app.server
app.layout = html.Div(
    [
        html.Button("make", id="make"),
        html.Button("close", id="close"),
        ServerStore(id="store"),
        html.Div(id="shown"),
        html.Div(id="said"),
    ]
)


def say(error: Exception) -> tuple[object, str]:
    return no_update, f"{type(error).__name__}: {error}"


@brain_callback(
    Output("store", "data"),
    Output("said", "children"),
    Input("make", "n_clicks"),
    prevent_initial_call=True,
    on_error=say,
)
def make(clicks):
    made = session_brain["made"] = session_brain.get("made", 0) + 1
    return {"made": made}, f"made {made}"


@brain_callback(Output("shown", "children"), Input("store", "data"))
def show(value):
    return "empty" if value is None else f"shows {value['made']}"


@brain_callback(
    Output("said", "children", allow_duplicate=True), Input("close", "n_clicks"), prevent_initial_call=True
)
def close(clicks):
    close_session()
    return "closed"


@server.get("/embed")
def embed():
    return f'<title>another site</title><iframe src="{escape(flask.request.args["app"])}"></iframe>'


# Dash sets itself up during its first request, and would do so in several threads at once.
server.test_client().get("/_favicon.ico")
