"""A store around another one: the base of those that count, log, or keep a near copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from dash_brain.stores.base import (
    Frames,
    ObjectInfo,
    Place,
    Store,
    Watch,
    needs_budget,
    needs_lock,
    needs_scan,
)
from dash_brain.stores.counters import Counters, Counts


class StoreWrapper(Store):
    """Does what another store does; a subclass changes some of it.

    It is able to do what that one is able to do: asked for more, it raises ``StoreUnavailable``.

    Parameters
    ----------
    wrapped
        The store around which it is.

    Examples
    --------
    >>> from dash_brain.stores import MemoryStore
    >>> class Counting(StoreWrapper):
    ...     gets = 0
    ...
    ...     def get(self, namespace, key):
    ...         self.gets += 1
    ...         return super().get(namespace, key)
    >>> store = Counting(MemoryStore())
    >>> object_id = store.put("brain/default", "greeting", [b"hello"])
    >>> bytes(store.get("brain/default", "greeting")[0]), store.gets
    (b'hello', 1)
    """

    def __init__(self, wrapped: Store) -> None:
        self.wrapped = wrapped
        self.shared = wrapped.shared

    @property
    def counters(self) -> Counters:
        return self.wrapped.counters

    def counted(self) -> Counts:
        return self.wrapped.counted()

    def count_in(self, store: Store) -> None:
        self.wrapped.count_in(store)

    def put(self, namespace: str, key: str, frames: Frames, **options: Any) -> str:
        return self.wrapped.put(namespace, key, frames, **options)

    def get(self, namespace: str, key: str) -> Frames:
        return self.wrapped.get(namespace, key)

    def info(self, namespace: str, key: str) -> ObjectInfo:
        return self.wrapped.info(namespace, key)

    def info_many(self, namespace: str, keys: Iterable[str]) -> Iterator[tuple[str, ObjectInfo | None]]:
        return self.wrapped.info_many(namespace, keys)

    def exists(self, namespace: str, key: str) -> bool:
        return self.wrapped.exists(namespace, key)

    def touch(self, namespace: str, key: str, ttl: float | None) -> None:
        self.wrapped.touch(namespace, key, ttl)

    def touch_many(self, namespace: str, keys: Iterable[str], ttl: float | None) -> set[str]:
        return self.wrapped.touch_many(namespace, keys, ttl)

    def delete(self, namespace: str, key: str, *, object_id: str | None = None) -> bool:
        return self.wrapped.delete(namespace, key, object_id=object_id)

    def look_ahead(self, places: Sequence[Place]) -> None:
        self.wrapped.look_ahead(places)

    def watching(self, namespace: str, key: str) -> AbstractContextManager[Watch]:
        return self.wrapped.watching(namespace, key)

    def drop(self, namespace: str) -> None:
        self.wrapped.drop(namespace)

    def usage(self) -> int:
        return self.wrapped.usage()

    def spilled(self) -> int:
        return self.wrapped.spilled()

    def sweep(self) -> int:
        return self.wrapped.sweep()

    def check(self) -> None:
        self.wrapped.check()

    def secret(self) -> bytes:
        return self.wrapped.secret()

    def close(self) -> None:
        self.wrapped.close()

    def scan(self, namespace: str) -> Iterator[str]:
        return needs_scan(self.wrapped).scan(namespace)

    def namespaces(self, domain: str) -> Iterator[str]:
        return needs_scan(self.wrapped).namespaces(domain)

    def lock(self, key: str) -> AbstractContextManager[None]:
        return needs_lock(self.wrapped).lock(key)

    def budget(self) -> int:
        return needs_budget(self.wrapped).budget()

    def resize(self, nbytes: int) -> None:
        needs_budget(self.wrapped).resize(nbytes)
