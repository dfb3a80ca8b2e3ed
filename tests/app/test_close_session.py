"""``close_session()``: what belongs to the session goes, and its cookie never works again."""

from __future__ import annotations

import re
from threading import Thread
from typing import Any

import dash
import flask
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, close_session, session_brain
from dash_brain.common.throttle import Throttle
from dash_brain.errors import NoSession
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore
from dash_brain.stores.namespaces import rank
from dash_brain.testing import Clock
from dash_brain.web.sessions import closed_sessions
from dash_brain.web.sessions.closed_sessions import is_closed, note_closed
from dash_brain.web.sessions.session_ids import SessionId
from dash_brain.web.sessions.session_registry import session_registry
from tests.app.asgi import client_of
from tests.app.test_claims import Claiming
from tests.app.test_principal import GOOD, made, names, shown
from tests.app.users import app_with_users, principal

OLD, NEW = "Ym3kPz81vWq0sTdRuLxA", "bF7hJn29cXe4gQaZoKiV"


@pytest.fixture
def app() -> dash.Dash:
    app = app_with_users()

    @brain_callback(Output("n", "lang"), Input("n", "list"), app=app)
    def close(_: Any) -> str:
        session_brain["before"] = 1
        close_session()
        session_brain["after"] = 1
        return repr(dict(session_brain))

    return app


def cookies_set(response: Any) -> list[str]:
    return [
        header.split(";")[0] for header in response.headers.getlist("Set-Cookie") if "dash_brain" in header
    ]


def what_is_kept() -> set[str]:
    """The namespaces of all sessions in the store."""
    store = current.use().store
    store.sweep()
    domains = ("session", "session-names", "session-memo", "claims", "session-registry", "logins")
    return {space for domain in domains for space in store.namespaces(domain)}


def replayed(page: Any, app: dash.Dash, cookie: str) -> Any:
    """The page, with the cookie that it had and no other."""
    page.client = client_of(app.server)
    page.client.set_cookie(*cookie.split("=", 1))
    return page


def test_all_that_belongs_to_the_session_goes(open_page, app):
    page = open_page(app)
    Claiming(page)(made(page))
    session = next(iter(current.use().store.namespaces("session"))).partition("/")[2]
    current.use().store.put(f"session-memo/{session}", "computed", [b"x"])
    assert {space.partition("/")[0] for space in what_is_kept()} == {
        "session", "session-names", "session-memo", "claims", "session-registry",
    }  # fmt: skip
    page.get("close")
    assert what_is_kept() == set()


def test_a_token_of_before_opens_nothing_with_the_new_cookie_or_the_old(open_page, app):
    page = open_page(app)
    made(page)
    old = cookies_set(page.index)[0]
    [new] = cookies_set(page.get("close"))
    assert new.split("=")[0] == old.split("=")[0]
    assert new != old
    assert (shown(page), names(page)) == ("BadToken", "{}")
    replayed(page, app, old)
    assert shown(page) == "BadToken"


def test_a_closed_session_id_works_for_nobody_again(open_page, app):
    page = open_page(app)
    old = cookies_set(page.index)[0]
    page.get("close")
    replayed(page, app, old)
    assert page.post("a.data").status_code == 500
    assert "Set-Cookie" not in page.post("a.data").headers
    [fresh] = cookies_set(page.get(""))
    assert fresh != old


def test_a_session_stays_closed_as_long_as_a_browser_may_keep_its_cookie(open_page, tmp_path):
    clock = Clock()
    configure(FileStore(tmp_path, clock=clock), session_ttl=3600)
    app = app_with_users()
    page = open_page(app)
    made(page)
    old = cookies_set(page.index)[0]
    page.get("close")
    clock.advance(3599)
    assert replayed(page, app, old).post("a.data").status_code == 500
    clock.advance(2)
    shown_again = replayed(page, app, old)
    assert names(shown_again) == "{}"  # of what was in it nothing is left, whoever kept the cookie for longer


def test_another_worker_knows_at_once_that_the_session_is_closed(open_page, app):
    page = open_page(app)
    old = cookies_set(page.index)[0]
    other = replayed(open_page(app), app, old)
    assert made(other)
    page.get("close")
    current.forget()  # a worker that saw nothing of it
    assert other.post("a.data").status_code == 500


def test_a_callback_may_close_the_session_and_what_it_stores_then_is_in_the_new_one(open_page, app):
    page = open_page(app)
    made(page)
    answer = page.post("n.lang")
    assert answer.json["response"]["n"]["lang"] == "{'after': 1}"
    assert len(cookies_set(answer)) == 1
    assert names(page) == "{'after': 1}"
    assert shown(page) == "BadToken"


def test_a_page_that_is_still_open_learns_that_its_tokens_are_dead_and_goes_on(open_page, app):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    claim(token)
    page.get("close")
    assert claim(token) == [0]
    assert claim(made(page)) == []


@pytest.mark.parametrize("way", ["close", "logout first"])
def test_closing_ends_the_sessions_of_all_users_of_the_cookie(open_page, way):
    configure(principal=principal)
    app = app_with_users()
    page = open_page(app)
    tokens = [made(page)]
    for user in ("ann", "bob"):
        page.get(f"login/{user}")
        tokens.append(made(page))
    assert len(what_is_kept() & set(current.use().store.namespaces("session"))) == 3
    if way == "logout first":
        page.get("logout")
    page.get("close")
    assert what_is_kept() == set()
    for login in ("logout", "login/ann", "login/bob"):
        page.get(login)
        for token in tokens:
            page.props["a"]["data"] = token
            assert shown(page) == "BadToken"


def test_other_sessions_stay(open_page, app):
    mine, yours = open_page(app), open_page(app)
    made(mine)
    made(yours)
    mine.get("close")
    assert (shown(yours), names(yours)) == (GOOD, "{'n': 'secret'}")


def test_the_cookie_of_an_old_key_is_taken_from_the_browser(open_page, app):
    configure(key=OLD)
    page = open_page(app)
    old = cookies_set(page.index)[0]
    current.forget()
    configure(key=[NEW, OLD])
    first, second = sorted(cookies_set(page.get("close")), key=len)
    assert first == old.split("=")[0] + "="
    assert re.fullmatch(rf"dash_brain_{current.use().keys.newest.kid}=.+", second)
    assert made(page)


def test_a_response_that_was_under_way_does_not_bring_the_closed_cookie_back(open_page, app):
    page = open_page(app)
    other = open_page(app, like=page)

    @brain_callback(Output("n", "step"), Input("n", "min"), app=app)
    def slow(_: Any) -> str:
        closing = Thread(target=other.get, args=["close"])  # as another worker would
        closing.start()
        closing.join()
        return "done"

    page.dependencies = page.get("_dash-dependencies").json
    session_registry.cache_clear()  # the cookie is renewed by the next response
    assert cookies_set(page.post("a.data"))
    session_registry.cache_clear()
    answer = page.post("n.step")
    assert answer.status_code == 200
    assert cookies_set(answer) == []


def test_closing_where_there_is_no_session_changes_nothing(open_page, app):
    client = client_of(app.server)
    response = client.get("/close")
    assert response.status_code == 200
    assert cookies_set(response) == []
    assert what_is_kept() == set()


def test_closing_twice_is_closing_once(open_page, app):
    @app.server.get("/twice")
    def twice() -> str:
        close_session()
        close_session()
        return "bye"

    page = open_page(app)
    assert len(cookies_set(page.get("twice"))) == 1
    assert made(page)


def test_a_session_that_began_with_this_request_is_closed_too(app):
    @app.server.get("/begin")
    def begin() -> str:
        session_brain["n"] = 1
        close_session()
        return repr(dict(session_brain))

    client = client_of(app.server)
    response = client.get("/begin")
    assert response.text == "{}"
    assert len(cookies_set(response)) == 1


def test_outside_of_requests_there_is_nothing_to_close():
    with pytest.raises(NoSession):
        close_session()


def test_apps_that_share_the_cookie_all_lose_the_session(open_page):
    server = flask.Flask("two")
    apps = []
    for prefix in ("/one/", "/two/"):
        app = dash.Dash(prefix, server=server, url_base_pathname=prefix)
        app.layout = html.Div([ServerStore(id="a", data=GOOD), dcc.Input(id="n"), html.Div(id="out")])
        apps.append(app)

    @server.get("/one/close")
    def close() -> str:
        close_session()
        return "bye"

    @brain_callback(
        Output("out", "children"),
        Input("a", "data"),
        app=apps[1],
        on_error=lambda error: type(error).__name__,
    )
    def show(a: Any) -> Any:
        return a

    one = open_page(apps[0])
    two = open_page(apps[1], like=one)
    old = cookies_set(two.index)[0]
    assert shown(two) == GOOD
    one.get("close")
    assert shown(two) == "BadToken"
    assert shown(replayed(two, apps[1], old)) == "BadToken"


def test_no_want_of_room_evicts_what_is_known_of_sessions():
    for domain in ("session-registry", "claims", "closed", "logins", "registry", "workers"):
        assert rank(domain, expires=1e9, used=0.0, now=1e9 - 1) is None


def test_notes_of_closed_sessions_have_an_end(monkeypatch):
    configure(max_sessions=5)
    settings = current.use()
    monkeypatch.setattr(closed_sessions, "_looked", Throttle(0))  # it looks each time
    ids = [SessionId(settings.keys.newest, f"{number:043d}") for number in range(40)]
    for one in ids:
        note_closed(settings, one)
    assert len(list(settings.store.scan("closed/sessions"))) <= 10
    assert is_closed(settings, ids[-1])
