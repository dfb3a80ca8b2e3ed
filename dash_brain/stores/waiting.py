"""Waiting for others, and never for ever: whoever keeps us waiting may have been stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dash_brain.stores.folder import Root

#: Seconds for which others are waited for that write, and for a lock.
WRITING = 5.0
_TURN = 2.0
_LONGEST_PAUSE = 0.02


def moments(seconds: float) -> Iterator[None]:
    """Yield at once, and again after short pauses until so many seconds are over."""
    end, pause = time.monotonic() + seconds, 0.0
    while True:
        yield
        if time.monotonic() >= end:
            return
        time.sleep(pause)
        pause = min(2 * pause + 0.001, _LONGEST_PAUSE)


@contextmanager
def turn(root: Root, path: str) -> Iterator[None]:
    """Hold the lock of a path if it is to be had soon, and go on without it otherwise.

    For a lock that saves work, and that nothing needs to be right. When its holder was stopped, only one put
    in a while waits for it.
    """
    patience = root.patience.seconds(path, _TURN)
    with ExitStack() as held:
        for _ in moments(patience):
            if held.enter_context(root.hold_if_free(path)):
                root.patience.regain(path)
                break
        else:
            if patience:
                root.patience.lose(path)
        yield
