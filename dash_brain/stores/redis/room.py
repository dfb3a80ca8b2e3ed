"""Making room in Redis: what may go is looked up in the bookkeeping, and goes in the order of every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dash_brain.stores.namespaces import OF_CLIENTS, rank
from dash_brain.stores.reclaim import Candidate, Limit, reclaim
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import unpacked
from dash_brain.stores.redis.records import all_namespaces, pages


class _Missing(Limit):
    """So many bytes have to go."""

    def __init__(self, nbytes: int, slack: int) -> None:
        self.left = nbytes
        self.slack = slack

    def missing(self) -> int:
        return self.left


def make_room(
    link: Link,
    for_object: tuple[str, str],
    nbytes: int,
    slack: int,
    client: str | None = None,
    of_memory: bool = False,
    *,
    evicted: Callable[[str, str, int], None],
) -> bool:
    """Evict so many bytes of what may go, and say whether it helped.

    Parameters
    ----------
    for_object
        Namespace and key of what is to be put; what lies there goes by itself.
    slack
        Bytes beyond, so that the next look at all objects is far away.
    client
        Whose objects may go; None: anybody's.
    of_memory
        Whether it is the memory of Redis, so that what lies in a bucket may stay.
    evicted
        Told of each object that went: the namespace, why as a tombstone has it, and the bytes.
    """
    spaces = all_namespaces(link) if client is None else [f"{domain}/{client}" for domain in OF_CLIENTS]
    freed, found = _look_through(link, spaces)
    limit = _Missing(nbytes if of_memory else nbytes - freed, slack)
    going = [one for one in found if one.entry[:2] != for_object and not (of_memory and one.entry[4])]
    reason = "evicted" if client is None else "quota"

    def evict(candidate: Candidate) -> bool:
        gone = bool(link.run("evict", *candidate.entry[:4], reason))
        limit.left -= candidate.nbytes * gone
        if gone:
            evicted(candidate.entry[0], reason, candidate.nbytes)
        return gone

    reclaim(limit, sorted(going, key=lambda one: one[:3]), evict)
    return limit.left <= 0


def _look_through(link: Link, namespaces: Iterable[str]) -> tuple[int, list[Candidate]]:
    """Return the bytes that Redis itself has evicted, and what may be evicted of these namespaces."""
    now, freed, found = float(link.call(lambda client: client.time())[0]), 0, dict[str, Candidate]()
    for page in pages(link, namespaces):
        freed += page.freed
        for namespace, records in page.records.items():
            found.update((one.path, one) for one in _candidates(namespace, records, now))
    return freed, list(found.values())


def _candidates(namespace: str, records: dict[bytes, bytes], now: float) -> Iterator[Candidate]:
    """Yield what may be evicted of a namespace."""
    for name, record in records.items():
        object_id, nbytes, parts, _, used, expires = record.decode().split()
        over = int(expires) / 1000 if expires != "0" else None
        ranked, key = rank(namespace.partition("/")[0], over, int(used) / 1000, now), unpacked(name)
        if ranked is not None:
            entry = (namespace, key, object_id, used, parts.startswith("b"))
            yield Candidate(ranked, int(used) / 1000, f"{namespace}\0{key}", int(nbytes), entry)
