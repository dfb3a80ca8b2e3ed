"""A result that is kept for all who ask holds nothing of the session that asks: using it is refused."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import dash
import flask
import pytest
from dash import Input, Output, State, html
from flask_login import LoginManager, current_user, login_user

from dash_brain import (
    Brain,
    Memoize,
    Token,
    brain_callback,
    close_session,
    configure,
    from_token,
    session_brain,
    set_props,
    to_token,
)
from dash_brain.errors import NoSession, SessionInSharedResult, ValueMissing
from dash_brain.settings import current
from tests.app.memoized import app_with, evict, objects
from tests.app.users import User

# Functions see these as variables of their module: over local ones they would close.
USE = {}
KEPT = {}


def write_session_brain(_):
    session_brain["n"] = 1


def in_a_thread_with_the_request(function):
    """Do as code does that knows threads and Flask, and nothing of contexts."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(flask.copy_current_request_context(function)).result()


WHO_ASKS = {
    "session_brain, read": lambda _: session_brain.get("n"),
    "session_brain, write": write_session_brain,
    "session_brain, walk": lambda _: list(session_brain),
    "session_brain, search": lambda _: "n" in session_brain,
    "session_brain, single flight": lambda _: session_brain.get_or_learn("n", lambda: 1),
    "session_brain, memoize": lambda n: session_brain.memoize()(len)([n]),
    "from_token": lambda _: from_token(str(KEPT["token"])),
    "to_token": lambda _: to_token(1),
    "set_props": lambda _: set_props("out", {"children": "x"}),
    "set_props of Dash": lambda _: dash.set_props("out", {"children": "x"}),
    "close_session": lambda _: close_session(),
    "a token in a value": lambda _: {"deep": [KEPT["token"]]},
    "cookies": lambda _: dict(flask.request.cookies),
    "a cookie": lambda _: flask.request.cookies.get("theme"),
    "a header": lambda _: flask.request.headers.get("Accept-Language"),
    "all headers": lambda _: dict(flask.request.headers),
    "the user agent": lambda _: str(flask.request.user_agent),
    "authorization": lambda _: flask.request.authorization,
    "the address": lambda _: flask.request.remote_addr,
    "the environment of WSGI": lambda _: flask.request.environ["HTTP_COOKIE"],
    "the query": lambda _: flask.request.args.get("endId"),
    "the query as bytes": lambda _: flask.request.query_string,
    "the address of the page": lambda _: flask.request.url + flask.request.full_path,
    "Flask's session, its flags": lambda _: flask.session.permanent,
    "g.get": lambda _: flask.g.get("user"),
    "g.pop": lambda _: flask.g.pop("user"),
    "g, a text of the app's own": lambda _: flask.g.tenant,
    "g, a dict": lambda _: flask.g.get("profile")["name"],
    "g.setdefault": lambda _: flask.g.setdefault("tenant", "?"),
    "the request, handed on": lambda _: in_a_thread_with_the_request(lambda: dict(flask.request.cookies)),
    "the session, handed on": lambda _: in_a_thread_with_the_request(lambda: session_brain.get("n")),
    "Flask's session": lambda _: flask.session.get("n"),
    "Flask's session, write": lambda _: flask.session.update(n=1),
    "cookies of the context": lambda _: dict(dash.ctx.cookies),
    "headers of the context": lambda _: dash.ctx.headers.get("Cookie"),
    "the address of the context": lambda _: dash.ctx.remote,
    "the response": lambda _: dash.ctx.response.set_cookie("n", "1"),
    "g.user": lambda _: flask.g.user,
    "flask-login": lambda _: current_user.get_id(),
}


def make(n):
    return USE["it"](n)


async def make_async(n):
    await asyncio.sleep(0)
    return USE["it"](n)


def memoize_with_brain(n):
    return KEPT["brain"].memoize()(make)(n)


def get_or_learn(n):
    return KEPT["brain"].get_or_learn("shared", lambda: make(n))


def in_a_thread(n):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, make, n).result()


async def in_a_task(n):
    return await asyncio.create_task(make_async(n))


async def in_another_thread(n):
    return await asyncio.to_thread(make, n)


WAYS = {
    "app": (make, "app"),
    "app, async": (make_async, "app"),
    "app, ttl and key": (make, Memoize("app", ttl=60, key=lambda n: n)),
    "thread": (in_a_thread, "app"),
    "task": (in_a_task, "app"),
    "to_thread": (in_another_thread, "app"),
    "Brain.memoize": (memoize_with_brain, None),
    "Brain.get_or_learn": (get_or_learn, None),
    "Brain.memoize in the session's": (memoize_with_brain, "session"),
}


@pytest.fixture(autouse=True)
def _fresh(tmp_path):
    KEPT.clear()
    KEPT["brain"] = Brain("shared-results", path=tmp_path / "named")


def app_that(function, memoize):
    """Return an app whose callback makes a result; what it raises is shown, and in ``KEPT``."""
    server = flask.Flask("shared")
    server.secret_key = "only a test signs with this"
    LoginManager(server).user_loader(User)
    app = app_with(html.Div(id="out"), html.Div(id="ready"), server=server)

    def note(error):
        KEPT["error"] = error
        return type(error).__name__

    @server.get("/login")
    def log_in():
        login_user(User("ann"))
        return "hello"

    @server.before_request
    def load_user():
        flask.g.user = flask.g.tenant = "ann"
        flask.g.profile = {"name": "ann"}
        flask.g.opened = KEPT["brain"]

    @brain_callback(Output("ready", "children"), Input("n", "value"), app=app)
    def ready(n):
        session_brain["n"] = "of the session"
        KEPT["token"] = to_token({"of": "the session"})
        return n

    brain_callback(Output("a", "data"), Input("n", "value"), memoize=memoize, on_error=note, app=app)(
        function
    )
    return app


#: All that names who asks, in a callback that is memoized for all; some of it in each other way to make one:
#: what is used asks one variable of the context whether it is refused, and does not know the way.
USED = [(used, "app") for used in WHO_ASKS]
USED += [
    (used, way)
    for way in WAYS
    if way != "app"
    for used in (
        *("session_brain, read", "session_brain, memoize", "from_token", "set_props", "a token in a value"),
        *("cookies", "g.get", "flask-login", "the request, handed on"),
    )
]


@pytest.mark.parametrize(("used", "way"), USED)
def test_whatever_names_who_asks_is_refused_while_a_result_for_all_is_made(open_page, used, way):
    function, memoize = WAYS[way]
    USE["it"] = WHO_ASKS[used]
    page = open_page(app_that(function, memoize))
    page.get("login")
    page.fire("ready.children")
    page.fire("a.data")
    error = KEPT.get("error")
    assert isinstance(error, SessionInSharedResult), error
    assert isinstance(error, NoSession)
    assert 'memoize="session"' in str(error)
    assert "argument" in str(error)
    named = "'shared'" if way == "Brain.get_or_learn" else function.__name__ if memoize == "app" else "make"
    assert named in str(error) or "handed on" in used  # what is made is not known there
    assert KEPT["token"] not in str(error)
    assert not objects("memo")
    # The session itself was not touched, and goes on.
    assert page.fire("ready.children") == {"ready": {"children": 2}}


def test_error_names_what_was_used_and_the_function(open_page):
    USE["it"] = WHO_ASKS["session_brain, read"]
    page = open_page(app_that(make, "app"))
    page.fire("a.data")
    assert str(KEPT["error"]).startswith(
        f"session_brain belongs to the caller, and the result of {__name__}.make is shared by all callers."
    )


ALLOWED = {
    "a token of the app": lambda _: from_token(to_token(7, scope="app")),
    "the path": lambda _: flask.request.path,
    "the host": lambda _: flask.request.host,
    "the host's header": lambda _: "Host" in flask.request.headers and flask.request.headers["Host"],
    "inputs": lambda n: dash.ctx.inputs == {"n.value": n},
    "the app": lambda _: dash.get_app().config.name,
    "a Brain": lambda _: KEPT["brain"].get("n", 0),
    "g": lambda _: flask.g.setdefault("connection", 1),
    "what was opened in g": lambda _: flask.g.opened.get("n", 0),
    "how long it took": lambda _: dash.ctx.record_timing("query", 0.1),
}


@pytest.mark.parametrize("used", ALLOWED)
def test_what_is_the_same_for_all_is_there(open_page, used):
    USE["it"] = lambda n: [ALLOWED[used](n)]
    page = open_page(app_that(make, "app"))
    page.fire("a.data")
    assert "error" not in KEPT


def test_what_is_opened_in_g_meanwhile_is_closed_with_the_request(open_page):
    USE["it"] = lambda _: flask.g.setdefault("connection", 1)
    app = app_that(make, "app")
    closed = []
    app.server.teardown_appcontext(lambda _: closed.append(flask.g.pop("connection", None)))
    page = open_page(app)
    closed.clear()
    page.fire("a.data")
    assert closed == [1]


@pytest.mark.parametrize("used", ["session_brain, read", "from_token", "cookies", "to_token", "set_props"])
def test_result_for_a_value_of_the_session_is_the_sessions_and_may_use_it(open_page, used):
    USE["it"] = lambda _: [str(type(WHO_ASKS[used](0)))]
    app = app_that(make, None)

    @brain_callback(Output("b", "data"), Input("a", "data"), memoize="app", app=app)
    def of_a_value(a):
        return USE["it"](a)

    page = open_page(app)
    page.fire("ready.children")
    page.fire("a.data")
    page.fire("b.data")
    assert not objects("memo")
    assert objects("session-memo")


@pytest.mark.parametrize("used", ["session_brain, read", "from_token", "cookies", "flask-login"])
def test_result_for_the_session_may_use_it(open_page, used):
    USE["it"] = lambda _: [str(type(WHO_ASKS[used](0)))]
    page = open_page(app_that(make, "session"))
    page.get("login")
    page.fire("ready.children")
    page.fire("a.data")
    assert "error" not in KEPT


def test_functions_memoized_in_the_session_may_use_it(open_page):
    def whole(n):
        return session_brain.memoize()(read)(n), session_brain.get_or_learn("m", lambda: session_brain["n"])

    def read(n):
        return session_brain["n"]

    page = open_page(app_that(whole, None))
    page.fire("ready.children")
    page.fire("a.data")
    assert "error" not in KEPT


def test_renewal_of_a_stale_result_is_refused_the_session_too(open_page, caplog):
    USE["it"] = lambda _: ["first"]
    page = open_page(app_that(make, Memoize("app", ttl=0.01, stale=3600)))
    page.fire("ready.children")
    page.fire("a.data")
    KEPT["used"] = []

    def use(n):
        try:
            return WHO_ASKS["session_brain, read"](n)
        except SessionInSharedResult as error:
            KEPT["used"].append(error)
            raise

    USE["it"] = use
    time.sleep(0.02)
    page.fire("a.data")
    for thread in threading.enumerate():
        if thread.name == "dash_brain-renew":
            thread.join()
    assert len(KEPT["used"]) == 1


def test_value_that_is_computed_again_for_another_session_is_refused_the_session(open_page):
    USE["it"] = lambda _: ["first"]
    app = app_that(make, "app")

    @brain_callback(
        Output("out", "children"),
        State("a", "data"),
        Input("n", "title"),
        app=app,
        on_error=lambda e: repr(e),
    )
    def show(a, _):
        return a

    page = open_page(app)
    page.fire("ready.children")
    page.fire("a.data")
    evict()
    for name in ("session_brain, read", "cookies", "flask-login"):
        USE["it"] = WHO_ASKS[name]
        answer = page.fire("out.children")["out"]["children"]
        assert ValueMissing.__name__ in answer
        assert not objects("memo")


def test_background_job_that_makes_a_result_for_all_is_refused_the_session():
    from dash_brain.shared_results import computing_shared_result
    from dash_brain.web.sessions.job_context import JobContext, running_job

    configure("memory://jobs-for-all")
    current.use()
    with (
        running_job(JobContext("app", "session", "key", [], 0)),
        computing_shared_result("the result of job"),
    ):
        with pytest.raises(SessionInSharedResult, match="job"):
            session_brain.get("n")
        with pytest.raises(SessionInSharedResult, match="job"):
            to_token(1)


def test_outside_of_such_results_a_token_is_stored_as_it_is():
    token = Token(f"db1.00000000.s{'0' * 32}.{'a' * 43}")
    KEPT["brain"]["token"] = {"deep": token}
    assert KEPT["brain"]["token"] == {"deep": token}
    assert type(KEPT["brain"]["token"]["deep"]) is Token
