"""Makers in several processes that wait for one another: in the end one gives up, and names the value.

A process sees its own threads wait, and no other's: a circle within it is refused where it closes. What
another process makes is waited for as long as an expensive value may take, and no longer by whoever makes
something himself.
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

#: Seconds for which who makes a value waits for another that is made in another process.
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
        Done when it is there; it runs, so that nobody can cancel it.

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
