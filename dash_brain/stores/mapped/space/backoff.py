"""Back-off: what failed a moment ago is not tried again at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dash_brain.common.polling import moments

#: Seconds after a wait that timed out in which nobody waits for the same: its holder may never go on.
_GIVEN_UP_FOR = 30.0
#: Seconds between two searches among all objects when the first found too few that may be evicted.
_IN_VAIN = 1.0
_LONGEST_PAUSE = 0.02


class Backoff:
    """The waits of this process that timed out lately, and the state that each waited for to change."""

    def __init__(self) -> None:
        self._given_up: dict[str, tuple[object, float]] = {}

    def moments(self, what: str, seconds: float, state: object = None) -> Iterator[None]:
        """Yield at once, and repeatedly for so many seconds; only once after a time-out in this state."""
        seen, until = self._given_up.get(what, (None, 0.0))
        if seen == state and time.monotonic() < until:
            yield
            return
        yield from moments(seconds, _LONGEST_PAUSE)
        self._given_up[what] = state, time.monotonic() + _GIVEN_UP_FOR


class Search:
    """The last search among all objects for some that may be evicted."""

    def __init__(self) -> None:
        self._when, self._least = -_IN_VAIN, 0
        self._besides, self._spared = "", 0

    def note(self, missing: int, besides: str = "", spared: int = 0) -> None:
        """Note a search that failed to free so many bytes.

        It left out the object under the path ``besides``, of ``spared`` bytes, which was to be replaced.
        """
        self._when, self._least = time.monotonic(), missing
        self._besides, self._spared = besides, spared

    def was_in_vain(self, missing: int, besides: str = "") -> bool:
        """Say whether a search for so many bytes, or for fewer, failed a moment ago."""
        least = self._least if besides == self._besides else self._least + self._spared
        return missing >= least and time.monotonic() - self._when < _IN_VAIN
