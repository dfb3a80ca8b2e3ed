"""Example 4: each browser session has its own data, queried once, whoever asks first."""

import time
from datetime import datetime, timedelta

import pandas as pd
from backend import BACKEND
from dash import Dash, Input, Output, html
from theme import INDEX

from dash_brain import ServerStore, brain_callback, configure

configure(max_sessions=200)  # when there are more, the longest-idle one goes

app = Dash(__name__, title="Session data", backend=BACKEND, index_string=INDEX)
app.layout = [
    html.H1("Each session its own data"),
    html.P(
        "The query takes 3 seconds, once for each session. Both outputs show the same timestamps. Reload, "
        "and they stay; open a private window, and it has its own."
    ),
    ServerStore(id="frame"),
    html.Button("Get data", id="get-data-button"),
    html.Div([html.Div(id="output-1"), html.Div(id="output-2")], className="grid"),
]


# Nobody chooses anything here: the store's own id is the input, so there is one result for each session.
@brain_callback(Output("frame", "data"), Input("frame", "id"), memoize="session")
def query(_):
    now = datetime.now()
    time.sleep(3)
    times = [str(now - timedelta(seconds=seconds)) for seconds in (15, 10, 5, 0)]
    return pd.DataFrame({"time": times, "values": ["a", "b", "a", "c"]})


@brain_callback(Output("output-1", "children"), Input("get-data-button", "n_clicks"), Input("frame", "data"))
def display_value_1(clicks, df):
    return [f"Output 1: the button has been clicked {clicks or 0} times", html.Pre(df.to_csv())]


@brain_callback(Output("output-2", "children"), Input("get-data-button", "n_clicks"), Input("frame", "data"))
def display_value_2(clicks, df):
    return [f"Output 2: the button has been clicked {clicks or 0} times", html.Pre(df.to_csv())]


if __name__ == "__main__":
    app.run()
