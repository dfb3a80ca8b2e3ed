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

_PREFIX = "spilled:"
_SPILLED = re.compile(_PREFIX + "[0-9a-f]{32}")
#: How often an entry is looked at anew that is replaced again and again.
_LOOKS = 20


class Spilled(Protocol):
    """The files on disk."""

    def open(self, name: str) -> int:
        """Return a descriptor of a file; FileNotFoundError when it is not there."""

    def look(self, name: str) -> os.stat_result | None:
        """Return the state of a file, None when it is not there or out of reach."""

    def is_reachable(self) -> bool:
        """Say whether what is not there is lost."""


class Entry(NamedTuple):
    """The file of an object; ``spilled`` is its name on disk if it lies there.

    ``lost``: it should lie on disk, and does not; then ``found`` is the link. ``away``: it may do so in a
    folder that is out of reach, in another container.
    """

    found: os.stat_result
    spilled: str = ""
    lost: bool = False
    away: bool = False

    @property
    def nbytes(self) -> int:
        """The bytes that it takes."""
        return 0 if self.lost else files.occupied(self.found.st_size)

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


def link_to(name: str) -> str:
    """Return the text of a link to a spilled file."""
    return _PREFIX + name


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
    name = _name_in(path, folder)
    if name is None:
        return None
    found = spilled.look(name)
    if found is None:
        return Entry(link, name, lost=True, away=not spilled.is_reachable())
    return Entry(found, name)


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
        name = _spilled_name(path, folder)
        if name is None:
            continue
        try:
            return spilled.open(name)
        except FileNotFoundError:
            if _spilled_name(path, folder) == name:
                raise
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _name_in(path: str, folder: int) -> str | None:
    """Return the file that a link of ours names, None for anything else."""
    try:
        text = os.readlink(path, dir_fd=folder)
    except OSError:
        return None
    return text[len(_PREFIX) :] if _SPILLED.fullmatch(text) else None


def _spilled_name(path: str, folder: int) -> str | None:
    """Return the file that a link names, None when a file has taken its place since, or nothing.

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
    if not _SPILLED.fullmatch(text):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    return text[len(_PREFIX) :]
