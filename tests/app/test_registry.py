"""The ids of ServerStores: known to all workers of an app, and to no other app."""

from __future__ import annotations

import dash
import flask
import pytest
from dash import ALL, Input, Output, dash_table, dcc, html

from dash_brain import ServerStore, brain_callback, session_brain, set_props
from dash_brain.errors import StoreUnavailable
from dash_brain.settings import current
from dash_brain.web.component_registry import _registry
from tests.app.asgi import client_of


def other_worker() -> None:
    """Forget what this process learned by itself: another worker knows only what lies in the store."""
    _registry.cache_clear()


def is_token(value):
    return isinstance(value, str) and value.startswith("db1.")


def test_a_worker_that_never_built_the_page_knows_its_stores(open_page):
    app = dash.Dash("test", suppress_callback_exceptions=True)
    app.layout = lambda: html.Div([ServerStore(id="late"), dcc.Input(id="n", value=1)])

    @brain_callback(Output("late", "data"), Input("n", "value"))
    def put(n):
        return {n}

    page = open_page(app)
    app.layout = lambda: html.Div("the worker that runs the callback does not build it")
    other_worker()
    assert is_token(page.fire("late.data")["late"]["data"])


def test_a_store_that_a_callback_sends_is_known(open_page):
    app = dash.Dash("test", suppress_callback_exceptions=True)
    app.layout = lambda: html.Div([html.Div(id="content"), dcc.Input(id="n", value=1)])

    @dash.callback(Output("content", "children"), Input("n", "value"))
    def build(n):
        return [ServerStore(id="inner", data=FIRST), html.Div(id="out")]

    @brain_callback(Output("inner", "data"), Input("n", "title"))
    def put(title):
        return {2}

    @brain_callback(Output("out", "children"), Input("inner", "data"))
    def show(value):
        return repr(value)

    page = open_page(app)
    page.fire("content.children")
    other_worker()
    assert page.fire("out.children")["out"]["children"] == "{1}"
    assert is_token(page.fire("inner.data")["inner"]["data"])


FIRST = {1}


def test_pages_work_with_suppressed_exceptions(open_page, monkeypatch):
    monkeypatch.setattr(dash.page_registry, "clear", dash.page_registry.clear)
    app = dash.Dash("test", use_pages=True, pages_folder="", suppress_callback_exceptions=True)
    dash.register_page(
        "orders", path="/", layout=lambda: html.Div([ServerStore(id="paged"), html.Div(id="go")])
    )

    @brain_callback(Output("paged", "data"), Input("go", "id"))
    def put(_):
        return {1}

    page = open_page(app)
    spec = next(one for one in page.dependencies if "_pages_content" in one["output"])
    page.props.setdefault("_pages_location", {}).update(pathname="/", search="")
    page.fire(spec["output"], trigger="_pages_location.pathname")
    assert "paged" in page.props
    other_worker()
    assert is_token(page.fire("paged.data")["paged"]["data"])
    dash.page_registry.clear()


@pytest.mark.filterwarnings("ignore:\\s*The dash_table.DataTable")
def test_the_same_id_is_a_table_in_another_app_of_the_process(open_page):
    one = dash.Dash("test", url_base_pathname="/one/")
    one.layout = html.Div([ServerStore(id="rows"), dcc.Input(id="n", value=1)])
    # Without a layout to validate, only the registry can tell.
    two = dash.Dash("test", url_base_pathname="/two/", server=one.server, suppress_callback_exceptions=True)
    two.layout = lambda: html.Div([dash_table.DataTable(id="rows"), dcc.Input(id="n", value=1)])
    for app in (one, two):

        @brain_callback(Output("rows", "data"), Input("n", "value"), app=app)
        def put(n):
            return [{"a": n}]

    stored, table = open_page(one), open_page(two)
    assert is_token(stored.fire("rows.data")["rows"]["data"])
    assert table.fire("rows.data")["rows"]["data"] == [{"a": 1}]


def test_a_layout_that_is_there_outweighs_an_older_entry(open_page):
    def build(component):
        app = dash.Dash("test")
        app.layout = html.Div([component, dcc.Input(id="n", value=1)])

        @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
        def put(n):
            return [{"a": n}]

        return app

    assert is_token(open_page(build(ServerStore(id="a"))).fire("a.data")["a"]["data"])
    other_worker()
    assert open_page(build(dcc.Store(id="a"))).fire("a.data")["a"]["data"] == [{"a": 1}]


def test_a_static_layout_survives_the_loss_of_the_store(open_page):
    app = dash.Dash("test")
    app.layout = html.Div([ServerStore(id="a"), dcc.Input(id="n", value=1)])

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        return {n}

    page = open_page(app)
    lose_the_store()
    assert is_token(page.fire("a.data")["a"]["data"])


def test_an_id_with_two_meanings_lets_nothing_out(open_page):
    app = dash.Dash("test")
    app.layout = html.Div([dcc.Input(id="n", value=1)])
    app.validation_layout = html.Div([app.layout, ServerStore(id="s"), html.Div([dcc.Store(id="s")])])

    @brain_callback(Output("s", "data"), Input("n", "value"))
    def put(n):
        return {"n": n}

    assert is_token(open_page(app).fire("s.data")["s"]["data"])


def lose_the_store() -> None:
    """Remove what the store knows of ids, as when it was made anew or idle for long."""
    store = current.use().store
    for namespace in list(store.namespaces("registry")):
        store.drop(namespace)
    other_worker()


def early(layout, **options):
    """An app that no page has been served of yet, with a callback in and one out."""
    app = dash.Dash("early", suppress_callback_exceptions=True, **options)
    app.layout = layout
    got = []

    @brain_callback(Output("orders", "data"), Input("i", "value"), app=app)
    def load(value):
        return {"secret": value}

    @brain_callback(Output("text", "children"), Input("orders", "data"), app=app)
    def show(orders):
        got.append(orders)

    return app, got


def attack(app):
    """Post before any layout was served, with the cookie of the index page."""
    client = client_of(app.server)
    client.get("/")

    def post(output, inputs):
        name, prop = output.split(".")
        body = {"output": output, "outputs": {"id": name, "property": prop}, "inputs": inputs, "state": []}
        return client.post("/_dash-update-component", json=body)

    return post


def fails():
    raise RuntimeError("This layout needs somebody who asks.")


@pytest.mark.parametrize(
    "layout",
    [
        lambda: [ServerStore(id="orders")],
        lambda: html.Div(ServerStore(id="orders")),
        lambda: html.Div() if flask.has_request_context() else fails(),
        lambda: html.Div(flask.request.path),
        lambda: html.Div(session_brain.get("a")),
        html.Div(),
        None,
    ],
)
def test_an_id_of_which_nothing_is_known_is_a_server_stores(layout):
    app, got = early(layout or html.Div())
    post = attack(app)
    for _ in range(2):
        answer = post("orders.data", [{"id": "i", "property": "value", "value": "s3cret"}])
        assert is_token(answer.json["response"]["orders"]["data"])
        forged = {"id": "orders", "property": "data", "value": {"role": "admin"}}
        assert post("text.children", [forged]).status_code == 500
        lose_the_store()
    assert got == []


@pytest.mark.filterwarnings("ignore:\\s*The dash_table.DataTable")
@pytest.mark.parametrize(
    "layout",
    [
        lambda: html.Div(dash_table.DataTable(id="orders")),
        html.Div(dcc.Store(id="orders")),
        lambda: html.Div([dcc.Store(id="orders"), flask.current_app.name, dash.get_app().title]),
    ],
)
def test_another_component_of_a_layout_is_known_before_it_is_served(layout):
    app, _ = early(layout)
    answer = attack(app)("orders.data", [{"id": "i", "property": "value", "value": 1}])
    assert answer.json["response"]["orders"]["data"] == {"secret": 1}


@pytest.mark.filterwarnings("ignore:\\s*The dash_table.DataTable")
def test_pages_are_known_before_they_are_served():
    async def asynchronous():
        return html.Div(dash_table.DataTable(id="orders"))

    dash.page_registry.clear()
    app, _ = early(lambda: dash.page_container, use_pages=True, pages_folder="")
    dash.register_page("failing", path="/failing", layout=fails)
    dash.register_page("needing", path="/needing", layout=lambda name: html.Div(name))
    dash.register_page("asynchronous", path="/", layout=asynchronous)
    try:
        answer = attack(app)("orders.data", [{"id": "i", "property": "value", "value": 1}])
    finally:
        dash.page_registry.clear()
    assert answer.json["response"]["orders"]["data"] == {"secret": 1}


def test_layout_functions_are_called_once_and_in_no_request():
    calls = []

    def layout():
        calls.append(flask.has_request_context())
        return html.Div(ServerStore(id="orders"))

    app, _ = early(layout)
    post = attack(app)
    for _ in range(3):
        post("orders.data", [{"id": "i", "property": "value", "value": 1}])
    assert calls == [True, False]  # the first is Dash's own, for validation


@pytest.mark.filterwarnings("ignore:\\s*The dash_table.DataTable")
def test_a_table_that_a_callback_builds_is_known_to_all_workers_and_after_a_loss(open_page):
    app = dash.Dash("dynamic", suppress_callback_exceptions=True)
    app.layout = lambda: html.Div([html.Div(id="content"), dcc.Input(id="n", value=1)])

    @app.callback(Output("content", "children"), Input("n", "value"))
    def build(n):
        return [dash_table.DataTable(id="table", data=[]), dash_table.DataTable(id={"table": 1}, data=[])]

    @brain_callback(Output("table", "data"), Output({"table": ALL}, "data"), Input("n", "title"), app=app)
    def fill(title):
        return [{"a": 1}], [[{"b": 2}]]

    @brain_callback(Input("n", "lang"), app=app)
    def props(lang):
        set_props("table", {"data": [{"c": 3}]})

    page = open_page(app)
    page.fire("content.children")
    for forget in (lambda: None, other_worker, lose_the_store):
        forget()
        if forget is lose_the_store:
            page.fire("content.children")
        changes = page.fire("table.data")
        assert changes["table"]["data"] == [{"a": 1}]
        assert changes['{"table":1}']["data"] == [{"b": 2}]


def test_a_store_is_one_at_once_when_another_worker_sends_it(open_page):
    app, _ = early(lambda: html.Div(id="content"))

    @app.callback(Output("content", "children"), Input("n", "value"))
    def build(n):
        return ServerStore(id="orders")

    page = open_page(app)
    page.fire("orders.data")
    page.fire("content.children")
    lose_the_store()
    assert is_token(page.fire("orders.data")["orders"]["data"])


def test_an_app_that_uses_nothing_of_ours_keeps_no_store_waiting(open_page, monkeypatch):
    """Its components are sent though the store fails."""
    app = dash.Dash("other")
    app.layout = html.Div([dcc.Store(id="plain", data=[1]), html.Div(id="content"), dcc.Input(id="n")])

    @app.callback(Output("content", "children"), Input("n", "value"))
    def build(n):
        return dcc.Store(id="late", data=[n])

    page = open_page(app)
    store = current.use().store
    monkeypatch.setattr(type(store), "touch", lambda *args, **options: fail_as_store())
    page.fire("content.children")
    assert page.props["late"]["data"] == [None]


def fail_as_store():
    raise StoreUnavailable("It is down.")
