"""An app, with what ``test_app.py`` beside it tests: values, sessions, results that are kept, and errors."""

import pandas as pd
from dash import Dash, Input, Output, State, dcc, html

from dash_brain import Memoize, ServerStore, brain_callback, session_brain
from dash_brain.errors import StoreUnavailable, ValueMissing


def say(error: Exception) -> str:
    """What the page shows in place of the number of orders."""
    if isinstance(error, ValueMissing):
        return "Load the orders again."
    if isinstance(error, StoreUnavailable):
        return "Try again in a minute."
    raise error


app = Dash(__name__)
app.layout = [
    dcc.Input(id="n", type="number", value=3),
    ServerStore(id="orders"),
    html.Div(id="count"),
    html.Button("Add to the cart", id="add"),
    html.Div(id="cart"),
]


@brain_callback(Output("orders", "data"), Input("n", "value"), memoize=Memoize("app", ttl=3600))
def load(n):
    return pd.DataFrame({"order": range(n)})


@brain_callback(Output("count", "children"), Input("orders", "data"), on_error=say)
def count(orders):
    return f"{len(orders)} orders"


@brain_callback(Output("cart", "children"), Input("add", "n_clicks"), State("n", "value"))
def add(clicks, n):
    session_brain["cart"] = [*session_brain.get("cart", []), n]
    return f"{len(session_brain['cart'])} in the cart"


if __name__ == "__main__":
    app.run()
