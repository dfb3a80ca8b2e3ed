"""Removing objects, and keeping count of it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from dash_brain.stores import files
from dash_brain.stores.accounts import refund
from dash_brain.stores.entries import Entry
from dash_brain.stores.folder import Root, number_of_draft
from dash_brain.stores.objectfile import HEADER_SIZE, said_created
from dash_brain.stores.publishing import remove
from dash_brain.stores.removals import Removal


def remove_entry(root: Root, path: str, entry: Entry, reason: str, now: float) -> bool:
    """Remove what was found under a path, whose lock is held, and say whether it was there still."""
    created = _created(root, path)
    when = files.expiry(entry.found) or now if reason == "expired" else now
    if not remove(path, root.descriptor):
        return False
    discount(root, path, entry)
    root.removals.note(path, Removal(reason, entry.nbytes, created, when))
    return True


def _created(root: Root, path: str) -> float:
    """Return when an object says that it was put, unverified; 0 when it does not."""
    try:
        file = root.open(path)
    except OSError:
        return 0.0
    try:
        return said_created(os.pread(file, HEADER_SIZE, 0))
    finally:
        os.close(file)


def discount(root: Root, path: str, entry: Entry) -> None:
    """Count no more what has no name any more."""
    root.ledger.add(-entry.nbytes, spilled=bool(entry.spilled))
    if entry.spilled:
        root.spill.remove(entry.spilled)
    refund(root, path, entry.nbytes)


def remove_object(root: Root, path: str, now: float, object_id: str | None = None) -> Entry | None:
    """Remove an object, whatever it is unless its id is given, and return what it was."""
    # Under the lock what is seen is what is removed: replacing it takes the lock too.
    with root.hold(path):
        entry = root.look(path)
        if object_id is not None and (entry is None or root.object_id(path) != object_id):
            return None
        if entry is None:
            _remove_foreign(root, path)
            return None
        reason = "expired" if entry.may_go(now) else "deleted"
        return entry if remove_entry(root, path, entry, reason, now) else None


def evict_entry(root: Root, path: str, entry: Entry, now: float) -> bool:
    """Remove an object to make room, and say whether it went: not when somebody used it since it was seen."""
    with root.hold_if_free(path) as held:
        if not held or not entry.is_still(root.look(path)):
            return False
        reason = "expired" if entry.may_go(now) else "evicted"
        return remove_entry(root, path, entry, reason, now)


def _remove_foreign(root: Root, path: str) -> None:
    """Remove what is no object; an object may have come by now, for the first one takes no lock."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path, dir_fd=root.descriptor, follow_symlinks=False).st_mode):
            os.unlink(path, dir_fd=root.descriptor)


def remove_expired(root: Root, path: str, now: float) -> bool:
    """Remove the object if it has expired still, now that nobody can replace or touch it."""
    with root.hold_if_free(path) as held:
        if not held:
            return False
        entry = root.look(path)
        if entry is None or not entry.may_go(now):
            return False
        return remove_entry(root, path, entry, "expired", now)


def remove_orphans(root: Root, folder: str) -> int:
    """Remove the drafts in a folder whose writers are dead: their locks are free."""
    removed = 0
    for name in root.names(folder):
        number = number_of_draft(name)
        if number is not None:
            with root.locks.hold_if_free(number) as held:
                removed += held and remove(f"{folder}/{name}", root.descriptor)
    return removed
