"""The one table of namespaces: what lies in each domain, in which order it is evicted, and whose
quota it counts against.

A namespace is ``"<domain>/<name>"``. Its domain says what kind of values lie there.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

#: The rank of an object in the order of eviction; the lowest go first.
EXPIRED, ENDING, MEMOIZED, IDLE, HELD = range(5)

#: Seconds in which a page has to claim a new value; a page that holds one lets it live for an hour.
UNCLAIMED = 600.0
#: A value that expires within so many seconds was not claimed within its first minute, or is let go.
_SOON = UNCLAIMED - 60.0

#: Seconds without use after which a value counts as idle. Open pages use theirs every few minutes.
_IDLE = 900.0

#: Seconds that a near copy lives without being renewed; and what the folder of such copies is named.
NEAR_LIFE = 3600.0
NEAR_STORE = re.compile(r"near-[0-9a-f]{16}@\d+")

_DOMAIN = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Retention(NamedTuple):
    """What a value is to its owner, and so how long a store keeps it when room is short.

    Attributes
    ----------
    kind
        ``"value"``: kept by use, and for good without a ttl. ``"result"``: it can be computed again.
        ``"recipe"``: it tells how. ``"note"``: bookkeeping, which is small, bounded, and never evicted.
        ``"passing"``: the first to be evicted.
    quota
        Bytes that the client may keep in all, where the namespace belongs to one; None: no bound.

    Examples
    --------
    >>> VALUE.within(1000)
    Retention(kind='value', quota=1000)
    """

    kind: str
    quota: int | None = None

    def within(self, quota: int | None) -> Retention:
        """Return the same, for a client that may keep so many bytes in all."""
        return self._replace(quota=quota)


VALUE, RESULT, RECIPE, NOTE, PASSING = map(Retention, ("value", "result", "recipe", "note", "passing"))


class Domain(NamedTuple):
    """What lies in the namespaces of a domain.

    Attributes
    ----------
    retention
        What its values are.
    of_client
        Whether the name of the namespace is that of a client, whose quota it counts against.
    most, largest
        How many notes a namespace holds at most (the oldest goes), and how many bytes one may have; 0: any.
    """

    retention: Retention
    of_client: bool = False
    most: int = 0
    largest: int = 0


#: What is bounded by the budget alone.
ANY = Domain(VALUE)

DOMAINS: dict[str, Domain] = {
    # named values and those of an app
    "brain": ANY,
    "app": ANY,
    # values of one session
    "session": Domain(VALUE, of_client=True),
    "session-names": Domain(VALUE, of_client=True),
    # results, and how to compute them again
    "memo": Domain(RESULT),
    "cache": Domain(RESULT),
    "session-memo": Domain(RESULT, of_client=True),
    "recipes": Domain(RECIPE),
    "session-recipes": Domain(RECIPE, of_client=True),
    # what pages hold; one note a page
    "claims": Domain(NOTE, of_client=True, most=256, largest=64 << 10),
    # what sessions, pages and apps are known by
    "session-registry": Domain(NOTE, largest=4 << 10),
    "closed": Domain(NOTE, most=100_000, largest=4 << 10),
    "logins": Domain(NOTE, most=64, largest=4 << 10),
    "registry": Domain(NOTE, most=10_000, largest=4 << 10),
    "workers": Domain(NOTE, most=1_000, largest=64 << 10),
    # which background jobs run
    "jobs": Domain(NOTE, most=10_000, largest=4 << 10),
    # copies of what lies in a store beyond a network
    "near": Domain(PASSING),
    # how a computation ended, for those who waited
    "outcomes": Domain(PASSING, most=1_000, largest=64 << 10),
}

#: The domains in which the objects of a client lie, under its name.
OF_CLIENTS = tuple(name for name, domain in DOMAINS.items() if domain.of_client)


def is_domain(name: str) -> bool:
    """Say whether ``name`` can be the domain of a namespace."""
    return _DOMAIN.fullmatch(name) is not None


def split(namespace: str) -> tuple[str, str]:
    """Return the domain and the name of a namespace.

    Examples
    --------
    >>> split("brain/orders")
    ('brain', 'orders')
    """
    domain, slash, name = namespace.partition("/")
    if not slash or not is_domain(domain):
        raise ValueError('A namespace is "<domain>/<name>", the domain a lowercase word.')
    return domain, name


@functools.lru_cache(maxsize=4096)
def domain_of(path: str) -> Domain:
    """Return what lies in a namespace, or under the path of anything in it."""
    return DOMAINS.get(path.partition("/")[0], ANY)


@functools.lru_cache(maxsize=4096)
def account_of(path: str) -> str | None:
    """Return the client that a namespace, or anything in it, belongs to; None for none.

    Examples
    --------
    >>> account_of("session-names/ab12/cart"), account_of("brain/default")
    ('ab12', None)
    """
    return path.split("/")[1] if domain_of(path).of_client else None


def rank(domain: str, expires: float | None, used: float, now: float) -> int | None:
    """Return the rank of an object in the order of eviction, None for one that is never evicted.

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
    kind = DOMAINS.get(domain, ANY).retention.kind
    if expires is not None and expires <= now:
        return EXPIRED
    if kind == "note":
        return None
    if kind == "passing" or (expires is not None and expires - now <= _SOON):
        return ENDING
    if kind == "result":
        return MEMOIZED
    if expires is None and kind != "recipe":
        return None
    return IDLE if abs(now - used) > _IDLE else HELD  # used in the future: the clock was ahead
