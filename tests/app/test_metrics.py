"""Metrics at a path of the app, for those who may read them."""

from __future__ import annotations

import secrets
from contextvars import copy_context

import dash
import pytest
from dash import Input, Output, dcc, html

from dash_brain import ServerStore, brain_callback, configure
from dash_brain.settings import current
from dash_brain.web.metrics import PATH
from tests.app.asgi import client_of

TOKEN = "a-token-of-20-letters"
KEY = secrets.token_urlsafe()


@pytest.fixture(params=["flask", "fastapi", "quart"])
def app(request) -> dash.Dash:
    app = dash.Dash("measured", backend=request.param, url_base_pathname="/below/")
    app.layout = [dcc.Input(id="n", value=1), ServerStore(id="a"), html.Div(id="out")]

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def load(n):
        return [n] * 1000

    return app


def read(app, **headers):
    return client_of(app.server).get(f"/below/{PATH}", headers=headers)


def test_who_has_the_token_reads_them(app, open_page):
    configure(metrics=TOKEN)
    copy_context().run(lambda: open_page(app).fire("a.data"))  # where Dash leaves the app
    answer = read(app, Authorization=f"Bearer {TOKEN}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    shown = answer.get_data(as_text=True)
    assert 'dash_brain_puts_total{kind="value"} 1\n' in shown
    assert "dash_brain_sessions 1\n" in shown
    assert "dash_brain_sessions_begun_total 1\n" in shown


@pytest.mark.parametrize("sent", [{}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN}])
def test_nobody_else_does(app, sent):
    configure(metrics=TOKEN)
    answer = read(app, **sent)
    assert answer.status_code == 403
    assert b"dash_brain_" not in answer.data


def test_a_function_says_who_reads_them(app):
    configure(metrics=lambda headers: headers.get("X-From") == "inside")
    assert read(app, **{"X-From": "inside"}).status_code == 200
    assert read(app, **{"X-From": "outside"}).status_code == 403


def test_there_are_none_unless_it_is_said_who_may_read_them(app):
    answer = read(app)
    assert (answer.status_code, answer.data) == (404, b"")


def test_the_token_is_not_shown_with_the_settings():
    configure(metrics=TOKEN, key=KEY)
    assert TOKEN not in repr(current.use())
    assert KEY not in repr(current.use())


def test_the_environment_may_have_the_token(app, monkeypatch):
    monkeypatch.setenv("DASH_BRAIN_METRICS", TOKEN)
    assert read(app, Authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize(("wrong", "error"), [("short", ValueError), (1, TypeError)])
def test_what_guards_nothing_is_refused(wrong, error):
    with pytest.raises(error, match=r"metrics="):
        configure(metrics=wrong)


def test_several_apps_may_have_one_server():
    first = dash.Dash("first")
    second = dash.Dash("second", server=first.server, url_base_pathname="/two/")
    first.layout = second.layout = html.Div()
    configure(metrics=TOKEN)
    for path in (f"/{PATH}", f"/two/{PATH}"):
        assert client_of(first.server).get(path).status_code == 403
