"""One folder on disk for what has no room in shared memory, as this process sees it."""

from __future__ import annotations

import contextlib
import errno
import os
from hashlib import blake2b

from dash_brain.stores.mapped.spill import places
from dash_brain.stores.mapped.system.descriptor import Descriptor
from dash_brain.stores.mapped.volume.entries import occupied
from dash_brain.stores.mapped.volume.private import Enter, enter_ours, enter_private, open_private


class SpillFolder:
    """The folder of a store in our private folder below a place; ``id`` is what links call it."""

    def __init__(self, place: str, name: str) -> None:
        self.id = blake2b(place.encode(), key=name.encode(), digest_size=16).hexdigest()
        self.place = place
        self._name = name
        self._open: Descriptor | None = None

    def opened(self, enter: Enter = enter_private) -> Descriptor:
        """Return the folder; ``FileNotFoundError`` when this process does not see it.

        Another ``OSError`` when it may not be trusted, or its disk fails.
        """
        folder = self._open
        if folder is None or os.fstat(folder.number).st_nlink == 0:  # it was removed
            try:
                folder = self._open = Descriptor(enter_ours(self.place, self._name, enter))
            except (PermissionError, NotADirectoryError) as error:  # a place of that name that is not for us
                raise FileNotFoundError(errno.ENOENT, "the place is out of reach", self.place) from error
        return folder

    def made(self) -> Descriptor:
        """Return the folder to write into, made on a disk that has none yet; raises as ``opened`` does."""
        try:
            folder = self.opened()
        except FileNotFoundError:
            if not places.is_disk(self.place):
                raise
            folder = self.opened(open_private)
        if not os.access(".", os.W_OK, dir_fd=folder.number):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return folder

    def missing(self, nbytes: int, spilled: int) -> int:
        """Return how many bytes have to go before so many more fit: half of the disk's free space stays free.

        Of what the store ``spilled``, only what lies here takes room; that is added up where it matters.
        """
        folder = self.opened()
        found = os.statvfs(folder.number)
        free = found.f_bavail * found.f_frsize
        if spilled + nbytes > (free + spilled) // 2:
            with os.scandir(folder.number) as files:
                spilled = min(spilled, sum(map(_size_of, files)))
        return spilled + nbytes - (free + spilled) // 2


def _size_of(file: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
        return occupied(file.stat(follow_symlinks=False).st_size)
    return 0
