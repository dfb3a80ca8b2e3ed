"""``Brain``: a dictionary that every process on this host shares."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from dash_brain.capacity import Capacity
from dash_brain.dumps import Dumped, Secret, StrPath, all_taken, read_dump, taken, write_dump
from dash_brain.errors import BrainClientDisconnectedError
from dash_brain.names import checked_name
from dash_brain.namespaces import DEFAULT, within
from dash_brain.settings import current
from dash_brain.stores import FileStore, Store, open_store


class Brain(Capacity):
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
        self._asleep = False

    def __repr__(self) -> str:
        asleep = ", asleep" if self._asleep else ""
        return f"Brain({self.namespace!r}, store={self._opened!r}{asleep})"

    def view(self, namespace: str) -> Brain:
        """Return another namespace of the same store; this one stays as it is."""
        return Brain(namespace, store=self._store, ttl=self._ttl)

    def dump(
        self, path: StrPath, names: Iterable[str] | None = None, *, key: Secret | None = None
    ) -> list[str]:
        """Copy values of this namespace into a folder, and return their names.

        The folder can be copied to another machine and loaded there. A dump replaces an older one in the same
        folder, which stays as it is if this one fails.

        Parameters
        ----------
        path
            A folder of your own, made if missing; best one for this dump alone.
        names
            What to copy; by default every name.
        key
            Secret of at least 16 bytes that signs the dump in place of one that lies in the folder: then only
            who knows it can make a dump that loads, wherever the folder has been.

        Raises
        ------
        ValueMissing
            When a name that was given has no value.
        StoreFull, StoreUnavailable
            When the folder is full, cannot be written, or (without ``key``) is other users' to change.

        Examples
        --------
        >>> import tempfile
        >>> from dash_brain.stores import MemoryStore
        >>> brain, other = Brain(store=MemoryStore()), Brain(store=MemoryStore())
        >>> brain["orders"] = [1, 2, 3]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     brain.dump(folder), other.load(folder)
        (['orders'], ['orders'])
        >>> other["orders"]
        [1, 2, 3]
        """
        store, place = self._store, self._within
        if names is not None:
            wanted = [names] if isinstance(names, str) else names
            return write_dump(path, key, ((name, taken(store, place, checked_name(name))) for name in wanted))
        return write_dump(path, key, all_taken(store, place))

    def load(self, path: StrPath, *, key: Secret | None = None) -> list[str]:
        """Learn what a dump holds into this namespace, and return the names.

        First everything is verified; when any of it is damaged or forged, nothing is learned. A value with a
        ttl expires when it would have anyway; one that has expired already is passed over.

        A value is a pickle: recalling one that an enemy made runs his code. Load without ``key`` only what
        you would also run.

        Parameters
        ----------
        path
            The folder. Without ``key`` it must be yours, and nobody else's to change.
        key
            The secret that the dump was made with.

        Raises
        ------
        DecodeError
            When the dump is damaged or forged, or its key is another one.
        StoreUnavailable
            When there is no dump, or another user could have changed it.
        StoreFull
            When the store has no room; what was learned until then stays.
        """
        learned = []

        def learn(name: str, value: Dumped) -> None:
            left = None if value.expires is None else value.expires - time.time()
            if left is None or left > 0:
                self._keep(name, value.frames, value.meta, left)
                learned.append(name)

        _ = self._store  # raises when asleep, before anything is read
        read_dump(path, key, learn)
        return learned

    def sleep(self) -> None:
        """Let go of the store: until ``wake_up`` every operation raises ``BrainClientDisconnectedError``.

        What is stored stays, and other ``Brain`` objects are not concerned.
        """
        self._asleep = True

    def wake_up(self) -> None:
        """Work again after ``sleep``."""
        self._asleep = False

    def start(self) -> None:
        """Work again after ``dead``, with nothing learned; there is no server to start."""
        self.wake_up()

    def dead(self, i_am_sure: bool = False) -> bool:
        """Forget all names of all namespaces of this store, for everybody, and sleep.

        Data of sessions and apps in the same store stays.

        Parameters
        ----------
        i_am_sure
            Without it nothing happens.

        Returns
        -------
        bool
            Whether it happened.
        """
        if i_am_sure:
            for namespace in self.namespaces():
                self._store.drop(within(namespace))
            self.sleep()
        return i_am_sure

    @property
    def _store(self) -> Store:
        if self._asleep:
            raise BrainClientDisconnectedError(f"{self} works again after wake_up().")
        return self._opened


def _open(url: str | None, path: str | os.PathLike[str] | None, store: Store | None) -> Store:
    if sum(given is not None for given in (url, path, store)) > 1:
        raise TypeError("Give one of url=, path= and store=; they all say where the values lie.")
    if path is not None:
        return FileStore(path)
    if url is None and store is None:
        return current.use().store
    return open_store(store if store is not None else url)
