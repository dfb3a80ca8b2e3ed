"""The few things that are done to an open object file."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from mmap import mmap

from dash_brain.stores import objectfile
from dash_brain.stores.base import Frame, is_over
from dash_brain.stores.faults import no_room
from dash_brain.stores.platform import LACKING, map_private

#: Up to here reading is faster than mapping.
READ_UP_TO = 256 << 10
#: From here on the room is reserved before anything is written, so that a full disk is noticed at once.
RESERVE_FROM = 1 << 20
#: What writev takes at once, at least on the systems that we know.
_PIECES_AT_ONCE = 1024
_HEAD_AT_ONCE = 4096
_PAGE = 4096


def fill(file: int, pieces: Sequence[Frame], used: float, expires: float | None) -> None:
    """Write an object into a new file and make it what no umask changes: readable by its owner only."""
    size = sum(map(len, pieces))
    try:
        if size >= RESERVE_FROM:
            reserve(file, size)
        write_all(file, pieces, size)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise no_room(error) from error  # the memory of a container, which shared memory is part of
    os.fchmod(file, 0o400)
    set_times(file, used, expires)


def reserve(file: int, size: int) -> None:
    """Take the room for ``size`` bytes, where the file system can."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:
        pass  # macOS has none
    except OSError as error:
        if error.errno not in LACKING:
            raise


def write_all(file: int, pieces: Sequence[Frame], size: int) -> None:
    """Write the pieces, of ``size`` bytes in all, however few of them the kernel takes at a time."""
    written = os.writev(file, pieces[:_PIECES_AT_ONCE])
    if written == size:
        return
    number, begun = _where(pieces, 0, written)
    while number < len(pieces):
        rest = memoryview(pieces[number])[begun:]
        written = os.writev(file, [rest, *pieces[number + 1 : number + _PIECES_AT_ONCE]])
        if not written:
            raise OSError(errno.EIO, "the file takes no more bytes")
        number, begun = _where(pieces, number, begun + written)


def _where(pieces: Sequence[Frame], number: int, written: int) -> tuple[int, int]:
    """Return the piece in which so many bytes, counted from piece ``number`` on, end; and how far in."""
    while number < len(pieces) and written >= len(pieces[number]):
        written -= len(pieces[number])
        number += 1
    return number, written


def content(file: int, size: int) -> bytearray | mmap:
    """Return the bytes of the file, private to the caller: small ones read, larger ones mapped."""
    return map_private(file, size) if size > READ_UP_TO else read(file, size)


def head(file: int, size: int) -> memoryview:
    """Return header, meta and table of the object, without its value."""
    raw: Frame = os.pread(file, _HEAD_AT_ONCE, 0)
    end = objectfile.head_size(raw, size)
    return memoryview(raw if end <= len(raw) else read(file, end))


def read(file: int, size: int) -> bytearray:
    """Return the first ``size`` bytes, or those there are."""
    raw = bytearray(size)
    done = os.preadv(file, [raw], 0)
    while done < size:
        got = os.preadv(file, [memoryview(raw)[done:]], done)
        if not got:
            return raw[:done]
        done += got
    return raw


def set_times(file: int, used: float, expires: float | None) -> None:
    """Note when the object was used and when it expires."""
    os.utime(file, ns=(int(used * 1e9), 0 if expires is None else max(1, int(expires * 1e9))))


def note_use(file: int, now: float) -> None:
    """Note that the object was used, and leave alone when it expires."""
    os.utime(file, ns=(int(now * 1e9), os.fstat(file).st_mtime_ns))


def expiry(found: os.stat_result) -> float | None:
    """Return when the object expires, in seconds since the epoch, or None for never."""
    return found.st_mtime_ns / 1e9 if found.st_mtime_ns else None


def has_expired(found: os.stat_result, now: float) -> bool:
    """Say whether the object's time is over."""
    return is_over(found.st_mtime_ns or None, found.st_atime_ns, int(now * 1e9))


def occupied(size: int) -> int:
    """Return the bytes that a file of this size takes: whole pages.

    Not what the file system says it takes, which may change behind our back: what was counted when an object
    came has to be what is counted when it goes.
    """
    return -(-size // _PAGE) * _PAGE
