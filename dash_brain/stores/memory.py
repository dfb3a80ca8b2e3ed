"""Objects in this process alone."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter_ns

from dash_brain.common.forks import reset_in_children
from dash_brain.common.sizes import parse_size
from dash_brain.errors import StoreFull, ValueMissing
from dash_brain.stores.base import (
    ABSENT,
    Bounded,
    Frames,
    Locks,
    ObjectInfo,
    Scans,
    Store,
    expires_at,
    is_over,
    new_object_id,
)
from dash_brain.stores.faults import (
    Tombstone,
    beyond_quota,
    conflict,
    full,
    missing,
    too_large,
    too_small,
)
from dash_brain.stores.mapped.system.cgroups import memory_limit
from dash_brain.stores.mapped.system.locks import LockTable, lock_number
from dash_brain.stores.namespaces import Retention, account_of, domain_of, rank, split
from dash_brain.stores.reclaim import Candidate, Limit, reclaim


@dataclass
class _Object:
    frames: list[bytes]
    info: ObjectInfo


#: Records of removed objects that are kept.
_TOMBSTONES = 4096


class _Bound(Limit):
    """The budget of the store, or the quota of a client: bytes that may be held, besides what is replaced."""

    def __init__(self, held: Callable[[], int], more: int, most: int) -> None:
        self._held = held
        self._more = more
        self._most = most
        self.slack = most // 16

    def missing(self) -> int:
        return self._held() + self._more - self._most


class MemoryStore(Store, Scans, Locks, Bounded):
    """Objects in the memory of this process: for tests, and for an app that runs as one process.

    Shared between processes: no; a forked child begins with a copy. Survives a restart: no.
    Thread-safe: yes. ``close`` keeps what is stored.

    Parameters
    ----------
    clock
        Seconds since the epoch; tests pass their own.
    size
        The budget, in bytes or as text: ``"2GiB"``; by default a quarter of the memory of this machine, or of
        this container.

    Examples
    --------
    >>> store = MemoryStore()
    >>> object_id = store.put("brain/default", "greeting", [b"hello"])
    >>> store.get("brain/default", "greeting")
    [bytearray(b'hello')]
    """

    shared = "process"

    def __init__(self, *, clock: Callable[[], float] = time.time, size: int | str | None = None) -> None:
        self._clock = clock
        self._budget = memory_limit() // 4 if size is None else parse_size(size)
        self._used = 0
        self._removed: dict[tuple[str, str], Tombstone] = {}
        self._accounts: Counter[str] = Counter()
        self._secret = os.urandom(32)
        self._locks = LockTable()
        self._guard = threading.RLock()
        self._namespaces: dict[str, dict[str, _Object]] = {}
        reset_in_children(self)

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
        started, now, copies = perf_counter_ns(), self._clock(), [bytes(frame) for frame in frames]
        if not copies:
            raise ValueError("An object has at least one frame, its stream.")
        info = ObjectInfo(
            namespace=namespace,
            key=key,
            object_id=new_object_id(),
            nbytes=sum(map(len, copies)),
            created=now,
            used=now,
            expires=expires_at(ttl, now),
            meta=dict(meta or {}),
        )
        try:
            self._place(_Object(copies, info), None if retention is None else retention.quota, replaces)
        except StoreFull:
            self.counters.note_refusal(namespace)
            raise
        self.counters.note_put(namespace, info.nbytes, started)
        return info.object_id

    def get(self, namespace: str, key: str) -> Frames:
        started = perf_counter_ns()
        try:
            with self._guard:
                found = self._find(namespace, key)
                found.info = replace(found.info, used=self._clock())
        except ValueMissing as error:
            self.counters.note_miss(namespace, error.reason)
            raise
        frames = [bytearray(frame) for frame in found.frames]
        self.counters.note_get(namespace, found.info.nbytes, started)
        return frames

    def info(self, namespace: str, key: str) -> ObjectInfo:
        with self._guard:
            return self._find(namespace, key).info

    def exists(self, namespace: str, key: str) -> bool:
        with self._guard:
            return self._id_under(namespace, key) != ABSENT

    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        with self._guard:
            if object_id is not None and object_id != self._id_under(namespace, key):
                return False
            found = self._take(namespace, key, "deleted")
            return found is not None and not self._has_expired(found)

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        now = self._clock()
        expires = expires_at(ttl, now)
        with self._guard:
            found = self._find(namespace, key)
            found.info = replace(found.info, used=now, expires=expires)

    def drop(self, namespace: str) -> None:
        split(namespace)
        with self._guard:
            for key in list(self._objects(namespace)):
                self._take(namespace, key, "deleted")
            self._namespaces.pop(namespace, None)

    def usage(self) -> int:
        return self._used

    def budget(self) -> int:
        return self._budget

    def resize(self, nbytes: int) -> None:
        nbytes = parse_size(nbytes)
        with self._guard:
            if nbytes < self._used:
                raise too_small(nbytes, self._used)
            self._budget = nbytes

    def sweep(self) -> int:
        removed = 0
        with self._guard:
            for namespace, objects in list(self._namespaces.items()):
                for key in [key for key, found in objects.items() if self._has_expired(found)]:
                    self._take(namespace, key, "expired")
                    removed += 1
                if not objects:
                    del self._namespaces[namespace]
        return removed

    def secret(self) -> bytes:
        return self._secret

    def close(self) -> None:
        pass  # there is nothing to give back but the values

    def scan(self, namespace: str) -> Iterator[str]:
        with self._guard:
            objects = self._objects(namespace).items()
            return iter([key for key, found in objects if not self._has_expired(found)])

    def namespaces(self, domain: str) -> Iterator[str]:
        with self._guard:
            ours = [name for name in self._namespaces if name.startswith(f"{domain}/")]
            return iter([name for name in ours if next(self.scan(name), None) is not None])

    def lock(self, key: str) -> AbstractContextManager[None]:
        return self._locks.hold(lock_number(key), math.inf)

    def reset_after_fork(self) -> None:
        """Give the child a lock of its own; the parent's may be held by a thread that it has not."""
        self._guard = threading.RLock()

    def _place(self, new: _Object, quota: int | None, replaces: str | None) -> None:
        """Keep an object in place of what lies there, and evict for it."""
        info = new.info
        with self._guard:
            if replaces is not None and replaces != self._id_under(info.namespace, info.key):
                raise conflict(info.key)
            self._admit(info)
            self._keep_quota(info, quota)
            self._make_room(info)
            self._take(info.namespace, info.key)
            self._namespaces.setdefault(info.namespace, {})[info.key] = new
            self._count(info, info.nbytes)

    def _objects(self, namespace: str) -> dict[str, _Object]:
        split(namespace)  # refuses what is no namespace
        return self._namespaces.get(namespace, {})

    def _id_under(self, namespace: str, key: str) -> str:
        found = self._objects(namespace).get(key)
        return ABSENT if found is None or self._has_expired(found) else found.info.object_id

    def _admit(self, new: ObjectInfo) -> None:
        """Keep the notes of a namespace within their bounds."""
        domain, notes = domain_of(new.namespace), self._objects(new.namespace)
        if domain.largest and new.nbytes > domain.largest:
            raise too_large(new.nbytes, domain.largest)
        if domain.most and len(notes) >= domain.most and new.key not in notes:
            self._take(new.namespace, min(notes, key=lambda key: notes[key].info.created), "evicted")

    def _keep_quota(self, new: ObjectInfo, quota: int | None) -> None:
        """Evict of the client's own until the new object keeps within its quota."""
        account = account_of(new.namespace)
        if account is not None and quota is not None:
            bound = _Bound(lambda: self._accounts[account], self._more(new), quota)
            going = [one for one in self._candidates(new) if account_of(one.entry.namespace) == account]
            evict = partial(self._evict, reason="quota")
            if bound.missing() > 0 and not (reclaim(bound, going, evict) and bound.missing() <= 0):
                raise beyond_quota(new.nbytes, quota)

    def _make_room(self, new: ObjectInfo) -> None:
        """Evict until the new object keeps within the budget."""
        bound = _Bound(self.usage, self._more(new), self._budget)
        if bound.missing() <= 0:
            return
        if not reclaim(bound, self._candidates(new), self._evict) or bound.missing() > 0:
            raise full(new.nbytes, self._budget, self._used)

    def _more(self, new: ObjectInfo) -> int:
        """Return the bytes that are held more when the new object is there."""
        replaced = self._objects(new.namespace).get(new.key)
        return new.nbytes - (replaced.info.nbytes if replaced else 0)

    def _candidates(self, new: ObjectInfo) -> list[Candidate]:
        found = []
        for namespace, objects in self._namespaces.items():
            for key, one in objects.items():
                ranked = rank(namespace.partition("/")[0], one.info.expires, one.info.used, new.created)
                if ranked is not None and (namespace, key) != (new.namespace, new.key):
                    path = f"{namespace}\0{key}"
                    found.append(Candidate(ranked, one.info.used, path, one.info.nbytes, one.info))
        return sorted(found, key=lambda one: one[:3])

    def _evict(self, candidate: Candidate, reason: str = "evicted") -> bool:
        info: ObjectInfo = candidate.entry
        return self._take(info.namespace, info.key, reason) is not None

    def _count(self, info: ObjectInfo, nbytes: int) -> None:
        self._used += nbytes
        account = account_of(info.namespace)
        if account is not None:
            self._accounts[account] += nbytes

    def _take(self, namespace: str, key: str, reason: str | None = None) -> _Object | None:
        found = self._objects(namespace).pop(key, None)
        if found is not None:
            self._count(found.info, -found.info.nbytes)
            if reason is not None:
                self._note(found, reason)
        return found

    def _note(self, found: _Object, reason: str) -> None:
        if len(self._removed) >= _TOMBSTONES:
            del self._removed[next(iter(self._removed))]
        info, now = found.info, self._clock()
        if self._has_expired(found):
            reason, now = "expired", min(info.expires or now, now)
        self._removed[info.namespace, info.key] = Tombstone(reason, info.nbytes, info.created, now)
        self.counters.note_removal(info.namespace, reason, info.nbytes)

    def _find(self, namespace: str, key: str) -> _Object:
        found = self._objects(namespace).get(key)
        if found is not None and self._has_expired(found):
            self._take(namespace, key, "expired")
            found = None
        if found is None:
            raise missing(key, self._removed.get((namespace, key)), now=self._clock())
        return found

    def _has_expired(self, found: _Object) -> bool:
        return is_over(found.info.expires, found.info.used, self._clock())
