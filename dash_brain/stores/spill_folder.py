"""One folder on disk for what has no room in shared memory, as this process sees it.

What it holds means nothing without the store, so it is removed once the store is gone: with the machine's
memory at a restart, or by hand.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import files, spill_owner, spill_records
from dash_brain.stores.private import enter_private, open_private


class Opened:
    """The open folder: closed when the last operation that uses it is over, and not before."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def is_there(self) -> bool:
        """Say whether the folder was not removed."""
        return os.fstat(self.descriptor).st_nlink > 0

    def __del__(self) -> None:
        os.close(self.descriptor)


class SpillFolder:
    """A folder of a store.

    Parameters
    ----------
    store
        Descriptor of the folder of the store.
    shown
        Its path.
    id
        Which folder it is.
    """

    def __init__(self, store: int, shown: str, id: str) -> None:
        self.id = id
        self._store = store
        self._shown = shown
        self._open: Opened | None = None
        self._opening = threading.RLock()

    def opened(self) -> Opened:
        """Return the folder.

        Keep the result in a variable while its descriptor is used: it is closed with the last one.

        Raises
        ------
        FileNotFoundError
            When this process does not see it, or nobody does any more.
        StoreUnavailable
            When it may not be trusted.
        """
        folder = self._open
        if folder is not None and folder.is_there():
            return folder
        with self._opening:
            folder = self._open
            if folder is None or not folder.is_there():
                self._open = None
                folder = self._open = self._opened()
            return folder

    def is_reachable(self) -> bool:
        """Say whether we see the folder, so that what is not in it is lost: not so in another container."""
        with contextlib.suppress(FileNotFoundError, StoreUnavailable):
            self.opened()
            return True
        return False

    def make(self, place: str) -> None:
        """Make it, in its place."""
        parent = spill_owner.open_outer(place)
        try:
            name = spill_records.name_of(self.id)
            os.close(open_private(parent, name, os.path.join(spill_owner.outer(place), name)))
        finally:
            os.close(parent)

    def nbytes(self) -> int:
        """Return the bytes that all files in it take."""
        folder = self.opened()
        with os.scandir(folder.descriptor) as found:
            return sum(files.occupied(file.stat(follow_symlinks=False).st_size) for file in found)

    def claim(self) -> None:
        """Say in the folder whose it is and that it is in use, if that can be said."""
        with contextlib.suppress(OSError):  # a full disk can be read; the next sweep says it
            folder = self.opened()
            spill_owner.claim(folder.descriptor, self._shown, spill_owner.mounts())

    def _opened(self) -> Opened:
        place = spill_records.place_of(self._store, self.id)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, "nothing was spilled there")
        try:
            folder = self._entered(place)
        except (PermissionError, NotADirectoryError) as error:  # a place of that name that is not for us
            raise FileNotFoundError(errno.ENOENT, "the place is out of reach", place) from error
        with contextlib.suppress(OSError):
            spill_owner.claim(folder.descriptor, self._shown, spill_owner.mounts())
        return folder

    def _entered(self, place: str) -> Opened:
        parent = spill_owner.enter_outer(place)
        try:
            name = spill_records.name_of(self.id)
            return Opened(enter_private(parent, name, os.path.join(spill_owner.outer(place), name)))
        finally:
            os.close(parent)
