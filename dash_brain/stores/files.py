"""The few things that are done to an open object file."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from mmap import mmap

from dash_brain.stores import objectfile
from dash_brain.stores.platform import LACKING, map_private

#: Up to here reading is faster than mapping.
READ_UP_TO = 256 << 10
#: From here on the room is reserved before anything is written, so that a full disk is noticed at once.
RESERVE_FROM = 1 << 20
#: What writev takes at once, at least on the systems that we know.
_PIECES_AT_ONCE = 1024
_HEAD_AT_ONCE = 4096


def fill(file: int, pieces: Sequence[memoryview], used: float, expires: float | None) -> None:
    """Write an object into a new file and make it what no umask changes: readable by its owner only."""
    reserve(file, sum(map(len, pieces)))
    write_all(file, pieces)
    os.fchmod(file, 0o400)
    set_times(file, used, expires)


def reserve(file: int, size: int) -> None:
    """Take the room for ``size`` bytes, where they are many and the file system can."""
    if size < RESERVE_FROM or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        if error.errno not in LACKING:
            raise


def write_all(file: int, pieces: Sequence[memoryview]) -> None:
    """Write the pieces one after the other, however little the kernel takes at a time."""
    left = [piece for piece in pieces if len(piece)]
    while left:
        written = os.writev(file, left[:_PIECES_AT_ONCE])
        if not written:
            raise OSError(errno.EIO, "the file takes no more bytes")
        left = _after(left, written)


def _after(pieces: list[memoryview], written: int) -> list[memoryview]:
    for number, piece in enumerate(pieces):
        if written < len(piece):
            return [piece[written:], *pieces[number + 1 :]]
        written -= len(piece)
    return []


def content(file: int, size: int) -> bytearray | mmap:
    """Return the bytes of the file, private to the caller: small ones read, larger ones mapped."""
    if size > READ_UP_TO:
        return map_private(file, size)
    return read(file, size, 0)


def head(file: int, size: int) -> bytearray:
    """Return header, meta and table of the object, without its value."""
    raw = read(file, min(size, _HEAD_AT_ONCE), 0)
    end = objectfile.head_size(memoryview(raw), size)
    return raw + read(file, end - len(raw), len(raw)) if end > len(raw) else raw


def read(file: int, size: int, at: int) -> bytearray:
    """Return ``size`` bytes from ``at`` on, or those there are."""
    raw = bytearray(size)
    done = 0
    while done < size:
        got = os.preadv(file, [memoryview(raw)[done:]], at + done)
        if not got:
            return raw[:done]
        done += got
    return raw


def set_times(file: int, used: float, expires: float | None) -> None:
    """Note when the object was used and when it expires."""
    os.utime(file, ns=(int(used * 1e9), 0 if expires is None else max(1, int(expires * 1e9))))


def expiry(found: os.stat_result) -> float | None:
    """Return when the object expires, in seconds since the epoch, or None for never."""
    return found.st_mtime_ns / 1e9 if found.st_mtime_ns else None


def has_expired(found: os.stat_result, now: float) -> bool:
    """Say whether the object's time is over."""
    return 0 < found.st_mtime_ns <= int(now * 1e9)


def occupied(found: os.stat_result) -> int:
    """Return the bytes that the file takes: whole pages or blocks, as its file system has them."""
    return max(found.st_size, found.st_blocks * 512)
