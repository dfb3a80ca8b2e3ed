"""What is done with the file of one object, below an open root."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias, TypeVar

from dash_brain.stores import files
from dash_brain.stores.accounts import refund
from dash_brain.stores.base import Frames
from dash_brain.stores.expected import Expected
from dash_brain.stores.folder import Root
from dash_brain.stores.objectfile import Head, bad_object, compose, read_head, read_object
from dash_brain.stores.quota import charge
from dash_brain.stores.removing import remove_expired
from dash_brain.stores.writing import Draft, write

T = TypeVar("T")

#: What is done with an open object: root, path, descriptor, state, and what time it is.
Look: TypeAlias = Callable[[Root, str, int, os.stat_result, float], T]

#: A use is noted when the last one is longer ago; so many reads in a row cost no more than one note.
_NOTE_USE_AFTER = 1.0
#: How opening what is no file of ours fails: a link, something in a folder's place, another user's, a socket.
_NOT_OURS = {errno.ELOOP, errno.ENOTDIR, errno.EPERM, errno.ENXIO}


def put(
    root: Root,
    path: str,
    frames: Frames,
    label: bytes,
    now: float,
    expires: float | None,
    quota: int | None = None,
    expected: Expected | None = None,
) -> str:
    """Write an object and return its id."""
    object_id = os.urandom(16)
    pieces = compose(frames, place=path, label=label, object_id=object_id, created=now, seal=root.seal)
    nbytes = files.occupied(sum(map(len, pieces)))
    charge(root, path, nbytes, quota, now)
    try:
        write(root, Draft(path, pieces, nbytes, now, expires, expected))
    except BaseException:
        refund(root, path, nbytes)
        raise
    return object_id.hex()


def with_object(root: Root, path: str, look: Look[T], now: float) -> T:
    """Open the object, do with it what ``look`` does, and close it.

    Raises
    ------
    FileNotFoundError
        When there is none, or it has expired.
    """
    file = _open(root, path)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise bad_object("not a file")
        if files.has_expired(found, now):
            remove_expired(root, path, now)
            raise FileNotFoundError
        return look(root, path, file, found, now)
    finally:
        os.close(file)


def _open(root: Root, path: str) -> int:
    try:
        return root.open(path)
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise bad_object(error.strerror) from error
        raise


def read(root: Root, path: str, file: int, found: os.stat_result, now: float) -> Frames:
    """Return the frames of the open object, and note that it was used."""
    frames = read_object(files.content(file, found.st_size), path, root.seal)
    if now - found.st_atime > _NOTE_USE_AFTER:
        with suppress(OSError), root.hold_if_free(path) as held:
            # A new ttl is set under this lock too, so that we do not put back the old one.
            if held:
                files.note_use(file, now)
    return frames


def read_info(
    root: Root, path: str, file: int, found: os.stat_result, now: float
) -> tuple[Head, os.stat_result]:
    """Return the head of the open object and the state of its file."""
    return read_head(files.head(file, found.st_size), found.st_size, path, root.seal), found
