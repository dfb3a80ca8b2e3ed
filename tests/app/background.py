"""The app of the tests with background jobs: ``tests.app.background:server``, and a worker for Celery.

``JOBS`` is the folder in which jobs are kept by diskcache, the address of a Redis for Celery, or ``brain``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from dash import CeleryManager, Dash, DiskcacheManager, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, session_brain, set_props
from dash_brain.adapters.background import BrainManager

JOBS = os.environ.get("JOBS", "")  # none while tests are being collected
#: A file that is there when a job need not wait any longer.
GO_ON = Path(os.environ["GO_ON"]) if "GO_ON" in os.environ else None


def manager() -> CeleryManager | DiskcacheManager | BrainManager:
    if JOBS == "brain":
        return BrainManager()
    if JOBS.startswith("redis://"):
        from celery import Celery

        return CeleryManager(Celery("tests.app.background", broker=JOBS, backend=JOBS))
    import diskcache

    return DiskcacheManager(diskcache.Cache(JOBS))


background = manager() if JOBS else None
celery_app = getattr(background, "handle", None)
backend = os.environ.get("BACKEND") or "flask"
app = Dash(
    __name__, backend=backend, background_callback_manager=background, suppress_callback_exceptions=True
)
server = app.server
app.layout = html.Div(
    [
        html.Button("load", id="load"),
        dcc.Input(id="wait", type="number", value=0),
        html.Button("cancel", id="cancel"),
        ServerStore(id="a"),
        ServerStore(id="partial"),
        ServerStore(id="result"),
        html.Div(id="state", children="idle"),
        html.Div(id="partial-text"),
        html.Div(id="share"),
        html.Div(id="text"),
        html.Div(id="set-first"),
        html.Div(id="set-second"),
        html.Div(id="made"),
        html.Div(id="made-text"),
        html.Button("ask", id="ask"),
        ServerStore(id="own"),
        html.Div(id="own-text"),
    ]
)


@brain_callback(
    Output("a", "data"), Input("load", "n_clicks"), Input("wait", "value"), prevent_initial_call=True
)
def load(clicks, wait):
    return pd.DataFrame({"x": np.arange(1_000_000)}), wait, clicks


@brain_callback(
    Output("result", "data"),
    Output("made", "children"),
    Input("a", "data"),
    background=True,
    interval=100,
    prevent_initial_call=True,
    running=[(Output("state", "children"), "running", "idle")],
    progress=[Output("partial", "data"), Output("share", "children")],
    progress_default=[None, "no job"],
    cancel=[Input("cancel", "n_clicks")],
)
def compute(set_progress, loaded):
    frame, wait, clicks = loaded
    set_progress([frame.head(10), "1 %"])
    set_props("set-first", {"children": "first"})
    set_props("set-second", {"children": "second"})
    end = time.monotonic() + wait
    while time.monotonic() < end and not (GO_ON and GO_ON.exists()):
        time.sleep(0.05)
    result = {"sum": int(frame.x.sum()), "clicks": clicks, "frame": frame * 2}
    return result, ServerStore(id="in-made", data={clicks})


@brain_callback(Output("partial-text", "children"), Input("partial", "data"), prevent_initial_call=True)
def show_partial(frame):
    return "" if frame is None else f"{len(frame)} rows"


@brain_callback(Output("made-text", "children"), Input("in-made", "data"), prevent_initial_call=True)
def show_made(clicks):
    return repr(clicks)


@brain_callback(Output("text", "children"), Input("result", "data"), prevent_initial_call=True)
def show(result):
    return f"{result['sum']} {len(result['frame'])} {result['clicks']}"


@brain_callback(Output("own", "data"), Input("ask", "n_clicks"), memoize="session", prevent_initial_call=True)
def make_own(clicks):
    session_brain["made"] = session_brain.get("made", 0) + 1
    return [session_brain["made"]]


@brain_callback(
    Output("own-text", "children"),
    Input("own", "data"),
    background=True,
    interval=100,
    prevent_initial_call=True,
    running=[(Output("state", "children"), "running", "idle")],
)
def show_own(own):
    return repr(own)
