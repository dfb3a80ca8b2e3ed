"""Who may see what: cookies, tokens, and the namespaces of sessions and apps."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from typing import Any

import dash
import flask
import pytest
from dash import Input, Output, State, dcc, html

from dash_brain import ServerStore, brain_callback, session_brain, to_token
from dash_brain.errors import BadToken, NoSession
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore
from dash_brain.stores.mapped.volume.quoting import quote
from dash_brain.web import servers
from dash_brain.web.sessions.session_registry import session_registry
from tests.app.asgi import client_of
from tests.app.conftest import of_flask


def secret_app(**options: Any) -> dash.Dash:
    """An app whose callback keeps a secret of the session, and one that shows what a token stands for."""
    app = dash.Dash("test", **options)
    app.layout = html.Div([ServerStore(id="a"), dcc.Input(id="n", value="secret"), html.Div(id="out")])

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def put(n):
        return {"kept": n}

    @brain_callback(
        Output("out", "children"),
        Input("a", "data"),
        app=app,
        on_error=lambda error: f"{type(error).__name__}: {error}",
    )
    def show(a):
        return repr(a)

    return app


def shown(page: Any) -> str:
    return page.fire("out.children")["out"]["children"]


def cookie_of(page: Any) -> str:
    return page.index.headers["Set-Cookie"]


def test_the_page_brings_a_signed_cookie_that_scripts_cannot_read(open_page):
    page = open_page(secret_app())
    cookie = cookie_of(page)
    kid = current.use().keys.newest.kid
    assert re.match(rf"dash_brain_{kid}={kid}\.[\w-]{{43}}\.[\w-]{{43}}; ", cookie)
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=28800"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "private" in page.index.headers["Cache-Control"]
    assert "no-cache" in page.index.headers["Cache-Control"]
    assert "no-store" not in page.index.headers["Cache-Control"]
    assert "Cookie" in page.index.headers["Vary"]


def test_on_https_the_cookie_is_bound_to_the_host(open_page):
    page = open_page(secret_app(), base_url="https://localhost")
    assert cookie_of(page).startswith("__Host-dash_brain_")
    assert "Secure" in cookie_of(page)
    page.fire("a.data")
    assert shown(page) == "{'kept': 'secret'}"


def test_on_https_a_cookie_that_plain_http_could_have_planted_is_not_taken(open_page):
    app = secret_app()
    planted = open_page(app)
    secure = open_page(app, like=planted, base_url="https://localhost")
    assert cookie_of(secure).split(".")[1] != cookie_of(planted).split(".")[1]


def test_a_second_visit_keeps_the_session(open_page):
    app = secret_app()
    first = open_page(app)
    again = open_page(app, like=first)
    assert cookie_of(again).split(";")[0] == cookie_of(first).split(";")[0]


def test_callbacks_never_make_a_session(open_page):
    app = secret_app()
    page = open_page(app)
    page.client = client_of(app.server)
    response = page.post("a.data")
    assert "Set-Cookie" not in response.headers
    assert response.status_code == 500


def test_without_a_cookie_a_callback_says_what_is_wrong(open_page):
    app = secret_app()
    errors: list[Exception] = []
    app._on_error = errors.append
    page = open_page(app)
    page.client = client_of(app.server)
    page.post("a.data")
    assert isinstance(errors[0], NoSession)
    assert "reload" in str(errors[0])


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "a.b.c",
        "00000000.{id}.{mac}",
        "{kid}.{id}.",
        "{kid}.{id}.{mac}x",
        "{kid}.{other}.{mac}",
        "{kid}.{id}",
    ],
)
def test_cookies_that_we_did_not_sign_are_never_adopted(open_page, cookie):
    app = secret_app()
    page = open_page(app)
    kid, session_id, mac = cookie_of(page).split("=", 1)[1].split(";")[0].split(".")
    forged = cookie.format(kid=kid, id=session_id, mac=mac, other="A" * 43)
    page.client = client_of(app.server)
    page.client.set_cookie(f"dash_brain_{kid}", forged)
    assert page.post("a.data").status_code == 500
    assert session_id not in page.get("").headers["Set-Cookie"]


def test_a_token_opens_nothing_in_another_session(open_page):
    app = secret_app()
    mine, yours = open_page(app), open_page(app)
    mine.fire("a.data")
    yours.props["a"]["data"] = mine.props["a"]["data"]
    assert shown(mine) == "{'kept': 'secret'}"
    assert shown(yours).startswith("BadToken")


def test_ones_signature_on_the_others_object_opens_nothing(open_page):
    app = secret_app()
    mine, yours = open_page(app), open_page(app)
    mine.fire("a.data")
    yours.fire("a.data")
    theirs = yours.props["a"]["data"].split(".")
    foreign = mine.props["a"]["data"].split(".")
    for mixed in ([*foreign[:3], theirs[3]], [*theirs[:3], foreign[3]]):
        yours.props["a"]["data"] = ".".join(mixed)
        assert shown(yours).startswith("BadToken")


def test_every_bad_token_gets_the_same_answer(open_page):
    app = secret_app()
    mine, yours = open_page(app), open_page(app)
    mine.fire("a.data")
    good = mine.props["a"]["data"]
    never = f"{good[:13]}s{'0' * 32}{good[46:]}"
    bad = [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:-1],
        good + "A",
        good.upper(),
        "x" * 90,
        never,
    ]
    bad += [
        good.replace(".s", ".a"),
        "db1." + "0" * 8 + good[12:],
        good.replace("db1", "db2"),
        good[:-1] + "é",
    ]
    answers = set()
    for token in [*bad, good]:
        yours.props["a"]["data"] = token
        answers.add(shown(yours))
    assert len(answers) == 1


def test_an_app_token_works_in_every_session_of_the_app_and_nowhere_else(open_page):
    app, other = secret_app(), secret_app(url_base_pathname="/other/")
    mine, yours, foreign = open_page(app), open_page(app), open_page(other)
    with mine.client:
        mine.get("_dash-layout")
        token = to_token({"shared": 1}, scope="app")
    for page, answer in ((mine, "{'shared': 1}"), (yours, "{'shared': 1}"), (foreign, "BadToken")):
        page.props["a"]["data"] = str(token)
        assert shown(page).startswith(answer)


def test_the_same_session_has_a_namespace_per_app(open_page):
    server = flask.Flask("two")
    one = secret_app(server=server, url_base_pathname="/one/")
    two = secret_app(server=server, url_base_pathname="/two/")
    here = open_page(one)
    there = open_page(two, like=here)
    assert cookie_of(here).split(";")[0] == cookie_of(there).split(";")[0]
    here.fire("a.data")
    there.props["a"]["data"] = here.props["a"]["data"]
    assert shown(here) == "{'kept': 'secret'}"
    assert shown(there).startswith("BadToken")


def test_apps_with_one_id_share_their_sessions(open_page):
    current.forget()
    configure(app_id="both")
    one, two = secret_app(), secret_app(url_base_pathname="/two/")
    here = open_page(one)
    here.fire("a.data")
    there = open_page(two, like=here)
    there.props["a"]["data"] = here.props["a"]["data"]
    assert shown(there) == "{'kept': 'secret'}"


def test_session_brain_keeps_names_apart_by_session(open_page):
    app = dash.Dash("test")
    app.layout = html.Div([dcc.Input(id="n", value="mine"), html.Div(id="out")])

    @dash.callback(Output("out", "children"), Input("n", "value"))
    def keep(n):
        before = dict(session_brain)
        session_brain["n"] = n
        return repr(before)

    mine = open_page(app)
    assert shown(mine) == "{}"
    yours = open_page(app)
    yours.props["n"]["value"] = "yours"
    assert shown(yours) == "{}"
    assert shown(mine) == "{'n': 'mine'}"
    assert shown(yours) == "{'n': 'yours'}"


def test_session_brain_is_a_mapping(open_page):
    app = dash.Dash("test", suppress_callback_exceptions=True)

    def layout():
        session_brain.clear()
        session_brain["a"] = [1]
        session_brain.update(b=2, c=3)
        assert len(session_brain) == 3
        assert sorted(session_brain) == ["a", "b", "c"]
        assert session_brain.pop("c") == 3
        assert "c" not in session_brain
        assert session_brain.get("c") is None
        del session_brain["b"]
        assert session_brain.get_or_learn("d", lambda: "made") == "made"
        assert session_brain.get_or_learn("d", lambda: "again") == "made"
        with pytest.raises(KeyError):
            session_brain["b"]
        return html.Div(repr(sorted(session_brain)), id="out")

    app.layout = layout
    page = open_page(app)
    assert page.props["out"]["children"] == "['a', 'd']"


def test_outside_of_requests_there_is_no_session():
    with pytest.raises(NoSession, match="Brain"):
        session_brain["a"]
    with pytest.raises(NoSession):
        to_token(1)


@of_flask
def test_layout_functions_give_each_user_his_own_initial_data(open_page):
    app = dash.Dash("test")

    def layout():
        try:
            mine = session_brain.get_or_learn("mine", lambda: [flask.request.headers.get("X-User")])
        except NoSession:  # Dash calls it once before anyone asks
            mine = None
        return html.Div([ServerStore(id="a", data=mine), html.Div(id="out")])

    app.layout = layout

    @brain_callback(
        Output("out", "children"), Input("a", "data"), on_error=lambda error: type(error).__name__
    )
    def show(a):
        return repr(a)

    pages = []
    for user in ("ann", "bob"):
        page = open_page(app)
        page.client.environ_base["HTTP_X_USER"] = user
        page.get("_dash-layout")
        page.hold(page.get("_dash-layout").json)
        pages.append(page)
    ann, bob = pages
    assert ann.props["a"]["data"] != bob.props["a"]["data"]
    ann_token, bob_token = ann.props["a"]["data"], bob.props["a"]["data"]
    ann.props["a"]["data"] = bob_token
    bob.props["a"]["data"] = ann_token
    assert shown(ann) == shown(bob) == "BadToken"


def test_a_layout_served_without_a_session_keeps_its_data_in_the_app(open_page):
    app = secret_app()
    app.layout = html.Div([ServerStore(id="a", data=("initial",)), html.Div(id="out")])
    page = open_page(app)
    page.client = client_of(app.server)
    page.hold(page.get("_dash-layout").json)
    assert page.props["a"]["data"].split(".")[2].startswith("a")
    other = open_page(app)
    other.props["a"]["data"] = page.props["a"]["data"]
    assert shown(other) == "('initial',)"


def test_no_folder_name_reveals_a_cookie(open_page, tmp_path):
    page = open_page(secret_app())
    page.fire("a.data")
    session_id = cookie_of(page).split(".")[1]
    names = [str(path) for path in (tmp_path / "store").rglob("*")]
    assert any("session" in name for name in names)
    forms = {session_id, quote(session_id), session_id.encode().hex()}
    assert not any(form[:16] in name for name in names for form in forms)


def test_keys_rotate_while_sessions_live_on(open_page):
    old, new = secrets.token_urlsafe(), secrets.token_urlsafe()
    configure(key=old)
    app = secret_app()
    page = open_page(app)
    page.fire("a.data")
    current.forget()
    configure(key=[new, old])
    assert shown(page) == "{'kept': 'secret'}"
    page.fire("a.data")
    assert page.props["a"]["data"].split(".")[1] == current.use().keys.newest.kid
    assert shown(page) == "{'kept': 'secret'}"
    current.forget()
    configure(key=new)
    assert shown(page).startswith("BadToken")


def test_the_cookie_is_renewed_while_the_page_is_used(open_page, monkeypatch):
    app = secret_app()
    page = open_page(app)
    session_registry.cache_clear()
    assert "Max-Age=28800" in page.post("a.data").headers["Set-Cookie"]
    assert "Set-Cookie" not in page.post("a.data").headers
    later = time.monotonic() + 1800
    monkeypatch.setattr("time.monotonic", lambda: later)
    assert "Max-Age=28800" in page.post("a.data").headers["Set-Cookie"]


def test_a_token_typed_into_a_text_field_stays_text(open_page):
    app = secret_app()

    @brain_callback(Output("n", "title"), Input("n", "value"), State("a", "data"), app=app)
    def echo(n, a):
        return n

    page = open_page(app)
    page.fire("a.data")
    page.props["n"]["value"] = page.props["a"]["data"]
    assert page.fire("n.title")["n"]["title"] == page.props["a"]["data"]


def test_bad_token_and_missing_value_are_told_apart_only_in_ones_own_session(open_page):
    app = secret_app()
    mine, yours = open_page(app), open_page(app)
    mine.fire("a.data")
    namespace = next(iter(current.use().store.namespaces("session")))
    current.use().store.drop(namespace)
    yours.props["a"]["data"] = mine.props["a"]["data"]
    assert shown(mine).startswith("ValueMissing")
    assert shown(yours).startswith(BadToken.__name__)


def test_a_brain_lies_where_the_app_was_configured_to_keep_its_values(tmp_path):
    from dash_brain import Brain

    current.forget()
    configure(f"file://{tmp_path}/elsewhere")
    Brain()["a"] = 1
    assert (tmp_path / "elsewhere").exists()


def test_sessions_are_capped_and_the_longest_idle_one_goes(open_page, tmp_path):
    clock = [1_800_000_000.0]
    current.forget()
    configure(FileStore(tmp_path, clock=lambda: clock[0]), max_sessions=2)
    app = secret_app()
    pages = []
    for _ in range(3):
        clock[0] += 1
        pages.append(open_page(app))
        pages[-1].fire("a.data")
        if len(pages) == 2:
            clock[0] += 1
            session_registry.cache_clear()
            pages[0].fire("a.data")
    assert [shown(page)[:12] for page in pages] == ["{'kept': 'se", "ValueMissing", "{'kept': 'se"]


def test_a_route_of_ones_own_begins_a_session_that_lasts(open_page):
    app = secret_app()

    @app.server.get("/count")
    def count():
        session_brain["n"] = session_brain.get("n", 0) + 1
        return str(session_brain["n"])

    client = client_of(app.server)
    assert [client.get("/count").text.strip('"') for _ in range(3)] == ["1", "2", "3"]


def test_workers_agree_on_the_key_of_a_store_that_was_made_anew(open_page, tmp_path):
    app = secret_app()
    open_page(app).fire("a.data")
    before = current.use().keys.newest.kid
    for folder in (tmp_path / "store").iterdir():
        shutil.rmtree(folder)
    page = open_page(app)
    page.fire("a.data")
    assert shown(page) == "{'kept': 'secret'}"
    assert current.use().keys.newest.kid != before
    current.forget()  # as in a worker that was started after the loss
    assert shown(page) == "{'kept': 'secret'}"


def test_what_a_session_keeps_lives_while_it_is_read(open_page, tmp_path):
    clock = [1_800_000_000.0]
    current.forget()
    configure(FileStore(tmp_path, clock=lambda: clock[0]), session_ttl=100)
    app = dash.Dash("test")
    app.layout = html.Div([dcc.Input(id="n"), html.Div(id="out")])

    @dash.callback(Output("out", "children"), Input("n", "value"))
    def read(n):
        return session_brain.setdefault("made", "at first" if clock[0] == 1_800_000_000.0 else "anew")

    page = open_page(app)
    for _ in range(3):
        assert shown(page) == "at first"
        clock[0] += 90
    clock[0] += 20
    assert shown(page) == "anew"


def test_a_second_signal_while_a_worker_ends_prints_nothing(tmp_path):
    code = """
import os, signal, sys
from dash_brain.web.sessions.worker_keys import worker_keys
from dash_brain.settings import current
from tests.app.asgi import client_of

settings = current.use()
worker_keys(settings, "app").check()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as gunicorn's workers do
type(settings.store).delete = lambda *_: os.kill(os.getpid(), signal.SIGTERM)
"""
    env = {**os.environ, "DASH_BRAIN_STORE": f"file://{tmp_path}"}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", ["_REQUEST_CONTEXT", "_APP_CONTEXT"])
def test_a_release_of_flask_without_these_context_variables_serves_sessions_too(open_page, monkeypatch, name):
    monkeypatch.setattr(servers.flask, name, None)
    page = open_page(secret_app())
    page.fire("a.data")
    assert shown(page) == "{'kept': 'secret'}"
