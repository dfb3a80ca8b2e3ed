"""336,776 flights: each session's selection of them stays on the server, and six callbacks draw it."""

import flights_views as views
from backend import BACKEND
from dash import Dash, Input, Output
from flights_data import FILTERS, choose, read_flights, sort_page
from theme import INDEX

from dash_brain import Brain, ServerStore, brain_callback

PLAIN_BYTES = 7 * 109.4  # for each flight, as plain/flights.py moved them: down once, up six times

brain = Brain("flights")
app = Dash(__name__, title="Flights", backend=BACKEND, index_string=INDEX)
app.layout = [
    *views.layout(
        "Filter, or click an airline, a destination or an hour. Your selection is a DataFrame in a "
        "ServerStore: the browser holds its token, and every view gets the frame itself."
    ),
    ServerStore(id="selection"),
]
views.link_clicks(app)


@brain_callback(Output("selection", "data"), {name: Input(name, "value") for name in FILTERS})
def select(**filters):
    flights = brain.get_or_learn("2013", read_flights)  # read once, for all workers
    return choose(flights, **filters)


@brain_callback(Output("numbers", "children"), Output("wire-note", "children"), Input("selection", "data"))
def show_numbers(flights):
    return views.numbers(flights), f"plain Dash moves {len(flights) * PLAIN_BYTES / 1e6:.3g} MB"


@brain_callback(Output("routes", "figure"), Input("selection", "data"))
def show_routes(flights):
    return views.routes(flights)


@brain_callback(Output("airlines", "figure"), Input("selection", "data"))
def show_airlines(flights):
    return views.airlines(flights)


@brain_callback(Output("hours", "figure"), Input("selection", "data"))
def show_hours(flights):
    return views.hours(flights)


@brain_callback(Output("days", "figure"), Input("selection", "data"))
def show_days(flights):
    return views.days(flights)


@brain_callback(
    Output("table", "data"),
    Output("table", "page_count"),
    Input("selection", "data"),
    Input("table", "page_current"),
    Input("table", "page_size"),
    Input("table", "sort_by"),
)
def show_page(flights, page, size, sort_by):
    return views.rows(sort_page(flights, page, size, sort_by)), -(-len(flights) // size)


if __name__ == "__main__":
    app.run()
