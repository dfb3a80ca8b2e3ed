"""``brain_callback``: ``dash.callback`` for functions that take and return large values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

import dash
from typing_extensions import Unpack

from dash_brain.memo.option import Memoize, Scope
from dash_brain.settings import OnMissing
from dash_brain.shared_results import refuse
from dash_brain.web.apps import check_backend
from dash_brain.web.blueprints import blueprint_of, register_later
from dash_brain.web.dash_internals import (
    background_manager_of,
    call_from,
    callback_context,
    follow_app_made_later,
    prevents_initial_callbacks,
)
from dash_brain.web.declared import DeclaredCallback
from dash_brain.web.memo.callbacks import CallbackWithResults
from dash_brain.web.options import CallbackOptions, warn_of_no_effect, with_options_of_dash
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.sessions import current_caller
from dash_brain.web.wiring.callbacks import refuse_same_id

Params = ParamSpec("Params")
Result = TypeVar("Result")


@overload
def brain_callback(
    *dependencies: Any,
    memoize: None = None,
    on_missing: OnMissing | None = None,
    app: dash.Dash | None = None,
    **dash_options: Unpack[CallbackOptions],
) -> Callable[[Callable[Params, Result]], Callable[Params, Result]]: ...


@overload
def brain_callback(
    *dependencies: Any,
    memoize: Memoize | Scope,
    on_missing: OnMissing | None = None,
    app: dash.Dash | None = None,
    **dash_options: Unpack[CallbackOptions],
) -> Callable[[Callable[Params, Result]], CallbackWithResults[Params, Result]]: ...


# The same with options of newer releases, and those of dash-extensions.
@overload
def brain_callback(
    *dependencies: Any,
    memoize: None = None,
    on_missing: OnMissing | None = None,
    app: dash.Dash | None = None,
    **dash_options: Any,
) -> Callable[[Callable[Params, Result]], Callable[Params, Result]]: ...


@overload
def brain_callback(
    *dependencies: Any,
    memoize: Memoize | Scope,
    on_missing: OnMissing | None = None,
    app: dash.Dash | None = None,
    **dash_options: Any,
) -> Callable[[Callable[Params, Result]], CallbackWithResults[Params, Result]]: ...


def brain_callback(
    *dependencies: Any,
    memoize: Memoize | Scope | None = None,
    on_missing: OnMissing | None = None,
    app: dash.Dash | None = None,
    **dash_options: Any,
) -> Callable[[Callable[Params, Result]], Any]:
    """Register a callback whose large values stay on the server.

    Takes what ``dash.callback`` takes, in every form. What the function returns for a
    :class:`~dash_brain.ServerStore` is stored on the server and the browser gets a token; a token that
    comes in for a ServerStore is the value again before the function runs, also in ``dash.ctx``. Everything
    else is left as it is. ``None`` empties a store, ``no_update`` leaves it alone. A ``Patch`` changes a copy
    of the value, where the store is also an Input or State of the call.

    Parameters
    ----------
    *dependencies
        Outputs, inputs and states as for ``dash.callback``.
    memoize
        Keep the results by the arguments, and compute them once: ``"app"`` for all sessions of the app,
        ``"session"`` for each session, or a :class:`~dash_brain.Memoize` that says more. A value of a
        ServerStore counts by its object id. The function's result must depend on its arguments only: for
        known arguments it is not called.
    on_missing
        What happens to an argument whose token is no longer valid or whose value is gone: ``"raise"``
        (``BadToken`` or ``ValueMissing``, which reach ``on_error``), ``"empty"`` (the argument is None),
        ``"prevent"`` (``PreventUpdate``), or a function of the exception whose result replaces the
        argument. By default as configured, which is ``"raise"``.
    app
        The Dash app to register with, as ``app.callback`` does; by default as ``dash.callback`` does.
    **dash_options
        Options of ``dash.callback``: ``prevent_initial_call``, ``running``, ``on_error``, … The app's
        ``Dash(prevent_initial_callbacks=...)`` is followed, also without ``app=``.

    Returns
    -------
    Callable
        A decorator that returns the function itself, so that it can be tested as one. That of a memoized
        callback has ``forget(*args)``, ``forget_all()`` and ``info()``, to be called in a request.

    Raises
    ------
    BackendNotSupported
        When the app is served by something else than Flask, FastAPI and Quart; for a generator by Flask.
    TypeError
        For generators that Dash does not stream, and for ``progress`` or a generator together with
        ``memoize``: a kept result makes no progress. While it runs, for a ``Patch`` on a ServerStore that
        the call did not get, or whose value the operations do not fit.

    Examples
    --------
    >>> from dash import Input, Output
    >>> from dash_brain import brain_callback
    >>> @brain_callback(Output("orders", "data"), Input("year", "value"))
    ... def load(year):
    ...     return list(range(year))
    >>> load(3)
    [0, 1, 2]
    """
    check_backend(app)
    warn_of_no_effect(dash_options, background_manager_of(app))
    declare = partial(DeclaredCallback, memoize=memoize, on_missing=on_missing)
    declared = declare(dependencies, dash_options)  # what is wrong is said here, also for a blueprint
    blueprint = blueprint_of(app)

    def decorate(function: Callable[Params, Result]) -> Any:
        if blueprint is None:
            _register(function, declared, app, dependencies, dash_options)
        else:
            register_later(blueprint, dependencies, dash_options, function, declare)
        return function

    return decorate


brain_callback.__signature__ = with_options_of_dash(brain_callback)  # type: ignore[attr-defined]


def _register(
    function: Callable[..., Any],
    declared: DeclaredCallback,
    app: dash.Dash | None,
    dependencies: tuple[Any, ...],
    dash_options: dict[str, Any],
) -> None:
    """Register a function with Dash, as if the line that calls :func:`brain_callback` did."""
    wrapped = declared.wrap(function)
    options = {**dash_options, **declared.options}
    if app is None:
        options["config_prevent_initial_callbacks"] = prevents_initial_callbacks()
    refuse_same_id(function, declared.schema, declared.triggers, app)
    decorate = call_from(3, (app or dash).callback, *dependencies, **options)
    if app is None:
        follow_app_made_later(declared.schema, declared.prevent)
    decorate(wrapped)


def set_props(component_id: str | dict[str, Any], props: dict[str, Any]) -> None:
    """Set properties of any component, as ``dash.set_props``; a value for a ServerStore stays on the server.

    Raises
    ------
    EncodeError
        When the value cannot be stored.
    NoSession
        When the caller has no session.

    Examples
    --------
    >>> from dash import Input, callback
    >>> from dash_brain import set_props
    >>> @callback(Input("reset", "n_clicks"))
    ... def reset(clicks):
    ...     set_props("orders", {"data": [1, 2, 3]})
    """
    refuse("set_props()")
    dash.set_props(component_id, Outgoing(current_caller(), callback_context()).props(component_id, props))
