"""The figures of a running app follow another process, which learns new prices twice a second.

Start it with ``python examples/feeder.py``, and beside it ``python examples/feed.py``.
"""

import time

import plotly.graph_objects as go
from backend import BACKEND
from dash import Dash, Input, Output, State, callback, dcc, html, no_update
from theme import INDEX, THEME, WAITING, chart
from tiles import tile

from dash_brain import Brain
from dash_brain.errors import ValueMissing

FRUIT = ["apples", "oranges", "figs", "pineapples"]
OLD = 5  # seconds

brain = Brain("feeder")
app = Dash(__name__, title="Feeder", backend=BACKEND, index_string=INDEX, update_title=None)
server = app.server
app.layout = [
    html.H1("Follow another process"),
    html.P(
        "A process that knows nothing of this app learns new prices twice a second, 100,000 rows each time. "
        "Every second the page asks for their version, which reads none of them, and draws what is new."
    ),
    html.Div(html.Div(id="numbers"), className="tiles"),
    chart(
        "graph",
        "Line chart: the prices of four kinds of fruit in the last two minutes",
        config={"displayModeBar": False},
        height=420,
    ),
    html.P(
        [
            html.Code("python examples/feed.py"),
            " feeds by hand; in the gallery one of its workers does it. Kill the feeder, start it again, "
            "start two: the app goes on, and says so when the prices are old.",
        ],
        className="note",
    ),
    dcc.Interval(id="clock", interval=1000),
    dcc.Store(id="version"),
]


@callback(
    Output("version", "data"),
    Output("numbers", "children"),
    Input("clock", "n_intervals"),
    State("version", "data"),
)
def look(_, seen):
    try:
        known = brain.metadata("prices")
    except ValueMissing:
        return None, tile("No prices yet", "Nobody feeds", "start python examples/feed.py", "old")
    return no_update if known["object_id"] == seen else known["object_id"], numbers(known)


def numbers(known):
    age = time.time() - known["created"]
    advice = "new within a second" if age < OLD else "is the feeder running?"
    return [
        tile("Version", known["object_id"][:8], "the page draws each once"),
        tile("Fed by", known["description"], "as it said when it learned them"),
        tile("In the store", f"{known['nbytes'] / 1e6:.1f} MB", "known without reading the value"),
        tile("Age", f"{age:.1f} s", advice, "accent" if age < OLD else "old"),
    ]


@callback(Output("graph", "figure"), Input("version", "data"))
def draw(version):
    if version is None:
        return WAITING
    prices = brain["prices"]
    drawn = prices.iloc[-12_000::50]  # the last two minutes
    times = drawn["time"].to_numpy("datetime64[ms]").astype("f8")
    lines = [go.Scatter(x=times, y=drawn[name].astype("f4"), name=name) for name in FRUIT]
    return go.Figure(lines).update_layout(
        template=THEME,
        title=f"{len(prices):,} rows; here the last two minutes",
        xaxis={"type": "date", "tickformat": "%H:%M:%S", "nticks": 5, "tickangle": 0},
        legend={"orientation": "h", "y": -0.12},
    )


if __name__ == "__main__":
    app.run()
