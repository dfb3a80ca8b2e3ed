"""Making room in Redis: what may go is looked up in the bookkeeping, and goes in the order of every store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, cast

from dash_brain.stores.namespaces import OF_CLIENTS, rank
from dash_brain.stores.reclaim import Candidate, Limit, reclaim
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import PREFIX, index_of, unpacked

if TYPE_CHECKING:
    from redis import Redis

#: Namespaces whose records are asked for at once.
_AT_ONCE = 200


class _Missing(Limit):
    """So many bytes have to go."""

    def __init__(self, nbytes: int, slack: int) -> None:
        self.left = nbytes
        self.slack = slack

    def missing(self) -> int:
        return self.left


def make_room(
    link: Link, for_object: tuple[str, str], nbytes: int, slack: int, client: str | None = None
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
    """
    limit = _Missing(nbytes, slack)
    spaces = all_namespaces(link) if client is None else [f"{domain}/{client}" for domain in OF_CLIENTS]
    going = [one for one in _candidates(link, spaces) if one.entry[:2] != for_object]

    def evict(candidate: Candidate) -> bool:
        gone = bool(link.run("evict", *candidate.entry))
        limit.left -= candidate.nbytes * gone
        return gone

    return reclaim(limit, sorted(going, key=lambda one: one[:3]), evict) and limit.left <= 0


def all_namespaces(link: Link) -> Iterator[str]:
    """Yield every namespace that holds something."""
    domains = link.call(lambda client: client.smembers(PREFIX + b"domains"))
    for domain in cast("set[bytes]", domains):
        yield from namespaces_of(link, domain.decode())


def namespaces_of(link: Link, domain: str) -> Iterator[str]:
    """Yield the namespaces of a domain that hold something."""
    at = PREFIX + b"namespaces:" + domain.encode()
    return map(unpacked, cast("set[bytes]", link.call(lambda client: client.smembers(at))))


def _candidates(link: Link, namespaces: Iterable[str]) -> Iterator[Candidate]:
    """Yield what may be evicted of these namespaces."""
    pending = iter(namespaces)
    now = float(link.call(lambda client: client.time())[0])
    while some := list(islice(pending, _AT_ONCE)):
        for namespace, records in zip(some, _records(link, some), strict=True):
            for name, record in records.items():
                object_id, nbytes, _, _, used, expires = record.decode().split()
                over = int(expires) / 1000 if expires != "0" else None
                ranked, key = rank(namespace.partition("/")[0], over, int(used) / 1000, now), unpacked(name)
                if ranked is not None:
                    entry = (namespace, key, object_id, used)
                    yield Candidate(ranked, int(used) / 1000, f"{namespace}\0{key}", int(nbytes), entry)


def _records(link: Link, namespaces: list[str]) -> list[dict[bytes, bytes]]:
    def ask(client: Redis) -> list[dict[bytes, bytes]]:
        pipeline = client.pipeline(transaction=False)
        for namespace in namespaces:
            pipeline.hgetall(index_of(namespace))
        return pipeline.execute()

    return link.call(ask)
