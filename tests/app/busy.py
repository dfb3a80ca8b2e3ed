"""An app whose pages trigger fast, change their parts, and go back and forth: ``tests.app.busy:server``."""

from __future__ import annotations

import os
import time

from dash import ALL, Dash, Input, Output, State, ctx, dash_table, dcc, html

from dash_brain import ServerStore, brain_callback

ROWS = [{"fruit": name, "chosen": ""} for name in ("apples", "oranges", "figs")]

app = Dash("busy", backend=os.environ.get("BACKEND") or "flask", suppress_callback_exceptions=True)
server = app.server
app.layout = [
    dcc.Location(id="url", refresh=False),
    dcc.Link("one", id="to-one", href="/one"),
    dcc.Link("two", id="to-two", href="/two"),
    ServerStore(id="visits"),
    html.Div(id="page"),
    dcc.Input(id="n", type="number"),
    ServerStore(id="newest"),
    html.Div(id="newest-text"),
    html.Button("ask", id="ask"),
    html.Div(id="asked"),
    html.Button("toggle", id="toggle"),
    html.Div(id="parts"),
    html.Div(id="parts-text"),
    ServerStore(id="chosen"),
    dash_table.DataTable(
        ROWS, [{"id": name, "name": name} for name in ROWS[0]], id="table", row_selectable="multi"
    ),
    dcc.Input(id="degrees", type="number", value=0),
    ServerStore(id="kelvin"),
    html.Div(id="kelvin-text"),
]


# -- many triggers: the last one wins -------------------------------------------------------------------


@brain_callback(Output("newest", "data"), Input("n", "value"), prevent_initial_call=True)
def keep(n):
    time.sleep(0.05 if n % 7 == 0 else 0)  # so that some are overtaken
    return {"n": n, "rows": list(range(n))}


@brain_callback(Output("newest-text", "children"), Input("newest", "data"))
def show(newest):
    return newest and f"{newest['n']} {len(newest['rows'])}"


@brain_callback(
    Output("asked", "children"), Input("ask", "n_clicks"), State("newest", "data"), prevent_initial_call=True
)
def ask(clicks, newest):
    return f"{clicks}: {newest['n']}"


# -- stores that come and go ----------------------------------------------------------------------------


@brain_callback(Output("parts", "children"), Input("toggle", "n_clicks"), prevent_initial_call=True)
def toggle(clicks):
    return [ServerStore(id={"part": n}, data={"part": n, "of": clicks}) for n in range(3 * (clicks % 2))]


@brain_callback(Output("parts-text", "children"), Input({"part": ALL}, "data"))
def show_parts(parts):
    return str([part and (part["part"], part["of"]) for part in parts])


# -- circles: what a callback writes is what it follows -------------------------------------------------


@brain_callback(
    Output("table", "data"),
    Output("table", "selected_rows"),
    Output("chosen", "data"),
    Input("table", "data"),
    Input("table", "selected_rows"),
    Input("chosen", "data"),
)
def follow(rows, selected, chosen):
    names = [rows[number]["fruit"] for number in selected or []]
    if ctx.triggered_id == "chosen" and chosen is not None:
        names = chosen["names"]
    marked = [{**row, "chosen": "yes" if row["fruit"] in names else ""} for row in rows]
    marked.sort(key=lambda row: row["chosen"], reverse=True)
    return marked, list(range(len(names))), {"names": names}


@brain_callback(
    Output("degrees", "value"),
    Output("kelvin", "data"),
    Output("kelvin-text", "children"),
    Input("degrees", "value"),
    Input("kelvin", "data"),
)
def convert(degrees, kelvin):
    if ctx.triggered_id == "kelvin":
        degrees = kelvin["value"] - 273
    return degrees, {"value": degrees + 273}, f"{degrees} C is {degrees + 273} K"


# -- back and forth -------------------------------------------------------------------------------------


@brain_callback(
    Output("page", "children"), Output("visits", "data"), Input("url", "pathname"), State("visits", "data")
)
def turn(path, visits):
    visits = [*(visits or []), path]
    return f"page {path}, after {len(visits)} of them", visits
