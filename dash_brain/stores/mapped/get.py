"""Getting an object: its file is opened, checked and read."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from time import perf_counter_ns
from typing import NamedTuple

from dash_brain.errors import DecodeError
from dash_brain.stores.base import Frames, expires_at
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.space import Space
from dash_brain.stores.mapped.volume import pages
from dash_brain.stores.mapped.volume.entries import LOOKS, READ, SpillLink, has_expired, link_in, times
from dash_brain.stores.mapped.volume.large import LARGE
from dash_brain.stores.mapped.volume.objectfile import Head, bad_object, read_head, read_object

#: Seconds between two updates of the time of use: many reads in a row cost one update.
_NOTE_USE_AFTER = 1.0
#: Errors of opening what is no file of ours: another user's file, a socket.
_NOT_OURS = {errno.EPERM, errno.ENXIO}


class Opened(NamedTuple):
    """An open object: its file and the state of that; the state of its name, and the link if it is one."""

    file: int
    state: os.stat_result
    found: os.stat_result
    link: SpillLink | None


def read(space: Space, path: str, now: float, looks: int = LOOKS) -> Frames:
    """Return the frames of an object, and note that it was used.

    ``FileNotFoundError`` when there is none or it has expired, ``DecodeError`` when it is not authentic.
    """
    inventory, started = space.inventory, perf_counter_ns()
    # A plain tuple, since each small read comes here, and making an Opened takes as long as opening does.
    file, state, found, link = _open(inventory, path, now)
    try:
        size = state.st_size
        read_or_map = pages.read if size <= pages.READ_UP_TO else pages.map_private
        frames = read_object(read_or_map(file, size), path, inventory.volume.seal)
        if abs(now - state.st_atime) > _NOTE_USE_AFTER:
            _note_use(inventory, path, file, now)
        inventory.counters.note_get(path, size, started)
        return frames
    except DecodeError:
        if not looks or _is_still(inventory, path, Opened(file, state, found, link)):
            raise
    finally:
        os.close(file)
    return read(space, path, now, looks - 1)


def read_info(space: Space, path: str, now: float, looks: int = LOOKS) -> tuple[Head, Opened]:
    """Return the head of an object and its state; raises as ``read`` does."""
    opened = Opened(*_open(space.inventory, path, now))
    try:
        size = opened.state.st_size
        return read_head(pages.head(opened.file, size), size, path, space.inventory.volume.seal), opened
    except DecodeError:
        if not looks or _is_still(space.inventory, path, opened):
            raise
    finally:
        os.close(opened.file)
    return read_info(space, path, now, looks - 1)


def touch(space: Space, path: str, now: float, ttl: float | None) -> None:
    """Set the time to live of an object, in seconds from now, None: for good; raises as ``read`` does."""
    expires, done = expires_at(ttl, now), False
    while not done:
        opened = Opened(*_open(space.inventory, path, now))
        try:
            if opened.state.st_size >= LARGE:
                space.expiring.note(path, expires)
            with space.inventory.volume.hold(path):
                done = _set_times(space.inventory, path, opened, now, expires)
        finally:
            os.close(opened.file)


def exists(space: Space, path: str, now: float) -> bool:
    """Say whether an object lies there that has not expired, and that this process sees."""
    inventory = space.inventory
    entry = inventory.volume.look(path)
    if entry is None or entry.has_expired(now):
        return False
    return entry.link is None or inventory.disk.has(entry.link)


def _open(
    inventory: Inventory, path: str, now: float
) -> tuple[int, os.stat_result, os.stat_result, SpillLink | None]:
    """Open an object that has not expired, and return what an ``Opened`` has.

    Meanwhile a link may take the place of a file, or a file that of a link; and the file of an object that
    was replaced may be in use for another one, and refuse to be opened. Then the name is looked up again.
    """
    for _ in range(LOOKS):
        try:
            file, found, link = os.open(path, READ, dir_fd=inventory.volume.descriptor), None, None
        except OSError as error:
            if error.errno in _NOT_OURS:
                raise bad_object(error.strerror) from error
            if error.errno not in (errno.ELOOP, errno.EAGAIN):
                raise
            spilled = _open_spilled(inventory, path) if error.errno == errno.ELOOP else None
            if spilled is None:
                continue
            file, found, link = spilled
        try:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                raise bad_object("not a file")
            found = found or state
            if found.st_mtime_ns and has_expired(found, now):
                inventory.remove_expired(path, now)
                raise FileNotFoundError
            return file, state, found, link
        except BaseException:
            os.close(file)
            raise
    raise BlockingIOError(errno.EAGAIN, "the value is replaced as often as it is looked up")


def _open_spilled(inventory: Inventory, path: str) -> tuple[int, os.stat_result, SpillLink] | None:
    """Open what a link stands for, whose times are those of the link; None when it was replaced meanwhile."""
    folder = inventory.volume.descriptor
    try:
        link = link_in(path, folder)
    except OSError as error:
        if error.errno != errno.ELOOP:  # which says that it is none of ours
            raise
        raise bad_object(error.strerror) from error
    if link is None:
        return None
    try:
        found = os.stat(path, dir_fd=folder, follow_symlinks=False)
        return inventory.disk.open(link), found, link
    except FileNotFoundError:
        if link_in(path, folder) == link:
            raise
        return None


def _is_still(inventory: Inventory, path: str, opened: Opened) -> bool:
    """Say whether the object that was opened still lies under the path.

    It may have been replaced, and its file be reused for another name, between the moment in which the kernel
    found the file and that in which it opened it.
    """
    entry = inventory.volume.look(path)
    return entry is not None and (opened.link is not None or _same(entry.found, opened.state))


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _note_use(inventory: Inventory, path: str, file: int, now: float) -> None:
    """Note that an object was used, and leave alone when it expires."""
    # A new ttl is set under this lock too, so that we do not put back the old one.
    with suppress(OSError), inventory.volume.hold_if_free(path) as held:
        if held:
            os.utime(file, ns=(int(now * 1e9), os.fstat(file).st_mtime_ns))


def _set_times(inventory: Inventory, path: str, opened: Opened, now: float, expires: float | None) -> bool:
    """Set the times of an object, whose lock is held; return False when it was replaced meanwhile."""
    latest = os.fstat(opened.file) if opened.link is None else _linked(inventory, path, opened)
    if latest is None or not latest.st_nlink:
        return False
    if latest.st_size >= LARGE and not _is_still(inventory, path, opened):
        return False  # it was replaced, and is a spare
    if has_expired(latest, now):
        raise FileNotFoundError
    ns = times(now, expires)
    if opened.link is None:
        os.utime(opened.file, ns=ns)
        return True
    os.utime(path, ns=ns, dir_fd=inventory.volume.descriptor, follow_symlinks=False)
    with suppress(OSError):  # the time of use is a hint only
        os.utime(opened.file, ns=ns)
    return True


def _linked(inventory: Inventory, path: str, opened: Opened) -> os.stat_result | None:
    """Return the state of the link to a spilled object, None when it was replaced."""
    entry = inventory.volume.look(path)
    return entry.found if entry is not None and entry.link == opened.link else None
