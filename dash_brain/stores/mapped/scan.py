"""Walking over all that lies in a store, to list it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from stat import S_ISREG

from dash_brain.errors import DecodeError
from dash_brain.stores.mapped.space.inventory import Inventory
from dash_brain.stores.mapped.system.faults import is_shortage
from dash_brain.stores.mapped.volume import pages
from dash_brain.stores.mapped.volume.entries import Entry, entry_of, open_object
from dash_brain.stores.mapped.volume.objectfile import Label, read_head
from dash_brain.stores.mapped.volume.quoting import is_digest, unquote
from dash_brain.stores.namespaces import is_domain


def keys(inventory: Inventory, folder: str, now: float) -> Iterator[str]:
    """Yield the key of each object in a folder that has not expired."""
    for name, found in inventory.volume.entries(folder):
        # Most are files that never expire: they are many, and take no call that they do not need.
        if found.st_mtime_ns or not S_ISREG(found.st_mode) or is_digest(name):
            key = _key(inventory, folder, name, found, now)
        else:
            key = unquote(name)
        if key is not None:
            yield key


def _key(inventory: Inventory, folder: str, name: str, found: os.stat_result, now: float) -> str | None:
    path = f"{folder}/{name}"
    entry = entry_of(path, inventory.volume.descriptor, found)
    if entry is None or not _lives(inventory, entry, now):
        return None
    return _label(inventory, path, entry).key if is_digest(name) else unquote(name)


def namespaces(inventory: Inventory, domain: str, now: float) -> Iterator[str]:
    """Yield each namespace of a domain that holds an object which has not expired."""
    if not is_domain(domain):
        return
    for name in inventory.volume.names(domain):
        living = _living(inventory, f"{domain}/{name}", now)
        found = (_namespace(inventory, domain, name, path, entry) for path, entry in living)
        namespace = next(filter(None, found), None)
        if namespace is not None:
            yield namespace


def _living(inventory: Inventory, folder: str, now: float) -> Iterator[tuple[str, Entry]]:
    for path, entry in inventory.volume.objects(folder):
        if _lives(inventory, entry, now):
            yield path, entry


def _lives(inventory: Inventory, entry: Entry, now: float) -> bool:
    return not entry.has_expired(now) and (entry.link is None or inventory.disk.has(entry.link))


def _namespace(inventory: Inventory, domain: str, name: str, path: str, entry: Entry) -> str | None:
    if is_digest(name):
        return _label(inventory, path, entry).namespace
    text = unquote(name)
    return None if text is None else f"{domain}/{text}"


def _label(inventory: Inventory, path: str, entry: Entry) -> Label:
    """Return what an object says of itself; nothing, when it is gone, unreadable or not authentic."""
    volume = inventory.volume
    try:
        file = inventory.disk.open(entry.link) if entry.link else open_object(path, volume.descriptor)
        try:
            size = os.fstat(file).st_size
            return Label.from_bytes(bytes(read_head(pages.head(file, size), size, path, volume.seal).label))
        finally:
            os.close(file)
    except (FileNotFoundError, DecodeError):
        return Label()
    except OSError as error:
        if entry.link is None or is_shortage(error):
            raise
        return Label()  # its disk fails, or the folder there cannot be trusted
