"""Throttling: an action is done for each key at most once in a number of seconds."""

from __future__ import annotations

import time
from collections.abc import Hashable


class Throttle:
    """What was done in the last ``seconds``, by key, as far as this process knows.

    It remembers ``limit`` keys; when there are more it forgets all, and each action is done once more.

    Examples
    --------
    >>> sent = Throttle(seconds=60)
    >>> sent.note("a")
    >>> "a" in sent, "b" in sent
    (True, False)
    """

    def __init__(self, seconds: float, limit: int = 10_000) -> None:
        self._seconds = seconds
        self._limit = limit
        self._done: dict[Hashable, float] = {}

    def note(self, key: Hashable) -> None:
        """Note that it was done for this key just now."""
        if len(self._done) >= self._limit:
            self._done.clear()
        self._done[key] = time.monotonic()

    def forget(self) -> None:
        """Forget what was done."""
        self._done.clear()

    def __contains__(self, key: Hashable) -> bool:
        return time.monotonic() - self._done.get(key, float("-inf")) < self._seconds
