"""Folders that nobody but their owner can enter."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from dash_brain.errors import StoreUnavailable
from dash_brain.stores.mapped.system import platform
from dash_brain.stores.mapped.system.faults import is_shortage

_FOLDER = os.O_RDONLY | platform.FOLDER

#: The errors that tell of what lies there, and not of the disk.
_TELLING = {errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM}
#: The errors that tell that nothing can be made there.
_FORBIDDING = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}

#: One of the two functions below that return a descriptor.
Enter: TypeAlias = Callable[[int, str, str], int]


def outer_folder(place: str) -> str:
    """Return the path of our private folder in a place that may be anyone's."""
    return os.path.join(place, f"dash_brain-{os.geteuid()}")


def make_place(folder: str) -> None:
    """Make the folder that stores lie in, which may be anyone's, if need be.

    ``StoreUnavailable`` when that can never be one.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise _unusable(folder, "there is a file in its place") from error
    except OSError as error:
        if error.errno in _FORBIDDING:
            raise _unusable(folder, error.strerror) from error
        raise


def open_private(parent: int, name: str, shown: str) -> int:
    """Return a descriptor of the folder ``name`` in ``parent``, made if need be, which nobody else can enter.

    ``StoreUnavailable`` when what lies there is not a folder, not ours, or open to others.
    """
    with _refusing(shown):
        platform.make_folder(name, parent)
    return enter_private(parent, name, shown)


def enter_private(parent: int, name: str, shown: str) -> int:
    """Return a descriptor as :func:`open_private` does, of a folder that must be there."""
    with _refusing(shown):
        descriptor = os.open(name, _FOLDER | platform.NO_FOLLOW, dir_fd=parent)
    try:
        _check_private(descriptor, shown)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def enter_ours(place: str, name: str, enter: Enter = enter_private) -> int:
    """Return a descriptor of the folder ``name`` in our private folder in a place."""
    outer = outer_folder(place)
    above = os.open(place, _FOLDER)
    try:
        parent = enter(above, os.path.basename(outer), outer)
    finally:
        os.close(above)
    try:
        return enter(parent, name, os.path.join(outer, name))
    finally:
        os.close(parent)


@contextmanager
def _refusing(shown: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:  # not there, or removed meanwhile
        raise
    except OSError as error:
        if is_shortage(error):
            raise
        if error.errno in _TELLING:
            raise _refuse(shown, f"cannot be opened as a folder ({error.strerror})") from error
        raise _unusable(shown, error.strerror) from error


def _check_private(descriptor: int, shown: str) -> None:
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid():
        raise _refuse(shown, f"belongs to user {found.st_uid}, not to user {os.geteuid()}")
    if found.st_mode & 0o077:
        raise _refuse(shown, f"is open to other users (mode {stat.S_IMODE(found.st_mode):03o})")


def _unusable(shown: str, why: str | None) -> StoreUnavailable:
    return StoreUnavailable(
        f"The folder {shown} cannot be made or opened ({why}). Choose another place with file:///folder or "
        "shm://name."
    )


def _refuse(shown: str, why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The store folder {shown} {why}. It may have been planted: look at it, then remove it, "
        "or choose another place with file:///folder or shm://name."
    )
