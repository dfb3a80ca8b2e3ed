"""What a session stores in callbacks keeps within its quota, and a token of what went says what happened."""

from __future__ import annotations

import dash
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, configure, session_brain
from dash_brain.errors import StoreFull
from dash_brain.settings import current


@pytest.fixture
def app():
    app = dash.Dash("test")
    stores = [ServerStore(id="first"), ServerStore(id="second"), ServerStore(id="huge")]
    app.layout = html.Div([dcc.Input(id="n", value=1), html.Div(id="names"), html.Div(id="out"), *stores])

    for store, size in (("first", 300_000), ("second", 350_000), ("huge", 2_000_000)):

        @brain_callback(Output(store, "data"), Input("n", "value"))
        def make(n, size=size):
            return bytes(size)

    @brain_callback(Output("out", "children"), Input("first", "data"), on_missing=lambda error: error)
    def show(first):
        return f"{first.reason}: {first}" if isinstance(first, Exception) else len(first)

    @dash.callback(Output("names", "children"), Input("n", "value"))
    def keep(n):
        session_brain["kept"] = bytes(350_000)
        return "kept"

    return app


def test_session_makes_room_among_what_it_stored_itself(app, open_page):
    configure(session_quota="1MB")
    mine, yours = open_page(app), open_page(app)
    for page in (yours, mine):
        page.fire("first.data")
        assert page.fire("out.children")["out"]["children"] == 300_000
    mine.fire("second.data")
    mine.fire("names.children")
    text = mine.fire("out.children")["out"]["children"]
    assert text.startswith("evicted: The value of ServerStore 'first' is gone: it was evicted")
    assert "session_quota" in text
    assert mine.props["first"]["data"].split(".")[2][1:] not in text
    assert yours.fire("out.children")["out"]["children"] == 300_000


def test_value_beyond_the_quota_is_an_error_that_names_it(app, open_page):
    configure(session_quota=1_000_000)
    app.server.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(StoreFull, match=r"configure\(session_quota=\.\.\.\)"):
        open_page(app).post("huge.data")


def test_every_session_has_a_quota_though_nobody_set_one():
    assert current.use().quota >= 256_000_000
