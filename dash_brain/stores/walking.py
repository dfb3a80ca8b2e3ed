"""Walking over all that lies in a store, to list it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from dash_brain.errors import DecodeError, StoreUnavailable
from dash_brain.stores import files
from dash_brain.stores.entries import Entry
from dash_brain.stores.folder import Root
from dash_brain.stores.objectfile import Label, read_head
from dash_brain.stores.places import is_domain
from dash_brain.stores.quoting import is_digest, unquote


def folders(root: Root) -> Iterator[str]:
    """Yield the folder of each namespace."""
    for domain in filter(is_domain, root.names()):
        for name, found in root.entries(domain):
            if stat.S_ISDIR(found.st_mode):
                yield f"{domain}/{name}"


def objects(root: Root, folder: str) -> Iterator[tuple[str, Entry]]:
    """Yield name and file of each object in a folder, expired ones too."""
    for name, found in root.entries(folder):
        if name.startswith("."):
            continue
        if stat.S_ISREG(found.st_mode):
            yield name, Entry(found)
        elif stat.S_ISLNK(found.st_mode):
            entry = root.look(f"{folder}/{name}")
            if entry is not None:
                yield name, entry


def keys(root: Root, folder: str, now: float) -> Iterator[str]:
    """Yield the key of each object in a folder that has not expired."""
    for name, entry in objects(root, folder):
        if not entry.is_over(now):
            key = _label(root, folder, name).key if is_digest(name) else unquote(name)
            if key is not None:
                yield key


def namespaces(root: Root, domain: str, now: float) -> Iterator[str]:
    """Yield each namespace of a domain that holds an object which has not expired."""
    if not is_domain(domain):
        return
    for folder in root.names(domain):
        living = (name for name, entry in objects(root, f"{domain}/{folder}") if not entry.is_over(now))
        namespace = next(filter(None, (_namespace(root, domain, folder, name) for name in living)), None)
        if namespace is not None:
            yield namespace


def _namespace(root: Root, domain: str, folder: str, name: str) -> str | None:
    if is_digest(folder):
        return _label(root, f"{domain}/{folder}", name).namespace
    text = unquote(folder)
    return None if text is None else f"{domain}/{text}"


def _label(root: Root, folder: str, name: str) -> Label:
    """Return what an object says of itself; nothing, when it is gone or not authentic."""
    path = f"{folder}/{name}"
    try:
        file = root.open(path)
    except (FileNotFoundError, StoreUnavailable):  # or it lies on a disk that nobody can trust now
        return Label()
    try:
        size = os.fstat(file).st_size
        return Label.from_bytes(bytes(read_head(files.head(file, size), size, path, root.seal).label))
    except DecodeError:
        return Label()
    finally:
        os.close(file)
