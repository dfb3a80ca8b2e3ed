"""The Store contract: few verbs over frames, a miss is an exception.

A store keeps *objects*. An object is one immutable value under a key of a namespace; its *frames* are
the buffers the value encodes to (see :mod:`dash_brain.codec`). Stores know nothing of Python values,
sessions or Dash.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from dash_brain.common.frames import Frame as Frame
from dash_brain.common.frames import Frames as Frames
from dash_brain.common.polling import LONGEST
from dash_brain.errors import DecodeError, StoreUnavailable, ValueMissing
from dash_brain.stores.counters import Counters, Counts
from dash_brain.stores.namespaces import Retention

#: Where an object lies: its namespace and its key.
Place: TypeAlias = "tuple[str, str]"

#: Stands for no object where an object id is expected.
ABSENT: Final = ""

_END_OF_TIMES = 2.0**33


def new_object_id() -> str:
    """Return a fresh random object id: 128 bits as 32 lowercase hex digits."""
    return os.urandom(16).hex()


def expires_at(ttl: float | None, now: float) -> float | None:
    """Return when an object put at ``now`` expires, or None for never.

    Examples
    --------
    >>> expires_at(60.0, 1000.0), expires_at(None, 1000.0)
    (1060.0, None)
    """
    if ttl is None:
        return None
    if not ttl >= 0:
        raise ValueError(f"A ttl is a number of seconds, 0 or more, and not {ttl!r}.")
    # What lies beyond the reach of file times is as good as never.
    return now + ttl if now + ttl < _END_OF_TIMES else None


def is_over(expires: float | None, used: float, now: float) -> bool:
    """Say whether an object that expires then, and was used last when ``used`` says, has expired.

    The clock may have been ahead when the object was put. So none lives on for longer than it had left when
    it was used last.

    Examples
    --------
    >>> is_over(1060.0, 1000.0, now=1059.0), is_over(1060.0, 1000.0, now=1060.0)
    (False, True)
    >>> is_over(1060.0, 1000.0, now=900.0), is_over(None, 1000.0, now=900.0)
    (True, False)
    """
    return expires is not None and not 0 < expires - now <= 2 * (expires - used)


@dataclass(frozen=True)
class ObjectInfo:
    """What a store knows of one object without reading its value.

    Attributes
    ----------
    namespace, key
        Where it lies.
    object_id
        Random name of this very object; another put under the same key gets another one.
    nbytes
        Bytes that it occupies in the store.
    created, used
        Seconds since the epoch: when it was put, and about when it was last read.
    expires
        Seconds since the epoch, or None for an object without a ttl.
    meta
        Small strings that were put with it.
    """

    namespace: str
    key: str
    object_id: str
    nbytes: int
    created: float
    used: float
    expires: float | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


class Watch(NamedTuple):
    """How to wait for a change of what is watched.

    Attributes
    ----------
    wait
        Waits for so many seconds, or until a change is announced; None: nobody announces any.
    longest
        Seconds between two looks; changes that nobody announces are seen then.
    """

    wait: Callable[[float], object] | None = None
    longest: float = LONGEST


class Store(ABC):
    """Keyed storage of immutable objects, safe to use from any thread and process.

    A namespace is ``"<domain>/<name>"``: the domain is a lowercase word (``brain``, ``session``, …),
    the name and every key are any strings at all (empty, long, with slashes or NUL). A namespace comes
    into being with its first object.

    Attributes
    ----------
    shared
        Who sees what is put: this ``"process"``, every process of the ``"host"``, or of the ``"network"``.
    """

    shared: Literal["process", "host", "network"] = "network"

    _counted_in: Store | None = None

    @property
    def counters(self) -> Counters:
        """What counts the work of the store, for :func:`dash_brain.stats`. It raises nothing.

        ``put`` and ``get`` of a store count by it: ``self.counters.note_put(...)``. By default it lies in the
        memory of this process.
        """
        if self._counted_in is not None:
            return self._counted_in.counters
        found: Counters | None = vars(self).get("_counters")
        return found or vars(self).setdefault("_counters", Counters())

    def counted(self) -> Counts:
        """Return what was counted: by all processes of this host, or by this process alone."""
        return self.counters.read() if self._counted_in is None else self._counted_in.counted()

    def count_in(self, store: Store) -> None:
        """Count by the counters of another store: for one across a network, one of this host."""
        self._counted_in = store

    @abstractmethod
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
        """Store ``frames`` under ``key``, in place of what was there, and return the new object id.

        The change is atomic: a reader gets the old object or the new one, whole.
        When it fails the old object stays. ``ttl`` is in seconds. ``retention`` says what the value is to
        its owner, see :mod:`dash_brain.stores.namespaces`; by default what lies in that domain. Its quota is
        how many bytes the client may keep in all, if the namespace belongs to one: its own objects make room.
        A store without a budget may ignore it. ``replaces`` (compare and set): the id of the object that
        must lie there, or ``ABSENT`` for none; what has expired does not lie there any more. None: whatever
        lies there.

        Raises
        ------
        ValueConflict
            When another object lies there than ``replaces`` says, or none; it stays.
        StoreFull
            When there is no room in the store or in the quota, and none can be made.
        StoreUnavailable
            When the store cannot be reached.
        """

    @abstractmethod
    def get(self, namespace: str, key: str) -> Frames:
        """Return the frames of the object, writable and private to the caller.

        They never change, whatever happens to the key afterwards, and writing into them changes
        nobody else's.

        Raises
        ------
        ValueMissing
            When there is none, or it has expired.
        DecodeError
            When the stored bytes are not authentic.
        """

    @abstractmethod
    def info(self, namespace: str, key: str) -> ObjectInfo:
        """Return what is known of the object without reading its value. Raises as ``get`` does."""

    def info_many(self, namespace: str, keys: Iterable[str]) -> Iterator[tuple[str, ObjectInfo | None]]:
        """Yield each of many keys with what is known of its object: None for one that is not authentic.

        What is missing is left out.
        """
        for key in keys:
            with suppress(ValueMissing):
                try:
                    yield key, self.info(namespace, key)
                except DecodeError:
                    yield key, None

    @abstractmethod
    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        """Remove the object and say whether there was one. A reader keeps what it holds.

        With ``object_id`` only that very object is removed; another one stays, and the answer is False.
        """

    @abstractmethod
    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        """Let the object live ``ttl`` seconds from now (None: for good).

        Raises
        ------
        ValueMissing
            When there is none, or it has expired.
        """

    def exists(self, namespace: str, key: str) -> bool:
        """Say whether an object lies there that has not expired; its value is not looked at."""
        try:
            self.info(namespace, key)
        except ValueMissing:
            return False
        return True

    def touch_many(self, namespace: str, keys: Iterable[str], ttl: float | None) -> set[str]:
        """Do as ``touch`` for many keys of a namespace, and return those that are missing."""
        missing = set()
        for key in keys:
            try:
                self.touch(namespace, key, ttl)
            except ValueMissing:
                missing.add(key)
        return missing

    def look_ahead(self, places: Sequence[Place]) -> None:  # noqa: B027
        """Ask in one question for what this request is about to read; without places, the request is over.

        For stores across a network, where each question is a round trip. Other stores do nothing.
        """

    def watching(self, namespace: str, key: str) -> AbstractContextManager[Watch]:
        """Watch a key while the block runs, for a caller that waits for another object there."""
        return nullcontext(Watch())

    @abstractmethod
    def drop(self, namespace: str) -> None:
        """Remove the namespace with all its objects; a namespace that is not there is fine."""

    @abstractmethod
    def usage(self) -> int:
        """Return the bytes that all objects of the store occupy, but for those that were spilled elsewhere.

        It is cheap: no object is looked at.
        """

    def spilled(self) -> int:
        """Return the bytes of the objects that were spilled elsewhere."""
        return 0

    @abstractmethod
    def sweep(self) -> int:
        """Remove what has expired or was orphaned by a crash; return how many objects went."""

    def check(self) -> None:  # noqa: B027
        """Raise ``StoreUnavailable`` when it is known before the first use that this store cannot be used.

        An app calls it before it uses the store. Most stores have nothing to check.
        """

    @abstractmethod
    def secret(self) -> bytes:
        """Return 32 secret bytes, the same for every process that opens this store."""

    @abstractmethod
    def close(self) -> None:
        """Give back descriptors and connections; using the store again opens it anew."""


@runtime_checkable
class Scans(Protocol):
    """The ability to list what is there."""

    def scan(self, namespace: str) -> Iterator[str]:
        """Yield the keys of the namespace that have not expired, as they are now, in no order."""

    def namespaces(self, domain: str) -> Iterator[str]:
        """Yield the namespaces (``"<domain>/<name>"``) of a domain that hold objects, in no order."""


@runtime_checkable
class Locks(Protocol):
    """The ability to lock a key across threads and processes."""

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Hold ``key`` alone while the block runs; wait while another thread or process does.

        When a holder dies the lock is free at once, or after its lease where the store cannot see it die.
        Locking a key that this thread holds already raises ``RuntimeError`` instead of waiting for ever.
        """


@runtime_checkable
class Bounded(Protocol):
    """The ability to keep within a budget, which can be set."""

    def budget(self) -> int:
        """Return how many bytes the store may hold: as it was set, but never more than its place allows."""

    def resize(self, nbytes: int) -> None:
        """Let the store hold ``nbytes`` bytes, for all who open it. No value is lost.

        Raises
        ------
        StoreFull
            When it holds more already; nothing changes then.
        """


class Look(NamedTuple):
    """What lies at a place: what is known of it, and its frames where they came along."""

    info: ObjectInfo
    frames: Frames | None = None


@runtime_checkable
class Looks(Protocol):
    """The ability of a store across a network to say in one round trip which objects exist."""

    def look(self, places: Sequence[Place]) -> list[Look | None]:
        """Return what lies at each place, None for nothing. It counts as a use.

        The frames of a small object come along: to ask for it and to get it takes one round trip.
        """

    def fetch(self, found: ObjectInfo) -> Frames:
        """Return the frames of this very object, as ``get`` does.

        Raises
        ------
        ValueMissing
            When it is gone, or another one has taken its place.
        """


def needs_scan(store: Store) -> Scans:
    """Return ``store`` as one that can list its keys, or raise what to use instead."""
    if not isinstance(store, Scans) or not isinstance(_innermost(store), Scans):
        raise _unable(store, "cannot list its keys")
    return store


def needs_lock(store: Store) -> Locks:
    """Return ``store`` as one that can lock a key, or raise what to use instead."""
    if not isinstance(store, Locks) or not isinstance(_innermost(store), Locks):
        raise _unable(store, "cannot lock a key")
    return store


def needs_budget(store: Store) -> Bounded:
    """Return ``store`` as one that has a budget, or raise what to use instead."""
    if not isinstance(store, Bounded) or not isinstance(_innermost(store), Bounded):
        raise _unable(store, "has no budget")
    return store


def check_abilities(store: Store) -> None:
    """Raise ``StoreUnavailable`` unless a store can do all that the sessions of an app need."""
    needs_scan(store)
    needs_lock(store)


def _innermost(store: Store) -> Store:
    """Return the store that a wrapper is around, which may be able to do less than the wrapper seems to."""
    while hasattr(store, "wrapped"):
        store = store.wrapped
    return store


def _unable(store: Store, what: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{type(_innermost(store)).__name__} {what}; use shm://, file:// or memory:// for that."
    )
