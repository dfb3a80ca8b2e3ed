"""``Brain``: a dictionary that every process on this host shares.

A value travels from :mod:`~dash_brain.brain.mapping` through the codec into a store, and back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from dash_brain.brain import dumps, namespaces
from dash_brain.brain.loaders import Loader
from dash_brain.brain.mapping import checked_name
from dash_brain.brain.namespaces import DEFAULT, within
from dash_brain.brain.opening import address, opened, reopened
from dash_brain.brain.store_wide import StoreWide
from dash_brain.common.heap import trim_heap
from dash_brain.errors import BrainClientDisconnectedError
from dash_brain.singleflight import fly
from dash_brain.stores import Store
from dash_brain.stores.registry import StoreLike

Value = TypeVar("Value")


class Brain(StoreWide):
    """Named values, shared by every process that opens the same store; no server is needed.

    Large arrays and frames are read without a copy, and every reader may change what it got. Overwriting a
    name is atomic: no reader ever sees it missing, and whoever holds the old value keeps it. Thread-safe.
    It can be pickled, for a pool of processes for instance: as the store, namespace and ttl that it opens,
    without credentials; one on ``memory://`` is refused.

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
        An open store, or a ``flask_caching.Cache``. At most one of ``url``, ``path`` and ``store`` is given.
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
        store: StoreLike | None = None,
        ttl: float | None = None,
    ) -> None:
        opened_store, self._url = opened(url, path, store)
        super().__init__(opened_store, within(namespace), ttl=ttl)
        self._asleep = False

    def __repr__(self) -> str:
        asleep = ", asleep" if self._asleep else ""
        return f"Brain({self.namespace!r}, store={self._opened!r}{asleep})"

    def __reduce__(self) -> tuple[Any, ...]:
        opens = type(self), address(self._opened, self._url), self.namespace, self._ttl
        return _reopened, opens, self._own() or None

    def _own(self) -> dict[str, Any]:
        """Return what a subclass keeps besides."""
        return {name: value for name, value in vars(self).items() if name not in _REOPENED}

    def _fingerprint_parts(self) -> tuple[Any, ...]:
        return *super()._fingerprint_parts(), self._own()

    def __copy__(self) -> Brain:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __deepcopy__(self, _: object) -> Brain:
        return self.__copy__()  # the stored values are shared

    @property
    def _store(self) -> Store:
        if self._asleep:
            raise BrainClientDisconnectedError(f"{self} works again after wake_up().")
        return self._opened

    def view(self, namespace: str) -> Brain:
        """Return another namespace of the same store; this one stays as it is."""
        _ = self._store  # raises when asleep
        other = self.__copy__()
        other._within = within(namespace)
        return other

    def preload(self, name: str, make: Callable[[], Value], *, ttl: float | None = None) -> Value:
        """Return the value of ``name``, made once on this host, before this process serves requests.

        Call it while the app starts, in every worker: at the top level of its module, or in gunicorn's
        ``post_worker_init``. One worker makes the value and the others wait for it, however many start at
        once; when that one is killed, another makes it. Under ``gunicorn --preload`` the master makes it,
        before there are workers. A value that is there already is used: a worker that starts later, or
        restarts, does not wait.

        A value follows its loader: when the code of ``make`` was edited, or a function that it calls, the
        next start makes it anew; the log ``dash_brain`` says so where that cannot be told. What ``make``
        *reads* (a file, a table) is not looked at: ``brain[name] = make()`` replaces the value at any time,
        from any process, and ``brain.forget(name)`` lets the next start make it anew. What anybody assigned
        is newer than what a loader made, and stays.

        Parameters
        ----------
        name
            Any string.
        make
            Called without arguments when there is no value yet. It may take long: gunicorn's ``--timeout``
            counts from when a worker begins to serve.
        ttl
            Seconds that the value lives; by default that of the mapping.

        Returns
        -------
        object
            The value as it lies in the store. All workers share its arrays for as long as they keep it, the
            one that made it too: what making took is given back. ``brain[name]`` sees what was learned since.

        Raises
        ------
        EncodeError, StoreFull
            When the value cannot be stored.
        RuntimeError
            When ``make`` asks for the very name that it is making.

        Examples
        --------
        >>> brain = Brain(url="memory://preload-example")
        >>> def load():
        ...     print("loading")
        ...     return [1, 2, 3]
        >>> brain.preload("orders", load), brain.preload("orders", load)
        loading
        ([1, 2, 3], [1, 2, 3])
        """
        loader = Loader(checked_name(name), make)

        def look() -> Value:
            loader.check(self._info(name))  # else raises, and notes which object is to be replaced
            return cast("Value", self[name])

        def make_anew() -> Value:
            with self._making(name):
                made = self._learn_first(name, make(), ttl, replaces=loader.replaces, **loader.meta)
            return cast("Value", made)

        made = fly(self._flight_key(name), look, make_anew)
        # What `make` returned lies in this process alone: kept by the app, it would be a second copy.
        value: Value = self.get(name, made)
        del made
        trim_heap()
        return value

    def dump(
        self, path: dumps.StrPath, names: Iterable[str] | None = None, *, key: dumps.Secret | None = None
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
        return dumps.write(self._store, self._within, path, names, key)

    def load(self, path: dumps.StrPath, *, key: dumps.Secret | None = None) -> list[str]:
        """Learn what a dump holds into this namespace, and return the names.

        First everything is verified; when any of it is damaged or forged, nothing is learned. A value with a
        ttl expires when it would have anyway; one that has expired already is passed over.

        A value is a pickle, and to recall a forged one runs its code. Without ``key``, load only what you
        would also run.

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
        _ = self._store  # raises when asleep, before anything is read
        return dumps.read(path, key, self._keep)

    def sleep(self) -> None:
        """Stop using the store: until ``wake_up`` every operation raises ``BrainClientDisconnectedError``.

        What is stored stays, and other ``Brain`` objects go on working.
        """
        self._asleep = True

    def wake_up(self) -> None:
        """Work again after ``sleep``."""
        self._asleep = False

    def start(self) -> None:
        """Work again after ``dead``, with nothing learned; there is no server to start."""
        self.wake_up()

    def dead(self, i_am_sure: bool = False) -> bool:
        """Forget all names and memoized results of all namespaces of this store, for everybody, and sleep.

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
            namespaces.drop_all(self._store)
            self.sleep()
        return i_am_sure


#: What `_reopened` gives a ``Brain``; whatever else it has is a subclass's.
_REOPENED = {"_opened", "_within", "_ttl", "_asleep", "_url"}


def _reopened(cls: type[Brain], where: str | Store, namespace: str, ttl: float | None) -> Brain:
    """Return a pickled ``Brain`` in the process that it came to."""
    brain = object.__new__(cls)
    Brain.__init__(brain, namespace, store=reopened(where), ttl=ttl)
    brain._url = where if isinstance(where, str) else None
    return brain
