"""An app of two pages, with a ServerStore of each kind beside them and another in the first."""

from __future__ import annotations

from typing import Any

import dash
from dash import Dash, Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, session_brain

KINDS = ("memory", "session", "local")


def stores(where: str) -> list[Any]:
    return [ServerStore(f"{where}-{kind}", storage_type=kind) for kind in KINDS]


def shown(where: str) -> html.Div:
    """How often it was looked, and where a value is found: ``"1: memory session session_brain"``."""
    return html.Div(id=f"{where}-shown")


app = Dash(use_pages=True, pages_folder="", suppress_callback_exceptions=True)
app.layout = [
    html.Button("fill", id="fill"),
    html.Button("look", id="look"),
    dcc.Link("to the first", href="/", id="to-first"),
    dcc.Link("to the second", href="/second", id="to-second"),
    *stores("beside"),
    shown("beside"),
    dash.page_container,
]
dash.register_page("first", path="/", layout=html.Div([*stores("within"), shown("within")]))
dash.register_page("second", path="/second", layout=html.Div("the second page", id="second"))
server = app.server


@brain_callback(
    [Output(f"{where}-{kind}", "data") for where in ("beside", "within") for kind in KINDS],
    Input("fill", "n_clicks"),
    prevent_initial_call=True,
)
def fill(clicks: int) -> list[dict[str, int]]:
    session_brain["filled"] = clicks
    return [{"filled": clicks}] * 2 * len(KINDS)


def show(where: str) -> None:
    inputs = [Input(f"{where}-{kind}", "data") for kind in KINDS]

    @brain_callback(Output(f"{where}-shown", "children"), Input("look", "n_clicks"), *inputs)
    def which(looks: int | None, *values: dict[str, int] | None) -> str:
        found = dict(zip(KINDS, values, strict=True)) | {"session_brain": session_brain.get("filled")}
        return " ".join([f"{looks or 0}:", *[kept for kept, value in found.items() if value]])


show("beside")
show("within")
