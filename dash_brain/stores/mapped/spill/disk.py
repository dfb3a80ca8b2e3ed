"""The files on disk for what has no room in shared memory.

A folder is made when one is needed first, in ``/var/tmp`` or the temp folder, whichever is a real disk. A
link in the store, ``spill-<id>``, tells all who open the store in which place it lies. Who sees another
disk in that place (a container, a service with ``PrivateTmp=``) has a folder of that name there, and misses
only what others spilled out of his sight. What cannot be read costs that file, and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.base import new_object_id
from dash_brain.stores.mapped.spill import owner, places
from dash_brain.stores.mapped.spill.folder import SpillFolder
from dash_brain.stores.mapped.system.faults import is_shortage
from dash_brain.stores.mapped.system.platform import NO_FOLLOW
from dash_brain.stores.mapped.volume.entries import READ, Link
from dash_brain.stores.mapped.volume.publish import Draft, fill

_RECORD = re.compile("spill-([0-9a-f]{32})")
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | NO_FOLLOW


class Disk:
    """The spilled files of one open store.

    Parameters
    ----------
    store
        Descriptor of its folder.
    shown
        Its path.
    """

    #: Whether anything may be spilled; a store that lies on disk itself has no use for it.
    allowed = False

    def __init__(self, store: int, shown: str) -> None:
        self._store = store
        self._shown = shown
        self._known: dict[str, SpillFolder] = {}

    def open(self, link: Link) -> int:
        """Return a descriptor of a file.

        Raises
        ------
        FileNotFoundError
            When it is not there, or out of sight.
        StoreUnavailable
            When the folder may not be trusted, or its disk fails.
        """
        opened = self._folder(link.folder).opened()
        return os.open(link.file, READ, dir_fd=opened.descriptor)

    def used(self, link: Link) -> float | None:
        """Return when a file was used last, in seconds since the epoch; None when we do not see it."""
        try:
            opened = self._folder(link.folder).opened()
            return os.stat(link.file, dir_fd=opened.descriptor, follow_symlinks=False).st_atime
        except OSError:
            return None

    def has(self, link: Link) -> bool:
        """Say whether we see a file."""
        return self.used(link) is not None

    def remove(self, link: Link) -> None:
        """Remove a file, if it is there and in reach."""
        with contextlib.suppress(OSError):
            opened = self._folder(link.folder).opened()
            os.unlink(link.file, dir_fd=opened.descriptor)

    def files(self) -> set[Link]:
        """Return all files that we see; their links say nothing of their sizes."""
        found: set[Link] = set()
        for folder in self._folders():
            with contextlib.suppress(OSError):
                opened = folder.opened()
                names = filter(owner.NAME.fullmatch, os.listdir(opened.descriptor))
                found.update(Link(folder.id, name, 0) for name in names)
        return found

    def folder_to_write(self) -> SpillFolder | None:
        """Return a folder that takes new files; None when no disk that we know takes one."""
        for folder in self._folders():
            try:
                folder.made()
            except OSError as error:
                if is_shortage(error):
                    raise
            else:
                return folder
        return None

    def make_folder(self) -> SpillFolder | None:
        """Return a new folder that takes new files; None when no disk takes one."""
        for place in places.disks():
            try:
                return self._make(place)
            except OSError as error:
                places.warn_once(place, error)
        return None

    def write(self, folder: SpillFolder, draft: Draft) -> Link:
        """Write an object into a new file, and return the link that stands for it."""
        link = Link(folder.id, draft.object_id, draft.nbytes)
        opened = folder.opened()
        file = os.open(link.file, _NEW, 0o600, dir_fd=opened.descriptor)
        try:
            fill(file, draft)
        except BaseException:
            self.remove(link)
            raise
        finally:
            os.close(file)
        return link

    def tidy(self) -> None:
        """Say that our folders are in use, and remove the folders of stores that are gone."""
        if self.allowed:
            folders = list(self._folders())
            for folder in folders:
                folder.claim()
            owner.remove_abandoned(places.places(), {folder.id for folder in folders}, owner.mounts())

    def _make(self, place: str) -> SpillFolder:
        """Make a folder; its link comes first, so that who is killed leaves nothing that nobody knows."""
        folder = SpillFolder(self._shown, new_object_id(), place)
        record = f"spill-{folder.id}"
        os.symlink(place, record, dir_fd=self._store)
        try:
            folder.made()
        except BaseException:
            os.unlink(record, dir_fd=self._store)
            raise
        self._known[folder.id] = folder
        return folder

    def _folder(self, id: str) -> SpillFolder:
        known = self._known.get(id)
        if known is None:
            try:
                place = os.readlink(f"spill-{id}", dir_fd=self._store)
            except OSError as error:  # a damaged record says nothing
                raise FileNotFoundError(errno.ENOENT, "nothing was spilled there") from error
            if not os.path.isabs(place):
                raise FileNotFoundError(errno.ENOENT, "no folder is named by a record like that")
            known = self._known.setdefault(id, SpillFolder(self._shown, id, place))
        return known

    def _folders(self) -> Iterator[SpillFolder]:
        for found in map(_RECORD.fullmatch, sorted(os.listdir(self._store))):
            if found:
                with contextlib.suppress(FileNotFoundError):
                    yield self._folder(found[1])


def missing_on_disk(folder: SpillFolder, nbytes: int, spilled: int) -> int:
    """Return how many bytes are lacking for so many more, when half of what the disk had free stays free.

    Of what the store ``spilled`` only what lies on our disk counts, which is looked at when it matters.
    """
    opened = folder.opened()
    found = os.statvfs(opened.descriptor)
    free = found.f_bavail * found.f_frsize
    if spilled + nbytes > (free + spilled) // 2:
        with contextlib.suppress(StoreUnavailable, FileNotFoundError):
            spilled = min(spilled, folder.nbytes())
    return spilled + nbytes - (free + spilled) // 2
