"""Spares: files of large objects that were replaced or deleted, whose pages a later put reuses.

Writing into pages that a file has already takes a quarter of the time of fresh ones. A spare keeps a name,
because a file without a name cannot be linked again. A writer takes a spare in two steps: it renames it to a
name of its own, which only one writer can do, and takes the write lease of the kernel, which is refused while
anybody still reads the old value.
"""

from __future__ import annotations

import atexit
import os
import re
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import NamedTuple

from dash_brain.common.forks import reset_in_children
from dash_brain.stores.mapped.system.locks import LockTable, lock_number
from dash_brain.stores.mapped.system.platform import FOLDER, NO_FOLLOW, NO_WAIT, make_folder, remove
from dash_brain.stores.mapped.volume import file_leases
from dash_brain.stores.mapped.volume.entries import Entry
from dash_brain.stores.mapped.volume.large import LARGE, LargeFiles

#: The folder of the files.
HIDDEN = ".spares"
#: Seconds after which an unused spare is removed.
LIFE = 10.0
#: Spares take at most this part of the budget: an eighth.
SHARE = 8
#: Spares that a put tries to take, since somebody may still read one.
_TRIES = 4

# The name of a spare: its bytes, when it was kept (ns), and a random part.
_NAME = re.compile("([0-9a-f]+)-([0-9a-f]+)-[0-9a-f]+")
_LINK = partial(os.link, follow_symlinks=False)
_WRITE = os.O_RDWR | NO_FOLLOW | NO_WAIT


class _Listed(NamedTuple):
    kept: float
    nbytes: int
    name: str


class Spare(NamedTuple):
    """A spare that one writer has taken: its descriptor, its name, which nobody else uses, and its bytes."""

    file: int
    name: str
    had: int


class Spares:
    """The spares of one open store.

    Parameters
    ----------
    root
        Descriptor of its folder.
    locks
        The locks of the store.
    large
        How large files are written there.
    owner
        Keeps the descriptor open as long as it lives.
    """

    def __init__(self, root: int, locks: LockTable, large: LargeFiles, owner: weakref.ref[object]) -> None:
        self.large = large
        #: Bytes that spares may take.
        self.most = 0
        self._root = root
        self._locks = locks
        self._owner = owner
        self._guard = threading.Lock()
        self._expiring = False
        self._kept_by = 0
        reset_in_children(self)

    @cached_property
    def _trusted(self) -> bool:
        return self.large.usable and file_leases.are_reliable(self._root)

    def leave_room(self, free: int, budget: int) -> None:
        """Bound the spares to an eighth of the budget, and to what is free of it."""
        self.most = max(min(free, budget // SHARE), 0)
        if free < budget // SHARE:
            self.trim(self.most)

    def keep(self, path: str, entry: Entry, *, remove: bool = False) -> bool:
        """Make a spare of the file under a path, whose lock is held, if it can be one; say whether it was.

        With ``remove`` the file loses its name; otherwise the caller replaces that name. So objects and
        spares together take no more bytes than before. While another process makes one, nothing is done.
        """
        if entry.link is not None or not LARGE <= entry.nbytes <= self.most or entry.found.st_nlink != 1:
            return False
        with self._locks.hold_if_free(lock_number(HIDDEN)) as held:
            if not held or not self._trusted:
                return False
            if sum(one.nbytes for one in self._listed()) + entry.nbytes > self.most:
                return False
            if not self._name(path, entry.nbytes, os.rename if remove else _LINK):
                return False
        self._kept_by = os.getpid()
        _keepers.add(self)
        self._expire_later()
        return True

    def _name(self, path: str, nbytes: int, give: Callable[..., None]) -> bool:
        """Give a file the name of a spare: in place of its own, or as a second one."""
        name = f"{HIDDEN}/{nbytes:x}-{time.monotonic_ns():x}-{os.urandom(4).hex()}"
        with suppress(OSError):
            make_folder(HIDDEN, self._root)
            give(path, name, src_dir_fd=self._root, dst_dir_fd=self._root)
            return True
        return False

    @contextmanager
    def taken(self, nbytes: int) -> Iterator[Spare | None]:
        """Take a spare to write so many bytes into, None when none fits.

        Unless the block renames the file, it is removed afterwards.
        """
        names = self._fitting(nbytes) if self.most else []
        if not names:
            yield None
            return
        number = int.from_bytes(os.urandom(8), "little") >> 2
        hidden = f"{HIDDEN}/.{number:016x}"
        with self._locks.hold(number):  # a sweep removes what a killed writer left
            spare = self._open_one(names, hidden)
            try:
                yield spare
            finally:
                with suppress(OSError):  # else a sweep removes it
                    remove(hidden, self._root)
                if spare is not None:
                    os.close(spare.file)

    def trim(self, most: int = 0) -> int:
        """Remove the oldest until at most so many bytes are left; return how many bytes were removed."""
        listed = sorted(self._listed())
        excess, gone = sum(one.nbytes for one in listed) - most, 0
        for one in listed:
            if gone < excess:
                gone += self._remove(one) * one.nbytes
        return gone

    def expire(self) -> float:
        """Remove those older than ``LIFE``; return in how many seconds the youngest will be, 0 for none."""
        now, youngest = time.monotonic(), 0.0
        for one in self._listed():
            left = LIFE - (now - one.kept)
            if 0 < left <= LIFE:
                youngest = max(youngest, left)
            else:
                self._remove(one)
        return youngest

    def release(self) -> None:
        """Remove all if this process made any: there may be no other process that would."""
        if self._kept_by == os.getpid():
            self._kept_by = 0
            self.trim()

    def reset_after_fork(self) -> None:
        """Begin anew in a child, in which no thread of the parent runs."""
        self._guard, self._expiring = threading.Lock(), False

    def _fitting(self, nbytes: int) -> list[str]:
        """Return the names of spares of about this size, the best fit first."""
        fitting = [one for one in self._listed() if nbytes // 2 <= one.nbytes <= 2 * nbytes]
        return [one.name for one in sorted(fitting, key=lambda one: abs(one.nbytes - nbytes))[:_TRIES]]

    def _open_one(self, names: list[str], hidden: str) -> Spare | None:
        """Take the first that nobody reads any more."""
        for name in names:
            path = f"{HIDDEN}/{name}"
            with suppress(OSError):  # another writer took it
                os.rename(path, hidden, src_dir_fd=self._root, dst_dir_fd=self._root)
                spare = self._open_alone(hidden)
                if spare is not None:
                    return spare
                os.rename(hidden, path, src_dir_fd=self._root, dst_dir_fd=self._root)
        return None

    def _open_alone(self, hidden: str) -> Spare | None:
        """Open a file unless somebody else has it open or mapped, or it has another name."""
        found = os.stat(hidden, dir_fd=self._root, follow_symlinks=False)
        if found.st_nlink != 1 or not stat.S_ISREG(found.st_mode):
            return None
        os.chmod(hidden, 0o600, dir_fd=self._root)
        file = os.open(hidden, _WRITE, dir_fd=self._root)
        if file_leases.take(file):
            return Spare(file, hidden, found.st_size)
        os.close(file)
        return None

    def _listed(self) -> list[_Listed]:
        """Return the spares; none where their folder cannot be read."""
        with suppress(OSError):
            folder = os.open(HIDDEN, os.O_RDONLY | FOLDER | NO_FOLLOW, dir_fd=self._root)
            try:
                found = filter(None, map(_NAME.fullmatch, os.listdir(folder)))
                return [_Listed(int(one[2], 16) / 1e9, int(one[1], 16), one[0]) for one in found]
            finally:
                os.close(folder)
        return []

    def _remove(self, one: _Listed) -> bool:
        with suppress(OSError):
            return remove(f"{HIDDEN}/{one.name}", self._root)
        return False

    def _expire_later(self) -> None:
        with self._guard:
            if not self._expiring:
                self._expiring = True
                thread = threading.Thread(
                    target=_expire,
                    args=(weakref.ref(self), self._owner),
                    name="dash_brain-spares",
                    daemon=True,
                )
                thread.start()

    def _rest(self) -> float:
        """Remove old spares; return for how many seconds the thread sleeps then, 0 when it may end."""
        with self._guard:
            left = self.expire()
            self._expiring = left > 0
            return left


def _expire(reference: weakref.ref[Spares], owner: weakref.ref[object]) -> None:
    left = LIFE
    while left:
        time.sleep(left)
        spares, keeps_open = reference(), owner()
        left = 0.0 if spares is None or keeps_open is None else spares._rest()
        del spares, keeps_open  # waiting must not keep the store open


def _release_all() -> None:
    for spares in list(_keepers):
        keeps_open = spares._owner()
        if keeps_open is not None:
            spares.release()


_keepers: weakref.WeakSet[Spares] = weakref.WeakSet()
atexit.register(_release_all)
