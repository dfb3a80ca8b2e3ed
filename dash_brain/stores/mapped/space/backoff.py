"""What was tried in vain need not be tried again at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dash_brain.common.polling import moments

#: Seconds in which nothing is waited for that was waited for in vain: its holder may be stopped for good.
_GIVEN_UP_FOR = 30.0
#: Seconds after which all objects are looked at again, though none could be evicted the last time.
_IN_VAIN = 1.0
_LONGEST_PAUSE = 0.02


class Backoff:
    """What this process waited for in vain lately, and the state of it that it saw then."""

    def __init__(self) -> None:
        self._given_up: dict[str, tuple[object, float]] = {}

    def moments(self, what: str, seconds: float, state: object = None) -> Iterator[None]:
        """Yield at once, and again until so many seconds are over, unless that was in vain in this state."""
        seen, until = self._given_up.get(what, (None, 0.0))
        if seen == state and time.monotonic() < until:
            yield
            return
        yield from moments(seconds, _LONGEST_PAUSE)
        self._given_up[what] = state, time.monotonic() + _GIVEN_UP_FOR


class Search:
    """The last search among all objects for bytes that may go."""

    def __init__(self) -> None:
        self._when, self._least = -_IN_VAIN, 0
        self._besides, self._spared = "", 0

    def note(self, missing: int, besides: str = "", spared: int = 0) -> None:
        """Note that all objects were looked at, and so many bytes of them could not go.

        What lies under the path ``besides`` was to stay, and takes the bytes that were ``spared``.
        """
        self._when, self._least = time.monotonic(), missing
        self._besides, self._spared = besides, spared

    def was_in_vain(self, missing: int, besides: str = "") -> bool:
        """Say whether looking for so many bytes, or for fewer, was in vain a moment ago."""
        least = self._least if besides == self._besides else self._least + self._spared
        return missing >= least and time.monotonic() - self._when < _IN_VAIN
