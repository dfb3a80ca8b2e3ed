"""Writing an object to disk because shared memory has no room for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from dash_brain.stores import spill_places
from dash_brain.stores.entries import Entry, link_to
from dash_brain.stores.expected import Expected
from dash_brain.stores.folder import Root
from dash_brain.stores.publishing import remove, take_place
from dash_brain.stores.waiting import turn

Fill = Callable[[int], None]


def spill(
    root: Root, path: str, nbytes: int, fill: Fill, expected: Expected | None
) -> tuple[bool, Entry | None]:
    """Write an object to disk and put a link to it under its path.

    Returns
    -------
    bool, Entry
        Whether that was possible, and what the link replaced.
    """
    try:
        file = _new_file(root)
        if file is None or not root.spill.has_room(nbytes, root.ledger.spilled()):
            return False, None
        # The sweep leaves alone what is locked: it has no entry yet.
        with root.hold(_lock_of(file)):
            try:
                _write(root, file, fill)
                return True, _link(root, path, link_to(file, nbytes), expected)
            except BaseException:
                _remove_unless_linked(root, path, file)
                raise
    except OSError:
        return False, None  # the disk is full or fails; the store has no room either way


def _new_file(root: Root) -> str | None:
    """Return the name of a new file, with its folder made; None where there is no disk for it."""
    if not root.spill.allowed:
        return None
    if not root.spill.is_ready() and spill_places.disks():
        with turn(root, "spill folder"):
            if not root.spill.is_ready():
                root.spill.make_ready()
    return root.spill.new_file()


def _remove_unless_linked(root: Root, path: str, file: str) -> None:
    """Remove a file that nobody can find; what fails may be the end, when its link is there already."""
    with suppress(OSError):  # the sweep removes what is left
        entry = root.look(path)
        if entry is None or entry.spilled != file:
            root.spill.remove(file)


def _lock_of(file: str) -> str:
    return f"spilled:{file}"


def _write(root: Root, file: str, fill: Fill) -> None:
    descriptor = root.spill.make(file)
    try:
        fill(descriptor)
    finally:
        os.close(descriptor)


def _link(root: Root, path: str, text: str, expected: Expected | None) -> Entry | None:
    root.make_folder(path.rpartition("/")[0])
    with root.hold(path) as draft:
        remove(draft, root.descriptor)
        os.symlink(text, draft, dir_fd=root.descriptor)
        try:
            note_times(root, draft)
            return take_place(draft, path, root, expected)
        except BaseException:
            remove(draft, root.descriptor)
            raise


def note_times(root: Root, path: str) -> None:
    """Say in a link when the object expires, for those who do not see the disk; its lock is held."""
    entry = root.look(path)
    if entry is not None and entry.spilled and not entry.lost:
        times = entry.found.st_atime_ns, entry.found.st_mtime_ns
        os.utime(path, ns=times, dir_fd=root.descriptor, follow_symlinks=False)


def settled(root: Root) -> set[str]:
    """Return the spilled files that nobody is writing: an entry names each, or it is an orphan."""
    found = set()
    for file in root.spill.files():
        with root.hold_if_free(_lock_of(file)) as free:
            if free:
                found.add(file)
    return found
