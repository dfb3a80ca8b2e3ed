"""A store's folder with all that counts, bounds and remembers what lies there."""

from __future__ import annotations

import os

from dash_brain.stores.mapped.space.accounts import Accounts
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.space.ledger import Ledger, fresh_ledger
from dash_brain.stores.mapped.space.limits import Limits
from dash_brain.stores.mapped.space.space import Space
from dash_brain.stores.mapped.space.tombstones import SIZE, Tombstones
from dash_brain.stores.mapped.spill.disk import Disk
from dash_brain.stores.mapped.volume.folder import Volume


def open_space(volume: Volume, size: int | None, *, spills: bool) -> Space:
    """Return the room of a store, and in it all else.

    Parameters
    ----------
    volume
        Its folder.
    size
        The budget of a new store, in bytes; None: what the place allows.
    spills
        Whether what has no room goes to disk, if the store itself lies in memory.
    """
    ledger = _ledger(volume)
    disk = Disk(volume.descriptor, volume.shown)
    inventory = Inventory(volume, disk, ledger, Accounts(volume), _tombstones(volume))
    limits = Limits(volume.descriptor, volume.shown, ledger)
    if size is not None:
        limits.set_first(size)
    disk.allowed = spills and limits.in_memory
    limits.warn_if_small()
    return Space(inventory, limits)


def _ledger(volume: Volume) -> Ledger:
    file = volume.open_own("ledger", fresh_ledger(), os.O_RDWR)
    try:
        return Ledger(file, volume.locks)
    finally:
        os.close(file)


def _tombstones(volume: Volume) -> Tombstones:
    file = volume.open_own("remembered", bytes(SIZE), os.O_RDWR)
    try:
        return Tombstones(file)
    except ValueError as error:
        raise volume.damaged("remembered") from error
    finally:
        os.close(file)
