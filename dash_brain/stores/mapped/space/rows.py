"""The counters of a mapped store: a row of its ledger for each process, behind what that counts by.

A row belongs to a slot of the ledger: it stays when its process ends, however that ends, and the next process
with this slot goes on with it. So there are no more rows than processes had the store open at once.
"""

from __future__ import annotations

import os
from array import array
from contextlib import suppress
from mmap import ALLOCATIONGRANULARITY, mmap

from dash_brain.stores.counters import WORDS, Counters
from dash_brain.stores.mapped.space.ledger import NAME, Ledger
from dash_brain.stores.mapped.system.platform import open_healed
from dash_brain.stores.mapped.volume.folder import Volume

#: Where the rows begin in the file; a map can begin there whatever the size of pages.
_BEGIN = 192 << 10
_SIZE = 8 * WORDS


def open_counters(volume: Volume, ledger: Ledger) -> Counters:
    """Return the counters of an open store; without room for a row, those of this process alone."""
    at = _BEGIN + _SIZE * ledger.slot
    with suppress(OSError):
        file = open_healed(NAME, os.O_RDWR, volume.descriptor)
        try:
            # Written before it is mapped: for a hole in the file, the kernel needs memory when it is counted
            # in, and kills the process if there is none.
            os.pwrite(file, os.pread(file, _SIZE, at).ljust(_SIZE, b"\0"), at)
            begin = at // ALLOCATIONGRANULARITY * ALLOCATIONGRANULARITY
            table = mmap(file, at + _SIZE - begin, offset=begin)
        finally:
            os.close(file)
        row = memoryview(table)[at - begin :].cast("q")
        return Counters(row, lambda: _rows(volume))
    return Counters()


def _rows(volume: Volume) -> list[int]:
    """Return the words of all rows. Read from the file: a map of a hole would take memory."""
    file = open_healed(NAME, os.O_RDONLY, volume.descriptor)
    try:
        size = (os.fstat(file).st_size - _BEGIN) // _SIZE * _SIZE
        return array("q", os.pread(file, size, _BEGIN)).tolist()
    finally:
        os.close(file)
