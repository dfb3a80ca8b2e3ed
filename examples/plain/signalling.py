"""Example 3 in plain Dash: a signal in the browser, the data in Flask-Caching."""

import time

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, callback, dcc, html
from flask_caching import Cache
from plain.private_folder import private_folder
from theme import INDEX, THEME, chart

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

app = Dash(__name__, assets_folder="../assets", title="Signalling (plain Dash)", index_string=INDEX)
cache = Cache(
    app.server,
    config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": f"{private_folder()}/signalling"},
)
app.layout = [
    html.H1("Compute once, draw four times"),
    html.P(
        "Choose a fruit: the query takes 3 seconds and is kept in a cache of files. The browser gets a "
        "signal, and each graph copies and unpickles the frame from the cache."
    ),
    html.Label("Fruit", htmlFor="dropdown"),
    dcc.Dropdown(list(FRUIT), "apples", id="dropdown", clearable=False),
    html.Div([chart(f"graph-{number}", text) for number, text in VIEWS.items()], className="grid"),
    dcc.Store(id="signal"),
]


@cache.memoize()
def global_store(value):
    print(f"Computing value with {value}", flush=True)
    time.sleep(3)
    return df[df["category"] == value]


def generate_figure(value, trace):
    data = global_store(value)
    return {
        "data": [{"x": data["x"], "y": data["y"], **trace}],
        "layout": {"template": THEME, "margin": {"l": 40, "r": 24, "b": 40, "t": 24}},
    }


@callback(Output("signal", "data"), Input("dropdown", "value"))
def compute_value(value):
    global_store(value)
    return value


@callback(Output("graph-1", "figure"), Input("signal", "data"))
def update_graph_1(value):
    marker = {"opacity": 0.5, "size": 14}
    return generate_figure(value, {"type": "scatter", "mode": "markers", "marker": marker})


@callback(Output("graph-2", "figure"), Input("signal", "data"))
def update_graph_2(value):
    line = {"shape": "spline", "width": 0.5}
    return generate_figure(value, {"type": "scatter", "mode": "lines", "line": line})


@callback(Output("graph-3", "figure"), Input("signal", "data"))
def update_graph_3(value):
    return generate_figure(value, {"type": "histogram2d"})


@callback(Output("graph-4", "figure"), Input("signal", "data"))
def update_graph_4(value):
    return generate_figure(value, {"type": "histogram2dcontour"})


if __name__ == "__main__":
    app.run()
