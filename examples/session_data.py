"""Example 4: each browser session has its own data, queried once, whoever asks first."""

import time
from datetime import datetime, timedelta

import pandas as pd
from dash import Dash, Input, Output, callback, html

from dash_brain import configure, session_brain

configure(max_sessions=200)  # when there are more, the longest-idle one goes

app = Dash(__name__, title="Session data")
app.layout = [
    html.H1("Each session its own data"),
    html.P(
        "Both outputs ask at the same moment, and the query runs once: they show the same timestamps. "
        "Reload, and they stay; open a private window, and it has its own."
    ),
    html.Button("Get data", id="get-data-button"),
    html.Div([html.Div(id="output-1"), html.Div(id="output-2")], className="grid"),
]


def query():
    now = datetime.now()
    time.sleep(3)
    times = [str(now - timedelta(seconds=seconds)) for seconds in (15, 10, 5, 0)]
    return pd.DataFrame({"time": times, "values": ["a", "b", "a", "c"]})


def get_dataframe():
    return session_brain.get_or_learn("frame", query)


@callback(Output("output-1", "children"), Input("get-data-button", "n_clicks"))
def display_value_1(clicks):
    df = get_dataframe()
    return [f"Output 1: the button has been clicked {clicks or 0} times", html.Pre(df.to_csv())]


@callback(Output("output-2", "children"), Input("get-data-button", "n_clicks"))
def display_value_2(clicks):
    df = get_dataframe()
    return [f"Output 2: the button has been clicked {clicks or 0} times", html.Pre(df.to_csv())]


if __name__ == "__main__":
    app.run()
