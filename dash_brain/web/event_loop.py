"""The event loop of ASGI servers: what may block leaves it, so that other requests go on meanwhile."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from dash_brain.web.dash_internals import is_asked_by_mcp
from dash_brain.web.servers import current_request, end_message, threads

Params = ParamSpec("Params")
Result = TypeVar("Result")


async def beside_loop(
    function: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
) -> Result:
    """Call a function, in a thread if other requests share the event loop, as on ASGI servers."""
    request = current_request()
    if request is None or not request.shares_loop:
        return function(*args, **kwargs)
    return await threads.run(lambda: function(*args, **kwargs))


def served_beside_loop(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return what Dash calls for a callback on an ASGI server.

    Dash runs plain functions on the event loop there, and each would stop all other requests. Its MCP server
    cannot await them.
    """

    @wraps(callback)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await callback(*args, **kwargs)
        finally:
            end_message()

    @wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _is_in_loop() and not is_asked_by_mcp():
            return beside_loop(callback, *args, **kwargs)
        try:
            return callback(*args, **kwargs)  # websockets have threads of their own
        finally:
            end_message()

    return call_async if inspect.iscoroutinefunction(callback) else call


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
