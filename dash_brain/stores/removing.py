"""Removing objects, and keeping count of it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from dash_brain.stores import files
from dash_brain.stores.accounts import refund
from dash_brain.stores.entries import Entry
from dash_brain.stores.folder import Root
from dash_brain.stores.publishing import remove


def remove_entry(root: Root, path: str, entry: Entry) -> bool:
    """Remove what was found under a path, whose lock is held, and say whether it was there still."""
    if not remove(path, root.descriptor):
        return False
    discount(root, path, entry)
    return True


def discount(root: Root, path: str, entry: Entry) -> None:
    """Count no more what has no name any more."""
    root.ledger.add(-entry.nbytes)
    refund(root, path, entry.nbytes)


def remove_object(root: Root, path: str) -> Entry | None:
    """Remove an object, whatever it is, and return what it was."""
    # Under the lock what is seen is what is removed: replacing it takes the lock too.
    with root.hold(path):
        entry = root.look(path)
        if entry is None:
            _remove_foreign(root, path)
            return None
        return entry if remove_entry(root, path, entry) else None


def evict_entry(root: Root, path: str, entry: Entry) -> bool:
    """Remove an object to make room, and say whether it went: not when somebody used it since it was seen."""
    with root.hold_if_free(path) as held:
        return held and entry.is_still(root.look(path)) and remove_entry(root, path, entry)


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
        if entry is None or not files.has_expired(entry.found, now):
            return False
        return remove_entry(root, path, entry)
