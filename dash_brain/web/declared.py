"""One declared callback: what Dash calls in place of the function, which exchanges values and tokens."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import wraps
from typing import Any

import dash

from dash_brain.errors import ValueMissing, WiringError
from dash_brain.memo.option import Memoize, Scope, checked_memoize
from dash_brain.settings import OnMissing, check_on_missing, current
from dash_brain.web.api_endpoint import Endpoint
from dash_brain.web.dash_internals import (
    app_error_handler,
    callback_context,
    coerce_to_list,
    handle_grouped_callback_args,
    mark_as_brain_callback,
)
from dash_brain.web.dependencies import Inputs, Outputs
from dash_brain.web.event_loop import beside_loop
from dash_brain.web.incoming import resolve_arguments, substitute
from dash_brain.web.jobs.job_process import by_reference, in_job, set_progress_of
from dash_brain.web.jobs.manager import BackgroundCallback, ManagerProxy
from dash_brain.web.memo.call import NotKept
from dash_brain.web.memo.callbacks import MemoizedCallback
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.recipes.definitions import Definition
from dash_brain.web.servers import current_request
from dash_brain.web.sessions import current_caller
from dash_brain.web.streams import ErrorHandler, check_stream, context_of_stream
from dash_brain.web.websockets import exchange_over

_COROUTINE = (
    "The function returned a coroutine: something calls the coroutine function as a plain one, as the "
    "transforms of dash-extensions do. Make it a plain function there."
)


class DeclaredCallback:
    """One declared callback: its inputs and outputs, and the wrapper that exchanges values and tokens."""

    def __init__(
        self,
        dependencies: Any,
        options: dict[str, Any],
        memoize: Memoize | Scope | None,
        on_missing: OnMissing | None,
    ) -> None:
        parts = handle_grouped_callback_args(dependencies, options)
        #: What Dash makes of the declaration: outputs, inputs without states, ``prevent_initial_call``.
        self.schema, self.triggers, states, indices, self.prevent = parts
        self._inputs = Inputs([*self.triggers, *states], indices)
        self._outputs = Outputs(self.schema)
        self._user_on_error = options.get("on_error")
        self._memoize = checked_memoize(memoize)
        self._memoized: MemoizedCallback | None = None
        self._on_missing = None if on_missing is None else check_on_missing(on_missing)
        is_endpoint = bool(options.get("api_endpoint"))
        self._endpoint = Endpoint(self.schema, self.triggers, states, indices) if is_endpoint else None
        self._is_background = bool(options.get("background"))
        self._progress = coerce_to_list(options.get("progress") or []) if self._is_background else []
        if self._progress and self._memoize:
            raise TypeError("brain_callback takes progress= or memoize=, not both: a kept result has none.")
        #: What Dash gets in place of the user's options.
        self.options: dict[str, Any] = {
            "on_error": self._on_error,
            "mcp_enabled": self._is_tool(options.get("mcp_enabled")),
        }
        if self._is_background:
            job = BackgroundCallback(
                self._inputs, self._outputs, self._progress, self._refuse_job, self._kept_results
            )
            self.options["manager"] = ManagerProxy(options.get("manager"), job)

    def _is_tool(self, asked: bool | None) -> bool | None:
        """Say whether MCP offers the callback as a tool; None: as others.

        A language model cannot read tokens, so a callback that may have one is a tool only when asked for.
        """
        may_have_one = any(one.is_data for one in (*self._inputs.declared, *self._outputs.declared))
        return False if asked is None and may_have_one else asked

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function that Dash calls: it takes tokens and returns tokens."""
        if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
            check_stream(function, memoized=self._memoize is not None)
            self.options["on_error"] = ErrorHandler(self._on_error, self._error_handler)
            wrapped = self._wrap_stream(function)
        elif inspect.iscoroutinefunction(function):
            wrapped = self._wrap_async(function)
        else:
            wrapped = self._wrap(function)
        return mark_as_brain_callback(in_job(by_reference(wrapped)) if self._is_background else wrapped)

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        memo = self._memo(function)

        @wraps(function)
        def exchange(*args: Any, **kwargs: Any) -> Any:
            context = callback_context()
            if context is None:
                if self._endpoint is None or current_request() is None:
                    return function(*args, **kwargs)
                # A call of the endpoint: a middleware may hide the name of its route.
                with self._endpoint.called(function, args, kwargs):  # gives it the context of a callback
                    return exchange()
            if "dash_websocket" in context:
                exchange_over(context)
            if memo is not None:
                with suppress(NotKept):
                    return self._results(memo.outputs(current_caller(), context), context)
            args, kwargs = self._arguments(context, args, kwargs)
            return self._results(function(*args, **kwargs), context)

        return exchange

    def _wrap_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        memo = self._memo(function)

        @wraps(function)
        async def exchange_async(*args: Any, **kwargs: Any) -> Any:
            context = callback_context()
            if context is None:
                if self._endpoint is None or current_request() is None:  # as in exchange
                    return await function(*args, **kwargs)
                with self._endpoint.called(function, args, kwargs):  # gives it the context of a callback
                    return await exchange_async()
            if "dash_websocket" in context:
                exchange_over(context)
            if memo is not None:
                with suppress(NotKept):
                    outputs = await memo.outputs_async(await beside_loop(current_caller), context)
                    return await beside_loop(self._results, outputs, context)
            args, kwargs = await beside_loop(self._arguments, context, args, kwargs)
            return await beside_loop(self._results, await function(*args, **kwargs), context)

        return exchange_async

    def _wrap_stream(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def exchange_stream(*args: Any, **kwargs: Any) -> Any:
            context = context_of_stream()
            if context is None:
                async for result in function(*args, **kwargs):
                    yield result
                return
            if "dash_websocket" in context:
                exchange_over(context)
            args, kwargs = await beside_loop(self._arguments, context, args, kwargs)
            async with aclosing(function(*args, **kwargs)) as results:
                async for result in results:
                    yield await beside_loop(self._results, result, context)

        return exchange_stream

    def _memo(self, function: Callable[..., Any]) -> MemoizedCallback | None:
        if self._memoize is None:
            return None
        declared = Definition(function, self._memoize, self._outputs, self._inputs)
        self._memoized = memo = MemoizedCallback(declared)
        for operation in (memo.forget, memo.forget_all, memo.info):
            with suppress(AttributeError):  # a bound method or a builtin takes no attributes
                setattr(function, operation.__name__, operation)
        return memo

    def _arguments(
        self, context: Any, sent: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments that Dash passes, with values in place of tokens."""
        self._outputs.checked(context["outputs_list"])
        args, kwargs = resolve_arguments(context, current_caller(), self._inputs, self._on_missing)
        if self._progress:  # Dash puts its set_progress first
            args = (set_progress_of(sent[0], self._progress, context), *args)
        return args, {**named, **kwargs}

    def _refuse_job(self, error: Exception) -> None:
        """Refuse to start a job, unless ``on_missing`` gives another value, which is made in the job."""
        on_missing = self._on_missing or current.use().on_missing
        if on_missing in ("raise", "prevent"):
            substitute(error, on_missing)

    def _kept_results(self, context: Any) -> Any:
        """Return the results of a memoized call that are there; else raise ``ValueMissing``."""
        if self._memoized is None:
            raise ValueMissing("Nothing is kept.")
        return self._results(self._memoized.kept(current_caller(), context), context)

    def _results(self, result: Any, context: Any) -> Any:
        """Return the result with tokens, for the present caller: the callback may have closed the session."""
        if inspect.iscoroutine(result):
            result.close()
            raise WiringError(_COROUTINE)
        if not (self._outputs.may_have_tokens or context["updated_props"]):
            return result
        outgoing = Outgoing(current_caller(), context)
        try:
            outputs = outgoing.outputs(result, context["outputs_list"], self._outputs)
            if context["updated_props"]:
                _put_tokens(context["updated_props"], outgoing)
            return outputs
        except BaseException:
            outgoing.undo()
            raise

    def _error_handler(self) -> Callable[[Exception], Any] | None:
        return self._user_on_error or app_error_handler()

    def _on_error(self, error: Exception) -> Any:
        """Call the ``on_error`` of the callback or the app; its result is exchanged as others are."""
        handler = self._error_handler()
        if handler is None:
            raise error
        result = handler(error)
        # As with dash.callback: a handler that returns nothing changes nothing.
        result = dash.no_update if result is None and self.schema else result
        context = callback_context()
        if context is None:  # the callback was called as a plain function
            return result
        return self._results(result, context)


def _put_tokens(props: dict[str, dict[str, Any]], outgoing: Outgoing) -> None:
    """Put tokens in place of the values that were given to ``set_props``."""
    try:
        props.update(outgoing.side_updates(props))
    except BaseException:
        props.clear()  # else the result of on_error would fail for the same reason
        raise
