"""How long results are fresh, and how long they are kept."""

from __future__ import annotations

import time
from typing import NamedTuple


class Lifetime(NamedTuple):
    """Seconds for which a result is fresh, and seconds for which it is served stale after that."""

    ttl: float | None
    stale: float | None

    @property
    def whole(self) -> float | None:
        """Seconds that a result is kept."""
        return None if self.ttl is None else self.ttl + (self.stale or 0.0)

    def is_stale(self, created: float) -> bool:
        """Say whether a result of that time is stale; one from the future is too: a clock was wrong."""
        return self.ttl is not None and abs(time.time() - created) > self.ttl


def checked_lifetime(ttl: float | None, stale: float | None) -> Lifetime:
    """Return the lifetime of results.

    Raises
    ------
    ValueError
        When one is not positive, or ``stale`` is given without ``ttl``.
    """
    if callable(ttl):
        raise TypeError("memoize is called before it decorates: @brain.memoize(), with brackets.")
    for name, seconds in (("ttl", ttl), ("stale", stale)):
        if seconds is not None and not seconds > 0:
            raise ValueError(f"{name} is a positive number of seconds, and not {seconds!r}.")
    if stale is not None and ttl is None:
        raise ValueError("stale= needs ttl=: a result that is always fresh never gets stale.")
    return Lifetime(ttl, stale)
