"""The testing kit: pages without a browser, on every backend, and the store, session and clock of a test."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pandas as pd
import pytest
from dash import ALL, MATCH, Dash, Input, Output, Patch, State, callback, dcc, html, no_update

from dash_brain import Brain, ServerStore, brain_callback, configure, from_token, session_brain, to_token
from dash_brain.errors import NoSession, StoreUnavailable, ValueMissing
from dash_brain.settings import current
from dash_brain.stores import MemoryStore
from dash_brain.testing import FailingStore
from tests.backends import ALL as BACKENDS

ORDERS = pd.DataFrame({"order": [1, 2, 3]})


@pytest.fixture(autouse=True)
def _own_settings():
    """Give each test the settings of a fresh process: what is configured in a test stays configured."""
    current.forget()
    yield
    current.forget()


def small(backend: str = "flask", **options) -> Dash:
    app = Dash("kit", backend=backend, **options)
    app.layout = [
        dcc.Input(id="n", value=3),
        ServerStore(id="orders", data=[7]),
        html.Div(id="count"),
        dcc.Store(id="plain"),
    ]

    @brain_callback(Output("orders", "data"), Input("n", "value"), app=app)
    async def load(n):
        return None if n == 0 else ORDERS.head(n)

    @brain_callback(Output("count", "children"), Input("orders", "data"), State("plain", "data"), app=app)
    def count(orders, plain):
        session_brain["seen"] = session_brain.get("seen", 0) + 1
        if plain == "fail":
            raise ZeroDivisionError("of the callback")
        return no_update if orders is None else len(orders)

    return app


@pytest.fixture(params=BACKENDS)
def app(request) -> Dash:
    return small(request.param)


def test_a_value_goes_from_callback_to_callback_and_to_the_test(brain_app, app):
    page = brain_app(app)
    pd.testing.assert_frame_equal(page.call("orders.data", {"n.value": 2}), ORDERS.head(2))
    assert page.call("count.children") == page["count.children"] == 2
    pd.testing.assert_frame_equal(page["orders.data"], ORDERS.head(2))
    assert page.call("count.children", {"orders.data": ORDERS}) == 3
    assert page.call("orders.data", {"n.value": 0}) is None
    assert page.call("count.children") is no_update


def test_a_browser_has_a_session_and_its_tabs_share_it(brain_app, app):
    page = brain_app(app)
    for one in (page, page.tab(), brain_app(app)):
        assert one["orders.data"] == [7]
        one.call("count.children")
    assert page.run(lambda: session_brain["seen"]) == 2


def test_what_a_callback_raises_is_raised_in_the_test(brain_app, app):
    page = brain_app(app)
    with pytest.raises(ZeroDivisionError, match="of the callback"):
        page.call("count.children", {"plain.data": "fail"})
    with pytest.raises(KeyError, match="unheard"):
        page.run(lambda: session_brain["unheard"])
    with pytest.raises(ValueMissing):
        page.run(from_token, lost(page))
    assert page.call("count.children", {"plain.data": "again"}) == 1


def lost(page) -> str:
    token = page.run(to_token, "value")
    for namespace in list(current.use().store.namespaces("session")):
        current.use().store.drop(namespace)
    page["orders.data"] = [7]
    return token


def test_components_with_wildcards_and_side_effects(brain_app):
    app = Dash("kit")
    parts = [ServerStore(id={"part": n, "kind": "in"}, data=n * 10) for n in (1, 2)]
    app.layout = [*parts, *[html.Div(id={"part": n, "kind": "out"}) for n in (1, 2)], html.Div(id="sum")]

    @brain_callback(
        Output({"part": MATCH, "kind": "out"}, "children"), Input({"part": MATCH, "kind": "in"}, "data")
    )
    def show(value):
        return f"{value}!"

    @brain_callback(Output("sum", "children"), Input({"part": ALL, "kind": "in"}, "data"))
    def add(values):
        return sum(values)

    @brain_callback(Input("sum", "title"))
    def note(title):
        session_brain["title"] = title

    page = brain_app(app)
    assert page.call(Output({"part": 2, "kind": "out"}, "children")) == "20!"
    assert page.call("sum.children") == 30
    assert page.call("sum.children", {Input({"part": 1, "kind": "in"}, "data"): 5}) == 25
    assert page.call(None, {"sum.title": "hello"}) is None
    assert page.run(lambda: session_brain["title"]) == "hello"


def test_several_outputs_and_what_only_a_trigger_tells(brain_app):
    app = Dash("kit")
    app.layout = [ServerStore(id="a"), dcc.Store(id="token"), html.Div(id="b"), html.Button(id="c")]

    @brain_callback(Output("a", "data"), Output("b", "children"), Input("c", "n_clicks"), State("b", "title"))
    def both(clicks, title):
        from dash import ctx

        return {"title": title}, ctx.triggered_id

    @callback(Output("token", "data"), Input("c", "n_clicks"))
    def store(clicks):
        return to_token([clicks])

    @brain_callback(
        Output("a", "data", allow_duplicate=True), Input("b", "n_clicks"), prevent_initial_call=True
    )
    def other(clicks):
        return "other"

    page = brain_app(app)
    assert page.call("b.children", {"b.title": "t"}) is None
    assert page.call("b.children", {"c.n_clicks": 1}) == "c"
    assert page["a.data"] == {"title": "t"}
    assert page.call("token.data") == [1]
    with pytest.raises(LookupError, match=r"has 2 callbacks with the output a\.data"):
        page.call("a.data")
    assert page.call("a.data", {"b.n_clicks": 1}) == "other"
    with pytest.raises(LookupError, match=r"no callbacks with the output c\.style"):
        page.call("c.style")
    with pytest.raises(KeyError, match=r"holds no c\.style"):
        page["c.style"]


def test_a_patch_changes_what_the_page_holds(brain_app):
    app = Dash("kit")
    app.layout = [dcc.Graph(id="plot", figure={"data": []}), html.Button(id="c")]

    @callback(Output("plot", "figure"), Input("c", "n_clicks"))
    def title(clicks):
        figure = Patch()
        figure["layout"]["title"] = "sales"
        return figure

    page = brain_app(app)
    assert page.call("plot.figure") == {"data": [], "layout": {"title": "sales"}} == page["plot.figure"]


def test_logins_and_other_paths_are_requested_by_the_client(brain_app):
    from tests.app.users import app_with_users, principal

    configure(principal=principal)
    page = brain_app(app_with_users())
    assert page.call("a.data", {"n.value": "nobody's"}) == {"kept": "nobody's"}
    page.client.get("/login/ann")
    assert page.call("names.children") == "{}"
    assert page.call("a.data", {"n.value": "ann's"}) == {"kept": "ann's"}
    assert page.call("out.children") == "{'kept': \"ann's\"}"


@pytest.mark.parametrize(("mode", "url"), [("page", "http://localhost"), ("iframe", "https://localhost")])
def test_a_session_is_kept_in_every_way_that_is_configured(brain_app, mode, url):
    configure(cookie=mode)
    page = brain_app(small(), base_url=url)
    assert page.call("count.children", {"orders.data": [1, 2]}) == 2
    assert page.call("count.children") == 2
    assert page.run(lambda: session_brain["seen"]) == 2


def test_a_request_that_is_refused_fails_the_test(brain_app):
    app = small()
    app.server.before_request(lambda: ("no entry", 403))
    with pytest.raises(AssertionError, match=r"answered 403.*no entry"):
        brain_app(app)


def test_nobody_but_the_test_runs_code(brain_app):
    page = brain_app(small())
    body = {"output": "_dash-brain-test.data", "outputs": [], "inputs": [], "changedPropIds": []}
    assert page.client.post("/_dash-update-component", json=body).status_code == 404


def test_all_lies_in_the_store_of_the_test(brain, brain_store, brain_app, brain_session):
    brain_session["name"] = "session"
    Brain("shop")["name"] = "brain"
    assert brain.view("shop")["name"] == "brain"
    assert brain_session["name"] == session_brain["name"] == "session"
    page = brain_app(small())
    assert page.run(lambda: "name" in session_brain) is False  # another session
    page.call("orders.data")
    assert list(brain_store.namespaces("brain")) == ["brain/shop"]
    assert list(brain_store.namespaces("session"))
    reads = "from dash_brain import Brain; assert Brain('shop')['name'] == 'brain'"
    subprocess.run([sys.executable, "-c", reads], check=True, timeout=120)


@pytest.fixture
def session_quota():
    configure("memory://not-this-one", session_quota=1_000_000)


def test_other_settings_stay_and_come_back(request, session_quota):
    configured = current.given
    brain_store = request.getfixturevalue("brain_store")
    request.getfixturevalue("brain_app")
    assert (current.use().store, current.use().session_quota) == (brain_store, 1_000_000)
    assert configured.store_or_url == "memory://not-this-one"


def test_what_an_app_configures_when_it_is_imported_holds(brain_app, brain_store):
    configure("memory://not-this-one", session_quota=2_000_000)
    brain_app(small())
    assert (current.use().store, current.use().session_quota) == (brain_store, 2_000_000)


def test_functions_that_need_a_session_are_called_as_they_are(brain_session):
    token = to_token([1])
    assert from_token(token) == [1]
    brain_session["a"] = 1
    assert dict(session_brain) == {"a": 1}


def test_there_is_no_session_but_that_of_the_fixture(brain):
    with pytest.raises(NoSession):
        session_brain["a"] = 1


def test_time_passes_for_values_that_have_a_time_to_live(brain, brain_clock):
    began = time.time()
    brain.learn("short", 1, ttl=60)
    brain.learn("long", 2, ttl=86400)
    calls = []
    kept = brain.memoize(ttl=3600, stale=60, key=lambda: "")(lambda: calls.append(1))
    kept()
    brain_clock.advance(61)
    assert ("short" in brain, "long" in brain) == (False, True)
    kept()
    brain_clock.advance(3600)
    kept()
    brain_clock.advance(3600)
    kept()
    assert len(calls) >= 2
    assert time.time() - began > 7261


def test_a_page_that_is_used_keeps_its_session_and_values(brain_app, brain_clock):
    page = brain_app(small())
    page.call("orders.data", {"n.value": 2})
    for _ in range(5):
        brain_clock.advance(8 * 60)  # an unused value of a page that claims nothing lives for ten minutes
        assert page.call("count.children") == 2
    brain_clock.advance(3600)
    with pytest.raises(ValueMissing):
        page.call("count.children")


class TestOtherStore:
    @pytest.fixture
    def brain_store(self):
        return FailingStore(MemoryStore())

    def test_the_fixture_of_the_store_can_be_overridden(self, brain, brain_store, brain_app):
        page = brain_app(small())
        with brain_store.failing("get"), pytest.raises(StoreUnavailable):
            page.call("count.children")
        brain["a"] = 1
        assert brain_store.wrapped.exists("brain/default", "a")


@pytest.fixture
def gone_in_the_end():
    folders = []
    yield folders
    assert [os.path.exists(folder) for folder in folders] == [False]


def test_the_store_is_removed_in_the_end(gone_in_the_end, brain_store, brain):
    brain["a"] = 1
    assert os.path.exists(brain_store.folder)
    gone_in_the_end.append(brain_store.folder)
