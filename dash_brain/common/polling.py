"""Polling: asking again and again until another process has done something."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_SHORTEST = 0.0002
#: How late a change is seen at most. 20 looks per second, of some 10 us each, cost next to nothing.
LONGEST = 0.05


def moments(
    seconds: float, longest: float = LONGEST, wait: Callable[[float], object] | None = None
) -> Iterator[None]:
    """Yield at once, and again after pauses until so many seconds are over.

    The first pause only lets other threads run, for what is about to come; the last ones are ``longest``.
    """
    end, pause = time.monotonic() + seconds, 0.0
    while True:
        yield
        left = end - time.monotonic()
        if left <= 0:
            return
        (wait or time.sleep)(min(pause, left))
        pause = min(2 * pause + _SHORTEST, longest)


def wait_for(
    look: Callable[[], T | None],
    timeout: float | None,
    longest: float = LONGEST,
    wait: Callable[[float], object] | None = None,
) -> T | None:
    """Return what ``look`` finds, asked again and again; None when it finds nothing in time.

    Looking works with every store, over any number of processes, and needs nothing of them.

    Parameters
    ----------
    look
        Says what there is, or None.
    timeout
        Seconds; it looks at least once. None: for ever.
    longest, wait
        Seconds between two looks at most, and what waits for so long, or shorter when there is a reason to.

    Examples
    --------
    >>> found = iter([None, None, "here"])
    >>> wait_for(lambda: next(found), timeout=10)
    'here'
    """
    for _ in moments(math.inf if timeout is None else timeout, longest, wait):
        found = look()
        if found is not None:
            return found
    return None
