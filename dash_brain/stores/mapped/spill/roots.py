"""Where on disk values may be spilled to (roots), and the folders of stores there.

Such a folder is of no use without its store, which lies in memory and is gone when the machine restarts. So
its name begins with the id of the boot that it was made in, and a sweep removes folders of other boots.
Containers that share a disk may have different ids: so a folder stays that a sweep of its own store touched
within a day. When a store is removed on purpose, so are its folders.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
from hashlib import blake2b

from dash_brain.common.log import warn_of_store
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.descriptor import Descriptor
from dash_brain.stores.mapped.volume.entries import occupied
from dash_brain.stores.mapped.volume.private import (
    Enter,
    enter_ours,
    enter_private,
    open_private,
    outer_folder,
)

#: The link in a store that says the name and the roots of its folders.
RECORD = "spill"
_NAME = re.compile("spill-[0-9a-f]{32}")
#: Seconds without a sweep of its store after which a folder of another boot is removed.
_UNUSED = 86_400.0


def roots() -> list[str]:
    """Return where a folder may be made, the best root first."""
    found = ["/var/tmp"]
    with contextlib.suppress(FileNotFoundError):  # no temp folder takes a file
        found.append(tempfile.gettempdir())
    return found


def is_disk(folder: str) -> bool:
    """Say whether files can be made in a folder, and it is no memory itself."""
    try:
        return os.access(folder, os.W_OK | os.X_OK) and not platform.is_memory(os.stat(folder).st_dev)
    except OSError:
        return False


def warn_once(root: str, error: OSError) -> None:
    """Say in the log, once per process, why nothing is spilled to a root."""
    warn_of_store((root, error.errno), f"No value can be spilled to disk in {root}: {error}")


def new_record() -> str:
    """Return what a store says of its folders: a name with the boot and 96 random bits, and their roots."""
    return ":".join([f"spill-{boot()}{os.urandom(12).hex()}", *roots()])


def recorded(store: int) -> tuple[str, list[str]]:
    """Return the name of an open store's folders and their roots; empty when nothing was spilled yet."""
    try:
        # The last root is the temp folder, whose path may have a colon.
        name, *where = os.readlink(RECORD, dir_fd=store).split(":", 2)
    except OSError:
        return "", []
    return (name, where) if _NAME.fullmatch(name) else ("", [])


def boot() -> str:
    """Return eight hex digits that tell this boot of the machine from others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as content:
            return content.read(8)
    except OSError:
        return "0" * 8


def remove_lost(own: str) -> None:
    """Remove folders of other boots that are not in use, but none of the ``own`` name."""
    for root in roots():
        outer = outer_folder(root)
        with contextlib.suppress(OSError):
            os.close(enter_ours(root, "."))  # which raises unless nobody else can change it
            for name in filter(_NAME.fullmatch, os.listdir(outer)):
                folder = os.path.join(outer, name)
                lost = name != own and not name.startswith(f"spill-{boot()}")
                if lost and time.time() - os.lstat(folder).st_mtime > _UNUSED:
                    shutil.rmtree(folder, ignore_errors=True)


def remove_folders_of(store: int) -> None:
    """Remove what an open store spilled; call it before the store itself is removed."""
    name, where = recorded(store)
    for root in where:
        shutil.rmtree(os.path.join(outer_folder(root), name), ignore_errors=True)


class SpillFolder:
    """The folder of a store in our private folder below a root; ``id`` is what links call it."""

    def __init__(self, root: str, name: str) -> None:
        self.id = blake2b(root.encode(), key=name.encode(), digest_size=16).hexdigest()
        self.root = root
        self._name = name
        self._open: Descriptor | None = None

    def opened(self, enter: Enter = enter_private) -> Descriptor:
        """Return the folder; ``FileNotFoundError`` when this process does not see it.

        Another ``OSError`` when it may not be trusted, or its disk fails.
        """
        folder = self._open
        if folder is None or os.fstat(folder.number).st_nlink == 0:  # it was removed
            try:
                folder = self._open = Descriptor(enter_ours(self.root, self._name, enter))
            except (PermissionError, NotADirectoryError) as error:  # a root of that name that is not for us
                raise FileNotFoundError(errno.ENOENT, "the root is out of reach", self.root) from error
        return folder

    def made(self) -> Descriptor:
        """Return the folder to write into, made on a disk that has none yet; raises as ``opened`` does."""
        try:
            folder = self.opened()
        except FileNotFoundError:
            if not is_disk(self.root):
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
