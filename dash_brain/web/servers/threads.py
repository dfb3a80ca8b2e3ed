"""The threads beside the event loop of an ASGI server, for what may block."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from dash_brain.common.forks import reset_in_children

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
