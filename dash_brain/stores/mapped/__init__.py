"""Objects as immutable files, mapped by their readers: the same code for shared memory and for disk.

A put writes a new file and gives it its name; a get maps the file, private to the reader. Nothing is ever
written into a file that has a name, nor is it truncated: so a reader keeps what it holds.

The times of a file say what changes in an object's life: its access time is when it was last used, its
modification time when it expires (0: never). So neither a read nor a new ttl rewrites anything.
"""

from __future__ import annotations

from dash_brain.stores.mapped.local import FileStore, SharedMemoryStore
from dash_brain.stores.mapped.store import MappedStore

__all__ = ["FileStore", "MappedStore", "SharedMemoryStore"]
