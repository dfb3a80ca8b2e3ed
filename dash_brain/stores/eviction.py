"""Which objects go first when memory is short."""

from __future__ import annotations

#: How dear an object is to somebody; the cheapest go first.
EXPIRED, ENDING, MEMOIZED, IDLE, HELD = range(5)

#: What sessions, pages and apps are known by. It is small, and losing it loses what it stands for.
_BOOKKEEPING = {"attendance", "claims", "closed", "logins", "outcomes", "registry", "workers"}

#: What can be computed again.
_MEMOIZED = {"memo", "session-memo"}

#: What tells how to compute again; it goes after all that it can bring back.
_RECIPES = {"recipes", "session-recipes"}

#: A value that ends within so many seconds is on its way out: a page that holds one lets it live for an hour.
#: A new value has ten minutes in which to be claimed; nine tell that nobody did within the first.
_SOON = 540.0

#: Seconds without use after which nobody seems to need a value. Open pages use theirs every few minutes.
_IDLE = 900.0


def rank(domain: str, expires: float | None, used: float, now: float) -> int | None:
    """Return how dear an object is, None for one that is never evicted.

    Parameters
    ----------
    domain
        What kind of namespace it lies in.
    expires, used, now
        Seconds since the epoch; ``expires`` is None for an object without a ttl.

    Examples
    --------
    >>> rank("session", 1000.0, 0.0, 900.0) == ENDING, rank("session", 9000.0, 890.0, 900.0) == HELD
    (True, True)
    >>> rank("brain", None, 0.0, 900.0) is None
    True
    """
    if expires is not None and expires <= now:
        return EXPIRED
    if domain in _BOOKKEEPING:
        return None
    if expires is not None and expires - now <= _SOON:
        return ENDING
    if domain in _MEMOIZED:
        return MEMOIZED
    if expires is None and domain not in _RECIPES:
        return None
    return IDLE if abs(now - used) > _IDLE else HELD  # used in the future: the clock was ahead
