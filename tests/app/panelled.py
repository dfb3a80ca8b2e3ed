"""The app whose panel the browser test uses: ``tests.app.panelled:server``, in debug mode."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, configure, session_brain

configure(session_quota=20_000_000)
app = Dash(__name__, backend=os.environ.get("BACKEND", "flask"))
server = app.server
app.layout = html.Div(
    [
        html.Button("load", id="load"),
        dcc.RadioItems(["sum", "mean"], "sum", id="how"),
        ServerStore(id="orders"),
        ServerStore(id="totals", storage_type="session"),
        ServerStore(id={"part": "model"}),
        ServerStore(id="selection"),
        html.Div(id="shown"),
    ]
)


@brain_callback(
    Output("orders", "data"),
    Output({"part": "model"}, "data"),
    Input("load", "n_clicks"),
    prevent_initial_call=True,
)
def load(clicks):
    days = pd.date_range("2026-01-01", periods=100_000, freq="min")
    session_brain["prices"] = np.arange(100_000.0)
    orders = pd.DataFrame({"day": days, "region": np.arange(100_000) % 4, "total": np.full(100_000, 5.0)})
    return orders, {"slope": 1.5, "intercept": 0.2}


@brain_callback(
    Output("totals", "data"),
    Input("orders", "data"),
    Input("how", "value"),
    memoize="session",
    prevent_initial_call=True,
)
def total(orders, how):
    return None if orders is None else orders.groupby("region")[["total"]].agg(how)


@brain_callback(Output("shown", "children"), Input("orders", "data"), Input("totals", "data"))
def show(orders, totals):
    if orders is None or totals is None:
        return "nothing"
    return f"{len(orders):,} orders of {totals['total'].sum():,.0f}"


app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
