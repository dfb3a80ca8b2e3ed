"""Where values are kept; :func:`open_store` finds the store for a URL.

The names here are also what a store of your own is written with: :class:`Store` is the contract, and
:mod:`dash_brain.testing` tests it.
"""

from __future__ import annotations

from dash_brain import floors
from dash_brain.common.forks import reset_in_children
from dash_brain.stores.base import (
    ABSENT,
    Bounded,
    Frames,
    Locks,
    Look,
    Looks,
    ObjectInfo,
    Place,
    Scans,
    Store,
    expires_at,
    is_over,
    new_object_id,
)
from dash_brain.stores.mapped import FileStore, SharedMemoryStore
from dash_brain.stores.memory import MemoryStore
from dash_brain.stores.namespaces import Retention, split
from dash_brain.stores.near_copy import CopyStore, NearCopy
from dash_brain.stores.registry import open_store, register_store
from dash_brain.stores.wrapper import StoreWrapper

__all__ = [
    "ABSENT",
    "Bounded",
    "CopyStore",
    "FileStore",
    "Frames",
    "Locks",
    "Look",
    "Looks",
    "MemoryStore",
    "NearCopy",
    "ObjectInfo",
    "Place",
    "Retention",
    "Scans",
    "SharedMemoryStore",
    "Store",
    "StoreWrapper",
    "expires_at",
    "is_over",
    "new_object_id",
    "open_store",
    "register_store",
    "reset_in_children",
    "split",
]

floors.check()  # who imports from here may take no name of the package itself
