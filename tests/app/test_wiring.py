"""Callbacks that are wired to a ServerStore and cannot work are named, with the cause and the cure."""

from __future__ import annotations

from functools import partial, wraps
from itertools import count
from typing import Any

import dash
import diskcache
import flask_login
import pandas as pd
import pytest
from dash import ALL, Input, Output, State, dcc, html

import dash_brain
from dash_brain import ServerOutput, ServerStore, brain_callback, from_token, to_token
from dash_brain import from_token as open_value
from dash_brain.errors import BadId, BadToken, BrainError, WiringError
from dash_brain.settings import configure
from dash_brain.web.layouts import Layouts
from tests.counting import counts_are_comparable, fewest_calls

FRAME = pd.DataFrame({"a": [1, 2]})


@pytest.fixture
def app() -> dash.Dash:
    app = dash.Dash("shop")
    parts = [ServerStore(id={"part": 1}), dcc.Store(id="plain"), dcc.Input(id="n", value=1)]
    app.layout = html.Div([ServerStore(id="orders"), *parts, *(html.Div(id=f"out{i}") for i in range(9))])
    return app


def named(caplog: Any) -> list[tuple[str, str]]:
    return [(record.reason, record.getMessage()) for record in caplog.records if record.event == "wiring"]


# -- when the app first serves -----------------------------------------------------------------------


def test_each_callback_that_cannot_work_is_named_once(app, open_page, caplog):
    @app.callback(Output("orders", "data"), Input("n", "value"))
    def plain_writer(n):
        return [n]

    @app.callback(Output("out0", "children"), Input("n", "value"), State("orders", "data"))
    def plain_reader(n, orders):
        return n

    @app.callback(Output("out1", "children"), Input({"part": ALL}, "data"))
    def plain_collector(parts):
        return len(parts)

    app.clientside_callback("n => [n]", Output({"part": 1}, "data"), Input("n", "value"))
    app.clientside_callback("o => 1", Output("out2", "children"), Input("orders", "data"))

    @brain_callback(
        Output("out3", "children"),
        Input("n", "value"),
        running=[(Output("orders", "data"), [], None)],
        app=app,
    )
    def runner(n):
        return n

    @brain_callback(Output("plain", "data"), Input("n", "value"), app=app)
    def ported(n):
        return [n]

    open_page(app), open_page(app)
    expected = {
        "plain_writer": ("plain_callback", "writes ServerStore 'orders'", "brain_callback"),
        "plain_reader": ("plain_callback", "reads ServerStore 'orders'", "from_token"),
        "plain_collector": ("plain_callback", 'reads ServerStore \'{"part":["ALL"]}\'', "the token"),
        '{"part":1}.data': ("clientside_callback", "writes ServerStore '{\"part\":1}'", "BadToken"),
        "out2.children": ("clientside_callback", "reads ServerStore 'orders'", "brain_callback"),
        "runner": ("running", "writes ServerStore 'orders'", "without tokens"),
        "ported": ("plain_store", "writes dcc.Store 'plain'", "stays on the server"),
    }
    lines = named(caplog)
    assert len(lines) == len(expected)
    for name, (reason, *words) in expected.items():
        [(said, line)] = [one for one in lines if name in one[1]]
        assert said == reason
        assert all(word in line for word in words), line


def test_what_works_is_named_nowhere(app, open_page, caplog):
    @brain_callback(Output("orders", "data"), Input("n", "value"), app=app)
    def load(n):
        return FRAME

    @brain_callback(Output("out0", "children"), Input("orders", "data"), app=app)
    def show(orders):
        return len(orders)

    @app.callback(Output({"part": 1}, "data"), Input("n", "value"))
    def mints(n):
        return to_token([n])

    @app.callback(Output("out1", "children"), Input({"part": 1}, "data"))
    def opens(token):
        return from_token(token)[0]

    @app.callback(Output("plain", "data"), Input("orders", "modified_timestamp"))
    def stamp(stamp):
        return stamp

    app.clientside_callback(
        "o => dash_clientside.dash_brain.describe(o)", Output("out2", "children"), Input("orders", "data")
    )
    page = open_page(app)
    assert not named(caplog)
    page.fire('{"part":1}.data')
    assert page.fire("out1.children")["out1"]["children"] == 1


def read_total(token):
    return len(open_value(token))


class Orders:
    def total(self, token):
        return read_total(token)


def with_value(function):
    @wraps(function)
    def given(token):
        return function(dash_brain.from_token(token))

    return given


def decorated(orders):
    return len(orders)


def nested(token):
    return [(lambda one: open_value(one))(one) for one in [token]]


def imported_inside(token):
    from dash_brain import from_token as take

    return take(token)


async def awaited(token):
    return read_total(token)


class Bound:
    orders = Orders()


USES = {
    "a helper": lambda token: read_total(token),
    "a method of a global object": lambda token: Bound.orders.total(token),
    "a bound method": Orders().total,
    "a decorator": with_value(decorated),
    "a partial": partial(lambda factor, token: factor * read_total(token), 2),
    "nested functions": nested,
    "an import inside": imported_inside,
    "a coroutine function": awaited,
    "a module": lambda token: dash_brain.from_token(token),
}


@pytest.mark.parametrize("way", USES)
def test_a_plain_callback_that_opens_tokens_in_its_own_way_is_named_nowhere(app, open_page, caplog, way):
    function = USES[way]
    if isinstance(function, partial):
        function.__name__, function.__qualname__ = "total", "total"
    app.callback(Output("out0", "children"), Input("orders", "data"))(function)
    open_page(app)
    assert not named(caplog)


def test_stores_of_layout_functions_and_pages_are_known_too(open_page, caplog):
    app = dash.Dash("pages", use_pages=True, pages_folder="", suppress_callback_exceptions=True)
    app.layout = lambda: html.Div([ServerStore(id="top"), dash.page_container, dcc.Input(id="n")])
    dash.register_page("one", path="/", layout=lambda **_: html.Div(ServerStore(id="paged")))
    dash.register_page("two", path="/two", layout=lambda: 1 / 0)

    @app.callback(Output("top", "data"), Output("paged", "data"), Input("n", "value"))
    def plain(n):
        return [n], [n]

    try:
        open_page(app)
    finally:
        dash.page_registry.clear()
    [(_, line)] = named(caplog)
    assert "'top', 'paged'" in line


STORE = ServerStore(id="elsewhere")
PLACES = {
    "lists in lists": lambda: html.Div([[[STORE]]]),
    "a label of a tab": lambda: dcc.Tabs([dcc.Tab(label=[html.Div(STORE)])]),
    "a spinner": lambda: dcc.Loading(html.Div(), custom_spinner=html.Div(STORE)),
    "a label of an option": lambda: dcc.Checklist([{"label": [html.Div(STORE)], "value": 1}]),
}


@pytest.mark.parametrize("place", PLACES)
def test_stores_are_known_wherever_a_layout_has_them(open_page, caplog, place):
    app = dash.Dash("elsewhere")
    app.layout = html.Div([PLACES[place](), dcc.Input(id="n"), html.Div(id="out0")])

    @app.callback(Output("out0", "children"), Input("elsewhere", "data"))
    def plain(token):
        return token

    open_page(app)
    [(_, line)] = named(caplog)
    assert "'elsewhere'" in line


@pytest.mark.parametrize(("layout", "suppress"), [(STORE, False), (STORE, True), (lambda: STORE, True)])
def test_what_validation_layout_leaves_out_is_known_too(open_page, caplog, layout, suppress):
    app = dash.Dash("elsewhere", suppress_callback_exceptions=suppress)
    app.validation_layout = html.Div(id="out0")
    app.layout = layout

    @app.callback(Output("out0", "children"), Input("elsewhere", "data"))
    def plain(token):
        return token

    open_page(app)
    [(_, line)] = named(caplog)
    assert "'elsewhere'" in line


def test_a_store_that_a_callback_makes_is_known_when_it_is_sent(open_page, caplog):
    app = dash.Dash("dynamic", suppress_callback_exceptions=True)
    app.layout = html.Div([html.Div(id="content"), dcc.Input(id="n", value=2), html.Div(id="out0")])

    @brain_callback(Output("content", "children"), Input("n", "value"), app=app)
    def build(n):
        return [ServerStore(id={"row": row}) for row in range(n)]

    @brain_callback(ServerOutput("later"), Input("n", "title"), app=app)
    def write(title):
        return [1]

    @app.callback(Output("out0", "children"), Input({"row": ALL}, "data"), on_error=str)
    def rows(tokens):
        return len(tokens[0]["a"])

    @app.callback(Output("out0", "title"), Input("later", "data"))
    def late(token):
        return token

    page = open_page(app)
    assert not named(caplog)
    for _ in range(2):
        page.fire("content.children")
        page.props["n"]["value"] = 500
    [(reason, line)] = named(caplog)
    assert reason == "plain_callback"
    assert "rows" in line
    page.fire("later.data")
    assert "late" in named(caplog)[1][1]
    page.props['{"row":0}']["data"] = "db1.token"
    assert "use from_token" in page.fire("out0.children")["out0"]["children"]


def set_by_helper(rows):
    dash.set_props(component_id="orders", props={"data": rows, "clear_data": False})


def set_by_context(n):
    dash.ctx.set_props("orders", {"data": [n]})


def set_in_a_loop(n):
    from dash import set_props

    [set_props("orders", {"data": row}) for row in [n]]


SETS = {"a helper": lambda n: set_by_helper([n]), "the context": set_by_context, "a loop": set_in_a_loop}


@pytest.mark.parametrize("way", SETS)
def test_a_plain_callback_that_sets_the_data_of_a_store_is_named(app, open_page, caplog, way):
    app.callback(Input("n", "value"))(SETS[way])
    open_page(app)
    [(reason, line)] = named(caplog)
    assert reason == "plain_callback"
    assert "writes ServerStore 'orders'" in line


def ours(n):
    dash_brain.set_props("orders", {"data": [n]})


def ours_imported(n):
    from dash_brain import set_props

    set_props("orders", {"data": [n]})


def other_component(n):
    if n == "orders":
        dash.set_props("plain", {"data": [n]})


def clears(n):
    dash.set_props("orders", {"clear_data": True})


def sets_a_token(n):
    dash.set_props("orders", {"data": to_token([n])})


@pytest.mark.parametrize("function", [ours, ours_imported, other_component, clears, sets_a_token])
def test_a_plain_callback_that_sets_something_else_is_named_nowhere(app, open_page, caplog, function):
    app.callback(Input("n", "value"))(function)
    open_page(app)
    assert not named(caplog)


@pytest.fixture
def manager(tmp_path):
    with diskcache.Cache(tmp_path / "jobs") as cache:
        yield dash.DiskcacheManager(cache)


def test_a_default_of_progress_is_no_token(open_page, caplog, manager):
    app = dash.Dash("progress", background_callback_manager=manager)
    parts = [ServerStore(id="orders"), ServerStore(id="empty"), dcc.Store(id="plain"), dcc.Input(id="n")]
    app.layout = html.Div([*parts, html.Div(id="out0")])

    @brain_callback(
        Output("out0", "children"),
        Input("n", "value"),
        background=True,
        progress=[Output("orders", "data"), Output("empty", "data"), Output("plain", "data")],
        progress_default=[[1], None, [2]],
        app=app,
    )
    def work(set_progress, n):
        return n

    open_page(app)
    (reason, line), (other, more) = named(caplog)
    assert (reason, other) == ("progress_default", "plain_store")
    assert "work" in line
    assert "'orders'" in line
    assert "'empty'" not in line
    assert "'plain'" in more


def test_callbacks_that_dash_takes_for_one_are_named(app, open_page, caplog):
    @brain_callback(Input("n", "value"), State("n", "id"), app=app)
    def mine(n, name):
        pass

    @app.callback(Input("n", "value"))
    def theirs(n):
        pass

    open_page(app)
    [(reason, line)] = named(caplog)
    assert reason == "same_id"
    assert "theirs" in line
    assert "another Input" in line


def test_a_login_manager_without_a_principal_is_named_once(app, open_page, caplog):
    @brain_callback(Output("orders", "data"), Input("n", "value"), app=app)
    def load(n):
        return FRAME

    flask_login.LoginManager(app.server).user_loader(lambda name: None)
    open_page(app), open_page(app)
    [line] = [record for record in caplog.records if record.event == "logins"]
    assert "configure(principal=" in line.getMessage()


def test_a_login_manager_with_a_principal_is_as_it_should_be(app, open_page, caplog):
    configure(principal=lambda: None)

    @brain_callback(Output("orders", "data"), Input("n", "value"), app=app)
    def load(n):
        return FRAME

    flask_login.LoginManager(app.server).user_loader(lambda name: None)
    open_page(app)
    assert not [record for record in caplog.records if record.event == "logins"]


# -- at the call -------------------------------------------------------------------------------------


def test_who_reads_what_a_plain_callback_wrote_is_told_who_did(app, open_page, caplog):
    errors: list[Exception] = []

    @app.callback(Output("orders", "data"), Input("n", "value"))
    def plain_writer(n):
        return [n]

    @brain_callback(Output("out0", "children"), Input("orders", "data"), app=app, on_error=errors.append)
    def show(orders):
        return "shown"

    page = open_page(app)
    page.fire("orders.data")
    page.fire("out0.children")
    [error] = errors
    assert isinstance(error, BadToken)
    [line] = [record.getMessage() for record in caplog.records if record.event == "bad_token"]
    for said in (str(error), line):
        assert all(word in said for word in ("'orders'", "plain_writer", "brain_callback"))


@pytest.mark.parametrize("handled", [None, "app", "callback"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_plain_callback_that_fails_on_a_token_is_told_why(app, open_page, handled, kind):
    errors: list[Exception] = []
    app._on_error = errors.append if handled == "app" else None
    own = errors.append if handled == "callback" else None
    app.server.config["PROPAGATE_EXCEPTIONS"] = True

    @brain_callback(Output("orders", "data"), Input("n", "value"), app=app)
    def load(n):
        return FRAME

    if kind == "sync":

        @app.callback(Output("out0", "children"), Input("orders", "data"), on_error=own)
        def plain_reader(orders):
            return int(orders["a"].sum())
    else:

        @app.callback(Output("out0", "children"), Input("orders", "data"), on_error=own)
        async def plain_reader(orders):
            return int(orders["a"].sum())

    page = open_page(app)
    page.fire("orders.data")
    if handled:
        page.fire("out0.children")
        [error] = errors
    else:
        with pytest.raises(TypeError) as raised:
            page.post("out0.children")
        error = raised.value
    assert type(error) is TypeError  # the app may tell its errors apart
    assert all(word in str(error) for word in ("plain_reader", "'orders'", "brain_callback"))


def test_an_error_without_a_text_is_told_why_too(app, open_page):
    errors: list[Exception] = []

    @app.callback(Output("out0", "children"), Input("orders", "data"), on_error=errors.append)
    def plain_reader(orders):
        if not isinstance(orders, pd.DataFrame):
            raise AssertionError

    open_page(app).fire("out0.children")
    assert "plain_reader" in str(errors[0])


def test_a_plain_callback_that_writes_a_frame_is_told_why(app, open_page):
    app.server.config["PROPAGATE_EXCEPTIONS"] = True

    @app.callback(Output("orders", "data"), Input("n", "value"))
    def plain_writer(n):
        return FRAME

    with pytest.raises(
        dash.exceptions.InvalidCallbackReturnValue, match=r"plain_writer.*'orders'.*brain_callback"
    ):
        open_page(app).post("orders.data")


@pytest.mark.parametrize("value", [FRAME, {"frame": FRAME}, [FRAME], {"deep": [FRAME]}, {1}, object()])
@pytest.mark.parametrize("options", [{}, {"memoize": "app"}])
def test_a_frame_for_a_plain_store_names_the_component_and_the_cure(app, open_page, value, options):
    errors: list[Exception] = []

    @brain_callback(Output("plain", "data"), Input("n", "value"), app=app, on_error=errors.append, **options)
    def ported(n):
        return value

    open_page(app).fire("plain.data")
    [error] = errors
    assert isinstance(error, WiringError)
    assert "'plain'" in str(error)
    assert "ServerStore" in str(error)


@pytest.mark.parametrize(
    "value", [[1], {"a": {"b": [1.5, None]}}, pd.Series([1]), [pd.Timestamp(0)], "x", None, dash.Patch()]
)
def test_what_dash_can_send_to_a_plain_store_is_left_to_dash(app, open_page, value):
    @brain_callback(Output("plain", "data"), Input("n", "value"), app=app)
    def ported(n):
        return value

    assert "plain" in open_page(app).fire("plain.data")


def test_an_id_of_which_nothing_is_known_names_validation_layout(open_page):
    errors: list[Exception] = []
    app = dash.Dash("unknown", suppress_callback_exceptions=True, on_error=errors.append)
    app.layout = html.Div([html.Div(id="out")])

    @brain_callback(Output("out", "children"), Input("table", "data"), app=app)
    def show(rows):
        return len(rows)

    page = open_page(app)
    page.props["table"] = {"data": [1, 2]}
    page.fire("out.children")
    [error] = errors
    assert all(word in str(error) for word in ("'table'", "validation_layout", "dash.callback"))


# -- at registration ---------------------------------------------------------------------------------


def test_a_second_callback_of_the_same_id_is_refused(app):
    @app.callback(Input("n", "value"))
    def first(n):
        pass

    with pytest.raises(WiringError, match=r"second.*another Input"):

        @brain_callback(Input("n", "value"), State("orders", "data"), app=app)
        def second(n, orders):
            pass


def test_a_module_that_is_loaded_twice_is_as_it_was(app):
    for _ in range(2):

        @brain_callback(Input("n", "value"), State("orders", "data"), app=app)
        def same(n, orders):
            pass


@pytest.mark.parametrize("memoize", [True, False, 60])
def test_a_memoize_without_a_scope_says_what_to_write(memoize):
    with pytest.raises(TypeError, match=r'"app".*"session"'):
        brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize)


def test_a_server_store_takes_its_arguments_in_the_order_of_a_store():
    store = ServerStore("a", "local", [1], True, 7)
    shown = {
        name: getattr(store, name)
        for name in ("id", "storage_type", "data", "clear_data", "modified_timestamp")
    }
    assert shown == {
        "id": "a",
        "storage_type": "local",
        "data": [1],
        "clear_data": True,
        "modified_timestamp": 7,
    }


@pytest.mark.parametrize("wrong", [FRAME, [1], {"a": 1}, "forever", None, 1])
def test_data_in_the_place_of_the_storage_type_says_so(wrong):
    with pytest.raises(WiringError, match="data=") as error:
        ServerStore("a", wrong)
    assert "forever" not in str(error.value)


@pytest.mark.parametrize("wrong", [None, 1, "{", {"a": None}, ["a"]])
def test_an_id_that_is_none_is_refused(wrong):
    with pytest.raises(BadId) as error:
        ServerStore(wrong)
    assert isinstance(error.value, BrainError)


class CountedKinds(dict[str, str]):
    """Counts how often the components of a layout are walked."""

    walks = 0

    def items(self):
        self.walks += 1
        return super().items()


def test_the_components_of_an_app_are_walked_for_all_callbacks_at_once(open_page, monkeypatch):
    """A layout may have ten thousand components, and a callback for each group of them."""
    app, kinds = dash.Dash(__name__), CountedKinds()
    app.layout = [html.Div(id=f"div{number}") for number in range(10)]
    for number in range(10):
        app.callback(Output(f"div{number}", "title"), Input(f"div{number}", "children"))(str)
    monkeypatch.setattr(Layouts, "kinds", lambda layouts: kinds)
    open_page(app)
    assert kinds.walks == 2  # for ServerStores, and for plain stores


@counts_are_comparable
def test_a_new_store_is_compared_with_each_callback_in_a_few_calls(open_page):
    """A callback may make hundreds of stores, in an app of hundreds of callbacks."""
    app = dash.Dash(__name__, suppress_callback_exceptions=True, use_async=False)
    app.layout = html.Div(id="out")
    for number in range(100):
        brain_callback(Output(f"out{number}", "title"), Input({"part": ALL}, "data"), app=app)(len)
    fresh = count(1)
    app.callback(Output("out", "children"), Input("n", "value"))(lambda n: ServerStore({"part": next(fresh)}))
    page = open_page(app)
    page.props["n"] = {"value": 1}
    page.fire("out.children", trigger="n.value")
    assert len(fewest_calls(lambda: page.fire("out.children", trigger="n.value"))) < 1500
