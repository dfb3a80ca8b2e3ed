"""The flights page in plain Dash: the selection goes down as JSON once, and up again six times."""

from functools import cache
from io import StringIO

import flights_views as views
import pandas as pd
from dash import Dash, Input, Output, callback, dcc
from flights_data import FILTERS, choose, read_flights, sort_page
from theme import INDEX

app = Dash(__name__, assets_folder="../assets", title="Flights (plain Dash)", index_string=INDEX)
app.layout = [
    *views.layout(
        "Filter, or click an airline, a destination or an hour, and be patient: your selection travels to "
        "the browser as JSON, and back to the server for each of the six views."
    ),
    dcc.Store(id="selection"),
]
views.link_clicks(app)


@cache
def all_flights():
    return read_flights()  # once in each worker


def from_json(text):
    return pd.read_json(StringIO(text), orient="split").astype({"date": "datetime64[ms]"})


@callback(Output("selection", "data"), {name: Input(name, "value") for name in FILTERS})
def select(**filters):
    return choose(all_flights(), **filters).to_json(orient="split", date_format="iso", index=False)


@callback(Output("numbers", "children"), Output("wire-note", "children"), Input("selection", "data"))
def show_numbers(selection):
    return views.numbers(from_json(selection)), "measured in this browser"


@callback(Output("routes", "figure"), Input("selection", "data"))
def show_routes(selection):
    return views.routes(from_json(selection))


@callback(Output("airlines", "figure"), Input("selection", "data"))
def show_airlines(selection):
    return views.airlines(from_json(selection))


@callback(Output("hours", "figure"), Input("selection", "data"))
def show_hours(selection):
    return views.hours(from_json(selection))


@callback(Output("days", "figure"), Input("selection", "data"))
def show_days(selection):
    return views.days(from_json(selection))


@callback(
    Output("table", "data"),
    Output("table", "page_count"),
    Input("selection", "data"),
    Input("table", "page_current"),
    Input("table", "page_size"),
    Input("table", "sort_by"),
)
def show_page(selection, page, size, sort_by):
    flights = from_json(selection)
    return views.rows(sort_page(flights, page, size, sort_by)), -(-len(flights) // size)


if __name__ == "__main__":
    app.run()
