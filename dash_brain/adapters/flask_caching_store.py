"""A store where a cache of Flask-Caching keeps its values."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, urlencode

from cachelib import FileSystemCache, RedisCache, SimpleCache
from flask_caching import Cache

from dash_brain.adapters.flask_caching import BrainCache
from dash_brain.errors import EncodeError, StoreURLError
from dash_brain.stores import Frames, MemoryStore, Store, StoreWrapper, open_store
from dash_brain.web.servers import current_request


class FlaskCachingStore(StoreWrapper):
    """A store of dash_brain where a ``flask_caching.Cache`` keeps its values.

    The cache says where: a folder beside that of ``FileSystemCache``, the server of ``RedisCache``, the
    memory of the process for ``SimpleCache``. What lies there is written and read by dash_brain, and the
    cache does not see it: values that are locked, listed, replaced in one step and verified before they are
    unpickled need more than a cache can do. ``configure(store=cache)`` makes one.

    Parameters
    ----------
    cache
        The cache, after its ``init_app``.

    Raises
    ------
    StoreURLError
        For any other cache, and for ``SimpleCache`` in a server of several processes.

    Examples
    --------
    >>> from flask import Flask
    >>> from flask_caching import Cache
    >>> cache = Cache(Flask("app"), config={"CACHE_TYPE": "SimpleCache"})
    >>> from dash_brain import Brain
    >>> brain = Brain("cached", store=cache)
    >>> brain["prices"] = [1, 2]
    """

    def __init__(self, cache: Cache) -> None:
        where = _place_of(cache)
        super().__init__(open_store(where))
        self._where = where

    def __reduce__(self) -> Any:
        if isinstance(self._where, str) and "@" not in self._where:
            return open_store, (self._where,)
        raise EncodeError(
            "A store where a SimpleCache lies, or a cache with a password, cannot be pickled: the receiver "
            "could not open it. Configure both sides with the URL of a store."
        )


class _OneProcess(MemoryStore):
    """Values of one process, which refuses to be one of several that serve an app."""

    def put(self, namespace: str, key: str, frames: Frames, **options: Any) -> str:
        _check_alone()
        return super().put(namespace, key, frames, **options)

    def get(self, namespace: str, key: str) -> Frames:
        _check_alone()
        return super().get(namespace, key)

    def exists(self, namespace: str, key: str) -> bool:
        _check_alone()
        return super().exists(namespace, key)


def _check_alone() -> None:
    """Refuse a request of which the server says that another one may go to another process."""
    request = current_request()
    if request is not None and request.is_multiprocess:
        raise StoreURLError(
            "SimpleCache keeps values in the memory of one process, and this server has several: each would "
            "have values of its own. Use configure('shm://'), a FileSystemCache, or a RedisCache."
        )


def _place_of(cache: Cache) -> Store | str:
    """Return the URL of the store, or a store of this process."""
    try:
        backend: Any = cache.cache
    except (AttributeError, KeyError) as error:
        raise StoreURLError(
            "The cache has no app yet: call cache.init_app(app) before configure()."
        ) from error
    if isinstance(backend, BrainCache):
        return backend.values.store
    if isinstance(backend, FileSystemCache):
        return f"file://{quote(os.path.abspath(backend._path))}-dash_brain"
    if isinstance(backend, RedisCache):
        return _redis_url(backend)
    if isinstance(backend, SimpleCache):
        return _OneProcess()
    raise StoreURLError(
        f"dash_brain cannot keep values where {type(backend).__name__} does. It can where a FileSystemCache, "
        "a RedisCache or a SimpleCache does; or choose a store: configure('shm://')."
    )


def _redis_url(backend: Any) -> str:
    """Return the URL of the server that a cache talks to; it has the password, and is shown to nobody."""
    pool: Any = getattr(backend._write_client, "connection_pool", None)
    given: dict[str, Any] = getattr(pool, "connection_kwargs", {})
    user, password = given.get("username"), given.get("password")
    login = f"{quote(user or '', safe='')}:{quote(password, safe='')}@" if password else ""
    if "path" in given:
        return f"unix://{login}{given['path']}?db={given.get('db') or 0}"
    if "host" not in given:
        raise StoreURLError(
            f"{type(backend).__name__} does not talk to one server, whose address dash_brain would use. With "
            "Sentinel give the URL: configure('redis+sentinel://host:26379/service'). Redis Cluster cannot "
            "be used."
        )
    scheme = "rediss" if "SSL" in pool.connection_class.__name__ else "redis"
    tls = {name: value for name, value in given.items() if name.startswith("ssl_") and isinstance(value, str)}
    query = f"?{urlencode(tls)}" if tls else ""
    return f"{scheme}://{login}{given['host']}:{given.get('port') or 6379}/{given.get('db') or 0}{query}"
