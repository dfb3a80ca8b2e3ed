"""Libraries of components, logins and dashboards beside ServerStores."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import dash_ag_grid as dag
import dash_auth
import dash_mantine_components as dmc
import flask
import pandas as pd
import pytest
import vizro.models as vm
from dash import Dash, Input, Output, State, dcc, html
from vizro import Vizro

from dash_brain import ServerStore, brain_callback, configure, session_brain
from tests.redis import KEY

FRAME = pd.DataFrame({"city": ["Rome", "Oslo", "Bonn"], "year": [1, 2, 3]})


def load(app: Dash) -> None:
    """Have a store filled."""

    @brain_callback(Output("orders", "data"), Input("n", "value"), app=app)
    def load(n):
        return FRAME.head(n)


def test_a_grid_gets_rows_and_the_rows_that_it_asks_for(open_page):
    app = Dash("grid")
    app.layout = [dcc.Input(id="n", value=2), ServerStore(id="orders"), dag.AgGrid(id="grid")]
    load(app)

    @brain_callback(Output("grid", "rowData"), Input("orders", "data"), app=app)
    def show(orders):
        return orders.to_dict("records")

    @brain_callback(
        Output("grid", "getRowsResponse"), Input("grid", "getRowsRequest"), State("orders", "data"), app=app
    )
    def rows(request, orders):
        part = orders.iloc[request["startRow"] : request["endRow"]]
        return {"rowData": part.to_dict("records"), "rowCount": len(orders)}

    page = open_page(app)
    assert page.fire("orders.data")["orders"]["data"].startswith("db1.")
    assert [row["city"] for row in page.fire("grid.rowData")["grid"]["rowData"]] == ["Rome", "Oslo"]
    page.props["grid"]["getRowsRequest"] = {"startRow": 1, "endRow": 2}
    answer = page.fire("grid.getRowsResponse")["grid"]["getRowsResponse"]
    assert answer == {"rowData": [{"city": "Oslo", "year": 2}], "rowCount": 2}


def test_data_of_other_components_stays_what_it_is(open_page):
    app = Dash("mantine")
    app.layout = dmc.MantineProvider(
        [dcc.Input(id="n", value=2), ServerStore(id="orders"), dmc.Select(id="city"), html.Div(id="made")]
    )
    load(app)

    @brain_callback(Output("city", "data"), Input("orders", "data"), app=app)
    def choices(orders):
        return list(orders["city"])

    @brain_callback(Output("made", "children"), Input("orders", "data"), app=app)
    def make(orders):
        return dmc.BarChart(id="bars", data=orders.to_dict("records"), dataKey="city", series=[])

    @brain_callback(Output("bars", "data"), Input("n", "value"), State("orders", "data"), app=app)
    def bars(n, orders):
        return orders.tail(1).to_dict("records")

    page = open_page(app)
    page.fire("orders.data")
    assert page.fire("city.data") == {"city": {"data": ["Rome", "Oslo"]}}
    page.fire("made.children")
    assert page.fire("bars.data") == {"bars": {"data": [{"city": "Oslo", "year": 2}]}}


class Authorized:
    """Makes clients of a server that log in with each request."""

    wsgi_app = None

    def __init__(self, server: flask.Flask, user: str) -> None:
        self._server = server
        self._authorization = base64.b64encode(f"{user}:secret".encode()).decode()

    def test_client(self) -> Any:
        client = self._server.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Basic {self._authorization}"
        return client


def test_users_of_dash_auth_are_principals(open_page):
    app = Dash("auth")
    app.layout = [dcc.Input(id="n", value=2), ServerStore(id="orders"), html.Div(id="count")]
    dash_auth.BasicAuth(app, {"ann": "secret", "bob": "secret"}, secret_key=KEY)
    configure(principal=lambda: flask.session.get("user", {}).get("email"))
    load(app)

    @brain_callback(Output("count", "children"), Input("orders", "data"), app=app)
    def count(orders):
        session_brain["count"] = session_brain.get("count", 0) + 1
        return session_brain["count"]

    def page(user: str, like: Any = None) -> Any:
        served: Any = SimpleNamespace(server=Authorized(app.server, user), config=app.config)
        return open_page(served, like=like)

    assert app.server.test_client().get("/").status_code == 401
    ann = page("ann")
    ann.fire("orders.data")
    assert [ann.fire("count.children")["count"]["children"] for _ in range(2)] == [1, 2]
    bob = page("bob", like=ann)  # in the same browser
    bob.props["orders"] = ann.props["orders"]
    assert bob.post("count.children").status_code == 500
    bob.fire("orders.data")
    assert bob.fire("count.children")["count"]["children"] == 1


@pytest.mark.filterwarnings("default")  # of what Vizro imports
def test_a_dashboard_of_vizro_has_stores(open_page):
    page = vm.Page(title="orders", components=[vm.Card(text="orders")])
    dashboard = Vizro().build(vm.Dashboard(pages=[page]))
    app = dashboard.dash
    around = app.layout
    app.layout = lambda: html.Div(
        [
            around() if callable(around) else around,
            dcc.Input(id="n", value=2),
            ServerStore(id="orders"),
            html.Div(id="out"),
        ]
    )
    load(app)

    @brain_callback(Output("out", "children"), Input("orders", "data"), app=app)
    def show(orders):
        return len(orders)

    shown = open_page(app)
    assert shown.fire("orders.data")["orders"]["data"].startswith("db1.")
    assert shown.fire("out.children") == {"out": {"children": 2}}
