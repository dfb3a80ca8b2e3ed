"""An app that is half moved to dash_brain, served by gunicorn: ``tests.app.ported:server``.

Of its thirty callbacks the one that ``PLAIN`` names is still a plain ``dash.callback``.
"""

from __future__ import annotations

import os

import pandas as pd
from dash import Dash, Input, Output, State, callback, html

from dash_brain import ServerStore, brain_callback

PLAIN = os.environ.get("PLAIN", "")


def handled(error):
    """Show an error, as an app's ``on_error`` may."""
    print(f"on_error: {error}", flush=True)
    if "HANDLED" not in os.environ:
        raise error


app = Dash(__name__, on_error=handled)
server = app.server
app.layout = html.Div(
    [
        html.Button("load", id="load"),
        html.Button("count", id="count"),
        html.Div(id="counted"),
        *(part for i in range(14) for part in (ServerStore(id=f"store{i}"), html.Div(id=f"text{i}"))),
    ]
)


def ported(name):
    """Return what registers the callback of this name."""
    return callback if name == PLAIN else brain_callback


for number in range(14):

    @ported(f"load{number}")(
        Output(f"store{number}", "data"), Input("load", "n_clicks"), prevent_initial_call=True
    )
    def load(clicks, is_json=f"load{number}" == PLAIN and "JSON" in os.environ):
        frame = pd.DataFrame({"clicks": [clicks]})
        return frame.to_dict("records") if is_json else frame

    @ported(f"show{number}")(Output(f"text{number}", "children"), Input(f"store{number}", "data"))
    def show(frame):
        return "empty" if frame is None else f"clicks {frame['clicks'].iloc[0]}"


@ported("count")(Output("counted", "children"), Input("count", "n_clicks"), State("store0", "data"))
def count(clicks, frame):
    return f"{clicks}: {'empty' if frame is None else len(frame)}"


@ported("reset")(Output("load", "title"), Input("store1", "data"))
def reset(frame):
    return "again"


app.enable_dev_tools(debug=True, dev_tools_hot_reload=False)
