"""What pages say that they hold: it lives; what no page holds dies after the grace."""

from __future__ import annotations

import json
from typing import Any

import dash
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, session_brain
from dash_brain.errors import DecodeError, StoreFull
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore
from dash_brain.testing import FailingStore
from dash_brain.web.component_registry import _registry, registry_of
from dash_brain.web.leases import LEASE, PARKED, UNCLAIMED, pages
from dash_brain.web.sessions import current_caller
from dash_brain.web.sessions.session_registry import session_registry
from tests.app.asgi import client_of
from tests.app.conftest import of_flask

GRACE = 60


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(tmp_path) -> Clock:
    clock = Clock()
    current.forget()
    configure(FileStore(tmp_path, clock=clock))
    return clock


@pytest.fixture
def app() -> dash.Dash:
    app = dash.Dash("test")
    app.layout = html.Div(
        [ServerStore(id="a"), dcc.Input(id="n", value=1), html.Div(id="out"), html.Div(id="kept")]
    )

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        return {"n": n}

    @brain_callback(
        Output("out", "children"), Input("a", "data"), on_error=lambda error: type(error).__name__
    )
    def show(a):
        return repr(a)

    @brain_callback(Output("kept", "children"), Input("n", "title"))
    def keep(title):
        return session_brain.setdefault("kept", "kept")

    return app


#: What our script sends, and no page of another site can.
OURS = {"X-Dash-Brain": "claim", "Sec-Fetch-Site": "same-origin"}


def as_callback(claim: str) -> dict[str, Any]:
    """Return the body of the request that a claim travels in: that of a callback."""
    return {
        "output": "_dash-brain-claim.data",
        "outputs": {"id": "_dash-brain-claim", "property": "data"},
        "inputs": [{"id": "_dash-brain-claim", "property": "claim", "value": claim}],
        "changedPropIds": ["_dash-brain-claim.claim"],
        "state": [],
    }


class Claiming:
    """The script of one page: which tokens it holds, told to the server."""

    number = 0

    def __init__(self, page: Any) -> None:
        Claiming.number += 1
        self.page, self.name, self.turn = page, f"{Claiming.number:032x}", 0

    def body(
        self, *tokens: str | None, state: str = "open", kind: str = "memory", dropped: Any = ()
    ) -> dict[str, Any]:
        self.turn += 1
        mark = self.page.props["a"]["mark"]
        held = [{"id": "a", "mark": mark, "token": token, "kind": kind} for token in tokens]
        told = {"page": self.name, "turn": self.turn, "state": state, "held": held}
        return {**told, "dropped": list(dropped)}

    def post(self, body: Any, **headers: str) -> Any:
        route = self.page.prefix + "_dash-update-component"
        return self.page.client.post(route, json=as_callback(json.dumps(body)), headers=headers or OURS)

    def __call__(self, *tokens: str | None, **options: Any) -> list[int]:
        response = self.post(self.body(*tokens, **options))
        assert response.status_code == 200, response.text
        return response.json["dead"]


def made(page: Any) -> str:
    page.fire("a.data")
    return page.props["a"]["data"]


def lives(page: Any, token: str) -> bool:
    page.props["a"]["data"] = token
    shown = page.fire("out.children")["out"]["children"]
    assert shown in ("{'n': 1}", "ValueMissing")
    return shown != "ValueMissing"


def objects() -> int:
    store = current.use().store
    store.sweep()
    return sum(len(list(store.scan(namespace))) for namespace in store.namespaces("session"))


def test_a_claimed_value_lives_while_its_page_claims_it(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    for _ in range(50):
        assert claim(token) == []
        clock.passes(LEASE - 1)
    assert lives(page, token)
    clock.passes(2)
    assert not lives(page, token)


def test_a_value_that_no_page_ever_claimed_dies_within_minutes(open_page, app, clock):
    page = open_page(app)
    superseded = [made(page) for _ in range(7)]
    held = made(page)
    Claiming(page)(held)
    assert objects() == 8
    clock.passes(UNCLAIMED + 1)
    assert objects() == 1
    assert lives(page, held)
    assert not lives(page, superseded[0])


def test_of_values_that_no_page_claims_only_the_newest_few_are_waited_for(open_page, app, clock):
    page = open_page(app)
    tokens = [made(page) for _ in range(20)]
    clock.passes(GRACE + 1)
    assert [lives(page, token) for token in tokens] == [False] * 16 + [True] * 4


def test_value_that_a_page_claims_is_not_superseded_by_those_that_another_gets(open_page, app, clock):
    page = open_page(app)
    held = made(page)
    Claiming(page)(held)
    for _ in range(20):
        made(page)
    clock.passes(UNCLAIMED + 1)
    assert lives(page, held)


def test_a_replaced_value_dies_after_the_grace(open_page, app, clock):
    page = open_page(app)
    claim, first, second = Claiming(page), made(page), made(page)
    claim(first)
    claim(second)
    clock.passes(GRACE - 1)
    assert lives(page, first)
    clock.passes(2)
    assert not lives(page, first)
    assert lives(page, second)


def test_clearing_a_store_lets_its_value_go(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    assert claim(None) == []
    clock.passes(GRACE + 1)
    assert objects() == 0


def test_leaving_the_page_lets_go_of_everything_it_held(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    claim(state="gone")
    clock.passes(GRACE + 1)
    assert objects() == 0


def test_leaving_lets_go_of_what_was_never_claimed_before(open_page, app, clock):
    page = open_page(app)
    Claiming(page)(made(page), state="gone")
    clock.passes(GRACE + 1)
    assert objects() == 0


def test_what_a_page_held_for_a_moment_dies_after_the_grace(open_page, app, clock):
    page = open_page(app)
    moment, held = made(page), made(page)
    Claiming(page)(held, dropped=[moment, held, "no token"])
    clock.passes(GRACE + 1)
    assert lives(page, held)
    assert not lives(page, moment)


def test_a_reload_claims_a_session_store_again(open_page, app, clock):
    page = open_page(app)
    before, token = Claiming(page), made(page)
    before(token, kind="session")
    before(state="gone")
    clock.passes(GRACE / 2)
    assert Claiming(open_page(app, like=page))(token, kind="session") == []
    clock.passes(LEASE - 1)
    assert lives(page, token)


@pytest.mark.parametrize("claimed_before", [True, False])
def test_a_local_store_outlives_its_page(open_page, app, clock, claimed_before):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    if claimed_before:
        claim(token, kind="local")
    claim(token, kind="local", state="gone")
    clock.passes(7 * 3600)
    assert lives(page, token)
    clock.passes(3600)
    assert not lives(page, token)


def test_a_replaced_value_of_a_local_store_dies_like_any_other(open_page, app, clock):
    page = open_page(app)
    claim, first, second = Claiming(page), made(page), made(page)
    claim(first, kind="local")
    claim(second, kind="local")
    clock.passes(GRACE + 1)
    assert not lives(page, first)


def test_a_token_in_two_stores_is_held_until_both_let_go(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token, token)
    claim(token, None)
    clock.passes(GRACE + 1)
    assert lives(page, token)
    claim(None, None)
    clock.passes(GRACE + 1)
    assert not lives(page, token)


@pytest.mark.parametrize("way", ["leaving", "replacing"])
def test_a_cloned_tab_keeps_what_the_other_lets_go(open_page, app, clock, way):
    page = open_page(app)
    one, clone, token = Claiming(page), Claiming(page), made(page)
    one(token)
    clone(token)
    one(state="gone") if way == "leaving" else one(None)
    clock.passes(LEASE - 1)
    assert lives(page, token)


def test_a_note_that_was_signed_with_a_removed_key_keeps_no_page_from_claiming(open_page, app, clock):
    store = FailingStore(current.use().store)
    current.forget()
    configure(store)
    page = open_page(app)
    other, claim, token = Claiming(page), Claiming(page), made(page)
    other(made(page))
    claim(token)
    with store.failing("get", error=DecodeError("signed with another key")):
        assert claim(token) == []


def test_a_claim_that_was_overtaken_changes_nothing(open_page, app, clock):
    page = open_page(app)
    claim, first, second = Claiming(page), made(page), made(page)
    claim(first)
    late = claim.body(first)
    claim(second)
    assert claim.post(late).json == {"dead": []}
    clock.passes(GRACE + 1)
    assert lives(page, second)
    assert not lives(page, first)


def test_a_claim_under_way_when_the_page_left_does_not_bring_it_back(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    late = claim.body(token)
    claim(state="gone")
    claim.post(late)
    clock.passes(GRACE + 1)
    assert objects() == 0


def test_dead_tokens_are_named(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    gone = made(page)
    clock.passes(UNCLAIMED - 1)
    claim(token)
    clock.passes(2)
    assert claim(token, gone, None, "no token", token[:-1]) == [1, 3, 4]


def test_a_page_that_outlived_the_store_learns_that_all_is_dead_and_gets_a_session(
    open_page, app, tmp_path, clock
):
    import shutil

    page = open_page(app)
    claim, token = Claiming(page), made(page)
    shutil.rmtree(tmp_path / next(path.name for path in tmp_path.iterdir()))
    current.forget()
    configure(FileStore(tmp_path, clock=clock))
    response = claim.post(claim.body(token))
    assert response.json == {"dead": [0], "began": True}
    assert "dash_brain_" in response.headers["Set-Cookie"]
    assert lives(page, made(page))


def test_a_page_enters_its_stores_anew_when_the_registry_was_lost(open_page, clock):
    app = dash.Dash("test", suppress_callback_exceptions=True)
    app.layout = lambda: html.Div([ServerStore(id="a"), dcc.Input(id="n", value=1)])

    @brain_callback(Output("a", "data"), Input("n", "value"))
    def put(n):
        return {"n": n}

    page = open_page(app)
    app.validation_layout, app.layout = None, lambda: html.Div("another worker")
    for namespace in list(current.use().store.namespaces("registry")):
        current.use().store.drop(namespace)
    _registry.cache_clear()
    Claiming(page)()
    assert not entered(page, "a")
    Claiming(page)(None)
    assert entered(page, "a")


def entered(page, component_id):
    with page.client:
        page.get("_dash-layout")
        return component_id in registry_of(current_caller())


def test_nobody_can_enter_an_id_that_no_page_was_sent(open_page, app, clock):
    page = open_page(app)
    claim = Claiming(page)
    body = claim.body(None)
    body["held"][0]["id"] = "plain-store"
    assert claim.post(body).status_code == 200
    assert not entered(page, "plain-store")
    assert entered(page, "a")


@pytest.mark.parametrize("form", [lambda one: one, lambda one: json.dumps(one, ensure_ascii=False)])
def test_a_page_names_dict_ids_as_the_browser_writes_them(open_page, form):
    app = dash.Dash("test", suppress_callback_exceptions=True)
    component_id = {"part": "é", "row": 1.0}
    app.layout = lambda: html.Div([ServerStore(id=component_id), ServerStore(id="a")])
    page = open_page(app)
    app.layout = lambda: html.Div("another worker")
    claim = Claiming(page)
    body = claim.body(None)
    [held] = body["held"]
    [mark] = [one["mark"] for name, one in page.props.items() if name.startswith("{")]
    body["held"] = [{**held, "id": form({"part": "é", "row": 1}), "mark": mark}]
    for namespace in list(current.use().store.namespaces("registry")):
        current.use().store.drop(namespace)
    _registry.cache_clear()
    assert not entered(page, component_id)
    assert claim.post(body).status_code == 200
    assert entered(page, component_id)


def test_another_sessions_claims_neither_keep_nor_delete(open_page, app, clock):
    mine, yours = open_page(app), open_page(app)
    token, kept = made(mine), made(mine)
    Claiming(mine)(kept)
    foreign = Claiming(yours)
    assert foreign(token, kept) == [0, 1]
    foreign(kept, state="gone", dropped=[token, kept])
    clock.passes(GRACE + 1)
    assert lives(mine, kept)
    clock.passes(UNCLAIMED)
    assert not lives(mine, token)


def test_what_a_session_keeps_by_name_lives_while_a_page_is_open(open_page, app, clock):
    page = open_page(app)
    page.fire("kept.children")
    claim = Claiming(page)
    for _ in range(4):
        clock.passes(7 * 3600)
        claim()
    store = current.use().store
    [names] = store.namespaces("session-names")
    assert list(store.scan(names)) == ["kept"]
    clock.passes(8 * 3600 + 1)
    assert list(store.scan(names)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"page": "short"},
        {"page": 5},
        {"turn": "1"},
        {"turn": True},
        {"state": 1},
        {"state": "other"},
        {"held": 5},
        {"dropped": 5},
        {"dropped": ["x"] * 1001},
        {"held": [5]},
        {"held": [{"id": "a"}]},
        {"held": [{"id": 5, "mark": "", "token": None, "kind": "memory"}]},
        {"held": [{"id": "a", "mark": "", "token": None, "kind": "other"}]},
        {"held": [{"id": "a", "mark": "", "token": None, "kind": []}]},
        {"held": [{"id": "a", "mark": "", "token": None, "kind": "memory"}] * 1001},
        None,
    ],
)
def test_what_is_no_claim_is_refused(open_page, app, clock, change):
    claim = Claiming(open_page(app))
    body = {**claim.body(), **change} if change is not None else None
    assert claim.post(body).status_code == 400


@pytest.mark.parametrize("token", [5, True, [], {}, "x" * 1000, "é" * 90, "\ud800", ""])
def test_anything_else_in_place_of_a_token_is_dead(open_page, app, clock, token):
    assert Claiming(open_page(app))(token) == [0]


def test_a_session_can_open_pages_without_end_and_keeps_a_bounded_note_of_them(
    open_page, app, clock, monkeypatch
):
    monkeypatch.setattr(pages, "MOST_PAGES", 10)
    page = open_page(app)
    token = made(page)
    for _ in range(15):
        assert Claiming(page)(token) == []
    store = current.use().store
    [space] = store.namespaces("claims")
    assert len(list(store.scan(space))) == 10


def test_a_value_of_two_hundred_tabs_lives_until_the_last_is_closed(open_page, app, clock):
    page = open_page(app)
    token = made(page)
    tabs = [Claiming(page) for _ in range(200)]
    for tab in tabs:
        tab(token)
    for tab in tabs[:-1]:
        tab(state="gone")
    clock.passes(GRACE + 1)
    assert lives(page, token)
    tabs[-1](state="gone")
    clock.passes(GRACE + 1)
    assert not lives(page, token)


def test_a_page_in_the_back_forward_cache_holds_on_for_a_while(open_page, app, clock):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    claim(token, state="parked")
    clock.passes(PARKED - 1)
    assert claim(token) == []
    clock.passes(LEASE - 1)
    claim(token, state="parked")
    clock.passes(PARKED + 1)
    assert claim(token) == [0]


def test_an_object_in_a_local_and_a_memory_store_lives_as_long_as_the_longer(open_page, app, clock):
    for kinds in (("local", "memory"), ("memory", "local")):
        page = open_page(app)
        claim, token = Claiming(page), made(page)
        for state in ("open", "gone"):
            body = claim.body(token, token, state=state)
            for held, kind in zip(body["held"], kinds, strict=True):
                held["kind"] = kind
            assert claim.post(body).json == {"dead": []} or state == "gone"
        clock.passes(7 * 3600)
        assert lives(page, token)


def test_a_parked_page_keeps_what_another_lets_go(open_page, app, clock):
    page = open_page(app)
    parked, other, token = Claiming(page), Claiming(page), made(page)
    parked(token)
    parked(token, state="parked")
    other(token)
    other(token, state="gone")
    clock.passes(PARKED - 1)
    assert parked(token) == []


def test_nothing_is_let_go_of_while_a_session_has_more_pages_than_are_noted(open_page, app, clock):
    page = open_page(app)
    token = made(page)
    pages = [Claiming(page) for _ in range(101)]
    for claim in pages:
        claim(token)
    for claim in pages[:100]:
        claim(token, state="gone")
    clock.passes(GRACE + 1)
    assert pages[100](token) == []


def test_a_full_store_is_emptied_by_closing_tabs(open_page, app, clock, monkeypatch):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)

    def full(*args, **kwargs):
        raise StoreFull("There is no room.")

    monkeypatch.setattr(FileStore, "put", full)
    claim(token, state="gone")
    monkeypatch.undo()
    clock.passes(GRACE + 1)
    assert objects() == 0


@of_flask
def test_neither_the_page_nor_dashs_tools_know_of_claims(open_page, clock):
    pytest.importorskip("dash.mcp")
    app = dash.Dash("test", enable_mcp=True)
    app.layout = html.Div([ServerStore(id="a"), html.Div(id="out")])

    @brain_callback(Output("out", "children"), Input("out", "title"))
    def show(title):
        return title

    page = open_page(app)
    assert [one["output"] for one in page.dependencies] == ["out.children"]
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    assert "claim" not in page.client.post("/_mcp", json=body).text
    assert Claiming(page)() == []


NOT_OURS = [
    {"Sec-Fetch-Site": "same-origin"},
    {**OURS, "Sec-Fetch-Site": "cross-site"},
    {**OURS, "Sec-Fetch-Site": "same-site"},
    {**OURS, "Sec-Fetch-Site": "none"},
]


def test_a_page_of_another_site_cannot_replace_the_session(open_page, app, clock):
    page = open_page(app)
    claim = Claiming(page)
    claim.page.client = client_of(app.server)  # the browser sends no Lax cookie with it
    for headers in NOT_OURS:
        response = claim.post(claim.body(), **headers)
        assert response.status_code == 403
        assert "Set-Cookie" not in response.headers


def test_a_page_that_goes_begins_no_session(open_page, app, clock):
    claim = Claiming(open_page(app))
    claim.page.client = client_of(app.server)
    response = claim.post(claim.body(state="gone"), **{**OURS, "X-Dash-Brain": "last claim"})
    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


def test_a_page_that_only_claims_counts_as_a_session_in_use(open_page, tmp_path):
    clock = Clock()
    current.forget()
    configure(FileStore(tmp_path, clock=clock), max_sessions=2)
    app = dash.Dash("test")
    app.layout = html.Div([ServerStore(id="a", data={"n": 1}), html.Div(id="out")])
    first = open_page(app)
    second = open_page(app)
    for step in (lambda: Claiming(first)(first.props["a"]["data"]), lambda: open_page(app)):
        clock.passes(1)
        session_registry.cache_clear()
        step()
    assert Claiming(first)(first.props["a"]["data"]) == []
    assert Claiming(second)(second.props["a"]["data"]) == [0]


@pytest.mark.parametrize("id", [{"a": [1]}, {"a": {"b": 1}}, {"a": None}])
def test_ids_that_dash_would_not_take_are_no_claim(open_page, app, clock, id):
    claim = Claiming(open_page(app))
    body = claim.body(None)
    body["held"][0]["id"] = id
    assert claim.post(body).status_code == 400


def test_a_huge_body_is_not_even_read(open_page, app, clock):
    page = open_page(app)
    response = page.client.post("/_dash-update-component", json="x" * 600_000, headers=OURS)
    assert response.status_code == 413
