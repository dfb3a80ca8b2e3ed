"""Single flight: of all who need a value that is not there, one makes it and the others wait.

Threads and coroutines of one process meet at a future, and only one of them asks the store for its lock;
so an event loop never blocks. The lock is freed when its holder dies, and the next one makes the value.
When making it fails, those who waited get the exception, through a record that lives for a minute. Who
comes later tries anew.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import NamedTuple, TypeAlias, TypeVar

from dash_brain import codec
from dash_brain.errors import BrainError, FlightFailed, StoreError, ValueMissing
from dash_brain.stores.base import Store, needs_lock
from dash_brain.stores.faults import shown
from dash_brain.stores.forks import reset_in_children

Value = TypeVar("Value")

_OUTCOMES = "outcomes/flights"
_OUTCOME_TTL = 60.0

#: A store, by identity, and a key of it. Two that open the same one meet at its lock only.
Place: TypeAlias = "tuple[int, str]"

#: What the calls that led here are making: whoever asks for that again would wait for itself.
_making: ContextVar[frozenset[Place]] = ContextVar("dash_brain_making", default=frozenset())


class Goal(NamedTuple):
    """What is to be made once: a lock of a store, and the name that people have for it."""

    store: Store
    key: str
    name: str

    @property
    def place(self) -> Place:
        """Where those in this process meet."""
        return id(self.store), self.key


def fly(goal: Goal, look: Callable[[], Value], make: Callable[[], Value]) -> Value:
    """Return what ``look`` finds, else what one of all who ask meanwhile makes.

    Parameters
    ----------
    goal
        The lock that keeps other processes out.
    look
        Returns the value or raises ``ValueMissing``.
    make
        Makes the value, keeps it where ``look`` finds it, and returns it.

    Raises
    ------
    RuntimeError
        When ``make`` asks for the very value that it makes.
    FlightFailed
        When ``make`` failed in another process with an exception that cannot be sent here.
    """
    known = _failure(goal)
    while True:
        flight, leads = _flights.join(goal)
        if leads:
            with flight, needs_lock(goal.store).lock(goal.key):
                with suppress(ValueMissing):
                    return look()
                _raise_newer(goal, known)
                with _made_by_us(goal):
                    return make()
        flight.wait()
        with suppress(ValueMissing):  # else it was not kept, or its maker was interrupted
            return look()


async def fly_async(goal: Goal, look: Callable[[], Value], make: Callable[[], Awaitable[Value]]) -> Value:
    """Do as :func:`fly`, for a ``make`` that is awaited; the event loop goes on meanwhile."""
    known = _failure(goal)
    while True:
        flight, leads = _flights.join(goal, asyncio.get_running_loop())
        if leads:
            with flight:
                async with _locked(goal):
                    with suppress(ValueMissing):
                        return look()
                    _raise_newer(goal, known)
                    with _made_by_us(goal):
                        return await make()
        await flight.wait_async()
        with suppress(ValueMissing):
            return look()


def is_under_way(goal: Goal) -> bool:
    """Say whether somebody in this process makes the value now."""
    return goal.place in _flights


@contextmanager
def as_newcomer() -> Iterator[None]:
    """Run the block as if nothing that led here were being made; for work that is left to a thread."""
    token = _making.set(frozenset())
    try:
        yield
    finally:
        _making.reset(token)


class Flight:
    """The meeting of those in this process who want one value, while the first of them makes it."""

    def __init__(self, goal: Goal, loop: asyncio.AbstractEventLoop | None) -> None:
        self._goal = goal
        self._loop = loop
        self._landed: Future[None] = Future()

    def wait(self) -> None:
        """Wait until it is over; raise what its maker raised."""
        if self._loop is not None and self._loop is asyncio._get_running_loop():
            raise RuntimeError(
                f"A coroutine of this event loop makes {shown(self._goal.name)}, and waiting here would "
                "stop the loop for ever: await it, or call from a thread."
            )
        self._landed.result()

    async def wait_async(self) -> None:
        """Wait until it is over; raise what its maker raised."""
        # Shielded: who gives up waiting must not take the future away from the others.
        await asyncio.shield(asyncio.wrap_future(self._landed))

    def __enter__(self) -> Flight:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _flights.leave(self._goal.place)
        if isinstance(error, Exception):
            self._landed.set_exception(error)
        else:  # done; or cancelled or interrupted, which concerns nobody but its maker
            self._landed.set_result(None)


class _Flights:
    """The flights that are under way in this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._under_way: dict[Place, Flight] = {}
        reset_in_children(self)

    def join(self, goal: Goal, loop: asyncio.AbstractEventLoop | None = None) -> tuple[Flight, bool]:
        """Return the flight to this goal, and whether it is new and so the caller's own."""
        with self._guard:
            flight = self._under_way.get(goal.place)
            if flight is not None and goal.place in _making.get():
                raise RuntimeError(f"Making {shown(goal.name)} asks for it again; it would wait for ever.")
            if flight is not None:
                return flight, False
            self._under_way[goal.place] = flight = Flight(goal, loop)
            return flight, True

    def leave(self, place: Place) -> None:
        with self._guard:
            self._under_way.pop(place, None)

    def __contains__(self, place: Place) -> bool:
        return place in self._under_way

    def reset_after_fork(self) -> None:
        """Forget what the parent makes: a child that wants it waits for the parent, as any process does."""
        self.__init__()  # type: ignore[misc]
        _making.set(frozenset())


_flights = _Flights()


@contextmanager
def _made_by_us(goal: Goal) -> Iterator[None]:
    """Make the value in this block; leave an exception where those who wait for the lock find it."""
    token = _making.set(_making.get() | {goal.place})
    try:
        yield
    except Exception as error:
        with suppress(StoreError):  # a full store: those who wait try for themselves
            goal.store.put(_OUTCOMES, goal.key, codec.encode(_portable(error)), ttl=_OUTCOME_TTL)
        raise
    finally:
        _making.reset(token)


def _failure(goal: Goal) -> str | None:
    """Return the id of the last failure, if there was one lately."""
    with suppress(ValueMissing):
        return goal.store.info(_OUTCOMES, goal.key).object_id
    return None


def _raise_newer(goal: Goal, known: str | None) -> None:
    """Raise the exception of a flight that failed since ``known`` was the last one to fail."""
    if _failure(goal) not in (None, known):
        with suppress(ValueMissing):
            raise codec.decode(goal.store.get(_OUTCOMES, goal.key))


def _portable(error: Exception) -> Exception:
    """Return the exception if it comes out of the store as it went in, else one that tells of it."""
    try:
        if type(codec.decode(codec.encode(error))) is type(error):
            return error
    except BrainError:
        pass
    return FlightFailed(
        f"Another process was making this value and failed with {type(error).__name__}, an exception that "
        "cannot be pickled: its log says more."
    )


@asynccontextmanager
async def _locked(goal: Goal) -> AsyncIterator[None]:
    """Hold the store's lock while the block runs; a thread of its own waits for it, and keeps it."""
    loop = asyncio.get_running_loop()
    taken: asyncio.Future[None] = loop.create_future()
    over = threading.Event()

    def hold() -> None:
        try:
            with needs_lock(goal.store).lock(goal.key):
                _tell(loop, taken, None)
                over.wait()
        except BaseException as error:
            _tell(loop, taken, error)

    threading.Thread(target=hold, name="dash_brain-lock", daemon=True).start()
    try:
        await taken
        yield
    finally:
        over.set()


def _tell(loop: asyncio.AbstractEventLoop, taken: asyncio.Future[None], error: BaseException | None) -> None:
    def tell() -> None:
        if not taken.done():  # else whoever asked was cancelled
            taken.set_result(None) if error is None else taken.set_exception(error)

    with suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(tell)
