"""Putting an object: its bytes, the room for them, and its name."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from functools import partial
from time import perf_counter_ns

from dash_brain.errors import StoreFull
from dash_brain.stores.base import Frames
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.space import Space
from dash_brain.stores.mapped.system.faults import is_full
from dash_brain.stores.mapped.volume.entries import PAGE, Entry, SpillLink
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.mapped.volume.large import LARGE
from dash_brain.stores.mapped.volume.objectfile import compose
from dash_brain.stores.mapped.volume.publish import Draft, Publish
from dash_brain.stores.namespaces import ANY, HELD, IDLE, account_of, domain_of

#: Attempts of a put in a file system that is full; before each further one it evicts.
_ROUNDS = 4
#: Attempts of a put whose folder a sweep removes while it is empty. Two threads of one process can alternate
#: for a long time.
_ATTEMPTS = 1000
#: The same after EACCES or EPERM, which ext4 raises too for a folder that was removed meanwhile.
_REFUSED = 20


def put(
    space: Space,
    path: str,
    key: str,
    frames: Frames,
    *,
    label: bytes,
    now: float,
    expires: float | None,
    quota: int | None,
    replaces: str | None,
) -> str:
    """Write an object under its path, in place of what was there, and return its id; see ``Store.put``."""
    started, volume, object_id = perf_counter_ns(), space.inventory.volume, os.urandom(16)
    if os.fstat(volume.key).st_nlink == 0:  # the store was removed: others seal with another secret
        raise FileNotFoundError
    pieces = compose(frames, path, label, object_id, now, volume.seal)
    size = sum(map(len, pieces))
    draft = Draft(
        path=path,
        key=key,
        object_id=object_id.hex(),
        pieces=pieces,
        size=size,
        nbytes=-(-size // PAGE) * PAGE,
        now=now,
        times=(int(now * 1e9), 0 if expires is None else max(1, int(expires * 1e9))),
        replaces=replaces,
    )
    if size >= LARGE:
        space.recycle(now)
        space.expiring.note(path, expires)
    if domain_of(draft.path) is ANY:
        _place(space, draft)
    else:
        _place_for_client(space, draft, quota)
    space.inventory.counters.note_put(path, size, started)
    return draft.object_id


def _place_for_client(space: Space, draft: Draft, quota: int | None) -> None:
    """Write an object whose namespace is bounded in number, or belongs to a client that has a quota."""
    space.admit(draft)
    space.charge(draft, quota)
    try:
        _place(space, draft)
    except BaseException:
        space.inventory.refund(draft.path, draft.nbytes)
        raise


def _place(space: Space, draft: Draft) -> None:
    """Write an object into the store, and evict idle objects for it if there is no room.

    If that does not suffice it is spilled to disk; if it cannot be spilled, objects in use are evicted too.
    """
    if space.inventory.disk.allowed:
        with suppress(StoreFull):
            return _write(space, draft, IDLE)
        if _spill(space, draft):
            return None
    return _write(space, draft, HELD)


def _write(space: Space, draft: Draft, worst: int) -> None:
    """Write an object into the store's own folder, and evict for it objects up to the rank ``worst``."""
    inventory = space.inventory
    space.reserve(draft, worst)
    try:
        replaced = _publish(space, draft, worst)
        plain = replaced is None or (replaced.link is None and account_of(draft.path) is None)
        inventory.ledger.commit(draft.nbytes, replaced.nbytes if replaced and plain else 0)
    except BaseException:
        inventory.ledger.reserve(-draft.nbytes)
        raise
    if replaced is not None and not plain:
        inventory.discount(draft.path, replaced)


def _publish(space: Space, draft: Draft, worst: int) -> Entry | None:
    """Give the object its name; evict when the file system is full, or the memory of the container."""
    for attempt in range(_ROUNDS):
        try:
            if space.capacity.memory.groups:
                space.check_memory(draft.nbytes)
            return _publish_in_folder(space.inventory.volume, draft, space.inventory.volume.publish)
        except OSError as error:  # not kept for later: its traceback refers to the value
            if not is_full(error):
                raise
            if attempt == _ROUNDS - 1 or not space.make_place(draft, worst, error, looked=attempt > 0):
                if isinstance(error, StoreFull):
                    raise
                raise space.full(draft.nbytes) from error
    raise AssertionError("the last round returns or raises")


def _publish_in_folder(volume: Volume, draft: Draft, publish: Publish) -> Entry | None:
    """Give the object its name in its folder, which is made, again when a sweep removed the empty one."""
    attempts = 0
    while True:
        try:
            if attempts:
                volume.make_folder(os.path.dirname(draft.path))
            return publish(draft)
        except (FileNotFoundError, PermissionError) as error:
            if attempts and volume.gone():  # ext4 says so for a folder that was removed
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
            if attempts == (_ATTEMPTS if isinstance(error, FileNotFoundError) else _REFUSED):
                raise
            attempts += 1


def _spill(space: Space, draft: Draft) -> bool:
    """Write an object to disk and put a link to it under its path; say whether that was possible."""
    inventory = space.inventory
    try:
        folder = inventory.disk.folder_to_write()
        if folder is None or not space.make_disk_room(folder, draft):
            return False
        # The sweep leaves alone what is locked: it has no link yet.
        with inventory.volume.hold(lock_of_spilled(draft.object_id)):
            replaced = _link(inventory, draft, inventory.disk.write(folder, draft))
    except OSError:
        return False  # the disk is full or fails; the store has no room either way
    inventory.ledger.add(draft.nbytes, spilled=True)
    inventory.counters.note_spill(draft.path, draft.size)
    if replaced is not None:
        inventory.discount(draft.path, replaced)
    return True


def _link(inventory: Inventory, draft: Draft, link: SpillLink) -> Entry | None:
    volume = inventory.volume
    try:
        return _publish_in_folder(volume, draft, partial(volume.publish_link, text=str(link)))
    except BaseException:
        with suppress(OSError):  # the sweep removes what is left
            entry = volume.look(draft.path)
            if entry is None or entry.link != link:  # else it is there, and what failed came after that
                inventory.disk.remove(link)
        raise


def lock_of_spilled(file: str) -> str:
    """Return the name of the lock of a spilled file that is being written."""
    return f"spilled:{file}"
