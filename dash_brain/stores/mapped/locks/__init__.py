"""Locks by name across the threads of this process and across processes, freed when a holder dies.

A lock is a number (see :func:`lock_number`). Threads of one process meet at a lock of their own first, and
only one of them asks the kernel.
"""

from __future__ import annotations

import functools
import hashlib
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from dash_brain.common.forks import reset_in_children
from dash_brain.errors import StoreUnavailable
from dash_brain.stores.mapped.system.faults import typed

#: Seconds between two looks at a lock.
_SHORTEST_PAUSE = 0.0002
_LONGEST_PAUSE = 0.01
#: Seconds for which a lock is waited for that is held for moments only; after that its holder was stopped.
LONGEST_WAIT = 30.0


@functools.lru_cache(maxsize=4096)
def lock_number(name: str) -> int:
    """Return 62 bits that stand for ``name``, the largest number that is an offset in any file."""
    raw = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little") >> 2


class KernelLocks(Protocol):
    """Locks between processes. They know nothing of threads."""

    def acquire(self, number: int, *, wait: bool) -> bool:
        """Take the lock and say whether it was to be had; with ``wait`` it always is."""

    def release(self, number: int) -> None:
        """Free the lock."""

    def gone(self) -> bool:
        """Say whether the files behind the locks were removed."""

    def unused(self) -> bool:
        """Say whether nobody holds any of them."""

    def disown(self) -> None:
        """Give up, in a forked child, what belongs to the parent, without freeing it there."""


class _ThreadLock:
    """One lock among threads, with the number of threads that hold or want it."""

    __slots__ = ("lock", "owner", "users")
    lock: threading.Lock
    owner: int | None
    users: int


class Locks:
    """Locks across threads, and across processes when there are locks of the kernel.

    Nothing is kept of a lock that nobody wants. A block that began before a fork frees nothing in the child:
    what it held is the parent's.
    """

    def __init__(self, kernel: KernelLocks | None = None) -> None:
        # Reentrant: a finalizer may run inside the guarded lines and come here again.
        self._guard = threading.RLock()
        self._threads: dict[int, _ThreadLock] = {}
        self._kernel = kernel
        reset_in_children(self)

    @contextmanager
    def hold(self, number: int, longest: float | None = None) -> Iterator[None]:
        """Hold the lock while the block runs.

        Parameters
        ----------
        number
            Which lock.
        longest
            Seconds to wait for it; by default those for a lock that nobody holds for long. ``inf``: for ever.

        Raises
        ------
        StoreUnavailable
            When somebody else held it all that time.
        """
        threads = self._threads
        if not self._acquire(number, LONGEST_WAIT if longest is None else longest):
            raise _held_too_long()
        try:
            yield
        finally:
            self._release(threads, number)

    @contextmanager
    def hold_if_free(self, number: int) -> Iterator[bool]:
        """Hold the lock while the block runs, or say False when somebody else does."""
        threads = self._threads
        held = self._acquire(number)
        try:
            yield held
        finally:
            if held:
                self._release(threads, number)

    def keep(self, number: int) -> bool:
        """Take the lock for as long as this object lives, and say whether it was to be had."""
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
        """Take the lock as soon as it is free, and say whether that was to be had in so many seconds.

        Raises
        ------
        RuntimeError
            When this thread holds it already and would wait for itself.
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
            taken = ours.lock.acquire(blocking=False) or _take(ours.lock, longest)
            held = taken and (
                self._kernel is None
                or self._kernel.acquire(number, wait=False)
                or _ask(self._kernel, number, longest)
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
            raise typed(error) from error  # here, because no method of a store is around this end of a block
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


def _take(lock: threading.Lock, longest: float) -> bool:
    """Wait for a lock among threads."""
    return longest > 0 and lock.acquire(timeout=min(longest, threading.TIMEOUT_MAX))


def _ask(kernel: KernelLocks, number: int, longest: float) -> bool:
    """Ask the kernel for a lock until it is free, or until so many seconds are over.

    The kernel itself could only be waited for without end. And under gevent or eventlet all that a process
    does shares one thread: if it waited in the kernel, it would also keep from going on whoever holds what
    another process waits for, and both would wait for ever.
    """
    if longest == math.inf and time.sleep.__module__ == "time":
        return kernel.acquire(number, wait=True)
    end, pause = time.monotonic() + longest, _SHORTEST_PAUSE
    while time.monotonic() < end:
        time.sleep(pause)  # theirs, which lets the others go on
        if kernel.acquire(number, wait=False):
            return True
        pause = min(2 * pause, _LONGEST_PAUSE)
    return False


def _held_too_long() -> StoreUnavailable:
    return StoreUnavailable(
        f"A process has held a lock of the store for more than {LONGEST_WAIT:.0f} s: it was stopped, or its "
        "machine is suspended. Let it go on, or end it; nothing was changed."
    )
