"""The files on disk for what has no room in shared memory.

Their folder is made when it is needed first, in ``/var/tmp`` or the temp folder, whichever is a real disk; a
file in the store tells all who open the store where it is. Who sees another disk under that name spills to a
folder of his own there, and misses only what others spilled out of his sight.
"""

from __future__ import annotations

import contextlib
import os

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import platform, publishing, spill_owner, spill_places, spill_records
from dash_brain.stores.base import new_object_id
from dash_brain.stores.entries import READ
from dash_brain.stores.spill_folder import SpillFolder
from dash_brain.stores.spill_owner import NAME


class Spill:
    """The spilled files of one open store; each is known as ``<folder>/<name>``.

    Parameters
    ----------
    store
        The folder of the store, with its locks.
    shown
        Its path.
    """

    #: Whether anything may be spilled; a store that lies on disk itself has no use for it.
    allowed = False

    def __init__(self, store: publishing.Folder, shown: str) -> None:
        self._store = store.descriptor
        self._shown = shown
        self._folders: dict[str, SpillFolder] = {}
        self._own: SpillFolder | None = None

    def open(self, file: str) -> int:
        """Return a descriptor of a file.

        Raises
        ------
        FileNotFoundError
            When it is not there, or out of sight.
        StoreUnavailable
            When the folder may not be trusted, or its disk fails.
        """
        folder, name = self._split(file)
        opened = folder.opened()
        return os.open(name, READ, dir_fd=opened.descriptor)

    def look(self, file: str) -> os.stat_result | None:
        """Return the state of a file, None when it is not there or out of reach."""
        folder, name = self._split(file)
        try:
            opened = folder.opened()
            return os.stat(name, dir_fd=opened.descriptor, follow_symlinks=False)
        except (FileNotFoundError, StoreUnavailable):
            return None

    def remove(self, file: str) -> None:
        """Remove a file, if it is there and in reach."""
        folder, name = self._split(file)
        with contextlib.suppress(OSError):
            opened = folder.opened()
            os.unlink(name, dir_fd=opened.descriptor)

    def files(self) -> set[str]:
        """Return all files that we see."""
        found: set[str] = set()
        for folder in self._recorded():
            with contextlib.suppress(FileNotFoundError, StoreUnavailable):
                opened = folder.opened()
                names = filter(NAME.fullmatch, os.listdir(opened.descriptor))
                found.update(f"{folder.id}/{name}" for name in names)
        return found

    def is_reachable(self, file: str) -> bool:
        """Say whether we would see a file, so that it is lost if we do not: not so in another container."""
        folder, _ = self._split(file)
        return folder.is_reachable()

    def is_ready(self) -> bool:
        """Say whether there is a folder to spill to, whoever made it."""
        own = self._own
        if own is not None and own.is_usable():
            return True
        found = next(filter(SpillFolder.is_usable, self._recorded()), None)
        if found is not None:  # another thread may have made one meanwhile
            self._own = found
        return found is not None

    def make_ready(self) -> None:
        """Make a folder to spill to, in the best place that takes one."""
        for place in spill_places.disks():
            folder = SpillFolder(self._store, self._shown, new_object_id())
            try:
                folder.make(place)
            except OSError as error:
                spill_places.warn_once(place, error)
            else:
                self._own = self._folders[folder.id] = folder
                return

    def new_file(self) -> str | None:
        """Return the name of a new file, None when there is no folder to spill to."""
        own = self._own
        return None if own is None else f"{own.id}/{new_object_id()}"

    def has_room(self, nbytes: int, spilled: int) -> bool:
        """Say whether so many bytes more leave free what half of our disk's free space was before.

        Of what the store ``spilled``, only what lies on our disk counts.
        """
        own = self._own
        if own is None:
            return False
        opened = own.opened()
        found = os.statvfs(opened.descriptor)
        free = found.f_bavail * found.f_frsize
        if _is_within_half(free, spilled, nbytes):
            return True
        return len(self._recorded()) > 1 and _is_within_half(free, own.nbytes(), nbytes)

    def is_on_our_disk(self, file: str) -> bool:
        """Say whether a file lies where we spill to."""
        own = self._own
        return own is not None and file.partition("/")[0] == own.id

    def make(self, file: str) -> int:
        """Return a descriptor of a new file."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | platform.NO_FOLLOW
        folder, name = self._split(file)
        opened = folder.opened()
        return os.open(name, flags, 0o600, dir_fd=opened.descriptor)

    def tidy(self) -> None:
        """Say that our folders are in use, and remove the folders of stores that are gone."""
        if not self.allowed:
            return
        recorded = self._recorded()
        for folder in recorded:
            folder.claim()
        own = {folder.id for folder in recorded}
        spill_owner.remove_abandoned(spill_places.places(), own, spill_owner.mounts())

    def _split(self, file: str) -> tuple[SpillFolder, str]:
        folder, _, name = file.partition("/")
        return self._folder(folder), name

    def _folder(self, id: str) -> SpillFolder:
        known = self._folders.get(id)
        if known is None:
            known = self._folders.setdefault(id, SpillFolder(self._store, self._shown, id))
        return known

    def _recorded(self) -> list[SpillFolder]:
        return [self._folder(id) for id in spill_records.recorded(self._store)]


def _is_within_half(free: int, spilled: int, nbytes: int) -> bool:
    return spilled + nbytes <= (free + spilled) // 2
