"""A deeper stack, for values that are nested deeply."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint

Result = TypeVar("Result")

#: Limit of recursion, and bytes of stack, which Python needs before 3.11.
_CALLS, _STACK = 100_000, 256 << 20

_alone = threading.Lock()


def with_deep_stack(walk: Callable[[], Result]) -> Result:
    """Return the result of a walk; after a RecursionError it runs again in a thread with a deeper stack."""
    try:
        return walk()
    except RecursionError:
        pass
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(walk())
        except RecursionError:
            done.set_exception(NoFingerprint("something that is nested too deeply"))
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
