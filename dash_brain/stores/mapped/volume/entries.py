"""What lies under a path of a store: the file of an object, or a link that stands for one on disk.

The text of a link is no path: it names a file in a folder for what was spilled, and any other link is
refused. It says all that the store knows of that object, also when it expires, so that it can be counted
without access to the disk. Only the time of the last use is kept in the file, because the kernel changes the
access time of a link at each look.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from typing import NamedTuple

from dash_brain.stores.base import is_over
from dash_brain.stores.mapped.system.platform import NO_ATIME, NO_FOLLOW, NO_WAIT

# No access time: it means what we note in it.
READ = os.O_RDONLY | NO_FOLLOW | NO_ATIME | NO_WAIT

#: How often a name is looked up that is replaced each time.
LOOKS = 20

#: What a link says: a folder, the id of the object, and the bytes that it takes: no disk has more than these
#: digits say, and the sum of what many links say can be counted.
_SPILLED = re.compile("spilled:([0-9a-f]{32})/([0-9a-f]{32}):([0-9]{1,14})")

#: Objects take whole pages.
PAGE = 4096


class SpillLink(NamedTuple):
    """Where an object lies on disk: the folder, and the name of its file, which is the object's id."""

    folder: str
    file: str
    nbytes: int

    def __str__(self) -> str:
        return f"spilled:{self.folder}/{self.file}:{self.nbytes}"


class Entry(NamedTuple):
    """The state of an object, the bytes that it takes, and the link that stands for it if it lies on disk."""

    found: os.stat_result
    nbytes: int
    link: SpillLink | None = None

    def has_expired(self, now: float) -> bool:
        """Say whether the object's time is over."""
        return self.found.st_mtime_ns != 0 and has_expired(self.found, now)

    def is_still(self, other: Entry | None) -> bool:
        """Say whether the other is the same object, unused and unchanged."""
        return other is not None and self._identity() == other._identity()

    def _identity(self) -> tuple[object, ...]:
        found, used = self.found, self.found.st_atime_ns if self.link is None else 0
        return found.st_dev, found.st_ino, found.st_size, used, found.st_mtime_ns, self.link


def open_object(path: str, folder: int) -> int:
    """Open the file of an object to read it.

    It may be replaced, and its file be written anew already under another name, between the moment in which
    the kernel finds it and that in which it opens it. Then opening it fails, and the name is looked up anew.
    """
    for _ in range(LOOKS):
        with contextlib.suppress(BlockingIOError):
            return os.open(path, READ, dir_fd=folder)
    return os.open(path, READ, dir_fd=folder)


def look(path: str, folder: int) -> Entry | None:
    """Return what lies under the path, None for nothing or what is no object."""
    try:
        found = os.stat(path, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return entry_of(path, folder, found)


def entry_of(path: str, folder: int, found: os.stat_result) -> Entry | None:
    """Return what was found under the path, None for what is no object."""
    if stat.S_ISREG(found.st_mode):
        return Entry(found, occupied(found.st_size))
    try:
        link = link_in(path, folder) if stat.S_ISLNK(found.st_mode) else None
    except OSError as error:
        if error.errno != errno.ELOOP:  # which says that it is none of ours
            raise
        return None
    return None if link is None else Entry(found, link.nbytes, link)


def link_in(path: str, folder: int) -> SpillLink | None:
    """Return what a link says, None when a file has taken its place since, or nothing.

    ``OSError`` as for opening a link when it is none of ours.
    """
    try:
        text = os.readlink(path, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise
    said = _SPILLED.fullmatch(text)
    if said is None:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    return SpillLink(said[1], said[2], int(said[3]))


def times(used: float, expires: float | None) -> tuple[int, int]:
    """Return the times of a file, in ns, that say when its object was used and when it expires."""
    return int(used * 1e9), 0 if expires is None else max(1, int(expires * 1e9))


def expiry(found: os.stat_result) -> float | None:
    """Return when the object expires, in seconds since the epoch, or None for never."""
    return found.st_mtime_ns / 1e9 if found.st_mtime_ns else None


def has_expired(found: os.stat_result, now: float) -> bool:
    """Say whether the object's time is over."""
    # A link does not tell when its object was used, nor does a file where the kernel notes each look at it.
    used = 0 if stat.S_ISLNK(found.st_mode) or not NO_ATIME else found.st_atime_ns
    return is_over(found.st_mtime_ns or None, used, int(now * 1e9))


def occupied(size: int) -> int:
    """Return the bytes that a file of this size takes: whole pages.

    Not what the file system says it takes, which may change behind our back: what was counted when an object
    came has to be what is counted when it goes.
    """
    return -(-size // PAGE) * PAGE
