"""Removing what nobody needs, and counting what is left."""

from __future__ import annotations

import contextlib
import os
from collections import Counter

from dash_brain.stores import accounts, spilling, walking
from dash_brain.stores.entries import Entry
from dash_brain.stores.folder import Root, number_of_draft
from dash_brain.stores.kernel_locks import FlockedFiles
from dash_brain.stores.ledger import Counted
from dash_brain.stores.places import account_of
from dash_brain.stores.removing import remove_expired, remove_object, remove_orphans


class Tally:
    """What a walk over a store counted."""

    def __init__(self) -> None:
        self.used = 0
        self.spilled: dict[str, int] = {}
        self.sessions: Counter[str] = Counter()

    def add(self, folder: str, entry: Entry) -> None:
        """Count an object."""
        if entry.spilled:
            self.spilled[entry.spilled] = entry.nbytes
        else:
            self.used += entry.nbytes
        session = account_of(folder)
        if session is not None:
            self.sessions[session] += entry.nbytes


def sweep(root: Root, now: float) -> int:
    """Remove expired objects, orphaned drafts and empty folders; return how many objects and drafts went."""
    remove_stale_locks(root)
    root.ledger.forgive()
    root.room.measure()
    moved, settled, tally = root.ledger.moved(), spilling.settled(root), Tally()
    removed = remove_orphans(root, ".")
    for folder in walking.folders(root):
        gone = _sweep_folder(root, folder, now, tally)
        moved += sum(gone)  # that they went is known, and makes nothing unsure
        removed += len(gone) + remove_orphans(root, folder)
        remove_folder(root, folder)
    root.ledger.correct(Counted(tally.used, sum(tally.spilled.values())), moved)
    accounts.correct(root, tally.sessions)
    for orphan in settled - tally.spilled.keys():
        root.spill.remove(orphan)
    root.spill.tidy()
    root.note_sweep(now)
    return removed


def _sweep_folder(root: Root, folder: str, now: float, tally: Tally) -> list[int]:
    """Remove what has expired and count the rest; return how many bytes each took that went."""
    gone = []
    for name, entry in walking.objects(root, folder):
        if entry.may_go(now) and remove_expired(root, f"{folder}/{name}", now):
            gone.append(entry.nbytes)
        else:
            tally.add(folder, entry)
    return gone


def remove_all(root: Root, folder: str, now: float) -> None:
    """Remove a folder with all its objects."""
    for name, _ in walking.objects(root, folder):
        remove_object(root, f"{folder}/{name}", now)
    remove_orphans(root, folder)
    remove_folder(root, folder)


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
