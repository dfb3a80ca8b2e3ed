"""The app whose panel the browser tests use: ``tests.app.panelled:server``, with Dash's dev tools."""

from __future__ import annotations

import os

import pandas as pd
from dash import Dash, Input, Output, html

from dash_brain import ServerStore, brain_callback
from tests.app.asgi import set_up

app = Dash(__name__, backend=os.environ.get("BACKEND", "flask"))
server = app.server
app.layout = html.Div(
    [html.Button("make", id="make"), ServerStore(id="orders"), ServerStore(id="notes"), html.Div(id="shown")]
)


@brain_callback(
    Output("orders", "data"), Output("notes", "data"), Input("make", "n_clicks"), prevent_initial_call=True
)
def make(clicks):
    return pd.DataFrame({"total": range(1000)}), {"clicks": clicks}


@brain_callback(Output("shown", "children"), Input("orders", "data"))
def show(orders):
    return "nothing" if orders is None else f"{len(orders)} orders"


app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
set_up(server)
