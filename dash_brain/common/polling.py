"""Polling: asking again and again until another process has done something."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_SHORTEST = 0.001
#: How late a change is seen at most. 20 looks per second, of some 10 us each, cost next to nothing.
_LONGEST = 0.05


def wait_for(look: Callable[[], T | None], timeout: float | None) -> T | None:
    """Return what ``look`` finds, asked again and again; None when it finds nothing in time.

    Looking works with every store, over any number of processes, and needs nothing of them. The pauses
    begin short, for what is about to come, and grow to 50 ms.

    Parameters
    ----------
    look
        Says what there is, or None.
    timeout
        Seconds; it looks at least once. None: for ever.

    Examples
    --------
    >>> found = iter([None, None, "here"])
    >>> wait_for(lambda: next(found), timeout=10)
    'here'
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    pause = _SHORTEST
    while (found := look()) is None:
        left = end - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST)
    return found
