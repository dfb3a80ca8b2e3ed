"""Functions whose results are kept by their arguments, in a store that all processes share."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from types import MethodType
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar, cast, overload

from dash_brain import codec
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.memo import fingerprints
from dash_brain.memo.lifetimes import Lifetime, checked_lifetime
from dash_brain.memo.revalidation import renewals
from dash_brain.memo.unstable import UnstableFunction
from dash_brain.shared_results import computing_shared_result
from dash_brain.singleflight import Unkept, fly, fly_async, unmade
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.base import Store, needs_scan
from dash_brain.stores.namespaces import RESULT

P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")

_NOTHING = object()

#: Hex digits of a function's fingerprint, with which the keys of its results begin.
_PREFIX = 32

#: Number of earlier fingerprints of a function that are remembered.
_PREFIXES = 256

log = logging.getLogger("dash_brain")


class MemoInfo(NamedTuple):
    """Hits, misses and size of a memoized function.

    Attributes
    ----------
    hits, misses
        Calls of this process that found a result, and that had to compute or wait for one.
    size
        Results in the store, of all processes.
    nbytes
        Bytes that they occupy.
    """

    hits: int
    misses: int
    size: int
    nbytes: int


class Memoized(Protocol[P, R_co]):
    """A function whose results are kept."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return the result for these arguments, computed once."""

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Forget the result for these arguments, as soon as nobody is computing it: the next call does.

        Raises
        ------
        RuntimeError
            When waiting would never end: in the computation itself, and in the event loop that runs it. A
            thread can wait there: ``await asyncio.to_thread(rate.forget, "USD")``.
        """

    def forget_all(self) -> None:
        """Forget the results that are there for all arguments."""

    def info(self) -> MemoInfo:
        """Return what is known of hits, misses and results."""

    @overload
    def __get__(self, instance: None, owner: type, /) -> Memoized[P, R_co]: ...
    @overload
    def __get__(
        self: Memoized[Concatenate[Any, Q], R], instance: object, owner: type | None = None, /
    ) -> Memoized[Q, R]: ...


class ResultStorage(NamedTuple):
    """Where the results of a call are kept, for how many seconds by default, and in how many bytes.

    ``is_shared``: they are for all callers, not for one session.
    """

    store: Store
    namespace: str
    ttl: float | None = None
    quota: int | None = None
    is_shared: bool = True


def memoized(
    function: Callable[P, R],
    storage: Callable[[], ResultStorage],
    *,
    ttl: float | None = None,
    stale: float | None = None,
    key: Callable[..., Any] | None = None,
) -> Memoized[P, R]:
    """Return ``function`` with its results kept where ``storage`` says at the time of each call.

    ``ttl``, ``stale`` and ``key`` are as for :meth:`dash_brain.Brain.memoize`.
    """
    memo = _Memo(function, storage, checked_lifetime(ttl, stale), key)
    return cast("Memoized[P, R]", MemoizedFunction(memo))


class MemoizedFunction:
    """A memoized function as it is called; as an attribute of a class, a method.

    To ``inspect`` it looks like a function, so that it is seen to be a coroutine function if it is one.
    """

    # Slots, because decorators around it copy its __dict__.
    __slots__ = ("__dict__", "__weakref__", "_bound", "_memo")

    def __init__(self, memo: _Memo, bound: tuple[Any, ...] = ()) -> None:
        functools.update_wrapper(self, memo.function)
        self._memo = memo
        self._bound = bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._memo.call(self._bound + args, kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> MemoizedFunction:
        return self if instance is None else MemoizedFunction(self._memo, (instance,))

    def __getattr__(self, name: str) -> Any:
        if name in ("__code__", "__defaults__", "__kwdefaults__", "__globals__", "__closure__"):
            return getattr(self._memo.function, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}.", name=name, obj=self)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Be pickled by name."""
        if self._bound:
            return getattr, (self._bound[0], self.__name__)
        return str(self.__qualname__)

    def __repr__(self) -> str:
        return f"<memoized {self._memo.function!r}>"

    @property
    def __signature__(self) -> inspect.Signature:
        signature = self._memo.signature
        return signature.replace(parameters=list(signature.parameters.values())[len(self._bound) :])

    @property
    def _dash_brain_plain(self) -> Any:
        """The plain function, which counts in fingerprints."""
        function = self._memo.function
        return MethodType(function, self._bound[0]) if self._bound else function

    def forget(self, *args: Any, **kwargs: Any) -> None:
        self._memo.forget(self._bound + args, kwargs)

    def forget_all(self) -> None:
        self._memo.forget_all()

    def info(self) -> MemoInfo:
        return self._memo.info()


class _Memo:
    """The results of one function."""

    def __init__(
        self,
        function: Callable[..., Any],
        storage: Callable[[], ResultStorage],
        lifetime: Lifetime,
        key: Callable[..., Any] | None,
    ) -> None:
        self.function = function
        self.call = self._call_async if inspect.iscoroutinefunction(function) else self._call
        self._storage = storage
        self._lifetime = lifetime
        self._key = key
        self._name = getattr(function, "__qualname__", type(function).__qualname__)
        self._changing = UnstableFunction(self._name)
        self._own_fingerprint = fingerprints.FunctionFingerprint(function, closure=key is None)
        # Its fingerprints so far: results from before a closed-over variable changed are its own, too.
        self._prefixes: dict[str, None] = {}
        self._hits = self._misses = 0

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = self._result(args, kwargs)

        def compute() -> Any:
            with result.making():
                return self._kept(result, self.function(*args, **kwargs))

        value = self._known(result)
        if value is _NOTHING:
            return fly(result.flight_key, result.read, compute)
        if result.is_stale():
            key = result.flight_key
            renewals.in_background(key, lambda: fly(key, result.read_fresh, compute))
        return value

    async def _call_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do the same; what reads large values or asks the store leaves the event loop."""
        result, value, is_stale = await asyncio.to_thread(self._look, args, kwargs)

        async def compute() -> Any:
            with result.making():
                made = await self.function(*args, **kwargs)
                return await asyncio.to_thread(self._kept, result, made)

        if value is _NOTHING:
            return await fly_async(result.flight_key, result.read, compute, beside=asyncio.to_thread)
        if is_stale:
            key = result.flight_key
            renewals.in_loop(
                key, lambda: fly_async(key, result.read_fresh, compute, beside=asyncio.to_thread)
            )
        return value

    def _look(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[_Result, Any, bool]:
        """Return the result of a call, its value if there is one, and whether that is stale."""
        result = self._result(args, kwargs)
        value = self._known(result)
        return result, value, value is not _NOTHING and result.is_stale()

    def forget(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        storage, call = self._storage(), self._fingerprint(args, kwargs)
        for prefix in self._prefixes_so_far():
            result = _Result(storage, prefix + call, self._name, self._lifetime)
            # A computation that is under way stores its result before it is deleted here, not afterwards.
            with unmade(result.flight_key):
                storage.store.delete(storage.namespace, result.key)

    def forget_all(self) -> None:
        storage = self._storage()
        for key in self._keys(storage):
            storage.store.delete(storage.namespace, key)

    def info(self) -> MemoInfo:
        storage = self._storage()
        found = storage.store.info_many(storage.namespace, self._keys(storage))
        sizes = [info.nbytes for _, info in found if info is not None]
        return MemoInfo(self._hits, self._misses, len(sizes), sum(sizes))

    def _known(self, result: _Result) -> Any:
        try:
            value = result.read()
        except ValueMissing:
            self._misses += 1
            return _NOTHING
        self._hits += 1
        result.storage.store.counters.note_hit()
        return value

    def _kept(self, result: _Result, value: Any) -> Any:
        self._changing.compare(result.key[:_PREFIX], self._prefix)
        return result.keep(value)

    def _result(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Result:
        call = self._fingerprint(args, kwargs)
        return _Result(self._storage(), self._prefix() + call, self._name, self._lifetime)

    def _fingerprint(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        if self._key is None:
            return fingerprints.of_call(self.function, args, kwargs, self.signature)
        return fingerprints.of_value(self._key(*args, **kwargs))

    def _prefix(self) -> str:
        prefix = self._own_fingerprint.now()[:_PREFIX]
        if prefix not in self._prefixes:
            self._prefixes[prefix] = None
            with suppress(RuntimeError, StopIteration):  # another thread changed it: that one bounds it
                while len(self._prefixes) > _PREFIXES:
                    self._prefixes.pop(next(iter(self._prefixes)), None)
        return prefix

    def _prefixes_so_far(self) -> list[str]:
        """Return the fingerprints that the function has had in this process, the present one included."""
        self._prefix()
        return list(self._prefixes)

    def _keys(self, storage: ResultStorage) -> list[str]:
        known = set(self._prefixes_so_far())
        return [key for key in needs_scan(storage.store).scan(storage.namespace) if key[:_PREFIX] in known]


class _Result(NamedTuple):
    """The result for certain arguments, whether it is there or not."""

    storage: ResultStorage
    key: str
    name: str
    lifetime: Lifetime

    @property
    def flight_key(self) -> FlightKey:
        return FlightKey(self.storage.store, f"{self.storage.namespace}/{self.key}", self.name)

    def making(self) -> AbstractContextManager[None]:
        """Return the context manager for computing and storing it."""
        return (
            computing_shared_result(f"the result of {self.name}") if self.storage.is_shared else nullcontext()
        )

    def read(self) -> Any:
        return codec.decode(self.storage.store.get(self.storage.namespace, self.key))

    def read_fresh(self) -> Any:
        if self.is_stale():
            raise ValueMissing("It is to be renewed.")
        return self.read()

    def is_stale(self) -> bool:
        if self.lifetime.stale is None:
            return False
        with suppress(ValueMissing):
            return self.lifetime.is_stale(self.storage.store.info(self.storage.namespace, self.key).created)
        return True

    def keep(self, value: Any) -> Any | Unkept[Any]:
        frames, meta = codec.encode(value), {"type": codec.type_name(value), "function": self.name}
        ttl = self.storage.ttl if self.lifetime.whole is None else self.lifetime.whole
        try:
            self.storage.store.put(
                self.storage.namespace,
                self.key,
                frames,
                ttl=ttl,
                meta=meta,
                retention=RESULT.within(self.storage.quota),
            )
        except StoreError as error:
            # A costly result is returned even when it cannot be stored.
            log.warning("The result of %s is not kept: %s", self.name, error)
            return Unkept(value)
        return value
