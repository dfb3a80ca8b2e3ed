"""An app that does not use dash_brain, on the backend ``$BACKEND``: ``tests.app.plain:server``.

With ``$ENTRY_POINTS=none`` Dash finds no entry points, as if dash_brain were not installed. What ``$IMPORTS``
says is run first.
"""

from __future__ import annotations

import os

from dash import Dash, Input, Output, callback, dcc, html
from dash._hooks import HooksManager

if os.environ.get("ENTRY_POINTS") == "none":
    HooksManager._registered = True
exec(os.environ.get("IMPORTS", ""))

app = Dash("plain", backend=os.environ.get("BACKEND") or "flask")
app.layout = html.Div([dcc.Input(id="text", value="a"), html.Div(id="echo"), dcc.Store(id="kept", data=[1])])
server = app.server


@callback(Output("echo", "children"), Input("text", "value"), Input("kept", "data"))
def echo(text, kept):
    return f"{text} {kept}"
