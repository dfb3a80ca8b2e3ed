"""Stores that fail, stall or forget, to test how an app gets along with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from typing import Any

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.base import Frames, ObjectInfo, Place, Store, needs_scan
from dash_brain.stores.namespaces import DOMAINS
from dash_brain.stores.wrapper import StoreWrapper

#: What a store is asked for, by the names of its methods.
VERBS = frozenset(
    {"put", "get", "info", "exists", "touch", "touch_many", "delete", "look_ahead"}
    | {"drop", "usage", "sweep", "scan", "namespaces", "lock"}
)


class _TroubledStore(StoreWrapper):
    """Meets some trouble before each of some verbs, while there is any."""

    def __init__(self, wrapped: Store) -> None:
        super().__init__(wrapped)
        self._trouble: dict[str, Callable[[], None]] = {}

    @contextmanager
    def _troubled(self, verbs: Iterable[str], meet: Callable[[], None]) -> Iterator[None]:
        verbs = frozenset(verbs) or VERBS
        unknown = sorted(verbs - VERBS)
        if unknown:
            raise ValueError(f"A store has no verb {unknown[0]!r}; it has {', '.join(sorted(VERBS))}.")
        before, self._trouble = self._trouble, {**self._trouble, **dict.fromkeys(verbs, meet)}
        try:
            yield
        finally:
            self._trouble = before

    def _meet(self, verb: str) -> None:
        if verb in self._trouble:
            self._trouble[verb]()

    def put(self, namespace: str, key: str, frames: Frames, **options: Any) -> str:
        self._meet("put")
        return super().put(namespace, key, frames, **options)

    def get(self, namespace: str, key: str) -> Frames:
        self._meet("get")
        return super().get(namespace, key)

    def info(self, namespace: str, key: str) -> ObjectInfo:
        self._meet("info")
        return super().info(namespace, key)

    def info_many(self, namespace: str, keys: Iterable[str]) -> Iterator[tuple[str, ObjectInfo | None]]:
        self._meet("info")
        return super().info_many(namespace, keys)

    def exists(self, namespace: str, key: str) -> bool:
        self._meet("exists")
        return super().exists(namespace, key)

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        self._meet("touch")
        super().touch(namespace, key, ttl)

    def touch_many(self, namespace: str, keys: Iterable[str], ttl: float | None) -> set[str]:
        self._meet("touch_many")
        return super().touch_many(namespace, keys, ttl)

    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        self._meet("delete")
        return super().delete(namespace, key, object_id=object_id)

    def look_ahead(self, places: Sequence[Place]) -> None:
        self._meet("look_ahead")
        super().look_ahead(places)

    def drop(self, namespace: str) -> None:
        self._meet("drop")
        super().drop(namespace)

    def usage(self) -> int:
        self._meet("usage")
        return super().usage()

    def sweep(self) -> int:
        self._meet("sweep")
        return super().sweep()

    def scan(self, namespace: str) -> Iterator[str]:
        self._meet("scan")
        return super().scan(namespace)

    def namespaces(self, domain: str) -> Iterator[str]:
        self._meet("namespaces")
        return super().namespaces(domain)

    def lock(self, key: str) -> AbstractContextManager[None]:
        self._meet("lock")
        return super().lock(key)


class FailingStore(_TroubledStore):
    """A store that fails when it is told to.

    Parameters
    ----------
    wrapped
        The store that does the work.

    Examples
    --------
    >>> from dash_brain import Brain
    >>> from dash_brain.stores import MemoryStore
    >>> store = FailingStore(MemoryStore())
    >>> brain = Brain(store=store)
    >>> with store.failing("put", error=StoreUnavailable("The disk is gone.")):
    ...     brain["orders"] = 1
    Traceback (most recent call last):
    dash_brain.errors.StoreUnavailable: The disk is gone.
    """

    def failing(self, *verbs: str, error: Exception | None = None) -> AbstractContextManager[None]:
        """Raise an error from these verbs, by default from all, while the block runs.

        Parameters
        ----------
        *verbs
            Names of methods of :class:`~dash_brain.stores.Store`: ``"get"``, ``"put"``, ``"lock"``, …
        error
            What is raised; by default a ``StoreUnavailable``.
        """
        raised = error or StoreUnavailable("The store is unavailable, because a test wants it so.")

        def fail() -> None:
            raise copy(raised)  # each has a traceback of its own

        return self._troubled(verbs, fail)


class StallingStore(_TroubledStore):
    """A store that does not answer when it is told so.

    Parameters
    ----------
    wrapped
        The store that does the work.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from dash_brain import Brain
    >>> from dash_brain.stores import MemoryStore
    >>> store = StallingStore(MemoryStore())
    >>> brain = Brain(store=store)
    >>> brain["orders"] = 1
    >>> with ThreadPoolExecutor() as threads:
    ...     with store.stalling("get"):
    ...         reading = threads.submit(brain.recall, "orders")
    ...         assert store.waits()
    ...         assert not reading.done()
    ...     reading.result()
    1
    """

    def __init__(self, wrapped: Store) -> None:
        super().__init__(wrapped)
        self._waiting = threading.Semaphore(0)

    @contextmanager
    def stalling(self, *verbs: str) -> Iterator[None]:
        """Keep callers of these verbs, by default of all, waiting until the block ends."""
        goes_on = threading.Event()

        def wait() -> None:
            self._waiting.release()
            goes_on.wait()

        with self._troubled(verbs, wait):
            try:
                yield
            finally:
                goes_on.set()

    def waits(self, timeout: float = 30.0) -> bool:
        """Wait until a caller waits, for at most so many seconds, and say whether one does.

        Each caller is counted once: the next call waits for another one.
        """
        return self._waiting.acquire(timeout=timeout)


#: Where values lie; the rest is bookkeeping, without which there would be no sessions.
_OF_VALUES = tuple(name for name, domain in DOMAINS.items() if domain.retention.kind in ("value", "result"))


class ForgettingStore(StoreWrapper):
    """A store that loses its values when it is told to, as one that is short of room may.

    Parameters
    ----------
    wrapped
        The store that does the work; it lists its keys.

    Examples
    --------
    >>> from dash_brain import Brain
    >>> from dash_brain.stores import MemoryStore
    >>> store = ForgettingStore(MemoryStore())
    >>> brain = Brain(store=store)
    >>> brain["orders"] = 1
    >>> store.forget()
    >>> "orders" in brain
    False
    """

    def forget(self) -> None:
        """Lose all values: those of sessions and apps, memoized results, and named values.

        Sessions go on, and tokens stay valid: their values are gone.
        """
        scans = needs_scan(self.wrapped)
        for domain in _OF_VALUES:
            for namespace in list(scans.namespaces(domain)):
                self.wrapped.drop(namespace)
