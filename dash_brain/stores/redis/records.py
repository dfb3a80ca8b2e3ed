"""All records of some namespaces, page by page: Redis serves others in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import ALL, USAGE, index_of, packed, unpacked

#: Namespaces that are looked through in one step, at most; keys of Redis, and counts of bytes.
_AT_ONCE = 200
_KEYS = 1000
_COUNTS = 10_000


class Page(NamedTuple):
    """Some of the records.

    Attributes
    ----------
    freed
        Bytes that were counted until now, and that Redis had evicted.
    records
        Of each namespace: the keys, and what is recorded of them.
    """

    freed: int
    records: dict[str, dict[bytes, bytes]]


def pages(link: Link, namespaces: Iterable[str]) -> Iterator[Page]:
    """Yield all records of these namespaces. What Redis evicted is removed from the bookkeeping on the way.

    A record that changes meanwhile may come twice.
    """
    given, pending, cursor = iter(namespaces), list[str](), b"0"
    while pending := pending or list(islice(given, _AT_ONCE)):
        done, cursor, freed, found = link.run("records", cursor, *pending)
        each = zip(pending, found, strict=False)  # the step may have ended before the last of them
        yield Page(freed, {space: dict(zip(one[::2], one[1::2], strict=True)) for space, one in each})
        pending = pending[done:]


def counted(link: Link) -> int:
    """Return the bytes of all objects."""
    return int(link.run("usage", ALL))


def all_namespaces(link: Link) -> Iterator[str]:
    """Yield every namespace that is counted."""
    return (unpacked(field) for field in _usage(link) if field.find(b"/") > 0)  # and not a client or a sum


def namespaces_of(link: Link, domain: str) -> Iterator[str]:
    """Yield the namespaces of a domain that hold something."""
    pending = iter(_usage(link, packed(domain) + b"/*"))
    while some := list(islice(pending, _AT_ONCE)):
        yield from map(unpacked, link.run("filled", *some))


def recount(link: Link) -> None:
    """Make the bookkeeping anew from the records, and remove from it what Redis has evicted."""
    link.run("begin")
    prefix = index_of("")
    found = link.call(lambda client: list(client.scan_iter(prefix + b"*", count=_KEYS)))
    spaces = {*all_namespaces(link), *(unpacked(one.removeprefix(prefix)) for one in found)}
    for _ in pages(link, spaces):
        pass
    link.run("complete")


def _usage(link: Link, match: bytes | None = None) -> dict[bytes, bytes]:
    """Return the bytes of all, of each client and of each namespace as they were counted."""
    return link.call(lambda client: dict(client.hscan_iter(USAGE, match=match, count=_COUNTS)))
