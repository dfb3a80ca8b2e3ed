"""An app in which users log in with flask-login, and a page keeps what they type."""

from __future__ import annotations

import secrets

import dash
import flask
from dash import Input, Output, dcc, html
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from dash_brain import ServerStore, brain_callback, close_session, session_brain


class User(UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


def principal() -> str | None:
    return current_user.get_id()


def app_with_users() -> dash.Dash:
    """``/login/<name>``, ``/logout`` (keeps the session id) and ``/close`` (ends the session)."""
    server = flask.Flask("users")
    server.secret_key = secrets.token_urlsafe()
    LoginManager(server).user_loader(User)
    app = dash.Dash("users", server=server)
    app.layout = html.Div(
        [ServerStore(id="a"), dcc.Input(id="n", value="secret"), html.Div(id="out"), html.Div(id="names")]
    )

    @server.get("/login/<name>")
    def log_in(name: str) -> str:
        login_user(User(name))
        return name

    @server.get("/logout")
    def log_out() -> str:
        logout_user()
        return "bye"

    @server.get("/close")
    def close() -> str:
        close_session()
        logout_user()
        return "bye"

    @brain_callback(Output("a", "data"), Input("n", "value"), app=app)
    def put(n: str) -> dict[str, str]:
        session_brain["n"] = n
        return {"kept": n}

    @brain_callback(
        Output("out", "children"), Input("a", "data"), app=app, on_error=lambda error: type(error).__name__
    )
    def show(a: object) -> str:
        return repr(a)

    @brain_callback(Output("names", "children"), Input("n", "title"), app=app)
    def names(title: object) -> str:
        return repr(dict(session_brain))

    return app
