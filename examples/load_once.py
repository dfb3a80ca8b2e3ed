"""A large frame is loaded once per host, before anybody is served, and all workers share it.

Try it with eight workers: ``gunicorn --workers 8 --chdir examples load_once:server``.
"""

import os
import time
from datetime import datetime

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from backend import BACKEND
from dash import Dash, Input, Output, callback, dcc, html
from theme import INDEX, THEME, chart
from tiles import tile
from worker_memory import megabytes, memory_table, workers

from dash_brain import Brain

YEAR = "The whole year"
MONTHS = pd.date_range("2025-01-01", periods=12, freq="MS")
READINGS = {"temperature": "°C", "humidity": "% humidity", "wind": "m/s"}

brain = Brain("load_once")


def read_readings():
    """A year of readings, one every ten seconds: 3,153,600 rows, 101 MB. The source takes its time."""
    print(f"Loading in worker {os.getpid()}", flush=True)
    brain["loads"] = [*brain.get("loads", []), (os.getpid(), datetime.now())]
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


readings = brain.preload("readings", read_readings)  # no worker serves anybody before this is done

app = Dash(__name__, title="Load once", backend=BACKEND, index_string=INDEX)
server = app.server
app.layout = [
    html.H1("Loaded once, for all workers"),
    html.P(
        "The first worker to start loads 101 MB, in 2 seconds. The others wait, and map what it has loaded: "
        "the frame lies in memory once. Open twenty tabs: nothing is loaded again."
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
        "Linux's proportional set size: of memory that several processes share, each counts its part, and of "
        "the frame only what was read so far. "
        "In the gallery the workers hold all examples, and whatever the original has loaded.",
        className="note below",
    ),
]


@server.get("/ready")
def ready():
    """Answer a load balancer: whoever answers at all has the data."""
    return f"Worker {os.getpid()} is ready."


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
        return figure(readings, 8640, "Daily means of the year")
    return figure(rows_of(month), 360, f"Hourly means of {month}")


def rows_of(month):
    """Return the rows of a month: a part of the frame, not a copy."""
    begin = MONTHS[list(MONTHS.month_name()).index(month)]
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
    loads, nbytes = brain["loads"], brain.metadata("readings")["nbytes"]
    pid, when = loads[-1]
    count, alike = len(workers()), megabytes(nbytes)
    return [
        tile("Loaded", times(len(loads)), f"by worker {pid}, {when:%d %b, %H:%M:%S}"),
        tile("The frame", f"{len(readings):,}", "rows, readings of one year"),
        tile("Workers", count, f"this answer: worker {os.getpid()}"),
        tile("In memory, once", alike, f"a copy each: {megabytes(count * nbytes)}", "accent"),
    ]


def times(count):
    return "once" if count == 1 else f"{count} times"


if __name__ == "__main__":
    app.run()
