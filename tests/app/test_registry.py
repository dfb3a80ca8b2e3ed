"""The ids of ServerStores: known to all workers of an app, and to no other app."""

from __future__ import annotations

import dash
import pytest
from dash import Input, Output, dash_table, dcc, html

from dash_brain import ServerStore, brain_callback
from dash_brain.exchange import _registry


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
    from dash_brain.settings import current

    store = current.use().store
    for namespace in list(store.namespaces("registry")):
        store.drop(namespace)
    other_worker()
    assert is_token(page.fire("a.data")["a"]["data"])


def test_an_id_with_two_meanings_lets_nothing_out(open_page):
    app = dash.Dash("test")
    app.layout = html.Div([dcc.Input(id="n", value=1)])
    app.validation_layout = html.Div([app.layout, ServerStore(id="s"), html.Div([dcc.Store(id="s")])])

    @brain_callback(Output("s", "data"), Input("n", "value"))
    def put(n):
        return {"n": n}

    assert is_token(open_page(app).fire("s.data")["s"]["data"])
