"""The folder on disk for what has no room in shared memory.

It is made when it is needed first, in ``/var/tmp`` or the temp folder, whichever is a real disk; a file in
the store tells all who open the store where it is. What it holds means nothing without the store, so it is
removed once the store is gone: with the machine's memory at a restart, or by hand.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import tempfile
import threading
from typing import Any

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import platform, publishing, spill_owner
from dash_brain.stores.entries import READ
from dash_brain.stores.private import open_private
from dash_brain.stores.spill_owner import NAME, RECORD

_log = logging.getLogger("dash_brain")

_FIELDS = {"folder", "id", "mounts"}

#: What this process has warned of.
_warned: set[str] = set()


def places() -> list[str]:
    """Return where a folder may be made, the best place first."""
    return ["/var/tmp", tempfile.gettempdir()]


class Opened:
    """The open folder: closed when the last operation that uses it is over, and not before."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def is_there(self) -> bool:
        """Say whether the folder was not removed."""
        return os.fstat(self.descriptor).st_nlink > 0

    def __del__(self) -> None:
        os.close(self.descriptor)


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
        self._folder: Opened | None = None
        self._opening = threading.RLock()

    def open(self, name: str) -> int:
        """Return a descriptor of a file.

        Raises
        ------
        FileNotFoundError
            When it is not there.
        StoreUnavailable
            When the folder may not be trusted.
        """
        folder = self._living()
        return os.open(name, READ, dir_fd=folder.descriptor)

    def look(self, name: str) -> os.stat_result | None:
        """Return the state of a file, None when it is not there or out of reach."""
        try:
            folder = self._living()
            return os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
        except (FileNotFoundError, StoreUnavailable):
            return None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            folder = self._living()
            os.unlink(name, dir_fd=folder.descriptor)

    def names(self) -> set[str]:
        """Return the names of all files."""
        with contextlib.suppress(FileNotFoundError, StoreUnavailable):
            folder = self._living()
            return set(filter(NAME.fullmatch, os.listdir(folder.descriptor)))
        return set()

    def is_used(self) -> bool:
        """Say whether anything was ever spilled."""
        return self._record() is not None

    def is_reachable(self) -> bool:
        """Say whether we see the folder, so that what is not in it is lost: not so in another container."""
        with contextlib.suppress(OSError):
            self._living()
            return True
        return False

    def prepare(self, store: publishing.Folder) -> bool:
        """Make the folder ready for a new file, and say whether there is one."""
        if not self.allowed:
            return False
        if self._record() is None:
            place = next(filter(_is_ours, filter(_is_disk, places())), None)
            if place is None:
                return False
            record = {"folder": place, "id": os.urandom(16).hex(), "mounts": mounts()}
            publishing.create_once(store, RECORD, json.dumps(record).encode())
        try:
            self._living()
        except OSError as error:  # not to be trusted, or another container's
            _warn_once(error)
            return False
        return True

    def has_room(self, nbytes: int, spilled: int) -> bool:
        """Say whether so many bytes more leave free what half of the disk's free space was before."""
        folder = self._living()
        found = os.statvfs(folder.descriptor)
        free = found.f_bavail * found.f_frsize
        return spilled + nbytes <= (free + spilled) // 2

    def make(self, name: str) -> int:
        """Return a descriptor of a new file."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | platform.NO_FOLLOW
        folder = self._living()
        return os.open(name, flags, 0o600, dir_fd=folder.descriptor)

    def tidy(self) -> None:
        """Say that our folder is in use, and remove the folders of stores that are gone."""
        if not self.allowed:
            return
        record = self._record()
        if record is not None:
            with contextlib.suppress(OSError):
                folder = self._living()
                spill_owner.claim(folder.descriptor, self._shown, mounts())
        spill_owner.remove_abandoned(places(), None if record is None else record["id"], mounts())

    def _living(self) -> Opened:
        """Return the folder, which may have been removed and made anew.

        Keep the result in a variable while its descriptor is used: it is closed with the last one.
        """
        folder = self._folder
        if folder is not None and folder.is_there():
            return folder
        with self._opening:
            folder = self._folder
            if folder is None or not folder.is_there():
                self._folder = None
                folder = self._folder = self._opened()
            return folder

    def _opened(self) -> Opened:
        record = self._record()
        if record is None:
            raise FileNotFoundError(errno.ENOENT, "nothing was spilled")
        name = f"spill-{record['id']}"
        parent = spill_owner.open_outer(record["folder"])
        try:
            if record["mounts"] != mounts():
                _needs(name, parent, record["folder"])
            folder = Opened(open_private(parent, name, os.path.join(record["folder"], name)))
        finally:
            os.close(parent)
        with contextlib.suppress(OSError):  # a full disk can be read; the next sweep says it
            spill_owner.claim(folder.descriptor, self._shown, mounts())
        return folder

    def _record(self) -> dict[str, Any] | None:
        try:
            file = os.open(RECORD, READ, dir_fd=self._store)
        except OSError:
            return None
        try:
            record = json.loads(os.read(file, 4096))
            return record if isinstance(record, dict) and record.keys() == _FIELDS else None
        except ValueError:
            return None  # damaged: as if nothing had been spilled
        finally:
            os.close(file)


def _needs(name: str, parent: int, place: str) -> None:
    """Look whether a folder that another container made is there, or out of reach."""
    try:
        os.stat(name, dir_fd=parent)
    except FileNotFoundError as error:
        why = f"the store's folder lies in another {place} (another container, or PrivateTmp=)"
        raise FileNotFoundError(errno.ENOENT, why) from error


def _is_disk(folder: str) -> bool:
    try:
        return os.access(folder, os.W_OK | os.X_OK) and not platform.is_memory(os.stat(folder).st_dev)
    except OSError:
        return False


def _is_ours(place: str) -> bool:
    """Say whether our folder can be had there; in a place for all, anybody may have planted one."""
    try:
        os.close(spill_owner.open_outer(place))
    except StoreUnavailable as error:
        _warn_once(error)
        return False
    except OSError:
        return False
    return True


def _warn_once(error: OSError) -> None:
    if str(error) not in _warned:
        _warned.add(str(error))
        _log.warning("No value can be spilled to disk there: %s", error)


def mounts() -> str:
    """Return what tells this container's view of the disks from another's."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/mnt")
    return ""
