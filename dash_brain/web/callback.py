"""``brain_callback``: ``dash.callback`` for functions that take and return large values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

import dash
from typing_extensions import Unpack

from dash_brain.errors import WiringError
from dash_brain.settings import OnMissing, check_on_missing, current
from dash_brain.shared_results import refuse
from dash_brain.web.blueprints import blueprint_of, register_later
from dash_brain.web.dash_internals import (
    ERRAND,
    app_error_handler,
    call_as_user,
    callback_context,
    check_backend,
    coerce_to_list,
    follow_later_app,
    handle_grouped_callback_args,
    is_api_call,
    mark_as_ours,
    prevents_initial_callbacks,
)
from dash_brain.web.endpoints import Endpoint
from dash_brain.web.incoming import instead, resolve_arguments
from dash_brain.web.jobs.manager import BackgroundCallback, Jobs
from dash_brain.web.jobs.working import progress_of, working
from dash_brain.web.memo.call import NotKept
from dash_brain.web.memo.callbacks import CallbackWithResults, MemoizedCallback
from dash_brain.web.memo.declared import Declared
from dash_brain.web.memo.option import Memoize, Scope
from dash_brain.web.options import CallbackOptions, warn_of_no_effect, with_options_of_dash
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.patterns import Inputs, Outputs
from dash_brain.web.sessions import visit
from dash_brain.web.wiring import refuse_same_id

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


# With options of newer releases, and those of dash-extensions.
@overload
def brain_callback(
    *dependencies: Any,
    memoize: Memoize | Scope | None = None,
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
    else is left as it is. ``None`` empties a store, ``no_update`` leaves it alone.

    Parameters
    ----------
    *dependencies
        Outputs, inputs and states as for ``dash.callback``.
    memoize
        Keep the results by the arguments, and compute them once: ``"app"`` for all sessions of the app,
        ``"session"`` for each session, or a :class:`~dash_brain.Memoize` that says more. A value of a
        ServerStore counts as the object that it is. The function's results must follow from its arguments:
        when they are known it is not called.
    on_missing
        What happens to an argument whose token is no longer valid or whose value is gone: ``"raise"``
        (``BadToken`` or ``ValueMissing``, which reach ``on_error``), ``"empty"`` (the argument is None),
        ``"prevent"`` (``PreventUpdate``), or a function of the exception whose result replaces the
        argument. By default as configured, which is ``"raise"``.
    app
        The Dash app to register with, as ``app.callback`` does; by default as ``dash.callback`` does.
    **dash_options
        Options of ``dash.callback``: ``prevent_initial_call``, ``running``, ``on_error``, … What the app
        says of initial calls (``Dash(prevent_initial_callbacks=...)``) is followed, also without ``app=``.

    Returns
    -------
    Callable
        A decorator that returns the function itself, so that it can be tested as one. That of a memoized
        callback has ``forget(*args)``, ``forget_all()`` and ``info()``, to be called while a session asks.

    Raises
    ------
    BackendNotSupported
        When the app is not served by Flask.
    TypeError
        For ``websocket`` callbacks, for generators, and for ``progress`` together with ``memoize``: a result
        that is there already makes none. While it runs, for a ``Patch`` on a ServerStore.

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
    if dash_options.get("websocket"):
        raise TypeError(
            "brain_callback cannot take websocket= yet: use dash.callback and plain values there."
        )
    check_backend(app)
    warn_of_no_effect(dash_options, getattr(app, "_background_manager", None))
    wiring = _Wiring(dependencies, dash_options, memoize, on_missing)
    blueprint = blueprint_of(app)

    def register(function: Callable[Params, Result]) -> Any:
        if blueprint is not None:
            later = partial(_Wiring, memoize=memoize, on_missing=on_missing)
            register_later(blueprint, dependencies, dash_options, function, later)
            return function
        options = {**dash_options, **wiring.options}
        if app is None:
            options["config_prevent_initial_callbacks"] = prevents_initial_callbacks()
        wrapped = wiring.wrap(function)
        refuse_same_id(function, wiring.schema, wiring.inputs, app)
        declare = call_as_user((app or dash).callback, *dependencies, depth=2, **options)
        if app is None:
            follow_later_app(wiring.schema, wiring.prevent)
        declare(wrapped)
        return function

    return register


brain_callback.__signature__ = with_options_of_dash(brain_callback)  # type: ignore[attr-defined]


def set_props(component_id: str | dict[str, Any], props: dict[str, Any]) -> None:
    """Set properties of any component, as ``dash.set_props``; a value for a ServerStore stays on the server.

    Raises
    ------
    EncodeError
        When the value cannot be stored.
    NoSession
        When no browser session is asking.

    Examples
    --------
    >>> from dash import Input, callback
    >>> from dash_brain import set_props
    >>> @callback(Input("reset", "n_clicks"))
    ... def reset(clicks):
    ...     set_props("orders", {"data": [1, 2, 3]})
    """
    refuse("set_props()")
    dash.set_props(component_id, Outgoing(visit()).props(component_id, props))


_NO_JOB = nullcontext()

_MEMOIZE = (
    'memoize= takes "app" (one result for all sessions of the app), "session" (one for each session) or a '
    "Memoize that says more, and no {type}: it has no default, since one of them would be wrong."
)

_COROUTINE = (
    "The function returned a coroutine: something calls the coroutine function as a plain one, as the "
    "transforms of dash-extensions do. Make it a plain function there."
)


class _Wiring:
    """How the values of one declared callback travel: what its function is wrapped into."""

    def __init__(
        self,
        dependencies: Any,
        options: dict[str, Any],
        memoize: Memoize | Scope | None,
        on_missing: OnMissing | None,
    ) -> None:
        declared = handle_grouped_callback_args(dependencies, options)
        self.schema, self.inputs, states, self._indices, self.prevent = declared
        self._received = Inputs([*self.inputs, *states], self._indices)
        self._sent = Outputs(self.schema)
        self._user_on_error = options.get("on_error")
        self._memoize = Memoize(memoize) if isinstance(memoize, str) else memoize
        if not isinstance(self._memoize, Memoize | None):
            raise WiringError(_MEMOIZE.format(type=type(memoize).__name__))
        self._on_missing = None if on_missing is None else check_on_missing(on_missing)
        self._endpoint = None
        if options.get("api_endpoint"):
            self._endpoint = Endpoint(self.schema, self.inputs, states, self._indices)
        self.options: dict[str, Any] = {
            "on_error": self._on_error,
            "mcp_enabled": self._is_tool(options.get("mcp_enabled")),
        }
        self._progress = coerce_to_list((options.get("background") and options.get("progress")) or [])
        if self._progress and self._memoize:
            raise TypeError("brain_callback takes progress= or memoize=: a result that is there makes none.")
        if options.get("background"):
            declared = BackgroundCallback(self._received, self._sent, self._progress, self._refuse)
            self.options["manager"] = Jobs(options.get("manager"), declared)

    def _is_tool(self, asked: bool | None) -> bool | None:
        """Say whether MCP offers the callback as a tool; None: as others.

        Tokens are nothing that a language model can read, so what may have one is a tool only when asked for.
        """
        may_have_one = any(one.is_data for one in (*self._received.declared, *self._sent.declared))
        return False if asked is None and may_have_one else asked

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function that Dash calls: tokens in, tokens out."""
        return mark_as_ours(self._wrap(function))

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(
                f"brain_callback cannot take the generator {function.__qualname__}: return one result, or "
                "use dash.callback and plain values there."
            )
        if inspect.iscoroutinefunction(function):
            return self._wrap_async(function)
        memo = self._memo(function)

        @wraps(function)
        def exchange(*args: Any, **kwargs: Any) -> Any:
            context = callback_context()
            if context is None:
                if self._endpoint is None or not is_api_call():
                    return function(*args, **kwargs)
                with self._endpoint.called(function, args, kwargs):
                    return exchange()
            with working(context) if ERRAND in context else _NO_JOB:
                if memo is not None:
                    with suppress(NotKept):
                        return self._results(memo.outputs(visit(), context), context)
                args, kwargs = self._arguments(context, args, kwargs)
                return self._results(function(*args, **kwargs), context)

        return exchange

    def _wrap_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        memo = self._memo(function)

        @wraps(function)
        async def exchange_async(*args: Any, **kwargs: Any) -> Any:
            context = callback_context()
            if context is None:
                if self._endpoint is None or not is_api_call():
                    return await function(*args, **kwargs)
                with self._endpoint.called(function, args, kwargs):
                    return await exchange_async()
            with working(context) if ERRAND in context else _NO_JOB:
                if memo is not None:
                    with suppress(NotKept):
                        return self._results(await memo.outputs_async(visit(), context), context)
                args, kwargs = self._arguments(context, args, kwargs)
                return self._results(await function(*args, **kwargs), context)

        return exchange_async

    def _memo(self, function: Callable[..., Any]) -> MemoizedCallback | None:
        if self._memoize is None:
            return None
        declared = Declared(function, self._memoize, self._sent, self._received)
        memo = MemoizedCallback(declared)
        for operation in (memo.forget, memo.forget_all, memo.info):
            with suppress(AttributeError):  # a bound method or a builtin takes no attributes
                setattr(function, operation.__name__, operation)
        return memo

    def _arguments(
        self, context: Any, sent: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with values in place of tokens, for what Dash sent."""
        self._sent.checked(context.outputs_list)
        args, kwargs = resolve_arguments(context, visit(), self._received, self._on_missing)
        if self._progress:  # Dash puts its set_progress first
            args = (progress_of(sent[0], self._progress), *args)
        return args, {**named, **kwargs}

    def _refuse(self, error: Exception) -> None:
        """Refuse to start a job; what is to take the value's place only the job can use."""
        on_missing = self._on_missing or current.use().on_missing
        if on_missing in ("raise", "prevent"):
            instead(error, on_missing)

    def _results(self, result: Any, context: Any) -> Any:
        """Return what goes to the browser, for who asks now: the callback may have closed the session."""
        if inspect.iscoroutine(result):
            result.close()
            raise WiringError(_COROUTINE)
        if not (self._sent.may_have_tokens or context.updated_props):
            return result
        outgoing = Outgoing(visit())
        try:
            outputs = outgoing.outputs(result, context.outputs_list, self._sent)
            if context.updated_props:
                _keep_here(context.updated_props, outgoing)
            return outputs
        except BaseException:
            outgoing.undo()
            raise

    def _on_error(self, error: Exception) -> Any:
        """Handle an error as the callback or the app says; the results go the same way as others."""
        handler = self._user_on_error or app_error_handler()
        if handler is None:
            raise error
        result = handler(error)
        # As with dash.callback: a handler that returns nothing changes nothing.
        result = dash.no_update if result is None and self.schema else result
        context = callback_context()
        return result if context is None else self._results(result, context)  # None: called by hand


def _keep_here(props: dict[str, dict[str, Any]], outgoing: Outgoing) -> None:
    """Put tokens in place of the values that were given to ``set_props``."""
    try:
        props.update(outgoing.side_updates(props))
    except BaseException:
        props.clear()  # or what on_error returns would fail for the same reason
        raise
