"""Locks by name across the threads of this process and across processes, freed when a holder dies.

A lock is a number (see :func:`lock_number`). Threads of one process meet at a lock of their own first, and
only one of them asks the kernel: for a byte range of one file where it has these, else for a flocked file.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from dash_brain.common.forks import reset_in_children
from dash_brain.common.polling import moments
from dash_brain.errors import StoreUnavailable
from dash_brain.stores.mapped.system.faults import typed
from dash_brain.stores.mapped.system.platform import LACKING, make_folder, open_healed, remove

try:
    import fcntl
except ImportError:  # Windows has none of this; opening a store says so.
    fcntl = None  # type: ignore[assignment]

# short l_type, short l_whence, off_t l_start, off_t l_len, pid_t l_pid (0 for these locks)
_FLOCK = struct.Struct("hhqqi4x")

#: Seconds between two looks at a lock, at most.
_LONGEST_PAUSE = 0.01
#: Seconds for which a lock is waited for that is held for moments only; after that its holder was stopped.
LONGEST_WAIT = 30.0


@functools.lru_cache(maxsize=4096)
def lock_number(name: str) -> int:
    """Return 62 bits that stand for ``name``, the largest number that is an offset in any file."""
    raw = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little") >> 2


class _ThreadLock:
    """One lock among threads, with the number of threads that hold or want it."""

    __slots__ = ("lock", "owner", "users")
    lock: threading.Lock
    owner: int | None
    users: int


class LockTable:
    """Locks across threads, and across processes when there are locks of the kernel.

    A lock takes memory only while it is held or waited for. A block that began before a fork frees nothing in
    the child: what it held is the parent's.
    """

    def __init__(self, kernel: KernelLocks | None = None) -> None:
        # Reentrant: a finalizer may run inside the guarded lines and come here again.
        self._guard = threading.RLock()
        self._threads: dict[int, _ThreadLock] = {}
        self._kernel = kernel
        reset_in_children(self)

    @contextlib.contextmanager
    def hold(self, number: int, longest: float | None = None) -> Iterator[None]:
        """Hold the lock while the block runs; ``StoreUnavailable`` when it was held for ``longest`` seconds.

        By default those are the seconds for a lock that nobody holds for long; ``inf``: it waits for ever.
        """
        threads = self._threads
        if not self._acquire(number, LONGEST_WAIT if longest is None else longest):
            raise StoreUnavailable(
                f"A process has held a lock of the store for more than {LONGEST_WAIT:.0f} s: it was stopped, "
                "or its machine is suspended. Let it go on, or end it; nothing was changed."
            )
        try:
            yield
        finally:
            self._release(threads, number)

    @contextlib.contextmanager
    def hold_if_free(self, number: int) -> Iterator[bool]:
        """Hold the lock while the block runs, or say False when it is taken."""
        threads = self._threads
        held = self._acquire(number)
        try:
            yield held
        finally:
            if held:
                self._release(threads, number)

    def keep(self, number: int) -> bool:
        """Take the lock for as long as this object lives, and say whether it was free."""
        return self._acquire(number)

    def gone(self) -> bool:
        """Say whether the files behind the locks were removed, so that others lock other files."""
        return self._kernel is not None and self._kernel.gone()

    def reset_after_fork(self) -> None:
        """Forget, in a forked child, what threads of the parent hold."""
        self._guard, self._threads = threading.RLock(), {}
        if self._kernel is not None:
            self._kernel.disown()

    def _acquire(self, number: int, longest: float = 0.0) -> bool:
        """Take the lock, waiting for so many seconds, and say whether it was free in time.

        ``RuntimeError`` when this thread holds it already and would wait for itself.
        """
        threads, me = self._threads, threading.get_ident()
        with self._guard:
            ours = threads.get(number)
            if ours is None:
                ours = threads[number] = _ThreadLock()
                ours.lock, ours.owner, ours.users = threading.Lock(), None, 0
            ours.users += 1
        taken = held = False
        try:
            if longest and ours.owner == me:
                raise RuntimeError("This thread holds the lock of that key already, and would wait for ever.")
            taken = ours.lock.acquire(blocking=False) or (
                longest > 0 and ours.lock.acquire(timeout=min(longest, threading.TIMEOUT_MAX))
            )
            held = taken and (
                self._kernel is None
                or self._kernel.acquire(number, wait=False)
                or (longest > 0 and _ask(self._kernel, number, longest))
            )
        finally:
            if held:
                ours.owner = me
            else:
                self._leave(threads, number, ours, taken=taken)
        return held

    def _release(self, threads: dict[int, _ThreadLock], number: int) -> None:
        if threads is not self._threads:
            return
        try:
            if self._kernel is not None:
                self._kernel.release(number)
        except OSError as error:
            raise typed(error) from error  # no method of a store is around the end of its `with`
        finally:
            self._leave(threads, number, threads[number], taken=True)

    def _leave(self, threads: dict[int, _ThreadLock], number: int, ours: _ThreadLock, *, taken: bool) -> None:
        if taken:
            ours.owner = None
            ours.lock.release()
        with self._guard:
            ours.users -= 1
            if not ours.users:
                threads.pop(number, None)


def _ask(kernel: KernelLocks, number: int, longest: float) -> bool:
    """Ask the kernel for a lock until it is free, or until so many seconds are over.

    The kernel knows no time-out. And under gevent or eventlet all tasks of a process share one thread: a wait
    in the kernel would also stop the task that holds what another process waits for, which is a deadlock.
    """
    if longest == math.inf and time.sleep.__module__ == "time":
        return kernel.acquire(number, wait=True)
    # Their sleep lets the others go on.
    return any(kernel.acquire(number, wait=False) for _ in moments(longest, _LONGEST_PAUSE))


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
        """Take the lock and say whether it was free."""
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
        """Take the lock and say whether it was free."""
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


#: What a system offers.
KernelLocks: TypeAlias = RangeLocks | FlockedFiles
