"""Stale-while-revalidate: a stale result is computed again while callers still get the old one."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from dash_brain.singleflight.meetings import outside_flights

log = logging.getLogger("dash_brain")

#: Running tasks: an event loop alone keeps no reference to them.
_tasks: set[asyncio.Task[None]] = set()


def in_background(renewal: Callable[[], Any]) -> None:
    """Run it in a daemon thread, with a copy of the caller's context."""

    def run() -> None:
        with outside_flights(), _failure_logged():
            renewal()

    threading.Thread(target=copy_context().run, args=(run,), name="dash_brain-renew", daemon=True).start()


def in_loop(renewal: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Run it in the running event loop, or in a thread when the loop ends first."""

    async def run() -> None:
        with outside_flights(), _failure_logged():
            try:
                await renewal()
            except asyncio.CancelledError:
                # The loop ended with its callback.
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
