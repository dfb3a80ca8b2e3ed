"""Folders that nobody but their owner can enter."""

from __future__ import annotations

import os
import stat

from dash_brain.errors import StoreUnavailable
from dash_brain.stores import platform

_FOLDER = os.O_RDONLY | platform.FOLDER


def open_private(parent: int, name: str, shown: str) -> int:
    """Return a descriptor of the folder ``name`` in ``parent``, which nobody else can enter.

    Raises
    ------
    StoreUnavailable
        When what lies there is not a folder, not ours, or open to others.
    """
    try:
        platform.make_folder(name, parent)
        descriptor = os.open(name, _FOLDER | platform.NO_FOLLOW, dir_fd=parent)
    except FileNotFoundError:  # removed meanwhile
        raise
    except OSError as error:
        raise _refuse(shown, f"cannot be opened as a folder ({error.strerror})") from error
    try:
        _check_private(descriptor, shown)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_private(descriptor: int, shown: str) -> None:
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid():
        raise _refuse(shown, f"belongs to user {found.st_uid}, not to user {os.geteuid()}")
    if found.st_mode & 0o077:
        raise _refuse(shown, f"is open to other users (mode {stat.S_IMODE(found.st_mode):03o})")


def _refuse(shown: str, why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The store folder {shown} {why}. It may have been planted: look at it, then remove it, "
        "or choose another place with file:///folder or shm://name."
    )
