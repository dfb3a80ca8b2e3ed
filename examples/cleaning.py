"""Example 1: one slow cleaning step feeds a graph and a table, and the frame stays on the server."""

import time

import numpy as np
import pandas as pd
import plotly.express as px
from backend import BACKEND
from dash import Dash, Input, Output, dcc, html
from theme import INDEX, THEME, chart

from dash_brain import ServerStore, brain_callback

STATIONS = ["Harbour", "Airport", "Hilltop"]

app = Dash(__name__, title="Cleaning", backend=BACKEND, index_string=INDEX)
app.layout = [
    html.H1("One cleaning step, two readers"),
    html.P(
        "Choose a station: its 10 MB of readings are cleaned once, in 3 seconds, and stay on the server. "
        "The browser holds a token; the graph and the table receive the frame itself."
    ),
    html.Label("Station", htmlFor="dropdown"),
    dcc.Dropdown(STATIONS, STATIONS[0], id="dropdown", clearable=False),
    chart("graph", "Line chart: the temperature of the chosen station over a month, in hourly means"),
    html.Table(id="table"),
    ServerStore(id="intermediate-value"),
]


def read_station(station):
    """A month of raw readings, one every ten seconds: 259,200 rows of 40 bytes, with gaps and spikes."""
    random = np.random.default_rng(STATIONS.index(station))
    day = np.arange(259_200) / 8640
    daily = np.sin(2 * np.pi * (day - 0.4))
    raw = pd.DataFrame(
        {
            "time": pd.Timestamp("2025-06-01") + pd.to_timedelta(day, unit="D").round("s"),
            "temperature": 17 + 5 * daily + random.normal(0, 0.02, day.size).cumsum(),
            "humidity": 62 - 14 * daily + random.normal(0, 2, day.size),
            "pressure": 1015 + random.normal(0, 0.03, day.size).cumsum(),
            "wind": 2 + random.gamma(2, 1.2, day.size),
        }
    )
    raw.loc[random.choice(day.size, 9000), "temperature"] = np.nan
    raw.loc[random.choice(day.size, 900), "temperature"] = 85.0
    return raw


def slow_processing_step(station):
    print(f"Cleaning {station}", flush=True)
    time.sleep(3)
    raw = read_station(station)
    return raw.assign(temperature=raw["temperature"].where(raw["temperature"] < 60).interpolate())


@brain_callback(Output("intermediate-value", "data"), Input("dropdown", "value"))
def clean_data(station):
    return slow_processing_step(station)


@brain_callback(Output("graph", "figure"), Input("intermediate-value", "data"))
def update_graph(cleaned):
    hourly = cleaned.resample("h", on="time")["temperature"].mean().reset_index()
    hourly = hourly.rename(columns={"time": "", "temperature": "°C"})
    return px.line(hourly, x="", y="°C", title="Temperature, hourly means", template=THEME)


@brain_callback(Output("table", "children"), Input("intermediate-value", "data"))
def update_table(cleaned):
    summary = cleaned.drop(columns="time").agg(["min", "mean", "max"]).T.map("{:.1f}".format)
    return table_rows(summary.reset_index(names="reading"))


def table_rows(frame):
    head = html.Tr([html.Th(name) for name in frame.columns])
    return [head, *(html.Tr([html.Td(cell) for cell in row]) for row in frame.itertuples(index=False))]


if __name__ == "__main__":
    app.run()
