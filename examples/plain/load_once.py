"""A large frame in plain Dash: a module global, which each worker loads for itself and holds alone."""

import os
import time
from datetime import datetime
from functools import cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from dash import Dash, Input, Output, callback, dcc, html
from theme import INDEX, THEME, chart
from tiles import tile
from worker_memory import megabytes, memory_table, workers

YEAR = "The whole year"
MONTHS = pd.date_range("2025-01-01", periods=12, freq="MS")
READINGS = {"temperature": "°C", "humidity": "% humidity", "wind": "m/s"}

loads = []


@cache  # at the first request, not at the start: a gallery need not hold what nobody looks at
def read_readings():
    """A year of readings, one every ten seconds: 3,153,600 rows, 101 MB. The source takes its time."""
    print(f"Loading a copy in worker {os.getpid()}", flush=True)
    loads.append(datetime.now())
    time.sleep(2)
    random, day = np.random.default_rng(0), np.arange(3_153_600) / 8640
    season, daily = -np.cos(2 * np.pi * day / 365), np.sin(2 * np.pi * (day - 0.4))
    weather = np.interp(day, np.arange(366), random.normal(0, 2.5, 366))
    return pd.DataFrame(
        {
            "time": MONTHS[0] + pd.to_timedelta(np.arange(day.size) * 10, unit="s"),
            "temperature": 11 + 9 * season + 4 * daily + weather,
            "humidity": 72 - 9 * season - 9 * daily - weather + random.normal(0, 2, day.size),
            "wind": 3 + 0.4 * np.abs(weather) + random.gamma(2, 0.8, day.size),
        }
    )


app = Dash(__name__, assets_folder="../assets", title="Load once (plain Dash)", index_string=INDEX)
server = app.server
app.layout = [
    html.H1("Loaded once, for all workers"),
    html.P(
        "Each worker loads 101 MB, in 2 seconds, and holds them alone. Reload: when another worker answers, "
        "it takes 2 seconds again, and another copy."
    ),
    html.Div(html.Div(id="numbers"), className="tiles"),
    html.Label("Month", htmlFor="dropdown"),
    dcc.Dropdown([YEAR, *MONTHS.month_name()], YEAR, id="dropdown", clearable=False),
    chart(
        "graph",
        "Three line charts: temperature, humidity and wind over the chosen time",
        height=460,
    ),
    html.Table(id="table"),
    html.P(
        "Linux's proportional set size: of memory that several processes share, each counts its part. "
        "Of what loading took, a worker keeps a part. In the gallery the workers hold all examples.",
        className="note below",
    ),
]


@callback(
    Output("graph", "figure"),
    Output("numbers", "children"),
    Output("table", "children"),
    Input("dropdown", "value"),
)
def show(month):
    return draw(month), numbers(), memory_table()


def draw(month):
    if month == YEAR:
        return figure(read_readings(), 8640, "Daily means of the year")
    return figure(rows_of(month), 360, f"Hourly means of {month}")


def rows_of(month):
    """Return the rows of a month: a part of the frame, not a copy."""
    readings, begin = read_readings(), MONTHS[list(MONTHS.month_name()).index(month)]
    return readings.iloc[slice(*readings["time"].searchsorted([begin, begin + pd.offsets.MonthBegin()]))]


def figure(chosen, rows, title):
    """Draw the readings above each other, each with an axis of its own, and a point for so many rows."""
    begin, step = chosen["time"].iloc[0], rows * 10_000  # in milliseconds
    lines, axes = [], {}
    for number, (name, unit) in enumerate(READINGS.items(), start=1):
        means = chosen[name].to_numpy().reshape(-1, rows).mean(axis=1).astype("f4")
        lines.append(go.Scatter(x0=begin, dx=step, y=means, yaxis=f"y{number}", name=name, line_width=1.3))
        axes[f"yaxis{number}"] = {
            "title": unit,
            "nticks": 4,
            "domain": [1.05 - 0.35 * number, 1.35 - 0.35 * number],
        }
    return go.Figure(lines).update_layout(
        template=THEME, title=title, showlegend=False, xaxis={"type": "date", "anchor": "y3"}, **axes
    )


def numbers():
    nbytes, count = read_readings().memory_usage().sum(), len(workers())
    return [
        tile("Loaded", "once each", f"by this worker at {loads[-1]:%H:%M:%S}"),
        tile("The frame", f"{len(read_readings()):,}", "rows, readings of one year"),
        tile("Workers", count, f"this answer: worker {os.getpid()}"),
        tile("In memory, sooner or later", megabytes(count * nbytes), "a copy each", "accent"),
    ]


if __name__ == "__main__":
    app.run()
