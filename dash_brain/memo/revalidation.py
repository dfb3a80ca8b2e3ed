"""Stale-while-revalidate: a stale result is computed again while callers still get the old one.

One renewal of a result is under way in a process. It is noted here, when it begins, and not where its flight
does: until then others may have found the result stale as well.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from dash_brain.common.forks import reset_in_children
from dash_brain.singleflight.flight_key import FlightKey, Meeting
from dash_brain.singleflight.meetings import outside_flights

log = logging.getLogger("dash_brain")


class Renewals:
    """The renewals that are under way in this process."""

    def __init__(self) -> None:
        #: Who renews what: a thread, or a task, which the event loop alone would not keep.
        self._of: dict[Meeting, threading.Thread | asyncio.Task[None]] = {}
        reset_in_children(self)

    def in_background(self, key: FlightKey, renewal: Callable[[], Any]) -> None:
        """Run it in a daemon thread, with a copy of the caller's context."""

        def run() -> None:
            try:
                with outside_flights(), _failure_logged():
                    renewal()
            finally:
                self._of.pop(key.meeting, None)

        thread = threading.Thread(
            target=copy_context().run, args=(run,), name="dash_brain-renew", daemon=True
        )
        if self._of.setdefault(key.meeting, thread) is thread:
            try:
                thread.start()
            except RuntimeError:  # no more threads: a later caller may have one
                self._of.pop(key.meeting, None)
                raise

    def in_loop(self, key: FlightKey, renewal: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Run it in the running event loop, or in a thread when the loop ends first."""

        async def run() -> None:
            with outside_flights(), _failure_logged():
                await renewal()

        def over(task: asyncio.Task[None]) -> None:
            self._of.pop(key.meeting, None)
            if task.cancelled():  # the loop ended with its callback
                self.in_background(key, lambda: asyncio.run(renewal()))

        if key.meeting not in self._of:
            self._of[key.meeting] = task = asyncio.get_running_loop().create_task(run())
            task.add_done_callback(over)

    def reset_after_fork(self) -> None:
        """Forget what the parent renews."""
        self._of = {}

    def __len__(self) -> int:
        return len(self._of)


renewals = Renewals()


@contextmanager
def _failure_logged() -> Iterator[None]:
    try:
        yield
    except Exception:
        log.warning("A memoized result could not be renewed; the old one is served on.", exc_info=True)
