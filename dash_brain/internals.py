"""What we need of Dash that Dash does not publish; the only file that imports its private modules."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context, copy_context
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, cast

import dash
import flask
from dash._callback import GLOBAL_CALLBACK_MAP, NoUpdate  # type: ignore[attr-defined]  # it has moved since Dash 3.1
from dash._callback_context import context_value
from dash._get_app import app_context
from dash._grouping import flatten_grouping, make_grouping_by_index, map_grouping
from dash._utils import clean_property_name, coerce_to_list, create_callback_id, stringify_id, to_json
from dash.dependencies import handle_grouped_callback_args

__all__ = [
    "ERRAND",
    "app_background_manager",
    "app_error_handler",
    "call_as_user",
    "call_outside_callbacks",
    "call_outside_requests",
    "callback_context",
    "clean_property_name",
    "coerce_to_list",
    "create_callback_id",
    "declared_callbacks",
    "flatten_grouping",
    "forget_context_afterwards",
    "handle_grouped_callback_args",
    "is_json",
    "is_no_update",
    "known_apps",
    "make_grouping_by_index",
    "map_grouping",
    "pages_carry_secrets",
    "registered",
    "remember_app",
    "requested_app",
    "serves",
    "set_up",
    "stringify_id",
]

#: Where the context of a background job says what it was sent with.
ERRAND = "dash_brain_errand"

is_no_update: Callable[[object], bool] = NoUpdate.is_no_update

_apps: weakref.WeakSet[dash.Dash] = weakref.WeakSet()


def remember_app(app: dash.Dash) -> None:
    """Keep the app among those that :func:`requested_app` can find."""
    _apps.add(app)
    _app_at.cache_clear()


def registered(app: dash.Dash | None, callback_id: str) -> Callable[..., Any] | None:
    """Return what is registered under an id of Dash's, with the app or for the next one, if anything is."""
    maps = [GLOBAL_CALLBACK_MAP] if app is None else [GLOBAL_CALLBACK_MAP, app.callback_map]
    return next((one[callback_id].get("callback") for one in maps if callback_id in one), None)


def is_json(value: Any) -> bool:
    """Say whether Dash can send a value to the browser."""
    try:
        to_json(value)
    except TypeError:
        return False
    return True


def declared_callbacks(app: dash.Dash) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return an app's callbacks: what the browser is told of each, and what the server keeps of it."""
    return [(spec, app.callback_map.get(spec["output"], {})) for spec in app._callback_list]


def set_up(app: dash.Dash) -> None:
    """Have an app take over the callbacks of ``dash.callback``, as it does in its first request."""
    app._setup_server()


def known_apps() -> list[dash.Dash]:
    """Return the apps that were created since dash_brain was imported."""
    return list(_apps)


def requested_app() -> dash.Dash | None:
    """Return the Dash app below whose path the current request came in, None outside of requests.

    While a callback runs, ``dash.get_app()`` names the app that was created last, which is the wrong one
    when a process serves several.
    """
    if not flask.has_request_context():
        return None
    server = flask.current_app._get_current_object()  # type: ignore[attr-defined]
    return _app_at(server, flask.request.path) or _latest_app()


@lru_cache(maxsize=256)
def _app_at(server: flask.Flask, path: str) -> dash.Dash | None:
    prefixes = {app.config.routes_pathname_prefix: app for app in _apps if app.server is server}
    asked = max(filter(path.startswith, prefixes), key=len, default=None)
    return None if asked is None else prefixes[asked]


def _latest_app() -> dash.Dash | None:
    """Return the app created last, for one that was created before dash_brain was imported."""
    try:
        return cast(dash.Dash, dash.get_app())
    except dash.exceptions.AppNotFoundError:
        return None


def serves(route: str) -> bool:
    """Say whether the current request came in by a route of Dash, as ``"_dash-layout"``."""
    return flask.has_request_context() and str(flask.request.endpoint).endswith(route)


@lru_cache(maxsize=1)
def pages_carry_secrets() -> bool:
    """Say whether Dash puts a random id into each page, which the page shows with every callback."""
    return find_spec("dash._callback_signing") is not None  # the module that makes it, since Dash 4.4


def callback_context() -> Any | None:
    """Return the mutable context of the running callback, or None outside of callbacks.

    After an async callback asgiref leaves its context behind in the thread, for the next request to find;
    that request knows better what it is.
    """
    context = context_value.get({})
    is_left_over = flask.has_request_context() and not serves("_dash-update-component")
    # A job may have been forked in any request.
    return (context if ERRAND in context or not is_left_over else None) or None


def forget_context_afterwards() -> None:
    """Let the context of the running callback go with its request.

    After an async callback asgiref leaves it in the thread, with every value that the callback was given:
    they would be kept in memory until the thread runs another async callback, if it ever does.
    """
    if flask.has_request_context():  # a background job may have none
        flask.after_this_request(_forget_context)


def _forget_context(response: flask.Response) -> flask.Response:
    context_value.set({})
    return response


def call_outside_callbacks(function: Callable[[], Any]) -> Any:
    """Call a function that sees what the caller sees, but no callback that is running."""
    context = copy_context()
    context.run(context_value.set, {})
    return context.run(function)


def call_outside_requests(app: dash.Dash, function: Callable[[], Any]) -> Any:
    """Call a function of an app as if no browser asked: with the app's context, and in no request."""
    context = Context()
    context.run(app_context.set, app)
    return context.run(_call_with, getattr(app.server, "app_context", nullcontext), function)


def _call_with(block: Callable[[], AbstractContextManager[Any]], function: Callable[[], Any]) -> Any:
    with block():
        result = function()
        return asyncio.run(result) if asyncio.iscoroutine(result) else result


def app_background_manager() -> Any | None:
    """Return the background callback manager of the app that is asked, if it has one."""
    return getattr(requested_app(), "_background_manager", None)


def app_error_handler() -> Callable[[Exception], Any] | None:
    """Return the ``on_error`` of the app that is asked, if it has one."""
    return getattr(requested_app(), "_on_error", None)


def call_as_user(function: Callable[..., Any], *args: Any, depth: int, **options: Any) -> Any:
    """Call a function of Dash so that the call seems to stand in the user's line, ``depth`` frames up.

    Dash names a callback that has neither inputs nor outputs after the first line outside of Dash that
    it was called from. That would be ours, and all such callbacks would get the same name.
    """
    frame = sys._getframe(depth)
    source = "\n" * (frame.f_lineno - 1) + "function(*args, **options)"
    line = compile(source, frame.f_code.co_filename, "eval")
    return eval(line, {"function": function, "args": args, "options": options})
