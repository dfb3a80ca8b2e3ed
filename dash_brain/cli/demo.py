"""``dash-brain demo``: a page whose frame stays on the server."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
from contextlib import suppress
from typing import Any

from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback
from dash_brain.common.sizes import shown_size
from dash_brain.settings import configure, current
from dash_brain.stores.mapped.spill.roots import remove_folders_of

_ROWS = {10_000: "10 thousand rows", 1_000_000: "1 million rows", 5_000_000: "5 million rows"}
_HOST = "127.0.0.1"
#: Points that are drawn of them.
_POINTS = 1_000
_STYLE = {
    "fontFamily": "system-ui, sans-serif",
    "maxWidth": "60rem",
    "margin": "3rem auto",
    "padding": "0 1rem",
}


def page() -> Dash:
    """Return the app: one callback makes a frame, another one draws it."""
    app = Dash("dash_brain_demo", title="dash_brain")
    app.layout = html.Main(
        [
            html.H1("A frame that stays on the server"),
            dcc.RadioItems(_ROWS, 1_000_000, id="rows", inline=True, labelStyle={"marginRight": "1rem"}),
            ServerStore(id="walk"),
            dcc.Graph(id="plot"),
            html.P(id="facts"),
        ],
        style=_STYLE,
    )
    brain_callback(Output("walk", "data"), Input("rows", "value"), app=app)(random_walk)
    brain_callback(Output("plot", "figure"), Output("facts", "children"), Input("walk", "data"), app=app)(
        draw
    )
    return app


def random_walk(rows: int) -> Any:
    """Return a frame of so many rows: what a callback may return to a ServerStore."""
    import numpy as np
    import pandas as pd

    steps = np.random.default_rng(rows).normal(size=rows)
    return pd.DataFrame({"step": steps, "height": steps.cumsum()})


def draw(walk: Any) -> tuple[dict[str, Any], str]:
    """Return the figure, and what lies where; the frame is mapped, and not copied."""
    shown = walk.iloc[:: max(len(walk) // _POINTS, 1)]
    line = {"x": shown.index.tolist(), "y": shown["height"].tolist(), "type": "scatter", "mode": "lines"}
    held = shown_size(int(walk.memory_usage().sum()))
    facts = f"{len(walk):,} rows, {held}, lie on the server. The browser holds a token of 90 characters."
    return {"data": [line], "layout": {"margin": {"t": 20}}}, facts


def is_free(port: int) -> bool:
    """Say whether nobody listens on a port."""
    with socket.socket() as one:
        return one.connect_ex((_HOST, port)) != 0


def serve(url: str, port: int) -> None:
    """Serve the page until Ctrl-C, with a store that is removed then."""
    configure(url)
    # What the app does at its end, it does before that: it registers later.
    atexit.register(_remove, getattr(current.use().store, "place", ""))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container is ended like this
    with suppress(KeyboardInterrupt):
        page().run(host=_HOST, port=port, debug=False)


def _remove(place: str) -> None:
    """Remove the store of the demo, with what it spilled to disk."""
    if os.path.isdir(place):
        folder = os.open(place, os.O_RDONLY)
        remove_folders_of(folder)
        os.close(folder)
        shutil.rmtree(place, ignore_errors=True)
