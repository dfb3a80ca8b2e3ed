"""Locks between processes: byte ranges of one file where the kernel has them, flocked files elsewhere."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
from collections.abc import Callable

from dash_brain.stores.mapped.locks import KernelLocks
from dash_brain.stores.mapped.system.platform import LACKING, make_folder, open_healed, remove

try:
    import fcntl
except ImportError:  # Windows has none of this; opening a store says so.
    fcntl = None  # type: ignore[assignment]

# short l_type, short l_whence, off_t l_start, off_t l_len, pid_t l_pid (0 for these locks)
_FLOCK = struct.Struct("hhqqi4x")


def open_kernel_locks(folder: int) -> KernelLocks:
    """Return the best locks that this folder offers."""
    if has_range_locks(folder):
        return RangeLocks(folder)
    return FlockedFiles(folder)


def has_range_locks(folder: int) -> bool:
    """Say whether locks of byte ranges can belong to an open file description here."""
    if not hasattr(fcntl, "F_OFD_SETLK") or sys.maxsize < 1 << 32:  # struct flock differs on 32 bits
        return False
    locks = RangeLocks(folder)
    try:
        # Anybody may hold this byte for a moment; what matters is whether the kernel knows the question.
        if locks.acquire(os.getpid(), wait=False):
            locks.release(os.getpid())
    except OSError as error:
        if error.errno not in LACKING:
            raise
        return False
    return True


class RangeLocks:
    """One byte of one file per lock, held by an open file description: freed when its holders are gone."""

    def __init__(self, folder: int) -> None:
        self._folder = folder
        self._opening = threading.Lock()
        self._file: int | None = None
        self._descriptor()

    def acquire(self, number: int, *, wait: bool) -> bool:
        """Take the lock and say whether it was to be had."""
        command = fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK
        file = self._descriptor() if self._file is None else self._file
        try:
            fcntl.fcntl(file, command, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0))
        except BlockingIOError:
            return False
        return True

    def release(self, number: int) -> None:
        """Free the lock."""
        file = self._descriptor() if self._file is None else self._file
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, number, 1, 0))

    def gone(self) -> bool:
        """Say whether the file was removed."""
        return os.fstat(self._descriptor()).st_nlink == 0

    def unused(self) -> bool:
        """Say whether nobody holds any of them."""
        all_of_them = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        found = fcntl.fcntl(self._descriptor(), fcntl.F_OFD_GETLK, all_of_them)
        return bool(_FLOCK.unpack(found)[0] == fcntl.F_UNLCK)

    def disown(self) -> None:
        """Close the description that is shared with the parent; it would keep a dead parent's locks."""
        self._opening = threading.Lock()
        self.__del__()

    def _descriptor(self) -> int:
        with self._opening:
            if self._file is None:
                self._file = open_healed("locks", os.O_CREAT | os.O_RDWR, self._folder)
            return self._file

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        if self._file is not None:
            close(self._file)  # at exit, modules may be gone before this is
            self._file = None


class FlockedFiles:
    """One flocked file per lock that somebody holds, in a hidden folder."""

    #: The folder of the files.
    HIDDEN = ".locks"

    def __init__(self, folder: int) -> None:
        self._folder = folder
        self._held: dict[int, int] = {}

    def acquire(self, number: int, *, wait: bool) -> bool:
        """Take the lock and say whether it was to be had."""
        while True:
            # Noted before we wait, so that a child forked meanwhile closes it. One thread asks at a time.
            file = self._held[number] = self._open(number)
            taken = False
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                taken = os.fstat(file).st_nlink > 0  # else its last holder removed it while we waited
            except BlockingIOError:
                return False
            finally:
                if not taken:
                    os.close(self._held.pop(number))
            if taken:
                return True

    def release(self, number: int) -> None:
        """Free the lock and remove its file."""
        file = self._held.pop(number)
        try:
            # What is done under the lock is done: a file that cannot be removed is left to the sweep.
            with contextlib.suppress(OSError):
                remove(self._path(number), self._folder)
        finally:
            os.close(file)

    def gone(self) -> bool:
        """Say that nothing is missing: files come and go."""
        return False

    def unused(self) -> bool:
        """Say whether nobody holds any of them; a file that a crash left counts as one that is held."""
        with contextlib.suppress(FileNotFoundError):
            folder = os.open(self.HIDDEN, os.O_RDONLY, dir_fd=self._folder)
            try:
                return not os.listdir(folder)
            finally:
                os.close(folder)
        return True

    def disown(self, close: Callable[[int], None] = os.close) -> None:
        """Close what is shared with the parent; it would keep a dead parent's locks."""
        while self._held:
            close(self._held.popitem()[1])  # at exit, modules may be gone before this is

    def _open(self, number: int) -> int:
        flags = os.O_CREAT | os.O_RDWR
        try:
            return open_healed(self._path(number), flags, self._folder)
        except (FileNotFoundError, PermissionError):
            make_folder(self.HIDDEN, self._folder)
            return open_healed(self._path(number), flags, self._folder)

    def _path(self, number: int) -> str:
        return f"{self.HIDDEN}/.{number:016x}"

    def __del__(self) -> None:
        self.disown()
