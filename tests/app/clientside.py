"""An app in which one Patch changes a dcc.Store and a ServerStore, and whose browser describes the latter.

``tests.app.clientside:server``
"""

from __future__ import annotations

import json

from dash import Dash, Input, Output, State, dcc, html

from dash_brain import ServerStore, brain_callback
from tests.app.test_patches import CASES, patch_of, start_value

app = Dash(__name__, requests_pathname_prefix="/below/", routes_pathname_prefix="/below/")
server = app.server
app.layout = html.Div(
    [
        dcc.Store(id="case"),
        dcc.Store(id="plain"),
        ServerStore(id="ours"),
        html.Div(id="started"),
        html.Div(id="plain-text"),
        html.Div(id="ours-text"),
        html.Div(id="described"),
    ]
)
both = [Output("plain", "data"), Output("ours", "data")]


@brain_callback(*both, Output("started", "children"), Input("case", "data"), prevent_initial_call=True)
def start(case):
    return start_value(), start_value(), case


@brain_callback(
    *(Output(one.component_id, "data", allow_duplicate=True) for one in both),
    Input("started", "children"),
    State("ours", "data"),
    prevent_initial_call=True,
)
def change(case, ours):
    return patch_of(*CASES[case]), patch_of(*CASES[case])


@brain_callback(
    Output("plain-text", "children"),
    Output("ours-text", "children"),
    Input("plain", "data"),
    Input("ours", "data"),
    State("started", "children"),
)
def show(plain, ours, case):
    return [json.dumps([case, one], sort_keys=True) for one in (plain, ours)]


app.clientside_callback(
    "async (token) => JSON.stringify(await dash_clientside.dash_brain.describe(token))",
    Output("described", "children"),
    Input("ours", "data"),
)
