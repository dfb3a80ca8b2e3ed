"""The event loop of ASGI servers: what may block leaves it, so that other requests go on meanwhile."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from dash_brain.common.forks import reset_in_children
from dash_brain.web.dash_internals import is_asked_by_mcp
from dash_brain.web.servers import current_request, end_message

Params = ParamSpec("Params")
Result = TypeVar("Result")

#: Callbacks of one process that may block at the same time, as many as FastAPI has threads.
MOST = 40


class Threads:
    """The threads in which work goes on beside the event loop; they begin when they are needed."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Forget the threads of the parent."""
        self._pool = None

    async def run(self, function: Callable[[], Result]) -> Result:
        """Run a function in a thread, with a copy of the context."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST, "dash_brain-callback")
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, function)


threads = Threads()


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
