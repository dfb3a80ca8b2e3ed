"""Locks by name across the threads of this process and across processes, freed when a holder dies.

A lock is a number (see :func:`lock_number`). Threads of one process meet at a lock of their own first, and
only one of them asks the kernel.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from dash_brain.stores.faults import typed
from dash_brain.stores.forks import reset_in_children
from dash_brain.stores.quoting import to_bytes

#: Seconds between two looks at a lock that cannot be waited for.
_SHORTEST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.01


def lock_number(name: str) -> int:
    """Return 62 bits that stand for ``name``, the largest number that is an offset in any file."""
    return int.from_bytes(hashlib.blake2b(to_bytes(name), digest_size=8).digest(), "little") >> 2


class KernelLocks(Protocol):
    """Locks between processes. They know nothing of threads."""

    def acquire(self, number: int, *, wait: bool) -> bool:
        """Take the lock and say whether it was to be had; with ``wait`` it always is."""

    def release(self, number: int) -> None:
        """Free the lock."""

    def gone(self) -> bool:
        """Say whether the files behind the locks were removed."""

    def disown(self) -> None:
        """Give up, in a forked child, what belongs to the parent, without freeing it there."""


class _Entry:
    """One lock among threads, with the number of threads that hold or want it."""

    __slots__ = ("lock", "owner", "users")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner: int | None = None
        self.users = 0


class ThreadLocks:
    """Locks among the threads of one process; nothing is kept of a lock that nobody wants."""

    def __init__(self) -> None:
        # Reentrant: a finalizer may run inside the guarded lines and come here again.
        self._guard = threading.RLock()
        self._entries: dict[int, _Entry] = {}

    def acquire(self, number: int, *, wait: bool = True) -> bool:
        """Take the lock and say whether it was to be had.

        Raises
        ------
        RuntimeError
            When this thread holds it already and would wait for itself.
        """
        entry = self._enter(number)
        taken = False
        try:
            if entry.owner == threading.get_ident() and wait:
                raise RuntimeError("This thread holds the lock of that key already, and would wait for ever.")
            taken = entry.lock.acquire(blocking=wait)
        finally:
            if not taken:
                self._leave(number, entry)
        if taken:
            entry.owner = threading.get_ident()
        return taken

    def release(self, number: int) -> None:
        """Free the lock."""
        entry = self._entries[number]
        entry.owner = None
        entry.lock.release()
        self._leave(number, entry)

    def _enter(self, number: int) -> _Entry:
        with self._guard:
            entry = self._entries.setdefault(number, _Entry())
            entry.users += 1
            return entry

    def _leave(self, number: int, entry: _Entry) -> None:
        with self._guard:
            entry.users -= 1
            if not entry.users:
                del self._entries[number]


class NoKernelLocks:
    """Stands in where one process is alone."""

    def acquire(self, number: int, *, wait: bool) -> bool:
        """Say that the lock was to be had."""
        return True

    def release(self, number: int) -> None:
        """Do nothing."""

    def gone(self) -> bool:
        """Say that nothing was removed."""
        return False

    def disown(self) -> None:
        """Do nothing."""


class Locks:
    """Locks across threads and processes.

    A block that began before a fork frees nothing in the child: what it held is the parent's.
    """

    def __init__(self, kernel: KernelLocks) -> None:
        self._threads = ThreadLocks()
        self._kernel = kernel
        reset_in_children(self)

    @contextmanager
    def hold(self, number: int) -> Iterator[None]:
        """Hold the lock while the block runs."""
        threads = self._threads
        self._acquire(threads, number, wait=True)
        try:
            yield
        finally:
            self._release(threads, number)

    @contextmanager
    def hold_if_free(self, number: int) -> Iterator[bool]:
        """Hold the lock while the block runs, or say False when somebody else does."""
        threads = self._threads
        held = self._acquire(threads, number, wait=False)
        try:
            yield held
        finally:
            if held:
                self._release(threads, number)

    def keep(self, number: int) -> bool:
        """Take the lock for as long as this object lives, and say whether it was to be had."""
        return self._acquire(self._threads, number, wait=False)

    def gone(self) -> bool:
        """Say whether the files behind the locks were removed, so that others lock other files."""
        return self._kernel.gone()

    def reset_after_fork(self) -> None:
        """Forget, in a forked child, what threads of the parent hold."""
        self._threads = ThreadLocks()
        self._kernel.disown()

    def _acquire(self, threads: ThreadLocks, number: int, *, wait: bool) -> bool:
        if not threads.acquire(number, wait=wait):
            return False
        held = False
        try:
            held = _wait_for(self._kernel, number) if wait else self._kernel.acquire(number, wait=False)
        finally:
            if not held:
                threads.release(number)
        return held

    def _release(self, threads: ThreadLocks, number: int) -> None:
        if threads is not self._threads:
            return
        try:
            self._kernel.release(number)
        except OSError as error:
            raise typed(error) from error  # here, because no method of a store is around this end of a block
        finally:
            threads.release(number)


def _wait_for(kernel: KernelLocks, number: int) -> bool:
    """Take the lock as soon as it is free.

    Under gevent or eventlet all that a process does shares one thread: if it waited in the kernel, it would
    also keep from going on whoever holds what another process waits for, and both would wait for ever.
    """
    if time.sleep.__module__ == "time":
        return kernel.acquire(number, wait=True)
    pause = _SHORTEST_PAUSE
    while not kernel.acquire(number, wait=False):
        time.sleep(pause)  # theirs, which lets the others go on
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True
