"""Example 4 in plain Dash: a session id in the page, the data in Flask-Caching."""

import time
import uuid
from datetime import datetime, timedelta
from io import StringIO

import pandas as pd
from dash import Dash, Input, Output, callback, dcc, html
from flask_caching import Cache
from plain.private_folder import private_folder
from theme import INDEX

app = Dash(__name__, assets_folder="../assets", title="Session data (plain Dash)", index_string=INDEX)
cache = Cache(
    app.server,
    config={
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": f"{private_folder()}/session-data",
        "CACHE_THRESHOLD": 200,  # as many users as the cache has room for
    },
)


def query():
    now = datetime.now()
    time.sleep(3)
    times = [str(now - timedelta(seconds=seconds)) for seconds in (15, 10, 5, 0)]
    return pd.DataFrame({"time": times, "values": ["a", "b", "a", "c"]})


@cache.memoize()
def query_and_serialize_data(session_id):
    return query().to_csv(index=False)


def get_dataframe(session_id):
    return pd.read_csv(StringIO(query_and_serialize_data(session_id)))


def serve_layout():
    return [
        html.H1("Each session its own data"),
        html.P(
            "Both outputs ask for the same data at the same moment: with several workers each runs the query "
            "and shows timestamps of its own. Every reload is a new session."
        ),
        html.Button("Get data", id="get-data-button"),
        html.Div([html.Div(id="output-1"), html.Div(id="output-2")], className="grid"),
        dcc.Store(data=str(uuid.uuid4()), id="session-id"),
    ]


app.layout = serve_layout


@callback(Output("output-1", "children"), Input("get-data-button", "n_clicks"), Input("session-id", "data"))
def display_value_1(clicks, session_id):
    df = get_dataframe(session_id)
    return [f"Output 1: the button has been clicked {clicks or 0} times", html.Pre(df.to_csv())]


@callback(Output("output-2", "children"), Input("get-data-button", "n_clicks"), Input("session-id", "data"))
def display_value_2(clicks, session_id):
    df = get_dataframe(session_id)
    return [f"Output 2: the button has been clicked {clicks or 0} times", html.Pre(df.to_csv())]


if __name__ == "__main__":
    app.run()
