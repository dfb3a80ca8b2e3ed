"""The app whose panel the browser test uses: ``tests.app.panelled:server``, in debug mode."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, html

from dash_brain import ServerStore, brain_callback, configure, session_brain
from tests.app.asgi import set_up

configure(session_quota=20_000_000)
app = Dash(__name__, backend=os.environ.get("BACKEND", "flask"))
server = app.server
app.layout = html.Div(
    [
        *[html.Button(name, id=name) for name in ("load", "sum")],
        ServerStore(id="orders"),
        ServerStore(id="totals", storage_type="session"),
        ServerStore(id={"type": "model", "year": 2026}),
        ServerStore(id="selection"),
        html.Div(id="shown"),
    ]
)


@brain_callback(
    Output("orders", "data"),
    Output({"type": "model", "year": 2026}, "data"),
    Input("load", "n_clicks"),
    prevent_initial_call=True,
)
def load(clicks):
    days = pd.date_range("2026-01-01", periods=100_000, freq="min")
    session_brain["prices"] = np.arange(100_000.0)
    orders = pd.DataFrame({"day": days, "region": days.day % 4, "total": np.arange(100_000.0)})
    return orders, {"slope": 1.5, "intercept": 0.2}


@brain_callback(
    Output("totals", "data"),
    Input("orders", "data"),
    Input("sum", "n_clicks"),
    memoize="session",
    prevent_initial_call=True,
)
def sum_up(orders, clicks):
    return None if orders is None else orders.groupby("region")[["total"]].sum()


@brain_callback(Output("shown", "children"), Input("orders", "data"), Input("totals", "data"))
def show(orders, totals):
    return "nothing" if orders is None or totals is None else f"{len(orders)} orders, {len(totals)} regions"


app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
set_up(server)
