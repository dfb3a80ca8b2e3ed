"""The store for a URL, by its scheme; a third party can add one."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dash_brain.errors import StoreURLError
from dash_brain.stores.base import Store
from dash_brain.stores.mapped.local import FileStore, SharedMemoryStore
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.default_folder import say_process_only
from dash_brain.stores.memory import MemoryStore
from dash_brain.stores.near_copy import open_far

if TYPE_CHECKING:
    from flask_caching import Cache

#: What says where values lie.
StoreLike: TypeAlias = "Store | str | Cache"

#: Objects of other libraries that say it too: the library, and the adapter that makes a store of one. By
#: name, since adapters are built on stores, and import the library.
_ADAPTERS = {"flask_caching": ("dash_brain.adapters.flask_caching_store", "FlaskCachingStore")}

_ALLOWED = (
    "shm://[name], file:///folder, or memory://[name], each with ?size= if you like, or redis://host, "
    "rediss://host, unix:///socket or redis+sentinel://host/service"
)


def open_store(url: StoreLike | None = None) -> Store:
    """Return the store that ``url`` names; within a process the same URL gives the same store.

    Parameters
    ----------
    url
        ``shm://[name]``: shared memory of this host (the default); on a system without private folders to
        share, as Windows, the memory of this process, and the log says so once. ``file:///folder``: a folder
        on a local disk. ``memory://[name]``: this process only. ``redis://host``, ``rediss://host``,
        ``unix:///socket``, ``redis+sentinel://host/service``: a Redis or Valkey that several machines share,
        see :class:`~dash_brain.stores.redis.RedisStore`, with copies on each host (:class:`NearCopy`) unless
        it says ``?near=off``; ``?near=512MB`` is the budget of the copies, ``?when_down=near`` reads them
        while Redis cannot be reached. Each may set the budget of the store: ``shm://name?size=2GiB``.
        ``?pages=plain`` turns large pages and spares off, see :class:`SharedMemoryStore`. Others as
        :func:`register_store` added them. A ``Store`` is returned as it is. Of a ``flask_caching.Cache``: a
        store where that lies.

    Raises
    ------
    StoreURLError
        When the URL is none of these.

    Examples
    --------
    >>> open_store("shm://orders")
    SharedMemoryStore('orders')
    >>> open_store("memory://") is open_store("memory://")
    True
    """
    if isinstance(url, Store):
        return url
    url = "shm://" if url is None else url
    # Of two threads that come first at once both make a store, which opens nothing yet; one of them is kept.
    return _opened.get(url) or _opened.setdefault(url, _make(url))


def register_store(scheme: str, factory: Callable[[str], Store]) -> None:
    """Let :func:`open_store` open URLs of another scheme.

    Call it in each process that opens such a URL, before it does: at the top of the module of the store.

    Parameters
    ----------
    scheme
        What such a URL begins with, without ``://``: lowercase letters, digits, ``+``, ``-`` and ``.``.
    factory
        Returns the store for a URL, which it is given whole; a ``ValueError`` says what is wrong with it.

    Raises
    ------
    ValueError
        When the scheme is none, or belongs to a store of dash_brain.

    Examples
    --------
    >>> register_store("scratch", lambda url: MemoryStore())
    >>> open_store("scratch://orders")  # doctest: +ELLIPSIS
    <dash_brain.stores.memory.MemoryStore object at ...>
    """
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
        raise ValueError("A scheme is lowercase letters, digits, '+', '-' and '.', and begins with a letter.")
    if scheme in _OURS:
        raise ValueError(f"{scheme}:// is a store of dash_brain; choose another scheme.")
    _factories[scheme] = factory


def _make(url: Any) -> Store:
    for library in {kind.__module__.partition(".")[0] for kind in type(url).__mro__} & _ADAPTERS.keys():
        module, adapter = _ADAPTERS[library]
        made: Store = getattr(import_module(module), adapter)(url)
        return made
    try:
        scheme = urlsplit(url).scheme
        factory = _factories[scheme]
    except (KeyError, ValueError, TypeError, AttributeError):
        raise StoreURLError(
            f"{_shown(url)} is no URL of a store; it is {_ALLOWED}, or of a scheme that register_store() "
            f"added in this process."
        ) from None
    try:
        return factory(url)
    except ValueError as error:
        form = f" The URL is {_ALLOWED}." if scheme in _OURS else ""
        raise StoreURLError(f"{_shown(url)}: {error}{form}") from error


def _shared_memory(url: str) -> Store:
    if not platform.SUPPORTED:
        say_process_only()
        return _memory(url)
    parts = urlsplit(url)
    return SharedMemoryStore(_name(parts), **_given(parts, "size", "pages"))


def _folder(url: str) -> Store:
    parts = urlsplit(url)
    given = _given(parts, "size", "pages")
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ValueError("a folder is given by its absolute path, after three slashes.")
    return FileStore(unquote(parts.path), **given)


def _memory(url: str) -> Store:
    parts = urlsplit(url)
    _name(parts)
    return MemoryStore(**_given(parts, "size"))


def _redis(url: str) -> Store:
    from dash_brain.stores.redis import RedisStore  # redis-py is loaded by those who use it

    return open_far(url, RedisStore)


def _given(parts: SplitResult, *known: str) -> dict[str, Any]:
    """Return the options that a URL gives, of those that are known."""
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(given.keys() - set(known)) or ["#"] * bool(parts.fragment)
    if unknown:
        raise ValueError(f"unknown parameter {', '.join(unknown)}.")
    return given


def _name(parts: SplitResult) -> str:
    if parts.path not in ("", "/"):
        raise ValueError("a name has no slashes.")
    return parts.netloc or "default"


def _shown(url: object) -> str:
    # A URL may carry a password: only its scheme is shown.
    scheme = re.match(r"[a-z]+(?=:)|[a-z][a-z0-9+.-]*(?=://)", url, re.I) if isinstance(url, str) else None
    return f"{scheme[0]}:…" if scheme else "What was given"


_factories: dict[str, Callable[[str], Store]] = {
    "shm": _shared_memory,
    "file": _folder,
    "memory": _memory,
    **dict.fromkeys(("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"), _redis),
}
_OURS = frozenset(_factories)
#: The stores that this process has opened, by URL or other library's object.
_opened: dict[object, Store] = {}
