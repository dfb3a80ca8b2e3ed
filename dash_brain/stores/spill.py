"""The folder on disk for what has no room in shared memory.

It is made when it is needed first, in ``/var/tmp`` or the temp folder, whichever is a real disk; a file in
the store tells all who open the store where it is. What it holds means nothing without the store, so it is
removed once the store is gone: with the machine's memory at a restart, or by hand.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import tempfile
import time
from typing import Any

from dash_brain.stores import platform, publishing
from dash_brain.stores.entries import READ
from dash_brain.stores.private import open_private

_FOLDER = os.O_RDONLY | platform.FOLDER
_NAME = re.compile("[0-9a-f]{32}")
_RECORD = "spill"
_FIELDS = {"folder", "id", "mounts"}
_OWNER = "owner"
#: Seconds after which a folder whose maker died before it said what it is for may go.
_ABANDONED = 3600.0


def places() -> list[str]:
    """Return where a folder may be made, the best place first."""
    return ["/var/tmp", tempfile.gettempdir()]


class Spill:
    """The spilled files of one open store.

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
        self._folder: int | None = None

    def open(self, name: str) -> int:
        """Return a descriptor of a file; FileNotFoundError when it is not there."""
        return os.open(name, READ, dir_fd=self._living())

    def look(self, name: str) -> os.stat_result | None:
        """Return the state of a file, None when it is not there."""
        try:
            return os.stat(name, dir_fd=self._living(), follow_symlinks=False)
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._living())

    def names(self) -> set[str]:
        """Return the names of all files."""
        with contextlib.suppress(FileNotFoundError):
            return set(filter(_NAME.fullmatch, os.listdir(self._living())))
        return set()

    def is_used(self) -> bool:
        """Say whether anything was ever spilled."""
        return self._record() is not None

    def is_reachable(self) -> bool:
        """Say whether we see the folder, so that what is not in it is lost: not so in another container."""
        with contextlib.suppress(OSError):
            return self._living() is not None
        return False

    def prepare(self, store: publishing.Folder) -> bool:
        """Make the folder ready for a new file, and say whether there is one."""
        if not self.allowed:
            return False
        if self._record() is None:
            place = next(filter(_is_disk, places()), None)
            if place is None:
                return False
            record = {"folder": place, "id": os.urandom(16).hex(), "mounts": _mounts()}
            publishing.create_once(store, _RECORD, json.dumps(record).encode())
        return self.is_reachable()

    def has_room(self, nbytes: int, spilled: int) -> bool:
        """Say whether so many bytes more leave free what half of the disk's free space was before."""
        found = os.statvfs(self._living())
        free = found.f_bavail * found.f_frsize
        return spilled + nbytes <= (free + spilled) // 2

    def make(self, name: str) -> int:
        """Return a descriptor of a new file."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | platform.NO_FOLLOW
        return os.open(name, flags, 0o600, dir_fd=self._living())

    def _living(self) -> int:
        """Return a descriptor of the folder, which may have been removed and made anew."""
        if self._folder is not None and os.fstat(self._folder).st_nlink:
            return self._folder
        self.__del__()
        record = self._record()
        if record is None:
            raise FileNotFoundError(errno.ENOENT, "nothing was spilled")
        self._folder = self._opened(record)
        return self._folder

    def _opened(self, record: dict[str, Any]) -> int:
        name = f"spill-{record['id']}"
        parent = open_outer(record["folder"])
        try:
            if record["mounts"] != _mounts():
                os.stat(name, dir_fd=parent)  # made by another container: there, or out of reach
            folder = open_private(parent, name, os.path.join(record["folder"], name))
        finally:
            os.close(parent)
        with contextlib.suppress(FileExistsError):
            owner = os.open(_OWNER, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600, dir_fd=folder)
            said = {"boot": _boot(), "store": self._shown, "mounts": _mounts()}
            os.write(owner, json.dumps(said).encode())
            os.close(owner)
        return folder

    def _record(self) -> dict[str, Any] | None:
        try:
            file = os.open(_RECORD, READ, dir_fd=self._store)
        except OSError:
            return None
        try:
            record = json.loads(os.read(file, 4096))
            return record if isinstance(record, dict) and record.keys() == _FIELDS else None
        except ValueError:
            return None  # damaged: as if nothing had been spilled
        finally:
            os.close(file)

    def __del__(self) -> None:
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None


def open_outer(place: str) -> int:
    """Return a descriptor of our private folder in a place that may be anyone's."""
    outer = f"dash_brain-{os.geteuid()}"
    parent = os.open(place, _FOLDER)
    try:
        return open_private(parent, outer, os.path.join(place, outer))
    finally:
        os.close(parent)


def remove_abandoned() -> None:
    """Remove the folders of stores that are gone."""
    for place in places():
        if os.path.isdir(os.path.join(place, f"dash_brain-{os.geteuid()}")):
            with contextlib.suppress(OSError):
                _remove_abandoned_in(place)


def _remove_abandoned_in(place: str) -> None:
    parent = open_outer(place)
    try:
        for name in os.listdir(parent):
            if name.startswith("spill-") and _NAME.fullmatch(name[6:]):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(parent, name)
    finally:
        os.close(parent)


def _remove_if_abandoned(parent: int, name: str) -> None:
    folder = os.open(name, _FOLDER | platform.NO_FOLLOW, dir_fd=parent)
    try:
        if _is_abandoned(folder, name[6:]):
            for file in os.listdir(folder):
                os.unlink(file, dir_fd=folder)
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(folder)


def _is_abandoned(folder: int, number: str) -> bool:
    try:
        file = os.open(_OWNER, READ, dir_fd=folder)
    except FileNotFoundError:
        return time.time() - os.fstat(folder).st_mtime > _ABANDONED
    try:
        owner = json.loads(os.read(file, 4096))
    except ValueError:
        return time.time() - os.fstat(folder).st_mtime > _ABANDONED
    finally:
        os.close(file)
    if owner["boot"] != _boot():
        return True
    return owner["mounts"] == _mounts() and not _names(owner["store"], number)


def _names(store: str, number: str) -> bool:
    """Say whether a store says that this is its folder."""
    try:
        with open(os.path.join(store, _RECORD), encoding="utf-8") as record:
            return bool(json.load(record)["id"] == number)
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return False  # gone, or damaged: nobody finds the folder any more


def _is_disk(folder: str) -> bool:
    try:
        return os.access(folder, os.W_OK | os.X_OK) and not platform.is_memory(os.stat(folder).st_dev)
    except OSError:
        return False


def _mounts() -> str:
    """Return what tells this container's view of the disks from another's."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/mnt")
    return ""


def _boot() -> str:
    with (
        contextlib.suppress(OSError),
        open("/proc/sys/kernel/random/boot_id", encoding="ascii") as content,
    ):
        return content.read().strip()
    return ""
