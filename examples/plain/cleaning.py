"""Example 1 in plain Dash: the cleaned frame travels to the browser and back as JSON."""

import time
from io import StringIO

import numpy as np
import pandas as pd
import plotly.express as px
from dash import Dash, Input, Output, callback, dcc, html
from theme import INDEX, THEME, chart

STATIONS = ["Harbour", "Airport", "Hilltop"]

app = Dash(__name__, assets_folder="../assets", title="Cleaning (plain Dash)", index_string=INDEX)
app.layout = [
    html.H1("One cleaning step, two readers"),
    html.P(
        "Choose a station: its 10 MB of readings are cleaned once, in 3 seconds. They travel to the "
        "browser as JSON, and back to the server twice: for the graph and for the table."
    ),
    html.Label("Station", htmlFor="dropdown"),
    dcc.Dropdown(STATIONS, STATIONS[0], id="dropdown", clearable=False),
    chart("graph", "Line chart: the temperature of the chosen station over a month, in hourly means"),
    html.Table(id="table"),
    dcc.Store(id="intermediate-value"),
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


@callback(Output("intermediate-value", "data"), Input("dropdown", "value"))
def clean_data(station):
    return slow_processing_step(station).to_json(date_format="iso", orient="split")


def read_back(jsonified_cleaned_data):
    cleaned = pd.read_json(StringIO(jsonified_cleaned_data), orient="split")
    return cleaned.astype({"time": "datetime64[ms]"})


@callback(Output("graph", "figure"), Input("intermediate-value", "data"))
def update_graph(jsonified_cleaned_data):
    cleaned = read_back(jsonified_cleaned_data)
    hourly = cleaned.resample("h", on="time")["temperature"].mean().reset_index()
    hourly = hourly.rename(columns={"time": "", "temperature": "°C"})
    return px.line(hourly, x="", y="°C", title="Temperature, hourly means", template=THEME)


@callback(Output("table", "children"), Input("intermediate-value", "data"))
def update_table(jsonified_cleaned_data):
    cleaned = read_back(jsonified_cleaned_data)
    summary = cleaned.drop(columns="time").agg(["min", "mean", "max"]).T.map("{:.1f}".format)
    return table_rows(summary.reset_index(names="reading"))


def table_rows(frame):
    head = html.Tr([html.Th(name) for name in frame.columns])
    return [head, *(html.Tr([html.Td(cell) for cell in row]) for row in frame.itertuples(index=False))]


if __name__ == "__main__":
    app.run()
