"""Tombstones: which objects were removed lately, and why, so that a miss can say what happened.

A table of fixed size in a file that every process maps: a new record overwrites an older one in its place.
Writing one takes no system call. The table is used for messages only.
"""

from __future__ import annotations

import hashlib
import struct
from mmap import mmap

from dash_brain.stores.faults import REASONS, Tombstone

PLACES = 4096

# Tag of the path, size in bytes and reason in its last bits, when it was put, when it was removed.
_RECORD = struct.Struct("<QQdd")
SIZE = PLACES * _RECORD.size


class Tombstones:
    """What a store remembers of removed objects in the ``table`` that all map."""

    def __init__(self, table: mmap) -> None:
        self._table = table

    def note(self, path: str, tombstone: Tombstone) -> None:
        """Remember that the object of a path was removed."""
        tag, at = _where(path)
        size = tombstone.nbytes << 2 | REASONS.index(tombstone.reason)
        _RECORD.pack_into(self._table, at, tag, size, tombstone.created, tombstone.removed)

    def recall(self, path: str) -> Tombstone | None:
        """Return how the object of a path went, None when that is not remembered."""
        tag, at = _where(path)
        found, size, created, removed = _RECORD.unpack_from(self._table, at)
        if found != tag:
            return None
        return Tombstone(REASONS[size & 3], size >> 2, created, removed)


def _where(path: str) -> tuple[int, int]:
    tag = int.from_bytes(hashlib.blake2b(path.encode("ascii"), digest_size=8).digest(), "little")
    return tag, tag % PLACES * _RECORD.size
