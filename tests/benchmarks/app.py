"""The app that is measured: one frame handed from callback to callback, by ServerStore and by others."""

from __future__ import annotations

import io
import os
import tempfile

import pandas as pd
from dash import Dash, Input, Output, callback, dcc, html
from flask_caching import Cache

from dash_brain import ServerStore, brain_callback
from tests.benchmarks.values import numbers

FRAME = numbers(32)

app = Dash(__name__, use_async=False)  # as where asgiref is not installed
server = app.server
cache = Cache(
    server,
    config={
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": os.environ.get("BENCHMARK_CACHE") or tempfile.mkdtemp(),
    },
)
app.layout = [
    dcc.Input(id="go"),
    ServerStore(id="ours"),
    dcc.Store(id="theirs"),
    dcc.Store(id="cached"),
    dcc.Store(id="small"),
    html.Div(id="our-total"),
    html.Div(id="their-total"),
    html.Div(id="cached-total"),
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


@callback(Output("cached", "data"), Input("go", "value"))
def produce_cached(user: str) -> str:
    cache.set(user, FRAME)
    return user


@callback(Output("cached-total", "children"), Input("cached", "data"))
def consume_cached(user: str) -> float:
    return float(cache.get(user).to_numpy().sum())


@brain_callback(Output("our-size", "children"), Input("ours", "data"))
def size(frame: pd.DataFrame) -> int:
    return len(frame)


@callback(Output("small-size", "children"), Input("small", "data"))
def small_size(text: str) -> int:
    return len(text)
