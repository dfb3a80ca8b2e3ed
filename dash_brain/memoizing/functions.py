"""Functions whose results are kept by their arguments, in a store that all processes share."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from dash_brain import codec
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.memoizing import fingerprints
from dash_brain.memoizing.lifetimes import Lifetime, lifetime
from dash_brain.memoizing.renewals import in_background, in_loop
from dash_brain.singleflight import Unkept, fly, fly_async, is_under_way, unmade
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.base import Store, needs_scan
from dash_brain.stores.namespaces import RESULT

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")

_NOTHING = object()

log = logging.getLogger("dash_brain")


class MemoInfo(NamedTuple):
    """What is known of a memoized function.

    Attributes
    ----------
    hits, misses
        Calls of this process that found a result, and that had to compute or wait for one.
    size
        Results that are kept, by whichever process.
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
            When waiting for that would be for ever: in the computation itself, which can only be forgotten
            afterwards; and in the event loop that runs it, where a thread can wait, as in
            ``await asyncio.to_thread(rate.forget, "USD")``.
        """

    def forget_all(self) -> None:
        """Forget the results that are there for all arguments."""

    def info(self) -> MemoInfo:
        """Return what is known of hits, misses and results."""


class Place(NamedTuple):
    """Where the results of a call are kept, for how many seconds by default, and in how many bytes."""

    store: Store
    namespace: str
    ttl: float | None = None
    quota: int | None = None


def memoized(
    function: Callable[P, R],
    place: Callable[[], Place],
    *,
    ttl: float | None = None,
    stale: float | None = None,
    key: Callable[..., Any] | None = None,
) -> Memoized[P, R]:
    """Return ``function`` with its results kept where ``place`` says at the time of each call.

    ``ttl``, ``stale`` and ``key`` are as for :meth:`dash_brain.Brain.memoize`.
    """
    memo = _Memo(function, place, lifetime(ttl, stale), key)
    call = memo.call_async if inspect.iscoroutinefunction(function) else memo.call
    wrapper = functools.wraps(function)(_as_function(call))
    setattr(wrapper, fingerprints.PLAIN, function)
    for operation in (memo.forget, memo.forget_all, memo.info):
        setattr(wrapper, operation.__name__, operation)
    return cast("Memoized[P, R]", wrapper)


def _as_function(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plain function, which can be a method and is seen to be a coroutine function if it is one."""
    if inspect.iscoroutinefunction(call):

        async def wait(*args: Any, **kwargs: Any) -> Any:
            return await call(args, kwargs)

        return wait
    return lambda *args, **kwargs: call(args, kwargs)


class _Memo:
    """The results of one function."""

    def __init__(
        self,
        function: Callable[..., Any],
        place: Callable[[], Place],
        lifetime: Lifetime,
        key: Callable[..., Any] | None,
    ) -> None:
        self._function = function
        self._place = place
        self._lifetime = lifetime
        self._key = key
        self._name = getattr(function, "__qualname__", type(function).__qualname__)
        self._hits = self._misses = 0

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = self._result(args, kwargs)

        def compute() -> Any:
            return result.keep(self._function(*args, **kwargs))

        value = self._known(result)
        if value is _NOTHING:
            return fly(result.goal, result.read, compute)
        if result.is_stale() and not is_under_way(result.goal):
            in_background(lambda: fly(result.goal, result.read_fresh, compute))
        return value

    async def call_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = self._result(args, kwargs)

        async def compute() -> Any:
            return result.keep(await self._function(*args, **kwargs))

        value = self._known(result)
        if value is _NOTHING:
            return await fly_async(result.goal, result.read, compute)
        if result.is_stale() and not is_under_way(result.goal):
            in_loop(lambda: fly_async(result.goal, result.read_fresh, compute))
        return value

    def forget(self, *args: Any, **kwargs: Any) -> None:
        result = self._result(args, kwargs)
        # Who is computing it now keeps it before we delete it, and not afterwards.
        with unmade(result.goal):
            result.place.store.delete(result.place.namespace, result.key)

    def forget_all(self) -> None:
        place = self._place()
        for key in self._kept(place):
            place.store.delete(place.namespace, key)

    def info(self) -> MemoInfo:
        place = self._place()
        sizes = []
        for key in self._kept(place):
            with suppress(ValueMissing):  # gone meanwhile
                sizes.append(place.store.info(place.namespace, key).nbytes)
        return MemoInfo(self._hits, self._misses, len(sizes), sum(sizes))

    def _known(self, result: _Result) -> Any:
        try:
            value = result.read()
        except ValueMissing:
            self._misses += 1
            return _NOTHING
        self._hits += 1
        return value

    def _result(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Result:
        if self._key is None:
            call = fingerprints.of_call(self._function, args, kwargs)
        else:
            call = fingerprints.of_value(self._key(*args, **kwargs))
        return _Result(self._place(), self._prefix() + call, self._name, self._lifetime)

    def _prefix(self) -> str:
        if self._key is None and fingerprints.changes(self._function):
            return fingerprints.of_function(self._function)[:32]
        return self._lasting_prefix

    @functools.cached_property
    def _lasting_prefix(self) -> str:
        return fingerprints.of_function(self._function, closure=self._key is None)[:32]

    def _kept(self, place: Place) -> list[str]:
        prefix = self._prefix()
        return [key for key in needs_scan(place.store).scan(place.namespace) if key.startswith(prefix)]


class _Result(NamedTuple):
    """The result for certain arguments, whether it is there or not."""

    place: Place
    key: str
    name: str
    lifetime: Lifetime

    @property
    def goal(self) -> FlightKey:
        return FlightKey(self.place.store, f"{self.place.namespace}/{self.key}", self.name)

    def read(self) -> Any:
        return codec.decode(self.place.store.get(self.place.namespace, self.key))

    def read_fresh(self) -> Any:
        if self.is_stale():
            raise ValueMissing("It is to be renewed.")
        return self.read()

    def is_stale(self) -> bool:
        if self.lifetime.stale is None:
            return False
        with suppress(ValueMissing):
            return self.lifetime.is_stale(self.place.store.info(self.place.namespace, self.key).created)
        return True

    def keep(self, value: Any) -> Any | Unkept[Any]:
        frames, meta = codec.encode(value), {"type": codec.type_name(value), "function": self.name}
        ttl = self.place.ttl if self.lifetime.whole is None else self.lifetime.whole
        try:
            self.place.store.put(
                self.place.namespace,
                self.key,
                frames,
                ttl=ttl,
                meta=meta,
                retention=RESULT.within(self.place.quota),
            )
        except StoreError as error:
            # What was computed at great cost is not thrown away because it cannot be kept.
            log.warning("The result of %s is not kept: %s", self.name, error)
            return Unkept(value)
        return value
