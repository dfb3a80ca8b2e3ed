"""The app that many ask at once by HTTP and over websockets: ``tests.torture.sockets:server``."""

from __future__ import annotations

import os
from typing import Any

from dash import Dash, Input, Output, State, dcc, html

from dash_brain import ServerStore, brain_callback, session_brain
from tests.torture.marks import marked, seen

#: What stands behind the names of the components of each kind of callback.
WAYS = ("", "-async", "-socket", "-socket-async")

app = Dash("sockets", backend=os.environ["BACKEND"], websocket_max_workers=8)
server = app.server
app.layout = [
    part
    for way in WAYS
    for part in (dcc.Input(id=f"order{way}"), ServerStore(id=f"value{way}"), html.Div(id=f"told{way}"))
]


def exchange(order: dict[str, Any], value: Any) -> tuple[Any, Any]:
    """Tell what was read, and return a new value in its place."""
    kept = session_brain.get("mark")
    session_brain["mark"] = order["mark"]
    told = {"pid": os.getpid(), "seen": seen(value), "kept": kept}
    return marked(order["mark"], order["serial"], order["bytes"]), told


async def exchange_async(order: dict[str, Any], value: Any) -> tuple[Any, Any]:
    """Do the same on the event loop."""
    told = {"pid": os.getpid(), "seen": seen(value), "kept": order["mark"]}
    return marked(order["mark"], order["serial"], order["bytes"]), told


for way in WAYS:
    brain_callback(
        Output(f"value{way}", "data"),
        Output(f"told{way}", "children"),
        Input(f"order{way}", "value"),
        State(f"value{way}", "data"),
        websocket="socket" in way,
    )(exchange_async if "async" in way else exchange)
