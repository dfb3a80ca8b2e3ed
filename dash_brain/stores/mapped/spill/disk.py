"""The files of spilled values.

Each has a link in the store, which alone decides what lies under a name. The files lie in ``/var/tmp`` or in
the temp folder, whichever is a real disk and has room. The store records these roots, and one name for its
folders there. A process that sees another disk at such a root (a container, a service with ``PrivateTmp=``)
makes a folder of its own there: what others spilled out of its sight is a miss for it, and it leaves their
links alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re

from dash_brain.stores.mapped.spill import roots
from dash_brain.stores.mapped.spill.roots import SpillFolder
from dash_brain.stores.mapped.system.platform import NO_FOLLOW
from dash_brain.stores.mapped.volume.entries import READ, SpillLink
from dash_brain.stores.mapped.volume.publish import Draft, fill

_FILE = re.compile("[0-9a-f]{32}")
_NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR | NO_FOLLOW


class Disk:
    """The spilled files of one open store, whose folder has the descriptor ``store``.

    ``allowed``: values may be spilled; not those of a store that lies on disk itself.
    """

    def __init__(self, store: int, *, allowed: bool) -> None:
        self.allowed = allowed
        self._store = store
        self._name, self._found = "", list[SpillFolder]()

    def open(self, link: SpillLink) -> int:
        """Return a descriptor of a file; ``FileNotFoundError`` when it is not there, or out of sight.

        Another ``OSError`` when its folder may not be trusted, or its disk fails.
        """
        folder = self._folder(link).opened()
        return os.open(link.file, READ, dir_fd=folder.number)

    def used(self, link: SpillLink) -> float | None:
        """Return when a file was used last, in seconds since the epoch; None when we do not see it."""
        with contextlib.suppress(OSError):
            folder = self._folder(link).opened()
            return os.stat(link.file, dir_fd=folder.number, follow_symlinks=False).st_atime
        return None

    def has(self, link: SpillLink) -> bool:
        """Say whether we see a file."""
        return self.used(link) is not None

    def remove(self, link: SpillLink) -> None:
        """Remove a file, if it is there and in reach."""
        with contextlib.suppress(OSError):
            folder = self._folder(link).opened()
            os.unlink(link.file, dir_fd=folder.number)

    def files(self) -> set[SpillLink]:
        """Return all files that we see; their links say nothing of their sizes."""
        found: set[SpillLink] = set()
        for folder in self._folders():
            with contextlib.suppress(OSError):
                opened = folder.opened()
                found.update(SpillLink(folder.id, name, 0) for name in os.listdir(opened.number))
        return {link for link in found if _FILE.fullmatch(link.file)}

    def folder_to_write(self) -> SpillFolder | None:
        """Return a folder that takes new files, made if need be; None when no disk takes one."""
        if not self._folders():
            with contextlib.suppress(FileExistsError):  # another process was first; or it is damaged
                os.symlink(roots.new_record(), roots.RECORD, dir_fd=self._store)
        for folder in self._folders():
            try:
                folder.made()
            except FileNotFoundError:
                continue  # it is no disk
            except OSError as error:
                roots.warn_once(folder.root, error)
            else:
                return folder
        return None

    def write(self, folder: SpillFolder, draft: Draft) -> SpillLink:
        """Write an object into a new file, and return the link that stands for it."""
        link = SpillLink(folder.id, draft.object_id, draft.nbytes)
        opened = folder.opened()
        file = os.open(link.file, _NEW, 0o600, dir_fd=opened.number)
        try:
            fill(file, draft)
        except BaseException:
            self.remove(link)
            raise
        finally:
            os.close(file)
        return link

    def tidy(self) -> None:
        """Note that our folders are in use, and remove those of stores that are gone."""
        if self.allowed:
            for folder in self._folders():
                with contextlib.suppress(OSError):
                    opened = folder.opened()
                    os.utime(opened.number)
            roots.remove_lost(self._name)

    def _folder(self, link: SpillLink) -> SpillFolder:
        for folder in self._folders():
            if folder.id == link.folder:
                return folder
        raise FileNotFoundError(errno.ENOENT, "this store has no such folder")

    def _folders(self) -> list[SpillFolder]:
        """Return our folders, the best place first, be they there or not; none before a value was spilled."""
        if not self._found:
            self._name, where = roots.recorded(self._store)
            self._found = [SpillFolder(root, self._name) for root in where]
        return self._found
