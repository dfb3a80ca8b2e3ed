"""How the browser keeps its session: ``cookie="lax"``, ``"iframe"`` and ``"page"``, http and https."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import dash
import pytest
from dash import Input, Output, dcc, html
from werkzeug.middleware.proxy_fix import ProxyFix

from dash_brain import ServerStore, brain_callback, close_session, session_brain
from dash_brain.errors import NoSession
from dash_brain.settings import configure, current
from tests.app.conftest import of_flask
from tests.app.test_claims import Claiming
from tests.app.test_sessions import cookie_of, secret_app, shown

GOOD = "{'kept': 'secret'}"
ONE_KEY, OTHER_KEY = secrets.token_urlsafe(), secrets.token_urlsafe()


def attributes(cookie: str) -> set[str]:
    return set(cookie.split("; ")[1:])


def error_of(page: Any, app: dash.Dash) -> Exception:
    errors: list[Exception] = []
    app._on_error = errors.append
    page.post("a.data")
    return errors[0]


def test_in_mode_iframe_the_cookie_is_partitioned_and_secure(open_page):
    configure(cookie="iframe")
    page = open_page(secret_app(), base_url="https://localhost")
    assert cookie_of(page).startswith("__Host-dash_brain_iframe_")
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"} <= attributes(cookie_of(page))
    page.fire("a.data")
    assert shown(page) == GOOD


def test_in_mode_iframe_plain_http_has_no_session_and_is_told_what_to_do(open_page, caplog):
    configure(cookie="iframe")
    app = secret_app()
    page = open_page(app)
    assert "Set-Cookie" not in page.index.headers
    [warning] = caplog.records
    assert (warning.event, warning.reason) == ("page_without_session", "plain_http")
    error = error_of(page, app)
    assert isinstance(error, NoSession)
    assert "https" in str(error)
    assert "ProxyFix" in str(error)
    assert "Set-Cookie" not in Claiming(page).post({}).headers


def test_the_cookie_of_one_mode_is_none_of_another(open_page):
    configure(cookie="lax")
    app = secret_app()
    lax = open_page(app, base_url="https://localhost")
    current.forget()
    configure(cookie="iframe")
    iframe = open_page(app, like=lax, base_url="https://localhost")
    assert cookie_of(iframe).split(".")[1] != cookie_of(lax).split(".")[1]


def test_closing_in_mode_iframe_replaces_the_partitioned_cookie(open_page):
    configure(cookie="iframe")
    app = secret_app()

    @app.server.get("/close")
    def close() -> str:
        close_session()
        return "bye"

    page = open_page(app, base_url="https://localhost")
    cookie = page.get("close").headers["Set-Cookie"]
    assert {"SameSite=None", "Partitioned"} <= attributes(cookie)
    assert cookie.split(";")[0] != cookie_of(page).split(";")[0]


@pytest.mark.parametrize("wrong", ["strict", "None", 1])
def test_an_unknown_mode_is_refused(wrong):
    with pytest.raises(ValueError, match="lax, iframe, page"):
        configure(cookie=wrong)


def test_the_mode_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DASH_BRAIN_COOKIE", "iframe")
    assert current.use().cookie == "iframe"


@of_flask
def test_behind_a_proxy_that_ends_https_proxyfix_makes_the_cookie_secure(open_page):
    app = secret_app()
    app.server.wsgi_app = ProxyFix(app.server.wsgi_app, x_proto=1)
    page = open_page(app)
    assert cookie_of(page).startswith("dash_brain_")
    page.client.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"
    cookie = page.get("").headers["Set-Cookie"]
    assert cookie.startswith("__Host-dash_brain_")
    assert "Secure" in attributes(cookie)


def test_two_apps_of_a_host_with_one_key_share_the_cookie_and_no_values(open_page):
    configure(key=ONE_KEY)
    one, two = secret_app(url_base_pathname="/one/"), secret_app(url_base_pathname="/two/")
    here = open_page(one)
    there = open_page(two, like=here)
    assert cookie_of(here).split(";")[0] == cookie_of(there).split(";")[0]
    here.fire("a.data")
    there.props["a"]["data"] = here.props["a"]["data"]
    assert (shown(here), shown(there)[:8]) == (GOOD, "BadToken")


def test_two_apps_of_a_host_with_keys_of_their_own_keep_cookies_of_their_own(open_page):
    one, two = secret_app(url_base_pathname="/one/"), secret_app(url_base_pathname="/two/")
    configure(key=ONE_KEY)
    here = open_page(one)
    here.fire("a.data")
    current.forget()
    configure(key=OTHER_KEY)
    there = open_page(two, like=here)
    there.fire("a.data")
    assert cookie_of(here).split("=")[0] != cookie_of(there).split("=")[0]
    assert shown(there) == GOOD
    current.forget()
    configure(key=ONE_KEY)
    assert shown(here) == GOOD  # the other's cookie has not taken the place of this one's


# -- cookie="page" -----------------------------------------------------------------------------------


def carry(page: Any) -> Any:
    """Let the page show its secret as Dash's renderer does, and keep no cookie."""
    config = re.search(r'<script id="_dash-config" type="application/json">(.+?)</script>', page.index.text)
    assert config is not None
    page.secret = json.loads(config[1])["end_id"]
    page.client.post = show_with(page.client.post, page)
    return page


def show_with(post: Any, page: Any) -> Any:
    return lambda path, **options: post(path, query_string={"endId": page.secret}, **options)


@pytest.fixture
def open_carrying(open_page):
    configure(cookie="page")
    return lambda app, **options: carry(open_page(app, **options))


def test_in_mode_page_a_page_is_a_session_without_a_cookie(open_carrying):
    app = secret_app()
    page, other = open_carrying(app), open_carrying(app)
    assert "Set-Cookie" not in page.index.headers
    assert "private" in page.index.headers["Cache-Control"]
    response = page.post("a.data")
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    page.fire("a.data")
    assert shown(page) == GOOD
    other.props["a"]["data"] = page.props["a"]["data"]
    assert shown(other).startswith("BadToken")


def test_in_mode_page_a_page_claims_what_it_holds(open_carrying):
    from tests.app.test_claims import Claiming

    app = secret_app()
    page = open_carrying(app)
    page.fire("a.data")
    claim = Claiming(page)
    assert claim(page.props["a"]["data"], "no token") == [1]


@pytest.mark.parametrize("secret", ["", "short", "x" * 23, "x" * 201])
def test_a_secret_that_could_be_guessed_is_no_session(open_carrying, secret):
    app = secret_app()
    page = open_carrying(app)
    page.secret = secret
    error = error_of(page, app)
    assert isinstance(error, NoSession)
    assert "reload" in str(error)


def test_in_mode_page_a_cookie_is_no_session(open_page):
    app = secret_app()
    page = open_page(app)
    assert "Set-Cookie" in page.index.headers
    current.forget()
    configure(cookie="page")
    assert isinstance(error_of(page, app), NoSession)


def test_in_mode_page_a_layout_has_no_session_and_says_so(open_carrying):
    app = dash.Dash("test")
    errors: list[Exception] = []

    def layout() -> Any:
        try:
            session_brain["n"] = 1
        except NoSession as error:
            errors.append(error)
        return html.Div([ServerStore(id="a", data=("initial",)), dcc.Input(id="n"), html.Div(id="out")])

    app.layout = layout

    @brain_callback(Output("out", "children"), Input("a", "data"))
    def show(a: Any) -> str:
        return repr(a)

    page = open_carrying(app)
    assert "layout" in str(errors[-1])
    assert shown(page) == "('initial',)"


def test_a_closed_page_has_no_session_until_it_is_loaded_anew(open_carrying):
    app = secret_app()

    @brain_callback(Output("n", "lang"), Input("n", "list"), app=app)
    def close(_: Any) -> str:
        close_session()
        return "bye"

    page = open_carrying(app)
    page.fire("a.data")
    assert page.fire("n.lang") == {"n": {"lang": "bye"}}
    error = error_of(page, app)
    assert isinstance(error, NoSession)
    assert "closed" in str(error)
    again = open_carrying(app)
    again.fire("a.data")
    assert shown(again) == GOOD
