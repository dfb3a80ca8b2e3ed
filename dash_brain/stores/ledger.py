"""What a store holds, counted as it changes: no process walks over objects to know it, or asks the kernel.

The counts lie in one small file that every process maps. Each process that has the store open writes into a
slot of its own, so that nobody waits for anybody; the sum over all slots is the truth. A slot stays when its
process is gone, and the next newcomer goes on with what stands in it.

A process that is killed between a file and its entry here leaves an error of that one object. Each sweep
counts anew and corrects it.
"""

from __future__ import annotations

import mmap
import sys
import threading
import time
from array import array
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.locks import lock_number

#: More processes than this share the last slot, and wait for each other.
SLOTS = 512

# Words of 8 bytes. First a head: what this is, the budget that was set (0: none), how many slots were ever
# used, when the store was made (ns). Then the slots.
_MAGIC = int.from_bytes(b"ledger 1", sys.byteorder)
_BUDGET, _COUNT, _MADE = 1, 2, 3
_FIRST = 8
# In a slot: bytes of objects, bytes of objects that are being written, bytes of those that were spilled, and
# all bytes that ever came or went.
_USED, _PROMISED, _SPILLED, _MOVED = range(4)
_WORDS = 4
SIZE = 8 * (_FIRST + _WORDS * SLOTS)


class Holds(Protocol):
    """Locks, some of which are kept for life."""

    def hold(self, number: int) -> AbstractContextManager[None]:
        """Hold a lock while the block runs."""

    def hold_if_free(self, number: int) -> AbstractContextManager[bool]:
        """Hold a lock while the block runs, or say False."""

    def keep(self, number: int) -> bool:
        """Take a lock for as long as this process has the store open, or say False."""


class Counted(NamedTuple):
    """Bytes in the store's own place, and bytes that were spilled to disk."""

    used: int
    spilled: int


def fresh_ledger() -> bytes:
    """Return the content of the ledger of a new store."""
    words = [0] * (SIZE // 8)
    words[0], words[_MADE] = _MAGIC, time.time_ns()
    return array("q", words).tobytes()


class Ledger:
    """The counts of one store, as one process sees and changes them.

    Parameters
    ----------
    file
        Descriptor of the file, open for reading and writing; the ledger does not keep it.
    locks
        The locks of the store.
    """

    def __init__(self, file: int, locks: Holds) -> None:
        try:
            mapped = mmap.mmap(file, SIZE)
        except ValueError as error:
            raise _damaged() from error
        self._words = memoryview(mapped).cast("q")
        if self._words[0] != _MAGIC:
            raise _damaged()
        self._locks = locks
        self._threads = threading.RLock()
        self._alone: AbstractContextManager[object] = self._threads
        self._slot = _FIRST + _WORDS * self._take_slot()
        self._promised = self._own_promises()

    def _take_slot(self) -> int:
        with self._locks.hold(_OPENING):
            for slot in range(SLOTS - 1):
                if self._locks.keep(_lock_of(slot)):
                    self._words[_COUNT] = max(self._words[_COUNT], slot + 1)
                    self._words[_FIRST + _WORDS * slot + _PROMISED] = 0  # the dead write no more
                    return slot
            self._words[_COUNT] = SLOTS
        self._alone = _InTurn(self._locks)
        return SLOTS - 1

    def _own_promises(self) -> memoryview:
        """Return the word for what this process promises.

        Those who share a slot keep it to themselves: nobody could tell the promises of the dead among them
        from those of the living. So up to what they write at once may go beyond the budget, for that moment.
        """
        if self._alone is self._threads:
            return self._words[self._slot + _PROMISED : self._slot + _PROMISED + 1]
        return memoryview(bytearray(8)).cast("q")

    @property
    def made(self) -> float:
        """When the store was made, in seconds since the epoch."""
        return self._words[_MADE] / 1e9

    @property
    def budget(self) -> int:
        """The budget that somebody set for all who open the store, in bytes; 0: nobody did."""
        return self._words[_BUDGET]

    @budget.setter
    def budget(self, nbytes: int) -> None:
        self._words[_BUDGET] = nbytes

    def used(self) -> int:
        """Return the bytes of all objects in the store's own place."""
        return max(self._sum(_USED), 0)

    def taken(self) -> int:
        """Return the bytes of all objects, and of those that are being written."""
        promised = self.promised()  # first: what is there by now is counted below
        return promised + self._sum(_USED)

    def promised(self) -> int:
        """Return the bytes of all objects that are being written, as far as this process knows."""
        own = 0 if self._alone is self._threads else self._promised[0]
        return max(self._sum(_PROMISED) + own, 0)

    def spilled(self) -> int:
        """Return the bytes of all objects that were spilled."""
        return max(self._sum(_SPILLED), 0)

    def moved(self) -> int:
        """Return how many bytes came or went in the life of the store."""
        return self._sum(_MOVED)

    def promise(self, nbytes: int) -> None:
        """Note that an object of so many bytes is about to be written; fewer than none: that it was not."""
        with self._alone:
            self._promised[0] += nbytes

    def keep_promise(self, nbytes: int) -> None:
        """Note that the promised object is there."""
        words, slot = self._words, self._slot
        with self._alone:
            words[slot + _USED] += nbytes  # first: who looks meanwhile sees too much, and never too little
            self._promised[0] -= nbytes
            words[slot + _MOVED] += nbytes

    def add(self, nbytes: int, *, spilled: bool = False) -> None:
        """Note that an object of so many bytes came; fewer than none: that it went."""
        words, slot = self._words, self._slot
        with self._alone:
            words[slot + (_SPILLED if spilled else _USED)] += nbytes
            words[slot + _MOVED] += abs(nbytes)

    def correct(self, counted: Counted, moved_before: int) -> None:
        """Correct what is wrong for sure, now that somebody counted.

        Objects came and went while he counted; ``moved_before`` tells how many. So what he counted is right
        to within those.
        """
        with self._alone:
            unsure = self.moved() - moved_before
            for column, right in ((_USED, counted.used), (_SPILLED, counted.spilled)):
                noted = self._sum(column)
                self._words[self._slot + column] += min(max(noted, right - unsure), right + unsure) - noted

    def forgive(self) -> None:
        """Forget what processes had promised that are dead."""
        for slot in range(min(self._words[_COUNT], SLOTS - 1)):
            at = _FIRST + _WORDS * slot
            if at != self._slot and self._words[at + _PROMISED]:
                with self._locks.hold_if_free(_lock_of(slot)) as dead:
                    if dead:
                        self._words[at + _PROMISED] = 0

    def _slots(self) -> list[int]:
        return self._words[_FIRST : _FIRST + _WORDS * self._words[_COUNT]].tolist()

    def _sum(self, column: int) -> int:
        return sum(self._slots()[column::_WORDS])


class _InTurn:
    """The lock of the slot that several processes share; reentrant, as that among threads is."""

    def __init__(self, locks: Holds) -> None:
        self._locks = locks
        self._threads = threading.RLock()
        self._held: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        self._threads.acquire()
        held = self._locks.hold(_SHARING)
        if not self._held:
            held.__enter__()
        self._held.append(held)

    def __exit__(self, *_: object) -> None:
        held = self._held.pop()
        if not self._held:
            held.__exit__(None, None, None)
        self._threads.release()


_OPENING = lock_number("ledger")
_SHARING = lock_number("ledger:shared")


def _lock_of(slot: int) -> int:
    return lock_number(f"ledger:{slot}")


def _damaged() -> StoreUnavailable:
    return StoreUnavailable("The ledger of the store is damaged; remove the store's folder.")
