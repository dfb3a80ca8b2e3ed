"""Single flight: of several callers that need a missing value, one makes it and the others wait.

Threads and coroutines of one process wait for one flight, and only one of them asks the store for its lock;
so an event loop never blocks. The lock is freed when its holder dies, and the next process makes the value.
When making it fails, the waiting callers get the exception. When it is made and cannot be stored, the waiting
callers of the same process get copies, and other processes make it at once, each for itself. A lock may be a
lease: a maker that lost it, because it was stopped for long, stores nothing, and returns what others made.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from time import perf_counter_ns
from typing import Generic, Protocol, TypeVar, cast

from dash_brain.errors import LeaseLost, ValueMissing
from dash_brain.singleflight import outcomes
from dash_brain.singleflight.deadlock import wait, wait_async
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.singleflight.meetings import Flight, flights, makers
from dash_brain.stores.base import needs_lock
from dash_brain.stores.locked import making_under

Value = TypeVar("Value")


class Unkept(Generic[Value]):
    """What ``make`` returns in place of a value that it could not keep where ``look`` finds it."""

    def __init__(self, value: Value) -> None:
        self.value = value


def fly(key: FlightKey, look: Callable[[], Value], make: Callable[[], Value | Unkept[Value]]) -> Value:
    """Return what ``look`` finds; if that is nothing, what one of the concurrent callers makes.

    Parameters
    ----------
    key
        The lock that keeps other processes out.
    look
        Returns the value or raises ``ValueMissing``.
    make
        Makes the value, keeps it where ``look`` finds it, and returns it; or returns it as :class:`Unkept`.

    Raises
    ------
    Deadlock
        When ``make`` asks for the very value that it makes, or for one that others make and that needs this
        one.
    FlightFailed
        When ``make`` failed in another process with an exception that cannot be sent here.
    """
    known = outcomes.latest(key)
    while True:
        started = perf_counter_ns()
        flight, leads = flights.join(key)
        if leads:
            with flight, ExitStack() as held:
                held.enter_context(_locked(key))
                with suppress(ValueMissing):
                    return _made_by_others(key, started, look())
                if outcomes.newer(key, known):
                    held.close()  # it cannot be stored: so processes need not make it one after the other
                try:
                    with _making(key, flight):
                        return _landed(key, flight, make())
                except LeaseLost as lost:
                    return _newer(look, lost)
        encoded = flight.wait()
        if encoded is not None:
            return cast(Value, encoded.copy())
        with suppress(ValueMissing):  # else its maker was interrupted, or it is gone already
            return look()


async def _here(function: Callable[[], Value]) -> Value:
    return function()


class Beside(Protocol):
    """Calls a function that may block, as asking the store does, and returns its result."""

    def __call__(self, function: Callable[[], Value], /) -> Awaitable[Value]: ...


async def fly_async(
    key: FlightKey,
    look: Callable[[], Value],
    make: Callable[[], Awaitable[Value | Unkept[Value]]],
    *,
    beside: Beside = _here,
) -> Value:
    """Do as :func:`fly`, for a ``make`` that is awaited; the event loop goes on meanwhile.

    ``beside`` calls what asks the store: by default on the event loop, which takes microseconds unless the
    store is across a network.
    """
    known = await beside(lambda: outcomes.latest(key))
    while True:
        started = perf_counter_ns()
        flight, leads = flights.join(key, asyncio.get_running_loop())
        if leads:
            with flight:
                async with AsyncExitStack() as held:
                    await held.enter_async_context(_locked_async(key))
                    with suppress(ValueMissing):
                        return _made_by_others(key, started, await beside(look))
                    if await beside(lambda: outcomes.newer(key, known)):
                        await held.aclose()
                    try:
                        with _making(key, flight):
                            return _landed(key, flight, await make())
                    except LeaseLost as lost:
                        return await beside(partial(_newer, look, lost))
        encoded = await flight.wait_async()
        if encoded is not None:
            return cast(Value, encoded.copy())
        with suppress(ValueMissing):
            return await beside(look)


@contextmanager
def unmade(key: FlightKey) -> Iterator[None]:
    """Run the block while no caller makes the value: wait for a running flight, and let no other begin.

    Raises
    ------
    Deadlock
        When it is made by what calls here, or by a coroutine of the event loop that would wait.
    """
    flights.refuse_endless_wait(key)
    with _locked(key):
        yield


@contextmanager
def _making(key: FlightKey, flight: Flight) -> Iterator[None]:
    """Make the value in this block; store an exception for the callers that wait for the lock."""
    started = perf_counter_ns()
    with flight.making(), making_under(key.lock):
        try:
            yield
        except Exception as error:
            outcomes.leave_failure(key, error)
            raise
        finally:
            key.store.counters.note_computation(started)


def _made_by_others(key: FlightKey, started: int, found: Value) -> Value:
    """Return what another process made while this one waited for its lock, and count that."""
    key.store.counters.note_wait(started)
    return found


def _newer(look: Callable[[], Value], lost: LeaseLost) -> Value:
    """Return what others made since this process lost its lock, else raise that it did."""
    with suppress(ValueMissing):
        return look()
    raise lost


def _landed(key: FlightKey, flight: Flight, made: Value | Unkept[Value]) -> Value:
    """Return what was made; what was not kept goes to those who wait."""
    if not isinstance(made, Unkept):
        return made
    outcomes.leave_unkept(key)
    flight.hand_over(made.value)
    return made.value


@contextmanager
def _locked(key: FlightKey) -> Iterator[None]:
    """Hold the store's lock while the block runs."""
    if not makers():
        with needs_lock(key.store).lock(key.lock):
            yield
        return
    with _held_by_thread(key) as taken:  # the maker of a value must not block for ever in the kernel
        wait(makers(), key, taken)
        yield


@asynccontextmanager
async def _locked_async(key: FlightKey) -> AsyncIterator[None]:
    """Hold the store's lock while the block runs; the event loop goes on."""
    with _held_by_thread(key) as taken:
        await wait_async(makers(), key, taken)
        yield


@contextmanager
def _held_by_thread(key: FlightKey) -> Iterator[Future[None]]:
    """Have a thread of its own wait for the store's lock, and keep it until the block is over."""
    taken: Future[None] = Future()
    taken.set_running_or_notify_cancel()
    over = threading.Event()

    def hold() -> None:
        try:
            with needs_lock(key.store).lock(key.lock):
                taken.set_result(None)
                over.wait()
        except BaseException as error:
            if not taken.done():
                taken.set_exception(error)

    threading.Thread(target=hold, name="dash_brain-lock", daemon=True).start()
    try:
        yield taken
    finally:
        over.set()
