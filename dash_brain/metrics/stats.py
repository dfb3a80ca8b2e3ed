"""``stats()``: what a store holds, and what was done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dash_brain.errors import StoreUnavailable
from dash_brain.settings import current
from dash_brain.stores import Store, open_store
from dash_brain.stores.base import needs_budget, needs_scan
from dash_brain.stores.counters import Done
from dash_brain.stores.registry import StoreLike

#: The namespaces in which there is an object for each session.
_SESSIONS = "session-registry"


class KindStats(NamedTuple):
    """What was done with the values of one kind, since the store was made.

    Attributes
    ----------
    puts, put_bytes, put_seconds
        Values that were stored, the bytes of all of them, and the time that this took in all.
    gets, get_bytes, get_seconds
        Values that were read: the hits. Large values are mapped, so their bytes were not copied.
    misses
        Reads of what was not there, by cause: ``"evicted"``, ``"expired"``, ``"deleted"``, ``"unknown"``
        (never stored, or it is forgotten how it went). A dict with all four.
    refused
        Values that were not stored because there was no room for them.
    evicted, evicted_bytes
        Values that were removed to make room, and the bytes that this gave.
    evicted_for_quota
        Those of them that made room for their own session, because it was at its quota: the store has room.
    expired, deleted
        Values that were removed when their time to live was over, and on request or with their session.
    spilled, spilled_bytes
        Values that went to disk because there was no room in shared memory, and their bytes.
    """

    puts: int
    put_bytes: int
    put_seconds: float
    gets: int
    get_bytes: int
    get_seconds: float
    misses: dict[str, int]
    refused: int
    evicted: int
    evicted_bytes: int
    expired: int
    deleted: int
    spilled: int
    spilled_bytes: int
    evicted_for_quota: int


class Stats(NamedTuple):
    """What a store holds now, and what was done with it since it was made.

    Attributes
    ----------
    store
        What it is and where, without credentials.
    shared
        Whose work is counted: that of all processes of this ``"host"``, or of this ``"process"``.
    used
        Bytes that all values take; None: the store cannot be reached.
    budget
        Bytes that they may take; None: the store has no budget, or cannot be reached.
    spilled
        Bytes that lie on disk because there was no room in shared memory.
    sessions
        Browser sessions that have not ended, of all apps; None: the store cannot tell, or cannot be reached.
    kinds
        What was done with values, by their kind: ``"value"``, what apps and people keep, in sessions too;
        ``"result"``, what memoized functions and caches keep; ``"note"``, the bookkeeping of dash_brain;
        ``"copy"``, near copies of what lies in Redis.
    sessions_begun
        Sessions that have begun.
    computations, compute_seconds
        Values that were computed by single flight (memoized results, ``get_or_learn``), also those that
        failed, and the time that this took in all.
    waits, wait_seconds
        Callers that waited for what another one computed, and the time that they waited in all.
    hits
        Calls of memoized functions and callbacks whose result was there.
    """

    store: str
    shared: str
    used: int | None
    budget: int | None
    spilled: int | None
    sessions: int | None
    kinds: dict[str, KindStats]
    sessions_begun: int
    computations: int
    compute_seconds: float
    waits: int
    wait_seconds: float
    hits: int

    @property
    def is_reachable(self) -> bool:
        """Whether the store answered."""
        return self.used is not None


def stats(store: StoreLike | None = None) -> Stats:
    """Return what a store holds, and what all processes that use it have done with it.

    The numbers are counted by the processes as they work, and read now. They begin with the store, and
    survive each process, also one that is killed. For Redis they are those of this host, and begin anew with
    its near copies; with ``?near=off``, and for ``memory://``, they are those of this process.

    Parameters
    ----------
    store
        As :func:`~dash_brain.open_store` takes it; by default the store of this process's settings.

    Returns
    -------
    Stats
        Numbers only: no key, no session, no value. Of a store that cannot be reached what it would say is
        None; why it cannot, ``dash-brain doctor`` says.

    Examples
    --------
    >>> from dash_brain import Brain, stats
    >>> brain = Brain("shop", url="memory://example")
    >>> brain["prices"] = [1, 2]
    >>> brain["prices"], brain.get("price")
    ([1, 2], None)
    >>> values = stats("memory://example").kinds["value"]
    >>> values.puts, values.gets, values.misses["unknown"]
    (1, 1, 1)
    """
    asked = open_store(current.use().store_or_url if store is None else store)
    shared, done, flown = asked.counted()
    return Stats(
        store=described(asked),
        shared=shared,
        used=_answer(asked.usage),
        budget=_answer(lambda: needs_budget(asked).budget()),
        spilled=_answer(asked.spilled),
        sessions=_answer(lambda: _sessions(asked)),
        kinds={kind: _kind(one) for kind, one in done.items()},
        sessions_begun=flown.sessions,
        computations=flown.computations,
        compute_seconds=flown.compute_time / 1e9,
        waits=flown.waits,
        wait_seconds=flown.wait_time / 1e9,
        hits=flown.hits,
    )


def described(store: Store) -> str:
    """Return what a store is and where its values lie, without credentials."""
    far = getattr(store, "wrapped", store)
    place = getattr(far, "place", None)
    return type(far).__name__ if place is None else f"{type(far).__name__} at {place}"


def _answer(question: Callable[[], int]) -> int | None:
    """Return what a store answers; None: it cannot be reached, or cannot tell."""
    try:
        return question()
    except StoreUnavailable:
        return None


def _sessions(store: Store) -> int:
    scans = needs_scan(store)
    return sum(1 for app in scans.namespaces(_SESSIONS) for _ in scans.scan(app))


def _kind(done: Done) -> KindStats:
    return KindStats(
        puts=done.puts,
        put_bytes=done.put_bytes,
        put_seconds=done.put_time / 1e9,
        gets=done.gets,
        get_bytes=done.got_bytes,
        get_seconds=done.get_time / 1e9,
        misses={
            "unknown": done.missed_unknown,
            "evicted": done.missed_evicted,
            "expired": done.missed_expired,
            "deleted": done.missed_deleted,
        },
        refused=done.refused,
        evicted=done.evicted,
        evicted_bytes=done.evicted_bytes,
        expired=done.expired,
        deleted=done.deleted,
        spilled=done.spilled,
        spilled_bytes=done.spilled_bytes,
        evicted_for_quota=done.evicted_for_quota,
    )
