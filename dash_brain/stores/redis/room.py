"""Making room in Redis: what may go is looked up in the bookkeeping, and goes in the order of every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import cast

from dash_brain.stores.namespaces import OF_CLIENTS, rank
from dash_brain.stores.reclaim import Candidate, Limit, reclaim
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import PREFIX, index_of, unpacked

#: Namespaces whose records are asked for at once, and keys of Redis that are looked through at once.
_AT_ONCE = 200
_SCANNED = 1000


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
    evicted: Callable[[str, int], None],
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
        Told of each object that went: the namespace, and the bytes.
    """
    limit = _Missing(nbytes, slack)
    spaces = all_namespaces(link) if client is None else [f"{domain}/{client}" for domain in OF_CLIENTS]
    going = [one for one in _candidates(link, spaces, of_memory) if one.entry[:2] != for_object]

    def evict(candidate: Candidate) -> bool:
        gone = bool(link.run("evict", *candidate.entry))
        limit.left -= candidate.nbytes * gone
        if gone:
            evicted(candidate.entry[0], candidate.nbytes)
        return gone

    return reclaim(limit, sorted(going, key=lambda one: one[:3]), evict) and limit.left <= 0


def all_namespaces(link: Link) -> Iterator[str]:
    """Yield every namespace that holds something."""
    at = PREFIX + b"namespaces"
    known = cast("list[bytes]", link.call(lambda client: client.zrange(at, 0, -1)))
    return (unpacked(one) for one in known if b"/" in one)  # and not what marks it as complete


def namespaces_of(link: Link, domain: str) -> Iterator[str]:
    """Yield the namespaces of a domain that hold something."""
    return map(unpacked, link.run("namespaces", domain))


def recount(link: Link) -> bool:
    """Make the bookkeeping anew from the indexes, and say whether less is used than was thought."""
    indexes = index_of("")
    pending = link.call(lambda client: list(client.scan_iter(indexes + b"*", count=_SCANNED)))
    found = (unpacked(one.removeprefix(indexes)) for one in pending)
    while some := list(islice(found, _AT_ONCE)):
        link.run("known", *some)
    return bool(link.run("recount"))


def _candidates(link: Link, namespaces: Iterable[str], of_memory: bool) -> Iterator[Candidate]:
    """Yield what may be evicted of these namespaces."""
    pending = iter(namespaces)
    now = float(link.call(lambda client: client.time())[0])
    while some := list(islice(pending, _AT_ONCE)):
        for namespace, records in zip(some, _records(link, some), strict=True):
            for name, record in records.items():
                object_id, nbytes, parts, _, used, expires = record.decode().split()
                if of_memory and parts.startswith("b"):
                    continue
                over = int(expires) / 1000 if expires != "0" else None
                ranked, key = rank(namespace.partition("/")[0], over, int(used) / 1000, now), unpacked(name)
                if ranked is not None:
                    entry = (namespace, key, object_id, used)
                    yield Candidate(ranked, int(used) / 1000, f"{namespace}\0{key}", int(nbytes), entry)


def _records(link: Link, namespaces: list[str]) -> list[dict[bytes, bytes]]:
    found = cast("list[list[bytes]]", link.run("records", *namespaces))
    return [dict(zip(one[::2], one[1::2], strict=True)) for one in found]
