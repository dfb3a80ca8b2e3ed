"""The files of large objects in shared memory: in pages of 2 MB if the kernel has any, through a map.

A map is written to only when the file has all its pages: then no signal can come of it, for nobody else can
take them away from a file that has no name, or a name of ours.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from functools import cached_property

from dash_brain.stores.base import Frame
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.volume import aligned_map
from dash_brain.stores.mapped.volume.aligned_map import LARGE_PAGE, Mapped, map_file

_log = logging.getLogger("dash_brain")

#: Bytes from which on a file is large.
LARGE = 4 << 20
#: Seconds without another request for large pages after the kernel refused them.
_BACK_OFF = 10.0
#: When finding large pages took long, it backs off for so many times as long: at most a twentieth of the
#: time is spent on it.
_TIMES_AS_LONG = 20
#: Processor seconds per byte: finding large pages is slow when it takes longer than writing into small ones.
_SLOW = 1e-9
#: Smaller pieces are not worth the calls that copying without the interpreter's lock takes.
_BIG_PIECE = 1 << 20
#: An object of more pieces is written without a map.
_MOST_PIECES = 1024


class LargeFiles:
    """Writes the large files of one open store.

    Parameters
    ----------
    folder
        Descriptor of its folder.
    plain
        Whether large pages are not wanted.
    """

    def __init__(self, folder: int, *, plain: bool) -> None:
        self._folder = folder
        self._plain = plain
        self._not_before = 0.0

    @cached_property
    def usable(self) -> bool:
        """Whether files can be written through a map here."""
        device = os.fstat(self._folder).st_dev
        return not self._plain and aligned_map.usable() and platform.is_memory(device, {"tmpfs"})

    def write(self, file: int, pieces: Sequence[Frame], size: int, had: int) -> bool:
        """Write an object and say True, or say False when that cannot be done in this way.

        Parameters
        ----------
        file
            Descriptor of the file, which nobody else reads or writes.
        pieces
            The bytes of the object.
        size
            How many these are.
        had
            How many bytes of the file have pages.
        """
        if not self.usable or len(pieces) > _MOST_PIECES:
            return False
        mapped = map_file(file, size, shared=True)
        if mapped is None:
            return False
        try:
            if size != had:
                os.ftruncate(file, size)
            if not self._found_pages(file, mapped, size, had):
                return False
            os.posix_fallocate(file, 0, size)  # what is missing: full file systems say so here
            _copy(mapped, pieces)
        finally:
            mapped.close()
        return True

    def _found_pages(self, file: int, mapped: Mapped, size: int, had: int) -> bool:
        """Give the file large pages, and say whether the kernel gave them; a spare may have some already."""
        if time.monotonic() < self._not_before:
            return False
        start, end = time.thread_time(), size // LARGE_PAGE * LARGE_PAGE
        for offset in range(had // LARGE_PAGE * LARGE_PAGE, end, LARGE_PAGE):
            os.pwrite(file, b"\0", offset)  # where there is no page at all none is made
        try:
            aligned_map.collapse(mapped, 0, end)
        except OSError as error:
            self._back_off(_BACK_OFF, error.strerror)
            return False
        took = time.thread_time() - start
        if took > end * _SLOW:
            self._back_off(_TIMES_AS_LONG * took, "they took long to find")
        return True

    def _back_off(self, seconds: float, why: str | None) -> None:
        self._not_before = time.monotonic() + seconds
        _log.debug("Values are written into small pages for %.1f s, without large ones: %s.", seconds, why)


def _copy(mapped: Mapped, pieces: Sequence[Frame]) -> None:
    at = 0
    for piece in pieces:
        end = at + len(piece)
        if len(piece) < _BIG_PIECE:
            mapped.view[at:end] = piece
        else:
            aligned_map.copy(mapped, at, piece)
        at = end
