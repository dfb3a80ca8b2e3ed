"""Who waited in vain need not wait again at once: whoever kept us waiting may be stopped for good."""

from __future__ import annotations

import time

#: Seconds for which nobody waits for what he waited for in vain.
_LOST_FOR = 30.0


class Patience:
    """What this process waited for in vain lately, and the state of it that it saw then."""

    def __init__(self) -> None:
        self._lost: dict[str, tuple[object, float]] = {}

    def seconds(self, what: str, most: float, state: object = None) -> float:
        """Return for how many seconds to wait: none for what is as it was when that was in vain."""
        lost_in, until = self._lost.get(what, (None, 0.0))
        return 0.0 if lost_in == state and time.monotonic() < until else most

    def lose(self, what: str, state: object = None) -> None:
        """Note that a wait was in vain."""
        self._lost[what] = state, time.monotonic() + _LOST_FOR

    def regain(self, what: str) -> None:
        """Note that what was waited for came."""
        self._lost.pop(what, None)
