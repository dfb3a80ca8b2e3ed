"""Single flight: of all who need a value that is not there, one makes it and the others wait.

Threads and coroutines of one process meet first, and only one of them asks the store for its lock; so an
event loop never blocks. The lock is freed when its holder dies, and the next one makes the value. When
making it fails, those who waited get the exception. When it is made and cannot be kept, those who waited in
the same process get copies, and those in others make it at once, each process for itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Generic, TypeVar, cast

from dash_brain.errors import ValueMissing
from dash_brain.flights import outcomes
from dash_brain.flights.circles import wait, wait_async
from dash_brain.flights.goals import Goal
from dash_brain.flights.meetings import Flight, flights, makers
from dash_brain.stores.base import needs_lock

Value = TypeVar("Value")


class Unkept(Generic[Value]):
    """What ``make`` returns in place of a value that it could not keep where ``look`` finds it."""

    def __init__(self, value: Value) -> None:
        self.value = value


def fly(goal: Goal, look: Callable[[], Value], make: Callable[[], Value | Unkept[Value]]) -> Value:
    """Return what ``look`` finds, else what one of all who ask meanwhile makes.

    Parameters
    ----------
    goal
        The lock that keeps other processes out.
    look
        Returns the value or raises ``ValueMissing``.
    make
        Makes the value, keeps it where ``look`` finds it, and returns it; or returns it as :class:`Unkept`.

    Raises
    ------
    RuntimeError
        When ``make`` asks for the very value that it makes, or for one that others make and that needs this
        one.
    FlightFailed
        When ``make`` failed in another process with an exception that cannot be sent here.
    """
    known = outcomes.latest(goal)
    while True:
        flight, leads = flights.join(goal)
        if leads:
            with flight, ExitStack() as held:
                held.enter_context(_locked(goal))
                with suppress(ValueMissing):
                    return look()
                if outcomes.newer(goal, known):
                    held.close()  # it cannot be kept, so there is nothing to wait for one after the other
                with _making(goal, flight):
                    return _landed(goal, flight, make())
        copies = flight.wait()
        if copies is not None:
            return cast(Value, copies.take())
        with suppress(ValueMissing):  # else its maker was interrupted, or it is gone already
            return look()


async def fly_async(
    goal: Goal, look: Callable[[], Value], make: Callable[[], Awaitable[Value | Unkept[Value]]]
) -> Value:
    """Do as :func:`fly`, for a ``make`` that is awaited; the event loop goes on meanwhile."""
    known = outcomes.latest(goal)
    while True:
        flight, leads = flights.join(goal, asyncio.get_running_loop())
        if leads:
            with flight:
                async with AsyncExitStack() as held:
                    await held.enter_async_context(_locked_async(goal))
                    with suppress(ValueMissing):
                        return look()
                    if outcomes.newer(goal, known):
                        await held.aclose()
                    with _making(goal, flight):
                        return _landed(goal, flight, await make())
        copies = await flight.wait_async()
        if copies is not None:
            return cast(Value, copies.take())
        with suppress(ValueMissing):
            return look()


def is_under_way(goal: Goal) -> bool:
    """Say whether somebody in this process makes the value now."""
    return goal.place in flights


@contextmanager
def unmade(goal: Goal) -> Iterator[None]:
    """Run the block when nobody makes the value, and let nobody begin meanwhile.

    Raises
    ------
    RuntimeError
        When it is made by what calls here, or by a coroutine of the event loop that would wait.
    """
    flights.refuse_standstill(goal)
    with _locked(goal):
        yield


@contextmanager
def _making(goal: Goal, flight: Flight) -> Iterator[None]:
    """Make the value in this block; leave an exception where those who wait for the lock find it."""
    with flight.making():
        try:
            yield
        except Exception as error:
            outcomes.leave_failure(goal, error)
            raise


def _landed(goal: Goal, flight: Flight, made: Value | Unkept[Value]) -> Value:
    """Return what was made; what was not kept goes to those who wait."""
    if not isinstance(made, Unkept):
        return made
    outcomes.leave_unkept(goal)
    flight.hand_over(made.value)
    return made.value


@contextmanager
def _locked(goal: Goal) -> Iterator[None]:
    """Hold the store's lock while the block runs."""
    if not makers():
        with needs_lock(goal.store).lock(goal.key):
            yield
        return
    with _held_by_thread(goal) as taken:  # whoever makes something himself must not be stuck in the kernel
        wait(makers(), goal, taken)
        yield


@asynccontextmanager
async def _locked_async(goal: Goal) -> AsyncIterator[None]:
    """Hold the store's lock while the block runs; the event loop goes on."""
    with _held_by_thread(goal) as taken:
        await wait_async(makers(), goal, taken)
        yield


@contextmanager
def _held_by_thread(goal: Goal) -> Iterator[Future[None]]:
    """Have a thread of its own wait for the store's lock, and keep it until the block is over."""
    taken: Future[None] = Future()
    taken.set_running_or_notify_cancel()
    over = threading.Event()

    def hold() -> None:
        try:
            with needs_lock(goal.store).lock(goal.key):
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
