"""``DashProxy`` of dash-extensions and its transforms, with ServerStores beside what they do."""

from __future__ import annotations

import sys

import pandas as pd
import pytest
from dash import Input, Output, State, dcc, html

from dash_brain import Memoize, ServerStore, brain_callback
from dash_brain.errors import WiringError
from tests.app.memoized import objects
from tests.backends import ASGI

if sys.version_info < (3, 11):
    pytest.skip("dash-extensions needs Python 3.11", allow_module_level=True)

from dash_extensions.enrich import (
    BlockingCallbackTransform,
    CycleBreakerInput,
    CycleBreakerTransform,
    Dash,
    DashBlueprint,
    DashProxy,
    FileSystemBackend,
    MultiplexerTransform,
    PrefixIdTransform,
    Serverside,
    ServersideOutputTransform,
    Trigger,
    TriggerTransform,
)

CALLS = []


@pytest.fixture(autouse=True)
def _fresh():
    CALLS.clear()


def layout():
    return html.Div(
        [
            ServerStore(id="a"),
            ServerStore(id="b"),
            dcc.Store(id="theirs"),
            dcc.Input(id="n", value=3),
            html.Button(id="go", n_clicks=1),
            html.Div(id="out"),
        ]
    )


@pytest.fixture
def proxy(tmp_path):
    def make(*transforms):
        app = DashProxy("proxy", transforms=list(transforms))
        app.layout = layout()
        return app

    return make


@pytest.fixture
def serverside(tmp_path):
    return ServersideOutputTransform(backends=[FileSystemBackend(str(tmp_path / "theirs"))])


def frames(app, **options):
    @brain_callback(Output("a", "data"), Input("n", "value"), app=app, **options)
    def load(n):
        CALLS.append(n)
        return pd.DataFrame({"n": range(n)})

    @brain_callback(Output("out", "children"), Input("a", "data"), State("n", "value"), app=app)
    def show(a: pd.DataFrame, n: int):
        return f"{type(a).__name__} {len(a)} {n}"

    return load


def test_values_stay_on_the_server_with_every_transform(proxy, serverside, open_page):
    for transforms in ((), (TriggerTransform(), MultiplexerTransform(), serverside)):
        app = proxy(*transforms)
        load = frames(app)
        page = open_page(app)
        token = page.fire("a.data")["a"]["data"]
        assert token.startswith("db1.")
        assert page.fire("out.children") == {"out": {"children": "DataFrame 3 3"}}
        assert len(load(2)) == 2


@pytest.mark.parametrize("backend", ASGI)
def test_values_stay_on_the_server_with_an_asgi_server(open_page, backend):
    app = DashProxy("proxy", backend=backend)
    if backend == "fastapi":
        app.server.secret_key = "of a test"  # without it dash-extensions 2.0 answers each request with 500
    app.layout = layout()
    frames(app)
    page = open_page(app)
    assert page.fire("a.data")["a"]["data"].startswith("db1.")
    assert page.fire("out.children") == {"out": {"children": "DataFrame 3 3"}}


def test_their_stores_and_ours_meet_in_one_callback(proxy, serverside, open_page):
    app = proxy(serverside)
    frames(app)

    @app.callback(Output("theirs", "data"), Input("n", "value"))
    def keep_theirs(n):
        return Serverside({"n": n})

    @brain_callback(
        Output("b", "data"),
        Output("theirs", "modified_timestamp"),
        Input("theirs", "data"),
        Input("a", "data"),
        app=app,
    )
    def both(theirs, a):
        return {"theirs": theirs["n"], "ours": len(a)}, Serverside(1)

    @brain_callback(Output("out", "title"), Input("b", "data"), app=app)
    def show_both(b):
        return str(b)

    page = open_page(app)
    page.fire("a.data")
    assert page.fire("theirs.data")["theirs"]["data"].startswith("SERVERSIDE_")
    answer = page.fire("b.data")
    assert answer["b"]["data"].startswith("db1.")
    assert answer["theirs"]["modified_timestamp"].startswith("SERVERSIDE_")
    assert page.fire("out.title") == {"out": {"title": "{'theirs': 3, 'ours': 3}"}}


def test_triggers_are_no_arguments(proxy, open_page):
    app = proxy(TriggerTransform())
    frames(app)

    @brain_callback(Output("out", "title"), Trigger("go", "n_clicks"), Input("a", "data"), app=app)
    def show(a):
        return len(a)

    page = open_page(app)
    page.fire("a.data")
    assert page.fire("out.title") == {"out": {"title": 3}}


def test_blocking_callbacks_with_a_store_among_their_outputs(proxy, open_page, caplog):
    app = proxy(BlockingCallbackTransform())
    frames(app)

    @brain_callback(Output("b", "data"), Input("a", "data"), app=app, blocking=True)
    def slow(a):
        return len(a)

    page = open_page(app)
    page.fire("a.data")
    assert page.fire("b.data")["b"]["data"].startswith("db1.")
    assert not [record for record in caplog.records if record.event == "wiring"]


def test_all_transforms_together(open_page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # its transforms keep values in a folder of the working directory
    app = Dash("batteries")
    app.layout = layout()
    frames(app)
    page = open_page(app)
    page.fire("a.data")
    assert page.fire("out.children") == {"out": {"children": "DataFrame 3 3"}}


@pytest.mark.parametrize("scope", ["app", "session"])
def test_memoized_callbacks_compute_once_and_forget(proxy, serverside, open_page, scope):
    app = proxy(serverside)
    load = frames(app, memoize=Memoize(scope))

    @brain_callback(Output("out", "title"), Input("go", "n_clicks"), app=app)
    def forget(_):
        load.forget(3)
        return load.info().size

    page = open_page(app)
    tokens = {page.fire("a.data")["a"]["data"] for _ in range(3)}
    assert len(tokens) == 1
    assert CALLS == [3]
    assert objects("memo" if scope == "app" else "session-memo")
    assert page.fire("out.title") == {"out": {"title": 0}}
    page.fire("a.data")
    assert CALLS == [3, 3]


def test_coroutine_functions(proxy, open_page):
    app = proxy(TriggerTransform())

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    async def load(n):
        return {n}

    page = open_page(app)
    assert page.fire("a.data")["a"]["data"].startswith("db1.")


@pytest.mark.parametrize("output", [Output("a", "data"), Output("out", "children")])
def test_a_coroutine_function_that_a_transform_calls_as_a_plain_one_says_so(proxy, open_page, output):
    app, told = proxy(TriggerTransform()), []

    @brain_callback(output, Trigger("go", "n_clicks"), app=app, on_error=told.append)
    async def load():
        return [1]

    open_page(app).fire(str(output))
    assert isinstance(told[0], WiringError)
    assert "coroutine" in str(told[0])


def test_an_input_that_breaks_a_cycle_gets_the_value(proxy, open_page, caplog):
    app = proxy(CycleBreakerTransform())

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def load(n):
        return pd.DataFrame({"n": range(n)})

    @brain_callback(
        Output("out", "children"),
        CycleBreakerInput("a", "data"),
        CycleBreakerInput("theirs", "data"),
        CycleBreakerInput("n", "value"),
        app=app,
        on_error=lambda error: type(error).__name__,
    )
    def show(a, theirs, n):
        return f"{type(a).__name__} {theirs} {n}"

    page = open_page(app)
    page.props["a_data_breaker"]["dst"] = page.fire("a.data")["a"]["data"]
    page.props["theirs_data_breaker"]["dst"] = [7]
    page.props["n_value_breaker"]["dst"] = 3
    assert page.fire("out.children") == {"out": {"children": "DataFrame [7] 3"}}
    page.props["a_data_breaker"]["dst"] = [1]
    assert page.fire("out.children") == {"out": {"children": "BadToken"}}
    assert not [record for record in caplog.records if record.event == "wiring"]


def test_a_blueprint_with_a_prefix(proxy, open_page):
    blueprint = DashBlueprint(transforms=[PrefixIdTransform("part")])
    blueprint.layout = layout()
    frames(blueprint)
    app = proxy()
    app.layout = html.Div([blueprint.embed(app)])
    page = open_page(app)
    assert page.fire("part-a.data")["part-a"]["data"].startswith("db1.")
    assert page.fire("part-out.children") == {"part-out": {"children": "DataFrame 3 3"}}


def test_without_app_a_callback_reaches_the_proxy_too(proxy, open_page):
    @brain_callback(Output("a", "data"), Input("n", "value"))
    def load(n):
        return {n}

    page = open_page(proxy(TriggerTransform()))
    assert page.fire("a.data")["a"]["data"].startswith("db1.")


def test_what_is_wrong_is_said_at_registration(proxy):
    with pytest.raises(TypeError, match="progress"):
        brain_callback(
            *(Output("a", "data"), Input("n", "value")),
            app=proxy(),
            background=True,
            progress=Output("n", "value"),
            memoize="app",
        )
