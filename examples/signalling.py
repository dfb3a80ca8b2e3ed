"""Example 3: an expensive query runs once for everybody, and four graphs read its result in parallel."""

import time

import numpy as np
import pandas as pd
from backend import BACKEND
from dash import Dash, Input, Output, dcc, html
from theme import INDEX, THEME, chart

from dash_brain import Memoize, ServerStore, brain_callback

N = 100
FRUIT = {"apples": 5 * N, "oranges": 10 * N, "figs": 20 * N, "pineapples": 15 * N}

random = np.random.default_rng(0)
df = pd.DataFrame({"category": np.repeat(list(FRUIT), list(FRUIT.values()))})
df["x"], df["y"] = random.standard_normal((2, len(df)))

VIEWS = {
    1: "Scatter plot: the points of the chosen fruit",
    2: "Line chart: the same points in their order",
    3: "Heatmap: how many of the points lie where",
    4: "Contour plot: how many of the points lie where",
}

app = Dash(__name__, title="Signalling", backend=BACKEND, index_string=INDEX)
app.layout = [
    html.H1("Compute once, draw four times"),
    html.P(
        "Choose a fruit: the query takes 3 seconds, once for all users, tabs and workers. Each graph "
        "receives the frame; chosen again, reloaded or opened in a new window, it is there at once."
    ),
    html.Label("Fruit", htmlFor="dropdown"),
    dcc.Dropdown(list(FRUIT), "apples", id="dropdown", clearable=False),
    html.Div([chart(f"graph-{number}", text) for number, text in VIEWS.items()], className="grid"),
    ServerStore(id="signal"),
]


def generate_figure(data, trace):
    return {
        "data": [{"x": data["x"], "y": data["y"], **trace}],
        "layout": {"template": THEME, "margin": {"l": 40, "r": 24, "b": 40, "t": 24}},
    }


@brain_callback(Output("signal", "data"), Input("dropdown", "value"), memoize=Memoize("app", ttl=3600))
def compute_value(value):
    print(f"Computing value with {value}", flush=True)
    time.sleep(3)
    return df[df["category"] == value]


@brain_callback(Output("graph-1", "figure"), Input("signal", "data"))
def update_graph_1(data):
    marker = {"opacity": 0.5, "size": 14}
    return generate_figure(data, {"type": "scatter", "mode": "markers", "marker": marker})


@brain_callback(Output("graph-2", "figure"), Input("signal", "data"))
def update_graph_2(data):
    line = {"shape": "spline", "width": 0.5}
    return generate_figure(data, {"type": "scatter", "mode": "lines", "line": line})


@brain_callback(Output("graph-3", "figure"), Input("signal", "data"))
def update_graph_3(data):
    return generate_figure(data, {"type": "histogram2d"})


@brain_callback(Output("graph-4", "figure"), Input("signal", "data"))
def update_graph_4(data):
    return generate_figure(data, {"type": "histogram2dcontour"})


if __name__ == "__main__":
    app.run()
