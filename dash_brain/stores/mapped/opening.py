"""A store's folder with all that counts, bounds and remembers what lies there."""

from __future__ import annotations

import os
from mmap import mmap

from dash_brain.stores.mapped.space.accounts import Accounts
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.ledger import Ledger, fresh_ledger
from dash_brain.stores.mapped.space.limits import Limits
from dash_brain.stores.mapped.space.space import Space
from dash_brain.stores.mapped.space.tombstones import SIZE, Tombstones
from dash_brain.stores.mapped.spill.disk import Disk
from dash_brain.stores.mapped.volume.folder import Volume


def open_space(volume: Volume, size: int | None, *, spills: bool) -> Space:
    """Return a store's space, with all that belongs to it.

    ``size`` is the budget of a new store, in bytes; None: what the place allows. ``spills``: what has no room
    goes to disk, if the store itself lies in memory.
    """
    ledger = Ledger(_table(volume, "ledger", fresh_ledger()), volume.locks)
    tombstones = Tombstones(_table(volume, "remembered", bytes(SIZE)))
    limits = Limits(volume.descriptor, volume.shown, ledger)
    if size is not None:
        limits.set_first(size)
    limits.warn_if_small()
    disk = Disk(volume.descriptor, allowed=spills and limits.in_memory)
    return Space(Inventory(volume, disk, ledger, Accounts(volume), tombstones), limits)


def _table(volume: Volume, name: str, content: bytes) -> mmap:
    """Map a file of the store itself, which has this content when it is new."""
    file = volume.open_own(name, content, os.O_RDWR)
    try:
        return mmap(file, len(content))
    except ValueError as error:  # it is shorter
        raise volume.damaged(name) from error
    finally:
        os.close(file)
