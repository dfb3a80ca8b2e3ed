"""The Dash apps of this process: which of them a request is for, and on which server it runs."""

from __future__ import annotations

import dash

from dash_brain.errors import BackendNotSupported
from dash_brain.hooks import apps, references
from dash_brain.web.servers import Request, current_request

#: Dash's names of the servers that sessions work with.
_SUPPORTED = {"flask", "fastapi", "quart"}


def requested_app() -> dash.Dash | None:
    """Return the Dash app below whose path the current request came in, None outside of requests.

    While a callback runs, ``dash.get_app()`` names the app that was created last, which is the wrong one
    when a process serves several.
    """
    request = current_request()
    return None if request is None else app_of(request)


def app_of(request: Request) -> dash.Dash | None:
    """Return the Dash app below whose path a request came in."""
    found, length = None, -1
    for reference in tuple(references):
        app = reference()
        if app is None or app.server is not request.server:
            continue
        prefix = app.config["routes_pathname_prefix"]
        if request.path.startswith(prefix) and len(prefix) > length:
            found, length = app, len(prefix)
    return found or latest_app()


def latest_app() -> dash.Dash | None:
    """Return the app created last, also one from before dash_brain was imported."""
    try:
        app: dash.Dash = dash.get_app()
        return app
    except dash.exceptions.AppNotFoundError:
        return None


def check_backend(app: dash.Dash | None = None) -> None:
    """Raise :class:`BackendNotSupported` for a server of another kind, of this app or of all."""
    asked = [app] if app is not None else apps()
    servers = set(map(server_type, asked))
    if servers and not servers & _SUPPORTED:
        raise BackendNotSupported(
            f"The app is served by {' and '.join(sorted(servers))}, but brain_callback, ServerStore and "
            'sessions work with Flask, FastAPI and Quart: make it with Dash(backend="flask"), which is the '
            'default, "fastapi" or "quart". Brain works with every backend.'
        )


def is_supported(app: dash.Dash) -> bool:
    """Say whether sessions work with the server of an app."""
    return server_type(app) in _SUPPORTED


def check_current_backend() -> None:
    """Raise :class:`BackendNotSupported` when the running code is for a server of another kind."""
    if current_request() is None:
        check_backend(latest_app())


def server_type(app: dash.Dash) -> str:
    """Return the name that Dash has for the server of an app, as ``"flask"``."""
    # What others take for an app, as the blueprints of dash-extensions, may have no backend of its own.
    return str(getattr(getattr(app, "backend", None), "server_type", "flask"))
