"""The callbacks that Dash has collected: how one is declared, looked up, changed and called."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from copy import copy
from functools import wraps
from types import FunctionType
from typing import Any

import dash
from dash._callback import GLOBAL_CALLBACK_LIST, GLOBAL_CALLBACK_MAP
from dash._grouping import flatten_grouping
from dash._validate import validate_duplicate_output
from dash.background_callback.managers import diskcache_manager

from dash_brain.web.apps import latest_app, requested_app

#: The attribute that marks functions which brain_callback registered.
_OURS = "dash_brain_callback"

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


def declared_callbacks(app: dash.Dash) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return an app's callbacks: the browser's and the server's entry of each."""
    return [(spec, app.callback_map.get(spec["output"], {})) for spec in app._callback_list]


def clientside_source(app: dash.Dash, spec: dict[str, Any]) -> str:
    """Return the source of a clientside callback that is written in Python; of others, in assets, ""."""
    name = (spec.get("clientside_function") or {}).get("function_name")
    return next((script for script in app._inline_scripts if name and name in script), "")


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


def change_callbacks(app: dash.Dash, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Change what Dash calls for each brain_callback of an app, of which Dash has collected the callbacks."""
    for entry in filter(is_brain_callback, app.callback_map.values()):
        callback = entry["callback"]
        entry["callback"] = change(_as_plain(callback) if entry.get("background") else callback)


def _as_plain(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plain function for what Dash calls to start and ask for a job.

    Of a coroutine function Dash makes a coroutine function, which awaits nothing: it starts the job, or asks
    for its result, on the event loop.
    """
    if not inspect.iscoroutinefunction(callback):
        return callback

    @wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            callback(*args, **kwargs).send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError("Dash awaits something to start a job.")

    return call


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


def updated_props(manager: Any, key: str | None, *args: Any, **options: Any) -> Any:
    """Return what a job has set by ``set_props``, and leave its result where it is."""
    own = copy(manager)
    name, clear = own._make_set_props_key(key), own.clear_cache_entry
    # CeleryManager deletes the job's result here, in place of the props that it has read.
    own.clear_cache_entry = lambda _: clear(name)
    return own.get_updated_props(key, *args, **options)
