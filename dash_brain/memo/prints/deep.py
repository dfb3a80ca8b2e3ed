"""Room for a walk through what is nested deeply."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from dash_brain.memo.prints.refusal import Refused

Result = TypeVar("Result")

#: Calls within calls, and bytes of stack for them, which Python needs before 3.11.
_CALLS, _STACK = 100_000, 256 << 20

_alone = threading.Lock()


def with_room(walk: Callable[[], Result]) -> Result:
    """Return what a walk gives; if it is too deep for this thread, made anew in one with more room."""
    try:
        return walk()
    except RecursionError:
        pass
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(walk())
        except RecursionError:
            done.set_exception(Refused("something that is nested too deeply"))
        except BaseException as error:
            done.set_exception(error)

    with _alone:
        limit, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
        sys.setrecursionlimit(max(limit, _CALLS))
        try:
            threading.Thread(target=run, daemon=True).start()
            threading.stack_size(size)
            return done.result()
        finally:
            sys.setrecursionlimit(limit)
