"""Walking over all that lies in a store: to list it, to count it, and to remove what nobody needs."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from dash_brain.errors import DecodeError
from dash_brain.stores import files
from dash_brain.stores.folder import Root, number_of_draft
from dash_brain.stores.kernel_locks import FlockedFiles
from dash_brain.stores.objectfile import Label, read_head
from dash_brain.stores.places import is_domain
from dash_brain.stores.platform import NO_ATIME, NO_FOLLOW
from dash_brain.stores.publishing import remove
from dash_brain.stores.quoting import is_digest, unquote


def folders(root: Root) -> Iterator[str]:
    """Yield the folder of each namespace."""
    for domain in filter(is_domain, root.names()):
        for name, found in root.entries(domain):
            if stat.S_ISDIR(found.st_mode):
                yield f"{domain}/{name}"


def objects(root: Root, folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield name and state of each object in a folder, expired ones too."""
    for name, found in root.entries(folder):
        if not name.startswith(".") and stat.S_ISREG(found.st_mode):
            yield name, found


def usage(root: Root) -> int:
    """Return the bytes that all objects occupy."""
    return sum(files.occupied(found) for folder in folders(root) for _, found in objects(root, folder))


def keys(root: Root, folder: str, now: float) -> Iterator[str]:
    """Yield the key of each object in a folder that has not expired."""
    for name, found in objects(root, folder):
        if not files.has_expired(found, now):
            key = _label(root, folder, name).key if is_digest(name) else unquote(name)
            if key is not None:
                yield key


def namespaces(root: Root, domain: str, now: float) -> Iterator[str]:
    """Yield each namespace of a domain that holds an object which has not expired."""
    if not is_domain(domain):
        return
    for folder in root.names(domain):
        living = (
            name for name, found in objects(root, f"{domain}/{folder}") if not files.has_expired(found, now)
        )
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
        file = os.open(path, os.O_RDONLY | NO_FOLLOW | NO_ATIME, dir_fd=root.descriptor)
    except FileNotFoundError:
        return Label()
    try:
        size = os.fstat(file).st_size
        return Label.from_bytes(bytes(read_head(files.head(file, size), size, path, root.seal).label))
    except DecodeError:
        return Label()
    finally:
        os.close(file)


def sweep(root: Root, now: float) -> int:
    """Remove expired objects, orphaned drafts and empty folders; return how many objects and drafts went."""
    remove_stale_locks(root)
    removed = remove_orphans(root, ".")
    for folder in folders(root):
        for name, found in objects(root, folder):
            removed += files.has_expired(found, now) and remove_expired(root, f"{folder}/{name}", now)
        removed += remove_orphans(root, folder)
        remove_folder(root, folder)
    root.note_sweep(now)
    return removed


def remove_all(root: Root, folder: str) -> None:
    """Remove a folder with all its objects."""
    for name, _ in objects(root, folder):
        remove(f"{folder}/{name}", root.descriptor)
    remove_orphans(root, folder)
    remove_folder(root, folder)


def remove_expired(root: Root, path: str, now: float) -> bool:
    """Remove the object if it has expired still, now that nobody can replace or touch it."""
    with root.hold_if_free(path) as held:
        if not held:
            return False
        try:
            found = os.stat(path, dir_fd=root.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return files.has_expired(found, now) and remove(path, root.descriptor)


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
