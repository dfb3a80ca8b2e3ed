"""Where on disk values may be spilled to."""

from __future__ import annotations

import logging
import os
import tempfile

from dash_brain.stores.mapped.system import platform

_log = logging.getLogger("dash_brain")

#: What this process has warned of.
_warned: set[tuple[str, int | None]] = set()


def places() -> list[str]:
    """Return where a folder may be made, the best place first."""
    return ["/var/tmp", tempfile.gettempdir()]


def disks() -> list[str]:
    """Return those that are disks, the best first."""
    return list(filter(is_disk, places()))


def is_disk(folder: str) -> bool:
    """Say whether files can be made in a folder, and it is no memory itself."""
    try:
        return os.access(folder, os.W_OK | os.X_OK) and not platform.is_memory(os.stat(folder).st_dev)
    except OSError:
        return False


def warn_once(place: str, error: OSError) -> None:
    """Say in the log, once per process, why nothing is spilled to a place."""
    if (place, error.errno) not in _warned:
        _warned.add((place, error.errno))
        # The error itself holds all that is open where it was raised; a log may keep it.
        _log.warning("No value can be spilled to disk in %s: %s", place, str(error))
