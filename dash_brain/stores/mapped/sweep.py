"""Removing what expired or was orphaned, and counting what is left."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
from collections import Counter

from dash_brain.stores.mapped.put import lock_of_spilled
from dash_brain.stores.mapped.space.capacity import Capacity
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.ledger import Counted
from dash_brain.stores.mapped.spill.roots import remove_folders_of
from dash_brain.stores.mapped.system.locks import FlockedFiles, open_kernel_locks
from dash_brain.stores.mapped.volume import spares
from dash_brain.stores.mapped.volume.entries import Entry, SpillLink
from dash_brain.stores.mapped.volume.folder import FORMAT, Volume
from dash_brain.stores.mapped.volume.paths import number_of_draft
from dash_brain.stores.mapped.volume.private import enter_ours, outer_folder
from dash_brain.stores.namespaces import NEAR_LIFE, NEAR_STORE, account_of


class _Tally:
    """What a walk over a store counted."""

    def __init__(self) -> None:
        self.used = 0
        #: The bytes of each spilled object, by the name of its file, which is its id. One folder may be
        #: seen in two places (where one is a link to the other), so the folder says nothing here.
        self.spilled: dict[str, int] = {}
        self.accounts: Counter[str] = Counter()

    def add(self, path: str, entry: Entry) -> None:
        """Count an object."""
        if entry.link is None:
            self.used += entry.nbytes
        else:
            self.spilled[entry.link.file] = entry.nbytes
        account = account_of(path)
        if account is not None:
            self.accounts[account] += entry.nbytes


def sweep(inventory: Inventory, capacity: Capacity, now: float) -> int:
    """Remove expired objects, orphaned drafts and empty folders; return how many objects and drafts went."""
    volume, ledger, tally = inventory.volume, inventory.ledger, _Tally()
    _remove_stale_locks(inventory)
    ledger.reap()
    capacity.measure()
    moved, settled = ledger.moved(), _settled(inventory)
    volume.spares.trim()
    removed = volume.remove_drafts(".") + volume.remove_drafts(spares.HIDDEN)
    _remove_folder(inventory, spares.HIDDEN)
    for folder in volume.folders():
        gone = _sweep_folder(inventory, folder, now, tally)
        moved += sum(gone)  # removed by this sweep, which knows of it: no source of error
        removed += len(gone) + volume.remove_drafts(folder)
        _remove_folder(inventory, folder)
    ledger.correct(Counted(tally.used, sum(tally.spilled.values())), moved)
    inventory.accounts.correct(tally.accounts, ledger.reserved())
    for link in settled:
        if link.file not in tally.spilled:
            inventory.disk.remove(link)
    inventory.disk.tidy()
    _remove_unused(volume, now)
    volume.note_sweep(now)
    return removed


def drop(inventory: Inventory, folder: str, now: float) -> None:
    """Remove a folder with all its objects."""
    for path, _ in inventory.volume.objects(folder):
        inventory.remove(path, now)
    inventory.volume.remove_drafts(folder)
    _remove_folder(inventory, folder)


def _sweep_folder(inventory: Inventory, folder: str, now: float, tally: _Tally) -> list[int]:
    """Remove what has expired and count the rest; return the bytes of each object that was removed."""
    gone = []
    for path, entry in inventory.volume.objects(folder):
        if entry.has_expired(now) and inventory.remove_expired(path, now):
            gone.append(entry.nbytes)
        else:
            tally.add(path, entry)
    return gone


def _settled(inventory: Inventory) -> set[SpillLink]:
    """Return the spilled files that nobody is writing: each has a link, or is an orphan."""
    found = set()
    for link in inventory.disk.files():
        with inventory.volume.hold_if_free(lock_of_spilled(link.file)) as free:
            if free:
                found.add(link)
    return found


def _remove_stale_locks(inventory: Inventory) -> None:
    """Remove the lock files that a crash left behind, where locks are files."""
    for name in inventory.volume.names(FlockedFiles.HIDDEN):
        number = number_of_draft(name)
        if number is not None:
            with inventory.volume.locks.hold_if_free(number):
                pass  # letting go removes the file


def _remove_folder(inventory: Inventory, folder: str) -> None:
    """Remove the folder if nothing is left in it; a put that comes meanwhile makes it again."""
    with contextlib.suppress(OSError):
        os.rmdir(folder, dir_fd=inventory.volume.descriptor)


def _remove_unused(volume: Volume, now: float) -> None:
    """Remove stores that no process has open: of the same name in older formats, and old near copies."""
    for name in os.listdir(outer_folder(volume.folder)):
        older = re.fullmatch(re.escape(volume.name) + r"(?:@(\d+))?", name)
        if older and int(older[1] or 0) < FORMAT:
            with contextlib.suppress(OSError):
                _remove_unless_used(volume.folder, name, math.inf)
        elif NEAR_STORE.fullmatch(name):
            with contextlib.suppress(OSError):  # all copies have expired by then
                _remove_unless_used(volume.folder, name, now - NEAR_LIFE)


def _remove_unless_used(place: str, name: str, before: float) -> None:
    """Remove a store that was swept before then, and of which no lock is held.

    Each process that has it open holds one.
    """
    folder = enter_ours(place, name)
    try:
        swept = os.stat("key", dir_fd=folder).st_mtime  # else it is none of ours
        if swept <= before and open_kernel_locks(folder).unused():
            remove_folders_of(folder)
            shutil.rmtree(os.path.join(outer_folder(place), name))
    finally:
        os.close(folder)
