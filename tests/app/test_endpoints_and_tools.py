"""Callbacks called by ``api_endpoint``, by MCP, or by hand: no value leaves, no forged one comes in."""

from __future__ import annotations

import json

import dash
import pytest
from dash import ALL, Input, Output, State, dcc, html

from dash_brain import ServerStore, brain_callback, configure, session_brain, set_props, to_token
from dash_brain.errors import NoSession
from dash_brain.memo.option import Memoize
from tests.app.asgi import client_of
from tests.app.conftest import of_flask, with_mcp
from tests.app.memoized import app_with

SECRET = "the orders of Ann"
SEEN = []


@pytest.fixture(autouse=True)
def _fresh():
    SEEN.clear()


def callbacks(app, **options):
    @brain_callback(Output("a", "data"), Input("n", "value"), app=app, api_endpoint="/api/load", **options)
    def load(n):
        SEEN.append(n)
        session_brain["n"] = n
        return {"secret": SECRET, "n": n}

    @brain_callback(
        Output("out", "children"),
        Input("a", "data"),
        State("n", "value"),
        app=app,
        api_endpoint="/api/show",
        **options,
    )
    def show(a, n):
        SEEN.append(a)
        return None if a is None else a["n"]

    app.setup_apis()
    return app


def called(page, path, arguments):
    response = page.client.post(path, json=arguments)
    assert SECRET not in response.text
    return response


# -- api_endpoint ------------------------------------------------------------------------------------


def test_endpoint_gives_a_token_of_the_session_that_asks(open_page):
    app = callbacks(app_with(html.Div(id="out")))
    page, other = open_page(app), open_page(app)
    token = called(page, "/api/load", {"n": 7}).json
    assert len(token) < 100
    assert called(page, "/api/show", {"a": token, "n": 1}).json == 7
    page.props["a"]["data"] = token
    assert page.fire("out.children") == {"out": {"children": 7}}
    assert called(other, "/api/show", {"a": token, "n": 1}).status_code == 500


@pytest.mark.parametrize("forged", [{"n": 1}, ["x"], "db1.00000000", 5, True])
def test_endpoint_takes_tokens_only(open_page, forged):
    page = open_page(callbacks(app_with(html.Div(id="out"))))
    assert called(page, "/api/show", {"a": forged, "n": 1}).status_code == 500
    assert not SEEN


def test_endpoint_takes_an_empty_store(open_page):
    page = open_page(callbacks(app_with(html.Div(id="out"))))
    assert called(page, "/api/show", {"a": None, "n": 1}).json is None


def test_endpoint_without_a_session_gives_nothing(open_page):
    app = callbacks(app_with(html.Div(id="out")))
    open_page(app)
    response = client_of(app.server).post("/api/load", json={"n": 7})
    assert response.status_code == 500
    assert SECRET not in response.text


def test_endpoint_of_a_coroutine_function(open_page):
    app = app_with(html.Div(id="out"))

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app, api_endpoint="/api/load")
    async def load(n):
        return {"secret": SECRET, "n": n}

    app.setup_apis()
    page = open_page(app)
    token = called(page, "/api/load", {"n": 7}).json
    assert token.startswith("db1.")


def test_endpoint_with_named_arguments_in_groups_and_several_outputs(open_page):
    app = app_with(html.Div(id="out"), dcc.Input(id="m"))

    @brain_callback(
        output={"store": Output("b", "data"), "text": Output("out", "children")},
        inputs={"both": {"a": Input("a", "data"), "n": Input("n", "value")}, "m": State("m", "value")},
        app=app,
        api_endpoint="/api/both",
    )
    def both(both, m="nothing"):
        return {"store": [SECRET, both["a"]], "text": f"{both['n']} {m}"}

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app, api_endpoint="/api/load")
    def load(n):
        return SECRET

    app.setup_apis()
    page = open_page(app)
    token = called(page, "/api/load", {"n": 7}).json
    answer = called(page, "/api/both", {"both": {"a": token, "n": 3}}).json
    assert answer["text"] == "3 nothing"
    assert answer["store"].startswith("db1.")


@pytest.mark.parametrize("scope", ["app", "session"])
def test_endpoint_of_a_memoized_callback_computes_once(open_page, scope):
    app = app_with(html.Div(id="out"))

    @brain_callback(
        Output("a", "data"), Input("n", "value"), app=app, api_endpoint="/api/load", memoize=Memoize(scope)
    )
    def load(n):
        SEEN.append(n)
        return {"secret": SECRET}

    app.setup_apis()
    page = open_page(app)
    tokens = {called(page, "/api/load", {"n": 7}).json for _ in range(3)}
    assert len(tokens) == 1
    assert SEEN == [7]


def test_endpoint_shows_the_value_in_the_context(open_page):
    app = app_with(html.Div(id="out"))
    called_with = {}

    @brain_callback(Output("out", "children"), Input("a", "data"), app=app, api_endpoint="/api/show")
    def show(a):
        called_with.update(dash.ctx.inputs)
        set_props("b", {"data": SECRET})
        return "done"

    app.setup_apis()
    page = open_page(app)
    called(page, "/api/show", {"a": None})
    assert called_with == {"a.data": None}


def test_endpoint_leaves_no_context_to_who_comes_next(open_page):
    page = open_page(callbacks(app_with(html.Div(id="out"))))
    called(page, "/api/load", {"n": 7})
    with pytest.raises(dash.exceptions.MissingCallbackContextException):
        dash.ctx.inputs  # noqa: B018


@pytest.mark.parametrize("row", [1.0, 2**60, True, "é"])
def test_endpoint_takes_ids_in_every_form(open_page, row):
    app = app_with(ServerStore(id={"row": row}), html.Div(id="out"))

    @brain_callback(Output({"row": row}, "data"), Input("n", "value"), app=app, api_endpoint="/api/load")
    def load(n):
        return [n, SECRET]

    @brain_callback(Output("out", "children"), Input({"row": row}, "data"), app=app, api_endpoint="/api/show")
    def show(rows):
        return rows[0]

    app.setup_apis()
    page = open_page(app)
    token = page.client.post("/api/load", json={"n": 7}).json
    assert token.startswith("db1.")
    assert page.client.post("/api/show", json={"rows": token}).json == 7


def test_endpoint_with_wildcards_is_refused_at_registration():
    with pytest.raises(TypeError, match=r"api_endpoint.*wildcards.*plain ids"):
        brain_callback(Output("out", "children"), Input({"part": ALL}, "data"), api_endpoint="/api/parts")


# -- MCP ---------------------------------------------------------------------------------------------


@pytest.fixture
def mcp_app():
    pytest.importorskip("dash.mcp")
    return app_with(
        ServerStore(id="initial", data=[SECRET]),
        dcc.Input(id="m", value=1),
        html.Div(id="out"),
        enable_mcp=True,
    )


def ask(page, method, **params):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    response = page.client.post("/_mcp", json=body)
    assert response.status_code == 200
    assert SECRET not in response.text
    return response.json


def tools(page):
    return {one["name"] for one in ask(page, "tools/list")["result"]["tools"]}


def tool(page, name, **arguments):
    return ask(page, "tools/call", name=name, arguments=arguments)["result"]


@with_mcp
def test_callback_without_stores_is_a_tool_as_plain_ones_are(open_page, mcp_app):
    @brain_callback(Output("out", "children"), Input("m", "value"), app=mcp_app)
    def double(m):
        return 2 * m

    @brain_callback(Output("out", "title"), Input("m", "value"), app=mcp_app, mcp_enabled=False)
    def hidden(m):
        return m

    @brain_callback(Output("a", "data"), Input("m", "value"), app=mcp_app)
    def load(m):
        return [SECRET]

    page = open_page(mcp_app)
    assert {"double"} <= tools(page)
    assert not {"hidden", "load"} & tools(page)
    answer = tool(page, "double", m=21)
    assert answer["structuredContent"]["response"]["out"]["children"] == 42


@with_mcp
def test_tool_gives_no_value_of_a_session_out_and_takes_none_in(open_page, mcp_app):
    @brain_callback(Output("a", "data"), Input("m", "value"), app=mcp_app, mcp_enabled=True)
    def load(m):
        return [SECRET]

    @brain_callback(Output("out", "children"), Input("a", "data"), app=mcp_app, mcp_enabled=True)
    def show(a):
        SEEN.append(a)
        return str(a)

    page = open_page(mcp_app)
    page.fire("a.data")
    assert {"load", "show"} <= tools(page)
    answer = tool(page, "load", m=1)
    assert answer["isError"]
    assert "MCP" in str(answer)
    for sent in (["forged"], page.props["a"]["data"]):
        assert tool(page, "show", a=sent)["isError"]
    assert not any(SEEN)


@with_mcp
def test_tool_gives_and_takes_tokens_of_the_app(open_page, mcp_app):
    @brain_callback(Output("a", "data"), Input("m", "value"), app=mcp_app, mcp_enabled=True, memoize="app")
    def load(m):
        return [m, SECRET]

    @brain_callback(Output("out", "children"), Input("a", "data"), app=mcp_app, mcp_enabled=True)
    def show(a):
        return len(a)

    page = open_page(mcp_app)
    token = tool(page, "load", m=1)["structuredContent"]["response"]["a"]["data"]
    assert tool(page, "show", a=token)["structuredContent"]["response"]["out"]["children"] == 2


@with_mcp
def test_nothing_of_one_clients_session_is_shown_to_another(open_page, mcp_app):
    @brain_callback(Output("out", "children"), Input("m", "value"), app=mcp_app)
    def mine(m):
        return session_brain.get("n", "nothing")

    @brain_callback(Output("out", "title"), Input("n", "value"), app=mcp_app)
    def keep(n):
        session_brain["n"] = SECRET
        return "kept"

    page = open_page(mcp_app)
    page.fire("out.title")
    tools(page)
    assert tool(page, "mine", m=1)["isError"]
    tool(open_page(mcp_app), "get_dash_component", component_id="out")


@with_mcp
def test_mcp_shows_initial_data_to_nobody(open_page, mcp_app):
    @brain_callback(Output("out", "children"), Input("initial", "data"), app=mcp_app, mcp_enabled=True)
    def show(a):
        SEEN.append(a)
        return str(a)

    page = open_page(mcp_app)
    page.fire("out.children")
    assert SEEN == [[SECRET]]
    assert "initial" in str(tool(page, "get_dash_component", component_id="initial"))
    tool(page, "get_dash_component", component_id="initial", property="data")
    tool(page, "get_dash_component", component_id="out")
    tools(page)
    for uri in ("dash://layout", "dash://components"):
        assert "initial" in str(ask(page, "resources/read", uri=uri))
    assert SEEN == [[SECRET], None]


# -- responses that are for who asks -----------------------------------------------------------------


def private(response):
    control = response.headers.get("Cache-Control", "")
    return "private" in control and "no-cache" in control and "Cookie" in response.headers.get("Vary", "")


def test_no_cache_gives_to_others_what_is_for_who_asks(open_page):
    app = callbacks(app_with(html.Div(id="out")))
    page = open_page(app)
    assert private(page.index)
    assert private(page.get("_dash-layout"))
    assert private(page.get("_dash-dependencies"))
    assert private(page.post("a.data"))
    assert private(page.client.post("/api/load", json={"n": 1}))


@of_flask
def test_no_cache_gives_to_others_what_a_route_of_the_server_says_of_the_session(open_page):
    app = callbacks(app_with(html.Div(id="out")))

    @app.server.get("/mine")
    def mine():
        session_brain["n"] = 1
        response = app.server.make_response("mine")
        response.headers["Cache-Control"] = "public, max-age=600"
        return response

    page = open_page(app)
    response = page.get("mine")
    assert private(response)
    assert "public" not in response.headers["Cache-Control"]


# -- initial data ------------------------------------------------------------------------------------


@pytest.fixture
def logged_in(monkeypatch):
    def app(**options):
        configure(principal=lambda: WHO["asks"], **options)
        made = dash.Dash("initial")
        made.layout = lambda: [ServerStore(id="a", data=f"{SECRET} {WHO['asks']}"), html.Div(id="out")]
        return made

    WHO["asks"] = None
    return app


WHO = {}


@pytest.mark.parametrize("cookie", ["lax", "iframe", "page"])
def test_initial_data_of_a_user_without_a_session_is_no_value_of_the_app(logged_in, caplog, cookie):
    app = logged_in(cookie=cookie)
    WHO["asks"] = "ann"
    layout = client_of(app.server).get("/_dash-layout").get_json()
    assert layout[0]["props"]["data"] is None
    assert "logged in" in caplog.text
    assert SECRET not in caplog.text


def test_initial_data_of_nobody_without_a_session_is_of_the_app(logged_in):
    layout = client_of(logged_in().server).get("/_dash-layout").json
    assert layout[0]["props"]["data"].startswith("db1.")


def test_initial_data_of_a_user_with_a_session_is_his(logged_in, open_page):
    app = logged_in()
    WHO["asks"] = "ann"
    page = open_page(app)
    assert page.props["a"]["data"].split(".")[2].startswith("s")


# -- by hand -----------------------------------------------------------------------------------------


def by_hand(app, output, *args, outputs):
    """Call what is registered, as unit tests of Dash apps do."""
    return json.loads(app.callback_map[output]["callback"](*args, outputs_list=outputs, app=app))


def test_registered_callback_called_by_hand_works_as_the_plain_function():
    app = callbacks(app_with(html.Div(id="out")))

    @brain_callback(Output("out", "title"), Input("m", "value"), app=app, memoize="app")
    def double(m):
        return 2 * m

    title = {"id": "out", "property": "title"}
    assert by_hand(app, "out.title", 21, outputs=title)["response"] == {"out": {"title": 42}}
    children = {"id": "out", "property": "children"}
    answer = by_hand(app, "out.children", {"n": 7}, 0, outputs=children)
    assert answer["response"] == {"out": {"children": 7}}
    assert app.callback_map["out.children"]["callback"].__wrapped__({"n": 7}, 0) == 7


def test_error_of_a_callback_called_by_hand_reaches_its_on_error():
    app = app_with(html.Div(id="out"))

    @brain_callback(
        Output("out", "children"), Input("a", "data"), app=app, on_error=lambda error: type(error).__name__
    )
    def show(a):
        raise KeyError(a)

    children = {"id": "out", "property": "children"}
    assert by_hand(app, "out.children", 1, outputs=children)["response"]["out"]["children"] == "KeyError"


def test_what_needs_a_session_says_so_by_hand_too():
    app = callbacks(app_with(html.Div(id="out")))
    with pytest.raises(NoSession):
        by_hand(app, "a.data", 1, outputs={"id": "a", "property": "data"})
    with pytest.raises(NoSession):
        to_token(1)
