"""Whose a folder of spilled values is, so that it can go when the store that it belongs to is gone."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Set
from typing import Any

from dash_brain.stores import platform, spill_records
from dash_brain.stores.entries import READ
from dash_brain.stores.private import enter_private, open_private

#: The names of spilled files, and of folders of them after ``spill-``.
NAME = re.compile("[0-9a-f]{32}")

_FOLDER = os.O_RDONLY | platform.FOLDER
_OWNER = "owner"
_FIELDS = {"boot", "store", "mounts"}
#: Seconds after which an empty folder whose maker died before it said what it is for may go.
_ABANDONED = 3600.0


def outer(place: str) -> str:
    """Return the path of our private folder in a place."""
    return os.path.join(place, f"dash_brain-{os.geteuid()}")


def open_outer(place: str) -> int:
    """Return a descriptor of our private folder, made if need be, in a place that may be anyone's."""
    return _in_place(open_private, place)


def enter_outer(place: str) -> int:
    """Return a descriptor as :func:`open_outer` does, of a folder that must be there."""
    return _in_place(enter_private, place)


def _in_place(enter: Callable[[int, str, str], int], place: str) -> int:
    path = outer(place)
    parent = os.open(place, _FOLDER)
    try:
        return enter(parent, os.path.basename(path), path)
    finally:
        os.close(parent)


def claim(folder: int, store: str, seen_from: str) -> None:
    """Say in a folder which store it belongs to, and that it is in use."""
    said = {"boot": boot(), "store": store, "mounts": seen_from}
    if _owner(folder) == said:
        # Who tidies up a place for temporary files takes what is old.
        os.utime(_OWNER, dir_fd=folder)
        return
    # A container that starts again sees it from elsewhere, and where it was before another may be by now.
    # Whole or not at all: a crash must not leave a folder that says nothing for good.
    draft = f"{_OWNER}.{os.urandom(8).hex()}"
    file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600, dir_fd=folder)
    try:
        os.write(file, json.dumps(said).encode())
        os.rename(draft, _OWNER, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(draft, dir_fd=folder)
        raise
    finally:
        os.close(file)


def remove_abandoned(places: Iterable[str], own: Set[str], seen_from: str) -> None:
    """Remove the folders of stores that are gone; never those of the store which asks, whatever it says."""
    for place in places:
        if os.path.isdir(outer(place)):
            with contextlib.suppress(OSError):
                _remove_abandoned_in(place, own, seen_from)


def _remove_abandoned_in(place: str, own: Set[str], seen_from: str) -> None:
    parent = open_outer(place)
    try:
        for name in os.listdir(parent):
            if name.startswith("spill-") and NAME.fullmatch(name[6:]) and name[6:] not in own:
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(parent, name, seen_from)
    finally:
        os.close(parent)


def _remove_if_abandoned(parent: int, name: str, seen_from: str) -> None:
    folder = os.open(name, _FOLDER | platform.NO_FOLLOW, dir_fd=parent)
    try:
        if _is_abandoned(folder, name[6:], seen_from):
            for file in os.listdir(folder):
                os.unlink(file, dir_fd=folder)
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(folder)


def _is_abandoned(folder: int, number: str, seen_from: str) -> bool:
    owner = _owner(folder)
    if owner is None:
        # What lies in a folder that lost its owner may be what a store needs, and cannot get back.
        quiet = time.time() - os.fstat(folder).st_mtime > _ABANDONED
        return quiet and not any(map(NAME.fullmatch, os.listdir(folder)))
    if owner["boot"] != boot():
        return True
    return bool(owner["mounts"] == seen_from) and not _names(owner["store"], number)


def _owner(folder: int) -> dict[str, Any] | None:
    """Return what a folder says of itself, None if that is nothing or damaged."""
    try:
        file = os.open(_OWNER, READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        owner = json.loads(os.read(file, 4096))
        return owner if _is_owner(owner) else None
    except ValueError:
        return None
    finally:
        os.close(file)


def _is_owner(said: Any) -> bool:
    fields = said.values() if isinstance(said, dict) and said.keys() == _FIELDS else [None]
    return all(isinstance(field, str) and "\0" not in field for field in fields)


def _names(store: str, number: str) -> bool:
    """Say whether a store says that this is one of its folders."""
    try:
        folder = os.open(store, _FOLDER | platform.NO_FOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return False  # gone: nobody finds the folder any more
    try:
        return number in spill_records.recorded(folder)
    finally:
        os.close(folder)


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
