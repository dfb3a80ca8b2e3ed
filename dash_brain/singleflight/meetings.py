"""The flights of this process: the first caller that needs a value makes it, the others wait for its flight.

Making a value may need other values. Each flight knows which flights it waits for, so that the call that
would complete a deadlock raises ``Deadlock`` instead of waiting for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from time import perf_counter_ns
from types import TracebackType
from typing import Any

from dash_brain import codec
from dash_brain.common.forks import reset_in_children
from dash_brain.errors import Deadlock, EncodeError
from dash_brain.singleflight.deadlock import wait, wait_async
from dash_brain.singleflight.flight_key import FlightKey, Meeting
from dash_brain.stores.faults import shown

_NOTHING = object()


class EncodedValue:
    """A value that each waiting caller gets a copy of, since the store has no room for it."""

    def __init__(self, value: object) -> None:
        self._frames = [bytes(frame) for frame in codec.encode(value)]

    def copy(self) -> Any:
        """Return a new copy."""
        return codec.decode([bytearray(frame) for frame in self._frames])


class Flight:
    """The making of one value by one caller, and the callers of this process that wait for it."""

    def __init__(self, key: FlightKey, loop: asyncio.AbstractEventLoop | None) -> None:
        self.key = key
        #: What those who make this value wait for.
        self.needs: list[Flight] = []
        #: Whether anybody waits for it.
        self.is_awaited = False
        self._loop = loop
        self._part_of = _made_now()[-1:]
        self._unkept: object = _NOTHING
        self._landed: Future[EncodedValue | None] = Future()
        self._landed.set_running_or_notify_cancel()  # so that a waiter cannot cancel it for the others

    def wait(self) -> EncodedValue | None:
        """Wait until it is over; raise what its maker raised, and return a value that could not be kept."""
        self.refuse_own_loop()
        with flights.waiting(self):
            return wait((), self.key, self._landed)

    def refuse_own_loop(self) -> None:
        """Raise ``Deadlock`` where waiting would stop the event loop that makes the value."""
        if self._loop is not None and self._loop is asyncio._get_running_loop():
            raise Deadlock(
                f"A coroutine of this event loop makes {shown(self.key.name)}, and waiting here would "
                "stop the loop for ever: await it, or call from a thread."
            )

    async def wait_async(self) -> EncodedValue | None:
        """Do as :meth:`wait`, while the event loop goes on."""
        with flights.waiting(self):
            return await wait_async((), self.key, self._landed)

    @property
    def has_landed(self) -> bool:
        """Whether it is over."""
        return self._landed.done()

    @contextmanager
    def making(self) -> Iterator[None]:
        """Make the value in this block, and note what it needs on the way."""
        with _in_flights((*_making.get(), self)):
            yield

    def hand_over(self, value: object) -> None:
        """Give the value to those who wait, who find it nowhere else."""
        self._unkept = value

    def __enter__(self) -> Flight:
        for outer in self._part_of:
            outer.needs.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        flights.leave(self.key.meeting)
        for outer in self._part_of:
            outer.needs.remove(self)
        if isinstance(error, Exception):
            self._landed.set_exception(error)
        else:  # done; or cancelled or interrupted, which concerns its maker only
            self._landed.set_result(self._encoded())

    def _encoded(self) -> EncodedValue | None:
        if self._unkept is _NOTHING or not self.is_awaited:
            return None
        try:
            return EncodedValue(self._unkept)
        except (EncodeError, MemoryError):  # then they make it for themselves
            return None


#: The flights that the calls that led here are making, from the first to the last.
_making: ContextVar[tuple[Flight, ...]] = ContextVar("dash_brain_making", default=())


def makers() -> list[FlightKey]:
    """Return what the calls that led here are making, from the first to the last."""
    return [flight.key for flight in _made_now()]


def _made_now() -> tuple[Flight, ...]:
    """Return the flights that led here and are not over: a thread or task may outlive its own."""
    return tuple(flight for flight in _making.get() if not flight.has_landed)


@contextmanager
def outside_flights() -> Iterator[None]:
    """Run the block as part of no flight: for work that another thread goes on with."""
    with _in_flights(()):
        yield


@contextmanager
def _in_flights(way: tuple[Flight, ...]) -> Iterator[None]:
    """Run the block as part of these flights."""
    token = _making.set(way)
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine is thrown away in another context than it ran in
            _making.reset(token)


class _Flights:
    """The flights that are under way in this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._under_way: dict[Meeting, Flight] = {}
        reset_in_children(self)

    def join(self, key: FlightKey, loop: asyncio.AbstractEventLoop | None = None) -> tuple[Flight, bool]:
        """Return the flight to this key, and whether it is new and so the caller's own."""
        with self._guard:
            flight = self._under_way.get(key.meeting)
            if flight is not None:
                flight.is_awaited = True
                return flight, False
            self._under_way[key.meeting] = flight = Flight(key, loop)
            return flight, True

    @contextmanager
    def waiting(self, flight: Flight) -> Iterator[None]:
        """Wait for a flight in this block, unless that would be for ever.

        Raises
        ------
        Deadlock
            When the flight waits, directly or through others, for what is made here.
        """
        making, started = _made_now(), perf_counter_ns()
        with self._guard:
            _refuse_deadlock(making, flight)
            for last in making[-1:]:
                last.needs.append(flight)
        try:
            yield
        finally:
            for last in making[-1:]:
                last.needs.remove(flight)
            flight.key.store.counters.note_wait(started)

    def refuse_endless_wait(self, key: FlightKey) -> None:
        """Raise ``Deadlock`` where waiting until no caller makes a key would be for ever."""
        if any(maker.id == key.id for maker in makers()):
            raise Deadlock(
                f"{shown(key.name)} is being made by what calls here, and waiting for its end would be for "
                "ever: do this when it is made."
            )
        with self._guard:
            flight = self._under_way.get(key.meeting)
        if flight is not None:
            flight.refuse_own_loop()

    def leave(self, meeting: Meeting) -> None:
        """Let the next call make the value again."""
        with self._guard:
            self._under_way.pop(meeting, None)

    def reset_after_fork(self) -> None:
        """Forget what the parent makes: a child that wants it waits for the parent, as any process does."""
        self.__init__()  # type: ignore[misc]
        _making.set(())


flights = _Flights()


def _refuse_deadlock(making: tuple[Flight, ...], wanted: Flight) -> None:
    way = _way(wanted, making)
    if not way:
        return
    if len(way) == 1:
        raise Deadlock(f"Making {shown(wanted.key.name)} asks for it again; it would wait for ever.")
    cycle = [*making[making.index(way[-1]) :], *way]
    names = ", which needs ".join(shown(flight.key.name) for flight in cycle)
    raise Deadlock(
        f"Making {names}, would wait for ever. Others make what is missing there at this moment, and need "
        "what is made here: let one of them do without the other."
    )


def _way(start: Flight, ends: tuple[Flight, ...]) -> list[Flight]:
    """Return flights from ``start`` to one of the ends, each of which needs the next; none without a way."""
    ways, seen = [[start]], {start}
    while ways and ends:
        way = ways.pop()
        if way[-1] in ends:
            return way
        ahead = [flight for flight in tuple(way[-1].needs) if flight not in seen]
        seen.update(ahead)
        ways += [[*way, flight] for flight in ahead]
    return []
