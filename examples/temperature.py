"""Example 5: the unit changes, the fetched day does not."""

import time
from datetime import date, datetime

import numpy as np
import pandas as pd
import plotly.express as px
from backend import BACKEND
from dash import Dash, Input, Output, dcc, html
from theme import INDEX, THEME, chart

from dash_brain import ServerStore, brain_callback

app = Dash(__name__, title="Temperature", backend=BACKEND, index_string=INDEX)
app.layout = [
    html.H1("Fetched once, shown in two units"),
    html.P(
        "Choose a day: fetching it takes 3 seconds. Switch the unit: nothing is fetched again, and "
        "nothing but a token travels."
    ),
    html.Div(
        [
            html.Label("Day", htmlFor="date"),
            dcc.DatePickerSingle(id="date", date=date(2025, 7, 14), clearable=False),
            dcc.RadioItems(["Celsius", "Fahrenheit"], "Celsius", id="unit", inline=True),
        ],
        className="row",
    ),
    html.Div(id="temperature"),
    chart("graph", "Line chart: the temperature of the chosen day, every five minutes"),
    ServerStore(id="weather"),
]


def fetch_weather(day):
    """The readings of one day, one every five minutes, in degrees Celsius."""
    time.sleep(3)
    minutes = pd.date_range(day, periods=288, freq="5min")
    random = np.random.default_rng(minutes[0].day_of_year)
    season = 12 - 11 * np.cos(2 * np.pi * minutes[0].day_of_year / 365)
    course = 5 * np.sin(2 * np.pi * (np.arange(288) / 288 - 0.38))
    noise = np.cumsum(random.normal(0, 0.16, 288))
    return pd.DataFrame({"time": minutes, "celsius": season + course + noise})


def in_unit(celsius, unit):
    return celsius * 9 / 5 + 32 if unit == "Fahrenheit" else celsius


@brain_callback(Output("weather", "data"), Input("date", "date"))
def fetch(day):
    return {"readings": fetch_weather(day), "fetched": datetime.now()}


@brain_callback(
    Output("temperature", "children"),
    Output("graph", "figure"),
    Input("weather", "data"),
    Input("unit", "value"),
)
def show(weather, unit):
    readings, fetched = weather["readings"], weather["fetched"]
    degrees = in_unit(readings["celsius"], unit)
    headline = [
        html.Div(f"{degrees.max():.1f} °{unit[0]}", className="big"),
        html.Div(f"warmest of the day, fetched at {fetched:%H:%M:%S}", className="note"),
    ]
    figure = px.line(x=readings["time"], y=degrees, title=f"The day in {unit}", template=THEME)
    return headline, figure.update_layout(xaxis_title=None, yaxis_title=None)


if __name__ == "__main__":
    app.run()
