"""One folder on disk for what has no room in shared memory, as this process sees it.

What it holds means nothing without the store, so it is removed once the store is gone: with the machine's
memory at a restart, or by hand.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import files, platform, spill_owner, spill_records
from dash_brain.stores.private import enter_private, open_private


class Opened:
    """The open folder: closed when the last operation that uses it is over, and not before."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def is_there(self) -> bool:
        """Say whether the folder was not removed."""
        return os.fstat(self.descriptor).st_nlink > 0

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.descriptor)  # at exit, modules may be gone before this is


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
        self._name = spill_records.name_of(id)
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
            When this process does not see it.
        StoreUnavailable
            When it may not be trusted, or its disk fails.
        """
        folder = self._open
        if folder is not None and folder.is_there():
            return folder
        with self._opening:
            folder = self._open
            if folder is None or not folder.is_there():
                if folder is not None:
                    self._replace_removed()
                self._open = None
                folder = self._open = self._opened()
            return folder

    def is_reachable(self) -> bool:
        """Say whether we see the folder, so that what is not in it is lost: not so in another container."""
        with contextlib.suppress(FileNotFoundError, StoreUnavailable):
            self.opened()
            return True
        return False

    def is_usable(self) -> bool:
        """Say whether we see the folder and may write there."""
        with contextlib.suppress(FileNotFoundError, StoreUnavailable):
            folder = self.opened()
            return os.access(".", os.W_OK, dir_fd=folder.descriptor)
        return False

    def make(self, place: str) -> None:
        """Make it in a place, and note that; who is killed between leaves a folder that the sweep removes."""
        parent = spill_owner.open_outer(place)
        try:
            self._make_below(parent, place)
            try:
                spill_records.note(self._store, self.id, place)
            except BaseException:
                os.rmdir(self._name, dir_fd=parent)
                raise
        finally:
            os.close(parent)

    def nbytes(self) -> int:
        """Return the bytes that all files in it take."""
        folder = self.opened()
        with os.scandir(folder.descriptor) as found:
            return sum(map(_size_of, found))

    def claim(self) -> None:
        """Say in the folder whose it is and that it is in use, if that can be said."""
        with contextlib.suppress(OSError):  # a full disk can be read; the next sweep says it
            folder = self.opened()
            spill_owner.claim(folder.descriptor, self._shown, spill_owner.mounts())

    def _replace_removed(self) -> None:
        """Make it anew: we had it open, so what was in it is lost to all, and not out of our sight."""
        place = spill_records.place_of(self._store, self.id)
        if place is not None:
            with contextlib.suppress(OSError):  # then it is out of sight now
                parent = spill_owner.open_outer(place)
                try:
                    self._make_below(parent, place)
                finally:
                    os.close(parent)

    def _make_below(self, parent: int, place: str) -> None:
        os.close(open_private(parent, self._name, self._path(place)))

    def _opened(self) -> Opened:
        place = spill_records.place_of(self._store, self.id)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, "nothing was spilled there")
        try:
            folder = self._entered(place)
        except (FileNotFoundError, StoreUnavailable):
            raise
        except (PermissionError, NotADirectoryError) as error:  # a place of that name that is not for us
            raise FileNotFoundError(errno.ENOENT, "the place is out of reach", place) from error
        except OSError as error:
            if platform.is_shortage(error):
                raise
            raise StoreUnavailable(
                f"The folder {place}, where values were spilled to, cannot be opened ({error.strerror})."
            ) from error
        with contextlib.suppress(OSError):
            spill_owner.claim(folder.descriptor, self._shown, spill_owner.mounts())
        return folder

    def _entered(self, place: str) -> Opened:
        parent = spill_owner.enter_outer(place)
        try:
            return Opened(enter_private(parent, self._name, self._path(place)))
        finally:
            os.close(parent)

    def _path(self, place: str) -> str:
        return os.path.join(spill_owner.outer(place), self._name)


def _size_of(file: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
        return files.occupied(file.stat(follow_symlinks=False).st_size)
    return 0
