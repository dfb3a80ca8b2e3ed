"""What lies under a path of a store: the file of an object, or a link that says where on disk it lies.

Such a link is no path. Its text names a file in the folder for what was spilled; any other link is refused.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import NamedTuple, Protocol

from dash_brain.stores import files
from dash_brain.stores.platform import NO_ATIME, NO_FOLLOW

# Not blocking: a planted pipe would keep us waiting. No access time: it means what we note in it.
READ = os.O_RDONLY | NO_FOLLOW | NO_ATIME | getattr(os, "O_NONBLOCK", 0)

#: What a link says: a folder, a file in it, and the bytes that it takes: no disk has more than
#: these digits say, and the sum of what many links say can be counted.
_SPILLED = re.compile("spilled:([0-9a-f]{32}/[0-9a-f]{32}):([0-9]{1,14})")
#: How often an entry is looked at anew that is replaced again and again.
_LOOKS = 20


class Spilled(Protocol):
    """The files on disk."""

    def open(self, file: str) -> int:
        """Return a descriptor of a file; FileNotFoundError when it is not there."""

    def look(self, file: str) -> os.stat_result | None:
        """Return the state of a file, None when it is not there or out of reach."""

    def is_reachable(self, file: str) -> bool:
        """Say whether the file is lost when it is not there."""


class Link(NamedTuple):
    """What a link says of a spilled file: its name, and the bytes that it takes, for who does not see it."""

    file: str
    nbytes: int


class Entry(NamedTuple):
    """The file of an object; ``link`` is what leads to it if it lies on disk.

    ``lost``: it should lie on disk, and does not; then ``found`` is the link. ``away``: it may do so in a
    folder that is out of reach, in another container.
    """

    found: os.stat_result
    link: Link | None = None
    lost: bool = False
    away: bool = False

    @property
    def spilled(self) -> str:
        """The file on disk, nothing if it does not lie there."""
        return "" if self.link is None else self.link.file

    @property
    def nbytes(self) -> int:
        """The bytes that it takes, wherever it lies."""
        return files.occupied(self.found.st_size) if self.link is None else self.link.nbytes

    def is_over(self, now: float) -> bool:
        """Say whether the object has expired, or cannot be had."""
        return self.lost or files.has_expired(self.found, now)

    def may_go(self, now: float) -> bool:
        """Say whether nobody can have the object any more, in another container neither."""
        return (self.lost and not self.away) or files.has_expired(self.found, now)

    def is_still(self, other: Entry | None) -> bool:
        """Say whether the other is the same object, unused and unchanged."""
        return other is not None and _identity(self) == _identity(other)


def _identity(entry: Entry) -> tuple[object, ...]:
    found = entry.found
    times = found.st_atime_ns, found.st_mtime_ns
    return entry.spilled, entry.lost, found.st_dev, found.st_ino, found.st_size, times


def link_to(file: str, nbytes: int) -> str:
    """Return the text of a link to a spilled file."""
    return f"spilled:{file}:{nbytes}"


def look(path: str, folder: int, spilled: Spilled) -> Entry | None:
    """Return what lies under the path, None for nothing or what is no object."""
    try:
        found = os.stat(path, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        return _look_at_spilled(path, folder, spilled, found)
    return Entry(found) if stat.S_ISREG(found.st_mode) else None


def _look_at_spilled(path: str, folder: int, spilled: Spilled, link: os.stat_result) -> Entry | None:
    try:
        said = _link_in(path, folder)
    except OSError as error:
        if error.errno != errno.ELOOP:  # which says that it is none of ours
            raise
        return None
    if said is None:
        return None
    found = spilled.look(said.file)
    if found is None:
        return Entry(link, said, lost=True, away=not spilled.is_reachable(said.file))
    return Entry(found, said)


def open_object(path: str, folder: int, spilled: Spilled) -> int:
    """Return a descriptor of the file of the object under a path.

    Raises
    ------
    FileNotFoundError
        When there is none.
    """
    for _ in range(_LOOKS):
        try:
            return os.open(path, READ, dir_fd=folder)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        link = _link_in(path, folder)
        if link is None:
            continue
        try:
            return spilled.open(link.file)
        except FileNotFoundError:
            if _link_in(path, folder) == link:
                raise
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _link_in(path: str, folder: int) -> Link | None:
    """Return what a link says, None when a file has taken its place since, or nothing.

    Raises
    ------
    OSError
        As for opening a link, when it is none of ours.
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
    return Link(said[1], int(said[2]))
