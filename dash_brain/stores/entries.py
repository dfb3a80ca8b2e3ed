"""What lies under a path of a store."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from dash_brain.stores import files


class Entry(NamedTuple):
    """The file of an object."""

    found: os.stat_result

    @property
    def nbytes(self) -> int:
        """The bytes that it takes."""
        return files.occupied(self.found.st_size)

    def is_still(self, other: Entry | None) -> bool:
        """Say whether the other is the same object, unused and unchanged."""
        return other is not None and _identity(self.found) == _identity(other.found)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_atime_ns, found.st_mtime_ns


def look(path: str, folder: int) -> Entry | None:
    """Return what lies under the path, None for nothing or what is no object."""
    try:
        found = os.stat(path, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Entry(found) if stat.S_ISREG(found.st_mode) else None
