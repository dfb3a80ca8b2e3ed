"""Which store a ``Brain`` opens, and how another process opens the same one."""

from __future__ import annotations

import os
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from dash_brain.errors import EncodeError, StoreUnavailable
from dash_brain.settings import current
from dash_brain.stores import FileStore, SharedMemoryStore, Store, open_store
from dash_brain.stores.registry import StoreLike

#: Options of a URL that may be secret.
_SECRET = re.compile("user|pass|secret|token|key|sig|auth|cred", re.IGNORECASE)


def opened(
    url: str | None, path: str | os.PathLike[str] | None, store: StoreLike | None
) -> tuple[Store, str | None]:
    """Return the store that is meant, and its URL where it was given by one."""
    if sum(given is not None for given in (url, path, store)) > 1:
        raise TypeError("Give one of url=, path= and store=; they all say where the values lie.")
    if path is not None:
        return FileStore(path), None
    if store is not None:
        return open_store(store), None
    if url is not None:
        return open_store(url), url
    settings = current.use()
    given = settings.store_or_url
    return settings.store, given if isinstance(given, str) else None


def address(store: Store, url: str | None) -> str | Store:
    """Return what :func:`reopened` opens in another process: a URL without credentials, or a store.

    Raises
    ------
    EncodeError
        When the store is in the memory of this process.
    """
    if store.shared == "process":
        raise EncodeError(
            "A Brain on memory:// cannot be pickled: its values lie in the memory of this process, where no "
            "other could reach them. Use shm:// or file:// for values that several processes share."
        )
    if url is not None:
        return _without_credentials(url)
    if type(store) is SharedMemoryStore:
        return f"shm://{store.name}"
    if type(store) is FileStore and store.name == "default":
        return f"file://{quote(store.folder)}"
    return store


def reopened(where: str | Store) -> Store:
    """Return the store of an :func:`address`; its credentials come from the configuration of this process.

    Raises
    ------
    StoreUnavailable
        When there were credentials, and the configuration of this process names another store.
    """
    if isinstance(where, Store) or "@" not in urlsplit(where).netloc:
        return open_store(where)
    settings = current.use()
    if not isinstance(settings.store_or_url, str) or _without_credentials(settings.store_or_url) != where:
        raise StoreUnavailable(
            f"A Brain on {where} came here without its credentials, which are never pickled, and this "
            "process is configured with another store. Set DASH_BRAIN_STORE, or call configure(store=...)."
        )
    return settings.store


def _without_credentials(url: str) -> str:
    """Return the URL without secrets; an empty user before ``@`` says that there were some.

    Examples
    --------
    >>> _without_credentials("redis://me:secret@cache:6379/0?password=secret&timeout=5")
    'redis://@cache:6379/0?timeout=5'
    >>> _without_credentials("shm://orders?size=2GiB")
    'shm://orders?size=2GiB'
    """
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([one for one in given if not _SECRET.search(one[0])])
    host = parts.netloc.rpartition("@")[2]
    if "@" not in parts.netloc and len(query) == len(urlencode(given)):
        return url
    return urlunsplit((parts.scheme, f"@{host}", parts.path, query, ""))
