"""What dash_brain uses of Dash that Dash does not publish. No other file touches its private names."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context, copy_context
from copy import copy
from functools import partial, wraps
from types import FunctionType
from typing import Any

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
from dash.background_callback.managers import diskcache_manager
from dash.dependencies import handle_grouped_callback_args
from dash.development.base_component import Component

from dash_brain.hooks import apps
from dash_brain.web.apps import latest_app, requested_app
from dash_brain.web.servers import Response, current_request, has_served, install, is_asgi

__all__ = [
    "JOB_CONTEXT",
    "add_hidden_callback",
    "app_error_handler",
    "background_manager_of",
    "call_from",
    "call_outside_callbacks",
    "call_outside_requests",
    "callback_context",
    "change_callbacks",
    "clean_property_name",
    "clientside_source",
    "coerce_to_list",
    "components_in",
    "context_value",
    "create_callback_id",
    "declared_callbacks",
    "flatten_grouping",
    "follow_app",
    "follow_app_made_later",
    "follow_requests",
    "forget_context_afterwards",
    "handle_grouped_callback_args",
    "has_property",
    "has_waiting_callbacks",
    "is_api_call",
    "is_asked_by_mcp",
    "is_brain_callback",
    "is_json",
    "is_message",
    "is_no_update",
    "is_request_to",
    "job_function",
    "make_grouping_by_index",
    "map_grouping",
    "mark_as_brain_callback",
    "own_context",
    "prevents_initial_callbacks",
    "registered",
    "replace_error_handler",
    "stringify_id",
    "to_json",
    "type_of_component",
    "unserved_apps",
    "updated_props",
    "watch_sent_components",
    "when_first_served",
]

#: The key in a callback context under which a background job has its ``JobContext``.
JOB_CONTEXT = "dash_brain_job"

#: The attribute that marks functions which brain_callback registered.
_OURS = "dash_brain_callback"

is_no_update: Callable[[object], bool] = NoUpdate.is_no_update

#: Callbacks declared before there was an app: outputs, ``prevent_initial_call``, and Dash's entry for it.
_early: list[tuple[Any, Any, dict[str, Any]]] = []


def follow_app(app: dash.Dash) -> None:
    """Apply the app's ``prevent_initial_callbacks`` to callbacks that were declared before it was made."""
    early, _early[:] = list(_early), []
    for output, prevent, declared in early:
        whole = app.config.prevent_initial_callbacks
        validate_duplicate_output(flatten_grouping(output), prevent, whole)
        declared["prevent_initial_call"] = (whole if prevent is None else prevent) is True


def prevents_initial_callbacks() -> Any:
    """Return the app's ``prevent_initial_callbacks``, which ``dash.callback`` does not follow by itself.

    While there is no app, it is the value that Dash always accepts: see :func:`follow_app_made_later`.
    """
    app = latest_app()
    return "initial_duplicate" if app is None else app.config.prevent_initial_callbacks


def follow_app_made_later(output: Any, prevent: Any) -> None:
    """Note the callback that was declared last for :func:`follow_app`, if there is no app yet."""
    if latest_app() is None:
        _early.append((output, prevent, GLOBAL_CALLBACK_LIST[-1]))


def registered(app: dash.Dash | None, callback_id: str) -> Callable[..., Any] | None:
    """Return the function registered under a callback id, with the app or for the next one; None: none is."""
    maps = [GLOBAL_CALLBACK_MAP] if app is None else [GLOBAL_CALLBACK_MAP, app.callback_map]
    return next((one[callback_id].get("callback") for one in maps if callback_id in one), None)


def replace_error_handler(callback: Any, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Change the ``on_error`` of a registered callback, which Dash keeps in a closure only."""
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
    """Return an app's callbacks: the browser's and the server's entry of each."""
    return [(spec, app.callback_map.get(spec["output"], {})) for spec in app._callback_list]


def clientside_source(app: dash.Dash, spec: dict[str, Any]) -> str:
    """Return the source of a clientside callback that is written in Python; of others, in assets, ""."""
    name = (spec.get("clientside_function") or {}).get("function_name")
    return next((script for script in app._inline_scripts if name and name in script), "")


def unserved_apps() -> list[dash.Dash]:
    """Return the apps that were made before dash_brain was used, and have not served yet."""
    made = (app for app in apps() if getattr(app, "_initialized_server", None) is app.server)
    return [app for app in made if not has_served(app.server)]


def add_hidden_callback(app: dash.Dash, output: str, function: Callable[..., str]) -> None:
    """Add a callback to an app that neither its pages nor MCP are told of.

    Parameters
    ----------
    app
        The app; Dash has collected its callbacks.
    output
        The id by which the callback is called.
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


def change_callbacks(app: dash.Dash, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Change what Dash calls for each brain_callback of an app, of which Dash has collected the callbacks."""
    for entry in filter(is_brain_callback, app.callback_map.values()):
        entry["callback"] = change(entry["callback"])


def mark_as_brain_callback(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that brain_callback registers."""
    function.__dict__[_OURS] = True  # Dash copies it by functools.wraps
    return function


def is_brain_callback(entry: dict[str, Any]) -> bool:
    """Say whether a registered callback is a brain_callback."""
    return getattr(entry.get("callback"), _OURS, False)


def has_waiting_callbacks() -> bool:
    """Say whether there are brain callbacks without an app, for the one that serves next."""
    return any(map(is_brain_callback, GLOBAL_CALLBACK_MAP.values()))


def is_request_to(route: str) -> bool:
    """Say whether the current request is to a route of Dash, as ``"_dash-layout"``."""
    request = current_request()
    return request is not None and request.route.endswith(route)


def is_message() -> bool:
    """Say whether the current request is a message of a websocket."""
    request = current_request()
    return request is not None and request.is_message


def is_api_call() -> bool:
    """Say whether the current request calls a callback by its ``api_endpoint``."""
    request = current_request()
    return request is not None and request.route.startswith("dash_callback_api_")


def is_asked_by_mcp() -> bool:
    """Say whether the current request is for Dash's MCP server.

    That server caches what it computes for one client, and shows it to all.
    """
    request = current_request()
    return request is not None and getattr(request.view, "__module__", "") == "dash.mcp._server"


def callback_context() -> Any | None:
    """Return the mutable context of the running callback; None outside of requests and jobs.

    A context may be left from another request, and a test that calls a registered callback makes one outside
    of any request.
    """
    context = context_value.get({})
    if JOB_CONTEXT in context or not context:  # a job's process may have been forked in any request
        return context or None
    request = current_request()
    if request is None:
        return None
    return context if request.owns(context) or is_asked_by_mcp() else None


@contextmanager
def own_context(inputs: list[Any], states: list[Any], outputs: Any, indices: Any) -> Iterator[None]:
    """Set the callback context for a call by ``api_endpoint``, for which Dash sets none."""
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


def forget_context_afterwards(sent: Iterable[tuple[dict[str, Any], object]]) -> None:
    """Drop the context of the running callback when its request ends, and the values in what was sent.

    After an async callback asgiref leaves the context in the thread, and at times the request too, in whose
    body the values have been put: they would stay in memory until the thread runs another async callback.
    """
    request = current_request()
    if request is not None:  # a background job may have none
        request.before_sending(partial(_forget_context, sent))


def _forget_context(sent: Iterable[tuple[dict[str, Any], object]], _: Response) -> None:
    context_value.set({})
    for leaf, _declared in sent:
        leaf["value"] = None


def call_outside_callbacks(function: Callable[[], Any]) -> Any:
    """Call a function in a copy of the context, without the running callback."""
    context = copy_context()
    context.run(context_value.set, {})
    return context.run(function)


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


def background_manager_of(app: dash.Dash | None) -> Any | None:
    """Return the background callback manager of an app, if it has one."""
    return getattr(app, "_background_manager", None)


def job_function(function: Callable[..., Any], results: Any, progress: bool) -> Callable[..., None]:
    """Return what calls the function of a background callback in the process of its job.

    Parameters
    ----------
    function
        The function.
    results
        Takes what it returns and sets: ``set(key, value)``, ``get(key, default)``.
    progress
        Whether its first argument is ``set_progress``.
    """
    made: Callable[..., None] = diskcache_manager._make_job_fn(function, results, progress)
    return made


def app_error_handler() -> Callable[[Exception], Any] | None:
    """Return the ``on_error`` of the requested app, if it has one."""
    return getattr(requested_app(), "_on_error", None)


def call_from(depth: int, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a function of Dash as if the line that runs ``depth`` frames up did.

    Dash makes the id of a callback without inputs and outputs from the file and line of the first frame
    outside of Dash. That frame would be ours, and all such callbacks would get one id. It takes no argument
    for it.
    """
    frame = sys._getframe(depth)
    line = frame.f_lineno - 1  # the call is in the line after the first
    code = _call.__code__.replace(co_filename=frame.f_code.co_filename, co_firstlineno=line)
    return FunctionType(code, {})(function, args, options)


def _call(function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return function(*args, **options)


def type_of_component(component: Component) -> str:
    """Return ``namespace.type`` of a component, as the browser gets it."""
    return f"{component._namespace}.{component._type}"


def has_property(component: Component, name: str) -> bool:
    """Say whether components of this type have a property, whether it is set or not."""
    return name in component._prop_names


def components_in(thing: Any) -> Iterator[Component]:
    """Yield the components in a layout or list, also those in other properties than ``children``."""
    if isinstance(thing, Component):
        yield thing
        for name in {"children", *(re.split(r"\W", path)[0] for path in thing._children_props)}:
            yield from components_in(getattr(thing, name, None))
    elif isinstance(thing, (list, tuple, dict)):
        for part in thing.values() if isinstance(thing, dict) else thing:
            yield from components_in(part)


def watch_sent_components(note: Callable[[Component], None]) -> None:
    """Call a function with each component that is serialized from now on; Dash has no hook for that."""
    to_plotly_json = Component.to_plotly_json

    @wraps(to_plotly_json)
    def note_and_send(component: Component) -> Any:
        note(component)
        return to_plotly_json(component)  # type: ignore[no-untyped-call]

    Component.to_plotly_json = note_and_send  # type: ignore[method-assign]


def updated_props(manager: Any, key: str | None, *args: Any, **options: Any) -> Any:
    """Return what a job has set by ``set_props``, and leave its result where it is."""
    own = copy(manager)
    name, clear = own._make_set_props_key(key), own.clear_cache_entry
    # CeleryManager deletes the job's result here, in place of the props that it has read.
    own.clear_cache_entry = lambda _: clear(name)
    return own.get_updated_props(key, *args, **options)
