"""``Brain``: a dictionary that every process on this host shares."""

from __future__ import annotations

import os

from dash_brain.namespaces import DEFAULT, Namespaces, within
from dash_brain.settings import current
from dash_brain.stores import FileStore, Store, open_store


class Brain(Namespaces):
    """Named values, shared by every process that opens the same store; no server is needed.

    Large arrays and frames are read without a copy, and every reader may change what it got. Overwriting a
    name is atomic: no reader ever sees it missing, and whoever holds the old value keeps it. Thread-safe.

    Parameters
    ----------
    namespace
        Names of one namespace are apart from those of another: any text of 1 to 255 bytes.
    url
        A store, as :func:`dash_brain.open_store` takes it; by default what ``configure()``
        says, which is the shared memory of this host.
    path
        Short for a local store in that folder, which is made if missing and may be anyone's.
    store
        An open store. At most one of ``url``, ``path`` and ``store`` is given.
    ttl
        Seconds that a value lives unless ``learn`` says otherwise; None: for good.

    Raises
    ------
    BrainNamespaceNameError
        When the namespace is no such text.
    StoreURLError
        When the URL names no store that is known.

    Examples
    --------
    >>> brain = Brain(url="memory://brain-example")
    >>> brain["orders"] = [1, 2, 3]
    >>> brain["orders"]
    [1, 2, 3]
    >>> brain.names()
    ['orders']
    """

    def __init__(
        self,
        namespace: str = DEFAULT,
        *,
        url: str | None = None,
        path: str | os.PathLike[str] | None = None,
        store: Store | None = None,
        ttl: float | None = None,
    ) -> None:
        super().__init__(_open(url, path, store), within(namespace), ttl=ttl)

    def __repr__(self) -> str:
        return f"Brain({self.namespace!r}, store={self._store!r})"

    def view(self, namespace: str) -> Brain:
        """Return another namespace of the same store; this one stays as it is."""
        return Brain(namespace, store=self._store, ttl=self._ttl)


def _open(url: str | None, path: str | os.PathLike[str] | None, store: Store | None) -> Store:
    if sum(given is not None for given in (url, path, store)) > 1:
        raise TypeError("Give one of url=, path= and store=; they all say where the values lie.")
    if path is not None:
        return FileStore(path)
    if url is None and store is None:
        return current.use().store
    return open_store(store if store is not None else url)
