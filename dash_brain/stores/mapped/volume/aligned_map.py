"""Maps of files that begin where a large page begins, and that cost no descriptor.

Python owns an anonymous map, and libc lays the file over it: so the file is unmapped with the last object
that views it. ``mmap.mmap(file)`` lies anywhere, so that large pages cannot be mapped as such, and before
Python 3.13 it keeps a duplicate of the descriptor.
"""

from __future__ import annotations

import logging
import mmap
import time
from typing import NamedTuple

from dash_brain.stores.base import Frame
from dash_brain.stores.mapped.system import platform

try:
    from dash_brain.stores.mapped.system import libc
except ImportError:  # a Python without ctypes
    libc = None  # type: ignore[assignment]

_log = logging.getLogger("dash_brain")

#: The bytes of a large page; another size here would cost speed only.
LARGE_PAGE = 2 << 20
#: Seconds for which Python maps when a file could not be laid over its map.
_BACK_OFF = 60.0

_not_before = -_BACK_OFF


class Mapped(NamedTuple):
    """A file in memory: what owns the map, where the file begins, and its bytes."""

    owner: mmap.mmap
    address: int
    view: memoryview

    def close(self) -> None:
        """Unmap the file now."""
        self.view.release()
        self.owner.close()


def usable() -> bool:
    """Say whether such maps can be had here."""
    return libc is not None and libc.usable()


def collapse(mapped: Mapped, first: int, end: int) -> None:
    """Make large pages of those of a range, which begins and ends where one begins.

    Raises
    ------
    OSError
        When not all of it has large pages then.
    """
    libc.collapse(mapped.address + first, end - first)


def copy(mapped: Mapped, at: int, piece: Frame) -> None:
    """Copy bytes into a map; other threads run meanwhile."""
    libc.copy(mapped.address + at, piece)


def map_private(file: int, size: int) -> memoryview | mmap.mmap:
    """Return the file as private memory: what is written there is copied first, and stays the writer's."""
    mapped = map_file(file, size, shared=False)
    return platform.map_private(file, size) if mapped is None else mapped.view


def map_file(file: int, size: int, *, shared: bool) -> Mapped | None:
    """Return a map of the file, None where Python has to make one.

    Parameters
    ----------
    file
        Its descriptor, which is not kept.
    size
        How many bytes of it.
    shared
        Whether what is written there is written into the file. Forked children have no such map.
    """
    if not usable() or time.monotonic() < _not_before:
        return None
    slack = LARGE_PAGE if size >= LARGE_PAGE else 0
    try:
        owner = mmap.mmap(-1, size + slack, mmap.MAP_PRIVATE | platform.NO_RESERVE)
    except OSError:
        return None
    start = libc.address_of(owner)
    skip = -start % LARGE_PAGE if slack else 0
    flags = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE | platform.NO_RESERVE
    if not libc.map_over(start + skip, size, flags, file):
        _failed(owner)
        return None
    if shared:
        owner.madvise(mmap.MADV_DONTFORK)
    return Mapped(owner, start + skip, memoryview(owner)[skip : skip + size])


def _failed(owner: mmap.mmap) -> None:
    """Keep the map for ever: a part of it may be unmapped, where other memory may be mapped by now."""
    global _not_before
    libc.keep_for_ever(owner)
    _not_before = time.monotonic() + _BACK_OFF
    _log.debug("Values are mapped as Python does it for %.0f s: a file could not be mapped.", _BACK_OFF)
