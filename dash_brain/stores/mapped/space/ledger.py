"""What a store holds, counted as it changes: no process walks over objects to know it, or asks the kernel.

The counts lie in one small file that every process maps. Each process that has the store open writes into a
slot of its own, so that no process waits for another; the sum over all slots counts. A slot stays when its
process ends, and the next process that opens the store continues it.

A process that is killed between a file and its entry here leaves an error of that one object. Each sweep
counts anew and corrects it.
"""

from __future__ import annotations

import sys
import threading
import time
from array import array
from mmap import mmap
from typing import NamedTuple

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.mapped.system.locks import LockTable, lock_number

#: Its file in the folder of the store.
NAME = "ledger"
#: Processes that may have a store open at once.
SLOTS = 4096

# Words of 8 bytes. First a head: what this is, the budget that was set (0: none), how many slots were ever
# used, when the store was made (ns). Then the slots.
_MAGIC = int.from_bytes(b"ledger 2", sys.byteorder)
_ASKED, _COUNT, _MADE = 1, 2, 3
_FIRST = 8
# In a slot: bytes of objects that are being written, bytes of objects, bytes of those that were spilled, and
# all bytes that were ever added or removed. While an object moves from the first to the second it is counted
# twice, never not at all.
_RESERVED, _USED, _SPILLED, _MOVED = range(4)
_WORDS = 4


class Counted(NamedTuple):
    """Bytes in the store's own place, and bytes that were spilled to disk."""

    used: int
    spilled: int


def fresh_ledger() -> bytes:
    """Return the content of the ledger of a new store."""
    words = [0] * (_FIRST + _WORDS * SLOTS)
    words[0], words[_MADE] = _MAGIC, time.time_ns()
    return array("q", words).tobytes()


class Ledger:
    """The counts of one store, as one process sees and changes them in the ``table`` that all map."""

    def __init__(self, table: mmap, locks: LockTable) -> None:
        self._words = memoryview(table).cast("q")
        if self._words[0] != _MAGIC:
            raise StoreUnavailable("The ledger of the store is damaged; remove the store's folder.")
        #: The bytes that the place of the store allows, as they were measured last.
        self.allowed = 0
        self._locks = locks
        self._threads = threading.RLock()
        #: The number of this process's slot.
        self.slot = self._take_slot()
        self._slot = _FIRST + _WORDS * self.slot

    def _take_slot(self) -> int:
        with self._locks.hold(lock_number(NAME)):
            for slot in range(SLOTS):
                if self._locks.keep(_lock_of(slot)):
                    self._words[_COUNT] = max(self._words[_COUNT], slot + 1)
                    self._words[_FIRST + _WORDS * slot + _RESERVED] = 0  # its last process is dead
                    return slot
        raise StoreUnavailable(f"{SLOTS} processes have the store open, and no more can; end some of them.")

    @property
    def made(self) -> float:
        """When the store was made, in seconds since the epoch."""
        return self._words[_MADE] / 1e9

    @property
    def asked(self) -> int:
        """The budget that somebody set for all who open the store, in bytes; 0: nobody did."""
        return self._words[_ASKED]

    @asked.setter
    def asked(self, nbytes: int) -> None:
        self._words[_ASKED] = nbytes

    def budget(self) -> int:
        """Return the bytes that the store may hold: as it was set, and never more than its place allows."""
        return min(self._words[_ASKED] or self.allowed, self.allowed)

    def used(self) -> int:
        """Return the bytes of all objects in the store's own place."""
        return max(self._sum(_USED), 0)

    def reserved(self) -> int:
        """Return the bytes of all objects that are being written."""
        return max(self._sum(_RESERVED), 0)

    def spilled(self) -> int:
        """Return the bytes of all objects that were spilled."""
        return max(self._sum(_SPILLED), 0)

    def moved(self) -> int:
        """Return how many bytes were ever added or removed."""
        return self._sum(_MOVED)

    def reserve(self, nbytes: int) -> int:
        """Reserve bytes for an object that is about to be written; with a negative number, give them back.

        Returns the bytes of the budget that are neither used nor reserved; negative: so many are missing.
        """
        words, allowed = self._words, self.allowed
        with self._threads:
            words[self._slot + _RESERVED] += nbytes
        slots = words[_FIRST : _FIRST + _WORDS * words[_COUNT]].tolist()
        budget = min(words[_ASKED] or allowed, allowed)
        return budget - sum(slots[_RESERVED::_WORDS]) - sum(slots[_USED::_WORDS])

    def commit(self, nbytes: int, replaced: int = 0) -> None:
        """Turn a reservation into an object, which replaces one of ``replaced`` bytes."""
        words, slot = self._words, self._slot
        with self._threads:
            words[slot + _USED] += nbytes  # first: a reader may see too much meanwhile, never too little
            words[slot + _RESERVED] -= nbytes
            words[slot + _USED] -= replaced
            words[slot + _MOVED] += nbytes + replaced

    def add(self, nbytes: int, *, spilled: bool = False) -> None:
        """Count an object of so many bytes; with a negative number, one that was removed."""
        words, slot = self._words, self._slot
        with self._threads:
            words[slot + (_SPILLED if spilled else _USED)] += nbytes
            words[slot + _MOVED] += abs(nbytes)

    def correct(self, counted: Counted, moved_before: int) -> None:
        """Correct the counts by what a sweep counted.

        Meanwhile objects were added and removed: in bytes, the difference to ``moved_before``. The sweep's
        count may be wrong by so much, so only what differs by more is corrected.
        """
        with self._threads:
            unsure = self.moved() - moved_before
            for column, right in ((_USED, counted.used), (_SPILLED, counted.spilled)):
                noted = self._sum(column)
                self._words[self._slot + column] += min(max(noted, right - unsure), right + unsure) - noted

    def reap(self) -> None:
        """Give back what dead processes had reserved."""
        for slot in range(self._words[_COUNT]):
            at = _FIRST + _WORDS * slot
            if at != self._slot and self._words[at + _RESERVED]:
                with self._locks.hold_if_free(_lock_of(slot)) as dead:
                    if dead:
                        self._words[at + _RESERVED] = 0

    def _sum(self, column: int) -> int:
        words = self._words
        return sum(words[_FIRST : _FIRST + _WORDS * words[_COUNT]].tolist()[column::_WORDS])


def _lock_of(slot: int) -> int:
    return lock_number(f"{NAME}:{slot}")
