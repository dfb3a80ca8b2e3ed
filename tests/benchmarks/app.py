"""The app that is measured: one frame handed from callback to callback, by ServerStore and by dcc.Store."""

from __future__ import annotations

import io

import pandas as pd
from dash import Dash, Input, Output, callback, dcc, html

from dash_brain import ServerStore, brain_callback
from tests.benchmarks.values import numbers

FRAME = numbers(32)

app = Dash(__name__)
server = app.server
app.layout = [
    dcc.Input(id="go"),
    ServerStore(id="ours"),
    dcc.Store(id="theirs"),
    dcc.Store(id="small"),
    html.Div(id="our-total"),
    html.Div(id="their-total"),
    html.Div(id="our-size"),
    html.Div(id="small-size"),
]


@brain_callback(Output("ours", "data"), Input("go", "value"))
def produce(_go: str) -> pd.DataFrame:
    return FRAME


@brain_callback(Output("our-total", "children"), Input("ours", "data"))
def consume(frame: pd.DataFrame) -> float:
    return float(frame.to_numpy().sum())


@callback(Output("theirs", "data"), Input("go", "value"))
def produce_json(_go: str) -> str:
    return FRAME.to_json(date_format="iso", orient="split")


@callback(Output("their-total", "children"), Input("theirs", "data"))
def consume_json(text: str) -> float:
    return float(pd.read_json(io.StringIO(text), orient="split").to_numpy().sum())


@brain_callback(Output("our-size", "children"), Input("ours", "data"))
def size(frame: pd.DataFrame) -> int:
    return len(frame)


@callback(Output("small-size", "children"), Input("small", "data"))
def small_size(text: str) -> int:
    return len(text)
