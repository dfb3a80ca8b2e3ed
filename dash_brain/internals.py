"""What we need of Dash that Dash does not publish; the only file that imports its private modules."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, cast

import dash
import flask
from dash._callback import GLOBAL_CALLBACK_LIST, NoUpdate  # type: ignore[attr-defined]  # it has moved since Dash 3.1
from dash._callback_context import context_value
from dash._grouping import flatten_grouping, make_grouping_by_index, map_grouping
from dash._utils import AttributeDict, clean_property_name, coerce_to_list, stringify_id
from dash._validate import validate_duplicate_output
from dash.dependencies import handle_grouped_callback_args

__all__ = [
    "ERRAND",
    "app_background_manager",
    "app_error_handler",
    "call_as_user",
    "call_outside_callbacks",
    "callback_context",
    "clean_property_name",
    "coerce_to_list",
    "context_value",
    "flatten_grouping",
    "follow_later_app",
    "forget_context_afterwards",
    "handle_grouped_callback_args",
    "is_api_call",
    "is_asked_by_mcp",
    "is_no_update",
    "make_grouping_by_index",
    "map_grouping",
    "own_context",
    "pages_carry_secrets",
    "prevents_initial_callbacks",
    "remember_app",
    "requested_app",
    "serves",
    "stringify_id",
]

#: Where the context of a background job says what it was sent with.
ERRAND = "dash_brain_errand"

#: Where the context that we make for a call by ``api_endpoint`` says which request it is for.
_API_CALL = "dash_brain_api_call"

is_no_update: Callable[[object], bool] = NoUpdate.is_no_update

_apps: weakref.WeakSet[dash.Dash] = weakref.WeakSet()

#: Callbacks declared before there was an app: outputs, ``prevent_initial_call`` and what Dash made of it.
_early: list[tuple[Any, Any, dict[str, Any]]] = []


def remember_app(app: dash.Dash) -> None:
    """Keep the app among those that :func:`requested_app` can find."""
    _apps.add(app)
    _app_at.cache_clear()
    early, _early[:] = list(_early), []
    for output, prevent, declared in early:
        whole = app.config.prevent_initial_callbacks
        validate_duplicate_output(flatten_grouping(output), prevent, whole)
        declared["prevent_initial_call"] = (whole if prevent is None else prevent) is True


def prevents_initial_callbacks() -> Any:
    """Return the app's ``prevent_initial_callbacks``, which ``dash.callback`` does not follow by itself.

    While there is no app, it is what lets everything pass: see :func:`follow_later_app`.
    """
    app = _latest_app()
    return "initial_duplicate" if app is None else app.config.prevent_initial_callbacks


def follow_later_app(output: Any, prevent: Any) -> None:
    """Have the callback that was declared last follow the app that is made later, if there is none yet."""
    if _latest_app() is None:
        _early.append((output, prevent, GLOBAL_CALLBACK_LIST[-1]))


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


def is_api_call() -> bool:
    """Say whether the current request calls a callback by its ``api_endpoint``."""
    return flask.has_request_context() and str(flask.request.endpoint).startswith("dash_callback_api_")


def is_asked_by_mcp() -> bool:
    """Say whether the current request is for Dash's MCP server.

    What it computes for one client it keeps, and shows to all.
    """
    if not flask.has_request_context():
        return False
    view = flask.current_app.view_functions.get(str(flask.request.endpoint))
    return getattr(view, "__module__", "") == "dash.mcp._server"


@lru_cache(maxsize=1)
def pages_carry_secrets() -> bool:
    """Say whether Dash puts a random id into each page, which the page shows with every callback."""
    return find_spec("dash._callback_signing") is not None  # the module that makes it, since Dash 4.4


def callback_context() -> Any | None:
    """Return the mutable context of the running callback, or None where no browser and no job asks.

    After an async callback asgiref leaves its context behind in the thread, for the next request to find;
    that request knows better what it is. And a test that calls a registered callback by hand makes a context
    outside of any request.
    """
    context = context_value.get({})
    if ERRAND in context:  # a job may have been forked in any request
        return context
    if not flask.has_request_context():
        return None if _serves_by_flask() else context or None
    is_ours = context.get(_API_CALL) is flask.request.environ
    return context if is_ours or serves("_dash-update-component") or is_asked_by_mcp() else None


def _serves_by_flask() -> bool:
    """Say whether each request of a browser is one of Flask."""
    return isinstance(getattr(_latest_app(), "server", None), flask.Flask | None)


@contextmanager
def own_context(inputs: list[Any], states: list[Any], outputs: Any, indices: Any) -> Iterator[None]:
    """Give a callback that is called by its ``api_endpoint`` the context that Dash gives it otherwise."""
    leaves = [*inputs, *states]
    values = [
        {f"{stringify_id(one['id'])}.{one['property']}": one["value"] for one in part}
        for part in (inputs, states)
    ]
    context = AttributeDict(
        inputs_list=inputs,
        states_list=states,
        outputs_list=outputs,
        input_values=values[0],
        state_values=values[1],
        args_grouping=map_grouping(lambda index: AttributeDict(leaves[index]), indices),
        triggered_inputs=[],
        updated_props={},
    )
    context[_API_CALL] = flask.request.environ
    token = context_value.set(context)
    try:
        yield
    finally:
        context_value.reset(token)


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
