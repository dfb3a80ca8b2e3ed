"""Clocks that tests set."""

from __future__ import annotations

import time


class Clock:
    """A clock that stands still until it is told to go on.

    Examples
    --------
    >>> clock = Clock(1000.0)
    >>> clock.advance(5)
    >>> clock()
    1005.0
    """

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class MovableClock:
    """The clocks of this machine, which can be moved on.

    The fixture ``brain_clock`` is one; it is what ``time.time`` and ``time.monotonic`` are then.

    Examples
    --------
    >>> clock = MovableClock()
    >>> before = clock.time()
    >>> clock.advance(3600)
    >>> 3600 <= clock.time() - before < 3700
    True
    """

    def __init__(self) -> None:
        self._time, self._monotonic = time.time, time.monotonic
        self._ahead = self._passed = 0.0

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return self._time() + self._ahead

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._monotonic() + self._passed

    def advance(self, seconds: float) -> None:
        """Let time pass; a negative number sets the clock back, as an administrator may."""
        self._ahead += seconds
        self._passed += max(seconds, 0.0)
