"""Makers in several processes that wait for one another: what each waits for is told through the store.

A process sees its own threads wait, and no other's. So whoever makes one value and waits for another for
longer than a moment says so in a small record, and follows the records of others. A circle that lasts, longer
than the record of a process that died can, is refused by all who are part of it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

from dash_brain import codec
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.flights.goals import Goal
from dash_brain.stores.base import Store
from dash_brain.stores.faults import shown

T = TypeVar("T")

#: Seconds between two looks at what others wait for; those that a record lives, unless it is renewed at the
#: next look; and those for which a circle has to last.
PAUSE, TTL, CERTAIN = 1.0, 3.0, 4.0

_NEEDS = "outcomes/needs"


def wait(makers: Sequence[Goal], wanted: Goal, future: concurrent.futures.Future[T]) -> T:
    """Return the result of ``future``, unless that would be waited for for ever.

    Parameters
    ----------
    makers
        What the calls that led here are making.
    wanted
        What they wait for.
    future
        Done when it is there; it runs, so that nobody can cancel it.

    Raises
    ------
    RuntimeError
        When it is made in another process, which waits for one of the makers.
    """
    with _Waiting(makers, wanted) as waiting:
        while not concurrent.futures.wait([future], PAUSE if makers else None).done:
            waiting.look()
        return future.result()


async def wait_async(makers: Sequence[Goal], wanted: Goal, future: concurrent.futures.Future[T]) -> T:
    """Do as :func:`wait`, while the event loop goes on."""
    ours = asyncio.wrap_future(future)
    try:
        with _Waiting(makers, wanted) as waiting:
            while not (await asyncio.wait([ours], timeout=PAUSE if makers else None))[0]:
                waiting.look()
            return ours.result()
    finally:
        ours.cancel()  # the future itself goes on


class _Waiting:
    """One wait of those who make something themselves."""

    def __init__(self, makers: Sequence[Goal], wanted: Goal) -> None:
        self._makers = makers
        self._wanted = wanted
        self._told = False
        self._since: float | None = None

    def look(self) -> None:
        """Tell others what is waited for; raise when they wait for us, and keep doing so."""
        names = None
        with suppress(StoreError):  # a full store: then nobody knows, and all wait
            self._tell()
            names = self._circle()
        if names is None:
            self._since = None
            return
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since > CERTAIN:
            raise RuntimeError(
                f"Making {', which needs '.join(map(shown, names))}, would wait for ever: other processes "
                "make what is missing there, and need what is made here. Let one do without the other."
            )

    def _tell(self) -> None:
        self._told = True
        for maker in self._makers:
            frames = codec.encode((self._wanted.id, self._wanted.name))
            maker.store.put(_NEEDS, maker.id, frames, ttl=TTL)

    def _circle(self) -> list[str] | None:
        """Return the names along the way from us to us, None when there is none."""
        ours = {maker.id: maker.name for maker in self._makers}
        goal, names, seen = self._wanted.id, [self._makers[-1].name, self._wanted.name], set[str]()
        while goal not in seen:
            seen.add(goal)
            needed = _needed(self._wanted.store, goal)
            if needed is None:
                return None
            goal = needed[0]
            names.append(needed[1])
            if goal in ours:
                return names
        return None  # a circle that we are no part of

    def __enter__(self) -> _Waiting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._told:
            for maker in self._makers:
                with suppress(StoreError):  # its ttl sees to it then
                    maker.store.delete(_NEEDS, maker.id)


def _needed(store: Store, goal: str) -> tuple[str, str] | None:
    """Return the id and the name of what the maker of a goal waits for."""
    with suppress(ValueMissing):
        found: tuple[str, str] = codec.decode(store.get(_NEEDS, goal))
        return found
    return None
