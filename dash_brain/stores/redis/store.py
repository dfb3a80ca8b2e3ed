"""Objects in Redis or Valkey, shared by all who reach it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from itertools import islice
from time import perf_counter_ns
from typing import Any, NoReturn, cast

from dash_brain.common.signing import KeyRing
from dash_brain.common.sizes import parse_size
from dash_brain.errors import DecodeError, EncodeError, StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores.base import (
    Bounded,
    Frames,
    Locks,
    Look,
    Looks,
    ObjectInfo,
    Place,
    Scans,
    Store,
    Watch,
    expires_at,
)
from dash_brain.stores.faults import missing, shown, too_small
from dash_brain.stores.namespaces import Retention, split
from dash_brain.stores.redis.address import Address
from dash_brain.stores.redis.blobs import Blobs
from dash_brain.stores.redis.bucket import Bucket
from dash_brain.stores.redis.channels import LOOK, listening
from dash_brain.stores.redis.chunks import Chunks
from dash_brain.stores.redis.keys import key_ring
from dash_brain.stores.redis.leases import Leases
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import BYTES, index_of, member_of, unpacked
from dash_brain.stores.redis.objects import Changed, Incoming, forged, sealed
from dash_brain.stores.redis.parts import Gone, Parts
from dash_brain.stores.redis.publish import Publication, publish
from dash_brain.stores.redis.reading import Found, gone, read
from dash_brain.stores.redis.records import counted, namespaces_of, recount

#: How often a value is looked up again whose parts went while they were fetched.
_ATTEMPTS = 20
#: Keys that are touched, or records that are removed, in one step.
_BATCH = 1000
#: Objects that are looked at in one step.
_INFOS = 200
#: The script answers with so many things where there is something: record, manifest and body.
_FOUND = 3


class RedisStore(Store, Scans, Locks, Looks, Bounded):
    """Objects in Redis (6.2 or later) or Valkey, shared by all processes that reach it.

    Shared between processes: yes, of all machines. Survives a restart: as far as Redis does. Thread-safe:
    yes. What is read is verified before it is loaded: it was put there by somebody with the same key.

    Parameters
    ----------
    url
        ``redis://[user:password@]host[:port][/database]``, ``rediss://`` for TLS, ``unix:///socket``, or
        ``redis+sentinel://host[:port][,host…]/service[/database]``. Options: ``size``, the budget in bytes
        (``2GiB``); ``timeout``, seconds for an answer (5); ``lease``, seconds after which a lock is free
        whose holder died (15); ``blobs``, ``s3://bucket/prefix`` for values of 1 MB and more; and those of
        redis-py that begin with ``ssl_``.
    key
        Secret that signs what is put, or a list of them: the first signs, all verify. By default the one of
        ``configure()`` or ``DASH_BRAIN_KEY``.

    Raises
    ------
    StoreUnavailable
        When redis-py is not installed, or botocore where ``blobs`` is given.
    """

    shared = "network"

    def __init__(self, url: str, *, key: str | bytes | Sequence[str | bytes] | None = None) -> None:
        self._address = Address(url)
        self._size = None if self._address.size is None else parse_size(self._address.size)
        self._given_key = key
        self._link = Link(self._address)
        self._leases = Leases(self._link)
        self._chunks = Chunks(self._link)
        self._blobs: Blobs | None = None
        if self._address.blobs is not None:
            self._blobs = Blobs(self._link, Bucket(self._address.blobs, self._address.timeout))

    @property
    def place(self) -> str:
        """Where it is, without credentials."""
        return self._address.shown

    def __repr__(self) -> str:
        return f"RedisStore at {self.place}"

    def __reduce__(self) -> NoReturn:
        raise EncodeError(
            f"The {self!r} cannot be pickled: its address and its key may be secrets. What opens it by a "
            "URL, as Brain(url=...) does, can be: the receiver takes secrets from its own configuration."
        )

    def put(
        self,
        namespace: str,
        key: str,
        frames: Frames,
        *,
        ttl: float | None = None,
        meta: Mapping[str, str] | None = None,
        retention: Retention | None = None,
        replaces: str | None = None,
    ) -> str:
        split(namespace)  # refuses what is no namespace
        started = perf_counter_ns()
        lives = None if expires_at(ttl, time.time()) is None else ttl
        bucket = self._blobs.bucket.at if self._blobs else None
        upload = sealed(self._keys, namespace, key, frames, meta, bucket)
        quota = None if retention is None else retention.quota
        evicted = self.counters.note_removal
        where = Publication(namespace, key, lives, replaces, quota, self._allowed, evicted)
        try:
            publish(self._link, self._leases, self._blobs, where, upload)
        except StoreFull:
            self.counters.note_refusal(namespace)
            raise
        self.counters.note_put(namespace, upload.nbytes, started)
        if upload.bucket:
            self._clear()
        return upload.object_id

    def get(self, namespace: str, key: str) -> Frames:
        split(namespace)
        started = perf_counter_ns()
        try:
            frames = self._got(namespace, key)
        except ValueMissing as error:
            self.counters.note_miss(namespace, error.reason)
            raise
        self.counters.note_get(namespace, sum(map(len, frames)), started)
        return frames

    def _got(self, namespace: str, key: str) -> Frames:
        with suppress(Gone):
            return self._frames(self._found(namespace, key))
        seen = ""
        for _ in range(_ATTEMPTS):
            found = self._said("look", namespace, key)
            if found.object_id == seen:  # all its parts are there, and one of them is empty
                raise forged(key)
            seen = found.object_id
            with suppress(Gone):  # replaced, deleted or evicted meanwhile
                return self._frames(found)
        raise StoreUnavailable(
            f"{shown(key)} was replaced {_ATTEMPTS} times while it was read, each time before all of it was "
            "here; replace it less often, or give it a smaller value."
        )

    def info(self, namespace: str, key: str) -> ObjectInfo:
        split(namespace)
        return self._said("info", namespace, key).info

    def info_many(self, namespace: str, keys: Iterable[str]) -> Iterator[tuple[str, ObjectInfo | None]]:
        split(namespace)
        pending = iter(keys)
        while some := list(islice(pending, _INFOS)):
            for key, found in zip(some, self._link.run("infos", namespace, *some), strict=True):
                if len(found) == _FOUND:
                    yield key, self._info_of(namespace, key, found)

    def look(self, places: Sequence[Place]) -> list[Look | None]:
        read: list[Look | None] = []
        for place, found in zip(places, self._read(places), strict=True):
            try:
                read.append(None if found is None else _seen(Incoming(self._keys, *place, found)))
            except Changed:
                read.append(self._seen_alone(*place))
        return read

    def fetch(self, found: ObjectInfo) -> Frames:
        there = self._said("look", found.namespace, found.key)
        if there.object_id == found.object_id:
            with suppress(Gone):
                return self._frames(there)
        raise missing(found.key)

    def exists(self, namespace: str, key: str) -> bool:
        split(namespace)
        return bool(self._link.run("exists", namespace, key))

    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        split(namespace)
        # Sent once: of two that were carried out the second would say that there was nothing.
        there = bool(self._link.run("delete", namespace, key, object_id or "", again=False))
        if there:
            self.counters.note_removal(namespace, "deleted", 0)
        self._clear()
        return there

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        if self.touch_many(namespace, [key], ttl):
            raise gone(key, self._link.run("fate", namespace, key))

    def touch_many(self, namespace: str, keys: Iterable[str], ttl: float | None) -> set[str]:
        split(namespace)
        lives = "" if expires_at(ttl, time.time()) is None else int((ttl or 0) * 1000)
        gone: set[str] = set()
        pending = iter(keys)
        while some := list(islice(pending, _BATCH)):
            gone.update(some[number] for number in self._link.run("touch", namespace, lives, *some))
        return gone

    def drop(self, namespace: str) -> None:
        split(namespace)
        left = 1
        while left:
            removed, left = self._link.run("drop", namespace)
            self.counters.note_removal(namespace, "deleted", 0, removed)
        self._clear()

    def usage(self) -> int:
        return counted(self._link)

    def budget(self) -> int:
        return cast(int, self._link.run("budget", self._allowed))

    def resize(self, nbytes: int) -> None:
        used = self._link.run("resize", parse_size(nbytes))
        if used >= 0:
            raise too_small(nbytes, used)

    def sweep(self) -> int:
        recount(self._link)
        removed = self._prune() + cast(int, self._link.run("reap"))
        self._clear()
        return removed + (self._blobs.sweep() if self._blobs else 0)

    def check(self) -> None:
        key_ring(self._given_key)
        self._link.call(lambda client: client.ping())
        if self._blobs:
            self._blobs.bucket.check()

    def server(self) -> dict[str, Any]:
        """Return what the server says of itself: its release, its memory, its policy of eviction."""
        return self._link.call(lambda client: client.info())

    def secret(self) -> bytes:
        return self._keys.newest.mac("store secret")

    def close(self) -> None:
        self._link.close()
        if self._blobs:
            self._blobs.bucket.close()

    def scan(self, namespace: str) -> Iterator[str]:
        split(namespace)
        at = index_of(namespace)
        found = dict(self._link.call(lambda client: list(client.hscan_iter(at, count=_BATCH))))
        keys = (key for key in found if key != BYTES)
        while some := list(islice(keys, _BATCH)):
            yield from map(unpacked, self._link.run("alive", namespace, *some))

    def namespaces(self, domain: str) -> Iterator[str]:
        self._prune()
        return namespaces_of(self._link, domain)

    @contextmanager
    def watching(self, namespace: str, key: str) -> Iterator[Watch]:
        with listening(self._link, b"changes:" + member_of(namespace, key)) as wait:
            yield Watch(wait, LOOK)

    def lock(self, key: str) -> AbstractContextManager[None]:
        return self._leases.hold(key)

    @cached_property
    def _keys(self) -> KeyRing:
        return key_ring(self._given_key)

    @property
    def _allowed(self) -> int:
        """The budget, unless another was set by ``resize``."""
        return self._link.room if self._size is None else self._size

    def _read(self, places: Sequence[Place]) -> list[Found | None]:
        """Return record, manifest and body of what lies at each place, None for nothing."""
        found: list[Found | None] = []
        for first in range(0, len(places), _BATCH):
            found += read(self._link, places[first : first + _BATCH])
        return found

    def _found(self, namespace: str, key: str) -> Incoming:
        """Return what lies there; ``ValueMissing`` when there is nothing."""
        found = self._read([(namespace, key)])[0]
        if found is not None:
            with suppress(Changed):
                return Incoming(self._keys, namespace, key, found)
        return self._said("look", namespace, key)

    def _said(self, verb: str, namespace: str, key: str) -> Incoming:
        """Return what lies there as the script says it, in one step; ``ValueMissing`` with the reason."""
        found = self._link.run(verb, namespace, key)
        if len(found) != _FOUND:
            raise gone(key, found)
        try:
            return Incoming(self._keys, namespace, key, found)
        except Changed:
            raise forged(key) from None

    def _info_of(self, namespace: str, key: str, found: Sequence[bytes]) -> ObjectInfo | None:
        """Return what is known of an object; None for one that is not authentic."""
        try:
            return Incoming(self._keys, namespace, key, found).info
        except (Changed, DecodeError):
            return None

    def _seen_alone(self, namespace: str, key: str) -> Look | None:
        with suppress(ValueMissing):
            return _seen(self._said("look", namespace, key))
        return None

    def _frames(self, incoming: Incoming) -> Frames:
        if incoming.is_small:
            return incoming.frames()
        try:
            return incoming.fetched(self._parts_of(incoming))
        except Gone:
            if incoming.bucket:  # somebody else removed it there, and here it is to be a miss for all
                self._link.run("delete", incoming.info.namespace, incoming.info.key, incoming.info.object_id)
            raise

    def _parts_of(self, incoming: Incoming) -> Parts:
        if not incoming.bucket:
            return self._chunks
        if self._blobs and self._blobs.bucket.at == incoming.bucket:
            return self._blobs
        raise StoreUnavailable(
            f"The value of {shown(incoming.info.key)} lies in {incoming.bucket}, and this process does not "
            "use that bucket. Give the store of all processes the same ?blobs=."
        )

    def _prune(self) -> int:
        """Remove what has expired."""
        removed = 0
        while now := self._link.run("prune", _BATCH):
            removed += now
        return removed

    def _clear(self) -> None:
        if self._blobs:
            self._blobs.clear()


def _seen(incoming: Incoming) -> Look:
    return Look(incoming.info, incoming.frames() if incoming.is_small else None)
