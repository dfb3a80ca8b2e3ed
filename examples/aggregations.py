"""Example 2: one query, three frames in one ServerStore, and each graph reads its own."""

import time

import numpy as np
import pandas as pd
import plotly.express as px
from backend import BACKEND
from dash import Dash, Input, Output, dcc, html
from theme import AMBER, INDEX, TEAL, THEME, VIOLET, chart

from dash_brain import ServerStore, brain_callback

MARKETS = ["Lisbon", "Rotterdam", "Gdańsk"]

app = Dash(__name__, title="Aggregations", backend=BACKEND, index_string=INDEX)
app.layout = [
    html.H1("One query, three frames"),
    html.P(
        "Choose a market: one slow query is split into a frame for each fruit. All three stay on the "
        "server, in one ServerStore, and each graph reads its own."
    ),
    html.Label("Market", htmlFor="dropdown"),
    dcc.Dropdown(MARKETS, MARKETS[0], id="dropdown", clearable=False),
    chart("graph1", "Area chart: kilos of apples sold in each week"),
    html.Div(
        [
            chart("graph2", "Bar chart: the price of oranges in each month"),
            chart("graph3", "Bar chart: how many orders of figs have which weight"),
        ],
        className="grid",
    ),
    ServerStore(id="intermediate-value"),
]


def slow_processing_step(market):
    """A year of sales: 90,000 rows, in random order of fruit."""
    print(f"Querying {market}", flush=True)
    time.sleep(3)
    random = np.random.default_rng(MARKETS.index(market))
    day = np.sort(364 * random.beta(2, 2 + MARKETS.index(market), 90_000)).astype(int)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2024-12-30") + pd.to_timedelta(day, unit="D"),
            "fruit": random.choice(["apples", "oranges", "figs"], day.size),
            "kilos": random.gamma(3, 4, day.size).round(2),
            "price": (3 + np.cos(day / 58) + random.normal(0, 0.4, day.size)).round(2),
        }
    )


@brain_callback(Output("intermediate-value", "data"), Input("dropdown", "value"))
def clean_data(market):
    cleaned = slow_processing_step(market)
    return {
        "df_1": cleaned[cleaned["fruit"] == "apples"],
        "df_2": cleaned[cleaned["fruit"] == "oranges"],
        "df_3": cleaned[cleaned["fruit"] == "figs"],
    }


@brain_callback(Output("graph1", "figure"), Input("intermediate-value", "data"))
def update_graph_1(datasets):
    apples = datasets["df_1"]
    weekly = apples.resample("W", on="day")["kilos"].sum().reset_index()
    return draw(px.area, weekly, "day", "kilos", "Apples sold per week", TEAL)


@brain_callback(Output("graph2", "figure"), Input("intermediate-value", "data"))
def update_graph_2(datasets):
    oranges = datasets["df_2"]
    monthly = oranges.resample("MS", on="day")["price"].mean().reset_index()
    return draw(px.bar, monthly, "day", "price", "Price of oranges by month", AMBER)


@brain_callback(Output("graph3", "figure"), Input("intermediate-value", "data"))
def update_graph_3(datasets):
    figs = datasets["df_3"]
    sizes = figs["kilos"].round().value_counts().sort_index().reset_index()
    return draw(px.bar, sizes, "kilos", "count", "Orders of figs by weight", VIOLET)


def draw(kind, frame, x, y, title, colour):
    labels = {"day": "", "count": "orders"}
    return kind(frame, x=x, y=y, title=title, labels=labels, color_discrete_sequence=[colour], template=THEME)


if __name__ == "__main__":
    app.run()
