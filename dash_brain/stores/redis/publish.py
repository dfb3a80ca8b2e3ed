"""Putting: the chunks are sent first, and die by themselves unless a manifest comes; one script publishes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dash_brain.errors import LeaseLost, StoreError, StoreUnavailable, ValueConflict
from dash_brain.stores.faults import beyond_quota, conflict, full, shown, too_large
from dash_brain.stores.locked import lock_of_what_is_made
from dash_brain.stores.namespaces import account_of, domain_of
from dash_brain.stores.redis.blobs import Blobs
from dash_brain.stores.redis.leases import SENDING, Leases
from dash_brain.stores.redis.link import Link, OutOfMemory
from dash_brain.stores.redis.names import COMING, chunk_of, sending_of, unpacked
from dash_brain.stores.redis.objects import Upload
from dash_brain.stores.redis.records import counted, recount
from dash_brain.stores.redis.room import make_room

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

#: Seconds that chunks live for which no manifest comes: longer than it takes to send the largest value.
_UNPUBLISHED = 600
#: Chunks that are sent at once.
_AT_ONCE = 4
#: How often room is made for one object; each time others may have taken it.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Publication:
    """Where an object is to lie, and on which conditions."""

    namespace: str
    key: str
    ttl: float | None
    replaces: str | None
    quota: int | None
    allowed: int
    #: Told of each object that is evicted for it: the namespace, why, and the bytes.
    evicted: Callable[[str, str, int], None]

    @property
    def counted(self) -> int | str:
        """The quota, where the namespace belongs to a client."""
        return "" if self.quota is None or account_of(self.namespace) is None else self.quota


def publish(link: Link, leases: Leases, blobs: Blobs | None, where: Publication, upload: Upload) -> None:
    """Put an object in place of what lies there.

    Raises
    ------
    ValueConflict
        When something else lies there than was to be replaced.
    LeaseLost
        When it was made under a lock that this process has lost.
    StoreFull
        When there is no room.
    """
    largest = domain_of(where.namespace).largest
    if largest and upload.nbytes > largest:
        raise too_large(upload.nbytes, largest)
    if not upload.count:
        _with_room(link, leases, where, upload, upload.body())
    else:
        _publish_in_parts(link, leases, blobs, where, upload)


def _publish_in_parts(
    link: Link, leases: Leases, blobs: Blobs | None, where: Publication, upload: Upload
) -> None:
    _with_room(link, leases, where, upload, None)
    try:
        with leases.sending(upload.object_id):
            if blobs and upload.bucket:
                blobs.send(upload)
            else:
                _send(link, where, upload)
            _with_room(link, leases, where, upload, b"")
    except BaseException:
        if blobs and upload.bucket:
            blobs.withdraw(upload)
        else:
            _withdraw(link, upload)
        raise


def _with_room(link: Link, leases: Leases, where: Publication, upload: Upload, body: bytes | None) -> None:
    """Publish the manifest, and make room as it is needed; without a body only make the room."""
    for _ in range(_ATTEMPTS):
        reason, *amounts = _ask(link, leases, where, upload, body)
        if reason == b"incomplete":
            with suppress(StoreError):  # it is published; a later put or a sweep tries again
                recount(link)
        if reason in (b"ok", b"incomplete"):
            return
        if not amounts or not _eased(link, where, *amounts):
            break
    raise _refusal(link, where, upload, reason.decode(), *amounts)


def _ask(link: Link, leases: Leases, where: Publication, upload: Upload, body: bytes | None) -> list[Any]:
    made_under = lock_of_what_is_made()
    lock, holder = leases.holder(made_under) if made_under is not None else ("", "")
    given = (
        *(where.namespace, where.key, upload.object_id, upload.nbytes),
        f"{'b' if upload.bucket else ''}{upload.count}",
        "" if where.ttl is None else int(where.ttl * 1000),
        *("0" if where.replaces is None else "1", where.replaces or ""),
        domain_of(where.namespace).most,
        where.counted,
        where.allowed,
        *((lock, holder) if holder else ("", "")),
        int(SENDING * 1000),
        *(("", "") if body is None else (upload.manifest, body)),
    )
    # Said twice, the second would be refused if somebody replaced meanwhile what the first has put.
    again = where.replaces is None or body is None
    return _in_memory(link, where, upload, lambda: cast("list[Any]", link.run("put", *given, again=again)))


def _eased(link: Link, where: Publication, over: int, most: int, client: bytes | None = None) -> bool:
    """Evict what is over the quota of a client, or over the budget, and say whether it helped."""
    whose = None if client is None else unpacked(client)
    place = (where.namespace, where.key)
    return make_room(link, place, over, most // 16, whose, evicted=where.evicted)


def _refusal(
    link: Link, where: Publication, upload: Upload, reason: str, over: int = 0, most: int = 0, *_: bytes
) -> StoreError | ValueConflict:
    if reason == "conflict":
        return conflict(where.key)
    if reason == "lease":
        return LeaseLost(
            f"{shown(where.key)} was made under a lock that this process has lost meanwhile: it was stopped, "
            "its machine was asleep, or Redis was away for longer than the lease. Nothing was changed, and "
            "what others made since then stays. ?lease= in the URL of the store makes leases longer."
        )
    if reason == "quota":
        return beyond_quota(upload.nbytes, most)
    if reason == "budget":
        return full(upload.nbytes, most, counted(link))
    return StoreUnavailable(
        f"Parts of {shown(where.key)} were gone before all of them were there: Redis lost data, its "
        "maxmemory-policy evicted them, sending them took more than ten minutes, or this process stood still "
        "for a minute. What was stored before is untouched; only if the connection broke meanwhile, all of "
        "it may have been there for a while. Look at what lies there now, and put it again."
    )


def _send(link: Link, where: Publication, upload: Upload) -> None:
    """Send the chunks; when Redis has no memory left, evict as much and go on."""
    parts, number = upload.parts(), 0
    while some := list(islice(parts, _AT_ONCE)):
        names = [chunk_of(upload.object_id, number + one) for one in range(len(some))]
        number += len(some)

        _in_memory(link, where, upload, partial(link.call, partial(_set, names, some)))


def _set(names: list[bytes], parts: list[bytes | memoryview], client: Redis) -> None:
    pipeline = client.pipeline(transaction=False)
    for name, part in zip(names, parts, strict=True):
        pipeline.set(name, part, ex=_UNPUBLISHED)
    for answer in pipeline.execute(raise_on_error=False):  # else the error would quote the value
        if isinstance(answer, Exception):
            raise answer


def _in_memory(link: Link, where: Publication, upload: Upload, send: Callable[[], T]) -> T:
    """Return what ``send`` does; when Redis has no memory left, evict as much as the object takes before."""
    try:
        return send()
    except OutOfMemory:
        needed = upload.in_redis
        place = (where.namespace, where.key)
        if not make_room(link, place, needed, needed, of_memory=True, evicted=where.evicted):
            raise
        return send()


def _withdraw(link: Link, upload: Upload) -> None:
    """Remove the chunks of an object unless its manifest was published, which is no longer coming then."""
    names = [chunk_of(upload.object_id, number) for number in range(upload.count)]
    with suppress(StoreError):  # the next sweep removes what is left
        if link.call(lambda client: client.hdel(COMING, upload.object_id), again=False):
            link.call(lambda client: client.unlink(*names, sending_of(upload.object_id)), again=False)
