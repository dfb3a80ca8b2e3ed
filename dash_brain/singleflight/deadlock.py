"""A bounded wait for what another process makes, which may wait for what is made here.

Within a process a deadlock is detected where it closes (:mod:`dash_brain.singleflight.meetings`). Across
processes it cannot be seen, so a caller that makes a value itself waits for another process no longer than an
expensive value may take, and then gives up.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Sequence
from typing import TypeVar

from dash_brain.errors import Deadlock
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.faults import shown

T = TypeVar("T")

#: Seconds for which the maker of a value waits for another value that another process makes.
LONGEST_WAIT = 600.0


def wait(makers: Sequence[FlightKey], wanted: FlightKey, future: concurrent.futures.Future[T]) -> T:
    """Return the result of ``future``, unless that takes so long that it may never come.

    Parameters
    ----------
    makers
        What the calls that led here are making.
    wanted
        What they wait for.
    future
        Done when it is there; it is marked as running, so that it cannot be cancelled.

    Raises
    ------
    Deadlock
        When it took too long.
    """
    if not concurrent.futures.wait([future], LONGEST_WAIT if makers else None).done:
        raise _gave_up(makers, wanted)
    return future.result()


async def wait_async(
    makers: Sequence[FlightKey], wanted: FlightKey, future: concurrent.futures.Future[T]
) -> T:
    """Do as :func:`wait`, while the event loop goes on."""
    ours = asyncio.wrap_future(future)
    try:
        if not (await asyncio.wait([ours], timeout=LONGEST_WAIT if makers else None))[0]:
            raise _gave_up(makers, wanted)
        return ours.result()
    finally:
        ours.cancel()  # the future itself goes on


def _gave_up(makers: Sequence[FlightKey], wanted: FlightKey) -> Deadlock:
    return Deadlock(
        f"Making {shown(makers[-1].name)} needs {shown(wanted.name)}, which another process has been making "
        f"for {LONGEST_WAIT:.0f} s: it may wait for what is made here. Let one do without the other, or have "
        f"{shown(wanted.name)} made first."
    )
