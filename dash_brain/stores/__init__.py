"""Where values are kept; :func:`open_store` finds the store for a URL."""

from __future__ import annotations

from dash_brain.stores.base import Store
from dash_brain.stores.mapped import FileStore, SharedMemoryStore
from dash_brain.stores.memory import MemoryStore
from dash_brain.stores.namespaces import Retention
from dash_brain.stores.registry import open_store, register_store
from dash_brain.stores.wrapper import StoreWrapper

__all__ = [
    "FileStore",
    "MemoryStore",
    "Retention",
    "SharedMemoryStore",
    "Store",
    "StoreWrapper",
    "open_store",
    "register_store",
]
