"""The background in plain Dash: the result travels to the browser as JSON, and back for each figure."""

import time
from io import StringIO

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import Dash, DiskcacheManager, Input, Output, State, callback, dcc, html
from diskcache import Cache
from plain.private_folder import private_folder
from theme import AMBER, INDEX, TEAL, THEME, chart, waiting

SWINGS = {"calm": 0.006, "usual": 0.012, "stormy": 0.024}  # what a price moves by in a day, as a share
DAYS, FUTURES, STEPS = 252, 2000, 20
NOTHING_YET = waiting("press Start")

app = Dash(
    __name__,
    assets_folder="../assets",
    title="Forecast (plain Dash)",
    index_string=INDEX,
    update_title=None,
    background_callback_manager=DiskcacheManager(Cache(f"{private_folder()}/forecast")),
)
app.layout = [
    html.H1("Computed in the background"),
    html.P(
        "2,000 simulated prices, in a process of its own: the page shows how far it is, and may "
        "cancel it. The result, 4 MB, travels to the browser as JSON, and back twice: for the two figures."
    ),
    html.Label("Days are", htmlFor="dropdown"),
    dcc.Dropdown(list(SWINGS), "usual", id="dropdown", clearable=False),
    html.Div(
        [
            html.Button("Start", id="start"),
            html.Button("Cancel", id="cancel", disabled=True),
            html.Progress(id="progress", value="0", max=str(STEPS), **{"aria-label": "progress"}),
            html.Span("not started", id="state", role="status"),
        ],
        className="row job",
    ),
    html.Div(
        [
            chart("graph", "Line chart: the middle of all futures, and what most lie between", NOTHING_YET),
            chart("ends", "Histogram: how many futures end at which price", NOTHING_YET),
        ],
        className="grid",
    ),
    dcc.Store(id="futures"),
]


def some_futures(random, swing):
    """Compute a part of the futures, a column each. It takes its time."""
    time.sleep(0.4)
    moves = random.normal(0, swing, (DAYS, FUTURES // STEPS))
    return 100 * np.exp(moves.cumsum(axis=0))


@callback(
    Output("futures", "data"),
    Input("start", "n_clicks"),
    State("dropdown", "value"),
    background=True,
    interval=250,
    running=[(Output("start", "disabled"), True, False), (Output("cancel", "disabled"), False, True)],
    progress=[Output("progress", "value"), Output("state", "children")],
    cancel=[Input("cancel", "n_clicks")],
    prevent_initial_call=True,
)
def forecast(set_progress, _, days):
    random, parts = np.random.default_rng(), []
    for step in range(1, STEPS + 1):
        parts.append(some_futures(random, SWINGS[days]))
        set_progress((str(step), f"{step * FUTURES // STEPS:,} of {FUTURES:,} futures"))
    return pd.DataFrame(np.hstack(parts)).to_json(orient="split")


def read_back(jsonified_futures):
    return pd.read_json(StringIO(jsonified_futures), orient="split")


@callback(Output("graph", "figure"), Input("futures", "data"), prevent_initial_call=True)
def draw_range(jsonified_futures):
    futures = read_back(jsonified_futures)
    low, middle, high = futures.quantile([0.05, 0.5, 0.95], axis=1).to_numpy()
    edge = {
        "mode": "lines",
        "line": {"width": 0},
        "fillcolor": "rgba(15, 118, 110, 0.18)",
        "hoverinfo": "skip",
    }
    lines = [
        go.Scatter(y=low, **edge),
        go.Scatter(y=high, fill="tonexty", **edge),
        go.Scatter(y=middle, line={"color": TEAL}, name="middle"),
    ]
    title = "The middle, and where nine of ten lie"
    return go.Figure(lines).update_layout(template=THEME, title=title, showlegend=False, xaxis_title="day")


@callback(Output("ends", "figure"), Input("futures", "data"), prevent_initial_call=True)
def draw_ends(jsonified_futures):
    futures = read_back(jsonified_futures)
    count, edges = np.histogram(futures.iloc[-1], bins=60)
    bars = go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=count, marker={"color": AMBER})
    return go.Figure(bars).update_layout(template=THEME, title="Where they end", bargap=0.05)


if __name__ == "__main__":
    app.run()
