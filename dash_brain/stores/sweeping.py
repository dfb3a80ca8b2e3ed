"""Removing what nobody needs, and counting what is left."""

from __future__ import annotations

import contextlib
import os
from collections import Counter

from dash_brain.stores import accounts, spilling, walking
from dash_brain.stores.folder import Root, number_of_draft
from dash_brain.stores.kernel_locks import FlockedFiles
from dash_brain.stores.ledger import Counted
from dash_brain.stores.places import account_of
from dash_brain.stores.publishing import remove
from dash_brain.stores.removing import remove_expired, remove_object


def sweep(root: Root, now: float) -> int:
    """Remove expired objects, orphaned drafts and empty folders; return how many objects and drafts went."""
    remove_stale_locks(root)
    root.ledger.forgive()
    root.room.measure()
    moved, used = root.ledger.moved(), 0
    sessions: Counter[str] = Counter()
    removed = remove_orphans(root, ".")
    settled = spilling.settled(root)
    spilled: dict[str, int] = {}
    unseen: set[str] = set()
    for folder in walking.folders(root):
        for name, entry in walking.objects(root, folder):
            if entry.may_go(now) and remove_expired(root, f"{folder}/{name}", now):
                removed += 1
                moved += entry.nbytes  # that it went is known, and makes nothing unsure
                continue
            if entry.away:
                unseen.add(account_of(folder) or "")
            elif entry.spilled:
                spilled[entry.spilled] = entry.nbytes
            else:
                used += entry.nbytes
            sessions[account_of(folder) or ""] += entry.nbytes
        removed += remove_orphans(root, folder)
        remove_folder(root, folder)
    # What we do not see is counted by those who do.
    root.ledger.correct(Counted(used, None if unseen else sum(spilled.values())), moved)
    del sessions[""]
    accounts.correct(root, sessions, besides=unseen)
    for orphan in settled - spilled.keys():
        root.spill.remove(orphan)
    root.spill.tidy()
    root.note_sweep(now)
    return removed


def remove_all(root: Root, folder: str, now: float) -> None:
    """Remove a folder with all its objects."""
    for name, _ in walking.objects(root, folder):
        remove_object(root, f"{folder}/{name}", now)
    remove_orphans(root, folder)
    remove_folder(root, folder)


def remove_orphans(root: Root, folder: str) -> int:
    """Remove the drafts in a folder whose writers are dead: their locks are free."""
    removed = 0
    for name in root.names(folder):
        number = number_of_draft(name)
        if number is not None:
            with root.locks.hold_if_free(number) as held:
                removed += held and remove(f"{folder}/{name}", root.descriptor)
    return removed


def remove_stale_locks(root: Root) -> None:
    """Remove the lock files that a crash left behind, where locks are files."""
    for name in root.names(FlockedFiles.HIDDEN):
        number = number_of_draft(name)
        if number is not None:
            with root.locks.hold_if_free(number):
                pass  # letting go removes the file


def remove_folder(root: Root, folder: str) -> None:
    """Remove the folder if nothing is left in it; a put that is just coming makes it anew."""
    with contextlib.suppress(OSError):
        os.rmdir(folder, dir_fd=root.descriptor)
