"""A cache of Flask-Caching on a store of dash_brain."""

from __future__ import annotations

from typing import Any

from flask_caching.backends.base import BaseCache

from dash_brain.adapters.values import Values
from dash_brain.common.log import warn_of_store
from dash_brain.errors import DecodeError, StoreFull, ValueConflict, ValueMissing
from dash_brain.stores import ABSENT, Store


class BrainCache(BaseCache):
    """A cache of Flask-Caching whose values lie in a store of dash_brain: ``CACHE_TYPE`` names it.

    What it returns is private to the caller and costs no copy. Values may be whatever dash_brain can store;
    they are evicted before all others when room is short. ``CACHE_DEFAULT_TIMEOUT`` and ``CACHE_KEY_PREFIX``
    work; ``CACHE_OPTIONS={"store": "shm://cache"}`` names another store than that of ``configure()``.

    Examples
    --------
    >>> from flask import Flask
    >>> from flask_caching import Cache
    >>> config = {
    ...     "CACHE_TYPE": "dash_brain.adapters.flask_caching.BrainCache",
    ...     "CACHE_OPTIONS": {"store": "memory://cached"},
    ... }
    >>> cache = Cache(Flask("app"), config=config)
    >>> cache.set("prices", [1, 2])
    True
    >>> cache.get("prices")
    [1, 2]
    """

    def __init__(
        self,
        default_timeout: int = 300,
        ignore_delete_many_errors: bool = False,
        key_prefix: str = "",
        store: Store | str | None = None,
    ) -> None:
        super().__init__(default_timeout, ignore_delete_many_errors)
        self.values = Values(store, f"cache/{key_prefix}")

    @classmethod
    def factory(cls, app: Any, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> BrainCache:
        """Return the cache for a configuration of Flask-Caching."""
        return cls(*args, **{"key_prefix": config.get("CACHE_KEY_PREFIX") or "", **kwargs})

    def get(self, key: str) -> Any:
        """Return the value of a key; None when there is none, or it cannot be read."""
        try:
            return self.values.get(key)
        except ValueMissing:
            return None
        except DecodeError as error:
            warn_of_store(("unreadable", key), f"A cached value counts as missing: {error}")
            return None

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep a value for ``timeout`` seconds, 0: for good; say False when there is no room."""
        return self._put(key, value, timeout)

    def add(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Do as ``set`` unless there is a value; say whether it was kept."""
        try:
            return self._put(key, value, timeout, replaces=ABSENT)
        except ValueConflict:
            return False

    def delete(self, key: str) -> bool:
        """Delete a value, and say whether there was one."""
        return self.values.delete(key)

    def has(self, key: str) -> bool:
        """Say whether there is a value."""
        return self.values.has(key)

    def clear(self) -> bool:
        """Delete all values of the cache, that is with its key prefix."""
        self.values.store.drop(self.values.namespace)
        return True

    def inc(self, key: str, delta: int = 1) -> int | None:
        """Add to a number, which is 0 when there is none, and return the sum. It is atomic."""
        while True:
            try:
                replaces = self.values.store.info(self.values.namespace, key).object_id
                number = self.values.get(key) + delta
            except ValueMissing:
                replaces, number = ABSENT, delta
            try:
                return number if self._put(key, number, None, replaces=replaces) else None
            except ValueConflict:
                continue  # somebody else added to it meanwhile

    def dec(self, key: str, delta: int = 1) -> int | None:
        """Subtract from a number, as ``inc`` adds to it."""
        return self.inc(key, -delta)

    def _put(self, key: str, value: Any, timeout: Any, *, replaces: str | None = None) -> bool:
        seconds = self._normalize_timeout(timeout)
        try:
            self.values.put(key, value, max(0, seconds) if seconds else None, replaces=replaces)
        except StoreFull as error:
            warn_of_store(("cache full", self.values.namespace), f"A value was not cached: {error}")
            return False
        return True
