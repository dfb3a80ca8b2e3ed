"""What we need of Dash that Dash does not publish; the only file that imports its private modules."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context, copy_context
from typing import Any, cast

import dash
from dash._callback import GLOBAL_CALLBACK_LIST, GLOBAL_CALLBACK_MAP
from dash._callback_context import context_value
from dash._get_app import app_context
from dash._grouping import flatten_grouping, make_grouping_by_index, map_grouping
from dash._no_update import NoUpdate
from dash._utils import (
    AttributeDict,
    clean_property_name,
    coerce_to_list,
    create_callback_id,
    stringify_id,
    to_json,
)
from dash._validate import validate_duplicate_output
from dash.dependencies import handle_grouped_callback_args

from dash_brain.errors import BackendNotSupported
from dash_brain.hooks import apps
from dash_brain.web.servers import Request, Response, current_request
from dash_brain.web.servers.flask import is_flask

__all__ = [
    "ERRAND",
    "add_hidden_callback",
    "app_background_manager",
    "app_error_handler",
    "app_of",
    "are_callbacks_waiting",
    "call_as_user",
    "call_outside_callbacks",
    "call_outside_requests",
    "callback_context",
    "check_backend",
    "check_backend_that_asks",
    "clean_property_name",
    "coerce_to_list",
    "context_value",
    "create_callback_id",
    "declared_callbacks",
    "flatten_grouping",
    "follow_later_app",
    "forget_context_afterwards",
    "handle_grouped_callback_args",
    "is_api_call",
    "is_asked_by_mcp",
    "is_json",
    "is_no_update",
    "is_ours",
    "known_apps",
    "made_before",
    "make_grouping_by_index",
    "map_grouping",
    "mark_as_ours",
    "own_context",
    "prevents_initial_callbacks",
    "registered",
    "replace_error_handler",
    "requested_app",
    "serves",
    "stringify_id",
    "take_early_callbacks",
    "to_json",
    "when_first_served",
]

#: Where the context of a background job says what it was sent with.
ERRAND = "dash_brain_errand"

#: The attribute that tells what brain_callback registered.
_OURS = "dash_brain_callback"

is_no_update: Callable[[object], bool] = NoUpdate.is_no_update

#: Callbacks declared before there was an app: outputs, ``prevent_initial_call`` and what Dash made of it.
_early: list[tuple[Any, Any, dict[str, Any]]] = []


def take_early_callbacks(app: dash.Dash) -> None:
    """Have the callbacks that were declared before there was an app follow what it says of initial calls."""
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


def registered(app: dash.Dash | None, callback_id: str) -> Callable[..., Any] | None:
    """Return what is registered under an id of Dash's, with the app or for the next one, if anything is."""
    maps = [GLOBAL_CALLBACK_MAP] if app is None else [GLOBAL_CALLBACK_MAP, app.callback_map]
    return next((one[callback_id].get("callback") for one in maps if callback_id in one), None)


def replace_error_handler(callback: Any, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Change the ``on_error`` of a registered callback, which Dash has in a closure only."""
    code = getattr(callback, "__code__", None)
    if code is not None and "on_error" in code.co_freevars:
        cell = callback.__closure__[code.co_freevars.index("on_error")]
        cell.cell_contents = cell.cell_contents and change(cell.cell_contents)


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


def known_apps() -> list[dash.Dash]:
    """Return the apps that were created since dash_brain was imported."""
    return list(apps)


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
    for app in apps:
        prefix = app.config.routes_pathname_prefix
        if app.server is request.server and request.path.startswith(prefix) and len(prefix) > length:
            found, length = app, len(prefix)
    return found or _latest_app()


def _latest_app() -> dash.Dash | None:
    """Return the app created last, for one that was created before dash_brain was imported."""
    try:
        return cast(dash.Dash, dash.get_app())
    except dash.exceptions.AppNotFoundError:
        return None


def check_backend(app: dash.Dash | None = None) -> None:
    """Raise :class:`BackendNotSupported` when this app is not served by Flask; None: when no app is."""
    asked = [app] if app is not None else list(apps)
    servers = set(map(_server_of, asked))
    if servers and "flask" not in servers:
        raise BackendNotSupported(
            f"The app is served by {' and '.join(sorted(servers))}, but brain_callback, ServerStore and "
            'sessions work with Flask only so far: make it with Dash(backend="flask"), which is the default. '
            "Brain works with every backend."
        )


def _server_of(app: dash.Dash) -> str:
    # What others take for an app, as the blueprints of dash-extensions, may have no backend of its own.
    return str(getattr(getattr(app, "backend", None), "server_type", "flask"))


def check_backend_that_asks() -> None:
    """Raise :class:`BackendNotSupported` when what runs belongs to an app that is not served by Flask."""
    if current_request() is None:
        check_backend(_latest_app())


def made_before() -> list[dash.Dash]:
    """Return the apps of Flask that were made before dash_brain was used, and have not served yet."""
    made = (app for app in apps if getattr(app, "_initialized_server", None) is app.server)
    return [app for app in made if _server_of(app) == "flask" and not app.server._got_first_request]


def add_hidden_callback(app: dash.Dash, output: str, function: Callable[..., str]) -> None:
    """Let an app serve a callback that neither its pages nor MCP are told of.

    Parameters
    ----------
    app
        The app; Dash has collected its callbacks.
    output
        What the callback is called by.
    function
        Takes the values of its inputs, and returns the body of the answer.
    """
    app.callback_map[output] = {
        "callback": function,
        "output": [],
        "inputs": [],
        "raw_inputs": [],
        "state": [],
        "inputs_state_indices": [],
        "no_output": True,
        "mcp_enabled": False,
    }


def when_first_served(app: dash.Dash, function: Callable[[dash.Dash], None]) -> None:
    """Call a function with the app when it serves first: Dash has collected its callbacks then."""
    set_up, is_done = app._setup_server, False

    def set_up_and_call() -> None:
        nonlocal is_done
        set_up()  # type: ignore[no-untyped-call]
        if not is_done:
            is_done = True
            function(app)

    app._setup_server = set_up_and_call  # type: ignore[method-assign]
    if app in made_before():  # it was told already what to call
        app.backend.before_request(set_up_and_call)


def mark_as_ours(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark what is registered with Dash as ours."""
    function.__dict__[_OURS] = True  # Dash takes it over with functools.wraps
    return function


def is_ours(entry: dict[str, Any]) -> bool:
    """Say whether a registered callback is a brain_callback."""
    return getattr(entry.get("callback"), _OURS, False)


def are_callbacks_waiting() -> bool:
    """Say whether there are brain callbacks that were registered for the app that serves next."""
    return any(map(is_ours, GLOBAL_CALLBACK_MAP.values()))


def serves(route: str) -> bool:
    """Say whether the current request came in by a route of Dash, as ``"_dash-layout"``."""
    request = current_request()
    return request is not None and request.route.endswith(route)


def is_api_call() -> bool:
    """Say whether the current request calls a callback by its ``api_endpoint``."""
    request = current_request()
    return request is not None and request.route.startswith("dash_callback_api_")


def is_asked_by_mcp() -> bool:
    """Say whether the current request is for Dash's MCP server.

    What it computes for one client it keeps, and shows to all.
    """
    request = current_request()
    return request is not None and getattr(request.view, "__module__", "") == "dash.mcp._server"


def callback_context() -> Any | None:
    """Return the mutable context of the running callback, or None where no browser and no job asks.

    After an async callback asgiref leaves its context behind in the thread, for the next request to find;
    Dash gives each context the arguments of its request. And a test that calls a registered callback by hand
    makes a context outside of any request.
    """
    context = context_value.get({})
    if ERRAND in context or not context:  # a job may have been forked in any request
        return context or None
    request = current_request()
    if request is None:
        return None if _serves_by_flask() else context
    is_own = context.get("args") is request.query
    return context if is_own or is_asked_by_mcp() else None


def _serves_by_flask() -> bool:
    """Say whether each request of a browser is one of Flask."""
    server = getattr(_latest_app(), "server", None)
    return server is None or is_flask(server)


@contextmanager
def own_context(inputs: list[Any], states: list[Any], outputs: Any, indices: Any) -> Iterator[None]:
    """Give a callback that is called by its ``api_endpoint`` the context that Dash gives it otherwise."""
    leaves, request = [*inputs, *states], current_request()
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
        args=None if request is None else request.query,
    )
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
    request = current_request()
    if request is not None:  # a background job may have none
        request.before_sending(_forget_context)


def _forget_context(_: Response) -> None:
    context_value.set({})


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
