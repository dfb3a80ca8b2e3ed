"""Prices in plain Dash: in each worker a thread feeds a global, as processes share nothing else."""

import os
import time
from datetime import datetime
from threading import Thread

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import Dash, Input, Output, callback, dcc, html
from theme import INDEX, THEME, chart
from tiles import tile

FRUIT = {"apples": 3.0, "oranges": 2.0, "figs": 6.0, "pineapples": 4.5}
ROWS, NEW_ROWS, PAUSE = 100_000, 50, 0.5  # how many are kept, come with each version; seconds

app = Dash(
    __name__, assets_folder="../assets", title="Feeder (plain Dash)", index_string=INDEX, update_title=None
)
server = app.server
app.layout = [
    html.H1("Follow another process"),
    html.P(
        "Each worker has a thread that fetches prices twice a second into a global of its own. Every second "
        "the page asks, and one of the workers draws what it has: the lines jump from worker to worker."
    ),
    html.Div(html.Div(id="numbers"), className="tiles"),
    chart(
        "graph",
        "Line chart: the prices of four kinds of fruit in the last two minutes",
        config={"displayModeBar": False},
        height=420,
    ),
    dcc.Interval(id="clock", interval=1000),
]


def feed():
    """Put a new version into the global again and again, until this process ends."""
    global prices
    random = np.random.default_rng()
    while True:
        new = next_prices(random, prices[list(FRUIT)].iloc[-1], NEW_ROWS)
        prices = pd.concat([prices, new], ignore_index=True).tail(ROWS)
        time.sleep(PAUSE)


def next_prices(random, last, rows):
    """Return so many rows, 10 milliseconds apart until now: each price wanders on from where it was."""
    moves = random.normal(0, 0.0004, (rows, last.size)) + 0.00002 * (pd.Series(FRUIT) - last).to_numpy()
    until = pd.date_range(end=datetime.now(), periods=rows, freq="10ms")
    return pd.DataFrame(last.to_numpy() * np.exp(moves.cumsum(axis=0)), columns=last.index).assign(time=until)


prices = next_prices(np.random.default_rng(), pd.Series(FRUIT), ROWS)
Thread(target=feed, daemon=True).start()


@callback(Output("numbers", "children"), Output("graph", "figure"), Input("clock", "n_intervals"))
def draw(_):
    now = prices
    drawn = now.iloc[-12_000::50]  # the last two minutes
    times = drawn["time"].to_numpy("datetime64[ms]").astype("f8")
    lines = [go.Scatter(x=times, y=drawn[name].astype("f4"), name=name) for name in FRUIT]
    age = (datetime.now() - now["time"].iloc[-1]).total_seconds()
    return [
        tile("Fed by", f"worker {os.getpid()}", "which has prices of its own"),
        tile("In each worker", f"{now.memory_usage().sum() / 1e6:.1f} MB", "and the source is asked by each"),
        tile("Age", f"{age:.1f} s", "of this worker's prices", "accent"),
    ], go.Figure(lines).update_layout(
        template=THEME,
        title=f"{len(now):,} rows; here the last two minutes",
        xaxis={"type": "date", "tickformat": "%H:%M:%S", "nticks": 5, "tickangle": 0},
        legend={"orientation": "h", "y": -0.12},
    )


if __name__ == "__main__":
    app.run()
