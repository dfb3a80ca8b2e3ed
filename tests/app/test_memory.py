"""What a callback was given goes with its request, also where Dash runs it in a coroutine."""

from __future__ import annotations

import gc
import weakref

import dash
import pandas as pd
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback


@pytest.mark.parametrize("ends", ["well", "badly"])
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_the_values_of_a_callback_go_with_its_request(open_page, kind, ends):
    app = dash.Dash("test")
    app.layout = html.Div([dcc.Input(id="n", value=2), ServerStore(id="a"), html.Div(id="out")])
    app.server.logger.disabled = True  # its records are kept by pytest, and with them all that failed
    given = []

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def make(n):
        return pd.DataFrame({"x": range(n * 100_000)})

    def look(frame):
        given.append(weakref.ref(frame))
        return len(frame) // (ends == "well")

    async def look_later(frame):
        return look(frame)

    brain_callback(Output("out", "children"), Input("a", "data"))(look if kind == "plain" else look_later)
    page = open_page(app)
    page.fire("a.data")
    assert page.post("out.children").status_code == (200 if ends == "well" else 500)
    gc.collect()
    assert given[0]() is None
