"""``Brain``: a dictionary that every process on this host shares."""

from __future__ import annotations

import os
from contextlib import suppress

from dash_brain.errors import BrainClientDisconnectedError, ValueMissing, WaitTimeout
from dash_brain.names import checked_name
from dash_brain.namespaces import DEFAULT, Namespaces, within
from dash_brain.settings import current
from dash_brain.stores import FileStore, Store, open_store
from dash_brain.stores.faults import shown
from dash_brain.waiting import wait_for


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
        self._asleep = False

    def __repr__(self) -> str:
        asleep = ", asleep" if self._asleep else ""
        return f"Brain({self.namespace!r}, store={self._opened!r}{asleep})"

    def view(self, namespace: str) -> Brain:
        """Return another namespace of the same store; this one stays as it is."""
        return Brain(namespace, store=self._store, ttl=self._ttl)

    def version(self, name: str) -> str:
        """Return the version of a name, which is its object id: another value has another one.

        Raises
        ------
        ValueMissing
            When there is none.
        """
        return self.object_id(name)

    def wait(self, name: str, version: str | None, timeout: float | None = None) -> str:
        """Wait until ``name`` has another value than that of ``version``, and return its version.

        A change is seen within a twentieth of a second, whichever process makes it. Of many changes in the
        meantime the last one is seen. While the name is forgotten it waits on.

        Parameters
        ----------
        name
            Any string.
        version
            What ``version`` or ``wait`` returned; None: wait for any value.
        timeout
            Seconds to wait at most; None: for ever.

        Raises
        ------
        WaitTimeout
            When the time is over; it is a ``TimeoutError``.

        Examples
        --------
        >>> brain = Brain(url="memory://")
        >>> first = brain.learn("price", 1.0)
        >>> second = brain.learn("price", 2.0)
        >>> brain.wait("price", first, timeout=1) == second
        True
        """
        place, name = self._within, checked_name(name)

        def look() -> str | None:
            with suppress(ValueMissing):
                found = self._store.info(place, name).object_id
                return found if found != version else None
            return None

        newer = wait_for(look, timeout)
        if newer is None:
            raise WaitTimeout(f"There was nothing new under {shown(name)} within {timeout:g} s.")
        return newer

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
