"""Which folders on disk belong to a store: a link in the store says of each in which place it lies.

Most stores have one. There is another for each process that sees another ``/var/tmp`` under that name: a
container, or a service with ``PrivateTmp=``. A folder is known by its random name alone, for no number that
the kernel gives to a disk is for good. A link needs no page of memory, for there may be none left.
"""

from __future__ import annotations

import errno
import os
import re

_RECORD = re.compile("spill-([0-9a-f]{32})")


def recorded(store: int) -> list[str]:
    """Return the folders of a store, in an order that is everyone's."""
    return sorted(found[1] for found in map(_RECORD.fullmatch, os.listdir(store)) if found)


def place_of(store: int, folder: str) -> str | None:
    """Return in which place a folder lies, None for none of the store's; a damaged record says nothing."""
    try:
        return os.readlink(name_of(folder), dir_fd=store)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINVAL):
            return None
        raise


def note(store: int, folder: str, place: str) -> None:
    """Note in which place a new folder lies."""
    os.symlink(place, name_of(folder), dir_fd=store)


def name_of(folder: str) -> str:
    """Return the name of a folder in its place, and of its record in the store."""
    return f"spill-{folder}"
