"""Whose a folder of spilled values is, so that it can go when the store that it belongs to is gone.

A link in the folder, which is made whole or not at all, says in which life of the machine and from which view
of the file systems (a container has its own) it was used last, and for which store.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterable, Set

from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.volume.folder import outer_folder
from dash_brain.stores.mapped.volume.private import enter_private

#: The names of spilled files, and of folders of them after ``spill-``.
NAME = re.compile("[0-9a-f]{32}")

_OWNER = "owner"
_FOLDER = os.O_RDONLY | platform.FOLDER
#: Seconds after which an empty folder whose maker died before it said what it is for may go.
_ABANDONED = 3600.0


def claim(folder: int, store: str) -> None:
    """Say in a folder which store it belongs to, and that it is in use."""
    said = f"{boot()}|{mounts()}|{store}"
    if _said(folder) != said:
        # A container that starts again sees it from elsewhere, and where it was before another may be by now.
        draft = f"{_OWNER}.{os.urandom(8).hex()}"
        os.symlink(said, draft, dir_fd=folder)
        os.rename(draft, _OWNER, src_dir_fd=folder, dst_dir_fd=folder)
    # Who tidies up a place for temporary files takes what is old.
    os.utime(_OWNER, dir_fd=folder, follow_symlinks=False)


def remove_abandoned(places: Iterable[str], own: Set[str], seen_from: str) -> None:
    """Remove the folders of stores that are gone; never those of the store which asks, whatever they say."""
    for place in places:
        outer = outer_folder(place)
        with contextlib.suppress(OSError):
            parent = os.open(place, _FOLDER)
            try:
                opened = enter_private(parent, os.path.basename(outer), outer)
            finally:
                os.close(parent)
            try:
                _remove_abandoned_in(opened, own, seen_from)
            finally:
                os.close(opened)


def _remove_abandoned_in(parent: int, own: Set[str], seen_from: str) -> None:
    for name in os.listdir(parent):
        if name.startswith("spill-") and NAME.fullmatch(name[6:]) and name[6:] not in own:
            with contextlib.suppress(OSError):
                _remove_if_abandoned(parent, name, seen_from)


def _remove_if_abandoned(parent: int, name: str, seen_from: str) -> None:
    folder = os.open(name, _FOLDER | platform.NO_FOLLOW, dir_fd=parent)
    try:
        if _is_abandoned(folder, name, seen_from):
            for file in os.listdir(folder):
                os.unlink(file, dir_fd=folder)
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(folder)


def _is_abandoned(folder: int, name: str, seen_from: str) -> bool:
    said = (_said(folder) or "").split("|", 2)
    if len(said) < 3:
        # What lies in a folder that lost its owner may be what a store needs, and cannot get back.
        quiet = time.time() - os.fstat(folder).st_mtime > _ABANDONED
        return quiet and not any(map(NAME.fullmatch, os.listdir(folder)))
    last_boot, last_mounts, store = said
    return last_boot != boot() or (last_mounts == seen_from and not _is_named(store, name))


def _is_named(store: str, name: str) -> bool:
    """Say whether a store says that this is one of its folders."""
    try:
        os.readlink(os.path.join(store, name))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):
            return False  # nobody finds the folder any more
        raise
    return True


def _said(folder: int) -> str | None:
    try:
        return os.readlink(_OWNER, dir_fd=folder)
    except OSError:  # there is none, or it is no link
        return None


def boot() -> str:
    """Return what tells this life of the machine from others."""
    with (
        contextlib.suppress(OSError),
        open("/proc/sys/kernel/random/boot_id", encoding="ascii") as content,
    ):
        return content.read().strip()
    return ""


def mounts() -> str:
    """Return what tells this container's view of the file systems from another's."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/mnt")
    return ""
