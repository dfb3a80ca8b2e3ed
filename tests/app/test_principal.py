"""Who logs in or out is in another session, with real flask-login."""

from __future__ import annotations

from typing import Any

import dash
import pytest
from dash import Input, Output, State, dcc, html
from flask_login import current_user

from dash_brain import ServerStore, brain_callback, session_brain
from dash_brain.common.signing import Key
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore
from dash_brain.web.sessions.session_ids import SessionId, checked_principal
from dash_brain.web.sessions.session_registry import session_registry
from tests.app.asgi import client_of
from tests.app.conftest import of_flask
from tests.app.test_claims import Claiming
from tests.app.users import app_with_users, principal

GOOD = "{'kept': 'secret'}"


@pytest.fixture
def app() -> dash.Dash:
    configure(principal=principal)
    return app_with_users()


def shown(page: Any) -> str:
    return page.fire("out.children")["out"]["children"]


def names(page: Any) -> str:
    return page.fire("names.children")["names"]["children"]


def made(page: Any) -> str:
    page.fire("a.data")
    assert shown(page) == GOOD
    return page.props["a"]["data"]


def test_a_token_of_before_the_login_opens_nothing_after_it_and_the_other_way_round(open_page, app):
    page = open_page(app)
    before = made(page)
    page.get("login/ann")
    assert shown(page) == "BadToken"
    after = made(page)
    page.get("logout")
    assert shown(page) == "BadToken"
    page.props["a"]["data"] = before
    assert shown(page) == GOOD
    page.get("login/ann")
    assert shown(page) == "BadToken"
    page.props["a"]["data"] = after
    assert shown(page) == GOOD


def test_who_logs_in_next_in_the_same_browser_opens_nothing_of_the_one_before(open_page, app):
    page = open_page(app)
    page.get("login/ann")
    made(page)
    assert names(page) == "{'n': 'secret'}"
    page.get("logout")
    assert (shown(page), names(page)) == ("BadToken", "{}")
    page.get("login/bob")
    assert (shown(page), names(page)) == ("BadToken", "{}")


def test_a_cookie_planted_before_the_login_opens_nothing_after_it(open_page, app):
    attacker = open_page(app)
    victim = open_page(app, like=attacker)
    victim.client = client_of(app.server)
    kid = current.use().keys.newest.kid
    planted = attacker.index.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    victim.client.set_cookie(f"dash_brain_{kid}", planted)
    victim.get("login/ann")
    token = made(victim)
    assert names(victim) == "{'n': 'secret'}"
    for login in ("", "login/mallory"):
        attacker.get(login)
        attacker.props["a"]["data"] = token
        assert (shown(attacker), names(attacker)) == ("BadToken", "{}")


def test_a_page_of_before_the_login_learns_that_its_tokens_are_dead(open_page, app):
    page = open_page(app)
    claim, token = Claiming(page), made(page)
    assert claim(token) == []
    page.get("login/ann")
    assert claim(token) == [0]
    assert claim(made(page)) == []


def test_without_principal_the_names_of_sessions_are_what_they_were():
    key = Key(b"k" * 32)
    before = key.mac("session namespace", "app", "secret").hex()[:32]
    assert SessionId(key, "secret").session("app") == before
    assert SessionId(key, "secret").session("app", None) == before


def test_every_principal_is_another_session():
    principals = [None, "", "None", "1", 1, "str:1", "int:1", -1]
    session_id = SessionId(Key(b"k" * 32), "secret")
    assert len({session_id.session("app", one) for one in principals}) == len(principals)


@pytest.mark.parametrize("who", [True, False, b"ann", 1.0, ("ann",), object()])
def test_what_tells_no_user_from_another_is_refused(who):
    with pytest.raises(TypeError, match="str"):
        checked_principal(who)


def app_asking(principal: Any, use: Any) -> dash.Dash:
    """An app whose callback uses the session several times."""
    configure(principal=principal)
    app = dash.Dash("test")
    app.layout = html.Div([ServerStore(id="a"), dcc.Input(id="n", value=1), html.Div(id="out")])

    @brain_callback(Output("a", "data"), Output("out", "children"), Input("n", "value"), State("a", "data"))
    def put(n: int, a: Any) -> Any:
        return {"n": n}, use()

    return app


def test_principal_is_called_once_in_a_request_and_not_before_one(open_page):
    calls = []

    def use() -> str:
        session_brain["a"] = 1
        return repr(session_brain["a"])

    app = app_asking(lambda: calls.append(1), use)
    assert calls == []
    page = open_page(app)
    before = len(calls)
    page.fire("out.children")
    assert len(calls) == before + 1


@of_flask
def test_what_principal_raises_is_raised(open_page):
    failing = []

    def ask() -> None:
        if failing:
            raise LookupError("the directory of users is away")

    app = app_asking(ask, lambda: "used")
    errors: list[Exception] = []
    app._on_error = errors.append
    page = open_page(app)
    failing.append(True)
    page.post("out.children")
    assert isinstance(errors[0], LookupError)
    app.server.testing = True  # or Flask answers with a status only
    with pytest.raises(LookupError):
        page.client.get("/")


@of_flask
def test_a_principal_that_asks_for_the_session_is_told_so(open_page):
    app = app_asking(lambda: session_brain.get("user"), lambda: "used")
    app.server.testing = True
    with pytest.raises(RuntimeError, match="session_brain"):
        open_page(app)


def test_a_principal_that_is_no_function_is_refused():
    with pytest.raises(TypeError, match="principal="):
        configure(principal="ann")


def test_sessions_of_users_are_capped_too(open_page, tmp_path):
    clock = [1_800_000_000.0]
    current.forget()
    configure(FileStore(tmp_path, clock=lambda: clock[0]), max_sessions=2, principal=principal)
    page = open_page(app_with_users())
    tokens = {}
    for user in ("ann", "bob", "eve"):
        clock[0] += 1
        session_registry.cache_clear()
        page.get(f"login/{user}")
        tokens[user] = made(page)
    answers = []
    for user, token in tokens.items():
        page.get(f"login/{user}")
        page.props["a"]["data"] = token
        answers.append(shown(page))
    assert answers == ["ValueMissing", GOOD, GOOD]


def test_flask_login_knows_nobody_until_somebody_logs_in(open_page, app):
    page = open_page(app)
    with page.client:
        page.get("")
        assert principal() is None
        page.get("login/ann")
        assert current_user.get_id() == "ann"
