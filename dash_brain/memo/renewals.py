"""Renewing a result that is stale, while everybody is given the old one."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from dash_brain.singleflight.meetings import as_newcomer

log = logging.getLogger("dash_brain")

#: Those that are under way; an event loop itself keeps no task alive.
_tasks: set[asyncio.Task[None]] = set()


def in_background(renewal: Callable[[], Any]) -> None:
    """Do it in a thread that sees what the caller sees; nobody waits for it."""

    def run() -> None:
        with as_newcomer(), _failure_logged():
            renewal()

    threading.Thread(target=copy_context().run, args=(run,), name="dash_brain-renew", daemon=True).start()


def in_loop(renewal: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Do it in the event loop that runs, or in a thread when the loop ends before."""

    async def run() -> None:
        with as_newcomer(), _failure_logged():
            try:
                await renewal()
            except asyncio.CancelledError:
                # The loop ends with whoever asked, as that of a callback does.
                in_background(lambda: asyncio.run(renewal()))
                raise

    task = asyncio.get_running_loop().create_task(run())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


@contextmanager
def _failure_logged() -> Iterator[None]:
    try:
        yield
    except Exception:
        log.warning("A memoized result could not be renewed; the old one is served on.", exc_info=True)
