"""When an app begins to serve, and its requests; and calls of its functions outside of any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context, copy_context
from threading import RLock
from typing import Any

import dash
from dash._callback_context import context_value
from dash._get_app import app_context

from dash_brain.hooks import apps
from dash_brain.web.apps import is_supported
from dash_brain.web.servers import has_served, install, is_asgi


def unserved_apps() -> list[dash.Dash]:
    """Return the apps that were made before dash_brain was used, and have not served yet."""
    return [app for app in _made() if not has_served(app.server)]


def served_apps() -> list[dash.Dash]:
    """Return the apps that served already before dash_brain was used."""
    return [app for app in _made() if is_supported(app) and has_served(app.server)]


def _made() -> list[dash.Dash]:
    return [app for app in apps() if getattr(app, "_initialized_server", None) is app.server]


def when_first_served(app: dash.Dash, function: Callable[[dash.Dash], None]) -> None:
    """Call a function with the app when it serves first: Dash has collected its callbacks then."""
    set_up, is_done = app._setup_server, False
    alone = RLock()  # Dash serves what other threads get meanwhile, without the callbacks

    def set_up_and_call() -> None:
        nonlocal is_done
        with alone:
            set_up()  # type: ignore[no-untyped-call]
            if not is_done:
                is_done = True
                function(app)

    app._setup_server = set_up_and_call  # type: ignore[method-assign]
    if app in unserved_apps():  # the server has the original function already
        app.backend.before_request(set_up_and_call)


def follow_requests(app: dash.Dash, follow: Callable[[dash.Dash], None]) -> None:
    """Let :func:`current_request` know the requests of an app, and call a function with the app then.

    That is when the app gets its server, which may be later than the app is made.
    """
    set_up = app.backend.setup_backend

    def set_up_and_follow(served: dash.Dash) -> None:
        set_up(served)
        install(served.server, _begin_without_callback)
        follow(served)

    if app in unserved_apps():
        install(app.server, _begin_without_callback)
        follow(app)
    else:
        app.backend.setup_backend = set_up_and_follow  # type: ignore[method-assign, assignment]


def _begin_without_callback() -> None:
    """Begin a request without the callback of an earlier one: a server may serve it in the same task."""
    context_value.set({})


def is_debugged(app: dash.Dash) -> bool:
    """Say whether an app was started with ``debug=True``, and its pages show Dash's dev tools.

    Dash does not keep ``debug``, by which it sets each of the tools. Where only one of them is on, it was
    asked for by name (``DASH_UI=true``) and the app is not debugged.
    """
    tools = app._dev_tools
    return bool(tools.ui) and any(tools[name] for name in _TOOLS)


_TOOLS = ("props_check", "serve_dev_bundles", "hot_reload", "prune_errors", "silence_routes_logging")


def call_outside_requests(app: dash.Dash, function: Callable[[], Any]) -> Any:
    """Call a function of an app outside of requests, with the app's context."""
    context = Context()
    context.run(app_context.set, app)
    of_server = getattr(app.server, "app_context", nullcontext)
    block = nullcontext if is_asgi(app.server) else of_server  # Quart's is asynchronous
    return context.run(_call_with, block, function)


def _call_with(block: Callable[[], AbstractContextManager[Any]], function: Callable[[], Any]) -> Any:
    with block():
        result = function()
        return _awaited(result) if asyncio.iscoroutine(result) else result


def _awaited(coroutine: Any) -> Any:
    """Return the result of a coroutine; in a thread, because an event loop may run here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, coroutine).result()
