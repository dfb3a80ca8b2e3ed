"""Values under the keys of one namespace: what all adapters do."""

from __future__ import annotations

from typing import Any

from dash_brain import codec
from dash_brain.settings import current
from dash_brain.stores import Store, open_store


class Values:
    """Values under the keys of one namespace.

    Parameters
    ----------
    store
        A store or its URL; None: the store of ``configure()``.
    namespace
        Where they lie in it: ``"<domain>/<name>"``.
    """

    def __init__(self, store: Store | str | None, namespace: str) -> None:
        self._given = store
        self.namespace = namespace

    @property
    def store(self) -> Store:
        """The store, opened at first use: so in each worker, and after ``configure()``."""
        return current.use().store if self._given is None else open_store(self._given)

    def get(self, key: str) -> Any:
        """Return the value of a key, private to the caller. Raises as ``Store.get`` does."""
        return codec.decode(self.store.get(self.namespace, key))

    def put(self, key: str, value: Any, ttl: float | None, *, replaces: str | None = None) -> None:
        """Keep a value for ``ttl`` seconds, None: for good. Raises as ``encode`` and ``Store.put`` do."""
        meta = {"type": codec.type_name(value)}
        self.store.put(self.namespace, key, codec.encode(value), ttl=ttl, meta=meta, replaces=replaces)

    def has(self, key: str) -> bool:
        """Say whether there is a value."""
        return self.store.exists(self.namespace, key)

    def delete(self, key: str) -> bool:
        """Delete a value, and say whether there was one."""
        return self.store.delete(self.namespace, key)
