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
from dash_brain.stores.mapped.spill import owner
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.faults import is_shortage
from dash_brain.stores.mapped.volume.entries import occupied
from dash_brain.stores.mapped.volume.folder import outer_folder
from dash_brain.stores.mapped.volume.private import enter_private, open_private

_FOLDER = os.O_RDONLY | platform.FOLDER


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
        The path of the store.
    id
        Which folder it is: it is named ``spill-<id>``.
    place
        The folder that it lies in, below our private one.
    """

    def __init__(self, store: str, id: str, place: str) -> None:
        self.id = id
        self.place = place
        self._store = store
        self._open: Opened | None = None
        self._opening = threading.RLock()

    def opened(self, enter: Callable[[int, str, str], int] = enter_private) -> Opened:
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
            self._open = None
            self._open = folder = Opened(self._entered(enter))
        with contextlib.suppress(OSError):  # a full disk can be read; the next sweep says it
            owner.claim(folder.descriptor, self._store)
        return folder

    def made(self) -> Opened:
        """Return the folder, made if this process does not see it; raises as ``opened`` does."""
        folder = self.opened(open_private)
        if not os.access(".", os.W_OK, dir_fd=folder.descriptor):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return folder

    def nbytes(self) -> int:
        """Return the bytes that all files in it take."""
        folder = self.opened()
        with os.scandir(folder.descriptor) as found:
            return sum(map(_size_of, found))

    def claim(self) -> None:
        """Say in the folder whose it is and that it is in use, if that can be said."""
        with contextlib.suppress(OSError):
            folder = self.opened()
            owner.claim(folder.descriptor, self._store)

    def _entered(self, enter: Callable[[int, str, str], int]) -> int:
        outer = outer_folder(self.place)
        try:
            place = os.open(self.place, _FOLDER)
            try:
                parent = enter(place, os.path.basename(outer), outer)
            finally:
                os.close(place)
            try:
                name = f"spill-{self.id}"
                return enter(parent, name, os.path.join(outer, name))
            finally:
                os.close(parent)
        except (FileNotFoundError, StoreUnavailable):
            raise
        except (PermissionError, NotADirectoryError) as error:  # a place of that name that is not for us
            raise FileNotFoundError(errno.ENOENT, "the place is out of reach", self.place) from error
        except OSError as error:
            if is_shortage(error):
                raise
            raise StoreUnavailable(
                f"The folder {self.place}, where values were spilled to, cannot be opened ({error.strerror})."
            ) from error


def _size_of(file: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
        return occupied(file.stat(follow_symlinks=False).st_size)
    return 0
