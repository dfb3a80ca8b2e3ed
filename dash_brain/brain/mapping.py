"""Named values as a mapping, wherever they lie: those of a ``Brain``, and those of a session."""

from __future__ import annotations

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import Callable, Coroutine, ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

from dash_brain import codec
from dash_brain.brain.namespaces import results_of
from dash_brain.errors import BrainNameTypeError, ValueConflict, ValueMissing
from dash_brain.memo.functions import Memoized, ResultStorage, memoized
from dash_brain.memo.lifetimes import checked_lifetime
from dash_brain.shared_results import computing_shared_result
from dash_brain.singleflight import fly, fly_async
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.base import ABSENT, Frames, ObjectInfo, Store, needs_scan
from dash_brain.stores.faults import missing, shown
from dash_brain.stores.namespaces import VALUE, Retention

Params = ParamSpec("Params")
Value = TypeVar("Value")

_NOTHING = object()

#: Attempts at a change that other callers interrupt each time; so one of theirs succeeded each time.
_ATTEMPTS = 1000


class NamedValues(MutableMapping[str, Any]):
    """The named values of one namespace of a store, which a subclass names.

    Other callers may learn and forget names at any moment. So an iteration covers the names that existed when
    it began, and ``values`` and ``items`` skip those that were forgotten since. Every read returns a private
    value: changing it changes nothing that is stored.

    Examples
    --------
    >>> from dash_brain import Brain
    >>> from dash_brain.stores import MemoryStore
    >>> names = Brain(store=MemoryStore())
    >>> names["year"] = 2024
    >>> names["year"], "month" in names, list(names)
    (2024, False, ['year'])
    """

    # What a subclass has, as attributes or as properties that are looked up at each use.
    #: Namespace of the store: ``"<domain>/<name>"``.
    _within: str
    #: Seconds that a value lives unless ``learn`` says otherwise; None: for good.
    _ttl: float | None
    #: The kind of its values, and the quota of the client that they belong to.
    _retention: Retention = VALUE

    @property
    @abstractmethod
    def _store(self) -> Store:
        """Where the values lie."""

    @abstractmethod
    def _fingerprint_parts(self) -> tuple[Any, ...]:
        """Return what identifies the mapping in fingerprints of functions: where its values are stored."""

    def learn(
        self, name: str, thing: Any, description: str | None = None, *, ttl: float | None = None
    ) -> str:
        """Keep ``thing`` under ``name``, in place of what was there, and return its object id.

        A reader gets the old value or the new one, never a miss. When it fails the old value stays.

        Parameters
        ----------
        name
            Any string.
        thing
            Any value that pickle can store.
        description
            A text for people, shown by tools.
        ttl
            Seconds that the value lives; by default that of the mapping.

        Raises
        ------
        BrainNameTypeError
            When the name is no string.
        EncodeError
            When the value cannot be stored.
        StoreFull
            When there is no room.
        """
        cls = type(thing)
        # As codec.type_name(), in one call: this is the way of every put.
        kind = codec.short_name(str(getattr(cls, "__module__", "")), cls.__name__)
        name, meta = checked_name(name), {"type": kind}
        if description is not None:
            meta["description"] = description
        return self._keep(name, codec.encode(thing), meta, ttl)

    @overload
    def get_or_learn(
        self, name: str, make: Callable[[], Coroutine[Any, Any, Value]], *, ttl: float | None = None
    ) -> Coroutine[Any, Any, Value]: ...

    @overload
    def get_or_learn(self, name: str, make: Callable[[], Value], *, ttl: float | None = None) -> Value: ...

    def get_or_learn(self, name: str, make: Callable[[], Any], *, ttl: float | None = None) -> Any:
        """Return the value of ``name``; when there is none, make it, once for all callers that ask meanwhile.

        Other threads, coroutines and processes wait for it (single flight). When ``make`` raises, the waiting
        callers get the exception, nothing is kept, and the next call tries again; when the process that makes
        it is killed, another one makes it at once. A value that was assigned meanwhile is newer: it stays,
        and is returned.

        Parameters
        ----------
        name
            Any string.
        make
            Called without arguments when there is no value yet. It may ask for other names. With an
            ``async def`` the answer is to be awaited.
        ttl
            Seconds that the value lives; by default that of the mapping.

        Raises
        ------
        RuntimeError
            When ``make`` asks for the very name that it is making, or for one that others make and that needs
            this one.

        Examples
        --------
        >>> from dash_brain import Brain
        >>> from dash_brain.stores import MemoryStore
        >>> names = Brain(store=MemoryStore())
        >>> names.get_or_learn("answer", lambda: 42), names.get_or_learn("answer", lambda: 43)
        (42, 42)
        """
        if inspect.iscoroutinefunction(make):
            return self._get_or_learn_async(name, make, ttl)
        with suppress(ValueMissing):
            return self[name]

        def make_and_learn() -> Any:
            with self._making(name):
                return self._learn_first(name, make(), ttl)

        return fly(self._flight_key(name), lambda: self[name], make_and_learn)

    async def _get_or_learn_async(
        self, name: str, make: Callable[[], Coroutine[Any, Any, Any]], ttl: float | None
    ) -> Any:
        look = partial(self.__getitem__, name)
        with suppress(ValueMissing):
            return await asyncio.to_thread(look)

        async def make_and_learn() -> Any:
            with self._making(name):
                made = await make()
                return await asyncio.to_thread(self._learn_first, name, made, ttl)

        return await fly_async(self._flight_key(name), look, make_and_learn, beside=asyncio.to_thread)

    def _making(self, name: str) -> AbstractContextManager[None]:
        """Return the context manager in which the value of a name is made, for all callers."""
        return computing_shared_result(f"the value {shown(name)}")

    def _learn_first(
        self, name: str, thing: Any, ttl: float | None = None, *, replaces: str = ABSENT, **meta: str
    ) -> Any:
        """Keep ``thing`` unless somebody learned the name meanwhile; return what stands there then."""
        frames, meta = codec.encode(thing), {"type": codec.type_name(thing), **meta}
        for _ in range(_ATTEMPTS):
            with suppress(ValueConflict):
                self._keep(name, frames, meta, ttl, replaces)
                return thing
            with suppress(ValueMissing):
                return self[name]
            replaces = ABSENT  # it was forgotten too
        raise _contended(name)

    def _results(self) -> ResultStorage:
        """Return where results of memoized functions are kept."""
        return ResultStorage(self._store, results_of(self._within), self._ttl, self._retention.quota)

    def _flight_key(self, name: str) -> FlightKey:
        return FlightKey(self._store, f"{len(self._within)}:{self._within}/{name}", name)

    def memoize(
        self,
        ttl: float | None = None,
        stale: float | None = None,
        key: Callable[..., Any] | None = None,
    ) -> Callable[[Callable[Params, Value]], Memoized[Params, Value]]:
        """Return a decorator that keeps the results of a function by its arguments.

        Calls with the same arguments, from any thread, coroutine or process, get the same result. It is
        computed once; the other callers wait for it. Results are not among the names of the mapping. They
        stay until they are forgotten, expire, or are evicted.

        A result belongs to the whole content of the arguments, and to the function as it is when it is
        called: its code, what it closes over, and the functions, classes and constants that it finds by name.
        Other data that it finds by name is not seen; make that an argument, or say it with ``key``.

        Parameters
        ----------
        ttl
            Seconds for which a result is fresh; by default those of the mapping.
        stale
            Seconds for which an older result is returned at once, while one call renews it.
        key
            Called with the arguments. Its result identifies the call, in place of the arguments and of the
            variables that the function closes over: for arguments that have no fingerprint, or of which only
            a part matters.

        Returns
        -------
        Callable
            A decorator, for functions and ``async def``. What it returns has ``forget(*args, **kwargs)``,
            ``forget_all()`` and ``info()``.

        Raises
        ------
        EncodeError
            When the function is called with arguments that have no fingerprint, or returns what cannot be
            stored.

        Examples
        --------
        >>> from dash_brain import Brain
        >>> from dash_brain.stores import MemoryStore
        >>> names = Brain(store=MemoryStore())
        >>> @names.memoize(ttl=3600)
        ... def total(orders):
        ...     print("computing")
        ...     return sum(orders)
        >>> total([1, 2]), total([1, 2])
        computing
        (3, 3)
        >>> total.forget([1, 2])
        >>> total.info().size
        0
        """
        checked_lifetime(ttl, stale)  # what is wrong is said here, not at the first call
        return lambda function: memoized(function, self._results, ttl=ttl, stale=stale, key=key)

    def __getitem__(self, name: str) -> Any:
        return codec.decode(self._store.get(self._within, checked_name(name)))

    def __setitem__(self, name: str, thing: Any) -> None:
        self.learn(name, thing)

    def __delitem__(self, name: str) -> None:
        if not self._store.delete(self._within, checked_name(name)):
            raise missing(name)

    def __contains__(self, name: object) -> bool:
        return self._store.exists(self._within, checked_name(name))

    def __iter__(self) -> Iterator[str]:
        return needs_scan(self._store).scan(self._within)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def values(self) -> ValuesView[Any]:
        """Return a view of the values, without those that are forgotten during an iteration."""
        return _Values(self)

    def items(self) -> ItemsView[str, Any]:
        """Return a view of names and values, without those that are forgotten during an iteration."""
        return _Items(self)

    def pop(self, name: str, default: Any = _NOTHING) -> Any:
        """Return the value and forget it; of several callers that pop a name at once, one gets it.

        A value that is learned meanwhile is not lost: it is popped in place of the older one, or stays.
        """
        for _ in range(_ATTEMPTS):
            try:
                object_id = self._info(name).object_id
                value = self[name]  # before it is deleted: what cannot be read stays
            except ValueMissing:
                if default is _NOTHING:
                    raise
                return default
            if self._store.delete(self._within, name, object_id=object_id):
                return value
        raise _contended(name)

    def popitem(self) -> tuple[str, Any]:
        """Return some name with its value and forget it; ``KeyError`` when there is none."""
        for _ in range(_ATTEMPTS):
            names = list(iter(self))
            for name in names:
                with suppress(ValueMissing):
                    return name, self.pop(name)
            if not names:
                break
        raise ValueMissing("There is no name left.")

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the value of ``name``, which is ``default`` from now on if there was none."""
        with suppress(ValueMissing):
            return self[name]
        return self._learn_first(name, default)

    def clear(self) -> None:
        """Forget every name."""
        self._store.drop(self._within)

    def _info(self, name: str) -> ObjectInfo:
        return self._store.info(self._within, checked_name(name))

    def _keep(
        self,
        name: str,
        frames: Frames,
        meta: Mapping[str, str],
        ttl: float | None,
        replaces: str | None = None,
    ) -> str:
        lifetime = self._ttl if ttl is None else ttl
        return self._store.put(
            self._within,
            name,
            frames,
            ttl=lifetime,
            meta=meta,
            retention=self._retention,
            replaces=replaces,
        )


class _Items(ItemsView[str, Any]):
    _mapping: NamedValues

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in self._mapping:
            value = self._mapping.get(name, _NOTHING)
            if value is not _NOTHING:
                yield name, value


class _Values(ValuesView[Any]):
    _mapping: NamedValues

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in self._mapping.items())

    def __contains__(self, wanted: object) -> bool:
        return any(value is wanted or value == wanted for value in self)


def _contended(name: str) -> ValueConflict:
    return ValueConflict(f"{shown(name)} was replaced or forgotten {_ATTEMPTS} times meanwhile; try later.")


def checked_name(name: object) -> str:
    """Return ``name`` if it is a string, as every name is."""
    if not isinstance(name, str):
        raise BrainNameTypeError(f"A name is a string, and not of type {type(name).__name__}.")
    return name
